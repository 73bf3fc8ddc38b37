"""The push as lock screens and shades draw it: approximations, as devices differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from vero_deliver.render.addresses import split
from vero_deliver.rendered import Address
from vero_deliver.studio.look import Look
from vero_deliver.studio.made import Made

LIMIT: Final = 4096  # bytes that APNs, FCM and browsers take


def push(look: Look, made: Made) -> Mapping[str, Any]:
    """The first push; each device gets the same texts."""
    pushes = made.pushes
    if not pushes:
        return {}
    sender = look.reading.project.settings.from_
    name = split(sender.email)[0] or sender.sms or look.reading.project.root.name
    return {
        "push": pushes[0],
        "devices": [push.device for push in pushes if push.device],
        "app": Address("", name).name[:30],
        "initial": next((letter for letter in name if letter.isalnum()), "V").upper(),
    }
