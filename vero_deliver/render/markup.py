"""From an author's MJML or HTML to the HTML that is sent: compiled, CSS inlined, complete."""

from __future__ import annotations

import html as html_text
import re
from typing import Literal

from vero_deliver.errors import MissingExtra
from vero_deliver.render.filters.formats import direction
from vero_deliver.render.mjml_check import MarkupError, misplaced, unbalanced

Inliner = Literal["css-inline", "premailer", "none"]

_INLINE_STYLE = re.compile(  # comments first, so that what they hold is left alone
    r"<!--.*?-->"
    r"|<mj-style\b[^>]*\binline\s*=\s*[\"']inline[\"'][^>]*>(?P<css>.*?)</mj-style\s*>",
    re.DOTALL,
)
_MJML = re.compile(
    r"<!--(?:[^-]++|-(?!->))*+-->|<mjml\b(?P<given>(?:\"[^\"]*\"|'[^']*'|[^'\"<>])*)", re.DOTALL
)
_LANG = re.compile(r"\slang\s*=\s*[\"']([^\"']*)")
_DIR = re.compile(r"\sdir\s*=")
_STYLED = re.compile(r"<style\b|<link\b[^>]*stylesheet", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"(\sstyle\s*=\s*)(\"[^\"]*\"|'[^']*')", re.IGNORECASE)
_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_ROOT = re.compile(r"<html\b", re.IGNORECASE)
_DOCTYPE = re.compile(r"\s*<!doctype", re.IGNORECASE)

# fills the rest of the inbox line, so that the body does not show up behind the preheader
_PADDING = "&#847;&zwnj;&nbsp;" * 60


def from_mjml(mjml: str, preheader: str, language: str, inliner: Inliner) -> str:
    """Compiled MJML; `mj-style inline="inline"` goes into the elements. Raises MarkupError.

    language: what the document says it is in where its author said nothing.
    """
    html, css = compiled_mjml(mjml, language)
    html = with_preheader(html, preheader)
    return inline(html, css, inliner) if css else html


def compiled_mjml(mjml: str, language: str) -> tuple[str, str]:
    """HTML, and the CSS that is to be inlined into it. Raises MarkupError."""
    import mjml as engine  # 20 ms that only MJML bodies pay

    wrong = misplaced(mjml)
    if wrong and wrong.name == "mj-include":  # before the engine reads a file
        raise MarkupError(wrong.words, wrong)
    without, css = split_styles(mjml)
    try:
        html = engine.mjml2html(with_language(without, language))
    except ValueError as error:
        wrong = unbalanced(mjml) or wrong
        raise MarkupError(wrong.words if wrong else f"not valid MJML: {error}", wrong) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of Rust, and no Exception to Python
            raise
        raise MarkupError("the MJML engine cannot read it, and does not say why") from None
    if wrong:
        raise MarkupError(wrong.words, wrong)
    return html, "\n".join(css)


def split_styles(mjml: str) -> tuple[str, list[str]]:
    """The MJML without its `mj-style inline="inline"`, and what stood in them."""
    css: list[str] = []

    def take(match: re.Match[str]) -> str:
        if match["css"] is None:
            return match[0]
        css.append(match["css"])
        return ""

    return _INLINE_STYLE.sub(take, mjml), css


def with_language(mjml: str, language: str) -> str:
    """`lang` and `dir` on the root, where its author gave none."""

    def speak(match: re.Match[str]) -> str:
        given = match["given"]
        if given is None:
            return match[0]
        found = _LANG.search(given)
        lang = found[1] if found else language.replace("_", "-")
        added = "" if found else f' lang="{lang}"'
        added += "" if _DIR.search(given) else f' dir="{direction(lang)}"'
        return f"<mjml{added}{given}"

    return _MJML.sub(speak, mjml)


def has_direction(mjml: str) -> bool:
    """Whether the author says which way the document is read."""
    return any(_DIR.search(found["given"] or "") for found in _MJML.finditer(mjml))


def from_html(html: str, preheader: str, language: str, inliner: Inliner) -> str:
    """A complete document, with what its style elements say inlined and the elements kept."""
    html = with_preheader(complete(html, language), preheader)
    return inline(html, "", inliner) if is_styled(html) else html


def complete(html: str, language: str) -> str:
    """A document, where it was a fragment."""
    if not _ROOT.search(html):
        lang = html_text.escape(language.replace("_", "-"))
        html = f'<html lang="{lang}"><head><meta charset="utf-8"></head><body>{html}</body></html>'
    if not _DOCTYPE.match(html):
        html = f"<!doctype html>{html}"
    return html


def is_styled(html: str) -> bool:
    """Whether there is CSS to inline."""
    return bool(_STYLED.search(html))


def inline(html: str, css: str, inliner: Inliner, *, tidy: bool = True) -> str:
    """Declarations moved into style attributes. Never loads anything from anywhere.

    tidy: leave out declarations that the inliner refuses and browsers skip; else MarkupError.
    """
    if inliner == "none":
        return html.replace("</head>", f"<style>{css}</style></head>", 1) if css else html
    if inliner == "premailer":
        return _premailer(html, css)
    import css_inline  # 20 ms that only styled bodies pay

    work = css_inline.CSSInliner(
        inline_style_tags=not css,
        keep_style_tags=True,
        keep_link_tags=True,
        load_remote_stylesheets=False,
        extra_css=css or None,
    )
    try:
        return work.inline(html)
    except css_inline.InlineError as error:  # it refuses declarations that every browser skips
        if not tidy:
            raise MarkupError(f"the CSS cannot be inlined: {error}") from None
    try:
        return work.inline(_ATTRIBUTE.sub(_tidy, html))
    except css_inline.InlineError as error:
        raise MarkupError(f"the CSS cannot be inlined: {error}") from None


def with_preheader(html: str, preheader: str) -> str:
    """The text that inboxes show after the subject, hidden at the top of the body.

    Done before inlining: after it, data in attributes may hold a bare `<body>`.
    """
    if not preheader:
        return html
    hidden = (
        '<div style="display:none;font-size:1px;line-height:1px;max-height:0;max-width:0;'
        f'opacity:0;overflow:hidden;mso-hide:all">{html_text.escape(preheader)}{_PADDING}</div>'
    )
    return _BODY.sub(lambda match: match[0] + hidden, html, count=1)


def _tidy(match: re.Match[str]) -> str:
    """A style attribute without the declarations that css-inline stumbles over."""
    quote, style = match[2][0], html_text.unescape(match[2][1:-1])
    good = [part.strip() for part in style.split(";") if re.match(r"\s*[-a-zA-Z]+\s*:\s*\S", part)]
    return f"{match[1]}{quote}{html_text.escape(';'.join(good))}{quote}"


def _premailer(html: str, css: str) -> str:
    try:
        from premailer import Premailer  # an extra
    except ImportError:
        raise MissingExtra('inliner = "premailer"', "premailer") from None
    work = Premailer(
        html,
        css_text=css or None,
        allow_network=False,
        allow_loading_external_files=False,
        disable_validation=True,
        cssutils_logging_level="CRITICAL",
        keep_style_tags=True,
        include_star_selectors=True,
        strip_important=False,
        disable_link_rewrites=True,
    )
    return str(work.transform())
