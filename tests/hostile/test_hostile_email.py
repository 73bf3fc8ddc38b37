"""Hostile text in an email: no header, no markup, no template comes out of it."""

from __future__ import annotations

from typing import Any

import pytest
from attacks import (
    ATTACKS,
    MANY,
    NOW,
    attempt,
    attempt_mime,
    changed,
    check_wire,
    leaves,
    shape,
    texts,
)
from hostile_examples import PROJECT, message, samples, split
from hypothesis import given
from hypothesis import strategies as st

from vero_deliver import Attachment, Email, Message, Renderer, User
from vero_deliver.errors import MessageError
from vero_deliver.render.markup import Inliner
from vero_deliver.render.undefined import Policy
from vero_deliver.rendered import RenderedEmail

HTML = """<style>p { color: red } .k td { margin: 0 }</style>
<p title="{{ x }}" class="{{ x }}">{{ x }}{{ user.name }}</p><a href="{{ x }}">{{ _(x) }}</a>
<img alt='{{ x }}' src="{{ x }}"><table class="k"><tr>
<td>{{ labels[x] | default(x) }}</td></tr></table>
{% trans a=x %}<i>{{ a }}</i>{% endtrans %}{% set y %}<u>{{ x }}</u>{% endset %}{{ y }}
{{ "<s>%s</s>" | format(x) }}{{ [x, x] | join("<br>") }}{{ x | upper }}
{{ x | replace("a", "<") }}"""
MJML = """<mjml lang="en"><mj-head><mj-title>{{ x }}</mj-title><mj-preview>{{ x }}</mj-preview>
<mj-style inline="inline">.k td { padding: 1px } p { color: red }</mj-style></mj-head><mj-body>
<mj-section css-class="{{ x }}" background-url="{{ x }}"><mj-column>
<mj-text css-class="k">{{ x }} <b title="{{ x }}">{{ user.name }}</b></mj-text>
<mj-image alt="{{ x }}" src="{{ x }}" href="{{ x }}" title="{{ x }}"/>
<mj-button href="{{ x }}">{{ x }}</mj-button>
<mj-table css-class="k"><tr><td class="{{ x }}">{{ x }}</td></tr></mj-table>
<mj-raw><i title="{{ x }}">{{ x }}</i></mj-raw>
<mj-social><mj-social-element name="facebook" href="{{ x }}">{{ x }}</mj-social-element></mj-social>
<mj-accordion><mj-accordion-element><mj-accordion-title>{{ x }}</mj-accordion-title>
<mj-accordion-text>{{ x }}</mj-accordion-text></mj-accordion-element></mj-accordion>
<mj-navbar><mj-navbar-link href="{{ x }}">{{ x }}</mj-navbar-link></mj-navbar>
</mj-column></mj-section></mj-body></mjml>"""
INLINERS: tuple[Inliner, ...] = ("css-inline", "premailer", "none")
POLICIES: tuple[Policy, ...] = ("strict", "blank", "keep")
RENDERERS = {
    (inliner, policy): Renderer(inliner=inliner, undefined=policy)
    for inliner in INLINERS
    for policy in POLICIES
}

PREMAILERS = [RENDERERS["premailer", policy] for policy in POLICIES]


def written(body: str, x: str, renderer: Renderer) -> str | None:
    """The HTML of a body whose data is x everywhere."""
    is_mjml = body is MJML
    if renderer in PREMAILERS:  # it makes attributes of CSS, and what it cannot parse of none
        body = body.replace(' background-url="{{ x }}"', "")
    made = Message(
        title="t",
        email=Email(
            from_="a@b.example",
            subject="s",
            preheader="{{ x }}",
            mjml=body if is_mjml else "",
            html="" if is_mjml else body,
        ),
    )
    user = User(email="ada@example.com", attributes={"name": x})
    about = {"data": {"x": x, "labels": {}}}
    rendered = attempt(renderer, made, user, "email", **about)
    return rendered.html if isinstance(rendered, RenderedEmail) else None


@pytest.mark.parametrize("body", [HTML, MJML], ids=["html", "mjml"])
@pytest.mark.parametrize("inliner", INLINERS)
@pytest.mark.parametrize("attack", ATTACKS)
def test_markup_keeps_its_shape(attack: str, inliner: Inliner, body: str) -> None:
    """Every attack in every position: the elements and attributes of the template, no others."""
    renderer = RENDERERS[inliner, "strict"]
    found, benign = written(body, f"x{attack}", renderer), written(body, "x", renderer)
    assert found is not None
    assert benign is not None
    assert shape(found) == shape(benign)
    assert "49" not in found


@MANY
@given(x=texts, body=st.sampled_from([HTML, MJML]), key=st.sampled_from(sorted(RENDERERS)))
def test_any_text_keeps_the_shape(x: str, body: str, key: tuple[Inliner, Policy]) -> None:
    """The same for arbitrary text, under every inliner and undefined policy."""
    found, benign = (written(body, f"x{text}", RENDERERS[key]) for text in (x, ""))
    assert found is not None
    assert benign is not None
    assert shape(found) == shape(benign)


@MANY
@given(x=texts)
def test_missing_name_from_data_is_escaped(x: str) -> None:
    """Under `keep`, the expression that is printed may hold data: `labels[user.plan]`."""
    renderer = RENDERERS["none", "keep"]
    found, benign = (written("<p>{{ labels[x] }}</p>", f"x{text}", renderer) for text in (x, ""))
    assert found is not None
    assert benign is not None
    assert shape(found) == shape(benign)


FIELDS = Email(
    from_="{{ x }} <shop@example.com>",
    to=("{{ x }} <{{ user.email }}>", '"{{ x }}" <b@example.com>'),
    cc=("{{ user.name }} <c@example.com>",),
    reply_to=("{{ x }}{{ x }} <d@example.com>",),
    subject="{{ x }}",
    preheader="{{ x }}",
    html="<p>{{ x }}</p>",
    text="{{ x }}\n--{{ x }}",
    headers={"X-Order": "{{ x }}", "List-Id": "<{{ x }}>", "References": "{{ x }}"},
    attachments=(Attachment(filename="{{ x }}.txt", content=b"x", content_type="text/csv"),),
)
EXTRA = ("X-Order", "List-Id", "References")


@MANY
@given(x=texts, key=texts, policy=st.sampled_from(POLICIES))
def test_headers_are_those_of_the_template(x: str, key: str, policy: Policy) -> None:
    """Hostile text in every field of an email and in the key: the expected fields and parts."""
    user = User(id=x, email="ada@example.com", attributes={"name": x})
    made = Message(title="t", tags=("{{ x }}",), metadata={"m": "{{ x }}"}, email=FIELDS)
    rendered = attempt(RENDERERS["none", policy], made, user, "email", data={"x": f"x{x}"}, key=key)
    if rendered is None and len(x) > 600:  # a subject or a name has at most 2,000 characters
        return
    assert isinstance(rendered, RenderedEmail)
    assert "\n" not in rendered.subject + "".join(rendered.headers.values())
    raw = attempt_mime(rendered, key)
    if raw is not None:  # List-Id and References cannot hold everything
        check_wire(raw, rendered, EXTRA)


@MANY
@given(address=texts, phone=texts, locale=texts, zone=texts, name=texts)
def test_every_field_of_a_user(address: str, phone: str, locale: str, zone: str, name: str) -> None:
    """Hostile id, email, phone, locale and timezone: one recipient, an error of ours or a skip."""
    user = User(id=name, email=address, phone=phone, locale=locale, timezone=zone)
    made = Message(
        title="t",
        email=Email(
            from_="a@b.example",
            to=("{{ user.id }} <{{ user.email }}>",),
            subject="s",
            text="{{ now }}",
        ),
    )
    rendered = attempt(RENDERERS["none", "strict"], made, user, "email")
    if isinstance(rendered, RenderedEmail):
        assert len(rendered.to) == 1
        check_wire(rendered.mime("k"), rendered)


SAMPLES = [(name, document, path) for name, document in samples() for path in leaves(document)]
PLAIN = {name: message(name) for name, _ in samples()}


def example(name: str, document: Any, renderer: Renderer) -> RenderedEmail | None:
    """One example's email for a sample."""
    user, data = split(document)
    about = {"data": data, "event": {"x": data}, "campaign": {"x": data}}
    rendered = attempt(renderer, PLAIN[name], user, "email", **about)
    return rendered if isinstance(rendered, RenderedEmail) else None


@MANY
@given(spot=st.sampled_from(SAMPLES), x=texts)
def test_examples_keep_their_shape(spot: Any, x: str) -> None:
    """Any string of any sample made hostile: the example's own markup, fields and parts."""
    name, document, path = spot
    renderer = PROJECT.renderer()
    found = example(name, changed(document, path, lambda _: f"x{x}"), renderer)
    if found is None:
        return
    benign = example(name, document, renderer)
    assert benign is not None
    assert shape(found.html) == shape(benign.html)
    if any(len(word) >= 998 for value in found.headers.values() for word in value.split()):
        with pytest.raises(MessageError, match="a line holds 998"):  # a link that fits no header
            found.mime("k")
        return
    check_wire(found.mime("k"), found, tuple(found.headers))


def test_every_spot_of_the_examples() -> None:
    """One attack that is everything at once, in each string of each sample in turn."""
    attack = 'x"><b>\r\nBcc: e@e.e\x00{{ 7*7 }}=?utf-8?q?=0A?=\ud800\u2028</p>'
    renderer, rendered = PROJECT.renderer(), 0
    for name, document, path in SAMPLES:
        found = example(name, changed(document, path, lambda _: attack), renderer)
        if found is None:
            continue
        rendered += 1
        benign = example(name, document, renderer)
        assert benign is not None
        assert shape(found.html) == shape(benign.html), (name, path)
        check_wire(found.mime("k"), found, tuple(found.headers))
    assert rendered > 20


def test_clock_is_the_only_other_input() -> None:
    """Hostile data changes nothing about sameness: twice the same bytes."""
    name, document, path = SAMPLES[0]
    poisoned = changed(document, path, lambda _: "x\u202e\ud800")
    one, two = (example(name, poisoned, PROJECT.renderer()) for _ in range(2))
    assert one == two
    assert one is None or one.at == NOW
