"""What the check of MJML finds, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from making import ADA, NOW, email

from vero_deliver.errors import MessageError, RenderError
from vero_deliver.message import Attachment, Email, EmailVariant, Message, Sms
from vero_deliver.render import Renderer
from vero_deliver.rendered import RenderedSms
from vero_deliver.source import Source
from vero_deliver.user import User

EVERYTHING = """<!-- before --><mjml lang="en" owa="desktop">
<mj-head>
  <mj-title>Title &lt; b</mj-title><mj-preview>Hi</mj-preview><mj-breakpoint width="480px" />
  <mj-font name="Raleway" href="https://fonts.example/css?a=1&amp;b=2" />
  <mj-attributes><mj-all padding="0" /><mj-class name="x" color="red" /><mj-text />
    <mj-body /><mj-section></mj-section></mj-attributes>
  <mj-style>p > a { color: red }</mj-style>
  <mj-style inline="inline">p { margin: 0 }</mj-style>
  <mj-raw><meta name="x"><link rel="y"><style>p > a {}</style></mj-raw>
</mj-head>
<mj-body>
  <!-- <mj-buton> <p> is a comment -->
  <mj-raw><!--[if mso]><p>x</p><![endif]--><div></div></mj-raw>
  <mj-wrapper><mj-section><mj-group><mj-column>
    <mj-text>text <p>para<br>graph <BR /><img src="a" alt="a > b"></p> <B>x</b></mj-text>
    <mj-text title="<p>">{{ x }} {# <mj-no> #}<a title='<mj-no>'>y</a> <o:p>z</o:p></mj-text>
    <mj-raw><tr><td>x</td></tr></mj-raw>
    <mj-image src="https://e.example/a.png" alt='>' />
    <mj-image src="https://e.example/a.png"></mj-image>
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
BODY = "<mjml><mj-body><mj-section><mj-column>%s</mj-column></mj-section></mj-body></mjml>"


@pytest.mark.parametrize("x", ["x", "{{", "}} {% <p>", "<mj-buton>", "<!--", '">'])
def test_every_component_passes(x: str) -> None:
    """All of MJML, HTML and odd signs inside its contents, comments, data: no false alarm."""
    assert email(html="", mjml=EVERYTHING, data={"x": x}).html


WRONG = [
    ("\n<mj-buton>x</mj-buton>", 2, "there is no <mj-buton> in MJML; did you mean 'mj-button'?"),
    ("\n\n<MJ-text>x</MJ-text>", 3, "did you mean 'mj-text'?"),
    ("\n<p>x</p>", 2, "<p> stands in <mj-column>; HTML goes inside mj-text"),
    ("<mj-text>\n<mj-button>x</mj-button></mj-text>", 2, "<mj-button> stands in <mj-text>"),
    ("<mj-text><p>\n<mj-image src='a' /></p></mj-text>", 2, "<mj-image> stands in <p>"),
    ("<mj-raw>\n<mj-text>x</mj-text></mj-raw>", 2, "<mj-text> stands in <mj-raw>"),
    ("\n<!-- x", 2, "a comment is never closed"),
    ("\n<mj-title>x</mj-title>", 2, "it belongs into <mj-head>"),
    ("\n<mj-text>x", 2, "<mj-text> is never closed"),
    ("<mj-text>\na <b>x</mj-text>", 2, "<b> is never closed"),
    ("<mj-text>\n<p>a<p>b</p></mj-text>", 2, "<p> is never closed"),
    ("<mj-text>\na</i></mj-text>", 2, "</i> closes nothing"),
    ('<mj-text>\n<a href="#>x</a></mj-text><mj-text />', 2, "a quote in <a> is never closed"),
    ("<mj-text>\n<a href='#>x</a></mj-text><mj-image src='a' />", 2, "a quote in <a>"),
    ("<mj-text>x</mj-text\n>\n<mj-text <b>x</b></mj-text>", 3, "<mj-text lacks its >"),
]


@pytest.mark.parametrize(("wrong", "line", "words"), WRONG)
def test_faults_have_the_author_s_line(wrong: str, line: int, words: str) -> None:
    """What is misspelt, misplaced or open, and the source's line, whatever templates printed."""
    body = "{% for i in range(9) %}\n{% endfor %}" + BODY % wrong
    with pytest.raises(RenderError) as caught:
        email(html="", mjml=Source(body, "messages/x/email.mjml"))
    assert caught.value.where == f"messages/x/email.mjml:{line + 1}"
    assert words in caught.value.detail


@pytest.mark.parametrize(
    ("place", "line"), [("_layouts/base.mjml", 2), ("_partials/a.mjml", 3), ("_partials/b.mjml", 1)]
)
@pytest.mark.parametrize(
    "wrong", ["<mj-sektion></mj-sektion>", "<p>x</p>", "<mj-text><b></mj-text>"]
)
def test_faults_of_layouts_and_partials_are_named_there(
    tmp_path: Path, place: str, line: int, wrong: str
) -> None:
    """The file that holds the element, not the body that includes it."""
    files = {
        "_layouts/base.mjml": "<mjml><mj-body>\n@{% block content %}{% endblock %}"
        "{% include '_partials/a.mjml' %}</mj-body></mjml>",
        "_partials/a.mjml": "\n\n@{% include './b.mjml' %}",
        "_partials/b.mjml": "@",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text.replace("@", wrong if name == place else ""))
    body = Source("<mj-section></mj-section>", "messages/x/email.mjml")
    with pytest.raises(RenderError) as caught:
        email(Renderer(templates=tmp_path), html="", layout="base", mjml=body)
    assert caught.value.where == f"{tmp_path.name}/{place}:{line}"


def test_no_line_where_none_is_known() -> None:
    """Markup that came out of data stands in no line of the author's."""
    body = Source(BODY % "\n{{ x | safe }}", "messages/x/email.mjml")
    with pytest.raises(RenderError) as caught:
        email(html="", mjml=body, data={"x": "<mj-buton></mj-buton>"})
    assert caught.value.where == "messages/x/email.mjml"


def test_mj_html_attributes_is_told_to_be_missing() -> None:
    """The engine does not know it, and says so badly."""
    body = "<mjml><mj-head>\n<mj-html-attributes></mj-html-attributes></mj-head><mj-body /></mjml>"
    with pytest.raises(RenderError, match=r":2: .*mj-html-attributes is not supported"):
        email(html="", mjml=body)


def test_no_body_is_no_email() -> None:
    """A document without mj-body would be sent empty."""
    with pytest.raises(RenderError, match="no <mj-body>"):
        email(html="", mjml="<mjml></mjml>")


@pytest.mark.parametrize(
    ("language", "given", "expected"),
    [
        ("cs", "", 'lang="cs" dir="ltr"'),
        ("ar", "", 'lang="ar" dir="rtl"'),
        ("pt_BR", "", 'lang="pt-BR" dir="ltr"'),
        ("cs", ' lang="he"', 'lang="he" dir="rtl"'),
        ("he", ' dir="ltr"', 'lang="he" dir="ltr"'),
    ],
)
def test_language_of_the_document(language: str, given: str, expected: str) -> None:
    """MJML that does not say its language or direction gets the message's."""
    body = f"<!-- <mjml> --><mjml{given}><mj-body><mj-raw>x</mj-raw></mj-body></mjml>"
    assert f"<html {expected}" in email(Renderer(language=language), html="", mjml=body).html


def test_inline_image_must_be_there() -> None:
    """A cid that no attachment has would be a broken picture."""
    logo = Attachment(filename="l.png", content=b"x", cid="logo")
    assert email(html='<img src="cid:logo">', attachments=(logo,)).attachments
    with pytest.raises(RenderError, match="no attachment has the cid 'lgo'; did you mean 'logo'"):
        email(html='<img src="cid:lgo">', attachments=(logo,))
    assert email(html="<p>Write to cid:nobody</p><!-- <img src='cid:old'> -->").html


def test_a_missing_picture_of_a_layout_is_named_there(tmp_path: Path) -> None:
    """The line that shows it, in the file that shows it."""
    (tmp_path / "_layouts").mkdir()
    (tmp_path / "_layouts/base.html").write_text(
        "<p>\n<img src='cid:lgo'>{% block content %}{% endblock %}"
    )
    with pytest.raises(RenderError) as caught:
        email(Renderer(templates=tmp_path), layout="base", html="x")
    assert caught.value.where == f"{tmp_path.name}/_layouts/base.html:2"


def test_attachment_needs_content() -> None:
    """An empty file is a mistake, unless the data says so."""
    with pytest.raises(MessageError, match="neither content nor content_from"):
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
