"""What was compiled gives what the Python in its place gives, byte for byte."""

from __future__ import annotations

import hashlib
import shutil
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vero_deliver import speedups
from vero_deliver.mime.canonical import relaxed_fields
from vero_deliver.mime.chunks import Alternating, Chunks
from vero_deliver.render.clean import is_clean
from vero_deliver.render.filters.formats import formats_for
from vero_deliver.render.filters.times import zone
from vero_deliver.speedups import Speedups

texts = (
    st.text(st.characters(exclude_categories=()))
    | st.text("a= \t\r\n.č\x7f\x85\ufffe", max_size=90)
    | st.text("aF=é", min_size=70, max_size=80)
    | st.text("a =é.", min_size=70, max_size=160)
    | st.lists(
        st.sampled_from(["From ", "a", "aaaaaaaaaaaaaaaaaaaaaaaa", "=", " ", "é", "."]),
        max_size=14,
    ).map("".join)
    | st.sampled_from(["", ".", "é ", "From ", "From me", "€ 1\xa0000", "\ud83d", "\ude00", "\r"])
)
lines = st.text("aB: \t\r\n.č", max_size=60).map(str.encode)


def both(monkeypatch: pytest.MonkeyPatch, work: Any) -> tuple[Any, Any]:
    """What the work gives with C and without; errors are told by their type."""

    def done() -> Any:
        try:
            return work()
        except (ValueError, KeyError) as error:
            return type(error)

    compiled = done()
    with monkeypatch.context() as patch:
        patch.setattr(speedups, "compiled", None)
        return compiled, done()


@pytest.fixture(scope="module")
def compiled() -> Speedups:
    if speedups.compiled is None:
        pytest.skip("VERO_DELIVER_SPEEDUPS is off, or nothing compiled them here")
    return speedups.compiled


def test_is_compiled_where_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the other tests compare Python with itself."""
    monkeypatch.delenv("VERO_DELIVER_SPEEDUPS", raising=False)
    header = Path(sysconfig.get_path("include"), "Python.h")
    if (shutil.which("cc") or shutil.which("gcc")) and header.exists():
        assert speedups._compiled() is not None


def test_is_compiled_of_these_sources(compiled: Speedups) -> None:
    """A module of older sources does other things than Python expects; scripts/venv renews it."""
    found = hashlib.sha256()
    for path in sorted(Path(speedups.__file__).parent.glob("*.[ch]")):
        found.update(path.read_bytes())
    assert getattr(compiled, "SOURCES", "") == found.hexdigest(), "stale: run scripts/venv dev"


def test_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERO_DELIVER_SPEEDUPS", "off")
    assert speedups._compiled() is None


@settings(max_examples=1_000, deadline=None)
@given(st.lists(st.tuples(texts, texts), max_size=8), st.booleans())
@example([("", "a" * 75)], True)
@example([("", "a" * 75 + "From " + "b" * 71)], True)
@example([("", "a" * 75 + "From " + "b" * 66)], True)
@example([("", "From " + "b" * 71)], True)
@example([("", "a" * 75 + " ")], True)
@example([("", "a" * 74 + " ")], True)
@example([("", "a" * 75 + ".")], True)
@example([("", "é" * 12 + "a" * 4)], True)
@example([("", "a" * 76)], True)
@example([("", "é" * 12 + "abc")], True)
@example([("", "é" * 12 + "ab ")], True)
@example([("", "é" * 12 + " ")], True)
@example([("a\r", "b")], True)
@example([("a", "b\r")], True)
def test_encoding(compiled: Speedups, groups: list[tuple[str, str]], known: bool) -> None:
    """Constants known or not, values of any kind, and the same line at the end."""
    pieces = Alternating(piece for group in groups for piece in group)
    chunks = Chunks(pieces[::2] if known else pieces[2::2])
    with pytest.MonkeyPatch.context() as patch:
        fast, plain = both(patch, lambda: chunks.encode(pieces))
    assert fast == plain
    assert isinstance(fast, bytes)
    told, pieces.exact = pieces.exact, None
    assert told in (None, chunks.read_back(pieces))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(texts, texts), max_size=8), st.integers(0, 200))
def test_collecting(compiled: Speedups, groups: list[tuple[str, str]], most: int) -> None:
    """Every piece up to the one too many, and whether the values are clean."""
    pieces: list[str] = []
    printed, clean = compiled.collect(iter(groups), pieces, most)
    assert pieces == [piece for group in groups for piece in group][: len(pieces)]
    assert printed == sum(map(len, pieces))
    assert printed > most or len(pieces) == 2 * len(groups)
    assert clean == all(map(is_clean, pieces[1::2]))


@pytest.mark.parametrize(
    "character", [chr(code) for code in [*range(0x100), *range(0xFFE0, 0x10000)]]
)
@pytest.mark.parametrize("before", [0, 6, 7, 8])
def test_collecting_sees_every_character(compiled: Speedups, character: str, before: int) -> None:
    """Wherever in a word of eight bytes it stands."""
    for value in ("a" * before + character, "a" * before + character + "b" * 9):
        assert compiled.collect(iter([("", value)]), [], 99)[1] == is_clean(value), ascii(value)


def test_collecting_passes_errors_on(compiled: Speedups) -> None:
    def run() -> Any:
        yield "a", "b"
        raise ValueError("of the template")

    pieces: list[str] = []
    with pytest.raises(ValueError, match="of the template"):
        compiled.collect(run(), pieces, 99)
    assert pieces == ["a", "b"]
    wrong: Any = [("a", 1)]
    with pytest.raises(TypeError):
        compiled.collect(iter(wrong), [], 99)


amounts = (
    st.floats(-10, 2e9)
    | st.integers(-10, 2 * 10**9)
    | st.integers(0, 10**7).map(lambda units: units / 1000)
    | st.integers(0, 10**6).map(lambda units: units / 100)
)


@settings(max_examples=500, deadline=None)
@given(
    amounts,
    st.sampled_from(["en", "cs", "de_CH", "ar", "hi", "fa"]),
    st.sampled_from(["USD", "JPY", "KWD", "CZK"]),
)
@example(0.125, "en", "USD")
@example(1.005, "en", "USD")
@example(999_999_999.994, "cs", "KWD")
@example(0.004, "en", "USD")
@example(1_000, "cs", "JPY")
@example(float("nan"), "en", "USD")
@example(float("inf"), "en", "USD")
def test_figures(compiled: Speedups, amount: float, locale: str, currency: str) -> None:
    """Money of every kind of locale: other digits, signs and separators."""

    def written() -> str:
        return formats_for(locale, zone("UTC"))["money"](amount, currency)

    with pytest.MonkeyPatch.context() as patch:
        from vero_deliver.render.filters import formats

        formats._writer.cache_clear()
        fast = both(patch, written)[0]
        formats._writer.cache_clear()
        patch.setattr(speedups, "compiled", None)
        plain = both(patch, written)[1]
        formats._writer.cache_clear()
    assert fast == plain


def test_figures_leave_what_they_cannot_tell(compiled: Speedups) -> None:
    """Ties, nothing, other types; and texts that are too long for them."""
    write = compiled.figures(2, ",", ".", "$", "")
    assert write is not None
    assert write(1234.5) == "$1,234.50"
    assert [write(value) for value in (0.125, 0, -1, 1e9, 10**30, True, "1", None)] == [""] * 8
    assert compiled.figures(2, ",", ".", "$" * 41, "") is None
    with pytest.raises(ValueError, match="decimals"):
        compiled.figures(4, ",", ".", "", "")


@settings(max_examples=500, deadline=None)
@given(st.lists(lines, max_size=6).map(b"\r\n".join) | lines)
@example(b"")
@example(b"A: b\r\n\tc  d \r\nE:\r\n ")
@example(b"A: b\rC: d")
@example(b"no colon\r\nA : b")
def test_header_fields(compiled: Speedups, head: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        fast, plain = both(patch, lambda: relaxed_fields(head))
    assert fast == plain


def test_modified(compiled: Speedups, tmp_path: Path) -> None:
    """The time of a file as os.stat tells it, whatever its name."""
    path = tmp_path / "Žluťoučký\udcff.mjml"
    path.write_text("a")
    assert compiled.modified(str(path)) in (path.stat().st_mtime_ns, None)
    assert not compiled.modified(str(tmp_path / "none"))
    with pytest.raises((ValueError, TypeError)):
        compiled.modified("a\0b")
