"""The command that opens the studio: what it needs, and what it refuses."""

from __future__ import annotations

import socket
import sys

import pytest
from click.testing import CliRunner, Result

from studio.studio_server import EXAMPLES, studio
from vero_deliver.cli import cli


def preview(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["-C", str(EXAMPLES), "preview", "--no-open", *arguments])


@pytest.mark.parametrize("missing", ["starlette", "uvicorn", "watchfiles"])
def test_without_the_extra_it_says_what_to_install(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text names the extra, and the view that needs none."""
    for name in list(sys.modules):
        if name.startswith(("vero_deliver.studio", f"{missing}.")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    done = preview()
    assert done.exit_code == 2
    assert "vero-deliver[studio]" in done.stderr
    assert "--terminal" in done.stderr


def test_a_taken_port_is_named() -> None:
    """Whoever has it keeps it."""
    pytest.importorskip("starlette")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        done = preview("--port", str(other.getsockname()[1]))
    assert done.exit_code == 2
    assert "--port 0" in done.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--all"], "go with --terminal"),
        (["--key", "k"], "go with --terminal"),
        (["--channel", "sms"], "go with --terminal"),
        (["--data", "-"], "pass --data FILE"),
        (["--to", "a", "--to", "b"], "pass one --to"),
        (["nonsense"], "no message 'nonsense'"),
    ],
)
def test_what_does_not_fit_is_refused(options: list[str], told: str) -> None:
    """Before anything listens."""
    pytest.importorskip("starlette")
    done = preview(*options)
    assert done.exit_code == 2
    assert told in done.stderr


def test_the_address_leads_to_what_was_asked_for() -> None:
    """Message and recipient stand in the address that is printed and opened."""
    pytest.importorskip("starlette")
    with studio(EXAMPLES, "order-receipt", "--to", "jana") as own:
        assert own.opened == "/?message=order-receipt&to=jana"


def test_it_ends_as_soon_as_it_has_begun() -> None:
    """Ctrl-C in the moment after the address was told, with pages open or none."""
    pytest.importorskip("starlette")
    for _ in range(5):
        with studio(EXAMPLES):
            pass
