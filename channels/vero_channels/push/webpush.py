"""Web Push to browsers: RFC 8030, encrypted as RFC 8291 says, signed as RFC 8292 says.

A device's token is the whole subscription as the page gets it, `JSON.stringify(subscription)`:
{"endpoint": "https://...", "keys": {"p256dh": "...", "auth": "..."}}. Without the keys nothing can
be encrypted for it.
"""

from __future__ import annotations

import ipaddress
import json
import re
from base64 import b64decode
from dataclasses import dataclass
from typing import ClassVar, Final

import httpx

from vero_channels.push.payload import (
    WEBPUSH_LIMIT,
    encoded,
    webpush_headers,
    webpush_payload,
)
from vero_channels.transport.aes128gcm import encrypt
from vero_channels.transport.guard import BlockedError, Guard, is_public
from vero_channels.transport.http1 import Http1Transport
from vero_channels.transport.http_answers import Problem
from vero_channels.transport.http_anywhere import HttpAnywhere
from vero_channels.transport.keys import wire_key
from vero_deliver.errors import (
    ConfigError,
    DeliveryError,
    Gone,
    Misconfigured,
    Refused,
)
from vero_deliver.push_reports import checked, make_token
from vero_deliver.rendered import ContentName, RenderedPush
from vero_deliver.secret import Secret
from vero_deliver.vapid import Vapid

_JWT: Final = re.compile(r"eyJ[\w-]+(?:\.[\w-]*)*")  # also one that was cut off
_MASS: Final = 20  # refusals of the key in a row before anything was accepted: it is us
_IDS: Final = ("location", "apns-id", "x-wns-msg-id")  # the RFC's, Apple's, Microsoft's
_NO_SUBSCRIPTION: Final = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
_HOST: Final = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?|[0-9a-f:.]{2,45}")
_LONGEST_TOKEN: Final = 4000  # characters


class WebPush(HttpAnywhere[RenderedPush]):
    """One VAPID key: browsers take pushes only from the key that they subscribed with.

    private_key, subject: as `vero_deliver.vapid.Vapid` has them. report_secret: signs the tokens
    with which service workers report (`vero_deliver.push_reports`); none, no reports.
    timeout: seconds to connect, to write, and between two pieces of the answer, which has to be
    there whole within twice of it. private_networks: also push services that are not on the
    public internet; an endpoint is chosen by whoever subscribes, and this machine reaches what
    they may not. client: yours, and so is the choice of networks that it reaches.
    """

    contents: ClassVar[tuple[ContentName, ...]] = ("push",)

    def __init__(
        self,
        private_key: str | Secret,
        subject: str,
        *,
        report_secret: str | Secret | None = None,
        private_networks: bool = False,
        name: str = "webpush",
        timeout: float = 30.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(name=name, timeout=timeout, client=client)
        try:
            self._vapid = Vapid(private_key, subject)
        except ValueError as error:
            raise ConfigError(f"channel {name!r}: {error}") from None
        self._report_secret = checked(report_secret) if report_secret else None
        self._private = private_networks
        self._strange = 0  # refusals of the key in a row; -1 once one was accepted
        if not private_networks:
            self._transport = Http1Transport(guard=Guard())

    def __repr__(self) -> str:
        return f"WebPush(name={self._name!r}, vapid={self._vapid!r})"

    def request(self, rendered: RenderedPush, key: str) -> httpx.Request:
        """POST to the endpoint, encrypted with a new key: no two are alike."""
        subscription = self._subscription(rendered)
        body = encrypt(self.plaintext(rendered, key), subscription.p256dh, subscription.auth)
        headers = {
            **webpush_headers(rendered),
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
        }
        return self.post(subscription.endpoint, content=body, headers=headers)

    def plaintext(self, rendered: RenderedPush, key: str) -> bytes:
        """What the service worker reads. ValueError where it is too long."""
        report = ""
        if self._report_secret:
            named = wire_key(key)
            report = make_token(self._report_secret, channel=self._name, key=named, at=rendered.at)
        return encoded(webpush_payload(rendered, key, report=report), WEBPUSH_LIMIT)

    def authorized(self, request: httpx.Request) -> httpx.Request:
        """Signed for the endpoint's origin."""
        origin = f"{request.url.scheme}://{request.url.netloc.decode()}"
        authorization = self._vapid.authorization(origin)
        request.headers["authorization"] = authorization.reveal()
        return request

    def provider_id(self, response: httpx.Response) -> str:
        """The push message resource, or what some services give in its place."""
        self._strange = -1
        found = [response.headers[name] for name in _IDS if response.headers.get(name)]
        return found[0] if found else "unnamed"

    def refusal(self, response: httpx.Response, found: Problem) -> DeliveryError | None:
        """404 and 410: unsubscribed. A key other than subscribed with: 400 from Apple, else 403.

        That is one browser's matter, whose service anybody may choose; ours where none ever took
        the key.
        """
        status, detail = response.status_code, found.detail
        if status in (404, 410):
            return Gone(
                f"the subscription has ended: {detail}", channel=self._name, code=found.code
            )
        if status in (401, 403) or "VapidPkHashMismatch" in detail:
            kind: type[DeliveryError] = Refused
            if self._strange >= 0:
                self._strange += 1
                kind = Misconfigured if self._strange > _MASS else Refused
            advice = "check private_key: a browser takes only the key that it subscribed with"
            return kind(f"{advice}: {detail}", channel=self._name, code=found.code)
        return None

    async def _sent(self, request: httpx.Request) -> httpx.Response:
        try:
            return await super()._sent(request)
        except BlockedError:
            host = request.url.host
            detail = f"the endpoint {host} is not on the public internet; see private_networks"
            raise Refused(detail, channel=self._name) from None

    def shown(self, text: str) -> str:
        """The text without the signed token, which a service might repeat."""
        return super().shown(_JWT.sub("***", text))

    def _subscription(self, rendered: RenderedPush) -> Subscription:
        device = rendered.device
        if device is None:
            raise ValueError("the push has no device")
        if device.platform != "web":
            raise ValueError(f"the device's platform is {device.platform}, and this reaches web")
        subscription = read_subscription(device.token)
        if not self._private and not _may_be_public(httpx.URL(subscription.endpoint).host):
            raise ValueError("the endpoint is not on the public internet; see private_networks")
        return subscription


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where a browser is reached, and its keys. The endpoint is https and without a user."""

    endpoint: str
    p256dh: bytes
    auth: bytes


def read_subscription(token: str) -> Subscription:
    """A device's token. ValueError, which shows nothing of it, says what to store instead."""
    wanted = "store JSON.stringify(subscription) as the device's token"
    if token.startswith(("https://", "http://")):
        raise ValueError(f"the token is a bare endpoint, without the browser's keys; {wanted}")
    try:
        if len(token) > _LONGEST_TOKEN:
            raise ValueError
        found = json.loads(token)
        endpoint, keys = found["endpoint"], found["keys"]
        subscription = Subscription(endpoint, _octets(keys["p256dh"]), _octets(keys["auth"]))
        url = httpx.URL(endpoint)
    except (*_NO_SUBSCRIPTION, httpx.InvalidURL):
        raise ValueError(f"the token is no subscription; {wanted}") from None
    named = _HOST.fullmatch(url.raw_host.decode()) and (url.port is None or 0 < url.port < 65536)
    if url.scheme != "https" or not named or url.userinfo:
        raise ValueError(f"the endpoint is no https:// URL; {wanted}")
    return subscription


def _octets(text: str) -> bytes:
    return b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_")


def _may_be_public(host: str) -> bool:
    """False for an address of another kind, and for names that stand for this machine."""
    try:
        return is_public(ipaddress.ip_address(host))
    except ValueError:
        return host.rstrip(".").rpartition(".")[2] not in ("localhost", "internal", "local")
