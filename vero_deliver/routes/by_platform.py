"""The channel for the device that a push goes to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from vero_deliver.channel import Channel, Receipt
from vero_deliver.errors import ConfigError, Refused
from vero_deliver.rendered import RenderedPush
from vero_deliver.routes.health import Health
from vero_deliver.routes.members import Route
from vero_deliver.user import Platform


class ByPlatform(Route[RenderedPush]):
    """Sends iOS, Android and the web each its own way; one channel may stand for several.

    health: the memory of failures; the process's own where none is given.
    """

    def __init__(
        self,
        channels: Mapping[Platform, Channel[RenderedPush]],
        *,
        name: str = "by_platform",
        health: Health | None = None,
    ) -> None:
        for platform in channels:
            if platform not in get_args(Platform):
                known = ", ".join(get_args(Platform))
                raise ConfigError(f"route {name!r}: {platform!r} is none of {known}")
        distinct = list({id(channel): channel for channel in channels.values()}.values())
        super().__init__(distinct, name, health)
        members = dict(zip(map(id, distinct), self._members, strict=True))
        self._ways = {platform: members[id(one)] for platform, one in channels.items()}

    def __repr__(self) -> str:
        return f"ByPlatform({self._ways!r}, name={self._name!r})"

    @property
    def idempotent(self) -> bool:
        """True where every channel is: a key names a device, and so goes the same way again."""
        return all(member.idempotent for member in self._members)

    async def send(self, rendered: RenderedPush, key: str) -> Receipt:
        """As the channel of the device's platform; Refused where there is none."""
        device = rendered.device
        if device is None:
            raise Refused("the push has no device", channel=self.name)
        if device.platform not in self._ways:
            detail = f"no channel for {device.platform}: the route has {', '.join(self._ways)}"
            raise Refused(detail, channel=self.name)
        return await self._ways[device.platform].send(rendered, key)
