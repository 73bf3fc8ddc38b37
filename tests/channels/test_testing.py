"""The contract suite itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from vero_deliver.testing import HOSTILE_KEYS, sample_email, sample_http, sample_push, sample_sms

BROKEN = """
from contextlib import asynccontextmanager
from vero_channels.memory import Memory
from vero_deliver.testing import ChannelContract, sample_sms

class Broken(Memory):
    {flaw}

class TestBroken(ChannelContract):
    secrets = ("hunter2",)

    @asynccontextmanager
    async def make(self):
        self.channel = Broken()
        yield self.channel

    def sample(self, key):
        return sample_sms()

    def arrived(self):
        return len(self.channel.sent)
"""


@pytest.mark.parametrize(
    ("flaw", "case"),
    [
        ("def __repr__(self): return 'hunter2'", "test_repr_shows_no_secret"),
        ("async def aclose(self): self.sent.pop()", "test_aclose_is_idempotent"),
        (
            "async def send(self, r, key): self._receipts.clear(); "
            "return await Memory.send(self, r, key)",
            "test_idempotent_is_the_truth",
        ),
        (
            "async def send(self, r, key): return await Memory.send(self, r, key[:9].lower())",
            "test_hostile_keys_stay_apart",
        ),
        (
            "async def send(self, r, key): return await Memory.send(self, r, 'same')",
            "test_concurrent_sends_all_arrive",
        ),
    ],
)
def test_finds_a_broken_channel(tmp_path: Path, flaw: str, case: str) -> None:
    """A channel with one flaw fails the case that is about it."""
    module = tmp_path / "test_broken.py"
    module.write_text(BROKEN.format(flaw=flaw))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    paths = [path for path in sys.path if path]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(module)],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env={"PYTHONPATH": ":".join(paths)},
    )  # fmt: skip
    assert f"FAILED test_broken.py::TestBroken::{case}" in run.stdout


def test_says_which_extra_is_missing() -> None:
    """Without pytest the import names the extra."""
    code = "import sys; sys.modules['pytest'] = None; import vero_deliver.testing"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stderr.rstrip().endswith("pip install 'vero-deliver[testing]'")


@pytest.mark.parametrize("make", [sample_email, sample_push, sample_sms, sample_http])
def test_samples_take_changes(make: type) -> None:
    """Each sample maker replaces the fields that it is given."""
    assert make(tags=("a",)).tags == ("a",)


def test_hostile_keys_are_distinct() -> None:
    """The keys that must not collide differ."""
    assert len(set(HOSTILE_KEYS)) == len(HOSTILE_KEYS)
