"""Write message folders, so that loading one gives the same message back."""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from vero_deliver.data import check_declaration
from vero_deliver.decode import check_variants, error, to_plain
from vero_deliver.errors import MessageError
from vero_deliver.loader.layout import ASSETS, BODIES, PLATFORMS, TOML, body_name, path_of
from vero_deliver.loader.read import load_message
from vero_deliver.message import Message
from vero_deliver.plain import Where, ascii_safe, unwritable
from vero_deliver.reading import display

_RESERVED = re.compile(r"con|prn|aux|nul|com\d|lpt\d")  # Windows opens a device


def save_message(
    message: Message, folder: Path, *, overwrite: bool = False, schema: Path | None = None
) -> None:
    """Write the message's folder; message.toml last, each file whole or not at all.

    The folder's path is the id, `message.id` is not written. A folder that holds this message
    already is left as it is; one that holds another is refused unless `overwrite`, which keeps
    samples and assets but neither comments nor [check]. schema: the file that the `#:schema`
    line points editors to. Raises MessageError before anything is written where the message has
    text that is not Unicode, null outside JSON files, or the like.
    """
    files = _files(message, folder)
    if schema:
        link = Path(os.path.relpath(schema.absolute(), folder.absolute())).as_posix()
        files[TOML] = f"#:schema {link}\n\n".encode() + files[TOML]
    try:
        if not overwrite:
            if _holds(folder, message):
                return
            _refuse_strangers(folder, files)
        _write(folder, files)
    except OSError as wrong:
        detail = f"cannot be written: {wrong.strerror or wrong}"
        raise MessageError(detail, where=ascii_safe(display(folder))) from None


def _files(message: Message, folder: Path) -> dict[str, bytes]:
    """File name to bytes of everything in the folder, message.toml last."""

    def where(_path: object) -> str:
        return ascii_safe(f"{display(folder)}/{TOML}")

    document = to_plain(message, where=where)
    check_variants(message, where)
    check_declaration(message.data, where)
    document.pop("id", None)
    files = {
        **_bodies(document.get("email", {})),
        **_attachments(document.get("email", {})),
        **_json_files(document, where),
    }
    text = document.get("http", {}).pop("body", "")
    if text:
        files["http.txt"] = text
    problems = [*unwritable(document, "TOML")]
    for name, content in files.items():
        if isinstance(content, str):
            problems += unwritable(content, "TOML", path_of(name) or ())
    if problems:
        raise error(problems, where)
    encoded = {name: _encoded(content) for name, content in files.items()}
    return {**encoded, TOML: _toml(document, where).encode()}


def _encoded(content: str | bytes) -> bytes:
    if isinstance(content, bytes):
        return content
    # the loader drops one byte order mark; text that begins with one needs a second
    return content.encode("utf-8-sig" if content.startswith("\ufeff") else "utf-8")


def _bodies(email: dict[str, Any]) -> dict[str, str | bytes]:
    files: dict[str, str | bytes] = {}
    taken: set[str] = set()
    for locale, table in [("", email), *email.get("variants", {}).items()]:
        for field in BODIES:
            name = body_name(field, locale)
            # email.cs.txt and email.CS.txt are one file on many disks: the second stays inline
            if table.get(field) and name.lower() not in taken:
                files[name] = table.pop(field)
                taken.add(name.lower())
    return files


def _attachments(email: dict[str, Any]) -> dict[str, str | bytes]:
    files: dict[str, str | bytes] = {}
    attachments = email.get("attachments", ())
    for index, attachment in enumerate(attachments):
        content = attachment.pop("content", b"")
        if content or not attachment.get("content_from"):
            name = _asset_name(attachment.get("filename", ""), content, files)
            files[name] = content
            email["attachments"][index] = {"file": name, "filename": "", **attachment}
    return files


def _asset_name(filename: str, content: bytes, taken: dict[str, str | bytes]) -> str:
    """A file name that is safe on every system, and free or of the same content."""
    base = filename.replace("\\", "/").rpartition("/")[2].lower()
    stem, _, ending = base.rpartition(".") if "." in base[1:] else (base, "", "")
    stem, ending = _safe(stem, 80) or "attachment", _safe(ending, 12)
    suffix = f".{ending}" if ending else ""
    if _RESERVED.fullmatch(stem):
        stem = f"{stem}-file"
    name, count = f"{ASSETS}/{stem}{suffix}", 1
    while taken.get(name, content) != content:
        count += 1
        name = f"{ASSETS}/{stem}-{count}{suffix}"
    return name


def _safe(text: str, size: int) -> str:
    return re.sub(r"[^a-z0-9_]+", "-", text).strip("-")[:size]


def _json_files(document: dict[str, Any], where: Where) -> dict[str, str]:
    values = {
        f"push.{platform}.json": document.get("push", {}).pop(platform, {})
        for platform in PLATFORMS
    }
    values = {name: extras for name, extras in values.items() if extras}
    if document.get("http", {}).get("json") is not None:
        values["http.json"] = document["http"].pop("json")
    problems = [p for name, v in values.items() for p in unwritable(v, "JSON", path_of(name) or ())]
    if problems:
        raise error(problems, where)
    return {
        name: json.dumps(value, ensure_ascii=False, indent=2) + "\n"
        for name, value in values.items()
    }


def _toml(document: dict[str, Any], where: Where) -> str:
    # Multi-line strings read better, but tomli_w writes \r\n in them as \n.
    for multiline in (True, False):
        try:
            text = tomli_w.dumps(document, multiline_strings=multiline)
            if tomllib.loads(text) == document:
                return text
        except ValueError:  # an offset of seconds, a time with an offset
            continue
    raise MessageError("holds a value that TOML cannot write", where=where(()))


def _holds(folder: Path, message: Message) -> bool:
    if not (folder / TOML).is_file():
        return False
    try:
        held = load_message(folder)
    except MessageError:
        held = None
    if held and msgspec.structs.replace(held, id=message.id) == message:
        return True
    detail = "another message is here; choose another folder, or pass overwrite=True"
    raise MessageError(detail, where=ascii_safe(display(folder)))


def _refuse_strangers(folder: Path, files: dict[str, bytes]) -> None:
    """Files without a message.toml that would become, or be lost to, this message's."""
    for name in {*_ours(folder), *(name for name in files if (folder / name).exists())}:
        if files.get(name) != (folder / name).read_bytes():
            detail = f"{name} is here already; remove it, or pass overwrite=True"
            raise MessageError(detail, where=ascii_safe(display(folder)))


def _ours(folder: Path) -> list[str]:
    return [f.name for f in folder.iterdir() if path_of(f.name)] if folder.is_dir() else []


def _write(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if name == TOML:
            for stale in set(_ours(folder)) - files.keys():
                (folder / stale).unlink()
        _replace(folder / name, content)


def _replace(file: Path, content: bytes) -> None:
    file.parent.mkdir(exist_ok=True)
    new = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        new.write_bytes(content)
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)
