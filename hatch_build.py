"""Compiles the C of vero_deliver/speedups into the wheel; without a compiler it has none."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import sys_tags

FOLDER = "vero_deliver/speedups"
INTERPRETER, ABI = "cp311", "abi3"  # of the limited API that the source asks for


class Speedups(BuildHookInterface[Any]):
    """What hatchling calls for a wheel, an editable one too."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and say so in the wheel's tag; an editable one has the module in place."""
        if self.target_name != "wheel":
            return
        self._work = tempfile.mkdtemp()
        try:
            module = compiled(Path(self.root), Path(self._work))
        except Exception as error:  # noqa: BLE001  # compilers fail in many ways
            self.app.display_warning(f"{FOLDER} stays Python: nothing compiles it here ({error})")
            return
        if version == "editable":
            # into place in one step: a process may have the old one open
            beside = Path(self.root, FOLDER, f"{module.name}.new")
            shutil.copy(module, beside)
            beside.replace(beside.with_name(module.name))
        else:
            build_data["force_include"][str(module)] = f"{FOLDER}/{module.name}"
        build_data["pure_python"] = False
        build_data["tag"] = f"{INTERPRETER}-{ABI}-{platform()}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """The compiler's files go."""
        if self.target_name == "wheel":
            shutil.rmtree(self._work, ignore_errors=True)


def compiled(root: Path, work: Path) -> Path:
    """The module, compiled below `work`. Raises what setuptools raises."""
    from setuptools import Distribution, Extension
    from setuptools.command.build_ext import build_ext

    sources = sorted(map(str, (root / FOLDER).glob("*.c")))
    extension = Extension("_speedups", sources, py_limited_api=True)
    command = build_ext(Distribution({"name": "vero-deliver", "ext_modules": [extension]}))
    command.build_lib, command.build_temp = str(work / "lib"), str(work / "temp")
    command.ensure_finalized()
    command.run()
    [module] = (work / "lib").iterdir()
    return module


def platform() -> str:
    """What this machine is in a tag: no manylinux, which promises more than was looked at."""
    tags = (tag.platform for tag in sys_tags())
    return next(tag for tag in tags if not tag.startswith(("manylinux", "musllinux")))
