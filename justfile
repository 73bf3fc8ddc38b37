# Everything that a person here does often. `just` lists it.

_default:
    @just --list

# run the tests
test *args:
    scripts/test {{ args }}

# what CI checks before the tests
lint:
    VENV=$(scripts/venv dev) && "$VENV/bin/ruff" check . && "$VENV/bin/ruff" format --check . && "$VENV/bin/codespell"

# rewrite what ruff can
format:
    VENV=$(scripts/venv dev) && "$VENV/bin/ruff" check --fix . && "$VENV/bin/ruff" format .

# mypy --strict and pyright
types:
    VENV=$(scripts/venv dev) && "$VENV/bin/mypy" && "$VENV/bin/pyright" --pythonpath "$VENV/bin/python"

# ratios against peers, and start-up times
bench:
    VENV=$(scripts/venv dev) && "$VENV/bin/python" -m benchmarks

# what rendering costs, beside peers: --json, --memory, --chart PATH
bench-render *args:
    VENV=$(scripts/venv bench) && scripts/peers benchmarks/peers && "$VENV/bin/python" -m benchmarks.render {{ args }}

# how fast ready messages are handed over, beside peers: --json
bench-smtp *args:
    VENV=$(scripts/venv dev) && scripts/peers benchmarks/peers && "$VENV/bin/python" -m benchmarks.smtp {{ args }}

# requests per second of HTTP clients, 16 in flight: --json, --flight N
bench-http *args:
    VENV=$(scripts/venv bench) && "$VENV/bin/python" -m benchmarks.http {{ args }}

# what pushing costs, beside other clients: --json, --rounds N
bench-push *args:
    VENV=$(scripts/venv bench) && scripts/peers benchmarks/peers && "$VENV/bin/python" -m benchmarks.push {{ args }}

# what an outbox adds to a delivery, on SQLite and PostgreSQL: --json, --deliveries N
bench-desk *args:
    VENV=$(scripts/venv dev) && "$VENV/bin/python" -m benchmarks.desk {{ args }}

# kill workers, disturb providers, count what is lost or doubled: --json, --store, --seed, --kills N
bench-chaos *args:
    VENV=$(scripts/venv dev) && "$VENV/bin/python" -m benchmarks.chaos {{ args }}

# how long `check` of the examples takes: --json
bench-check *args:
    VENV=$(scripts/venv dev) && "$VENV/bin/python" -m benchmarks.check {{ args }}

# what the studio's page costs, and how soon it shows a save: --json
bench-studio *args:
    VENV=$(scripts/venv dev) && "$VENV/bin/python" -m benchmarks.studio {{ args }}

# wheel and sdist
build:
    VENV=$(scripts/venv dev) && "$VENV/bin/python" -m build

# write the generated files anew: the JSON Schema, the golden payloads of push_guide
generate:
    VENV=$(scripts/venv dev) && "$VENV/bin/python" -m vero_deliver.schema
    VENV=$(scripts/venv dev) && "$VENV/bin/python" tests/push_kit/push_golden.py

# what the tests of push_guide need besides: Kotlin, TypeScript, type lists, a browser driver
push-peers:
    scripts/peers tests/push_peers

# all of it, in a new virtual environment
ci:
    .ci/run
