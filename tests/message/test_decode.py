"""Plain documents into models, and what the errors say."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from message_strategies import json_values, messages

from vero_deliver import Message
from vero_deliver.decode import check, decode, to_plain
from vero_deliver.errors import MessageError
from vero_deliver.source import Source

WRONG: list[tuple[Any, str]] = [
    ({"titel": "x"}, "titel: unknown key 'titel'; did you mean 'title'?\nmissing key 'title'"),
    ([], "expected an object, got a list"),
    ({"title": True}, "title: expected a string, got a boolean"),
    ({"title": None}, "title: expected a string, got null"),
    (
        {"title": "x", "kind": "markting"},
        "kind: expected 'marketing' or 'transactional', got 'markting'; did you mean 'marketing'?",
    ),
    ({"title": "x", "kind": 1}, "kind: expected 'marketing' or 'transactional', got an integer"),
    ({"title": "x", "email": {"subject": "s", "subjct": 1}}, "email.subjct: unknown key 'subjct'"),
    ({"title": "x", "email": "hi"}, "email: expected an object, got a string"),
    ({"title": "x", "email": {"subject": "s", "to": ["a", 1]}}, "email.to[1]: expected a string"),
    (
        {"title": "x", "email": {"subject": "s", "headers": {"X-A": 1}}},
        "email.headers.X-A: expected a string, got an integer",
    ),
    (
        {"title": "x", "email": {"subject": "s", "variants": {"cs": {"subjekt": ""}}}},
        "email.variants.cs.subjekt: unknown key 'subjekt'; did you mean 'subject'?",
    ),
    ({"title": "x", "email": {"subject": "s", "variants": {"c": {}}}}, "'c' is no locale"),
    (
        {"title": "x", "email": {"subject": "s", "mjml": "a", "html": "b"}},
        "email: an email's body is mjml or html, not both",
    ),
    (
        {"title": "x", "email": {"subject": "s", "attachments": [{"content": "ž"}]}},
        "email.attachments[0].content: is not base64",
    ),
    (
        {"title": "x", "sms": {"body": "b", "max_segments": 0}},
        "sms.max_segments: expected at least 1, got 0",
    ),
    ({"title": "x", "push": {"title": "p", "badge": []}}, "badge: expected an integer or a string"),
    ({"title": "x", 5: 1}, "unknown key '5'"),
]


@pytest.mark.parametrize(("document", "words"), WRONG)
def test_errors_are_in_plain_words(document: Any, words: str) -> None:
    """Key path, what is wrong and the nearest right name, without msgspec's own terms."""
    with pytest.raises(MessageError) as raised:
        decode(Message, document)
    assert words in str(raised.value)
    assert "$" not in str(raised.value)


def test_everything_wrong_is_said_at_once_with_its_own_place() -> None:
    """Each problem is a line; the first line's place is the error's."""
    document = {"titel": "x", "sms": {"bdy": "x"}}
    with pytest.raises(MessageError) as raised:
        decode(Message, document, where=lambda path: f"m.toml:{len(path)}")
    assert str(raised.value).splitlines() == [
        "m.toml:1: titel: unknown key 'titel'; did you mean 'title'?",
        "m.toml:2: sms.bdy: unknown key 'bdy'; did you mean 'body'?",
        "m.toml:1: sms: missing key 'body'",
        "m.toml:0: missing key 'title'",
    ]


def test_source_text_keeps_its_place() -> None:
    """Decoding does not turn Source into plain str."""
    message = decode(Message, {"title": Source("T", "m.toml", 3)})
    assert isinstance(message.title, Source)
    assert message.title.line == 3


@given(messages)
@settings(max_examples=50, deadline=None)
def test_every_message_passes_the_check(message: Message) -> None:
    """The plain form of a message is one decode takes, and gives it back."""
    assert decode(Message, to_plain(message)) == message


@given(st.dictionaries(st.sampled_from(("title", "email", "sms", "data", "tags")), json_values))
def test_the_check_agrees_with_msgspec(document: dict[str, Any]) -> None:
    """A document has no problems exactly where msgspec converts it."""
    try:
        msgspec.convert(document, Message)
        fits = True
    except msgspec.ValidationError:
        fits = False
    assert (not check(Message, document)) == fits
