"""What is built: the wheel, and the wheel built from the sdist, hold what they should."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def build(source: Path, out: Path, *kinds: str, **environment: str) -> str:
    """Build in the environment that runs the tests, which has hatchling; what it says."""
    command = [sys.executable, "-m", "build", "--no-isolation", *kinds, "-o", str(out), str(source)]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env={**os.environ, **environment}
    )
    return done.stdout + done.stderr


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> tuple[set[str], set[str]]:
    """The files of the wheel, and of the wheel made from the unpacked sdist."""
    out = tmp_path_factory.mktemp("dist")
    build(ROOT, out, "--wheel")
    [direct] = out.glob("*.whl")
    held = names(direct)
    build(ROOT, out / "sdist", "--sdist")
    [sdist] = (out / "sdist").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(out / "unpacked", filter="data")
    [source] = (out / "unpacked").iterdir()
    build(source, out / "again", "--wheel")
    [again] = (out / "again").glob("*.whl")
    return held, names(again)


def test_wheel_holds_the_packages(wheels: tuple[set[str], set[str]]) -> None:
    """Every module, py.typed, schema and starter file; no tests, no examples."""
    sources = {
        path.relative_to(base).as_posix()
        for base, package in ((ROOT, "vero_deliver"), (ROOT / "channels", "vero_channels"))
        for path in (base / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    held, _ = wheels
    assert held == sources
    for name in ("vero_deliver/py.typed", "vero_channels/py.typed"):
        assert name in held


def test_wheel_from_sdist_is_the_same(wheels: tuple[set[str], set[str]]) -> None:
    """Nothing gets lost on the way through the sdist."""
    held, again = wheels
    assert held == again


@pytest.mark.skipif(sys.platform == "win32", reason="its compiler is not chosen by CC")
def test_no_compiler_makes_a_wheel_of_python(tmp_path: Path) -> None:
    """The build says so and goes on; the wheel is for any machine, whatever lies in the tree."""
    said = build(ROOT, tmp_path, "--wheel", CC="false")
    assert "vero_deliver/speedups stays Python: nothing compiles it here" in said
    [wheel] = tmp_path.glob("*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    assert not [name for name in names(wheel) if name.endswith((".so", ".pyd"))]
