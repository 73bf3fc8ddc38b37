"""Messages as Vero's JSON."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from message_strategies import json_values, messages

from vero_deliver import Email, EmailVariant, Message
from vero_deliver.address_list import join_addresses, split_addresses
from vero_deliver.errors import MessageError
from vero_deliver.resource import from_resource, to_resource


def email(**fields: Any) -> dict[str, Any]:
    return {"title": "T", "contents": [{"type": "email", "email": {"subject": "s", **fields}}]}


def loaded(**fields: Any) -> Email:
    message = from_resource(email(**fields))
    assert message.email
    return message.email


@given(messages)
@settings(max_examples=300, deadline=None)
def test_every_message_survives_json(message: Message) -> None:
    """What to_resource gives is JSON, and from_resource gives the message back."""
    document = json.loads(json.dumps(to_resource(message), allow_nan=False))
    assert from_resource(document) == message


def test_vero_s_own_document_is_understood() -> None:
    """A resource as Vero's pages show it, bookkeeping and nulls included."""
    message = from_resource({
        "id": "message_123", "object": "message", "created_at": "2023-01-01T10:00+00:00",
        "updated_at": "2023-01-01T10:00+00:00", "provider": "provider_123",
        "campaign": "campaign_123", "title": "Product update", "transactional": False,
        "contents": {"object": "list", "meta": {"total_count": 2}, "data": [
            {"id": "contents_1", "type": "email", "email": {
                "id": "contents_1", "object": "email", "subject": "News", "from": "a@x.example",
                "to": "{{ user.email }}", "cc": None, "bcc": "b@x.example, c@x.example",
                "locale": "en-US", "headers": '{"X-A": "b"}', "preheader_text": "pre",
                "body": "<p>compiled</p>", "plain_text": "plain",
                "processor": {"type": "mjml", "mjml": "<mjml>"},
                "options": {"tracking": True, "track_clicks": False},
                "meta": {"editor_type": "drag-and-drop"}}},
            {"id": "contents_2", "type": "sms", "sms": {"id": "contents_2", "body": "hi"}},
        ]},
    })  # fmt: skip
    assert message.id == "message_123"
    assert message.kind == "marketing"
    assert message.locales == ("en-US",)
    assert message.email == Email(
        from_="a@x.example", bcc=("b@x.example", "c@x.example"), subject="News",
        headers={"X-A": "b"}, preheader="pre", mjml="<mjml>", text="plain",
        track_opens=True, track_clicks=False,
    )  # fmt: skip
    assert message.sms
    assert message.sms.body == "hi"


def test_an_email_per_locale_becomes_a_variant() -> None:
    """The one without a locale, else of the first locale, is the message's own."""
    contents = [
        {"type": "email", "email": {"locale": "cs", "subject": "Ahoj", "to": "{{ user.email }}"}},
        {"type": "email", "email": {"locale": "en", "subject": "Hello", "body": "<p>"}},
    ]
    message = from_resource({"title": "T", "locales": ["en", "cs"], "contents": contents})
    variants = {"cs": EmailVariant(subject="Ahoj")}
    assert message.email == Email(subject="Hello", html="<p>", variants=variants)


def test_mjml_wins_over_the_body_compiled_from_it() -> None:
    """Both are in what Vero returns; only one is the source."""
    both = loaded(body="<p>", processor={"type": "mjml", "mjml": "<mjml>"})
    assert (both.mjml, both.html) == ("<mjml>", "")


def test_null_inside_http_json_and_push_extras_is_kept() -> None:
    """Only a null field means left out."""
    contents = [
        {"type": "http", "http": {"url": "u", "json": {"a": None}, "headers": None}},
        {"type": "push", "push": {"title": "p", "ios": {"a": None}}},
    ]
    message = from_resource({"title": "T", "contents": contents})
    assert message.http
    assert message.push
    assert (message.http.json, message.push.ios) == ({"a": None}, {"a": None})


def test_dates_in_data_become_text_of_the_same_meaning() -> None:
    """JSON has no dates; the version stays, so it is the same message."""
    message = Message(title="T", data={"d": {"type": "date", "default": date(2026, 1, 2)}})
    again = from_resource(json.loads(json.dumps(to_resource(message))))
    assert again.data == {"d": {"type": "date", "default": "2026-01-02"}}
    assert again.version == message.version


ERRORS: list[tuple[Any, str]] = [
    ([], "req: expected an object, got a list"),
    ({}, "req: missing key 'title'"),
    ({"title": "T", "kind": "marketing"}, "kind: unknown key 'kind'"),
    (email(subjct="x"), "contents[0].email.subjct: unknown key 'subjct'"),
    (email(preheader="x"), "did you mean 'preheader_text'?"),
    (email(to=5), "contents[0].email.to: expected a string or a list, got an integer"),
    (email(headers="{"), "contents[0].email.headers: not valid JSON"),
    (email(headers='{"a": 1}'), "contents[0].email.headers.a: expected a string, got an integer"),
    (email(headers='["\\ud800"]'), "contents[0].email.headers[0]: holds half a surrogate"),
    (email(processor={"type": "mustache", "mjml": ""}), "processor.type: expected 'mjml'"),
    (email(locale="!"), "contents[0].email.locale: '!' is no locale"),
    (email(subject="\ud800"), "subject: holds half a surrogate pair"),
    (
        {"title": "T", "contents": [{"type": "push"}]},
        "contents[0]: type says push, but it holds nothing",
    ),
    ({"title": "T", "contents": [{"type": "push", "sms": {}}]}, "type says push, but it holds sms"),
    ({"title": "T", "contents": [{"type": "fax"}]}, "contents[0].type: expected"),
    (
        {"title": "T", "contents": [{"type": "email", "email": {}}]},
        "contents[0].email: missing key 'subject'",
    ),
    (
        {"title": "T", "contents": [{"type": "sms", "sms": {"body": "b"}}] * 2},
        "contents[1]: there is another",
    ),
    (
        {"title": "T", "contents": email()["contents"] * 2},
        "contents[1].email: there is another email without",
    ),
    (
        {"title": "T", "contents": [*email()["contents"], *email(locale="cs", to="x")["contents"]]},
        "contents[1].email.to: differs from the message's own email",
    ),
    (
        {
            "title": "T",
            "contents": [{"type": "http", "http": {"url": "u", "json": 1, "body": "b"}}],
        },
        "contents[0].http: an http content has json or body, not both",
    ),
    ({"title": "T", "data": {"a": "strng"}}, "data.a: unknown type 'strng'"),
]


@pytest.mark.parametrize(("document", "words"), ERRORS)
def test_errors_name_the_path(document: Any, words: str) -> None:
    """Unknown keys, wrong types and missing fields, with the nearest right name."""
    with pytest.raises(MessageError) as raised:
        from_resource(document, where="req")
    assert str(raised.value).startswith("req: ")
    assert words in str(raised.value)


@given(
    st.fixed_dictionaries({"title": st.just("T")}, optional={"contents": json_values})
    | st.lists(st.dictionaries(st.sampled_from(("type", "email", "sms")), json_values)).map(
        lambda contents: {"title": "T", "contents": contents}
    )
    | st.dictionaries(st.sampled_from(("headers", "to", "locale", "options")), json_values).map(
        lambda fields: email(**fields)
    )
    | json_values
)
def test_no_document_crashes_the_reader(document: Any) -> None:
    """Any JSON is a Message or a MessageError, and what is a Message survives."""
    try:
        message = from_resource(document)
    except MessageError:
        return
    assert from_resource(to_resource(message)) == message


def test_a_document_nested_too_deeply_is_refused() -> None:
    """No RecursionError reaches the caller."""
    deep: Any = 0
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(MessageError, match="nested too deeply"):
        from_resource({"title": "T", "metadata": deep})


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("", []),
        (" a@x.example ,, b@x.example ", ["a@x.example", "b@x.example"]),
        ('"Lovelace, \\", Ada" <a@x>, b@x', ['"Lovelace, \\", Ada" <a@x>', "b@x"]),
        ("{{ join(a, b) }}, c@x", ["{{ join(a, b) }}", "c@x"]),
        ("{% if a %}a@x, b@x{% else %}{% endif %}, c@x",
         ["{% if a %}a@x, b@x{% else %}{% endif %}", "c@x"]),
        ("{# a, b #}c@x,{{ unclosed, d@x", ["{# a, b #}c@x", "{{ unclosed", "d@x"]),
        ("{% set a = 1, 2 %}a@x,b@x", ["{% set a = 1, 2 %}a@x", "b@x"]),
    ],
)  # fmt: skip
def test_only_commas_between_addresses_split(text: str, addresses: list[str]) -> None:
    """Commas in quotes, angle brackets and Jinja constructs stay."""
    assert list(split_addresses(text)) == addresses


@given(st.lists(st.text(alphabet='a,<>"{}%# \\', max_size=8)).map(tuple))
def test_joined_addresses_split_into_the_same(addresses: tuple[str, ...]) -> None:
    """Where one string would lose something, it stays a list."""
    joined = join_addresses(addresses)
    split = split_addresses(joined) if isinstance(joined, str) else tuple(joined)
    assert split == addresses


def test_splitting_is_not_quadratic() -> None:
    """A megabyte of openings without an end is one pass."""
    assert len(split_addresses('{{"<{%{#,' * 100_000)) > 0


def test_languages_that_only_the_emails_name() -> None:
    """Vero's resource declares no locales: a default email and its variants make them known."""
    resource = {
        "title": "x",
        "contents": [
            {"type": "email", "email": {"subject": "Hello", "body": "<p>x</p>"}},
            {"type": "email", "email": {"subject": "Bonjour", "locale": "fr"}},
        ],
    }
    message = from_resource(resource)
    assert message.locales == ("en", "fr")
    assert from_resource(to_resource(message)) == message
