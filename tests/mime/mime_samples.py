"""A small email to vary, hostile text, and two readers of what was built."""

from __future__ import annotations

import email
import email.message
import email.policy
import re
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from vero_deliver.rendered import Address, RenderedEmail

AT = datetime(2026, 11, 23, 17, 11, 9, tzinfo=UTC)
OWN_NAMES = ["From", "To", "Subject", "Date", "Message-ID"]
BODY_NAMES = ["MIME-Version", "Content-Type", "Content-Transfer-Encoding"]

_FRAGMENTS = [
    "\r\nBcc: x@example.com",
    "\n\nbody",
    "=?utf-8?q?=0ABcc:_x?=",
    "=?",
    "?=",
    "\0",
    "\x85",
    "\u2028",
    "\xa0",
    "\ud800",
    "\u200d",
    "e\u0301",
    "\N{FAMILY}",
    '"',
    "\\",
    "<a@b>,",
    ";",
    " \t ",
    "\r",
    "=",
    ".",
    "\n.\n",
    "From ",
    "\nFrom ",
    "--",
    "x" * 70,
    "x" * 80,
    "x" * 1100,
    "\u010d" * 40,
    "%0d%0a",
]
_any_text = st.text(st.characters(exclude_categories=()), max_size=25)

# Whatever a template could put into a field, surrogates and controls included.
hostile = st.lists(_any_text | st.sampled_from(_FRAGMENTS), max_size=8).map("".join)


def sample(**fields: Any) -> RenderedEmail:
    """An email of Ada's with one plain text part, but for the given fields."""
    given = {
        "from_": Address("shop@example.com", "Vero Shop"),
        "to": (Address("ada@example.com"),),
        "subject": "Hello",
        "at": AT,
    }
    if "html" not in fields:
        given["text"] = "Hello Ada\n"
    return RenderedEmail(**{**given, **fields})


def parsed(raw: bytes) -> email.message.EmailMessage:
    """The message as the standard library reads it."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, email.message.EmailMessage)
    return message


def fields(raw: bytes) -> list[tuple[str, str]]:
    """Names and unfolded values of the header, read without any library."""
    head = raw.partition(b"\r\n\r\n")[0].decode()
    assert "\n" not in head.replace("\r\n", "")
    pairs = [line.partition(":") for line in re.split(r"\r\n(?! )", head)]
    return [(name, value.replace("\r\n", "").removeprefix(" ")) for name, _, value in pairs]


def field(raw: bytes, name: str) -> str:
    """The one field of that name, unfolded."""
    (value,) = (value for found, value in fields(raw) if found == name)
    return value


def one_line(text: str) -> str:
    """What a header value is documented to decode to."""
    return re.sub(
        r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", "\ufffd", re.sub(r"[\r\n\t ]+", " ", text)
    ).strip(" ")


def canonical(text: str) -> str:
    """What a body is documented to decode to."""
    text = re.sub(r"[\ud800-\udfff]", "\ufffd", re.sub(r"\r\n?|\n", "\r\n", text))
    return text if text.endswith("\r\n") else f"{text}\r\n"
