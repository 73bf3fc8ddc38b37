"""Quoted-printable from the pieces that a template prints, its constants encoded beforehand."""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vero_deliver import speedups
from vero_deliver.mime.body import quoted_printable

_COLUMNS = 76  # RFC 2045 section 6.7, rule 5; a soft line break's "=" is one of them


class Alternating(list[str]):
    """Pieces of which the even ones, from the first on, are constants of the template.

    exact: whether they can be told from their encoding; None where nothing has looked.
    """

    __slots__ = ("exact",)
    exact: bool | None

    def __init__(self, pieces: Iterable[str] = ()) -> None:
        super().__init__(pieces)
        self.exact = None


class Chunks:
    """The constants of one template, each encoded once; read only, so threads may share it.

    Every piece starts at a line's first column and leaves the next one there, by a line break
    of its own or a soft one. Hence no piece's columns depend on its neighbours.
    """

    __slots__ = ("_exact", "_known")

    def __init__(self, constants: Iterable[str]) -> None:
        """constants: what `encode` will see again and again; anything else costs more there."""
        constants = tuple(constants)
        self._exact = _is_exact("".join(constants))
        # a CR at the end may be half of the line break that the next piece completes
        self._known = {text: _open(text) for text in constants if not text.endswith("\r")}
        self._known[""] = ""

    def encode(self, pieces: Sequence[str]) -> bytes:
        """What decodes to the same as `quoted_printable("".join(pieces))`, as safely written.

        Equal where no piece ends inside a line; else there are more soft line breaks.
        """
        known = self._known
        try:
            if type(pieces) is Alternating:
                if speedups.compiled:
                    encoded, exact = speedups.compiled.encode(pieces, known, _value)
                    pieces.exact = exact and self._exact
                    return encoded
                return _ended(self._alternating(pieces))
            # tests that nearly every value passes, in place: a call per value takes twice as long
            text = "".join(
                [
                    known[text]
                    if text in known
                    else f"{text}=\r\n"
                    if len(text) < _COLUMNS
                    and text.isascii()
                    and text.isprintable()
                    and "=" not in text
                    and not "From " <= text < "From!"
                    and text
                    else _value(text)
                    for text in pieces
                ]
            )
        except (_HalfBreakError, KeyError):  # a constant that ends in CR is not known
            return quoted_printable("".join(pieces))
        return _ended(text)

    def read_back(self, pieces: Sequence[str]) -> bool:
        """Whether decoding gives these very pieces, joined, but for a line break at the end."""
        if type(pieces) is Alternating:
            if pieces.exact is not None:
                return pieces.exact
            return self._exact and _is_exact("".join(pieces[1::2]))
        return _is_exact("".join(pieces))

    def _alternating(self, pieces: Alternating) -> str:
        known = self._known
        values = pieces[1::2]
        encoded: list[str] = [""] * len(pieces)
        encoded[::2] = [known[text] for text in pieces[::2]]
        if "From " in "".join(values):
            encoded[1::2] = [_value(text) if text else "" for text in values]
        else:  # the tests of encode, but for what no value is
            encoded[1::2] = [
                ""
                if not text
                else f"{plain}=\r\n"
                if text.isascii()
                and text.isprintable()
                and len(plain := text.replace("=", "=3D")) < _COLUMNS
                else _value(text)
                for text in values
            ]
        return "".join(encoded)


@dataclass(slots=True)
class Printed:
    """What a template printed for one user: all its pieces, in order; not to be changed later."""

    pieces: Sequence[str]
    chunks: Chunks

    def __str__(self) -> str:
        return "".join(self.pieces)

    def __bool__(self) -> bool:
        return any(self.pieces)

    def reads_back(self) -> bool:
        """Whether the text can be told from its encoding: no CR, no lone surrogate."""
        return self.chunks.read_back(self.pieces)

    def ends_line(self) -> bool:
        """Whether the text ends with a line break."""
        for piece in reversed(self.pieces):
            if piece:
                return piece.endswith("\n")
        return False

    def quoted_printable(self) -> bytes:
        """Encoded, with CRLF line ends."""
        return self.chunks.encode(self.pieces)


class _HalfBreakError(Exception):
    """A piece ends in CR, and only the next one tells whether that is a whole line break."""


def _ended(encoded: str) -> bytes:
    """With a line break at the end."""
    return (f"{encoded}\r\n" if encoded.endswith("=\r\n") or not encoded else encoded).encode()


def _value(text: str) -> str:
    if _is_printable(text) and text:  # so without line ends and surrogates
        if text.isascii():
            encoded = text.replace("=", "=3D")
        else:
            encoded = binascii.b2a_qp(text.encode()).decode("ascii")
        if len(encoded) < _COLUMNS and not "From " <= encoded < "From!":
            return f"{encoded}=\r\n"
    if text.endswith("\r"):
        raise _HalfBreakError
    return _open(text)


def _is_exact(text: str) -> bool:
    if "\r" in text:
        return False
    try:
        text.encode()  # several times as fast as a search for surrogates
    except UnicodeEncodeError:
        return False
    return True


def _is_printable(text: str) -> bool:
    """isprintable, but that the spaces in sums of money pass."""
    return text.isprintable() or (
        not text.isascii() and text.replace("\xa0", " ").replace("\u202f", " ").isprintable()
    )


def _open(text: str) -> str:
    """The text encoded, with a soft line break where it has no line break at its end."""
    if not text:
        return ""
    encoded = quoted_printable(text).decode()
    if text.endswith("\n"):
        return encoded
    encoded = encoded.removesuffix("\r\n")
    if len(encoded) - (encoded.rfind("\n") + 1) == _COLUMNS:  # no room for the "="
        last = -3 if encoded[-3] == "=" else -1
        encoded = f"{encoded[:last]}=\r\n{encoded[last:]}"
    return f"{encoded}=\r\n"
