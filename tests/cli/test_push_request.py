"""`vero-deliver render -f http` of a push."""

from __future__ import annotations

import json
from pathlib import Path

from calling import run

EXAMPLES = str(Path(__file__).parents[2] / "examples")


def test_render_prints_it() -> None:
    """The request that a push becomes, the same each time."""
    example: tuple[str, ...] = (
        "-C",
        EXAMPLES,
        "render",
        "order-shipped",
        "-t",
        "ada",
        "-c",
        "push",
        "-f",
        "http",
    )
    example += ("--now", "2026-11-23T12:00:00+00:00")
    done = run(*example)
    assert done.exit_code == 0, done.output
    assert done.stdout_bytes.startswith(b"POST /3/device/")
    body = json.loads(done.stdout_bytes.partition(b"\r\n\r\n")[2])
    assert body["aps"]["category"] == "shipping"
    assert done.stdout_bytes == run(*example).stdout_bytes


def test_what_cannot_be_sent_is_an_error(tmp_path: Path) -> None:
    """A payload that is too long ends with 1 and says so."""
    folder = tmp_path / "messages/long"
    (folder / "samples").mkdir(parents=True)
    (tmp_path / "vero-deliver.toml").write_text("")
    (folder / "message.toml").write_text(f'title = "T"\n[push]\ntitle = "{"x" * 5000}"\n')
    user = {"user": {"id": "1", "devices": [{"token": "ab", "platform": "ios"}]}}
    (folder / "samples/ada.json").write_text(json.dumps(user))
    done = run("-C", str(tmp_path), "render", "long", "-f", "http")
    assert done.exit_code == 1
    assert "the payload has" in done.stderr


def test_the_channels_settings_are_in_it(tmp_path: Path) -> None:
    """Topic, host, project and who shows it are those of the environment's channels; no secrets."""
    (tmp_path / "messages/m/samples").mkdir(parents=True)
    (tmp_path / "messages/m/message.toml").write_text('title = "T"\n[push]\ntitle = "Hi"\n')
    devices = [{"token": "ab", "platform": name} for name in ("ios", "android")]
    user = {"user": {"id": "1", "devices": devices}}
    (tmp_path / "messages/m/samples/ada.json").write_text(json.dumps(user))
    (tmp_path / "vero-deliver.toml").write_text("""
        [env.prod]
        push = "devices"
        [routes.devices]
        platforms = { ios = "apple", android = "google" }
        [channels.apple]
        driver = "apns"
        topic = "com.example.shop"
        environment = "sandbox"
        key = { env = "NOT_SET" }
        [channels.google]
        driver = "fcm"
        project_id = "shop-1"
        data_only = true
        credentials = { env = "NOT_SET" }
    """)
    done = run("-C", str(tmp_path), "--env", "prod", "render", "m", "-f", "http")
    assert done.exit_code == 0, done.output
    assert "host: api.sandbox.push.apple.com\r\n" in done.stdout_bytes.decode()
    assert "apns-topic: com.example.shop\r\n" in done.stdout_bytes.decode()
    assert "POST /v1/projects/shop-1/messages:send" in done.stdout
    assert '"vd_title":"Hi"' in done.stdout
    assert "NOT_SET" not in done.stdout
