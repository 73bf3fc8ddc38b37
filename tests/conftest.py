"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings
from postgres_server import new_database, postgres, programs

from vero_deliver import Outbox

_names = count(1)
settings.register_profile("untimed", deadline=None)  # machines are busy at times
settings.load_profile("untimed")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A PostgreSQL server for all tests."""
    if programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of this test's own, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/outbox.db"
    return new_database(request.getfixturevalue("postgresql"), f"test{next(_names)}")


@pytest.fixture
def outbox(database: str) -> Iterator[Outbox]:
    """An outbox with its tables."""
    own = Outbox(database)
    own.create()
    yield own
    own.close()
