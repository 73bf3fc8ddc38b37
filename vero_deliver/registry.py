"""Names of drivers and readers, and their classes; nothing is imported before it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from vero_deliver.errors import ConfigError
from vero_deliver.rendered import ContentName, RenderedPush

if TYPE_CHECKING:
    from httpx import AsyncBaseTransport

ENTRY_POINTS = "vero_deliver.channels"  # how other packages add drivers
READER_POINTS = "vero_deliver.feedback"  # and readers of feedback
_TRANSPORT = "vero_channels.transport.http1:Http1Transport"
_GUARD = "vero_channels.transport.guard:Guard"
_PUSH_REQUEST = "vero_channels.push.shown:request"


@dataclass(frozen=True, slots=True)
class Driver:
    """One kind of channel. contents: what it can carry; nothing means the class itself says."""

    name: str
    target: str  # "module:Class"
    contents: tuple[ContentName, ...] = ()

    def load(self) -> type[Any]:
        """The channel class."""
        found: type[Any] = _found(self.target)
        return found

    def carries(self, content: ContentName) -> bool:
        """True where this kind of channel can carry that content."""
        return content in (self.contents or getattr(self.load(), "contents", ()))


_EMAIL_APIS = {
    "sendgrid": "SendGrid",
    "mailgun": "Mailgun",
    "mailjet": "Mailjet",
    "ses": "Ses",
    "postmark": "Postmark",
    "sparkpost": "SparkPost",
    "brevo": "Brevo",
    "resend": "Resend",
    "mandrill": "Mandrill",
}
_SMS_APIS = {
    "twilio": "Twilio",
    "vonage": "Vonage",
    "sns": "Sns",
    "bird": "Bird",
    "sinch": "Sinch",
    "plivo": "Plivo",
    "telnyx": "Telnyx",
}
DRIVERS = {
    driver.name: driver
    for driver in (
        Driver("smtp", "vero_channels.email.smtp:Smtp", ("email",)),
        Driver("mx", "vero_channels.email.mx:Mx", ("email",)),
        *(
            Driver(name, f"vero_channels.email.{name}:{cls}", ("email",))
            for name, cls in _EMAIL_APIS.items()
        ),
        *(
            Driver(name, f"vero_channels.sms.{name}:{cls}", ("sms",))
            for name, cls in _SMS_APIS.items()
        ),
        Driver("http", "vero_channels.http:Http", ("http",)),
        Driver("slack", "vero_channels.chat.slack:Slack", ("http",)),
        Driver("discord", "vero_channels.chat.discord:Discord", ("http",)),
        Driver("teams", "vero_channels.chat.teams:Teams", ("http",)),
        Driver("apns", "vero_channels.push.apns:Apns", ("push",)),
        Driver("fcm", "vero_channels.push.fcm:Fcm", ("push",)),
        Driver("fcm-admin", "vero_channels.push.fcm_admin:FcmAdmin", ("push",)),
        Driver("webpush", "vero_channels.push.webpush:WebPush", ("push",)),
        Driver("eml", "vero_channels.email.eml:Eml", ("email",)),
        Driver("json", "vero_channels.documents:Documents", ("push", "sms", "http")),
        Driver("memory", "vero_channels.memory:Memory", ("email", "push", "sms", "http")),
    )
}

READERS = {
    name: f"vero_channels.feedback.{name}:{cls}"
    for name, cls in {**_EMAIL_APIS, **_SMS_APIS, "push": "PushReports"}.items()
}


def feedback_app() -> Any:
    """The ASGI application that takes webhooks; see channels/vero_channels/feedback/app.py."""
    return _found("vero_channels.feedback.app:App")


def push_request(rendered: RenderedPush, key: str, settings: Mapping[str, Any]) -> bytes:
    """The request that a push with that key becomes, over a channel with those settings.

    ValueError where it cannot be sent.
    """
    shown: bytes = _found(_PUSH_REQUEST)(rendered, key, settings)
    return shown


def guarded_transport(allow: Sequence[str]) -> AsyncBaseTransport:
    """A transport for httpx that dials public addresses and what `allow` names, nothing else.

    allow: "hooks.internal", "10.1.2.3", "10.1.0.0/16"; ConfigError for what is none of them.
    """
    transport: AsyncBaseTransport = _found(_TRANSPORT)(guard=_found(_GUARD)(allow))
    return transport


def _found(target: str) -> Any:
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)


def find(name: str) -> Driver:
    """The driver of that name, ours or another package's. Raises ConfigError."""
    if name in DRIVERS:
        return DRIVERS[name]
    return Driver(name, _elsewhere("driver", name, ENTRY_POINTS, DRIVERS))


def find_reader(name: str) -> type[Any]:
    """The class that reads that provider's feedback, ours or another package's; ConfigError."""
    target = READERS.get(name) or _elsewhere("reader", name, READER_POINTS, READERS)
    found: type[Any] = _found(target)
    return found


def _elsewhere(kind: str, name: str, group: str, own: Mapping[str, object]) -> str:
    """The target of a name that is not ours."""
    others = {point.name: point for point in entry_points(group=group)}
    if name in others:
        return others[name].value
    known = sorted([*own, *others])
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    raise ConfigError(f"there is no {kind} {name!r}; {hint}")
