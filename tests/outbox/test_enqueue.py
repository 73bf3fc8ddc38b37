"""Deliveries recorded in the caller's own transaction exist if that is committed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from promising import ADA, NEWS, states
from sqlalchemy.orm import Session

from vero_channels.memory import Memory
from vero_deliver import Deliverer, Outbox, Worker
from vero_deliver.errors import ConfigError
from vero_deliver.sync import Deliverer as BlockingDeliverer

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("commit", [True, False])
def test_committed_with_the_order(outbox: Outbox, *, commit: bool) -> None:
    """A connection's transaction decides."""
    deliverer = BlockingDeliverer(sms=Memory(), outbox=outbox)
    with outbox.database.engine.connect() as connection:
        transaction = connection.begin()
        [delivery] = deliverer.enqueue(
            NEWS, ADA, contents=["sms"], data={"n": 1}, key="k", into=connection
        )
        assert delivery.state == "queued"
        assert not outbox_sees(outbox)
        (transaction.commit if commit else transaction.rollback)()
    assert outbox_sees(outbox) == commit


def outbox_sees(outbox: Outbox) -> bool:
    return outbox.get("k-sms") is not None


def test_a_session_will_do(outbox: Outbox) -> None:
    """SQLAlchemy's ORM session is taken as well."""
    deliverer = BlockingDeliverer(sms=Memory(), outbox=outbox)
    with Session(outbox.database.engine) as session:
        deliverer.enqueue(NEWS, ADA, contents=["sms"], data={"n": 1}, key="k", into=session)
        session.commit()
    assert outbox_sees(outbox)


async def test_an_async_connection_will_do(postgresql: str) -> None:
    """The async deliverer takes an async connection."""
    pytest.importorskip("greenlet")
    from postgres_server import new_database
    from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

    url = new_database(postgresql, "asynchronous")
    engine = create_async_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    async with Deliverer(sms=Memory(), outbox=Outbox(url)) as deliverer:
        assert deliverer.outbox
        deliverer.outbox.create()
        async with AsyncSession(engine) as session:
            await deliverer.enqueue(
                NEWS, ADA, contents=["sms"], data={"n": 1}, key="k", into=session
            )
            assert not outbox_sees(deliverer.outbox)
            await session.commit()
        assert outbox_sees(deliverer.outbox)
    await engine.dispose()


async def test_a_message_edited_later_goes_out_as_promised(outbox: Outbox) -> None:
    """What is sent is the message as it was when it was recorded."""
    memory = Memory()
    await Deliverer(sms=memory, outbox=outbox).enqueue(
        NEWS, ADA, contents=["sms"], data={"n": 7}, key="k"
    )
    later = Deliverer(sms=memory, outbox=Outbox(outbox.database.engine))  # knows no message
    assert await Worker(later).run(drain=True) == 1
    assert memory.sent[0].rendered.body == "Number 7"  # type: ignore[union-attr]


async def test_not_before(outbox: Outbox) -> None:
    """A worker leaves alone what is not due."""
    memory = Memory()
    deliverer = Deliverer(sms=memory, outbox=outbox)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    await deliverer.enqueue(
        NEWS, ADA, contents=["sms"], data={"n": 1}, key="k", not_before=tomorrow
    )
    assert await Worker(deliverer).run(drain=True) == 0
    with pytest.raises(TypeError, match="timezone"):
        await deliverer.enqueue(NEWS, ADA, data={"n": 1}, not_before=datetime(2026, 1, 1))


async def test_a_key_that_is_there_is_told(outbox: Outbox) -> None:
    """Enqueueing again changes nothing and says how it stands."""
    deliverer = Deliverer(sms=Memory(), outbox=outbox)
    for expected in ("queued", "queued"):
        both = await deliverer.enqueue(NEWS, ADA, contents=["sms"], data={"n": 1}, key="k")
        assert states(both) == [expected]
    await Worker(deliverer).run(drain=True)
    both = await deliverer.enqueue(NEWS, ADA, contents=["sms"], data={"n": 1}, key="k")
    assert states(both) == ["accepted"]


async def test_without_an_outbox_it_says_so() -> None:
    """enqueue and Worker need one; expires too."""
    deliverer = Deliverer(sms=Memory())
    with pytest.raises(ConfigError, match="outbox"):
        await deliverer.enqueue(NEWS, ADA, data={"n": 1})
    with pytest.raises(ConfigError, match="outbox"):
        Worker(deliverer)
    with pytest.raises(TypeError, match="outbox"):
        await deliverer.send(NEWS, ADA, data={"n": 1}, expires=timedelta(days=1))
