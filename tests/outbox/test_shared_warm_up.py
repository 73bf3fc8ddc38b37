"""What an address has sent to a provider is known to all processes, and to the next one."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from vero_channels.transport.egress.warm_up import MemoryWarmUp
from vero_deliver import Outbox
from vero_deliver.errors import Deferred
from vero_deliver.outbox.warm_up import SharedWarmUp
from vero_deliver.project import Project
from vero_deliver.warm_up import Progress, WarmUpStore

pytestmark = pytest.mark.anyio

FIRST, SECOND = date(2026, 11, 1), date(2026, 11, 2)


@pytest.fixture(params=["memory", "outbox"])
def store(request: pytest.FixtureRequest, outbox: Outbox) -> WarmUpStore:
    return MemoryWarmUp() if request.param == "memory" else SharedWarmUp(outbox)


async def test_a_days_messages_are_counted(store: WarmUpStore) -> None:
    """Up to the day's, each day anew; what was not sent is given back; providers are apart."""
    assert await store.progress("a", "gmail") is None
    for leave in (True, True, False):
        assert await store.take("a", "gmail", FIRST, FIRST, 2) is leave
    await store.undo("a", "gmail", FIRST)
    assert await store.progress("a", "gmail") == Progress(FIRST, FIRST, 1)
    assert await store.take("a", "outlook", FIRST, FIRST, 1)
    assert await store.take("a", "gmail", FIRST, SECOND, 1)
    await store.undo("a", "gmail", FIRST)  # of a day that is over
    assert await store.progress("a", "gmail") == Progress(FIRST, SECOND, 1)
    assert await store.take("a", "gmail", FIRST, SECOND, None)


async def test_processes_count_together(outbox: Outbox, database: str) -> None:
    """Of twenty at the same moment from two processes just seven get leave, and all know it."""
    others = Outbox(database)
    stores = [SharedWarmUp(outbox), SharedWarmUp(others)]
    asked = [stores[n % 2].take("a", "gmail", FIRST, FIRST, 7) for n in range(20)]
    assert sum(await asyncio.gather(*asked)) == 7
    assert await SharedWarmUp(others).progress("a", "gmail") == Progress(FIRST, FIRST, 7)
    others.close()


async def test_a_database_that_fails_sends_nothing() -> None:
    """More than an address may send would hurt it for weeks."""
    broken = SharedWarmUp(Outbox("sqlite:////nowhere/at/all.db"), "ours")
    with pytest.raises(Deferred, match="ours: the warm-up cannot be counted"):
        await broken.take("a", "gmail", FIRST, FIRST, 7)


def test_a_project_with_an_outbox_has_it(tmp_path: Path) -> None:
    """The driver mx gets it; other drivers know nothing of it."""
    (tmp_path / "vero-deliver.toml").write_text(
        '[outbox]\n[channels.ours]\ndriver = "mx"\n'
        '[channels.ours.sources.a]\naddress = "127.0.0.1"\nehlo = "a.example.com"\n'
        '[env.dev]\nemail = "ours"\n'
    )
    made: Any = Project.find(tmp_path).deliverer(["email", "sms"]).channels["email"]
    assert isinstance(made._warm_up._store, SharedWarmUp)
    assert made._warm_up._store.name == "ours"
