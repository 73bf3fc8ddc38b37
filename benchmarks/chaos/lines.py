"""What is sent over what: four lines, each an environment of one outbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vero_channels.email.resend import Resend
from vero_channels.email.sendgrid import SendGrid
from vero_channels.email.smtp import Smtp
from vero_channels.push.apns import Apns
from vero_deliver import Deliverer, Email, Message, Outbox, Policy, Push, User
from vero_deliver.outbox.health import SharedCircuits
from vero_deliver.rendered import ContentName
from vero_deliver.routes.guard import Guarded
from vero_deliver.user import Device

LINES = ("smtp", "api", "once", "push")
CONTENTS: dict[str, ContentName] = {
    "smtp": "email", "api": "email", "once": "email", "push": "push"
}  # fmt: skip
IDEMPOTENT = ("once",)
AT_LEAST_ONCE = ("api",)
TOPIC = "com.example.shop"

_TIMEOUT = 1.5  # seconds
_EMAIL = Email(
    from_="Shop <shop@example.com>",
    subject="Number {{ n }}",
    html="<p>Thank you for order number {{ n }}.</p>",
    headers={"List-Unsubscribe": "<https://shop.example.com/leave>"},
)
MESSAGES = {
    line: Message(title=line, kind="marketing", email=_EMAIL)
    if line in AT_LEAST_ONCE
    else Message(title=line, email=_EMAIL, push=Push(title="Number {{ n }}", body="Thank you"))
    for line in LINES
}
POLICY = Policy(marketing="at_least_once", first_retry=0.1, longest_retry=1.0)
USER = User(
    id="u1",
    email="ada@example.org",
    devices=(Device(token="0a" * 32, platform="ios"),),
)


@dataclass(frozen=True)
class Place:
    """Where everything is. ports: of the providers, by line. key: the text of APNs's .p8 file."""

    database: str
    ca_file: str
    ports: dict[str, int]
    key: str
    lease: float


def deliverers(place: Place) -> list[Deliverer]:
    """One for each line, over one database."""
    first = Outbox(place.database, env=LINES[0], lease=place.lease)
    engine = first.database.engine
    others = [Outbox(engine, env=line, lease=place.lease) for line in LINES[1:]]
    return [_deliverer(place, outbox) for outbox in (first, *others)]


def _deliverer(place: Place, outbox: Outbox) -> Deliverer:
    # providers here are well again at once
    health = SharedCircuits(outbox=outbox, cooldown=0.3, longest=1.0, refresh=0.2)
    guarded: Any = Guarded(_channel(place, outbox.env), health)
    channels: Any = {CONTENTS[outbox.env]: guarded}
    return Deliverer(outbox=outbox, policy=POLICY, **channels)


def _channel(place: Place, line: str) -> Any:
    port = place.ports[line]
    url = f"http://127.0.0.1:{port}"
    match line:
        case "smtp":
            return Smtp(
                "127.0.0.1", port, security="tls", ca_file=place.ca_file, timeout=_TIMEOUT,
                data_timeout=_TIMEOUT, pipelining="envelope", connections=4,
            )  # fmt: skip
        case "api":
            return SendGrid("SG.secret", base_url=url, timeout=_TIMEOUT)
        case "once":
            return Resend("re_secret", base_url=url, timeout=_TIMEOUT)
        case _:
            return Apns(
                TOPIC, key=place.key, key_id="ABC123DEFG", team_id="DEF123GHIJ", host="127.0.0.1",
                port=port, ca_file=place.ca_file, timeout=_TIMEOUT,
            )  # fmt: skip
