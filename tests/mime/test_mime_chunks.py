"""Quoted-printable from pieces: it decodes to what the whole text would, as safely written."""

from __future__ import annotations

import quopri

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mime_samples import canonical, hostile

from vero_deliver.mime.body import quoted_printable
from vero_deliver.mime.chunks import Alternating, Chunks

pieces = st.lists(
    hostile
    | st.text("a= \t\r\n.\u010d", max_size=90)
    | st.text("aF=", min_size=70, max_size=80)
    | st.sampled_from(["", "\r", "\n", "\r\n", " ", "From ", "From", " me", "\ud83d", "\ude00"]),
    max_size=8,
)


@st.composite
def templates(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    """Pieces, and those of them that are constants."""
    printed = draw(pieces)
    return printed, [text for text in printed if draw(st.booleans())]


@given(templates())
@settings(max_examples=500, deadline=None)
@example((["a" * 75], []))
@example((["a" * 76], ["a" * 76]))
@example((["a" * 73 + "="], ["a" * 73 + "="]))
@example((["a" * 75 + "From ", "From x"], []))
@example((["a\r", "\nb"], ["a\r"]))
@example((["a\r", "", "\nb"], ["\nb"]))
@example((["a\r", "b"], ["b"]))
@example((["\ud83d", "\ude00"], ["\ud83d"]))
@example((["a ", "\n"], ["\n"]))
@example((["a ", ""], []))
def test_pieces_decode_to_the_whole(template: tuple[list[str], list[str]]) -> None:
    """Whichever pieces are constants, the bytes decode to the text with CRLF line ends."""
    printed, constants = template
    encoded = Chunks(constants).encode(printed)
    assert quopri.decodestring(encoded) == canonical("".join(printed)).encode()
    assert quopri.decodestring(encoded) == quopri.decodestring(quoted_printable("".join(printed)))


@given(templates())
@settings(max_examples=500, deadline=None)
@example((["a" * 75], []))
@example((["a" * 76 + "č"], ["a" * 76 + "č"]))
@example((["From ", "x" * 71], ["From "]))
@example((["a\n", "From me"], ["a\n"]))
@example((["a ", "\n"], []))
def test_lines_are_short_and_safe(template: tuple[list[str], list[str]]) -> None:
    """Lines are printable ASCII of at most 76, no blank at their end, none starts with "From "."""
    printed, constants = template
    lines = Chunks(constants).encode(printed).split(b"\r\n")
    assert all(len(line) <= 76 for line in lines)
    assert all(32 <= char <= 126 or char == 9 for line in lines for char in line)
    assert not any(line.endswith((b" ", b"\t")) or line.startswith(b"From ") for line in lines)
    assert lines[-1] == b""


@given(pieces, st.booleans())
@settings(max_examples=500, deadline=None)
@example(["a\r", "\nb"], True)
@example(["a", "b\r", "\nc", ""], True)
@example(["a", "From me", "", "1\xa0000\u202f\u20ac"], True)
def test_alternating_pieces_are_as_others(printed: list[str], known: bool) -> None:
    """Constants at even places are encoded to what decodes to the whole, in lines as safe."""
    encoded = Chunks(printed[::2] if known else ()).encode(Alternating(printed))
    assert quopri.decodestring(encoded) == canonical("".join(printed)).encode()
    lines = encoded.split(b"\r\n")
    assert all(len(line) <= 76 and not line.startswith(b"From ") for line in lines)
    assert not any(line.endswith((b" ", b"\t")) for line in lines)
    assert lines[-1] == b""


@pytest.mark.parametrize(
    ("printed", "written"),
    [
        ([], b"\r\n"),
        (["", ""], b"\r\n"),
        (["<p>\n", "a b", "</p>\n"], b"<p>\r\na b=\r\n</p>\r\n"),
        (["a=", "b"], b"a=3D=\r\nb=\r\n\r\n"),
        (["a ", "\n"], b"a =\r\n\r\n"),
        (["From me\n"], b"=46rom me\r\n"),
    ],
)
def test_soft_breaks_only_inside_lines(printed: list[str], written: bytes) -> None:
    """A piece that ends in a line break has no soft one, and neither has one that is empty."""
    assert Chunks(()).encode(printed) == written


def test_whole_lines_are_as_without_pieces() -> None:
    """Where pieces end at line ends, the bytes are those of the whole text."""
    printed = ["<p>\n", "kůň\n" * 40, "\n", "From me \n", "x" * 200 + "\n"]
    assert Chunks(printed[:2]).encode(printed) == quoted_printable("".join(printed))
