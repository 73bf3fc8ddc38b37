"""Read message folders. Every string knows its file and line, so that errors can name them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from vero_deliver.data import check_declaration
from vero_deliver.decode import check_variants, decode, error
from vero_deliver.errors import ConfigError, MessageError
from vero_deliver.json_lines import json_lines
from vero_deliver.loader.draft import Draft
from vero_deliver.loader.layout import ASSETS, PLATFORMS, TOML, misspelt, path_of
from vero_deliver.message import Message
from vero_deliver.plain import KeyPath, Problem, ascii_safe, kind_of, nearest, quoted, unwritable
from vero_deliver.reading import ReadError, display, parse_json, read_bytes, read_text

_NOT_MESSAGES = (ASSETS, "samples", "snapshots")  # folders inside a message
_BACKUPS = ("~", ".bak", ".orig", ".rej", ".tmp", ".swp")
_ADDRESSES = ("to", "cc", "bcc", "reply_to")


def load_message(folder: Path, *, root: Path | None = None) -> Message:
    """The message in a folder; its id is the folder's path below `root`.

    An attachment's file must lie inside the folder or, given a root, inside the project: the
    folder that holds the root. Raises MessageError with file and line.
    """
    place = _place(Path(folder), root)
    try:
        return _load(place)
    except ReadError as wrong:
        raise MessageError(wrong.detail, where=wrong.where) from None
    except OSError as wrong:
        raise MessageError(f"cannot be read: {wrong.strerror}", where=place.label) from None
    except RecursionError:
        raise MessageError("nested too deeply", where=place.label) from None


def load_messages(root: Path) -> Iterator[Message]:
    """Every message below the root, by id."""
    for name in message_ids(root):
        yield load_message(root / name, root=root)


def message_ids(root: Path) -> list[str]:
    """The ids of the messages below the root, sorted. Names with a leading _ or . are none."""
    if not root.is_dir():
        raise ConfigError(f"{display(root)}: there is no such folder of messages")
    found = []
    for folder, subfolders, files in os.walk(root):
        skipped = _NOT_MESSAGES if TOML in files else ()
        subfolders[:] = [name for name in subfolders if name[0] not in "_." and name not in skipped]
        if TOML in files and Path(folder) != root:
            found.append(Path(folder).relative_to(root).as_posix())
    return sorted(found)


class _CheckTable(msgspec.Struct, forbid_unknown_fields=True):
    """[check], the lints' settings: validated here, and no part of the message."""

    ignore: tuple[str, ...] = ()
    select: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Place:
    folder: Path
    project: Path  # what attachments may be read from
    label: str  # "messages/order-shipped", as errors name it
    id: str


def _place(folder: Path, root: Path | None) -> _Place:
    whole = Path(os.path.normpath(folder.absolute()))
    if root is None:
        place = _Place(whole, whole, display(whole), whole.name)
    else:
        base = Path(os.path.normpath(root.absolute()))
        if base == whole or not whole.is_relative_to(base):
            raise MessageError(f"is not below {display(base)}", where=display(whole))
        # messages at the top of the file system do not make all of it the project
        project = base if base.parent == Path(base.anchor) else base.parent
        label = whole.relative_to(base.parent).as_posix()
        place = _Place(whole, project, label, whole.relative_to(base).as_posix())
    if ascii_safe(place.id) != place.id:
        raise MessageError("the folder's name is not UTF-8", where=ascii_safe(place.label))
    if not (whole / TOML).is_file():
        raise MessageError(f"there is no {TOML} here{_near_id(place, root)}", where=place.label)
    return place


def _near_id(place: _Place, root: Path | None) -> str:
    return nearest(place.id, message_ids(root)) if root and root.is_dir() else ""


def _load(place: _Place) -> Message:
    file = f"{place.label}/{TOML}"
    draft = Draft(file, read_text(place.folder / TOML, file))
    for name in sorted(entry.name for entry in place.folder.iterdir() if entry.is_file()):
        _add_file(draft, place, name)
    if "id" in draft.document:
        detail = "unknown key 'id'; the folder's path is the message's id"
        raise MessageError(detail, where=draft.where(("id",)))
    decode(_CheckTable, draft.document.pop("check", {}), where=draft.where, at=("check",))
    email = draft.document.get("email")
    if isinstance(email, dict):
        _finish_email(email, draft, place)
    message = decode(Message, {**draft.document, "id": place.id}, where=draft.where)
    check_variants(message, draft.whereabouts)
    check_declaration(message.data, draft.where)
    _check_json(message, draft)
    return message


def _add_file(draft: Draft, place: _Place, name: str) -> None:
    file, path = f"{place.label}/{ascii_safe(name)}", path_of(name)
    if path and name.endswith(".json"):
        text = read_text(place.folder / name, file)
        draft.put(path, parse_json(text, file), file, json_lines(text))
    elif path:
        draft.put(path, read_text(place.folder / name, file), file, {(): 1})
    elif not name.startswith((".", "_", "#")) and not name.endswith(_BACKUPS):
        wrong = misspelt(name)
        if wrong:
            raise MessageError(wrong, where=place.label)


def _finish_email(email: dict[str, Any], draft: Draft, place: _Place) -> None:
    for field in _ADDRESSES:
        if isinstance(email.get(field), str):
            email[field] = [email[field]]
    _one_body(email, ("email",), draft)
    variants = email.get("variants")
    for locale, variant in variants.items() if isinstance(variants, dict) else ():
        if isinstance(variant, dict):
            _one_body(variant, ("email", "variants", locale), draft)
    attachments = email.get("attachments")
    for index, attachment in enumerate(attachments if isinstance(attachments, list) else ()):
        if isinstance(attachment, dict):
            _attach(attachment, ("email", "attachments", index), draft, place)


def _one_body(table: dict[str, Any], path: KeyPath, draft: Draft) -> None:
    if table.get("mjml") and table.get("html"):
        mjml, html = draft.where((*path, "mjml")), draft.where((*path, "html"))
        raise MessageError(f"the body is also written in {html}; keep one of them", where=mjml)


def _attach(table: dict[str, Any], path: KeyPath, draft: Draft, place: _Place) -> None:
    if "file" not in table:
        if not table.keys() & {"content", "content_from"}:
            problem = Problem(path, "an attachment needs file, content or content_from")
            raise error([problem], draft.where)
        return
    name = table.pop("file")
    try:
        if "content" in table:
            raise ReadError("an attachment has file or content, not both", "")
        table["content"] = read_bytes(_attached_file(name, place), quoted(name))
        table.setdefault("filename", PurePosixPath(name).name)
    except ReadError as wrong:
        raise error(
            [Problem((*path, "file"), str(wrong).removeprefix(": "))], draft.where
        ) from None


def _attached_file(name: object, place: _Place) -> Path:
    if not isinstance(name, str):
        raise ReadError(f"expected a string, got {kind_of(name)}", "")
    try:
        file = (place.folder / name).resolve()
        found = file.is_file()
    except (OSError, ValueError, RuntimeError):  # NUL, too long a name, a loop of links
        raise ReadError("is no file name", quoted(name)) from None
    if not file.is_relative_to(place.folder.resolve()) and not file.is_relative_to(
        place.project.resolve()
    ):
        raise ReadError("lies outside the message's folder and the project", quoted(name))
    if not found:
        raise ReadError("there is no such file", quoted(name))
    return file


def _check_json(message: Message, draft: Draft) -> None:
    """TOML has dates, JSON has none: what is sent as JSON must not hold them."""
    problems: list[Problem] = []
    if message.http:
        problems += unwritable(message.http.json, "JSON", ("http", "json"))
    for platform in PLATFORMS if message.push else ():
        problems += unwritable(getattr(message.push, platform), "JSON", ("push", platform))
    if problems:
        raise error(problems, draft.where)
