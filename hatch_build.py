"""Compiles the C of vero_deliver/speedups into the wheel; without a compiler it has none."""

from __future__ import annotations

import hashlib
import shutil
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = "vero_deliver/speedups"


class Speedups(BuildHookInterface[Any]):
    """What hatchling calls for a wheel, an editable one too."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and let the wheel's tag say so; an editable one has the module in place."""
        if self.target_name != "wheel":
            return
        self._work = tempfile.mkdtemp()
        place = Path(self.root, FOLDER, f"_speedups{sysconfig.get_config_var('EXT_SUFFIX')}")
        if version == "editable":
            place.unlink(missing_ok=True)  # of older sources
        try:
            module = compiled(Path(self.root), Path(self._work))
        except Exception as error:  # noqa: BLE001  # compilers fail in many ways
            self.app.display_warning(f"{FOLDER} stays Python: nothing compiles it here ({error})")
            return
        if version == "editable":
            shutil.copy(module, place)
        else:
            build_data["force_include"][str(module)] = f"{FOLDER}/{place.name}"
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """The compiler's files go."""
        if self.target_name == "wheel":
            shutil.rmtree(self._work, ignore_errors=True)


def digest(folder: Path) -> str:
    """What names the sources, so that a module of older ones is known for what it is."""
    found = hashlib.sha256()
    for path in sorted(folder.glob("*.[ch]")):
        found.update(path.read_bytes())
    return found.hexdigest()


def compiled(root: Path, work: Path) -> Path:
    """The module, compiled below `work`. Raises what setuptools raises."""
    from setuptools import Distribution, Extension
    from setuptools.command.build_ext import build_ext

    sources = sorted(map(str, (root / FOLDER).glob("*.c")))
    of = ("SOURCES", f'"{digest(root / FOLDER)}"')
    extension = Extension("_speedups", sources, define_macros=[of])
    command = build_ext(Distribution({"name": "vero-deliver", "ext_modules": [extension]}))
    command.build_lib, command.build_temp = str(work / "lib"), str(work / "temp")
    command.ensure_finalized()
    command.run()
    [module] = (work / "lib").iterdir()
    return module
