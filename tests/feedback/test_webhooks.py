"""What holds for the webhooks of every provider."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from webhook_senders import FOREIGN, NEW, NOON, OLD, SENDERS, Sender, changed

from vero_channels.transport.keys import named, wire_key
from vero_channels.transport.webhooks import Post, Reader
from vero_deliver.errors import FeedbackError, NotAuthentic, NotUnderstood
from vero_deliver.feedback import MEANING, Feedback
from vero_deliver.mime import Named, key_digest
from vero_deliver.testing import HOSTILE_KEYS

EVERY = pytest.mark.parametrize("sender", SENDERS.values(), ids=SENDERS)


def read(reader: Reader, post: Post) -> list[Feedback]:
    found = asyncio.run(reader.read(post))
    assert isinstance(found, list)
    return found


@EVERY
@pytest.mark.parametrize("secret", [NEW, OLD])
def test_event_is_read(sender: Sender, secret: str) -> None:
    """An authentic event becomes one feedback, with the new secret and the old one."""
    reader = sender.make()
    [found] = read(reader, sender.sign([sender.event], secret))
    assert found.kind == "delivered"
    assert found.channel == reader.name
    assert (found.key, found.digest) == ("order-1", key_digest("order-1"))
    assert found.recipient == "ada@example.org"
    assert found.at.utcoffset() == timedelta(0)
    assert found.raw
    assert "vero_key" not in found.metadata


@pytest.mark.parametrize("key", [*HOSTILE_KEYS, "order-1", "sha256-" + "0" * 64])
def test_what_drivers_write_is_read(key: str) -> None:
    """The field that a driver hands over names the delivery, by its key or its digest."""
    written = wire_key(key)
    assert named(written) == Named(key if written == key else "", key_digest(key))
    assert named("") == Named("", "")


@EVERY
def test_configured_name_is_the_channel(sender: Sender) -> None:
    """A reader has the name of its provider unless it is given another."""
    reader = sender.make()
    assert SENDERS[reader.name] is sender


@EVERY
def test_foreign_secret_is_not_authentic(sender: Sender) -> None:
    """Signed or presented with a secret that is not ours."""
    with pytest.raises(NotAuthentic) as caught:
        read(sender.make(), sender.sign([sender.event], FOREIGN))
    assert caught.value.channel == sender.make().name


@EVERY
def test_missing_signature_is_not_authentic(sender: Sender) -> None:
    """A post without any of its headers, and Mailgun's without its signature."""
    post = sender.sign([sender.event], NEW)
    if sender is SENDERS["mailgun"]:
        bare = changed(post, body=json.dumps({"event-data": sender.event}).encode())
    else:
        bare = changed(post, headers={})
    with pytest.raises(NotAuthentic):
        read(sender.make(), bare)


@EVERY
def test_each_missing_header_is_not_authentic(sender: Sender) -> None:
    """Every header that proves something is needed."""
    post = sender.sign([sender.event], NEW)
    for name in set(post.headers) - {"content-type"}:
        fewer = {n: v for n, v in post.headers.items() if n != name}
        with pytest.raises(NotAuthentic):
            read(sender.make(), changed(post, headers=fewer))


SIGNED = pytest.mark.parametrize(
    "sender",
    [s for s in SENDERS.values() if s.covers_body],
    ids=[n for n, s in SENDERS.items() if s.covers_body],
)


@SIGNED
def test_changed_body_is_not_authentic(sender: Sender) -> None:
    """One other recipient and the signature does not fit any more."""
    post = sender.sign([sender.event], NEW)
    forged = post.body.replace(b"order-1", b"order-2")
    assert forged != post.body
    with pytest.raises(NotAuthentic):
        read(sender.make(), changed(post, body=forged))


@pytest.mark.parametrize("name", ["sendgrid", "resend"])
def test_reserialised_body_is_not_authentic(name: str) -> None:
    """The same JSON in other bytes: a framework that parses and prints it breaks the signature."""
    sender = SENDERS[name]
    post = sender.sign([sender.event], NEW)
    printed = json.dumps(json.loads(post.body), separators=(",", ":")).encode()
    assert json.loads(printed) == json.loads(post.body)
    with pytest.raises(NotAuthentic):
        read(sender.make(), changed(post, body=printed))


@pytest.mark.parametrize("name", ["sendgrid", "resend", "mailgun"])
@pytest.mark.parametrize("days", [-1, 1])
def test_signature_of_another_day_is_not_authentic(name: str, days: int) -> None:
    """What was signed is not posted again a day later, nor a day before."""
    sender = SENDERS[name]
    post = sender.sign([sender.event], NEW)
    with pytest.raises(NotAuthentic, match="from now"):
        read(sender.make(), changed(post, at=NOON + timedelta(days=days)))


@EVERY
def test_unknown_event_is_kept(sender: Sender) -> None:
    """An event that the provider has invented since is unknown, and whole."""
    [found] = read(sender.make(), sender.sign([sender.unknown], NEW))
    assert found.kind == "unknown"
    assert found.recipient == "ada@example.org"
    assert "teleport" in json.dumps(dict(found.raw)).lower()


@EVERY
def test_batch_keeps_order(sender: Sender) -> None:
    """Several events of one post come in its order; their ids differ."""
    if not sender.batches:
        pytest.skip("this provider posts one event at a time")
    reader = sender.make()
    found = read(reader, sender.sign([sender.event, sender.unknown], NEW))
    assert [one.kind for one in found] == ["delivered", "unknown"]
    assert len({one.id for one in found}) == 2


@EVERY
def test_repeated_post_has_the_same_ids(sender: Sender) -> None:
    """The store finds what comes twice, as it does after a failure."""
    reader = sender.make()
    post = sender.sign([sender.event], NEW)
    first, second = read(reader, post), read(reader, post)
    assert first == second
    assert first[0].id


@EVERY
@pytest.mark.parametrize("value", ["text", 7, None, [1], [[]]])
def test_other_json_is_not_understood(sender: Sender, value: Any) -> None:
    """Authentic JSON that holds no event is an error or nothing, never half an event."""
    try:
        found = read(sender.make(), sender.sign([value], NEW))
    except NotUnderstood:
        return
    assert found == []


@pytest.mark.parametrize("name", ["mailjet", "postmark", "brevo", "sparkpost"])
@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"1" * 5000])
def test_no_json_is_not_understood(name: str, body: bytes) -> None:
    """A body that is no JSON."""
    sender = SENDERS[name]
    with pytest.raises(NotUnderstood):
        read(sender.make(), changed(sender.sign([sender.event], NEW), body=body))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def names(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {n for inner in value.values() for n in names(inner)}
    return {n for inner in value for n in names(inner)} if isinstance(value, list) else set()


WORDS = """timestamp time ts ts_epoch created_at reason bounce status code error url type message
delivery-status headers client-info complaint tags category bouncedRecipients destination msg
bounceType Details Type ID _id""".split()  # noqa: SIM905
KNOWN = sorted({n for sender in SENDERS.values() for n in names(dict(sender.event))} | set(WORDS))
HOSTILE = st.dictionaries(st.sampled_from(KNOWN) | st.text(), VALUES, max_size=6)


@EVERY
@settings(max_examples=60, deadline=None)
@given(hostile=HOSTILE, over=st.booleans())
@example(hostile={"timestamp": 1e300, "ts": -1, "time": "9" * 400}, over=True)
def test_authentic_nonsense(sender: Sender, hostile: dict[str, Any], over: bool) -> None:
    """Fields of any type give feedback with the right types, or NotUnderstood."""
    event = {**sender.event, **hostile} if over else hostile
    try:
        found = read(sender.make(), sender.sign([event], NEW))
    except NotUnderstood:
        return
    for one in found:
        assert one.kind in MEANING
        assert one.at.tzinfo is UTC
        assert one.id
        fields = (one.key, one.recipient, one.diagnostic, one.url, one.ip, one.provider_id)
        assert all(isinstance(field, str) for field in (*fields, *one.tags))
        assert all(isinstance(value, str) for value in one.metadata.values())


@EVERY
@settings(max_examples=60, deadline=None)
@given(body=st.binary(), headers=st.dictionaries(st.text(), st.text(), max_size=3))
def test_any_post_is_answered(sender: Sender, body: bytes, headers: dict[str, str]) -> None:
    """Whatever anybody posts raises one of the two errors."""
    proven = {name: headers.get("", "x") for name in sender.sign([sender.event], NEW).headers}
    for given_headers in (headers, proven):
        with pytest.raises(FeedbackError):
            read(sender.make(), Post.of(body, given_headers, NOON))


@EVERY
def test_repr_shows_no_secret(sender: Sender) -> None:
    """A reader can be printed; an error shows nothing of what came."""
    shown = repr(sender.make())
    assert NEW not in shown
    assert OLD not in shown
    assert "hook:pass" not in shown
    with pytest.raises(NotAuthentic) as caught:
        read(sender.make(), sender.sign([sender.event], FOREIGN))
    assert FOREIGN not in str(caught.value)
    assert "order-1" not in str(caught.value)
