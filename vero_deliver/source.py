"""Template text that knows where it was written, so that an error can name file and line."""

from __future__ import annotations


class Source(str):
    """A str that remembers its file and the line it starts on; equal to the same plain str."""

    __slots__ = ("file", "line")
    file: str
    line: int

    def __new__(cls, text: str, file: str, line: int = 1) -> Source:
        self = super().__new__(cls, text)
        self.file, self.line = file, line
        return self

    def __reduce__(self) -> tuple[type[Source], tuple[str, str, int]]:
        return Source, (str(self), self.file, self.line)


def is_plain(text: str) -> bool:
    """Whether the text holds no Jinja construct, so that it is the same for everybody."""
    return "{{" not in text and "{%" not in text and "{#" not in text


def where(text: str, line: int = 1) -> str:
    """`file:line` of the given line of a template, or "" for text made in Python."""
    if isinstance(text, Source):
        return f"{text.file}:{text.line + line - 1}"
    return ""
