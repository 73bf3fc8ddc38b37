"""A report as people read it, and as programs of other people do."""

from collections.abc import Callable, Mapping
from typing import Final

from vero_deliver.check.finding import Report
from vero_deliver.check.formats.ci import github, gitlab, junit
from vero_deliver.check.formats.data import as_json, sarif
from vero_deliver.check.formats.text import concise, full, statistics

FORMATS: Final[Mapping[str, Callable[[Report], str]]] = {
    "full": full,
    "concise": concise,
    "json": as_json,
    "github": github,
    "gitlab": gitlab,
    "sarif": sarif,
    "junit": junit,
}

__all__ = ["FORMATS", "concise", "full", "statistics"]
