"""What a worker sends later is what `render` shows now, byte for byte."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from vero_channels.memory import Memory
from vero_deliver import Deliverer, Outbox, Project, RenderedEmail, Worker
from vero_deliver.audience import samples
from vero_deliver.rendered import Rendered

EXAMPLES = Path(__file__).parents[2] / "examples"
NOW = datetime(2026, 11, 23, 12, 0, 0, 1, tzinfo=UTC)  # a clock finer than the outbox's


@pytest.mark.anyio
async def test_every_sample_of_every_example(tmp_path: Path) -> None:
    """A process that has only the outbox and the layouts makes the same contents."""
    project = Project.find(EXAMPLES)
    outbox = Outbox(f"sqlite:///{tmp_path}/o.db")
    outbox.create()
    first = Deliverer(project.renderer(), outbox=outbox)
    shown: dict[str, Any] = {}
    for message in map(project.message, project.message_ids()):
        for who in samples(project.folder(message.id), declared=message.data):
            key = f"{message.id}-{who.label}"
            about: Any = {"data": who.data, "event": who.event, "key": key, "now": NOW}
            made = first.render(message, who.user, **about)
            shown |= {key: one for _, key, one in made if isinstance(one, get_args(Rendered))}
            await first.enqueue(message, who.user, **about)
    memory = Memory()
    channels: Any = dict.fromkeys(("email", "push", "sms", "http"), memory)
    later = Deliverer(project.renderer(), outbox=Outbox(outbox.database.engine), **channels)
    await Worker(later).run(drain=True)
    assert len(shown) >= 7
    assert {sent.key for sent in memory.sent} == set(shown)
    for sent in memory.sent:
        promised = shown[sent.key]
        assert sent.rendered == promised
        if isinstance(promised, RenderedEmail) and isinstance(sent.rendered, RenderedEmail):
            assert sent.rendered.mime(sent.key) == promised.mime(sent.key)
    outbox.close()
