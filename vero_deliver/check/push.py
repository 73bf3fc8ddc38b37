"""What phones and browsers show of a push, and what its providers refuse.

Sources: Apple "Generating a remote notification"; Google "REST Resource: projects.messages" (v1);
RFC 8030 and 8291. The lengths that surfaces show are Braze's guidance, and differ by device.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from vero_deliver.check.finding import Hit
from vero_deliver.check.graphemes import graphemes
from vero_deliver.check.rule import rule
from vero_deliver.check.seen import Seen
from vero_deliver.check.shown import Shown
from vero_deliver.check.urls import host_of, is_local
from vero_deliver.registry import push_request
from vero_deliver.rendered import RenderedPush
from vero_deliver.user import Device, Platform

_TITLE: Final = 49  # characters of a line on Android's lock screen
_BODY: Final = 160  # on an iPhone's lock screen; beside a picture fewer
_BODY_RICH: Final = 130
_BANNER: Final = 80
_BANNER_RICH: Final = 65
_COLLAPSE: Final = 64  # octets of apns-collapse-id
_APP_LINK: Final = re.compile(r"[a-z][a-z0-9+.-]*:[^\s<>\"]+", re.IGNORECASE)
_UNSHOWN: Final = re.compile(r"\.(svg|webp|avif|bmp|tiff?)(?:[?#]|$)", re.IGNORECASE)
_SIZE: Final = re.compile(r" \d+ bytes and may have (\d+)")
# stands for what no sample has: a device of each platform
_TOKENS: Final[Mapping[Platform, str]] = {
    "ios": "0" * 64,
    "android": "x" * 163,
    "web": "https://push.example/x",
}


@rule("push/payload-size", "error")
def payload_size(seen: Seen) -> Iterator[Hit]:
    """A push is longer than its provider takes.

    Apple and Google take 4,096 bytes, a browser 3,993 before they are encrypted; Chinese and emoji
    count three and four. Longer ones are refused, whole. Each push is tried on each platform,
    whatever devices the samples have.
    """
    for push, platform, words in _refusals(seen):
        size = _SIZE.search(words)
        if size:
            text = f"{platform}: {words[: size.start()]} more than {size[1]} bytes"
            yield Hit(text, on=push, at="body", detail=words)


@rule("push/refused", "error")
def refused(seen: Seen) -> Iterator[Hit]:
    """A push cannot be sent to a platform.

    A name in `data` that Apple or Google keep for themselves, say: the driver refuses it for
    every recipient.
    """
    for push, platform, words in _refusals(seen):
        if not _SIZE.search(words):
            yield Hit(f"{platform}: {words}", on=push, at="data")


@rule("push/title-length", "warning")
def title_length(seen: Seen) -> Iterator[Hit]:
    """A title is longer than phones show.

    Android's lock screen has room for about 49 characters in a line, and devices differ: what
    matters stands first.
    """
    for push in seen.pushes:
        length = graphemes(push.rendered.title)
        if length > _TITLE:
            text = f"the title has more than {_TITLE} characters"
            yield Hit(text, on=push, at="title", detail=str(length))


@rule("push/body-length", "warning")
def body_length(seen: Seen) -> Iterator[Hit]:
    """A body is longer than phones show.

    An iPhone's lock screen shows about 160 characters, beside a picture 130; a banner 80 and 65,
    which is info. The rest is seen by those who open it.
    """
    for push in seen.pushes:
        length, rich = graphemes(push.rendered.body), bool(push.rendered.image)
        lock, banner = (_BODY_RICH, _BANNER_RICH) if rich else (_BODY, _BANNER)
        if length > lock:
            text = f"a lock screen shows about {lock} characters of the body"
            yield Hit(text, on=push, at="body", detail=str(length))
        elif length > banner:
            text = f"a banner shows about {banner} characters of the body"
            yield Hit(text, on=push, at="body", detail=str(length), severity="info")


@rule("push/collapse", "warning")
def collapse(seen: Seen) -> Iterator[Hit]:
    """What later pushes replace this one by does not work as it is written.

    Where the name comes out empty, a repeat stands beside the first instead of in its place. One
    of more than 64 bytes reaches Apple as a digest of it: it works, and is not found in a log.
    """
    written = seen.message.push
    for push in seen.pushes:
        name = push.rendered.collapse
        if written and written.collapse and not name:
            yield Hit("the collapse name comes out empty", on=push, at="collapse")
        elif len(name.encode()) > _COLLAPSE:
            text = f"the collapse name has more than {_COLLAPSE} bytes"
            yield Hit(text, on=push, at="collapse", detail=name[:80], severity="info")


@rule("push/link", "error")
def link(seen: Seen) -> Iterator[Hit]:
    """What a tap opens is no link.

    An app needs a scheme, `shop://orders/7` or https; a browser opens https alone, so that a
    custom scheme leads its reader to the front page.
    """
    for push in seen.pushes:
        device = push.rendered.device
        for name, url in _links(push.rendered):
            if not _APP_LINK.fullmatch(url) or url.lower().startswith("javascript:"):
                hint = "write shop://... or https://..., blanks as %20"
                yield Hit(f"{name} is no link: {url[:60]!r}", on=push, at=name, hint=hint)
            elif host_of(url) and is_local(host_of(url)):
                yield Hit(f"only your own network knows {host_of(url)}", on=push, at=name)
            elif url.lower().startswith("http:"):
                text = f"{name} is http"
                yield Hit(text, on=push, at=name, hint="write https", severity="warning")
            elif device and device.platform == "web" and not url.lower().startswith("https:"):
                scheme = url.partition(":")[0]
                yield Hit(f"a browser opens no {scheme}: link", on=push, at=name)


@rule("push/image", "error")
def image(seen: Seen) -> Iterator[Hit]:
    """A picture that phones do not load.

    Apple's clients load https alone, and show JPEG, PNG and GIF; Android and browsers want a
    public address too.
    """
    for push in seen.pushes:
        url = push.rendered.image
        found = _UNSHOWN.search(url)
        if url and not url.lower().startswith("https://"):
            yield Hit("the image is not https", on=push, at="image", detail=url[:80])
        elif url and is_local(host_of(url)):
            yield Hit(f"only your own network knows {host_of(url)}", on=push, at="image")
        elif found:
            text = f"an iPhone shows no {found[1].lower()} in a push"
            yield Hit(text, on=push, at="image", hint="send JPEG, PNG or GIF", severity="warning")


def _links(push: RenderedPush) -> Iterator[tuple[str, str]]:
    if push.link:
        yield "link", push.link
    yield from (("actions", action.link) for action in push.actions if action.link)


def _refusals(seen: Seen) -> Iterator[tuple[Shown[RenderedPush], Platform, str]]:
    """What the driver of each platform says to a push that it does not send."""
    for push in seen.pushes:
        for platform, token in _TOKENS.items():
            device = Device(token=token, platform=platform)
            try:
                push_request(replace(push.rendered, device=device), push.key, {})
            except ValueError as error:
                yield push, platform, str(error)
