"""The email's bytes, part by part, and its header fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import Message as Parsed
from typing import Any, Final

from vero_deliver.studio.look import Look
from vero_deliver.studio.made import Made

_MOST: Final = 60_000  # characters of one part that are shown
_ENCODED: Final = 2_000  # of one in base64


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a MIME message. body: as it is in the message; left: characters not shown."""

    depth: int
    content_type: str
    name: str
    encoding: str
    header: str
    body: str
    left: int
    size: int


def source(look: Look, made: Made) -> Mapping[str, Any]:
    """The parts, folded."""
    del look
    item = made.first("email")
    return {"parts": list(parts(item.raw)) if item and item.raw else []}


def headers(look: Look, made: Made) -> Mapping[str, Any]:
    """The envelope and the header fields, decoded and as they are written."""
    del look
    item, email = made.first("email"), made.email
    if not item or email is None:
        return {"fields": []}
    return {
        "fields": fields(item.raw),
        "envelope": [
            ("MAIL FROM", item.domains.return_path(email, item.key)),
            *(("RCPT TO", recipient) for recipient in email.recipients),
        ],
    }


def parts(raw: bytes) -> Iterator[Part]:
    """Every part of a message, the outermost first."""
    return _parts(message_from_bytes(raw, policy=policy.compat32), 0)


def _parts(found: Parsed, depth: int) -> Iterator[Part]:
    header = "\n".join(f"{name}: {value}" for name, value in found.items())
    encoding = str(found.get("content-transfer-encoding", "")).lower()
    body = "" if found.is_multipart() else str(found.get_payload())
    size = 0 if found.is_multipart() else len(_decoded(found))
    most = _ENCODED if encoding == "base64" else _MOST
    yield Part(
        depth=depth,
        content_type=found.get_content_type(),
        name=found.get_filename() or "",
        encoding=encoding,
        header=header.replace("\r\n", "\n"),
        body=body[:most].replace("\r\n", "\n"),
        left=max(len(body) - most, 0),
        size=size,
    )
    inner = found.get_payload()
    if isinstance(inner, list):
        for part in inner:
            if isinstance(part, Parsed):
                yield from _parts(part, depth + 1)


def _decoded(found: Parsed) -> bytes:
    decoded = found.get_payload(decode=True)
    return decoded if isinstance(decoded, bytes) else b""


def fields(raw: bytes) -> list[tuple[str, str, str]]:
    """Name, value for people, and the value as it is written where that is another."""
    head = raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    written = message_from_bytes(head, policy=policy.compat32).items()
    found: list[tuple[str, str, str]] = []
    for name, value in written:
        as_is = str(value).replace("\r\n", "\n")
        decoded = _readable(as_is)
        found.append((name, decoded, as_is if as_is != decoded else ""))
    return found


def _readable(value: str) -> str:
    unfolded = " ".join(value.split())
    try:
        return str(make_header(decode_header(unfolded)))
    except (ValueError, LookupError):
        return unfolded
