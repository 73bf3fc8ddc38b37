"""Where in a document a template's constructs stand: an HTML and MJML tokenizer with a memory.

It is fed the text between constructs and keeps its state across them. It follows the WHATWG
tokenizer as far as authors' markup goes; what it cannot follow it reports as `lost`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

State = Literal["text", "tag", "value", "bare", "comment", "raw"]
CssState = Literal["top", "selector", "declarations", "value", "url", "comment"]

VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
     "track", "wbr")
)  # fmt: skip
# what stands in them is text
RAW = frozenset(
    ("style", "mj-style", "title", "mj-title", "mj-preview", "script", "textarea", "xmp", "iframe",
     "noembed", "noframes")
)  # fmt: skip
STYLES = frozenset(("style", "mj-style"))

_OPEN = re.compile(r"<(/?)([A-Za-z][^\s/>]*)")
_ATTRIBUTE = re.compile(r"([^\s=>/\"'][^\s=>/]*)(\s*=\s*)?")
_SHOWN_TO_ALL = re.compile(r"\s*(?:<!--)?-->|<!-->")
_BARE_END = re.compile(r"[\s>]")
_CSS_NOISE = re.compile(r"/\*.*?\*/", re.DOTALL)
_CSS_TEXT = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'")
_CSS_URL = re.compile(r"url\(\s*[\"']?$", re.IGNORECASE)
_CSS_IN_URL = re.compile(r"url\([^)]*$", re.IGNORECASE)
Spot = tuple[int, int]  # number of a text, and the place in it
CONSTRUCT = "\0"  # stands for one where the text around it matters


@dataclass(slots=True)
class Scan:
    """The state after what was fed so far.

    stack: open elements, outermost first. tag, attribute: the one that is being read.
    value: what of the attribute value stands before this point; css: of the style element; both
    with CONSTRUCT where there was one. conditional: inside `<!--[if mso]>`, whose content is HTML.
    """

    state: State = "text"
    stack: list[str] = field(default_factory=list)
    tag: str = ""
    attribute: str = ""
    quote: str = ""
    value: str = ""
    css: str = ""
    start: str = ""  # the start tag that is being read, as written so far
    part: int = 0  # number of the text that is fed, set by who feeds it
    begun: Spot = (0, 0)  # where the tag that is being read began
    ended: Spot = (0, 0)  # where the last tag ended
    begins: list[Spot] = field(default_factory=list)  # of the open elements
    conditional: bool = False
    closing: bool = False
    raw: str = ""
    at_name: bool = False  # right behind the name of a tag
    lost: str = ""
    on_open: Callable[[str, str], None] | None = None  # name, whole start tag
    on_close: Callable[[Spot, bool], None] | None = None  # where it began; by its own end tag

    @property
    def inside(self) -> str:
        """The innermost open element."""
        return self.stack[-1] if self.stack else ""

    def place(self) -> tuple[object, ...]:
        """Equal for two points only if markup may go on from both alike."""
        attribute = self.attribute if self.state in ("value", "bare") else ""
        return (
            self.state, tuple(self.stack), self.quote if self.state == "value" else "", attribute,
            self.raw, self.conditional, self.tag if self.state != "text" else "",
        )  # fmt: skip

    def copy(self) -> Scan:
        """A scan that goes on from here by itself."""
        names = self.__slots__
        twin = Scan(**{name: getattr(self, name) for name in names})
        twin.stack, twin.begins = list(self.stack), list(self.begins)
        return twin

    def construct(self, shown: str = CONSTRUCT) -> None:
        """A construct stands here."""
        if self.state in ("value", "bare"):
            self.value += shown
        elif self.raw in STYLES:
            self.css += shown
        if self.state in ("tag", "value", "bare"):
            self.start += shown

    def feed(self, text: str) -> None:
        """Go on over text without constructs."""
        at = 0
        while at < len(text):
            at = _STEPS[self.state](self, text, at)

    # one method per state: each reads on from `at` and says where it stopped

    def _text(self, text: str, at: int) -> int:
        begin = text.find("<", at)
        if begin < 0:
            return len(text)
        if text.startswith("<!--", begin):
            if text.startswith("<!--[if", begin):
                end = text.find("]>", begin)
                if end < 0:
                    self.lost = "a conditional comment that a construct interrupts"
                    return len(text)
                after = end + 2
                # <!--[if !mso]><!--> and <!--[if !mso]>--> show their content to everybody
                shown = _SHOWN_TO_ALL.match(text, after)
                if shown:
                    return shown.end()
                self.conditional = True
                return after
            self.state = "comment"
            return begin + 4
        if text.startswith("<![endif]", begin):
            end = text.find(">", begin)
            self.conditional = False
            return len(text) if end < 0 else end + 1
        if text.startswith(("<!", "<?"), begin):
            end = text.find(">", begin)
            if end < 0:
                self.lost = "a declaration that a construct interrupts"
            return len(text) if end < 0 else end + 1
        found = _OPEN.match(text, begin)
        if not found:
            if begin + 1 == len(text) or text[begin + 1 : begin + 2] == "/":
                self.lost = "a construct in the name of an element"
            return begin + 1
        self.closing, self.tag = bool(found[1]), found[2].lower()
        self.at_name = found.end() == len(text)
        self.state, self.attribute, self.start = "tag", "", found[0]
        self.begun = (self.part, begin)
        return found.end()

    def _comment(self, text: str, at: int) -> int:
        end = text.find("-->", at)
        if end < 0:
            return len(text)
        self.state = "text"
        return end + 3

    def _raw(self, text: str, at: int) -> int:
        found = re.compile(rf"</{re.escape(self.raw)}\s*>", re.IGNORECASE).search(text, at)
        end = found.start() if found else len(text)
        if self.raw in STYLES:
            self.css += text[at:end]
        if found:
            self.state, self.raw, self.ended = "text", "", (self.part, found.end())
            self._close(own=True)
            return found.end()
        return end

    def _tag(self, text: str, at: int) -> int:
        letter = text[at]
        if self.at_name and letter not in " \t\n\r\f/>":
            self.lost = "a construct in the name of an element"
        self.at_name = False
        if letter == ">":
            self.start += ">"
            self.ended = (self.part, at + 1)
            self._end_of_tag()
            return at + 1
        found = _ATTRIBUTE.match(text, at)
        if not found:
            if letter in "\"'":
                self.lost = "a quote that belongs to no attribute"
            self.start += letter
            return at + 1
        self.attribute, at = found[1].lower(), found.end()
        self.start += found[0]
        if not found[2]:
            return at
        self.value = ""
        if at < len(text) and text[at] in "\"'":
            self.quote, self.state = text[at], "value"
            self.start += text[at]
            return at + 1
        self.state = "bare"
        return at

    def _value(self, text: str, at: int) -> int:
        end = text.find(self.quote, at)
        stop = len(text) if end < 0 else end
        self.value += text[at:stop]
        self.start += text[at:stop]
        if end < 0:
            return stop
        self.state = "tag"
        self.start += self.quote
        return end + 1

    def _bare(self, text: str, at: int) -> int:
        found = _BARE_END.search(text, at)
        stop = found.start() if found else len(text)
        self.value += text[at:stop]
        self.start += text[at:stop]
        if stop < len(text):
            self.state = "tag"
        return stop

    def _end_of_tag(self) -> None:
        self.state = "text"
        if self.closing:
            if self.tag in self.stack:
                while self.inside != self.tag:
                    self._close(own=False)
                self._close(own=True)
            return
        if self.on_open:
            self.on_open(self.tag, self.start)
        in_mjml = self.tag.startswith("mj") or self.inside.startswith("mj")
        self.stack.append(self.tag)
        self.begins.append(self.begun)
        if self.tag in VOID or (self.start.endswith("/>") and in_mjml):
            self._close(own=True)
        elif self.tag in RAW:
            self.state, self.raw, self.css = "raw", self.tag, ""

    def _close(self, *, own: bool) -> None:
        self.stack.pop()
        begun = self.begins.pop()
        if self.on_close:
            self.on_close(begun, own)


_STEPS: dict[State, Callable[[Scan, str, int], int]] = {
    "text": Scan._text,  # noqa: SLF001
    "tag": Scan._tag,  # noqa: SLF001
    "value": Scan._value,  # noqa: SLF001
    "bare": Scan._bare,  # noqa: SLF001
    "comment": Scan._comment,  # noqa: SLF001
    "raw": Scan._raw,  # noqa: SLF001
}


def css_state(css: str, *, attribute: bool = False) -> CssState:
    """Where a point stands, from the CSS before it. attribute: of a style attribute."""
    css = _CSS_NOISE.sub("", css.replace(CONSTRUCT, ""))
    if "/*" in css:
        return "comment"
    if _CSS_URL.search(css):
        return "url"
    if _CSS_IN_URL.search(css):
        return "value"
    css = _CSS_TEXT.sub("''", css)
    depth = css.count("{") - css.count("}")
    last = re.split(r"[{};]", css)[-1]
    if depth <= 0 and not attribute:
        return "selector" if last.strip() else "top"
    if ":" in last:
        return "value"
    # inside @media, rules stand in a block
    return "declarations" if not last.strip() else "selector"
