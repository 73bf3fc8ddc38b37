"""How an email looks: pure functions for what mail clients make of it, and pictures of that."""

from vero_deliver.picture.browser import Browser, Look
from vero_deliver.picture.dark import by_media_query, forced_dark
from vero_deliver.picture.gmail import gmail
from vero_deliver.picture.side_by_side import side_by_side
from vero_deliver.picture.views import VIEWS, embedded, of_text, seen

__all__ = [
    "VIEWS",
    "Browser",
    "Look",
    "by_media_query",
    "embedded",
    "forced_dark",
    "gmail",
    "of_text",
    "seen",
    "side_by_side",
]
