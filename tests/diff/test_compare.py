"""Rendered contents compared: what is a difference, and what is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vero_deliver.diff import Difference, compare
from vero_deliver.diff.markup import lines_of
from vero_deliver.errors import RenderError
from vero_deliver.rendered import Address, File, Rendered, Skipped
from vero_deliver.testing import NOON, sample_email, sample_http, sample_push, sample_sms
from vero_deliver.user import Device

SAMPLES: list[Rendered] = [sample_email(), sample_push(), sample_sms(), sample_http()]


@pytest.mark.parametrize("rendered", SAMPLES, ids=lambda one: one.content)
def test_same_content_has_no_difference(rendered: Rendered) -> None:
    """Nor does another moment make one."""
    later = replace(rendered, at=NOON + timedelta(days=1))
    assert compare({rendered.content: rendered}, {rendered.content: later}) == []


@pytest.mark.parametrize(
    ("rendered", "change", "field", "before", "after"),
    [
        (sample_email(), {"subject": "Hi"}, "subject", "Your order is on its way", "Hi"),
        (
            sample_email(),
            {"to": (Address("b@example.org"), Address("c@example.org", "Cy"))},
            "to", "Ada <ada@example.org>", "b@example.org\nCy <c@example.org>",
        ),
        (sample_email(), {"headers": {"X-A": "1"}}, "headers", "", '{\n  "X-A": "1"\n}'),
        (sample_email(), {"track_opens": False}, "track_opens", "", "false"),
        (sample_email(), {"html": "<p>Hello Bo</p>"}, "html", "<p>\nHello Ada\n</p>",
         "<p>\nHello Bo\n</p>"),
        (sample_push(), {"title": "Here"}, "title", "On its way", "Here"),
        (sample_push(), {"badge": 0}, "badge", "", "0"),
        (sample_push(), {"data": {"a": "1"}}, "data", "", '{\n  "a": "1"\n}'),
        (sample_sms(), {"body": "Here"}, "body", "On its way", "Here"),
        (sample_http(), {"body": b'{"order": 2}'}, "body", '{\n  "order": 1001\n}',
         '{\n  "order": 2\n}'),
        (sample_http(), {"body": b"\xff"}, "body", '{\n  "order": 1001\n}',
         '{\n  "base64": "/w=="\n}'),
    ],
)  # fmt: skip
def test_each_changed_field_is_one_difference(
    rendered: Rendered, change: dict[str, object], field: str, before: str, after: str
) -> None:
    """With its text on both sides."""
    changed = replace(rendered, **change)  # type: ignore[arg-type]
    found = compare({rendered.content: rendered}, {rendered.content: changed})
    assert found == [Difference(rendered.content, field, before, after)]


def test_attachments_are_compared_by_their_bytes() -> None:
    """A line for each: name, type, cid and hash; never the bytes."""
    one, two = (
        sample_email(attachments=(File("a.pdf", content, "application/pdf", cid="c"),))
        for content in (b"secret one", b"secret two")
    )
    [found] = compare({"email": one}, {"email": two})
    assert found.field == "attachments"
    assert found.before.startswith("a.pdf application/pdf cid:c sha256:")
    assert "secret" not in found.before + found.after


def test_device_is_no_part_of_a_push() -> None:
    """Two people have two tokens; what they get is the same."""
    other = sample_push(device=Device(token="another", platform="ios"))
    assert compare({"push": sample_push()}, {"push": other}) == []


def test_order_of_keys_is_no_difference_in_json() -> None:
    """A body of JSON is compared by its values."""
    one, two = (sample_http(body=body) for body in (b'{"a":1,"b":2}', b'{ "b": 2, "a": 1 }'))
    assert compare({"http": one}, {"http": two}) == []


def test_what_is_not_there_is_a_difference_of_all_its_fields() -> None:
    """A content on one side only is all new, or all gone."""
    found = compare({}, {"sms": sample_sms()})
    assert {(one.field, one.before, one.after) for one in found} >= {
        ("to", "", "+420601000001"),
        ("body", "", "On its way"),
    }
    assert {(one.field, one.after) for one in compare({"sms": sample_sms()}, {})} >= {("to", "")}


def test_what_cannot_be_made_is_compared_by_its_reason() -> None:
    """A skipped content and one that fails say why."""
    one, two = Skipped("no address"), RenderError("undefined", where="email.mjml:3")
    assert compare({"email": one}, {"email": two}) == [
        Difference("email", "error", "", "email.mjml:3: undefined"),
        Difference("email", "skipped", "no address", ""),
    ]
    assert compare({"email": two}, {"email": two}) == []


def test_unified_diff_names_message_and_sides() -> None:
    """As `diff -u` writes it, so that other tools read it."""
    found = Difference("sms", "body", "one\ntwo", "one\nthree")
    assert found.unified("ada", "jana", "shop/welcome") == (
        "--- shop/welcome/sms/body\tada\n"
        "+++ shop/welcome/sms/body\tjana\n"
        "@@ -1,2 +1,2 @@\n one\n-two\n+three\n"
    )


def test_html_is_compared_by_element() -> None:
    """Blanks, lines and the padding of a preheader do not count; text and attributes do."""
    one = "<p  class='a'>Hi\n  <b>you</b></p><style>a{b:c}\n\nd{e:f}</style><i>x&nbsp;&zwnj;"
    two = f"<p class='a'>\nHi <b>you</b></p><style>a{{b:c}} d{{e:f}}</style><i>x{'&nbsp;' * 30}"
    assert list(lines_of(one))[:-1] == list(lines_of(two))[:-1]
    assert list(lines_of(two))[:5] == ["<p class='a'>", "Hi", "<b>", "you", "</b>"]
    assert list(lines_of(two))[-1] == "x"


@given(st.text(max_size=200))
def test_any_html_has_lines(html: str) -> None:
    """Whatever is no markup is text, and no word is lost."""
    assert "".join("".join(lines_of(html)).split()) == "".join(html.split()) or "&" in html
