"""What mail clients do not support, of what the author wrote."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vero_deliver.check.chosen import by_line
from vero_deliver.check.dom import Element
from vero_deliver.check.finding import Hit, Place
from vero_deliver.check.rule import rule
from vero_deliver.check.seen import Seen
from vero_deliver.check.shown import ShownEmail

# right to write although not every client reads it: nothing is lost where it is not, or it has
# been inlined by then, as what selectors with structural pseudo-classes say
_RIGHT: Final = frozenset(
    ("css-at-media", "css-at-media-hover", "css-at-media-prefers-color-scheme",
     "css-at-media-prefers-reduced-motion", "css-at-supports", "css-color-scheme", "css-cursor",
     "css-display-none", "css-function-light-dark", "css-height", "css-important",
     "css-max-height", "css-max-width", "css-outline", "css-pseudo-class-first-child",
     "css-pseudo-class-first-of-type", "css-pseudo-class-lang", "css-pseudo-class-last-child",
     "css-pseudo-class-last-of-type", "css-pseudo-class-link", "css-pseudo-class-not",
     "css-pseudo-class-nth-child", "css-pseudo-class-nth-last-child",
     "css-pseudo-class-nth-last-of-type", "css-pseudo-class-nth-of-type",
     "css-pseudo-class-only-child", "css-pseudo-class-only-of-type", "css-unit-initial",
     "css-unit-px", "html-aria-describedby", "html-aria-hidden", "html-aria-label",
     "html-aria-labelledby", "html-aria-live", "html-body", "html-dir", "html-lang", "html-link",
     "html-loading-attribute", "html-role", "html-style", "html-target")
)  # fmt: skip
# where it is missing the letter looks plainer and says the same
_PLAINER: Final = frozenset(
    ("css-accent-color", "css-animation", "css-at-font-face", "css-at-import", "css-at-keyframes",
     "css-backdrop-filter", "css-background-blend-mode", "css-background-clip",
     "css-background-origin", "css-background-position", "css-background-repeat",
     "css-background-size", "css-border-image", "css-border-radius", "css-border-radius-logical",
     "css-border-spacing", "css-box-shadow", "css-box-sizing", "css-clear", "css-empty-cells",
     "css-filter", "css-font-kerning", "css-font-size-adjust", "css-font-stretch",
     "css-hyphenate-character", "css-hyphenate-limit-chars", "css-hyphens", "css-linear-gradient",
     "css-list-style-image", "css-min-height", "css-min-width", "css-mix-blend-mode",
     "css-object-fit", "css-object-position", "css-opacity", "css-orphans", "css-outline-offset",
     "css-overflow", "css-overflow-wrap", "css-pseudo-class-active", "css-pseudo-class-focus",
     "css-pseudo-class-focus-visible", "css-pseudo-class-focus-within", "css-pseudo-class-hover",
     "css-pseudo-class-visited", "css-pseudo-element-first-letter",
     "css-pseudo-element-first-line", "css-pseudo-element-marker",
     "css-pseudo-element-placeholder", "css-radial-gradient", "css-resize", "css-scroll-snap",
     "css-sytem-ui", "css-tab-size", "css-table-layout", "css-text-align-last",
     "css-text-decoration-color", "css-text-decoration-line", "css-text-decoration-skip-ink",
     "css-text-decoration-style", "css-text-decoration-thickness", "css-text-emphasis",
     "css-text-emphasis-position", "css-text-justify", "css-text-overflow", "css-text-shadow",
     "css-text-underline-offset", "css-text-underline-position", "css-text-wrap", "css-transition",
     "css-user-select", "css-white-space", "css-white-space-collapse", "css-widows",
     "css-word-break", "css-word-spacing", "css-word-wrap", "html-abbr", "html-acronym",
     "html-background", "html-dfn", "html-semantics", "html-srcset", "html-strike", "html-wbr")
)  # fmt: skip


@rule("client/css", "warning", parts=True)
def css(seen: Seen) -> Iterator[Hit]:
    """CSS that a mail client does not support.

    The client drops it, so the letter looks another way there. `--clients` or `[check] clients`
    say which count; what only looks plainer is info, what nothing is lost by is no finding, nor is
    what the MJML compiler writes by itself. What caniemail.com calls partly supported is not
    counted.
    """
    yield from _hits(seen, "css-")


@rule("client/html", "warning", parts=True)
def html(seen: Seen) -> Iterator[Hit]:
    """An element or an attribute that a mail client does not support.

    Video, forms and drawings are taken out by many clients: show a picture that links to a page
    that has them. As for `client/css`, `--clients` says which clients count.
    """
    yield from _hits(seen, "html-")


@rule("client/image", "warning", parts=True)
def image(seen: Seen) -> Iterator[Hit]:
    """An image of a format that a mail client does not show.

    SVG and WebP are missing where the reader expects the product; PNG, JPEG and GIF are shown by
    all. As for `client/css`, `--clients` says which clients count.
    """
    yield from _hits(seen, "image-")


def _hits(seen: Seen, prefix: str) -> Iterator[Hit]:
    from vero_deliver.check.clients import support  # data that only these rules need
    from vero_deliver.check.clients.document import used

    clients = support.chosen(seen.options.clients)
    for mail in seen.emails:
        told: set[str] = set()
        for key, element in used(mail).items():
            for feature in support.features().get(key, ()):
                without = [client for client in clients if feature.support[client] == "n"]
                slug = feature.slug
                if not slug.startswith(prefix) or slug in _RIGHT | told or not without:
                    continue
                told.add(slug)
                place, others = _place(mail, key, element, f"client/{slug}")
                yield Hit(
                    f"{feature.title} is not supported by {support.spoken(without)}",
                    on=mail,
                    at=place,
                    detail=support.tested() + (f"; on {others} more lines" if others else ""),
                    hint=f"see {feature.url}",
                    part=slug.removeprefix(prefix),
                    severity="info" if slug in _PLAINER else None,
                )


def _place(mail: ShownEmail, key: str, element: Element, name: str) -> tuple[Place, int]:
    """The first place where it is written and not ignored, and how many others there are."""
    from vero_deliver.check.clients.document import places

    found = places(key, element, mail)
    names = {"client", name.partition("-")[0], name}
    ignored = by_line(mail.seen.comments)
    counted = [each for each in found if not names & ignored.get((each.file, each.line), set())]
    return (counted or found)[0], max(len(counted) - 1, 0)
