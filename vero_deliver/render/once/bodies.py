"""Skeletons kept and run: one body's HTML for one user, without any engine."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from jinja2 import Template

from vero_deliver import speedups
from vero_deliver.mime.chunks import Printed
from vero_deliver.render.draft import Draft
from vero_deliver.render.inline_images import cids_in
from vero_deliver.render.markup import Inliner
from vero_deliver.render.once.compiled import Body, Compiler
from vero_deliver.render.once.parts import Declined, Reason
from vero_deliver.render.run import Catalog, Inexact, current
from vero_deliver.render.templates import Templates
from vero_deliver.render.undefined import Abort

_KEPT = 500  # compiled bodies
# markup in values that an engine would have read, or that ends an attribute
_ENGINES_READ = re.compile("[<>\"']")
# and what decides how a document is completed, where there is no engine
_DOCUMENT = re.compile(r"<(?:!doctype|html|body|style|link)\b|cid:", re.IGNORECASE)
_Stamp = tuple[str, int]  # a path, as stat takes it fastest


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whether a body is compiled once; if not, why every recipient needs a compilation."""

    compiled: bool
    reasons: tuple[Reason, ...] = ()


class Personal(NamedTuple):
    """One user's HTML. cids: attachments that it may show; None where only it knows."""

    html: Printed
    cids: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class _Kept:
    """What became of a body. stamps: files that it was made from, with their times of change.

    refused: markup that values may not bring in. cids: attachments that the text shows.
    """

    outcome: Template | Reason
    stamps: Sequence[_Stamp]
    refused: re.Pattern[str] = _ENGINES_READ
    cids: frozenset[str] = frozenset()

    def is_fresh(self) -> bool:
        for path, changed in self.stamps:  # noqa: SIM110  # all() takes longer
            if _stamp(path) != changed:
                return False
        return True


class Bodies:
    """The compiled bodies of one project."""

    def __init__(self, templates: Templates, inliner: Inliner) -> None:
        self._templates = templates
        self._compiler = Compiler(templates, inliner)
        self._kept: dict[tuple[Body, Catalog], _Kept] = {}

    def explain(self, body: Body, catalog: Catalog) -> Explanation:
        """Whether the body is compiled once, and why not."""
        outcome = self._find(body, catalog).outcome
        if isinstance(outcome, Reason):
            return Explanation(False, (outcome,))
        return Explanation(True)

    def pieces(
        self,
        draft: Draft,
        body: Body,
        preheader: str,
        catalog: Catalog,
        check: Callable[[], object],
    ) -> Personal | None:
        """The HTML in pieces; None where it has to be made the plain way for this user.

        check: called before the body is compiled; what it raises comes out.
        Raises Abort. Any other failure is left to the plain way, which says it in the author's
        lines.
        """
        kept = self._find(body, catalog, check)
        if isinstance(kept.outcome, Reason):
            return None
        run = current()
        steps, run.preheader, run.refused = run.steps, preheader, kept.refused
        run.shows_file = False
        try:
            pieces = self._templates.pieces(kept.outcome, draft.variables)
            printed = Printed(pieces, self._templates.chunks(kept.outcome))
            return Personal(printed, None if run.shows_file else kept.cids)
        except Abort:
            raise
        except (Inexact, Exception):  # noqa: BLE001  # the plain way meets it again, and says it
            run.steps = steps
            return None
        finally:
            run.refused = None

    def _find(
        self, body: Body, catalog: Catalog, check: Callable[[], object] = lambda: None
    ) -> _Kept:
        key = (body, catalog)
        kept = self._kept.get(key)
        if kept is None or (kept.stamps and not kept.is_fresh()):
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            check()
            kept = self._kept[key] = self._compile(body, catalog)
        return kept

    def _compile(self, body: Body, catalog: Catalog) -> _Kept:
        files: list[str] = []
        try:
            skeleton = self._compiler.skeleton(body, catalog, files)
        except Declined as declined:
            return _Kept(declined.reason, self._stamps(files))
        template = self._templates.compiled(skeleton.source, escape="html", name=body.label)
        refused = _DOCUMENT if skeleton.markup_in else _ENGINES_READ
        cids = frozenset(cids_in(skeleton.source))
        return _Kept(template, self._stamps(files), refused, cids)

    def _stamps(self, files: Sequence[str]) -> Sequence[_Stamp]:
        paths = [str(self._templates.path(name)) for name in files]
        return tuple((path, _stamp(path)) for path in paths)


def _stamp(path: str) -> int:
    """When the file changed; 0 where it is gone."""
    if speedups.compiled and (changed := speedups.compiled.modified(path)) is not None:
        return changed
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116  # a Path takes twice as long
    except OSError:
        return 0
