"""Small projects on disk to be checked: a message without a flaw, and what is changed in it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from vero_deliver.check import Finding, Options, Report, check
from vero_deliver.project import Project

NOON: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
PNG: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

# files of the message `m`; one whose name begins with / is the project's
FLAWLESS: Final[Mapping[str, str]] = {
    "/vero-deliver.toml": """\
[from]
email = "Shop <hello@shop.example>"
sms = "SHOP"

[links]
unsubscribe = "https://shop.example/u?id={{ user.id | encode }}"
""",
    "message.toml": """\
title = "Order shipped"

[email]
subject = "Your order {{ order.id }} is on its way"
preheader = "It should be with you on Thursday, between nine and noon."

[data.order]
id = "string"
link = "string"
""",
    "email.html": """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light">
<title>Order shipped</title>
</head>
<body style="margin: 0; background: #ffffff; color: #222222; font-size: 16px">
<div role="article" aria-roledescription="email" aria-label="Order shipped" lang="en">
<h1 style="font-size: 24px">Good news, {{ user.first_name }}</h1>
<p>Your order {{ order.id }} left us this morning.</p>
<p><a href="{{ order.link }}" style="color: #1a4fa0">Follow the parcel</a></p>
<p style="font-size: 14px">Shop, 4 Hedge Lane, Ludlow SY8 1AA</p>
</div>
</body>
</html>
""",
    "samples/ada.json": """\
{
  "user": {"id": "1", "first_name": "Ada", "email": "ada@example.com", "phone": "+447700900123"},
  "order": {"id": "BR-1", "link": "https://shop.example/t/1"}
}
""",
    "samples/jana.json": """\
{
  "user": {"id": "2", "first_name": "Jana", "email": "jana@example.com", "phone": "+420601000001"},
  "order": {"id": "BR-2", "link": "https://shop.example/t/2"}
}
""",
}

# the same as MJML, without any of the fields above that are changed
MJML: Final = """\
<mjml lang="en">
  <mj-head>
    <mj-title>Order shipped</mj-title>
    <mj-raw><meta name="color-scheme" content="light" /></mj-raw>
  </mj-head>
  <mj-body background-color="#ffffff">
    <mj-section>
      <mj-column>
        <mj-text font-size="16px" color="#222222">{{ user.first_name }}: {{ order.id }}</mj-text>
        <mj-button href="{{ order.link }}" font-size="16px">Follow the parcel</mj-button>
        <mj-text font-size="16px" color="#222222">Shop, 4 Hedge Lane, Ludlow SY8 1AA</mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>
"""

# a file's content; old and new text, or several such pairs; None for no such file
Change = str | bytes | tuple[str, str] | list[tuple[str, str]] | None


@dataclass(frozen=True)
class Defect:
    """One thing that is wrong, and the finding that it must lead to.

    name: of the finding. at: file below the message's folder and line, "email.html:13"; /file of
    the project. change: by file. also: other findings that are true of it. words: part of the
    finding's text. marketing: the message is. who: the samples it is seen for; both where empty.
    """

    name: str
    at: str
    change: Mapping[str, Change] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    words: str = ""
    who: tuple[str, ...] = ()
    options: Options = field(default_factory=Options)


def write(root: Path, change: Mapping[str, Change] | None = None) -> Project:
    """The flawless project, changed. Every replaced text must be there."""
    files: dict[str, str | bytes | None] = dict(FLAWLESS)
    for name, new in (change or {}).items():
        if isinstance(new, (tuple, list)):
            for old, better in [new] if isinstance(new, tuple) else new:
                held = files[name]
                assert isinstance(held, str)
                assert old in held, f"{name} lacks {old!r}"
                files[name] = held.replace(old, better)
        else:
            files[name] = new
    for name, content in files.items():
        if content is None:
            continue
        path = root / name[1:] if name.startswith("/") else root / "messages/m" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Project.find(root)


def report(
    root: Path, change: Mapping[str, Change] | None = None, *, options: Options | None = None
) -> Report:
    """What is found in the flawless project once it is changed."""
    return check(write(root, change), options=options, now=NOON)


def places(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    """Name and place of each finding, the place below the message's folder."""
    found = []
    for finding in findings:
        file = finding.place.file.removeprefix("messages/m/")
        found.append((finding.name, f"{file}:{finding.place.line}"))
    return found
