"""What differs between two recipients of a message, or between two versions of it."""

from vero_deliver.diff.changes import Asked, Change, between, since
from vero_deliver.diff.compare import Difference, Outcome, compare
from vero_deliver.diff.revision import at_revision

__all__ = [
    "Asked",
    "Change",
    "Difference",
    "Outcome",
    "at_revision",
    "between",
    "compare",
    "since",
]
