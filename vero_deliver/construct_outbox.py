"""The outbox and the policy from the table [outbox] of the project's file."""

from __future__ import annotations

from pathlib import Path

from vero_deliver.config import OutboxTable, length
from vero_deliver.desk.policy import Policy
from vero_deliver.errors import ConfigError
from vero_deliver.outbox.store import Outbox
from vero_deliver.plain import Where
from vero_deliver.references import check_reference, resolve


def construct_outbox(table: OutboxTable, env: str, *, root: Path, where: Where) -> Outbox:
    """The outbox of an environment; a file of SQLite has its tables then.

    Raises ConfigError naming place and key, OutboxError where the file cannot be written.
    """
    if table.url is None:
        outbox = Outbox(f"sqlite:///{root / table.file}", env=env)
        outbox.create()
        return outbox
    place = f"{where(('outbox', 'url'))}: outbox.url"
    wrong = check_reference(table.url)
    if wrong:
        raise ConfigError(f"{place}: {wrong}")
    return Outbox(resolve(table.url, root, place), env=env)


def construct_policy(table: OutboxTable, *, where: Where) -> Policy:
    """When its deliveries are tried again, and for how long. Raises ConfigError."""
    try:
        return Policy(
            transactional=table.transactional,
            marketing=table.marketing,
            expires=length(table.expires),
            first_retry=length(table.first_retry).total_seconds(),
            longest_retry=length(table.longest_retry).total_seconds(),
        )
    except ConfigError as error:
        raise ConfigError(f"{where(('outbox',))}: outbox: {error}") from None
