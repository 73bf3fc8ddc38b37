"""The golden payloads, the schema and the document say what the library does."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from push_golden import GUIDE, PAYLOADS, payloads, text

from vero_channels.push.payload import shown_by_app
from vero_deliver.rendered import Action
from vero_deliver.testing import sample_push

SCHEMA = json.loads((GUIDE / "payload.schema.json").read_text("utf-8"))
MADE = dict(payloads())


def flat(name: str) -> Any:
    """What the app finds: the data of FCM's message, the whole of the others."""
    return MADE[name].get("data", MADE[name])


def test_golden_payloads_are_those_of_the_library() -> None:
    """Made anew they are the same; `just generate` writes them."""
    kept = {path.name: path.read_text("utf-8") for path in PAYLOADS.glob("*.json")}
    assert kept == {name: text(payload) for name, payload in MADE.items()}


@pytest.mark.parametrize("name", MADE)
def test_golden_payloads_fit_the_schema(name: str) -> None:
    """Each payload, and the buttons inside."""
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(flat(name))
    buttons = Draft202012Validator(SCHEMA["properties"]["vd_actions"]["contentSchema"])
    buttons.validate(json.loads(flat(name).get("vd_actions", "[]")))


@pytest.mark.parametrize("wrong", [{"vd_v": "2"}, {"vd_badge": "-1"}, {"order": 1}, {"vd_id": ""}])
def test_the_schema_refuses(wrong: dict[str, Any]) -> None:
    """A number where a string belongs, an unknown version, a badge below nothing."""
    assert not Draft202012Validator(SCHEMA).is_valid(flat("rich.web.json") | wrong)


def test_every_key_is_in_the_schema_and_the_document() -> None:
    """No key is documented nowhere, and none is that is not sent."""
    push = sample_push(
        subtitle="s", image="i", link="l", category="c", collapse="k", sound="x", badge=1,
        actions=(Action("a", "A"),),
    )  # fmt: skip
    sent = set(shown_by_app(push, "k", report="t"))
    told = (GUIDE / "payload.md").read_text("utf-8")
    table = told[: told.index("Where the app finds them")]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == sent
    assert {name for name in SCHEMA["properties"] if name.startswith("vd_")} == sent
