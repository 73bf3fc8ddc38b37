"""Planted defects: a module for each family, with what it plants in DEFECTS."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from check.projects import Defect


def planted() -> list[Defect]:
    """Every defect of every module here."""
    names = sorted(module.name for module in iter_modules(__path__))
    return [defect for name in names for defect in import_module(f"{__name__}.{name}").DEFECTS]
