"""`vero-deliver key`: files for their owner alone, and what to publish."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vero_deliver.cli import cli
from vero_deliver.mime import Domain


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, prog_name="vero-deliver")


def test_new_key(tmp_path: Path) -> None:
    """A file for its owner alone, the record on stdout; together they are a domain."""
    (tmp_path / "vero-deliver.toml").write_text("")
    out = tmp_path / "secrets/v3.pem"
    done = run(
        "-C", str(tmp_path), "key", "new", "dkim", "Example.com", "--selector", "v3", "-o", str(out)
    )
    assert done.exit_code == 0, done.output
    assert out.stat().st_mode & 0o777 == 0o600
    assert done.stdout.startswith("v3._domainkey.example.com. 3600 IN TXT ( ")
    assert 'key = { file = "secrets/v3.pem" }' in done.stderr
    assert "PRIVATE" not in done.output
    [signer] = Domain("example.com", selector="v3", key=out.read_text()).signers
    assert "".join(re.findall(r'"(.*?)"', done.stdout)) == signer.record


@pytest.mark.parametrize("link", [False, True])
def test_key_is_never_overwritten(tmp_path: Path, link: bool) -> None:
    """A file or a link, even a dangling one, stays as it is."""
    out = tmp_path / "v1.pem"
    if link:
        out.symlink_to(tmp_path / "nowhere")
    else:
        out.write_text("old")
    done = run("key", "new", "dkim", "--selector", "v1", "-o", str(out))
    assert done.exit_code == 2
    assert "never overwritten" in done.stderr
    assert not done.stdout
    assert out.is_symlink() if link else out.read_text() == "old"
    assert not (tmp_path / "nowhere").exists()


def test_new_ed25519_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a domain the name is relative; the defaults of selector and file; as JSON."""
    monkeypatch.chdir(tmp_path)
    done = run("key", "new", "dkim", "--algorithm", "ed25519", "--json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert re.fullmatch(r"\d{8}e", document["selector"])
    assert document["file"] == f"dkim-{document['selector']}.pem"
    assert document["record"]["name"] == f"{document['selector']}._domainkey"
    assert document["record"]["value"].startswith("v=DKIM1; k=ed25519; p=")
    assert (tmp_path / document["file"]).is_file()
    assert "ed25519_key = " in done.stderr


@pytest.mark.parametrize(
    "arguments", [["no domain"], ["--selector", "../x"], ["--selector", "a b"]]
)
def test_wrong_names_make_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """A name that DNS would not have is an error before anything is written."""
    monkeypatch.chdir(tmp_path)
    assert run("key", "new", "dkim", *arguments).exit_code == 2
    assert not list(tmp_path.iterdir())


def test_dns_and_keys_are_imported_when_used() -> None:
    """The commands' help needs neither dnspython nor cryptography."""
    program = (
        "import sys, vero_deliver.cli.domain, vero_deliver.cli.key; "
        "print({'dns', 'cryptography'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"set()"
