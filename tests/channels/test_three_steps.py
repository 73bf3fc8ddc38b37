"""A driver of somebody else's package: three steps, and the whole contract holds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

DRIVER = '''
from typing import Any, ClassVar

import httpx

from vero_channels.transport.capabilities import Capabilities
from vero_channels.transport.email_api import EmailApi, apart, fields, mailbox
from vero_channels.transport.http_answers import body
from vero_channels.transport.keys import VERO_KEY, wire_key
from vero_deliver import Secret
from vero_deliver.rendered import RenderedEmail


class Pigeon(EmailApi):
    """One loft. Carries no attachments."""

    capabilities: ClassVar = Capabilities(
        max_recipients=2, attachments=False, inline_images=False, reply_to=0, tags=0,
        metadata=False, tracking=False,
    )

    def __init__(
        self, ring: str | Secret, *, name: str = "pigeon", base_url: str = "https://loft.example",
        timeout: float = 30.0, client: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(
            name=name, base_url=base_url, credentials={"x-ring": ring}, timeout=timeout,
            client=client,
        )

    def request(self, rendered: RenderedEmail, key: str) -> httpx.Request:
        to, cc, bcc = apart(rendered)
        return self.post("/fly", json={
            "from": mailbox(rendered.from_), "to": [mailbox(a) for a in (*to, *cc, *bcc)],
            "text": rendered.text or rendered.html, "headers": fields(rendered),
            VERO_KEY: wire_key(key),
        })

    def provider_id(self, response: httpx.Response) -> str:
        return body(response)["feather"]
'''

TEST = """
from typing import Any

import pigeon
from email_apis import SECRET, EmailApiContract, Fake
from http_server import Answer, Asked
from vero_deliver.rendered import RenderedEmail
from vero_deliver.testing import sample_email


class Loft(Fake):
    def answer(self, asked: Asked) -> Answer:
        assert asked.headers["x-ring"] == SECRET
        return Answer(200, {"feather": self.new_id()})


class TestPigeon(EmailApiContract):
    fake = Loft

    def channel(self, url: str, **options: Any) -> pigeon.Pigeon:
        return pigeon.Pigeon(SECRET, base_url=url, **options)

    def carried(self) -> RenderedEmail:
        return sample_email(headers={"X-Shop": "1"})
"""

PROJECT = """
[channels.loft]
driver = "pigeon"
ring = { env = "RING" }
[env.prod]
email = "loft"
"""

FIND = """
from vero_deliver import Project
channel = Project.find(env="prod").deliverer().channels["email"]
print(type(channel).__name__, channel.name)
"""


def run(folder: Path, *command: str) -> str:
    """What Python prints in that folder, with this checkout on its path."""
    paths = [str(folder), *[path for path in sys.path if path]]
    env = {"PYTHONPATH": ":".join(paths), "RING": "ring-0123456789", "HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_driver_in_three_steps(tmp_path: Path) -> None:
    """One file, one entry point, one contract class: it is found by name, and passes."""
    (tmp_path / "pigeon.py").write_text(DRIVER)
    metadata = tmp_path / "pigeon-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: pigeon\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[vero_deliver.channels]\npigeon = pigeon:Pigeon\n")
    (tmp_path / "test_pigeon.py").write_text(TEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "vero-deliver.toml").write_text(PROJECT)
    ran = run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_pigeon.py")
    assert " passed" in ran
    assert "failed" not in ran
    assert run(tmp_path, "-c", FIND).split() == ["Pigeon", "loft"]
