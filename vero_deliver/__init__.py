"""Write a message once, see exactly what each person will get, and get it there.

The public names. Each is imported when first used, so that importing the package is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vero_deliver.channel import BatchChannel as BatchChannel
    from vero_deliver.channel import Channel as Channel
    from vero_deliver.channel import Receipt as Receipt
    from vero_deliver.deliver import Deliverer as Deliverer
    from vero_deliver.delivery import Delivery as Delivery
    from vero_deliver.desk.intake import Intake as Intake
    from vero_deliver.desk.policy import Policy as Policy
    from vero_deliver.desk.worker import Worker as Worker
    from vero_deliver.loader import load_message as load_message
    from vero_deliver.loader import save_message as save_message
    from vero_deliver.message import Attachment as Attachment
    from vero_deliver.message import Email as Email
    from vero_deliver.message import EmailVariant as EmailVariant
    from vero_deliver.message import Http as Http
    from vero_deliver.message import Message as Message
    from vero_deliver.message import Push as Push
    from vero_deliver.message import PushAction as PushAction
    from vero_deliver.message import Sms as Sms
    from vero_deliver.mime import Domain as Domain
    from vero_deliver.outbox.store import Outbox as Outbox
    from vero_deliver.project import Project as Project
    from vero_deliver.render import Made as Made
    from vero_deliver.render import Renderer as Renderer
    from vero_deliver.rendered import RenderedEmail as RenderedEmail
    from vero_deliver.rendered import RenderedHttp as RenderedHttp
    from vero_deliver.rendered import RenderedPush as RenderedPush
    from vero_deliver.rendered import RenderedSms as RenderedSms
    from vero_deliver.rendered import Skipped as Skipped
    from vero_deliver.resource import from_resource as from_resource
    from vero_deliver.resource import to_resource as to_resource
    from vero_deliver.routes import ByPlatform as ByPlatform
    from vero_deliver.routes import Failover as Failover
    from vero_deliver.routes import QuietHours as QuietHours
    from vero_deliver.routes import RoundRobin as RoundRobin
    from vero_deliver.routes import Throttled as Throttled
    from vero_deliver.secret import Secret as Secret
    from vero_deliver.user import Device as Device
    from vero_deliver.user import User as User

_HOMES = {
    "channel": ("BatchChannel", "Channel", "Receipt"),
    "outbox.store": ("Outbox",),
    "project": ("Project",),
    "deliver": ("Deliverer",),
    "delivery": ("Delivery",),
    "desk": ("Intake", "Policy", "Worker"),
    "loader": ("load_message", "save_message"),
    "message": (
        "Attachment", "Email", "EmailVariant", "Http", "Message", "Push", "PushAction", "Sms",
    ),
    "mime": ("Domain",),
    "render": ("Made", "Renderer"),
    "rendered": ("RenderedEmail", "RenderedHttp", "RenderedPush", "RenderedSms", "Skipped"),
    "resource": ("from_resource", "to_resource"),
    "routes": ("ByPlatform", "Failover", "QuietHours", "RoundRobin", "Throttled"),
    "secret": ("Secret",),
    "user": ("Device", "User"),
}  # fmt: skip
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME)  # noqa: PLE0605  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'vero_deliver' has no attribute {name!r}")
    return getattr(import_module(f"vero_deliver.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "errors"]
