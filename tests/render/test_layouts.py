"""What layouts, partials and includes get wrong, and whose line is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from making import email, text

from vero_deliver.errors import MessageError
from vero_deliver.render import Renderer
from vero_deliver.source import Source

BLOCK = "{% block content %}{% endblock %}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "messages"
    (made / "_layouts").mkdir(parents=True)
    (made / "_layouts/base.mjml").write_text(f"<mjml><mj-body>{BLOCK}</mj-body></mjml>")
    (made / "_layouts/base.html").write_text(f"<html><body>{BLOCK}</body></html>")
    (made / "_layouts/child.html").write_text("{% extends '_layouts/base.html' %}")
    (made / "_layouts/empty.html").write_text("<html></html>")
    return made


def refusal(root: Path, layout: str, html: str = "", mjml: str = "") -> str:
    with pytest.raises(MessageError) as raised:
        email(Renderer(templates=root), layout=layout, html=html, mjml=mjml)
    return str(raised.value)


def test_a_body_that_is_a_document_has_no_layout(root: Path) -> None:
    """The natural first mistake: `layout` on a body that has its own <mjml> or <html>."""
    mjml = Source("{# <mjml> #}\n<!-- <mjml> -->\n<mjml><mj-body></mj-body></mjml>", "m/email.mjml")
    assert refusal(root, layout="base", mjml=mjml) == (
        "m/email.mjml:3: a body with a layout holds no <mjml>; remove `layout`, or keep only what "
        "stands between <mj-body> and </mj-body>"
    )
    assert "Hello email.html:1: a body with a layout holds no <html>" in refusal(
        root, layout="base", html="<HTML><body>x</body></HTML>"
    )


def test_a_body_has_no_block_of_its_own(root: Path) -> None:
    """The layout's block is filled by the whole body."""
    body = Source(f"<p>\n{BLOCK}", "m/email.html")
    assert refusal(root, layout="base", html=body) == (
        "m/email.html:2: template syntax: the layout adds {% block content %} itself; remove it "
        "here"
    )


def test_a_layout_that_is_not_there_is_named_where_it_is_written(root: Path) -> None:
    """The line of `layout`, the near name, or those that there are."""
    near, far = Source("bas", "m/message.toml", 5), Source("x", "m/message.toml", 5)
    assert refusal(root, layout=near, mjml="<mj-section />") == (
        "m/message.toml:5: email.layout: there is no _layouts/bas.mjml; did you mean 'base'?"
    )
    assert "there are base.html, base.mjml, child.html, empty.html" in refusal(
        root, layout=far, html="<p>"
    )


def test_a_layout_needs_its_block(root: Path) -> None:
    """Without one the body would be lost; one that extends another has that one's."""
    body = Source("<p>x", "m/email.html")
    assert "email.layout: _layouts/empty.html has no block to fill" in refusal(
        root, layout="empty", html=body
    )
    assert "<p>x" in email(Renderer(templates=root), layout="child", html=body).html


def test_a_layout_with_an_error_is_named_itself(root: Path) -> None:
    """A syntax error in a layout has the layout's line."""
    (root / "_layouts/base.html").write_text("\n{% if x %}")
    assert refusal(root, layout="base", html="x").startswith("messages/_layouts/base.html:2: ")


@pytest.mark.parametrize("name", ["_layouts/base.html", "_partials/p.html"])
def test_files_that_are_not_utf_8_are_named(root: Path, name: str) -> None:
    """The file and line of the byte, not the file that includes it."""
    (root / "_partials").mkdir()
    (root / "_partials/p.html").write_text("x")
    (root / name).write_bytes("\npříliš".encode("cp1250"))
    body = Source("{% include '_partials/p.html' %}", "m/email.html")
    assert refusal(root, layout="base", html=body).startswith(f"messages/{name}:2: not UTF-8")


def test_a_byte_order_mark_of_a_partial_is_dropped(root: Path) -> None:
    """Some editors on Windows write one."""
    (root / "p.txt").write_bytes(b"\xef\xbb\xbfx")
    assert text("{% include 'p.txt' %}", renderer=Renderer(templates=root)) == "x"


def test_an_include_that_is_not_there_names_the_near_one(root: Path) -> None:
    """Among all files below the folder, samples left out."""
    (root / "a/samples").mkdir(parents=True)
    (root / "_partials").mkdir()
    (root / "_partials/footer.mjml").write_text("")
    (root / "a/samples/fotter.mjml").write_text("")
    for name in ("_partials/fotter.mjml", "_partial/footer.mjml"):
        with pytest.raises(MessageError, match=r"did you mean '_partials/footer\.mjml'"):
            text(f"{{% include {name!r} %}}", renderer=Renderer(templates=root))
