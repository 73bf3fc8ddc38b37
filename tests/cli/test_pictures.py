"""Pictures from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from calling import fresh, run

from vero_deliver.errors import ConfigError
from vero_deliver.picture.chromium import find_chromium

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh project, on a machine with a browser."""
    try:
        find_chromium()
    except ConfigError as error:
        pytest.skip(str(error))
    return fresh(tmp_path_factory.mktemp("project"))


def test_render_makes_a_picture_of_a_sample(project: Path, tmp_path: Path) -> None:
    """The same bytes whenever it is called."""
    for name in ("a.png", "b.png"):
        done = run(
            "-C", str(project), "render", "welcome", "-t", "ada", "-f", "png",
            "-o", str(tmp_path / name),
        )  # fmt: skip
        assert done.exit_code == 0, done.output
    assert (tmp_path / "a.png").read_bytes().startswith(PNG)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_render_makes_a_picture_of_each_sample(project: Path, tmp_path: Path) -> None:
    """One browser makes them all; each look is another picture."""
    looks = {"wide": (), "phone": ("--width", "375"), "forced": ("--view", "forced-dark")}
    for name, look in looks.items():
        done = run(
            "-C", str(project), "render", "welcome", "--all", "-f", "png", *look,
            "-o", f"{tmp_path}/{name}/",
        )  # fmt: skip
        assert done.exit_code == 0, done.output
        assert len(list((tmp_path / name).glob("*.email.png"))) == 3
    assert len({(tmp_path / name / "ada.email.png").read_bytes() for name in looks}) == len(looks)


def test_pictures_do_not_go_where_they_cannot_be_seen(project: Path) -> None:
    """Several into one stream, and other contents than email, are wrong usage."""
    done = run("-C", str(project), "render", "welcome", "--all", "-f", "png")
    assert (done.exit_code, "3 pictures do not fit one stream" in done.stderr) == (2, True)


def test_no_browser_is_an_error(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It exits with 2 and says what to install; no file is written."""
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run("-C", str(project), "render", "welcome", "-f", "png", "-o", str(tmp_path / "x.png"))
    assert done.exit_code == 2
    assert "set VERO_DELIVER_CHROME=/path/to/it" in done.stderr
    assert list(tmp_path.iterdir()) == []
