"""What was sent from here: the captured files of `dev`, and the outbox's deliveries."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vero_deliver.errors import VeroDeliverError
from vero_deliver.picture.views import embedded
from vero_deliver.project import Project
from vero_deliver.rendered import File as Image
from vero_deliver.studio.look import Look
from vero_deliver.studio.panes.source import fields, parts
from vero_deliver.studio.workspace import captured

if TYPE_CHECKING:
    from vero_deliver.outbox.records import Record

_MOST: Final = 100  # files, and deliveries
_LARGEST: Final = 50_000_000  # bytes of a file that is read
_KINDS: Final = ("push", "sms", "http")


@dataclass(frozen=True, slots=True)
class File:
    """One captured message. name: of its file; title: its subject, title or first words."""

    name: str
    content: str
    title: str
    to: str
    key: str
    at: datetime


def sent(look: Look) -> Mapping[str, Any]:
    """The newest first; with a file chosen, what is in it."""
    project = look.reading.project
    found = {"files": list(files(project)), "folder": captured(project), "opened": None}
    records, trouble = deliveries(project)
    found |= {"records": records, "trouble": trouble}
    raw = read(project, look.state.file) if look.state.file else None
    if raw is not None:
        found["opened"] = opened(look.state.file, raw)
    return found


def files(project: Project) -> Iterator[File]:
    """The newest captured messages."""
    for path in _paths(project)[:_MOST]:
        try:
            yield _file(path)
        except (OSError, ValueError, TypeError, AttributeError):
            continue  # half written, or somebody's own


def read(project: Project, name: str) -> bytes | None:
    """The bytes of a captured file; None where there is none of that name."""
    path = next((path for path in _paths(project) if path.name == name), None)
    try:
        return path.read_bytes() if path and path.stat().st_size <= _LARGEST else None
    except OSError:
        return None


def html_of(raw: bytes) -> str:
    """The HTML part of an .eml with its own images in place; empty where there is none."""
    message = message_from_bytes(raw, policy=policy.default)
    part = message.get_body(("html",))
    if part is None:
        return ""
    images = [
        Image("", bytes(one.get_payload(decode=True) or b""), one.get_content_type(), cid)
        for one in message.walk()
        if not one.is_multipart() and (cid := str(one.get("content-id", "")).strip("<> "))
    ]
    return embedded(str(part.get_content()), images)


def opened(name: str, raw: bytes) -> Mapping[str, Any]:
    """What is shown of one file."""
    if name.endswith(".eml"):
        return {
            "name": name, "fields": fields(raw), "parts": list(parts(raw)), "html": html_of(raw),
        }  # fmt: skip
    return {"name": name, "text": raw[:200_000].decode("utf-8", "replace")}


def deliveries(project: Project) -> tuple[list[Record], str]:
    """The outbox's newest; none, and perhaps why, where it is not there. It is never made here."""
    table = project.settings.outbox
    if table is None or (table.url is None and not (project.root / table.file).is_file()):
        return [], ""
    try:
        outbox = project.outbox()
        if outbox is None:
            return [], ""
        try:
            return list(outbox.search(limit=_MOST)), ""
        finally:
            outbox.close()
    except VeroDeliverError as error:
        return [], str(error)


def _paths(project: Project) -> list[Path]:
    where = captured(project)
    try:
        found = [
            (path.stat().st_mtime_ns, path)
            for path in where.iterdir()
            if path.suffix == ".eml" or path.name.endswith(tuple(f".{k}.json" for k in _KINDS))
        ]
    except OSError:
        return []
    return [path for _, path in sorted(found, reverse=True)]


def _file(path: Path) -> File:
    at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    if path.suffix == ".eml":
        with path.open("rb") as stream:
            head = stream.read(100_000)
        found = {name.lower(): value for name, value, _ in fields(head)}
        envelope = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        to = ", ".join(envelope["recipients"])
        return File(path.name, "email", found.get("subject", ""), to, envelope["key"], at)
    shown = json.loads(path.read_text(encoding="utf-8"))
    content = shown["content"]
    title = shown.get("title") or shown.get("body") or shown.get("url") or ""
    to = shown.get("to") or (shown.get("device") or {}).get("platform") or shown.get("url") or ""
    return File(path.name, content, str(title)[:120], str(to), shown["key"], at)
