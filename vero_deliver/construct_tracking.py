"""Tracking from the table [tracking] of the project's file."""

from __future__ import annotations

from pathlib import Path

from vero_deliver.config import TrackingTable
from vero_deliver.errors import ConfigError
from vero_deliver.plain import Where
from vero_deliver.references import check_reference, resolve
from vero_deliver.secret import Secret
from vero_deliver.tracking import Tracking


def construct_tracking(table: TrackingTable, env: str, *, root: Path, where: Where) -> Tracking:
    """Raises ConfigError naming place and key."""
    secrets: list[Secret] = []
    for reference in table.secrets:
        place = f"{where(('tracking', 'secrets'))}: tracking.secrets"
        if wrong := check_reference(reference):
            raise ConfigError(f"{place}: {wrong}")
        secrets.append(resolve(reference, root, place))
    try:
        return Tracking(
            url=table.url,
            secrets=secrets,
            env=env,
            opens=table.opens,
            clicks=table.clicks,
            utm=dict(table.utm),
        )
    except ConfigError as error:
        key = str(error).partition(":")[0]
        raise ConfigError(f"{where(('tracking', key))}: tracking.{error}") from None
