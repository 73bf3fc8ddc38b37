"""What docs/ci.md hands out runs: the workflow step by step, and the hook."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from documents import ROOT, blocks, read

WORKFLOW = ROOT / "examples/ci/github-action.yml"
BIN = Path(sys.executable).parent
GIT = ("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c",
       "commit.gpgsign=false")  # fmt: skip

pytestmark = pytest.mark.skipif(
    shutil.which("git") is None or shutil.which("bash") is None, reason="git or bash is missing"
)


def steps() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(WORKFLOW.read_text())["jobs"]["messages"]["steps"]
    return found


@pytest.fixture
def merged(tmp_path: Path) -> Path:
    """The examples, and a merge of a pull request that changes a sentence."""
    shutil.copytree(ROOT / "examples", tmp_path, dirs_exist_ok=True)
    path = tmp_path / "messages/newsletter/email.mjml"

    def git(*arguments: str) -> None:
        subprocess.run([*GIT, "-C", str(tmp_path), *arguments], check=True, capture_output=True)

    git("init", "--initial-branch=main")
    git("add", "--all")
    git("commit", "--message=First")
    git("switch", "--create", "change")
    path.write_text(path.read_text().replace("wants from us", "asks of us"))
    git("commit", "--all", "--message=Change a sentence")
    git("switch", "main")
    git("merge", "--no-ff", "--no-edit", "change")
    return tmp_path


def run(step: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[str]:
    """As GitHub runs it: bash -e."""
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
    }
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_workflow_lints_and_shows_what_changes(merged: Path) -> None:
    """Every step but the installation, in a clone of two commits, as GitHub makes it."""
    clone = merged.with_name(f"{merged.name}-clone")
    subprocess.run([*GIT, "clone", "--quiet", "--depth=2", merged.as_uri(), str(clone)], check=True)
    for step in steps():
        if "run" in step and step["name"] != "Install":
            done = run(step, clone)
            assert done.returncode == 0, done.stdout + done.stderr
    summary = (clone / "summary.md").read_text()
    assert summary.startswith("~~~diff\n--- newsletter/email/text\tada at HEAD^1\n")
    assert "wants from us.\n+Dear Ada, here is what December asks of us.\n" in summary


def test_workflow_fails_where_the_comparison_cannot_be_made(merged: Path) -> None:
    """A difference is no failure; a revision that is not there is one."""
    step = next(step for step in steps() if "diff" in step.get("run", ""))
    broken = {**step, "run": step["run"].replace("HEAD^1", "HEAD^9")}
    assert run(broken, merged).returncode == 2


def test_workflow_uploads_what_it_wrote() -> None:
    """The artifact's paths are those of the step before."""
    [upload] = [step for step in steps() if "upload-artifact" in step.get("uses", "")]
    script = next(step["run"] for step in steps() if "diff" in step.get("run", ""))
    assert all(path in script for path in upload["with"]["path"].split())


def test_hook_is_one(merged: Path) -> None:
    """pre-commit reads its manifest; what it starts lints the project."""
    manifest = ROOT / ".pre-commit-hooks.yaml"
    subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", str(manifest)], check=True
    )
    [hook] = yaml.safe_load(manifest.read_text())
    assert hook["id"] in read("ci.md")
    done = run({"run": " ".join([hook["entry"], *hook["args"]])}, merged)
    assert done.returncode == 0, done.stdout + done.stderr


def test_yaml_of_the_document_is_yaml() -> None:
    """And calls only commands that there are."""
    found = blocks(read("ci.md"), "yaml")
    assert len([yaml.safe_load(block) for block in found]) == 2
