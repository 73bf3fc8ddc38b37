"""What the check of MJML finds, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from making import ADA, NOW, email

from vero_deliver.errors import MessageError, RenderError
from vero_deliver.message import Attachment, Email, EmailVariant, Message, Sms
from vero_deliver.render import Renderer
from vero_deliver.render.mjml_check import fault
from vero_deliver.rendered import RenderedSms
from vero_deliver.source import Source
from vero_deliver.user import User

EVERYTHING = """<mjml lang="en" owa="desktop">
<mj-head>
  <mj-title>a < b</mj-title><mj-preview>Hi <b></mj-preview><mj-breakpoint width="480px" />
  <mj-font name="Raleway" href="https://fonts.example/css?a=1&amp;b=2" />
  <mj-attributes><mj-all padding="0" /><mj-class name="x" color="red" /><mj-text /></mj-attributes>
  <mj-style>p > a { color: red } /* <i> */</mj-style>
  <mj-raw><meta name="x"><link rel="y"></mj-raw>
</mj-head>
<mj-body>
  <!-- <mj-buton> <p> is a comment -->
  <mj-raw><table><tr><td></mj-raw>
  <mj-wrapper><mj-section><mj-group><mj-column>
    <mj-text>text <p>para<br>graph <img src="a" alt="a > b"></p> 1 < 2</mj-text>
    <mj-image src="https://e.example/a.png" alt='>' />
    <mj-button href="#">go <b>on</b></mj-button>
    <mj-divider /><mj-spacer height="10px" />
    <mj-table><tr><td>1</td></tr></mj-table>
    <mj-social><mj-social-element name="github">x</mj-social-element></mj-social>
    <mj-navbar><mj-navbar-link href="/">home</mj-navbar-link></mj-navbar>
    <mj-accordion><mj-accordion-element><mj-accordion-title>t</mj-accordion-title>
      <mj-accordion-text><p>x</p></mj-accordion-text></mj-accordion-element></mj-accordion>
    <mj-carousel><mj-carousel-image src="https://e.example/b.png" /></mj-carousel>
  </mj-column></mj-group></mj-section></mj-wrapper>
  <mj-hero><mj-text>x</mj-text></mj-hero>
</mj-body></mjml>"""


def test_every_component_passes() -> None:
    """All of MJML, HTML and odd signs inside its contents, comments: no false alarm."""
    assert fault(EVERYTHING) is None


@pytest.mark.parametrize(
    ("wrong", "line", "words"),
    [
        ("<mj-section>\n<mj-buton>x</mj-buton></mj-section>", 2, "'mj-button'"),
        ("<mj-section>\n<p>x</p></mj-section>", 2, "HTML goes inside mj-text"),
        ("<mj-section>\n<mj-column></mj-section>", 2, "</mj-section> closes nothing"),
        ("\n\n<mj-section>", 3, "<mj-section> is never closed"),
        ("<mj-column><mj-text>x\n</mj-column>", 1, "<mj-text> is never closed"),
    ],
)  # fmt: skip
def test_faults_have_a_line(wrong: str, line: int, words: str) -> None:
    """What is misspelt, misplaced or open, and the line it stands on."""
    found = fault(wrong)
    assert found is not None
    assert found.line == line
    assert words in str(found)


def test_the_author_reads_a_line_of_the_file() -> None:
    """The line is the source's, whatever templates printed above it."""
    body = (
        "<mjml><mj-body>{% for i in range(9) %}\n{% endfor %}<mj-sektion></mj-sektion>"
        "</mj-body></mjml>"
    )
    with pytest.raises(
        RenderError, match=r"^messages/x/email\.mjml:2: .*did you mean 'mj-section'"
    ):
        email(html="", mjml=Source(body, "messages/x/email.mjml"))


def test_no_body_is_no_email() -> None:
    """A document without mj-body would be sent empty."""
    with pytest.raises(RenderError, match="no <mj-body>"):
        email(html="", mjml="<mjml></mjml>")


def test_language_of_the_document() -> None:
    """MJML that does not say its language gets the message's; one that does keeps it."""
    body = "<mjml%s><mj-body><mj-raw>x</mj-raw></mj-body></mjml>"
    renderer = Renderer(language="cs")
    assert '<html lang="cs"' in email(renderer, html="", mjml=body % "").html
    assert '<html lang="fr"' in email(renderer, html="", mjml=body % ' lang="fr"').html


def test_body_that_is_a_document_has_no_layout(tmp_path: Path) -> None:
    """The natural first mistake: `layout` on a body that has its own <mjml>."""
    (tmp_path / "_layouts").mkdir()
    (tmp_path / "_layouts/base.mjml").write_text(
        "<mjml><mj-body>{% block content %}{% endblock %}</mj-body></mjml>"
    )
    renderer = Renderer(templates=tmp_path)
    with pytest.raises(RenderError, match="a body with a layout holds no <mjml>"):
        email(renderer, html="", layout="base", mjml="<mjml><mj-body></mj-body></mjml>")
    with pytest.raises(MessageError, match="the layout adds this block itself"):
        email(renderer, html="", layout="base", mjml="{% block content %}{% endblock %}")
    with pytest.raises(MessageError, match=r"did you mean '_layouts/base\.mjml'"):
        email(renderer, html="", layout="bse", mjml="<mj-section></mj-section>")


def test_trans_takes_names_only() -> None:
    """What Jinja calls a missing end of print statement, in words."""
    with pytest.raises(MessageError, match="a value needs a name"):
        email(text="{% trans %}a {{ user.first_name }}{% endtrans %}")


def test_inline_image_must_be_there() -> None:
    """A cid that no attachment has would be a broken picture."""
    logo = Attachment(filename="l.png", content=b"x", cid="logo")
    assert email(html='<img src="cid:logo">', attachments=(logo,)).attachments
    with pytest.raises(RenderError, match="no attachment has the cid 'lgo'; there are logo"):
        email(html='<img src="cid:lgo">', attachments=(logo,))
    assert email(html="<p>Write to cid:nobody</p>").html


def test_attachment_needs_content() -> None:
    """An empty file is a mistake, unless the data says so."""
    with pytest.raises(RenderError, match="neither content nor content_from"):
        email(attachments=(Attachment(filename="x.txt"),))


@pytest.mark.parametrize(("locale", "hint"), [("fr", "en, cs"), ("CS", "did you mean 'cs'")])
def test_variants_have_a_locale_of_the_message(locale: str, hint: str) -> None:
    """A variant that nobody would ever get is an error."""
    message = Message(
        title="x",
        locales=("en", "cs"),
        email=Email(
            from_="a@b.example", subject="s", text="t", variants={locale: EmailVariant(text="x")}
        ),
    )
    with pytest.raises(MessageError) as caught:
        Renderer().render(message, ADA, "email", now=NOW)
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    ("phone", "number"),
    [
        ("+44 7700 900-123", "+447700900123"),
        ("+1 (415) 555.0100", "+14155550100"),
        ("12345", "12345"),
    ],
)
def test_sms_numbers_are_made_plain(phone: str, number: str) -> None:
    """What people write between digits goes; short codes stay."""
    made = Renderer().render(
        Message(title="x", sms=Sms(body="x")), User(phone=phone), "sms", now=NOW
    )
    assert isinstance(made, RenderedSms)
    assert made.to == number


@pytest.mark.parametrize("phone", ["07700 900123x", "4.479E+11", "ada", "+0123456789"])
def test_sms_to_what_is_no_number(phone: str) -> None:
    """The error shows how a number is written."""
    with pytest.raises(RenderError, match=r"\+447700900123"):
        Renderer().render(Message(title="x", sms=Sms(body="x")), User(phone=phone), "sms", now=NOW)
