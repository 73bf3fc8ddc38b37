"""Wrong types, bottomless and enormous values: an error of ours, at once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attacks import MANY, NOW, attempt, attempt_mime, json_values, texts, values
from hypothesis import given
from hypothesis import strategies as st

from vero_deliver import (
    Attachment,
    Deliverer,
    Device,
    Email,
    Http,
    Message,
    Push,
    Renderer,
    Sms,
    User,
)
from vero_deliver.errors import DataError, RenderError, VeroDeliverError
from vero_deliver.keys import derive_key
from vero_deliver.render.undefined import Policy
from vero_deliver.rendered import ContentName, RenderedEmail

CONTENTS: tuple[ContentName, ...] = ("email", "push", "sms", "http")
POLICIES: tuple[Policy, ...] = ("strict", "blank", "keep")
RENDERERS: dict[str, Renderer] = {policy: Renderer(undefined=policy) for policy in POLICIES}
EVERYTHING = Message(
    title="t",
    email=Email(
        from_="a@b.example",
        to=("{{ user.x }} <{{ user.email }}>", "{{ x }}"),
        subject="s{{ x }}",
        html="<p>{{ x }} {{ user.x.y }} {{ event.x | upper }}</p>",
        attachments=(Attachment(filename="{{ x }}", content_from="x"),),
    ),
    push=Push(title="t{{ x }}", badge="{{ x }}", ios={"a": "{{ x }}"}),
    sms=Sms(body="b{{ x | length }}"),
    http=Http(url="https://a.example/", json={"a": "{{ x }}", "b": "{{ campaign.x }}"}),
    data={"n": {"type": "decimal", "default": "1"}, "l": {"type": "list", "default": []}},
)


def everything(renderer: Renderer, user: User, **about: Any) -> None:
    """All contents, each made or an error of ours."""
    for content in CONTENTS:
        rendered = attempt(renderer, EVERYTHING, user, content, **about)
        if isinstance(rendered, RenderedEmail):
            attempt_mime(rendered)


@MANY
@given(x=values, n=values, policy=st.sampled_from(POLICIES))
def test_any_value_anywhere(x: Any, n: Any, policy: Policy) -> None:
    """Any value in attributes, data, event and campaign, declared or not."""
    user = User(id="1", email="ada@example.com", phone="+1", attributes={"x": x})
    data = {"x": x, "n": n, "l": n}
    everything(RENDERERS[policy], user, data=data, event={"x": n}, campaign={"x": x})


@MANY
@given(fields=st.dictionaries(st.sampled_from(User.__struct_fields__), values), x=values)
def test_any_type_in_a_users_field(fields: dict[str, Any], x: Any) -> None:
    """A User does not look at what it is made of; rendering does."""
    user = User(**{"email": "ada@example.com", **fields})
    everything(RENDERERS["strict"], user, data={"x": x})


@MANY
@given(name=st.sampled_from(("data", "event", "campaign")), value=values)
def test_any_type_around_the_values(name: str, value: Any) -> None:
    """Data, event or campaign of another type, or with names that are no strings."""
    everything(RENDERERS["keep"], User(id="1", email="ada@example.com"), **{name: value})


@MANY
@given(data=st.dictionaries(texts | st.sampled_from(("self", "_", "range", "x")), json_values))
def test_any_name_of_data(data: dict[str, Any]) -> None:
    """Names of data that Python or templates use for something themselves."""
    user = User(id="1", email="ada@example.com", attributes=data)
    everything(RENDERERS["strict"], user, data=data, event=data, campaign=data)


@pytest.mark.parametrize("field", ["id", "email", "phone", "locale", "timezone"])
def test_wrong_type_is_named(field: str) -> None:
    """The error says which field it is and what it holds."""
    fields: dict[str, Any] = {field: None}
    with pytest.raises(RenderError, match=f"user.{field}: expected a string, got null"):
        Renderer().render(EVERYTHING, User(**fields), "email", now=NOW)


def test_null_name_is_no_name() -> None:
    """`{{ user.first_name }} <...>` of a user whose name is null shows no "None"."""
    made = Message(
        title="t",
        email=Email(
            from_="a@b.example", to=("{{ user.n }} <{{ user.email }}>",), subject="s", text="t"
        ),
    )
    user = User(email="ada@example.com", attributes={"n": None})
    rendered = Renderer().render(made, user, "email", now=NOW)
    assert isinstance(rendered, RenderedEmail)
    assert rendered.to[0].name == ""


def bottomless(kind: str) -> Any:
    """Far deeper than Python recurses, or without end."""
    value: Any = [] if kind == "list" else {}
    if kind == "circle":
        value["a"] = value
        return value
    for _ in range(100_000):
        value = [value] if kind == "list" else {"a": value}
    return value


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("kind", ["list", "mapping", "circle"])
def test_bottomless_data(kind: str, policy: Policy) -> None:
    """Nesting without end is an error of ours in every content."""
    x = bottomless(kind)
    user = User(id="1", email="ada@example.com", phone="+1", attributes={"x": x})
    everything(RENDERERS[policy], user, data={"x": x, "l": x}, event={"x": x}, campaign={"x": x})


@pytest.mark.anyio
@pytest.mark.parametrize("data", [{"x": {(1, 2): 3}}, {1: 1, "a": 2}, bottomless("circle"), 7])
async def test_data_without_a_key(data: Any) -> None:
    """Data that no key can be derived from is an outcome for each content, not an exception."""
    user = User(id="1", email="ada@example.com")
    deliveries = await Deliverer().send(EVERYTHING, user, data=data)
    assert [delivery.state for delivery in deliveries] == ["unrendered"] * 4
    with pytest.raises(DataError):
        derive_key(EVERYTHING, user, data={"x": {(1, 2): 3}})


@pytest.mark.anyio
async def test_hostile_token() -> None:
    """A device's token is any text, lone surrogates included; anything else is an outcome."""
    for token in ("\ud800\r\n", "x" * 10**7, None, 5):
        user = User(id="1", devices=(Device(token=token, platform="ios"),))  # type: ignore[arg-type]
        [delivery] = await Deliverer().send(Message(title="t", push=Push(title="t")), user, now=NOW)
        assert delivery.state == ("skipped" if isinstance(token, str) else "unrendered")


HUGE = {
    "letters": "x" * 10**7,
    "markup": "<b>" * 3 * 10**6,
    "words": "a " * 5 * 10**6,
    "entities": "&#x" * 3 * 10**6,
    "templates": "{{ x }}" * 10**6,
    "quotes": '"\\' * 5 * 10**6,
    "addresses": "a@b," * 2 * 10**6,
    "comments": "<!--" * 2 * 10**6,
    "marks": "e" + "\u0301" * 5 * 10**6,
    "surrogates": "\ud800" * 10**7,
    "spaces": " " * 10**7,
}


@pytest.mark.timeout(60)  # what grows with the square would take hours
@pytest.mark.parametrize("x", HUGE.values(), ids=HUGE)
def test_ten_megabytes(x: str) -> None:
    """Ten megabytes in every field end, and the errors about them are short."""
    for field in ("id", "email", "phone", "locale", "timezone"):
        fields: dict[str, Any] = {"email": "ada@example.com", field: x}
        everything(RENDERERS["strict"], User(**fields), data={"x": ""})
    user = User(id="1", email="ada@example.com", attributes={"x": x})
    everything(RENDERERS["strict"], user, data={"x": x, "n": x}, event={"x": x}, who=x)


NEARLY = {name: text[:400_000] for name, text in HUGE.items()}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("x", NEARLY.values(), ids=NEARLY)
def test_what_still_fits_is_linear(x: str) -> None:
    """Data within the bounds, as text and as attribute, in HTML, MJML and MIME: no backtracking."""
    bodies = {
        "html": '<style>p { color: red }</style><p title="{{ x }}">{{ x }}</p>',
        "mjml": "<mjml><mj-body><mj-section><mj-column><mj-text>{{ x }}</mj-text>"
        '<mj-image alt="{{ x }}" src="a"/></mj-column></mj-section></mj-body></mjml>',
    }
    for field, body in bodies.items():
        made = Message(
            title="t",
            email=Email(
                from_="a@b.example",
                subject="s",
                preheader="{{ x }}",
                html=body if field == "html" else "",
                mjml=body if field == "mjml" else "",
            ),
        )
        rendered = attempt(
            RENDERERS["strict"], made, User(email="ada@example.com"), "email", data={"x": x}
        )
        if isinstance(rendered, RenderedEmail):
            rendered.mime("k")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("number", ["1e999999999", "-1e99999", "NaN", "sNaN", "Infinity"])
@pytest.mark.parametrize(
    "template",
    [
        "{{ n }}",
        "{{ n | money('EUR') }}",
        "{{ n | int }}",
        "{{ '%d' % n }}",
        "{{ '%d' | format(n) }}",
    ],
)
def test_enormous_decimals(number: str, template: str) -> None:
    """Numbers that would take gigabytes to write out are errors, or written as they came."""
    for data in ({"n": number}, {"n": Decimal(number)}):
        made = Message(
            title="t",
            data={"n": "decimal"},
            email=Email(from_="a@b.example", subject="s", text=f"{template}{{{{ n * 2 }}}}"),
            http=Http(url="https://a.example/", json={"n": "{{ n }}"}),
        )
        for content in made.contents:
            attempt(RENDERERS["strict"], made, User(email="ada@example.com"), content, data=data)


def test_error_names_the_user_on_one_line() -> None:
    """A hostile id is shown short, on one line, and steers no terminal."""
    user = User(id="a\x1b[2J\nERROR all is lost\u202e" + "x" * 10**6, email="ada@example.com")
    made = Message(title="t", email=Email(from_="a@b.example", subject="{{ nope }}", text="t"))
    with pytest.raises(VeroDeliverError) as caught:
        Renderer().render(made, user, "email", now=NOW)
    assert len(str(caught.value)) < 300
    assert not set(str(caught.value)) & set("\x1b\n\x00")
