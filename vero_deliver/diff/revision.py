"""The project as it was at a revision of git, without touching the checkout."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from vero_deliver.errors import ConfigError
from vero_deliver.project import Project

_TIMEOUT: Final = 120.0  # seconds for one call of git
# what git tells its hooks, about the folder that it is in and not about this one
_OF_A_HOOK: Final = frozenset(("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"))


@contextmanager
def at_revision(project: Project, revision: str) -> Iterator[Project]:
    """The project of a branch, tag or commit, in a temporary folder.

    Its settings, layouts and messages are all those of the revision; files that git does not know
    are not there. Raises ConfigError where there is no git, repository or such a revision.
    """
    root = project.root.resolve()
    top = Path(_git(root, "rev-parse", "--show-toplevel").strip())
    tree = _tree(root, revision)
    with tempfile.TemporaryDirectory(prefix="vero-deliver-") as folder:
        # an index of its own: `git archive` would leave out what is marked export-ignore
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        there = Path(folder, "tree")
        there.mkdir()
        _git(top, "read-tree", tree, **index)
        _git(top, "checkout-index", "--all", f"--prefix={there}/", **index)
        config = there / project.config.file.name
        if not config.is_file():
            raise ConfigError(f"there was no {project.config.file.name} at {revision}")
        yield Project.find(there)


def _tree(root: Path, revision: str) -> str:
    """The id of the project's folder at a revision."""
    if revision.startswith("-") or ":" in revision:
        raise ConfigError(f"{revision!r} is no revision; write a branch, a tag or a commit")
    commit = f"{revision}^{{commit}}"
    try:
        found = _git(root, "rev-parse", "--verify", "--quiet", commit).strip()
    except ConfigError:
        raise ConfigError(
            f"git knows no revision {revision!r} in {root}; a shallow clone has few: "
            "`git fetch --unshallow`"
        ) from None
    try:
        return _git(root, "rev-parse", "--verify", "--quiet", f"{found}:./").strip()
    except ConfigError:
        raise ConfigError(f"there was no folder {root.name} at {revision}") from None


def _git(folder: Path, *arguments: str, **environment: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603  # a list, and no revision begins with a dash
            ["git", "-C", str(folder), *arguments],  # noqa: S607  # whichever git the user has
            capture_output=True,
            check=True,
            timeout=_TIMEOUT,
            env={**{k: v for k, v in os.environ.items() if k not in _OF_A_HOOK}, **environment},
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        raise ConfigError("revisions need git, and it is not on PATH") from None
    except subprocess.TimeoutExpired:
        raise ConfigError(f"git {arguments[0]} took more than {_TIMEOUT:g} seconds") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        raise ConfigError(f"git {arguments[0]}: {said or 'failed'}") from None
    return done.stdout.decode("utf-8", "surrogateescape")
