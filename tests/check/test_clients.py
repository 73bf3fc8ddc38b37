"""What is known of mail clients, and what of a document counts as the author's."""

from __future__ import annotations

import json
from pathlib import Path
from runpy import run_path

import pytest

from check.projects import MJML, places, report
from vero_deliver.check import CLIENTS, Options
from vero_deliver.check.clients import css, support
from vero_deliver.errors import ConfigError

EVERYTHING = """
<mj-wrapper border="1px solid #cccccc"><mj-section full-width="full-width"><mj-group><mj-column>
<mj-image src="https://shop.example/x.png" alt="A parcel" width="90px" href="https://shop.example"/>
<mj-divider/><mj-spacer height="9px"/><mj-table><tr><th>One</th><td>Two</td></tr></mj-table>
<mj-social><mj-social-element name="github" href="https://shop.example">Us</mj-social-element>
</mj-social></mj-column><mj-column><mj-text>More</mj-text></mj-column></mj-group></mj-section>
</mj-wrapper><mj-section><mj-column><mj-accordion><mj-accordion-element>
<mj-accordion-title>Why</mj-accordion-title><mj-accordion-text>So</mj-accordion-text>
</mj-accordion-element></mj-accordion><mj-carousel>
<mj-carousel-image src="https://shop.example/y.png" alt="A parcel"/></mj-carousel></mj-column>
</mj-section><mj-section><mj-column><mj-navbar hamburger="hamburger">
<mj-navbar-link href="https://shop.example">Home</mj-navbar-link></mj-navbar></mj-column>
</mj-section><mj-hero height="90px"><mj-text>Hero</mj-text></mj-hero>
</mj-body>"""


def test_the_compiler_causes_no_finding(tmp_path: Path) -> None:
    """Of a document with every component of MJML, nothing is told that MJML itself writes."""
    change = {"email.html": None, "email.mjml": MJML.replace("</mj-body>", EVERYTHING)}
    found = report(tmp_path, change).findings
    assert not [f for f in found if f.rule.startswith(("client/", "render/"))], found


def test_the_data_names_its_day() -> None:
    """Each finding says whose data it is and how old."""
    assert support.tested().startswith("caniemail.com, 20")


def test_every_feature_can_be_seen() -> None:
    """No feature waits for a kind of use that nothing reports."""
    kinds = {key.partition(" ")[0] for key in support.features()}
    assert kinds == {
        "at", "attribute", "declaration", "element", "function", "image", "media", "property",
        "pseudo", "unit", "value",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("style", "key"),
    [
        ("GAP: 1px", "property gap"),
        ("display: Grid !important", "declaration display:grid"),
        ("display: grid !important", "value !important"),
        ("width: calc(1px + 2VH)", "unit vh"),
        ("width: calc(1px + 2vh)", "function calc"),
        ("color: var(--ink)", "function var"),
        ("--ink: red", "function var"),
        ("width: min-content", "value min-content"),
        ("background: #fff url('x.WebP?v=1')", "image webp"),
        ("background: #fff url(x.png) no-repeat", "property background-image"),
        ("background: url(data:image/png;base64,AAAA)", "image data:"),
    ],
)
def test_what_a_style_uses(style: str, key: str) -> None:
    """Names in any case; what stands inside of functions too."""
    assert key in css.in_style(style)


@pytest.mark.parametrize(
    ("sheet", "key"),
    [
        ("@media (min-width: 9px) and (prefers-color-scheme: dark) { a { gap: 1px } }",
         "media prefers-color-scheme"),
        ("@media (min-width: 9px) { a:hover { gap: 1px } }", "property gap"),
        ("@media (min-width: 9px) { a:hover { gap: 1px } }", "pseudo hover"),
        ("@-webkit-keyframes x { to { opacity: 0 } }", "at keyframes"),
        ("a { & b { gap: 1px } }", "property gap"),
        ("a:not(.x)::before { content: 'x' }", "pseudo before"),
        ("@import url(x.css);", "at import"),
    ],
)  # fmt: skip
def test_what_a_sheet_uses(sheet: str, key: str) -> None:
    """Inside of media queries and nested rules too."""
    assert key in css.in_sheet(sheet)


def test_broken_css_uses_what_can_be_read() -> None:
    """Nothing is raised for what browsers skip."""
    assert "property gap" in css.in_style("color;; : red; }{; gap: 1px")
    assert css.in_sheet("} a { gap: 1px") == {"property gap", "unit px"}


def test_clients_by_family_and_alone() -> None:
    """A family is all of its clients but those that few use; one may be named alone."""
    assert "gmail.mobile-webmail" not in support.chosen(CLIENTS)
    assert support.chosen(["gmail.mobile-webmail"]) == ["gmail.mobile-webmail"]
    assert set(support.chosen(["apple-mail"])) == {"apple-mail.ios", "apple-mail.macos"}


def test_an_unknown_client_is_refused(tmp_path: Path) -> None:
    """With the nearest name that there is."""
    with pytest.raises(ConfigError, match="did you mean 'outlook'"):
        report(tmp_path, options=Options(clients=("outlok",)))


def test_only_the_chosen_clients_count(tmp_path: Path) -> None:
    """What Apple Mail shows is no finding for those who write to it alone."""
    change = {"email.html": ("<p>Your", '<p style="display: grid">Your')}
    assert places(report(tmp_path, change, options=Options(clients=("apple-mail",))).findings) == []


def test_a_line_that_is_ignored_hides_no_other(tmp_path: Path) -> None:
    """A comment is about its line: the next place that has the same is told."""
    change = {
        "email.html": [
            ("<p>Your", '<p style="gap: 1px">Your'),
            ("this morning.</p>", "this morning.</p>{# vero: ignore[client/css-gap] #}"),
            ("<p><a", '<p style="gap: 1px"><a'),
        ]
    }
    assert places(report(tmp_path, change).findings) == [("client/css-gap", "email.html:13")]


def test_the_data_is_licensed() -> None:
    """Its licence goes with it."""
    folder = Path(support.__file__).parent
    assert "Permission is hereby granted" in (folder / "LICENSE").read_text("utf-8")
    assert json.loads((folder / "caniemail.json").read_text("utf-8"))["features"]


def test_the_script_makes_the_data() -> None:
    """What is bundled is what scripts/caniemail makes of the package on npm, of the same day."""
    root = Path(__file__).parents[2]
    found = list(root.glob("tests/peers/node_modules/.unpacked/caniemail@*/data/caniemail.json"))
    if not found:
        pytest.skip("scripts/peers unpacks it")
    script = run_path(str(root / "scripts/caniemail"))
    data = json.loads(found[0].read_text("utf-8"))
    bundled = Path(support.__file__).parent / "caniemail.json"
    assert script["written"](script["trimmed"](data)) == bundled.read_text("utf-8")
