"""The app of a project, from its settings."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from vero_deliver import registry
from vero_deliver.deliver import Deliverer
from vero_deliver.desk import Intake
from vero_deliver.desk.again import html_of
from vero_deliver.errors import ConfigError
from vero_deliver.feedback import Feedback
from vero_deliver.project import Project
from vero_deliver.serve.app import App
from vero_deliver.serve.words import Languages


def app_of(project: Project, deliverer: Deliverer) -> App:
    """What answers for a project. Raises ConfigError naming table and key."""
    outbox = deliverer.outbox
    if outbox is None:
        raise ConfigError("serve needs an outbox, which keeps what is told; write [outbox]")
    intake: list[Intake] = []  # of the loop that runs the app

    async def take(feedback: Sequence[Feedback]) -> None:
        if not intake:
            intake.append(Intake(outbox))
        await intake[0].take(feedback)

    async def ready() -> None:
        await asyncio.to_thread(outbox.get, "")

    async def mail(digest: str) -> str | None:
        return await html_of(deliverer, outbox, digest)

    async def sent(digest: str) -> bool:
        row = await asyncio.to_thread(outbox.promised, digest)
        return row is not None and (row["attempts"] > 0 or row["started_at"] is not None)

    readers = project.feedback_readers()
    table = project.settings.tracking
    return App(
        take=take,
        ready=ready,
        tracking=project.tracking(),
        consent=outbox.suppressions,
        mail=mail,
        sent=sent,
        feedback=registry.feedback_app()(readers, take) if readers else None,
        topics=table.topics if table else {},
        title=table.title if table else "",
        languages=Languages(
            project.root / project.settings.translations, project.settings.language
        ),
    )
