"""What people decide: cancel, retry, erase, purge; and what is kept comes back as it was."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from promising import ADA, NEWS, Clock, order, queue_many

from vero_channels.memory import Memory
from vero_deliver import Deliverer, Outbox, User, Worker
from vero_deliver.errors import DataError, Deferred, Refused, Uncertain
from vero_deliver.outbox.packing import pack, pack_user, unpack, unpack_user
from vero_deliver.outbox.records import Result, Start
from vero_deliver.user import Device

pytestmark = pytest.mark.anyio
DAY = timedelta(days=1)

plain = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(),
    st.binary(), st.dates(), st.times(), st.datetimes(timezones=st.just(UTC)),
    st.decimals(allow_nan=False), st.uuids(), st.timedeltas(),
)  # fmt: skip
names = st.one_of(st.text(), st.sampled_from(["$date", "$markup", "$decimal", "$object", "$bytes"]))
values = st.recursive(
    plain, lambda inner: st.lists(inner) | st.dictionaries(names, inner), max_leaves=20
)


@given(values)
def test_data_comes_back(value: Any) -> None:
    """Every value that can be kept, under any names."""
    text = pack(value, "data")
    assert text.isascii()
    assert unpack(text) == value


def test_markup_stays_markup() -> None:
    """HTML that the sender vouches for is not escaped; a mapping that says so is not believed."""
    assert isinstance(unpack(pack([Markup("<b>")], "data"))[0], Markup)
    assert unpack(pack({"$markup": "<b>"}, "data")) == {"$markup": "<b>"}


def test_users_come_back() -> None:
    """Devices and attributes included."""
    user = User(
        id="u",
        email="a@example.org",
        devices=(Device(token="t", platform="ios"),),
        attributes={"since": date(2020, 1, 2), "spent": Decimal("1.50"), "ref": UUID(int=1)},
    )
    assert unpack_user(pack_user(user)) == user


@pytest.mark.parametrize("value", [object(), {1: 2}, {"a": [set()]}, lambda: 1])
def test_what_would_not_come_back_is_refused(value: Any) -> None:
    """The error says where."""
    with pytest.raises(DataError, match="data"):
        pack(value, "data")


def test_deep_data_is_refused() -> None:
    """It is an error about the data, no crash."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(DataError, match="deep"):
        pack(deep, "data")


async def failed(outbox: Outbox, *errors: Exception) -> Deliverer:
    """One delivery, k0-sms, that came to this."""
    memory = Memory()
    for error in errors:
        memory.fail(error)  # type: ignore[arg-type]
    deliverer = Deliverer(sms=memory, outbox=outbox)
    await queue_many(deliverer, 1)
    await Worker(deliverer).run(drain=True)
    return deliverer


async def test_a_person_may_try_again(outbox: Outbox) -> None:
    """What was refused is queued, and goes out."""
    deliverer = await failed(outbox, Refused("no", channel="memory"))
    assert outbox.count() == {"refused": 1}
    assert outbox.retry("k0-sms", DAY)
    await Worker(deliverer).run(drain=True)
    assert outbox.count() == {"accepted": 1}
    assert not outbox.retry("k0-sms", DAY), "it was accepted"
    assert not outbox.cancel("k0-sms"), "it was accepted"


async def test_a_person_may_call_it_off(outbox: Outbox) -> None:
    """What waits is cancelled, and no worker takes it."""
    deliverer = await failed(outbox, Deferred("busy", channel="memory"))
    assert outbox.cancel("k0-sms")
    assert not outbox.cancel("k0-sms")
    assert not outbox.cancel("nobody")
    await Worker(deliverer).run(drain=True)
    assert outbox.count() == {"cancelled": 1}


async def test_what_is_in_doubt_is_not_called_off(outbox: Outbox) -> None:
    """It may have arrived: "cancelled" would be a lie."""
    await failed(outbox, Uncertain("silence", channel="memory"))
    assert outbox.count() == {"deferred": 1}
    assert not outbox.cancel("k0-sms")


async def test_what_a_person_decided_stays(outbox: Outbox) -> None:
    """A late answer of a worker that had lost its lease changes it no more."""
    clock = Clock()
    own = Outbox(outbox.database.engine, clock=clock)
    own.add(NEWS, [order(own, "k")])
    [leased] = own.claim(["sms"], 1)
    own.file([Start(leased, "c", repeatable=False)], [])
    clock.now += 61
    own.recover()
    assert own.cancel("k")
    now = own.now()
    late = Result(leased=leased, state="accepted", ended_at=now, started_at=now, channel="c")
    assert not own.file([], [late]).held
    assert own.count() == {"cancelled": 1}
    assert [one.state for one in own.attempts("k")] == ["accepted"]


async def test_an_erased_user_is_in_no_table(outbox: Outbox) -> None:
    """Neither address nor data nor the provider's words are left; the key is not sent again."""
    deliverer = await failed(outbox, Refused("no such user ada@example.org", channel="memory"))
    tomorrow = datetime.now(UTC) + DAY
    await deliverer.enqueue(NEWS, ADA, key="later", data={"n": 123_456}, not_before=tomorrow)
    assert outbox.erase("u1") == 3
    with outbox.database.engine.connect() as connection:
        for table in ("vero_deliveries", "vero_attempts"):
            text = str(connection.exec_driver_sql(f"SELECT * FROM {table}").all())
            for secret in ("ada@example.org", "+420601000001", "u1", "123456"):
                assert secret not in text
    assert outbox.count() == {"refused": 1, "cancelled": 2}
    [again] = await deliverer.send(NEWS, ADA, key="k0", contents=["sms"], data={"n": 0})
    assert again.state == "refused"
    assert outbox.erase("u1") == 0


async def test_purge_forgets_what_ended(outbox: Outbox) -> None:
    """With its attempts; what waits or is uncertain stays."""
    deliverer = await failed(outbox)
    tomorrow = datetime.now(UTC) + DAY
    await deliverer.enqueue(NEWS, ADA, key="later", data={"n": 1}, not_before=tomorrow)
    assert outbox.purge(datetime.now(UTC) - DAY) == 0
    assert outbox.purge(tomorrow) == 1
    assert outbox.count() == {"queued": 2}
    assert outbox.attempts("k0-sms") == []
