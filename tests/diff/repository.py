"""A project under git."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def git(folder: Path, *arguments: str) -> str:
    """Run git there, as somebody, whatever the machine's own settings are."""
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout


def committed(folder: Path) -> Path:
    """The examples in a folder of a repository, in its first commit on `main`."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    project = folder / "mail" / "shop"
    shutil.copytree(EXAMPLES, project, ignore=shutil.ignore_patterns("captured"))
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=First")
    return project
