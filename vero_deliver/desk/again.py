"""A delivery made once more, to be looked at: the mail in a browser."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from typing import TYPE_CHECKING, cast

from vero_deliver.outbox.packing import unpack, unpack_user
from vero_deliver.outbox.records import moment
from vero_deliver.outbox.store import Outbox
from vero_deliver.render import About
from vero_deliver.rendered import RenderedEmail
from vero_deliver.resource import from_resource

if TYPE_CHECKING:
    from vero_deliver.desk.sending import Composer

_SENT = ("accepted", "delivered", "bounced", "complained", "uncertain")


async def html_of(composer: Composer, outbox: Outbox, digest: str) -> str | None:
    """The HTML of an email that has been sent; None where it is not there, or was erased.

    digest: of the delivery's key. Layouts and translations are those of now.
    """
    row = await asyncio.to_thread(outbox.promised, digest)
    if row is None or row["content"] != "email" or row["state"] not in _SENT or not row["user_id"]:
        return None
    document = await asyncio.to_thread(outbox.document, row["message_id"], row["message_version"])
    if document is None:
        return None
    # not on a thread: msgspec crashes where two threads decode a type for the first time
    message = from_resource(json.loads(document))
    about = cast(About, unpack(row["about"]))
    about["key"] = row["send_key"]
    about.setdefault("now", moment(row["rendered_for"]))
    for _, key, made in composer.render(
        message, unpack_user(row["user"]), contents=["email"], **about
    ):
        if key == row["key"] and isinstance(made, RenderedEmail):
            return _with_images(made) or None
    return None


def _with_images(email: RenderedEmail) -> str:
    """The HTML, with the inline images that a mail program takes from the attachments."""
    html = email.html
    for file in email.attachments:
        if file.cid:
            data = f"data:{file.content_type};base64,{b64encode(file.content).decode()}"
            html = html.replace(f"cid:{file.cid}", data)
    return html
