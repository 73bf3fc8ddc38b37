"""The providers, each in a process of its own: SMTP over TLS, an HTTP API of email, APNs.

`python -m benchmarks.chaos.providers NAME SEED LOG CERTIFICATE` prints its port.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import sys
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from benchmarks.chaos.fates import HANG, TAKES, Fate, Provider
from benchmarks.smtp.sink import Sink

sys.path.append(str(Path(__file__).parents[2] / "tests"))

import http_server
import push_server

_NUMBER = re.compile(rb"[Nn]umber (\d+)")
_PUSH_FATES: dict[Fate, push_server.Fate] = {
    "take_and_drop": "kill", "take_and_hang": "hang", "drop": "refuse", "hang": "refuse",
}  # fmt: skip


def number_in(body: bytes) -> int:
    """The message's number, which its text has."""
    found = _NUMBER.search(body)
    assert found, body
    return int(found[1])


class Relay(Sink):
    """A connection of an SMTP server."""

    def __init__(self, provider: Provider) -> None:
        super().__init__()
        self._provider, self._wait = provider, 0.0

    def answer(self, step: str, argument: str, usual: str) -> str:
        """As told by fate once a message is there."""
        if step != "." or not usual.startswith("2"):
            return super().answer(step, argument, usual)
        number = number_in(self.body)
        fate = self._provider.decide(number)
        self._provider.asked(number, "", fate)
        if fate == "refuse":
            return super().answer(step, argument, "550 5.7.1 not wanted")
        if fate == "defer":
            return super().answer(step, argument, "451 4.3.0 try again")
        if fate in ("take", "take_late"):
            self._wait = self._provider.late(number) if fate == "take_late" else 0.0
            return super().answer(step, argument, f"250 2.0.0 Ok: queued as N{number}")
        self.over = True
        if fate in ("drop", "take_and_drop"):
            self.transport.abort()
        return ""

    def deliver(self, text: bytes) -> None:
        """Late where fate says so: nobody asks anything else before."""
        wait, self._wait = self._wait, 0.0
        if wait:
            asyncio.get_running_loop().call_later(wait, self.transport.write, text)
        else:
            self.transport.write(text)


class Api:
    """An HTTP API that takes emails; `once` by Idempotency-Key, as Resend does."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def __call__(self, asked: http_server.Asked) -> http_server.Answer:
        number = number_in(asked.body)
        key = asked.headers.get("idempotency-key", "")
        fate = self._provider.decide(number)
        if not self._provider.asked(number, key, fate, asked.body):
            return _said(409, "invalid_idempotent_request")
        taken = {"id": str(uuid5(NAMESPACE_URL, key or f"{number}"))}
        good: Any = {"json": taken, "headers": {"x-message-id": taken["id"]}}
        match fate:
            case "refuse":
                return _said(422, "validation_error")
            case "defer":
                return _said(503, "busy")
            case "take":
                return http_server.Answer(**good)
            case "take_late":
                return http_server.Answer(**good, hang=self._provider.late(number))
            case "drop" | "take_and_drop":
                return http_server.Answer(close="now")
            case "hang" | "take_and_hang":
                return http_server.Answer(close="now", hang=HANG)


def _said(status: int, name: str) -> http_server.Answer:
    body = {"statusCode": status, "name": name, "message": name}
    return http_server.Answer(status=status, json=body)


class PushService:
    """APNs: what one request of many on a connection meets, the whole connection may meet."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._fate: Fate = "take"

    def foresee(self, seen: int) -> push_server.Fate:
        """What HTTP/2 does with the so-manieth request."""
        self._fate = self._provider.decide(seen)
        return _PUSH_FATES.get(self._fate, "answer")

    def __call__(self, asked: push_server.Asked) -> push_server.Answer:
        fate = self._fate
        self._provider.asked(number_in(asked.body), asked.headers["apns-id"], fate)
        if fate in TAKES:
            return push_server.Answer(200)
        if fate == "refuse":
            return push_server.Answer(400, {"reason": "PayloadEmpty"})
        soon = {"retry-after": "1"}
        return push_server.Answer(429, {"reason": "TooManyRequests"}, soon)


async def serve(name: str, provider: Provider, certificate: str) -> None:
    """Listen on a free port, print it, and go on until killed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if name == "smtp":
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Relay(provider), "127.0.0.1", 0, ssl=context)
        await _tell(server.sockets[0].getsockname()[1])
    elif name == "push":
        context.set_alpn_protocols(["h2"])
        service = PushService(provider)
        trouble = push_server.Trouble(fate=service.foresee)
        async with push_server.serving(service, trouble, tls=context) as running:
            await _tell(running.port)
    else:
        async with http_server.serving(Api(provider)) as api:
            await _tell(api.port)


async def _tell(port: int) -> None:
    print(port, flush=True)
    await asyncio.Event().wait()


def main(name: str, seed: str, log: str, certificate: str) -> None:
    """Be one provider."""
    provider = Provider(name, seed, Path(log), keeps_keys=name == "once")
    asyncio.run(serve(name, provider, certificate))


if __name__ == "__main__":
    main(*sys.argv[1:])
