"""The house: imports point down only, and drivers know nothing but the seam."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# from the top of the house to its ground; a room imports from its own storey's room or from below
STOREYS: tuple[tuple[str, ...], ...] = (
    ("pytest_plugin",),
    ("cli", "captured", "django", "sync", "testing"),
    ("studio",),
    ("check", "diff", "serve"),
    ("project",),
    ("construct_outbox", "construct_tracking"),
    ("config", "construct", "construct_route", "deliver", "audience", "wire"),
    ("desk",),
    ("outbox",),
    ("registry", "references", "keywords", "loader", "resource", "schema", "starter", "domains"),
    ("render",),
    ("data", "keys", "delivery", "choice"),
    ("decode", "address_list", "routes"),
    ("channel",),
    ("message", "tracking", "picture"),
    ("suppression",),
    ("rendered", "feedback"),
    ("mime", "user", "reading", "toml_lines"),
    ("json_lines",),
    ("observe", "phone", "push_reports", "segments", "vapid"),
    ("tokens",),
    ("errors", "plain", "secret", "source", "speedups", "states", "warm_up"),
)
STOREY = {room: number for number, rooms in enumerate(STOREYS) for room in rooms}
SEAM = {"channel", "errors", "feedback", "mime", "push_reports", "rendered", "secret", "user"}
SEAM |= {"phone", "segments", "vapid", "warm_up"}
GROUND = {"plain", "reading", "toml_lines"}  # files that people write, read alike everywhere


def imports(path: Path) -> Iterator[str]:
    """Modules that a file imports when it runs: not those for type checkers only."""
    for node in _running(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def _running(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _running(child)


def room(module: str) -> str:
    """`vero_deliver.render.email` is in the room `render`."""
    return module.split(".")[1]


def core_files() -> list[Path]:
    return [
        p
        for p in sorted((ROOT / "vero_deliver").rglob("*.py"))
        if p.name != "__init__.py" or p.parent.name != "vero_deliver"
    ]


@pytest.mark.parametrize("path", core_files(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_imports_point_down(path: Path) -> None:
    """A module imports from its own room or from a storey below."""
    own = room(".".join(path.relative_to(ROOT).with_suffix("").parts))
    assert own in STOREY, f"give {own} a storey"
    for module in imports(path):
        if module.startswith("vero_deliver."):
            other = room(module)
            assert other == own or STOREY[other] > STOREY[own], f"{own} imports {module}"


@pytest.mark.parametrize("path", core_files(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_core_imports_no_driver(path: Path) -> None:
    """The library names drivers only as text, in the registry."""
    assert not [module for module in imports(path) if module.startswith("vero_channels")]


def test_drivers_know_only_the_seam() -> None:
    """A driver sees rendered content, the protocol and the errors; never templates or config."""
    for path in (ROOT / "channels").rglob("*.py"):
        for module in imports(path):
            if module.startswith("vero_deliver."):
                assert room(module) in SEAM | GROUND, f"{path.name} imports {module}"


def test_drivers_do_not_know_each_other() -> None:
    """Drivers share what is in transport/ and, those of push, the payload; nothing else."""
    for path in (ROOT / "channels").rglob("*.py"):
        shared = ["vero_channels.transport."]
        if path.parent.name == "push":
            shared.append("vero_channels.push.payload.")
        for module in imports(path):
            if module.startswith("vero_channels."):
                assert module.startswith(tuple(shared)), f"{path.name}: {module}"


def test_every_room_is_on_the_plan() -> None:
    """The plan above names no room that is gone."""
    rooms = {p.stem for p in (ROOT / "vero_deliver").iterdir() if p.suffix == ".py" or p.is_dir()}
    assert set(STOREY) <= rooms


def test_the_package_imports_nothing_heavy() -> None:
    """`import vero_deliver` imports the package and nothing it depends on."""
    found = set(imports(ROOT / "vero_deliver/__init__.py"))
    assert found == {
        "__future__.annotations",
        "importlib.import_module",
        "typing.TYPE_CHECKING",
        "typing.Any",
    }
