"""The project as it was: exactly what was committed, and the checkout untouched."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from repository import committed, git

from vero_deliver.diff import at_revision
from vero_deliver.errors import ConfigError
from vero_deliver.project import Project

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The examples, committed, below the top of a repository."""
    return Project.find(committed(tmp_path))


def test_earlier_project_is_what_was_committed(project: Project) -> None:
    """Its messages, layouts and settings are those of the revision, not of today."""
    before = {name: project.message(name).version for name in project.message_ids()}
    (project.messages / "newsletter/email.mjml").write_text("<mjml><mj-body></mj-body></mjml>")
    shutil.rmtree(project.messages / "order-shipped")
    for revision in ("main", "HEAD", git(project.root, "rev-parse", "HEAD").strip()):
        with at_revision(project, revision) as earlier:
            assert {n: earlier.message(n).version for n in earlier.message_ids()} == before
            assert earlier.settings == project.settings


def test_checkout_is_untouched(project: Project) -> None:
    """Neither files, nor what is staged, nor the branch change; nothing is left behind."""
    (project.messages / "newsletter/email.mjml").write_text("unsaved")
    (project.root / "new.txt").write_text("staged")
    git(project.root, "add", "new.txt")
    before = git(project.root, "status", "--porcelain=v2", "--branch")
    with at_revision(project, "main") as earlier:
        folder = earlier.root
        assert (folder / "messages").is_dir()
    assert not folder.exists()
    assert git(project.root, "status", "--porcelain=v2", "--branch") == before
    assert (project.messages / "newsletter/email.mjml").read_text() == "unsaved"


def test_what_archives_leave_out_is_there(project: Project) -> None:
    """`export-ignore` is about releases, not about messages."""
    (project.root / ".gitattributes").write_text("messages export-ignore\n")
    git(project.root, "add", "--all")
    git(project.root, "commit", "--quiet", "--message=Second")
    with at_revision(project, "HEAD") as earlier:
        assert earlier.message_ids() == project.message_ids()


def test_hooks_of_git_may_compare(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What git puts into their environment is about the top of the repository."""
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    with at_revision(project, "HEAD") as earlier:
        assert earlier.message_ids() == project.message_ids()


@pytest.mark.parametrize(
    ("revision", "said"),
    [
        ("nowhere", "git knows no revision 'nowhere'"),
        ("--help", "'--help' is no revision"),
        ("main:mail", "'main:mail' is no revision"),
        ("", "git knows no revision ''"),
    ],
)
def test_no_such_revision_is_an_error(project: Project, revision: str, said: str) -> None:
    """It names the revision, and takes none for an option."""
    with pytest.raises(ConfigError, match=said), at_revision(project, revision):
        pass


def test_project_that_was_not_there_is_an_error(tmp_path: Path) -> None:
    """A revision from before the project says so."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message=Nothing")
    git(tmp_path, "branch", "before")
    project = Project.find(committed(tmp_path))
    with (
        pytest.raises(ConfigError, match="no folder shop at before"),
        at_revision(project, "before"),
    ):
        pass


def test_folder_outside_of_git_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And so is a machine without git."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", tempfile.gettempdir())
    (tmp_path / "vero-deliver.toml").write_text("")
    project = Project.find(tmp_path)
    with pytest.raises(ConfigError, match="not a git repository"), at_revision(project, "HEAD"):
        pass
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="revisions need git"), at_revision(project, "HEAD"):
        pass
