"""`vero-deliver key new vapid`: a file for its owner alone, and what the page needs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from calling import run

from vero_channels.push.webpush import WebPush
from vero_deliver.project import Project


def test_what_it_prints_is_a_channel(tmp_path: Path) -> None:
    """The lines for vero-deliver.toml make a channel whose public key is the one on stdout."""
    (tmp_path / "vero-deliver.toml").write_text("")
    out = tmp_path / "secrets/vapid.pem"
    done = run("-C", str(tmp_path), "key", "new", "vapid", "-o", str(out))
    assert done.exit_code == 0, done.output
    assert out.stat().st_mode & 0o777 == 0o600
    assert "PRIVATE" not in done.output
    table = "\n".join(line for line in done.stderr.splitlines() if line.startswith("  "))
    assert 'file = "secrets/vapid.pem"' in table
    (tmp_path / "vero-deliver.toml").write_text(
        f'[channels.browsers]\n{table}\n[env.prod]\npush = "browsers"\n'
    )
    channel = Project.find(tmp_path, env="prod").deliverer().channels["push"]
    assert isinstance(channel, WebPush)
    assert done.stdout.strip() in repr(channel)


def test_json_and_no_second_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As JSON; and a key that is there is never overwritten."""
    monkeypatch.chdir(tmp_path)
    document = json.loads(run("key", "new", "vapid", "--json").stdout)
    assert (len(document["public_key"]), document["file"]) == (87, "vapid.pem")
    key = Path("vapid.pem").read_text()
    again = run("key", "new", "vapid")
    assert again.exit_code == 2
    assert "browsers that subscribed with it need it" in again.stderr
    assert Path("vapid.pem").read_text() == key
