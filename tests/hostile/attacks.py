"""Hostile data, and how to see that it did nothing: headers by hand, markup by its shape."""

from __future__ import annotations

import email
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import getaddresses
from html.parser import HTMLParser
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from vero_deliver import Message, Renderer, User
from vero_deliver.errors import VeroDeliverError
from vero_deliver.rendered import ContentName, Rendered, RenderedEmail, Skipped

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MANY = settings(max_examples=60, deadline=None)

ATTACKS = (
    "\r\nBcc: eve@evil.example",
    "\n\n<b>body</b>",
    "\r",
    "a\x00b",
    "\x1b[2J\x07\x85\x9b31m",
    "=?utf-8?q?=0ABcc:_eve@evil.example?=",
    "=?utf-8?b?DQpCY2M6IGV2ZQ==?=",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onload='alert(1)",
    '" onload="alert(1)',
    "&#34;&gt;&lt;script&gt;",
    "&lt;b&gt;&amp;lt;",
    "--><b>",
    "<!--",
    "<![endif]-->",
    "]]><b>",
    "</title></style></textarea><b>",
    "<mj-raw><b></mj-raw>",
    "<body><html><style>",
    ' style="color:red"',
    "javascript:alert(1)",
    "{{ 7*7 }}",
    "{% raw %}{{ x }}",
    "{% include '../../etc/passwd' %}",
    "{# {{ user.__class__ }} #}",
    "%(name)s %s %n 100%",
    "{0.__class__} {}",
    "Eve <eve@evil.example>, ",
    '"Eve" <eve@evil.example>',
    "eve@evil.example, mallory@evil.example",
    "../../etc/passwd\x00.html",
    "\\..\\con",
    "\ud800",
    "\udfff\ud83d",
    "\u202eexe.fdp\u2066",
    "\u200f\u200b\ufeff",
    "\u2028\u2029\x0b\x0c",
    "👩\u200d👩\u200d👧\ufe0f",
    "e" + "\u0301" * 40,
    "\ufffe\uffff",
    "\\u0000\\",
    '", "admin": true, "z": "',
    "[" * 500,
    "1e999999999",
    "-0",
    "٣",
    "x" * 1200,
    "a " * 600,
    "",
)
_characters = st.characters(exclude_categories=())  # surrogates and unassigned ones too
texts = st.sampled_from(ATTACKS) | st.lists(
    st.sampled_from(ATTACKS) | st.text(_characters, max_size=8), min_size=1, max_size=3
).map("".join)

_scalars: Any = (
    texts
    | st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from((400, 5_000)).map(lambda digits: 10**digits)
    | st.sampled_from((float("nan"), float("inf"), -1e308, 10.5))
    | st.sampled_from((Decimal("sNaN"), Decimal("1e999999"), Decimal("-Infinity")))
    | st.binary(max_size=8)
    | st.sampled_from((NOW, NOW.date(), NOW.time(), object(), {1, 2}, range(3)))
)
values: Any = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(texts, inner, max_size=3)
        | st.dictionaries(st.integers() | st.none(), inner, max_size=2)
    ),
    max_leaves=5,
)
json_values: Any = st.recursive(
    texts | st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


def attempt(
    renderer: Renderer, message: Message, user: User, content: ContentName, **about: Any
) -> Rendered | Skipped | None:
    """The rendering, or None for an error of ours; any other error goes up and fails the test."""
    given: Any = {"now": NOW, "key": "k", **about}
    try:
        return renderer.render(message, user, content, **given)
    except VeroDeliverError as error:
        shown = str(error)
    assert len(shown) < 3_000
    return None


def attempt_mime(rendered: RenderedEmail, key: str = "k") -> bytes | None:
    """The wire bytes, or None for an error of ours."""
    try:
        return rendered.mime(key)
    except VeroDeliverError:
        return None


def check_wire(raw: bytes, rendered: RenderedEmail, extra: tuple[str, ...] = ()) -> None:
    """Exactly the fields that were meant, exactly the parts that were meant, lines that fit."""
    bare = raw.replace(b"\r\n", b"")
    assert b"\r" not in bare
    assert b"\n" not in bare
    assert b"\x00" not in raw
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    listed = (("To", rendered.to), ("Cc", rendered.cc), ("Reply-To", rendered.reply_to))
    expected = ["From", "To"]
    expected += [name for name, given in listed[1:] if given]
    expected += ["Subject", "Date", "Message-ID", *extra, "MIME-Version", "Content-Type"]
    head, _, body = raw.partition(b"\r\n\r\n")
    by_hand = [line.partition(b":")[0].decode() for line in re.split(rb"\r\n(?![ \t])", head)]
    if not rendered.attachments and not (rendered.html and rendered.text):
        expected.append("Content-Transfer-Encoding")
    assert by_hand == expected
    parsed = email.message_from_bytes(raw)
    assert parsed.keys() == expected
    assert parsed.defects == []
    assert [part.get_content_type() for part in parsed.walk() if not part.is_multipart()] == [
        *(["text/plain"] if rendered.text else []),
        *(["text/html"] if rendered.html else []),
        *(file.content_type for file in rendered.attachments),
    ]
    for name, addresses in listed:
        unfolded = parsed.get(name, "").replace("\r\n", "")
        found = getaddresses([unfolded]) if unfolded else []
        assert [address for _, address in found] == [address.email for address in addresses]
    assert body


class _Shape(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[tuple[str, str]] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found[tag, ""] += 1
        self.found.update((tag, name) for name, _ in attrs)


_CONDITIONAL = re.compile(r"<!--\[if [^\]]*\]>(?:<!-->)?|<!--<!\[endif\]-->|<!\[endif\]-->")


def shape(html: str) -> Counter[tuple[str, str]]:
    """How often each element and each attribute of it is there, for browsers and for Outlook."""
    found: Counter[tuple[str, str]] = Counter()
    for view in (html, _CONDITIONAL.sub("", html)):
        reader = _Shape()
        reader.feed(view)
        reader.close()
        found += reader.found
    return found


Spot = tuple[str | int, ...]


def leaves(value: Any, path: Spot = ()) -> Iterator[Spot]:
    """The paths of all strings in a document."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from leaves(member, (*path, name))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from leaves(member, (*path, index))
    elif isinstance(value, str):
        yield path


def changed(document: Any, path: Spot, change: Callable[[Any], Any]) -> Any:
    """The document with what is at that path changed."""
    if not path:
        return change(document)
    head, *rest = path
    copy: Any = dict(document) if isinstance(document, dict) else list(document)
    copy[head] = changed(copy[head], tuple(rest), change)
    return copy
