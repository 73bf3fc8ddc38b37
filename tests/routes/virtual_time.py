"""An event loop whose clock jumps to the next timer: hours of waiting take no time."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Jumping(selectors.DefaultSelector):
    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise AssertionError("everybody waits, and no timer is set")
        self.loop.now += timeout
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its time() begins at 1,000,000 s, where floats are less exact than near zero."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        selector = _Jumping()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        """The virtual moment."""
        return self.now


def moment() -> float:
    """The clock to inject: the running loop's, or its beginning outside of one."""
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        return 1_000_000.0


def run(main: Coroutine[Any, Any, T]) -> T:
    """asyncio.run() in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
