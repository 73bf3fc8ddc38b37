"""Every driver is a Channel of what it carries; mypy and pyright check this file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, assert_type

import pytest

from vero_channels.documents import Documents
from vero_channels.email.eml import Eml
from vero_channels.email.mailjet import Mailjet
from vero_channels.email.postmark import Postmark
from vero_channels.email.resend import Resend
from vero_channels.email.sendgrid import SendGrid
from vero_channels.email.smtp import Smtp
from vero_channels.memory import Memory
from vero_deliver.channel import BatchChannel, Channel, Receipt
from vero_deliver.deliver import Deliverer
from vero_deliver.errors import DeliveryError
from vero_deliver.rendered import RenderedEmail, RenderedHttp, RenderedPush, RenderedSms
from vero_deliver.routes import Failover, RoundRobin, Throttled
from vero_deliver.secret import Secret
from vero_deliver.testing import sample_sms


def emails(folder: Path) -> list[Channel[RenderedEmail]]:
    """The channels that carry email."""
    return [
        Smtp("mail.example.com", username="ada", password=Secret("hunter2")),
        Eml(folder),
        Memory(),
        SendGrid("key"),
        *batches(),
    ]


def batches() -> list[BatchChannel[RenderedEmail]]:
    """The channels that take many emails at once."""
    return [Mailjet("key", Secret("secret")), Postmark("token"), Resend("key")]


@pytest.mark.anyio
async def test_send_many_gives_receipts_or_errors() -> None:
    """An empty batch has an empty answer of that type."""
    for channel in batches():
        assert_type(await channel.send_many([]), list[Receipt | DeliveryError])
        assert await channel.send_many([]) == []


def routes(folder: Path) -> Deliverer:
    """A route is a channel of what all of its channels carry."""
    safe: Failover[RenderedEmail] = Failover([Smtp("one.example.com"), Eml(folder)])
    slow: Channel[RenderedPush] = Throttled(Documents(folder), "100/s")
    return Deliverer(email=RoundRobin([safe, Memory()], [3, 1]), push=slow)


def test_routes_are_channels(tmp_path: Path) -> None:
    """For type checkers above all; a deliverer takes them."""
    assert set(routes(tmp_path).channels) == {"email", "push"}


def documents(folder: Path) -> list[Channel[RenderedPush | RenderedSms | RenderedHttp]]:
    """The channels that carry the other contents."""
    return [Documents(folder), Memory()]


def pushes(folder: Path) -> Channel[RenderedPush]:
    """A channel of three contents is a channel of one of them."""
    return Documents(folder)


@pytest.mark.anyio
async def test_send_gives_a_receipt() -> None:
    """The answer to send is a Receipt, for type checkers and at run time."""
    receipt = await Memory().send(sample_sms(), "key-1")
    assert_type(receipt, Receipt)
    assert isinstance(receipt, Receipt)


def test_every_driver_has_a_name_and_says_whether_it_is_idempotent(tmp_path: Path) -> None:
    """What delivers twice when told twice says so."""
    channels: list[Channel[Any]] = [*emails(tmp_path), *documents(tmp_path)]
    assert {(channel.name, channel.idempotent) for channel in channels} == {
        ("smtp", False), ("eml", True), ("memory", True), ("json", True), ("sendgrid", False),
        ("mailjet", False), ("postmark", False), ("resend", True),
    }  # fmt: skip
