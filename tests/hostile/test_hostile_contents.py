"""Hostile values in push, text message and request: JSON stays JSON, one line stays one line."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from attacks import ATTACKS, MANY, attempt, texts, values
from hypothesis import given
from hypothesis import strategies as st

from vero_deliver import Http, Message, Push, PushAction, Renderer, Sms, User
from vero_deliver.render.undefined import Policy
from vero_deliver.rendered import RenderedHttp, RenderedPush, RenderedSms, document

POLICIES: tuple[Policy, ...] = ("strict", "blank", "keep")
RENDERERS: dict[str, Renderer] = {policy: Renderer(undefined=policy) for policy in POLICIES}
USER = User(id="1", email="ada@example.com", phone="+420601000001")
JSON = {"Content-Type": "application/json"}
EXTRAS = {"a": "{{ x }}", "b": ["say {{ x }}", {"c": "{{ user.x }}"}], "d": 1}
PUSH = Push(
    title="t{{ x }}",
    subtitle="{{ x }}",
    body="{{ x }}",
    image="{{ x }}",
    link="{{ x }}",
    data={"x": "{{ x }}"},
    sound="{{ x }}",
    collapse="{{ x }}",
    category="{{ x }}",
    actions=(PushAction(id="a", title="{{ x }}", link="{{ x }}"),),
    ios=EXTRAS,
    android=EXTRAS,
    web=EXTRAS,
)


def about(x: Any) -> tuple[User, dict[str, Any]]:
    """A user and data that hold x."""
    return User(id="1", phone="+420601000001", attributes={"x": x}), {"x": x}


@MANY
@given(x=values, policy=st.sampled_from(POLICIES))
def test_push_is_json(x: Any, policy: Policy) -> None:
    """A push of any value can be written as strict JSON in UTF-8, or was an error of ours."""
    user, data = about(x)
    made = Message(title="t", push=PUSH, tags=("{{ x }}",), metadata={"m": "{{ x }}"})
    pushed = attempt(RENDERERS[policy], made, user, "push", data=data)
    if isinstance(pushed, RenderedPush):
        json.loads(json.dumps(document(pushed), allow_nan=False, ensure_ascii=False).encode())


@MANY
@given(badge=values)
def test_badge_is_a_number(badge: Any) -> None:
    """A badge is a number that fits, nothing at all, or an error of ours."""
    made = Message(title="t", push=Push(title="t", badge="{{ x }}"))
    pushed = attempt(RENDERERS["strict"], made, USER, "push", data={"x": badge})
    if isinstance(pushed, RenderedPush):
        assert pushed.badge is None or 0 <= pushed.badge < 10**9


@MANY
@given(x=texts, to=texts)
def test_text_message_says_what_it_was_given(x: str, to: str) -> None:
    """Nothing but the template's words and the data, cleaned; to a number, or to nobody."""
    made = Message(title="t", sms=Sms(body="Hi {{ user.x }}.", from_="{{ user.x }}"))
    for phone in (to, "+420601000001"):
        user = User(id="1", phone=phone, attributes={"x": x})
        sent = attempt(RENDERERS["strict"], made, user, "sms")
        if phone == to and not isinstance(sent, RenderedSms):
            continue
        assert isinstance(sent, RenderedSms)
        assert sent.to.removeprefix("+").isdecimal()
        assert sent.to.isascii()
        assert sent.from_.isprintable() or not sent.from_.isascii()
        assert "\n" not in sent.from_
        assert sent.body.startswith("Hi ")
        assert sent.body.endswith(".")
        sent.body.encode()


@MANY
@given(x=values, policy=st.sampled_from(POLICIES))
def test_json_tree_is_json(x: Any, policy: Policy) -> None:
    """A `json` value keeps its shape around any data, and is strict JSON in UTF-8."""
    user, data = about(x)
    made = Message(title="t", http=Http(url="https://a.example/", json=EXTRAS))
    request = attempt(RENDERERS[policy], made, user, "http", data=data)
    if isinstance(request, RenderedHttp):
        body = json.loads(request.body, parse_constant=pytest.fail)
        assert list(body) == ["a", "b", "d"]
        assert [type(member) for member in body["b"]] == [str, dict]
        assert list(body["b"][1]) == ["c"]


@MANY
@given(x=texts)
def test_text_in_a_json_body_is_a_string(x: str) -> None:
    """Between quotes in a JSON body, text stays that one string: no member more or less."""
    user, data = about(x)
    body = '{"a": "{{ x }}", "b": "{% trans n=x %}hi {{ n }}{% endtrans %}", "c": "{{ user.x }}!"}'
    made = Message(title="t", http=Http(url="https://a.example/", headers=JSON, body=body))
    request = attempt(RENDERERS["strict"], made, user, "http", data=data)
    assert isinstance(request, RenderedHttp)
    parsed = json.loads(request.body)
    assert list(parsed) == ["a", "b", "c"]
    assert parsed["b"] == f"hi {parsed['a']}"
    assert parsed["c"] == f"{parsed['a']}!"


@MANY
@given(x=values, policy=st.sampled_from(POLICIES))
def test_any_value_in_a_json_body(x: Any, policy: Policy) -> None:
    """Bare in a JSON body, any value is strict JSON or an error of ours."""
    user, data = about(x)
    made = Message(
        title="t", http=Http(url="https://a.example/", headers=JSON, body='{"a": {{ x }}, "b": 1}')
    )
    request = attempt(RENDERERS[policy], made, user, "http", data=data)
    if isinstance(request, RenderedHttp):
        parsed = json.loads(request.body, parse_constant=pytest.fail)
        assert list(parsed) == ["a", "b"]


@pytest.mark.parametrize("where", ["{{ x }}", "https://{{ x }}/", "https://a.example/{{ x }}"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_request_line_stays_a_line(where: str, attack: str) -> None:
    """A URL and a header of hostile text have no white space and no control character in them."""
    user, data = about(attack)
    made = Message(title="t", http=Http(url=where, headers={"X-A": "{{ x }}"}, body="{{ x }}"))
    request = attempt(RENDERERS["strict"], made, user, "http", data=data)
    if isinstance(request, RenderedHttp):
        assert urlsplit(request.url).scheme == "https"
        assert request.url.isprintable()
        assert " " not in request.url
        assert not set(request.headers["X-A"]) & set("\r\n\x00\x1b\x85")


def test_path_keeps_its_host() -> None:
    """Encoded data in the path leads to no other host and no other path."""
    made = Message(title="t", http=Http(url="https://a.example/users/{{ x | encode }}", body="x"))
    for attack in ATTACKS:
        request = attempt(RENDERERS["strict"], made, USER, "http", data={"x": attack})
        assert isinstance(request, RenderedHttp)
        parts = urlsplit(request.url)
        assert (parts.netloc, parts.query, parts.fragment) == ("a.example", "", "")
        assert parts.path.count("/") == 2
