"""Hostile data through the desk: outcomes, never exceptions; files only where they belong."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any, Literal

from attacks import MANY, NOW, check_wire, texts, values
from hostile_examples import message, samples, split
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from vero_channels.documents import Documents
from vero_channels.email.eml import Eml
from vero_channels.memory import Memory
from vero_deliver import Deliverer, Delivery, Device, Message, Renderer, User
from vero_deliver.render.undefined import Policy
from vero_deliver.rendered import RenderedEmail

POLICIES: tuple[Policy, ...] = ("strict", "blank", "keep")
SHIPPED = message("order-shipped")
assert SHIPPED.sms
AT_ANY_LENGTH = replace(SHIPPED, sms=replace(SHIPPED.sms, max_segments=None))
SENDERS: dict[Literal["email", "sms"], str] = {"email": "shop@example.com"}
DATA = next(split(document)[1] for name, document in samples() if name == "order-shipped")


def sent(deliverer: Deliverer, made: Message, user: User, **about: Any) -> list[Delivery]:
    """What became of it."""
    return asyncio.run(deliverer.send(made, user, now=NOW, **about))


def recipient(x: Any, token: str) -> User:
    """A user of hostile attributes who can be reached on every channel."""
    return User(
        id=token,
        email="ada@example.com",
        phone="+420601000001",
        devices=(Device(token=token, platform="ios"), Device(token=f"{token}2", platform="web")),
        attributes={"first_name": x},
    )


@MANY
@given(x=values, order=values, token=texts, key=texts, policy=st.sampled_from(POLICIES))
def test_memory_gets_it_or_says_why(
    x: Any, order: Any, token: str, key: str, policy: Policy
) -> None:
    """Email, two pushes and a text message: each accepted, skipped, or an error of ours."""
    memory = Memory()
    desk = Deliverer(
        Renderer(undefined=policy, from_=SENDERS), email=memory, push=memory, sms=memory
    )
    data = {"order": {**DATA["order"], "carrier": "x", "id": order}}
    done = sent(desk, SHIPPED, recipient(x, token), data=data, key=key)
    assert {delivery.state for delivery in done} <= {"accepted", "skipped", "unrendered"}
    assert all(delivery.detail for delivery in done)
    for one in memory.sent:
        if isinstance(one.rendered, RenderedEmail):
            check_wire(one.rendered.mime(one.key), one.rendered)


@MANY
@given(x=texts.filter(lambda text: len(text) < 1_000), token=texts, key=texts)  # fits the subject
def test_files_stay_in_their_folder(x: str, token: str, key: str) -> None:
    """Hostile keys and values make plain files, JSON that reads back, whole mail."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "captured"
        files, mail = Documents(folder), Eml(folder)
        desk = Deliverer(Renderer(from_=SENDERS), email=mail, push=files, sms=files, http=files)
        data = {"order": {**DATA["order"], "id": x, "carrier": x, "tracking": x}}
        done = sent(desk, AT_ANY_LENGTH, recipient(x, token), data=data, key=key)
        assert [delivery.state for delivery in done] == ["accepted"] * 5
        assert [path.name for path in Path(place).iterdir()] == ["captured"]
        assert len(list(folder.iterdir())) == 6
        assert {str(folder / Path(delivery.detail).name) for delivery in done} == {
            delivery.detail for delivery in done
        }
        for path in folder.glob("*.json"):
            assert json.loads(path.read_bytes())["key"].startswith(key)
        [eml] = folder.glob("*.eml")
        assert eml.stat().st_mode & 0o777 == 0o600
        assert eml.read_bytes().count(b"\r\n\r\n") >= 3


@MANY
@given(x=texts, y=texts)
def test_same_data_same_key(x: str, y: str) -> None:
    """A derived key is plain, and says whether user and data are the same."""
    memory = Memory()
    desk = Deliverer(Renderer(from_=SENDERS), email=memory)
    user = recipient("x", x)
    data = {"order": {**DATA["order"], "id": y}}
    keys = [sent(desk, SHIPPED, user, data=data, contents=["email"])[0].key for _ in range(2)]
    assert keys[0] == keys[1]
    assert keys[0].isascii()
    assert keys[0].replace("-", "").isalnum()
