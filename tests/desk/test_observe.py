"""What operators see: log lines, spans and metrics, with nobody's data in them."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from vero_channels.memory import Memory
from vero_deliver import Deliverer, Intake, Message, Outbox, Project, Sms, User, Worker, observe
from vero_deliver import sync as blocking
from vero_deliver.cli.logs import JsonLines, Lines
from vero_deliver.errors import Deferred, OutboxError, Refused
from vero_deliver.feedback import Feedback
from vero_deliver.observe.otel import Telemetry

pytestmark = pytest.mark.anyio

HELLO = Message(id="hello", title="Hello", sms=Sms(body="Hello {{ user.first_name }}"))
ADA = User(id="u1", phone="+420601000001", attributes={"first_name": "Ada-Lovelace"})
PERSONAL = ("+420601000001", "420601000001", "Lovelace", "no such number")


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    outbox = Outbox(f"sqlite:///{tmp_path}/o.db")
    outbox.create()
    return outbox


class Seen:
    """What a real SDK collected."""

    def __init__(self) -> None:
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.telemetry = Telemetry(self.tracers, MeterProvider([self.reader]))

    def spans(self) -> dict[str, Any]:
        return {span.name: span for span in self.exporter.get_finished_spans()}

    def points(self, name: str) -> list[Any]:
        data = self.reader.get_metrics_data()
        return [
            point
            for resource in (data.resource_metrics if data else [])
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    def text(self) -> str:
        data = self.reader.get_metrics_data()
        spans = "".join(span.to_json() for span in self.exporter.get_finished_spans())
        return spans + (data.to_json() if data else "")


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    found = Seen()
    monkeypatch.setattr(observe, "_otel", lambda: found.telemetry)
    return found


async def work(outbox: Outbox | None, *errors: Any) -> None:
    """One text message that ends as the errors say."""
    memory = Memory(name="texts")
    for error in errors:
        memory.fail(error)
    deliverer = Deliverer(sms=memory, outbox=outbox)
    if outbox is None:
        await deliverer.send(HELLO, ADA, key="k")
        return
    await deliverer.enqueue(HELLO, ADA, key="k")
    await Worker(deliverer).run(drain=True)


@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "direct"])
async def test_an_outcome_is_one_line(
    outbox: Outbox, caplog: pytest.LogCaptureFixture, *, recorded: bool
) -> None:
    """Key, state, channel, attempt, seconds, and the error's class; nobody's data."""
    caplog.set_level(logging.INFO, "vero_deliver")
    await work(outbox if recorded else None, Refused("no such number +420601000001", channel="x"))
    [record] = [one for one in caplog.records if one.name == "vero_deliver.deliveries"]
    told = json.loads(JsonLines().format(record))
    assert told["seconds"] < 5
    assert {name: told[name] for name in ("key", "content", "state", "channel", "attempt")} == {
        "key": "k-sms", "content": "sms", "state": "refused", "channel": "texts", "attempt": 1,
    }  # fmt: skip
    assert told["error"] == "Refused"
    for text in (json.dumps(told), Lines().format(record)):
        assert "k-sms refused over texts, attempt 1" in text
        assert not [word for word in PERSONAL if word in text]


async def test_an_accident_tells_no_words(outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    """Where it was raised and its class; its words only where they are asked for."""

    words = "no such number +420601000001"

    class Broken(Memory):
        async def send(self, rendered: Any, key: str) -> Any:
            raise KeyError(words)

    deliverer = Deliverer(sms=Broken(name="texts"), outbox=outbox)
    await deliverer.send(HELLO, ADA, key="k")
    [record] = [one for one in caplog.records if one.exc_info]
    for formatter in (JsonLines(), Lines()):
        text = formatter.format(record)
        assert "KeyError" in text
        assert "test_observe.py" in text
        assert not [word for word in PERSONAL if word in text]
    assert words in Lines(verbose=True).format(record)


def test_nobody_forges_a_line() -> None:
    """Line ends and what a terminal obeys are shown, not followed."""
    record = logging.LogRecord("x", logging.INFO, "", 0, "%s", ("a\nb\x1b[31m",), None)
    for formatter in (Lines(), JsonLines()):
        text = formatter.format(record)
        assert "\n" not in text
        assert "\x1b" not in text


async def test_spans(outbox: Outbox, seen: Seen) -> None:
    """The rendering and the hand-over are inside the delivery; the conventions name them."""
    await work(outbox)
    spans = seen.spans()
    assert set(spans) == {"deliver sms", "render", "send texts"}
    whole = spans["deliver sms"].context.span_id
    assert {spans[name].parent.span_id for name in ("render", "send texts")} == {whole}
    assert spans["render"].attributes["vero_deliver.message.id"] == "hello"
    assert spans["send texts"].attributes == {
        "messaging.system": "vero_deliver",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": "texts",
        "messaging.message.id": "k-sms",
    }
    assert spans["send texts"].kind.name == "PRODUCER"


@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "direct"])
async def test_a_failure_is_a_class(outbox: Outbox, seen: Seen, *, recorded: bool) -> None:
    """Spans and metrics have the error's class, and nobody's data."""
    error = Refused("no such number +420601000001", channel="texts", code="no such number")
    await work(outbox if recorded else None, error)
    sent = seen.spans()["send texts"]
    assert sent.attributes["error.type"] == "Refused"
    assert (sent.status.status_code.name, sent.status.description) == ("ERROR", None)
    [count] = seen.points("vero_deliver.deliveries")
    assert (count.value, count.attributes["vero_deliver.state"]) == (1, "refused")
    [took] = seen.points("messaging.client.operation.duration")
    assert (took.count, took.attributes["error.type"]) == (1, "Refused")
    assert not [word for word in PERSONAL if word in seen.text()]


async def test_feedback_is_counted_once(
    outbox: Outbox, seen: Seen, caplog: pytest.LogCaptureFixture
) -> None:
    """By kind and channel, with the delivery's key in the log, and nobody's data."""
    caplog.set_level(logging.INFO, "vero_deliver")
    await work(outbox)
    bounce = Feedback(
        kind="bounced", channel="texts", id="1", at=datetime.now(UTC), key="k-sms",
        recipient="+420601000001", diagnostic="no such number",
    )  # fmt: skip
    for _ in range(2):
        await Intake(outbox).take([bounce])
    [point] = seen.points("vero_deliver.feedback")
    assert point.value == 1
    assert point.attributes == {
        "vero_deliver.kind": "bounced", "messaging.destination.name": "texts",
    }  # fmt: skip
    [record] = [one for one in caplog.records if one.name == "vero_deliver.feedback"]
    assert record.getMessage() == "k-sms bounced, told by texts"
    assert not [word for word in PERSONAL if word in JsonLines().format(record)]


async def test_what_is_due_is_measured(outbox: Outbox, seen: Seen) -> None:
    """While a worker runs; a database that fails is left out, and the others are measured."""
    deliverer = Deliverer(outbox=outbox)
    await deliverer.enqueue(HELLO, ADA, key="k")
    with observe.watching("prod", outbox.backlog):

        def away() -> observe.Backlog:
            raise OutboxError("away")

        with observe.watching("test", away):
            [due] = seen.points("vero_deliver.outbox.due")
            [oldest] = seen.points("vero_deliver.outbox.oldest")
    assert (due.value, due.attributes) == (1, {"vero_deliver.env": "prod"})
    assert 0 <= oldest.value < 60
    assert seen.points("vero_deliver.outbox.due") == []


async def test_a_deferred_one_is_not_due(outbox: Outbox) -> None:
    """It waits for its time."""
    await work(outbox, Deferred("busy", channel="texts", retry_after=600))
    assert outbox.backlog() == (0, 0.0)


def test_without_the_extra_nothing_is_imported() -> None:
    """Deliveries go out; where it is there, it is imported at the first one only."""
    program = """
import sys
if "without" in sys.argv:
    sys.modules["opentelemetry"] = None
from vero_channels.memory import Memory
from vero_deliver import Message, Sms, User
from vero_deliver.sync import Deliverer
assert not [name for name in sys.modules if name.startswith("opentelemetry.")]
with Deliverer(sms=Memory()) as deliverer:
    [one] = deliverer.send(Message(title="t", sms=Sms(body="b")), User(phone="+420601000001"))
print(one.state, bool([name for name in sys.modules if name.startswith("opentelemetry.")]))
"""
    for word, loaded in (("without", False), ("with", True)):
        done = subprocess.run(
            [sys.executable, "-c", program, word], capture_output=True, check=True
        )
        assert done.stdout.decode().split() == ["accepted", str(loaded)]


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_work_logs_outcomes(tmp_path: Path, log_format: str) -> None:
    """On stderr, in either format; --quiet leaves them out."""
    (tmp_path / "vero-deliver.toml").write_text("[outbox]\n")
    words = [sys.executable, "-m", "vero_deliver.cli", "-C", str(tmp_path)]
    for quiet in (False, True):
        with blocking.Deliverer.over(Project.find(tmp_path).deliverer()) as deliverer:
            deliverer.enqueue(HELLO, ADA, key=f"k{quiet}")
        options = ["--quiet"] * quiet + ["work", "--drain", "--log-format", log_format]
        said = subprocess.run([*words, *options], capture_output=True, check=True).stderr.decode()
        if quiet:
            assert said == ""
            continue
        line = said.splitlines()[0]
        assert (json.loads(line)["message"] if log_format == "json" else line).partition(
            "kFalse-sms "
        )[2]
        assert not [word for word in PERSONAL if word in said]
