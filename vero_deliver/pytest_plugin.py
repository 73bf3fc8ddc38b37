"""For tests of code that sends: the fixture `outbox` holds what was sent, and nothing leaves.

pytest loads this by itself where vero-deliver is installed; the rest is imported when a test asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from vero_deliver.captured import Captured


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Captured]:
    """What the code under test sends, over whatever channel, until the test ends.

    Every Deliverer made meanwhile hands over here: of Project.deliverer(), of async and blocking
    ones, whatever the environment. No secret is looked up. A project's outbox of deliveries is a
    new one of this test.
    """
    from vero_deliver.captured import capturing

    with capturing(tmp_path) as captured:
        yield captured
