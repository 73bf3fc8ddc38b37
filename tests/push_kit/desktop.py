"""A desktop without a screen that clicks on every notification (org.freedesktop.Notifications).

usage: dbus-run-session -- python desktop.py SIGN COMMAND...    runs the command in it

A notification with a button is clicked on its first button, another one on itself, once there is a
file SIGN, which is removed.
"""

from __future__ import annotations

import asyncio
import sys
from itertools import count
from pathlib import Path
from typing import Any, Final

from dbus_fast import Message, MessageType
from dbus_fast.aio import MessageBus

NAME: Final = "org.freedesktop.Notifications"
PATH: Final = "/org/freedesktop/Notifications"
PLAIN: Final[dict[str, tuple[str, list[Any]]]] = {
    "GetCapabilities": ("as", [["actions", "body"]]),
    "GetServerInformation": ("ssss", ["desktop", "vero", "1", "1.2"]),
    "CloseNotification": ("", []),
}


async def main(sign: Path, command: list[str]) -> int:
    """The command's exit code."""
    bus = await MessageBus().connect()
    numbers, clicks = count(1), list[asyncio.Future[None]]()

    async def click(number: int, button: str) -> None:
        while not sign.exists():  # noqa: ASYNC110  # another process makes it
            await asyncio.sleep(0.05)
        sign.unlink()
        signal = Message.new_signal(PATH, NAME, "ActionInvoked", "us", [number, button])
        await bus.send(signal)

    def answer(asked: Message) -> Message | None:
        if asked.message_type != MessageType.METHOD_CALL or asked.interface != NAME:
            return None
        if asked.member == "Notify":
            number, actions = next(numbers), asked.body[5]
            button = "0" if "0" in actions else "default"
            clicks.append(asyncio.ensure_future(click(number, button)))
            return Message.new_method_return(asked, "u", [number])
        signature, body = PLAIN[asked.member or ""]
        return Message.new_method_return(asked, signature, body)

    bus.add_message_handler(answer)
    await bus.request_name(NAME)
    running = await asyncio.create_subprocess_exec(*command)
    return await running.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]), sys.argv[2:])))
