"""Text put down piece by piece as HTML flows: white space collapsed, line ends held back."""

from __future__ import annotations

import re

_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u200b\u2060\ufeff\ud800-\udfff]"
)
_JOINER_RUNS = re.compile("([\u200c\u200d])[\u200c\u200d]+")
_LOOSE_JOINERS = re.compile("(?<!\\S)[\u200c\u200d]|[\u200c\u200d](?!\\S)")
_SPACE = re.compile("[\\s\u2800]+")
_LINE_END = re.compile("\r\n?|\n")
_ODD_SPACE = re.compile("[^\\S\t\n]")


class Flow:
    """Text so far: `pieces` holds what parts the words and the words, in turn.

    Words are only ever changed in place, so an index into `pieces` keeps its meaning.
    breaks: how many of the pieces begin a line. indent: of the lines to come.
    """

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.breaks = 0
        self.indent = ""
        self.marker = ""  # of a list item that has no text yet, indent included
        self._line_ends = 0  # due before the next words; 2 make a blank line
        self._space = False

    def words(self, text: str) -> None:
        """Text in which a run of white space is one space."""
        text = collapsed(text)
        bare = text.strip(" ")
        self._space = self._space or text.startswith(" ")
        if bare:
            self.put(bare)
            self._space = text.endswith(" ")

    def preformatted(self, text: str) -> None:
        """Text whose spaces and line ends count."""
        for number, line in enumerate(_LINE_END.split(visible(text))):
            if number:
                self.line_end()
            if line.strip() or (line and not self._line_ends):
                self.put(_ODD_SPACE.sub(" ", line))

    def put(self, words: str) -> None:
        """The words as they are, after whatever is due before them."""
        indent = self.marker or self.indent
        if not self.pieces:
            part = indent
        elif self._line_ends:
            part = "\n" * self._line_ends + indent
            self.breaks += 1
        else:
            part = " " if self._space else ""
        self.pieces += (part, words)
        self._line_ends, self._space, self.marker = 0, False, ""

    def line_end(self) -> None:
        """One more line end, as <br> asks for."""
        self._line_ends = min(2, self._line_ends + 1)

    def apart(self, line_ends: int) -> None:
        """The next words begin a line (1), after a blank one (2)."""
        self._line_ends = max(self._line_ends, line_ends)

    def space(self) -> None:
        """The next words are not part of the last one."""
        self._space = True

    def rejoin(self, at: int, part: str) -> None:
        """Another part between words, at the index of the one that was there."""
        self.breaks += ("\n" in part) - ("\n" in self.pieces[at])
        self.pieces[at] = part

    def result(self) -> str:
        """All of it: no space at a line's end, one blank line at most, one line end at the end."""
        lines = (line.rstrip() for line in "".join(self.pieces).split("\n"))
        text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
        return f"{text}\n" if text else ""


def visible(text: str) -> str:
    """Without control characters and those that only pad a preheader (&shy; &#847; &#8203;)."""
    return _INVISIBLE.sub("", text)


def collapsed(text: str) -> str:
    """Visible, every run of white space one space, no-break spaces included."""
    text = visible(text)
    if "\u200c" in text or "\u200d" in text:  # inside words, Persian and emoji need them
        text = _LOOSE_JOINERS.sub("", _JOINER_RUNS.sub(r"\1", text))
    return _SPACE.sub(" ", text)
