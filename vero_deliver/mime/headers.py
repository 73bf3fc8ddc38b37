"""Header fields: what data may put into them, encoding, folding (RFC 5322, RFC 2047).

Values come from data and are hostile: nothing in a value can start a field, end the header or
decode to something that does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import groupby

from vero_deliver.errors import MessageError
from vero_deliver.mime.encoded_words import encoded_words

_COLUMNS = 76  # RFC 2047 section 2, for lines with encoded words; within the 78 of RFC 5322
_VALUE_COLUMNS = _COLUMNS - len(": ")  # of a name and its value on one line
_LINE_LIMIT = 998  # RFC 5322 section 2.1.1

_SPACES = re.compile(r"[\t\n\r ]+")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_ENCODED_WORD = re.compile(r"=\?[^?]*\?[bqBQ]\?")  # some readers need no end
_FIELD_NAME = re.compile(r"[!-9;-~]+")
_PLAIN_PHRASE = re.compile(r"[A-Za-z0-9'_-]+(?: [A-Za-z0-9'_-]+)*")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")

_OWNED = {
    "from": "set the email's `from`",
    "to": "set the email's `to`",
    "cc": "set the email's `cc`",
    "bcc": "set the email's `bcc`",
    "reply-to": "set the email's `reply_to`",
    "subject": "set the email's `subject`",
    "date": "it is the clock's moment; leave it out",
    "message-id": "it is made from the delivery's key; leave it out",
    "mime-version": "it is always 1.0; leave it out",
}
_STRUCTURED = {"references", "in-reply-to", "feedback-id"}


def clean(text: str) -> str:
    """One line of text: white space runs are one space, other controls and surrogates U+FFFD."""
    return _UNSAFE.sub("\ufffd", _SPACES.sub(" ", text)).strip(" ")


class Field:
    """One header field being written, folded at 76 columns; str() is it with its CRLF."""

    __slots__ = ("_lines",)

    def __init__(self, name: str) -> None:
        self._lines = [f"{name}:"]

    def __str__(self) -> str:
        return "\r\n".join(self._lines) + "\r\n"

    @property
    def room(self) -> int:
        """Columns left on the current line after a space."""
        return _COLUMNS - len(self._lines[-1]) - 1

    def word(self, word: str) -> None:
        """Add a word that must stay whole; one wider than a line gets a line of its own."""
        if len(word) <= self.room:
            self._lines[-1] += f" {word}"
        else:
            self._lines.append(f" {word}")

    def words(self, words: Iterable[str]) -> Field:
        """Add words; returns the field itself."""
        for word in words:
            self.word(word)
        return self

    def encoded(self, text: str) -> None:
        """Add text as encoded words."""
        self.words(encoded_words(text, self.room))


def folded(name: str, text: str) -> str:
    """The field with text that may be written as it is, folded at its spaces."""
    if len(name) + len(text) <= _VALUE_COLUMNS:
        return f"{name}: {text}\r\n"
    return str(Field(name).words(text.split(" ")))


def is_plain(value: str) -> bool:
    """True where a field's text needs nothing but, perhaps, folding."""
    return (
        value.isascii()
        and value.isprintable()
        and "  " not in value
        and "=?" not in value
        and value.strip(" ") == value != ""
    )


def unstructured(name: str, value: str) -> str:
    """The field for free text: plain where it can be, encoded from its first odd word to its last.

    Odd are words with non-ASCII, with "=?" (somebody would decode them), and too long to fold.
    """
    if len(name) + len(value) <= _VALUE_COLUMNS and is_plain(value):
        return f"{name}: {value}\r\n"
    field, words = Field(name), _words(clean(value))
    # the first word has to fit after the name: a bare name is no good first line
    limits = [field.room, *[_COLUMNS - 1] * len(words)]
    odd = [at for at, word in enumerate(words) if _is_odd(word, limits[at])]
    start, stop = (odd[0], odd[-1] + 1) if odd else (0, 0)
    field.words(words[:start])
    field.encoded(" ".join(words[start:stop]))
    return str(field.words(words[stop:]))


def structured(name: str, value: str) -> str:
    """The field for ids and URLs: ASCII is kept to the letter and folded at its spaces only.

    MessageError where that would be unsafe or impossible.
    """
    if len(name) + len(value) <= _VALUE_COLUMNS and is_plain(value):
        return f"{name}: {value}\r\n"
    field, text = Field(name), clean(value)
    if _ENCODED_WORD.search(text):
        raise MessageError(f"header {name!r}: it reads as an RFC 2047 encoded word; %-encode its ?")
    for is_ascii, words in groupby(_words(text), str.isascii):
        if is_ascii:
            field.words(_whole(name, word) for word in words)
        else:
            field.encoded(_bare(name, " ".join(words)))
    return str(field)


def phrase(text: str) -> str:
    """A display name: atoms as they are, else a quoted string, else encoded words."""
    if len(text) <= 60 and _PLAIN_PHRASE.fullmatch(text):
        return text
    text = clean(text)
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    # 64: what fits after "Reply-To: ", so that no address field starts with an empty line
    if any(_is_odd(word, 64) for word in _words(quoted)):
        return " ".join(encoded_words(text, 64))
    if _ATOMS.fullmatch(text):
        return text
    # readers that unfold late see commas of a quoted string that is folded
    return quoted if len(quoted) <= 60 else " ".join(encoded_words(text, 64))


def extra_fields(headers: Mapping[str, str]) -> Iterator[str]:
    """The fields that a message adds itself. MessageError on a name it may not use."""
    seen: set[str] = set()
    for name, value in headers.items():
        lower, write = _kind(name)
        if lower in seen:
            raise MessageError(f"header {name!r} is there twice; names do not differ by case")
        seen.add(lower)
        yield write(name, value)


@lru_cache(maxsize=256)  # the names are the templates', not the users'
def _kind(name: str) -> tuple[str, Callable[[str, str], str]]:
    lower = _checked(name)
    is_structured = lower.startswith("list-") or lower in _STRUCTURED
    return lower, structured if is_structured else unstructured


def _words(text: str) -> list[str]:
    return text.split(" ") if text else []  # a bare split() would eat NO-BREAK SPACE


def _is_odd(word: str, limit: int) -> bool:
    return len(word) > limit or "=?" in word or not word.isascii()


def _checked(name: str) -> str:
    if not _FIELD_NAME.fullmatch(name) or len(name) > _COLUMNS:
        shown = f"{name[:_COLUMNS]!r}" + ("..." if len(name) > _COLUMNS else "")
        raise MessageError(
            f"header name {shown}: use 1 to {_COLUMNS} printable ASCII characters, "
            "no space and no colon"
        )
    lower = name.lower()
    if lower.startswith("content-"):
        raise MessageError(f"header {name!r}: set the email's `html`, `text` or `attachments`")
    if lower in _OWNED:
        raise MessageError(f"header {name!r}: {_OWNED[lower]}")
    return lower


def _whole(name: str, word: str) -> str:
    if len(word) >= _LINE_LIMIT:
        raise MessageError(
            f"header {name!r}: {len(word)} characters without a space; a line holds {_LINE_LIMIT}"
        )
    return word


def _bare(name: str, text: str) -> str:
    if "<" in text or ">" in text:
        raise MessageError(f"header {name!r}: what stands in < > must be ASCII; %-encode the rest")
    return text
