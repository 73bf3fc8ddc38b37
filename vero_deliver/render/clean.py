"""Characters that no mail, phone or JSON may carry become U+FFFD: data may not be text."""

from __future__ import annotations

import re

_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_SPACE = re.compile(r"\s+")


def clean(text: str) -> str:
    """Control characters and lone surrogates replaced; tab and line ends stay."""
    if _SURROGATE.search(text):  # a pair that came in two halves is joined again
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return str(_CONTROL.sub("\ufffd", text))


def one_line(text: str) -> str:
    """Clean, with every run of white space made one space: for subjects, titles and headers."""
    return _SPACE.sub(" ", clean(text)).strip()
