"""What a template sees where the data has nothing: `strict`, `blank` or `keep`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NoReturn

from jinja2 import ChainableUndefined, StrictUndefined, Undefined
from jinja2.utils import missing
from markupsafe import escape

from vero_deliver.plain import kind_of, nearest
from vero_deliver.render.given import shown

Policy = Literal["strict", "blank", "keep"]


class Strict(StrictUndefined):
    """Using it is an error, but for `is defined`, `default` and `fallback`."""

    @property
    def _undefined_message(self) -> str:
        name, holder = self._undefined_name, self._undefined_obj
        if self._undefined_hint:
            return self._undefined_hint
        if isinstance(holder, Mapping):
            return f"there is no {name!r} here" + nearest(str(name), map(str, holder))
        if holder is not missing:
            return f"{kind_of(holder)} has no {name!r}"
        return f"there is no {name!r}"


class Blank(ChainableUndefined):
    """Prints nothing, is false, and may be looked into."""


class Keep(ChainableUndefined):
    """Prints the expression itself, `{{ user.first_name }}`."""

    def __str__(self) -> str:
        return f"{{{{ {self._path()} }}}}"

    def __html__(self) -> str:
        return escape(str(self))  # `labels[user.plan]`: a name may come from data

    def __getattr__(self, name: str) -> Keep:
        if name.startswith("__"):
            raise AttributeError(name)
        return Keep(name=f"{self._path()}.{name}")

    def __getitem__(self, name: Any) -> Keep:  # type: ignore[override]
        return self.__getattr__(str(name))

    def _path(self) -> str:
        holder = self._undefined_obj
        prefix = f"{holder.path_}." if isinstance(holder, Named) else ""
        return f"{prefix}{self._undefined_name}"


class Named(dict[str, Any]):
    """A mapping that knows how templates reach it, so that Keep can print the whole path."""

    def __init__(self, values: Mapping[str, Any], path: str) -> None:
        super().__init__({key: name_paths(value, f"{path}.{key}") for key, value in values.items()})
        self.path_ = path


def name_paths(value: Any, path: str) -> Any:
    """Mappings, at any depth, become Named."""
    return Named(value, path) if isinstance(value, Mapping) else value


UNDEFINED: Mapping[Policy, type[Undefined]] = {"strict": Strict, "blank": Blank, "keep": Keep}


def abort(reason: str = "") -> NoReturn:
    """For templates: send nothing to this user, and say why."""
    raise Abort(shown(str(reason)))


class Abort(Exception):  # not an error: it ends in a Skipped
    """A template called abort(reason)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason or "the template said abort()"
