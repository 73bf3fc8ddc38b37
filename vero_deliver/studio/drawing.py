"""One page: the shell around a tab, or what stands in the way of it."""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import Any, Final

from jinja2 import Environment

from vero_deliver.errors import RenderError, VeroDeliverError
from vero_deliver.rendered import ContentName, Skipped
from vero_deliver.studio import state as states
from vero_deliver.studio.live import Live
from vero_deliver.studio.look import Look
from vero_deliver.studio.panes import ALWAYS, PANES
from vero_deliver.studio.panes.email import meter
from vero_deliver.studio.people import SHOWN, Person, chosen, matching, worst
from vero_deliver.studio.state import State
from vero_deliver.studio.trouble import Trouble, trouble_of
from vero_deliver.studio.workspace import Reading, Workspace

# the content that a tab is about; the others are about all of them
_ABOUT: Final[dict[str, ContentName]] = {
    "email": "email", "text": "email", "source": "email", "headers": "email",
    "push": "push", "sms": "sms",
}  # fmt: skip
# tabs that are of no use without that content
_CONTENT_WORDS: Final[dict[ContentName, str]] = {
    "email": "email", "push": "push notification", "sms": "text message", "http": "HTTP request",
}  # fmt: skip


def look_of(reading: Reading, state: State) -> Look:
    """What a state leads to. Raises ConfigError, MessageError."""
    message = reading.message(state.message)
    everybody = reading.people(message, state.source)
    person = chosen(everybody, state.to)
    made = reading.made(message, person, state.moment, state.source) if person else None
    return Look(reading, state, message, everybody, person, made)


class Drawing:
    """Draws pages from templates."""

    def __init__(self, pages: Environment, workspace: Workspace, live: Live) -> None:
        self._pages, self._workspace, self._live = pages, workspace, live
        pages.filters |= {"kb": _kb, "moment": _moment}
        pages.globals |= {
            "TABS": states.TABS,
            "DEVICES": states.DEVICES,
            "SCHEMES": states.SCHEMES,
            "CLIENTS": states.CLIENTS,
            "NARROWEST": states.NARROWEST,
            "WIDEST": states.WIDEST,
        }

    def page(self, state: State) -> str:
        """The whole page; what is wrong is shown in it, and goes away once it is mended."""
        facts: dict[str, Any] = {
            "state": state,
            "version": self._live.version,
            "env": self._workspace.env,
            "title": self._workspace.title,
            "messages": [],
            "look": None,
            "trouble": None,
            "pane": {},
        }
        reading: Reading | None = None
        try:
            reading = self._workspace.read()
            messages = reading.project.message_ids()
            state = self._with_message(state, messages)
            facts |= {"messages": messages, "reading": reading, "state": state}
            if state.message:
                self._fill(facts, reading, state)
        except VeroDeliverError as error:
            folders = reading.folders if reading else (self._workspace.root,)
            facts["trouble"] = trouble_of(error, folders)
        return self._pages.get_template("page.html").render(facts)

    def _with_message(self, state: State, messages: list[str]) -> State:
        if state.message or not messages:
            return state
        return State(**{**_values(state), "message": messages[0]})

    def _fill(self, facts: dict[str, Any], reading: Reading, state: State) -> None:
        facts["message"] = reading.message(state.message)
        at = facts["at"] = state.moment
        # the frame and the download have to show the very rendering that this page is about
        pinned = facts["pinned"] = State(**{**_values(state), "now": at.isoformat()})
        look = look_of(reading, pinned)
        everybody, person, made = look.everybody, look.person, look.made
        found = matching(everybody, state.find) if state.find else everybody
        facts |= {
            "look": look,
            "made": made,
            "person": person,
            "people": found[:SHOWN],
            "more": len(found[SHOWN:]),
            "everybody": everybody,
            "worst": worst(everybody),
            "command": _command(reading, pinned, person) if person else "",
        }
        if person:
            index = next(i for i, one in enumerate(everybody) if one.id == person.id)
            facts["before"] = everybody[index - 1] if index else None
            facts["after"] = everybody[index + 1] if index + 1 < len(everybody) else None
        if made is None and state.tab not in ALWAYS:
            return
        facts["trouble"], facts["skipped"] = _in_the_way(look)
        if made and made.email:
            facts["meter"] = meter(made.email.html)
        if facts["trouble"] or facts["skipped"]:
            return
        facts["pane"] = _pane(look)


def _pane(look: Look) -> Any:
    if look.state.tab in ALWAYS:
        return ALWAYS[look.state.tab](look)
    return PANES[look.state.tab](look, look.made) if look.made else {}


def _in_the_way(look: Look) -> tuple[Trouble | None, str]:
    """Why a tab cannot show its content: an error, or the reason that nothing is sent."""
    content = _ABOUT.get(look.state.tab)
    if content is None or look.made is None:
        return None, ""
    item = look.made.first(content)
    if item is None:
        return None, f"This message has no {_CONTENT_WORDS[content]}."
    if isinstance(item.outcome, RenderError):
        return trouble_of(item.outcome, look.reading.folders), ""
    if isinstance(item.outcome, Skipped):
        return None, f"Nothing is sent: {item.outcome.reason}."
    return None, ""


def _command(reading: Reading, state: State, person: Person) -> str:
    """What prints the bytes that the page is about."""
    source = reading.sources.get(state.source)
    data = ("-d", str(source)) if source else ()
    words = ("render", state.message, "-t", person.id, *data, "--now", state.now, "-f", "eml")
    return shlex.join(("vero-deliver", *words))


def _values(state: State) -> dict[str, Any]:
    return {name: getattr(state, name) for name in State.__dataclass_fields__}


def _kb(size: int) -> str:
    """Bytes as people read them: "812 B", "14.2 kB", "1.3 MB"."""
    if size < 1000:
        return f"{size} B"
    return f"{size / 1000:.1f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def _moment(at: datetime) -> str:
    return at.strftime("%d %b %Y, %H:%M:%S %Z").lstrip("0")
