"""Push, sms and http contents composed for one user."""

from __future__ import annotations

import json

import pytest
from making import ADA, NOW

from vero_deliver.errors import ConfigError, RenderError
from vero_deliver.message import (
    Http,
    Message,
    Push,
    Sms,
)
from vero_deliver.render import Renderer
from vero_deliver.rendered import (
    RenderedHttp,
    RenderedPush,
    RenderedSms,
    Skipped,
)
from vero_deliver.user import User


def test_push_fields() -> None:
    """Every field is rendered; raw extras keep their types; the ttl is seconds."""
    push = Push(
        title="{{ user.first_name }}",
        body="{{ n }} new",
        data={"n": "{{ n }}"},
        badge="{{ n }}",
        ttl="2h",
        ios={"aps": {"relevance-score": "{{ n }}", "x": "n={{ n }}"}, "list": ["{{ n }}", None]},
    )
    made = Renderer().render(Message(title="x", push=push), ADA, "push", data={"n": 3}, now=NOW)
    assert isinstance(made, RenderedPush)
    assert (made.title, made.body, made.data, made.badge, made.ttl) == (
        "Ada",
        "3 new",
        {"n": "3"},
        3,
        7200,
    )
    assert made.ios == {"aps": {"relevance-score": 3, "x": "n=3"}, "list": [3, None]}


def test_sms() -> None:
    """To the user's phone; without one the user is skipped."""
    message = Message(title="x", sms=Sms(body="Hi {{ x }}", from_="SHOP"))
    made = Renderer().render(
        message, User(phone="+420601000001"), "sms", data={"x": "<b>"}, now=NOW
    )
    assert isinstance(made, RenderedSms)
    assert (made.to, made.body, made.from_) == ("+420601000001", "Hi <b>", "SHOP")
    assert isinstance(Renderer().render(message, User(id="1"), "sms", now=NOW), Skipped)


HOSTILE = 'q"\\\n</script>{{ 7*7 }}\u2028'


def test_http_json_is_json_whatever_the_data() -> None:
    """Strings in json are templates; one expression keeps its type."""
    http = Http(
        url="https://example.com/{{ user.id }}",
        json={"a": "{{ x }}", "b": "x={{ x }}", "l": "{{ l }}", "n": None},
    )
    made = Renderer().render(
        Message(title="x", http=http), ADA, "http", data={"x": HOSTILE, "l": [1]}, now=NOW
    )
    assert isinstance(made, RenderedHttp)
    assert json.loads(made.body) == {"a": HOSTILE, "b": f"x={HOSTILE}", "l": [1], "n": None}
    assert made.headers == {"Content-Type": "application/json"}


def test_http_body_escapes_for_json() -> None:
    """A templated JSON text stays JSON: values are escaped for the string they stand in."""
    body = (
        '{"a": "{{ x }}", "b": {{ l | tojson }}, '
        '"c": "{% trans y=x %}v {{ y }}{% endtrans %}", "d": {{ x | tojson }}}'
    )
    http = Http(url="https://example.com", headers={"Content-Type": "application/json"}, body=body)
    made = Renderer().render(
        Message(title="x", http=http), ADA, "http", data={"x": HOSTILE, "l": [1, "z"]}, now=NOW
    )
    assert isinstance(made, RenderedHttp)
    assert json.loads(made.body) == {"a": HOSTILE, "b": [1, "z"], "c": f"v {HOSTILE}", "d": HOSTILE}


def test_http_body_takes_no_bare_list() -> None:
    """Inside quotes a list would add members, so it is printed by `| tojson` or not at all."""
    http = Http(
        url="https://example.com",
        headers={"Content-Type": "application/json"},
        body='{"name": "{{ x }}", "role": "user"}',
    )
    with pytest.raises(RenderError, match="tojson"):
        Renderer().render(
            Message(title="x", http=http), ADA, "http", data={"x": [",", ":", ","]}, now=NOW
        )


def test_http_body_that_is_no_json_is_refused() -> None:
    """A body whose Content-Type says JSON and which is none, is an error."""
    http = Http(url="https://example.com", headers={"content-type": "application/json"}, body="{")
    with pytest.raises(RenderError, match="JSON"):
        Renderer().render(Message(title="x", http=http), ADA, "http", now=NOW)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://", "https://a b", "ftp://x.example"]
)
def test_http_url_is_checked(url: str) -> None:
    """Only http and https URLs with a host."""
    with pytest.raises(RenderError, match=r"http\.url"):
        Renderer().render(
            Message(title="x", http=Http(url="{{ u }}")), ADA, "http", data={"u": url}, now=NOW
        )


def sms_to(user: User, *, region: str = "", **fields: object) -> RenderedSms | Skipped:
    content = Sms(**{"body": "Hi", **fields})  # type: ignore[arg-type]
    return Renderer(region=region).render(Message(title="x", sms=content), user, "sms", now=NOW)


@pytest.mark.parametrize(
    ("user", "region", "number"),
    [
        (User(phone="07700 900123", locale="en-GB"), "CZ", "+447700900123"),
        (
            User(phone="601000001", attributes={"country": "cz"}, locale="en-GB"),
            "",
            "+420601000001",
        ),
        (User(phone="601000001"), "CZ", "+420601000001"),
        (User(phone="601000001", attributes={"country": 7}), "CZ", "+420601000001"),
    ],
)  # fmt: skip
def test_sms_number_belongs_to_a_country(user: User, region: str, number: str) -> None:
    """The user's country, else the locale's, else the project's."""
    made = sms_to(user, region=region)
    assert isinstance(made, RenderedSms)
    assert made.to == number


def test_sms_region_must_be_a_country() -> None:
    """A wrong one would make every number wrong."""
    with pytest.raises(ConfigError, match="region"):
        Renderer(region="UK")


def test_sms_of_too_many_segments_is_an_error() -> None:
    """It says how many, and which characters are to blame."""
    user = User(phone="+420601000001")
    with pytest.raises(RenderError, match=r"2 segments of UCS-2 because of 'ě' U\+011B.*is 1"):
        sms_to(user, body="ě" * 71, max_segments=1)
    with pytest.raises(RenderError, match="3 segments of GSM-7, max_segments is 2"):
        sms_to(user, body="a" * 307, max_segments=2)
    assert isinstance(sms_to(user, body="a" * 306, max_segments=2), RenderedSms)


def test_sms_smart_encoding_is_a_choice() -> None:
    """Typography is replaced only where the message asks for it."""
    user = User(phone="+420601000001")
    asked, left = (sms_to(user, body="“Hi”", smart_encoding=choice) for choice in (True, False))
    assert isinstance(asked, RenderedSms)
    assert isinstance(left, RenderedSms)
    assert (asked.body, left.body) == ('"Hi"', "“Hi”")


@pytest.mark.parametrize(
    ("timezone", "known"),
    [("Europe/Prague", "Europe/Prague"), ("Prague", "Europe/Prague"), ("", ""), ("+02:00", "")],
)
def test_timezone_goes_along(timezone: str, known: str) -> None:
    """Quiet hours are the recipient's; what is no IANA name does not go along."""
    user = User(phone="+420601000001", timezone=timezone)
    message = Message(title="x", sms=Sms(body="x"), push=Push(title="x"))
    for made in (
        Renderer().render(message, user, "sms", now=NOW),
        Renderer().render(message, user, "push", now=NOW),
    ):
        assert not isinstance(made, Skipped)
        assert made.timezone == known
