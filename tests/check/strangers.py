"""Templates that others wrote, made into projects; only their placeholders are filled."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from check.projects import NOON, write
from vero_deliver.check import Report, check

_UNPACKED: Final = Path(__file__).parents[1] / "peers/node_modules/.unpacked"
_BLOCK: Final = re.compile(r"```\w*\n(\s*<mjml.*?)```", re.DOTALL)
_TAG: Final = re.compile(r"<%.*?%>|\{\{\{.*?\}\}\}|\{\{.*?\}\}", re.DOTALL)
_PRINTS: Final = re.compile(r"<%[-=].*|\{\{\{?\s*[\w.\"(@].*", re.DOTALL)
_PARTIAL: Final = re.compile(r"\{\{>\s*(\w+).*?\}\}")
_IN_URL: Final = re.compile(r"""(?:href|src|action)\s*=\s*["'][^"'<>]*$|url\(["']?[^)]*$""")
_IN_NUMBER: Final = re.compile(r"""(?:width|height|dir|lang|align)\s*=\s*["'][^"']*$""")


def filled(text: str, partials: Path | None = None) -> str:
    """Handlebars, Mustache and EJS as what they print for somebody; their blocks once."""
    if partials:
        text = _PARTIAL.sub(lambda found: (partials / f"{found[1]}.hbs").read_text(), text)
    pieces, last = [], 0
    for tag in _TAG.finditer(text):
        before = text[last : tag.start()]
        pieces.append(before)
        if _PRINTS.fullmatch(tag[0]):
            pieces.append(_value("".join(pieces)[-300:]))
        last = tag.end()
    return "".join([*pieces, text[last:]])


def _value(before: str) -> str:
    tag = before.rpartition("<")[2]
    if _IN_URL.search(tag) or _IN_URL.search(before.rpartition("{")[2]):
        return "" if before.rstrip().endswith(("/", ":")) else "https://shop.example/x"
    if "style" in tag and before.rstrip().endswith(":"):
        return "#1a4fa0"
    found = _IN_NUMBER.search(tag)
    return {"dir": "ltr", "lang": "en"}.get(found[0][:4].strip('= "'), "40") if found else "Ada"


def documents() -> dict[str, tuple[str, str]]:
    """Name to markup and its kind; empty where scripts/peers has not run.

    Shops of Vendure (MIT) and the components' own documents (MIT) are MJML; the themes of mailgen
    (Apache 2.0) and the letters of Unleash (Apache 2.0) are HTML.
    """
    found: dict[str, tuple[str, str]] = {}
    for file in sorted(_UNPACKED.glob("@vendure/*/templates/*/body.hbs")):
        markup = filled(file.read_text(), file.parents[1] / "partials")
        found[f"vendure/{file.parent.name}"] = markup, "mjml"
    for file in sorted(_UNPACKED.glob("mjml-*/README.md")):
        for number, block in enumerate(_BLOCK.findall(file.read_text()), start=1):
            found[f"{file.parent.name.partition('@')[0]}/{number}"] = block, "mjml"
    for file in sorted(_UNPACKED.glob("mailgen@*/themes/*/index.html")):
        found[f"mailgen/{file.parent.name}"] = filled(file.read_text()), "html"
    for file in sorted(_UNPACKED.glob("unleash-server@*/dist/mailtemplates/*/*.html.mustache")):
        found[f"unleash/{file.parent.name}"] = filled(file.read_text()), "html"
    return found


def checked(root: Path, markup: str, kind: str) -> Report:
    """What is found in a body that somebody else wrote."""
    body = re.sub(r"\{(?=[{%#])", "{{ '{' }}", markup)
    return check(write(root, {"email.html": None, f"email.{kind}": body}), now=NOON)
