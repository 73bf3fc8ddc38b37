"""The documents' links lead somewhere, and their programs run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from documents import DOCS, MARKDOWN, ROOT, blanked, blocks, read

from vero_deliver.cli import cli
from vero_deliver.project import Project

on_markdown = partial(pytest.mark.parametrize, ids=lambda p: p.relative_to(ROOT).as_posix())


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub gives a document's headings."""
    headings = re.findall(r"^#+ (.*)$", blanked(path.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@on_markdown("path", MARKDOWN)
def test_links_lead_somewhere(path: Path) -> None:
    """A link between documents names a file that is there, and a heading that is in it."""
    for target in re.findall(r"\]\(([^)\s]+)\)", blanked(path.read_text("utf-8"))):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        other = (path.parent / file) if file else path
        assert other.exists(), target
        assert not anchor or anchor in anchors(other), target


def test_every_document_is_in_the_index() -> None:
    """docs/README.md leads to every document and decision."""
    linked = {(DOCS / target).resolve() for target in re.findall(r"\]\((.*?)\)", read("README.md"))}
    assert set(DOCS.rglob("*.md")) - linked == {DOCS / "README.md"}


@on_markdown("path", MARKDOWN)
def test_toml_blocks_are_toml(path: Path) -> None:
    """A block of TOML can be read."""
    for block in blocks(path.read_text("utf-8"), "toml"):
        tomllib.loads(block)


def test_configuration_example_is_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example of docs/configuration.md makes a channel."""
    monkeypatch.setenv("SMTP_PASSWORD", "secret")
    (tmp_path / "vero-deliver.toml").write_text(blocks(read("configuration.md"), "toml")[0])
    assert set(Project.find(tmp_path, env="prod").deliverer().channels) == {"email"}


def run(program: str, folder: Path) -> str:
    """What a program prints."""
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(
        command, check=False, cwd=folder, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@on_markdown(
    "path",
    [path for path in sorted(DOCS.glob("*.md")) if blocks(path.read_text("utf-8"), "python")],
)
def test_python_blocks_run(path: Path, tmp_path: Path) -> None:
    """A document's programs run one after another, in a new project, and its tests pass."""
    assert CliRunner().invoke(cli, ["-C", str(tmp_path), "init"]).exit_code == 0
    programs = blocks(path.read_text("utf-8"), "python")
    tests = re.findall(r"^def (test_\w+)\(\)", "".join(programs), re.MULTILINE)
    run("\n".join([*programs, *(f"{test}()" for test in tests)]), tmp_path)


def test_readme_program_sends(tmp_path: Path) -> None:
    """README's program runs as it stands, and prints what became of the email."""
    [program] = blocks((ROOT / "README.md").read_text("utf-8"), "python")
    state, file = run(program, tmp_path).split()
    assert state == "accepted"
    assert b"Hi Ada" in (tmp_path / file).read_bytes()


def readme_commands() -> list[str]:
    return blocks((ROOT / "README.md").read_text("utf-8"), "sh")


def test_readme_scripts_are_there() -> None:
    """README names scripts that can be run."""
    for script in re.findall(r"scripts/\w+", "".join(readme_commands())):
        assert (ROOT / script).stat().st_mode & 0o111, script


def test_readme_commands_run(tmp_path: Path) -> None:
    """README's vero-deliver commands work in an empty folder, as they stand."""
    shell, own = shutil.which("sh"), Path(sys.executable).parent
    if shell is None or not (own / "vero-deliver").exists():
        pytest.skip("needs sh, and vero-deliver installed beside Python")
    [commands] = [block for block in readme_commands() if block.startswith("vero-deliver")]
    env = {"PATH": f"{own}:/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        [shell, "-ec", commands], check=False, cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.rglob("captured/*.eml"))
