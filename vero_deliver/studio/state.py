"""What is looked at. All of it stands in the URL, so a view can be kept and gone back to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

TABS: Final[Mapping[str, str]] = {
    "email": "Email", "text": "Text", "source": "Source", "headers": "Headers", "push": "Push",
    "sms": "SMS", "http": "HTTP", "links": "Links", "diff": "Diff", "sheet": "Sheet",
    "outbox": "Outbox", "checks": "Checks",
}  # fmt: skip
DEVICES: Final[Mapping[str, tuple[str, int]]] = {
    "desktop": ("Desktop", 0), "tablet": ("Tablet", 768), "mobile": ("Mobile", 390),
}  # fmt: skip
SCHEMES: Final[Mapping[str, str]] = {
    "light": "Light", "dark": "Dark", "forced": "Forced dark",
}  # fmt: skip
CLIENTS: Final[Mapping[str, str]] = {"sent": "As sent", "gmail": "≈ Gmail"}
NARROWEST, WIDEST = 240, 2000  # CSS pixels of a free width


@dataclass(frozen=True, slots=True)
class State:
    """The query of a page.

    to: a recipient, as people.py names them. source: of recipients; empty for the samples.
    device: one of DEVICES, or "free" with a width. find: what recipients' names have in them.
    other, rev: what a diff is with. file: of the folder of captured messages. now: ISO 8601, the
    clock; empty for the present.
    """

    message: str = ""
    to: str = ""
    source: str = ""
    tab: str = "email"
    device: str = "desktop"
    width: int = 0
    scheme: str = "light"
    client: str = "sent"
    images: str = ""
    find: str = ""
    other: str = ""
    rev: str = ""
    file: str = ""
    now: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> State:
        """The state of a query; what is unknown or senseless in it is left at its default."""
        known: dict[str, Any] = {
            name: query[name][:1000] for name in cls.__dataclass_fields__ if name in query
        }
        width = known.pop("width", "")
        if width.isdecimal() and len(width) < 6 and int(width):
            known["width"] = min(max(int(width), NARROWEST), WIDEST)
        for name, choices in _CHOICES.items():
            if known.get(name) not in choices:
                known.pop(name, None)
        if known.get("device") == "free" and "width" not in known:
            known["width"] = 480
        if known.get("now") and moment(known["now"]) is None:
            del known["now"]
        return cls(**known)

    def url(self, path: str = "/", **changes: Any) -> str:
        """The address of this state with those changes."""
        default = State()
        changed = asdict(replace(self, **changes))
        query = {k: v for k, v in changed.items() if v != getattr(default, k)}
        return f"{path}?{urlencode(query)}" if query else path

    def fields(self, *without: str) -> dict[str, str]:
        """What a form that changes the fields `without` has to carry along."""
        default = State()
        return {
            name: str(value)
            for name, value in asdict(self).items()
            if name not in without and value != getattr(default, name)
        }

    @property
    def pixels(self) -> int:
        """The width of the frame in CSS pixels; 0 for all there is."""
        return self.width if self.device == "free" else DEVICES[self.device][1]

    @property
    def moment(self) -> datetime:
        """The clock to render for: the pinned one, else the present, to the second."""
        return moment(self.now) or datetime.now(UTC).replace(microsecond=0)


_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "tab": tuple(TABS),
    "device": (*DEVICES, "free"),
    "scheme": tuple(SCHEMES),
    "client": tuple(CLIENTS),
    "images": ("", "on"),
}


def moment(text: str) -> datetime | None:
    """An ISO 8601 time, UTC where it has no offset; None where it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
