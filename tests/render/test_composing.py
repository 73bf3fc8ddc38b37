"""Contents composed for one user: escaping by place, bodies, senders, links, locales."""

from __future__ import annotations

from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from making import ADA, NOW, email, text

from vero_deliver.errors import ConfigError, DataError, MessageError, RenderError
from vero_deliver.message import (
    Attachment,
    Email,
    EmailVariant,
    Message,
    Sms,
)
from vero_deliver.render import Renderer
from vero_deliver.rendered import (
    Address,
    RenderedEmail,
    RenderedSms,
    Skipped,
)
from vero_deliver.user import User

EVIL = '"><script>alert(1)</script>'
MJML = """<mjml>
<mj-head><mj-style inline="inline">.hot { color: #ff0000 }</mj-style></mj-head>
<mj-body><mj-section><mj-column>
<mj-text css-class="hot">{{ x }} <a href="https://example.com/?q={{ x | encode }}">go</a></mj-text>
<mj-image src="https://example.com/a.png" alt="{{ x }}" />
</mj-column></mj-section></mj-body>
</mjml>"""


class Elements(HTMLParser):
    """The names of all elements, and the values of their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: dict[tuple[str, str], list[str]] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        for name, value in attrs:
            self.attributes.setdefault((tag, name), []).append(value or "")


def test_html_escapes_and_text_does_not() -> None:
    """The same value is escaped in HTML and plain in subject and text part."""
    made = email(subject="{{ x }}", html="<p>{{ x }}</p>", text="{{ x }}", data={"x": EVIL})
    assert "<script>" not in made.html
    assert "&lt;script&gt;" in made.html
    assert made.subject == made.text == EVIL


def test_mjml_keeps_data_apart() -> None:
    """Data in MJML text and attributes stays data after compiling and inlining."""
    made = email(html="", mjml=MJML, preheader="{{ x }}", data={"x": EVIL})
    elements = Elements(made.html)
    assert "script" not in elements.names
    assert EVIL in elements.attributes["img", "alt"]
    assert EVIL in made.text
    assert "color: #ff0000" in made.html or "color:#ff0000" in made.html


def test_fragment_becomes_a_document() -> None:
    """An HTML fragment gets doctype, charset and language; a document stays as it is."""
    assert email(html="<p>Hi</p>").html == (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"></head>'
        "<body><p>Hi</p></body></html>"
    )
    whole = "<!DOCTYPE html><html><head><title>x</title></head><body>Hi</body></html>"
    assert email(html=whole).html == whole


def test_styles_are_inlined_and_kept() -> None:
    """Rules go into the elements; the style element stays for media queries."""
    made = email(html="<style>p{color:red}@media print{p{color:blue}}</style><p>Hi</p>")
    assert 'style="color: red' in made.html
    assert "@media print" in made.html


def test_remote_stylesheets_are_never_loaded() -> None:
    """A link to a stylesheet is left in place; nothing is fetched."""
    link = '<link rel="stylesheet" href="http://127.0.0.1:9/x.css">'
    assert "127.0.0.1:9" in email(html=f"{link}<style>p{{color:red}}</style><p>Hi</p>").html


def test_declarations_that_browsers_skip_do_not_stop_a_message() -> None:
    """css-inline refuses `*zoom:1`; the message goes out without that declaration."""
    made = email(html='<style>p{color:red}</style><p style="margin:0;;*zoom:1">Hi</p>')
    assert "color" in made.html.partition("<body>")[2]
    assert "zoom" not in made.html


def test_premailer_by_choice() -> None:
    """inliner = "premailer" inlines with premailer."""
    made = email(Renderer(inliner="premailer"), html="<style>p{color:red}</style><p>Hi</p>")
    assert 'style="color:red"' in made.html.replace(": ", ":")


def test_preheader_is_hidden_and_no_part_of_the_text() -> None:
    """The preheader stands first in the body, hidden and escaped; the text part leaves it out."""
    made = email(preheader="{{ x }}", data={"x": "A & B"})
    body = made.html.partition("<body>")[2]
    assert body.startswith('<div style="display:none')
    assert "A &amp; B" in body
    assert made.text == "Hi\n"


def test_text_file_wins_over_derivation() -> None:
    """A text part that the author wrote is used as it is."""
    assert email(text="Plain {{ user.first_name }}").text == "Plain Ada"


@pytest.mark.parametrize(
    ("entry", "address"),
    [
        ("{{ user.email }}", Address("ada@example.com")),
        ("{{ user.first_name }} <{{ user.email }}>", Address("ada@example.com", "Ada")),
        ('"{{ name }}" <{{ user.email }}>', Address("ada@example.com", "Eve <e@evil.example>, x")),
        ("{{ name }} <{{ user.email }}>", Address("ada@example.com", "Eve <e@evil.example>, x")),
        ('"Shop, \\"the\\"" <a@b.example>', Address("a@b.example", 'Shop, "the"')),
    ],
)
def test_addresses_are_split_before_data(entry: str, address: Address) -> None:
    """A name cannot add an address, whatever it holds."""
    assert email(to=(entry,), data={"name": "Eve <e@evil.example>, x"}).to == (address,)


@pytest.mark.parametrize(
    "value", ["a@b.example, c@d.example", "a@b.example\r\nBcc: c@d.example", "A <a@b.example>", "x"]
)
def test_a_value_is_one_mailbox(value: str) -> None:
    """What is no single mailbox is refused, never split."""
    with pytest.raises(RenderError, match=r"email\.to"):
        email(to=("{{ x }}",), data={"x": value})


def test_a_list_is_several_mailboxes() -> None:
    """An expression whose value is a list gives one address each; an empty one none."""
    made = email(
        cc=("{{ team }}",),
        bcc=("{{ nobody }}",),
        data={"team": ["a@b.example", "c@d.example"], "nobody": []},
    )
    assert made.cc == (Address("a@b.example"), Address("c@d.example"))
    assert made.bcc == ()


def test_no_address_no_mail() -> None:
    """A user without an email address is skipped, with the reason."""
    message = Message(title="x", email=Email(from_="a@b.example", subject="s", text="t"))
    skipped = Renderer().render(message, User(id="1"), "email", now=NOW)
    assert skipped == Skipped("the user has no email address")


def test_nobody_to_send_as() -> None:
    """Without a sender the error says where to write one."""
    with pytest.raises(RenderError, match=r"\[from\] email"):
        email(from_="")


def test_default_sender() -> None:
    """The project's sender serves messages that name none."""
    assert email(Renderer(from_={"email": "S <s@b.example>"}), from_="").from_.name == "S"


def test_subject_is_one_line() -> None:
    """Line ends in data become spaces; an empty subject is an error."""
    assert email(subject="a{{ x }}b", data={"x": "\r\nBcc: e@evil.example\r\n"}).subject == (
        "a Bcc: e@evil.example b"
    )
    with pytest.raises(RenderError, match=r"email.subject: comes out empty"):
        email(subject="{{ x }}", data={"x": " "})


LINK = {"unsubscribe": "https://example.com/u?k={{ key | encode }}"}


def test_marketing_carries_one_click_unsubscribe() -> None:
    """RFC 8058: both headers, and `url.unsubscribe_link` in the body."""
    message = Message(
        title="x",
        kind="marketing",
        email=Email(
            from_="a@b.example", subject="s", html="{{ url.unsubscribe_link }}{{ url.unsubscribe }}"
        ),
    )
    made = Renderer(links=LINK).render(message, ADA, "email", key="k 1", now=NOW)
    assert isinstance(made, RenderedEmail)
    assert made.headers == {
        "List-Unsubscribe": "<https://example.com/u?k=k+1>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert '<a href="https://example.com/u?k=k+1">Unsubscribe</a>' in made.html


def test_marketing_without_a_way_out_is_refused() -> None:
    """No unsubscribe link, no marketing email."""
    message = Message(
        title="x", kind="marketing", email=Email(from_="a@b.example", subject="s", text="t")
    )
    with pytest.raises(RenderError, match=r"\[links\] unsubscribe"):
        Renderer().render(message, ADA, "email", now=NOW)


def test_links_must_be_urls() -> None:
    """Unquoted data cannot break out of a link."""
    renderer = Renderer(links={"permalink": "https://example.com/{{ user.first_name }}"})
    with pytest.raises(RenderError, match="encode"):
        text(
            "{{ url.permalink_link }}",
            renderer=renderer,
            user=User(id="1", email="a@b.example", attributes={"first_name": 'a" b'}),
        )


def test_unknown_link_is_refused() -> None:
    """A typo among the links is an error at once."""
    with pytest.raises(ConfigError, match="unsubscibe"):
        Renderer(links={"unsubscibe": "https://example.com"})


def test_attachments() -> None:
    """Bytes of the message and bytes of the data; types guessed, names made safe."""
    made = email(
        attachments=(
            Attachment(filename="a-{{ user.id }}.pdf", content=b"%PDF"),
            Attachment(filename="{{ n }}", content_from="doc.bytes", content_type="text/csv"),
            Attachment(filename="l.png", content=b"x", cid="logo"),
        ),
        data={"doc": {"bytes": "YSxi"}, "n": "../../x.csv"},
    )
    first, second, third = made.attachments
    assert (first.filename, first.content_type, first.content) == (
        "a-1.pdf",
        "application/pdf",
        b"%PDF",
    )
    assert (second.filename, second.content_type, second.content) == (
        ".._.._x.csv",
        "text/csv",
        b"a,b",
    )
    assert (third.cid, third.content_type) == ("logo", "image/png")


def test_attachment_from_data_must_be_bytes() -> None:
    """Text that is no base64 is an error that names the value."""
    with pytest.raises(RenderError, match="'doc'"):
        email(attachments=(Attachment(filename="a", content_from="doc"),), data={"doc": "!"})


def test_variant_of_the_locale() -> None:
    """Whole-file overrides and short fields by locale; the rest comes from the email itself."""
    message = Message(
        title="x",
        locales=("en", "cs"),
        email=Email(
            from_="a@b.example",
            subject="Hello",
            text="Hi {{ message.locale }}",
            variants={
                "cs": EmailVariant(
                    subject="Ahoj", html="<p>Nazdar {{ 1234.5 | format_number }}</p>"
                )
            },
        ),
    )
    made = {
        locale: Renderer().render(
            message, User(email="a@b.example", locale=locale), "email", now=NOW
        )
        for locale in ("en-GB", "cs-CZ", "de", "")
    }
    subjects = {k: v.subject for k, v in made.items() if isinstance(v, RenderedEmail)}
    assert subjects == {"en-GB": "Hello", "cs-CZ": "Ahoj", "de": "Hello", "": "Hello"}
    czech = made["cs-CZ"]
    assert isinstance(czech, RenderedEmail)
    assert czech.text == "Nazdar 1\xa0234,5\n" or czech.text == "Nazdar 1 234,5\n"


def test_translations_and_formats_follow_the_user(tmp_path: Path) -> None:
    """{% trans %} by the catalog of the language, money and dates by locale and timezone."""
    catalog = tmp_path / "cs/LC_MESSAGES/messages.po"
    catalog.parent.mkdir(parents=True)
    catalog.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "Hi %(name)s"\nmsgstr "Ahoj %(name)s"\n'
    )
    message = Message(
        title="x",
        locales=("en", "cs"),
        sms=Sms(
            body="{% trans name=user.id %}Hi {{ name }}{% endtrans %} "
            "{{ 5 | money('CZK') }} {{ at | format_datetime }}"
        ),
    )
    user = User(id="A", phone="+420601000001", locale="cs", timezone="Europe/Prague")
    made = Renderer(translations=tmp_path).render(
        message, user, "sms", data={"at": "2026-11-23T23:30:00Z"}, now=NOW
    )
    assert isinstance(made, RenderedSms)
    assert made.body.replace("\xa0", " ") == "Ahoj A 5,00 Kč 24. 11. 2026 0:30:00"


def test_constants_follow_each_user_too() -> None:
    """One compiled template serves all users: nothing of the first one's locale stays in it."""
    message = Message(
        title="x",
        locales=("en", "cs"),
        sms=Sms(
            body="{{ 1234.5 | money('EUR') }} {{ money(2, 'EUR') }} {{ 0.5 | format_percent }}"
        ),
    )
    renderer = Renderer()
    bodies = [
        renderer.render(message, User(phone="+420601000001", locale=locale), "sms", now=NOW)
        for locale in ("en-GB", "cs-CZ", "en-GB")
    ]
    texts = [b.body.replace("\xa0", " ") for b in bodies if isinstance(b, RenderedSms)]
    assert texts == [
        "€1,234.50 €2.00 50%",
        "1 234,50 € 2,00 € 50 %",
        "€1,234.50 €2.00 50%",
    ]


def test_layouts_partials_and_relative_includes(tmp_path: Path) -> None:
    """A layout's block is filled by the body; includes start at the root, ./ beside the file."""
    (tmp_path / "_layouts").mkdir()
    (tmp_path / "_partials").mkdir()
    (tmp_path / "_layouts/base.html").write_text(
        "<h1>{% block content %}{% endblock %}</h1>{% include '_partials/f.html' %}"
    )
    (tmp_path / "_partials/f.html").write_text("{{ x }}{% include './g.html' %}")
    (tmp_path / "_partials/g.html").write_text("!")
    made = email(Renderer(templates=tmp_path), layout="base", html="{{ x }}", data={"x": "<"})
    assert "<h1>&lt;</h1>&lt;!" in made.html


@pytest.mark.parametrize(
    "name", ["../secret.txt", "/etc/hostname", "link.txt", "nope.html", "a/samples/x.json"]
)
def test_includes_stay_below_the_project(tmp_path: Path, name: str) -> None:
    """Neither .. nor an absolute path nor a symlink leads out; samples hold personal data."""
    (tmp_path / "secret.txt").write_text("secret")
    root = tmp_path / "messages"
    root.mkdir()
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    (root / "a/samples").mkdir(parents=True)
    (root / "a/samples/x.json").write_text("{}")
    with pytest.raises(MessageError, match="is not a template below messages/"):
        text(f"{{% include {name!r} %}}", renderer=Renderer(templates=root))


def test_errors_in_partials_name_the_partial(tmp_path: Path) -> None:
    """File and line are those of the included file, for values and for syntax."""
    root = tmp_path / "messages"
    root.mkdir()
    (root / "a.html").write_text("one\n{{ nope }}")
    (root / "b.html").write_text("one\n\n{% if %}")
    with pytest.raises(RenderError, match=r"^messages/a.html:2: there is no 'nope'"):
        text("{% include 'a.html' %}", renderer=Renderer(templates=root))
    with pytest.raises(MessageError, match=r"^messages/b.html:3: template syntax"):
        text("{% include 'b.html' %}", renderer=Renderer(templates=root))


def test_broken_mjml_names_the_element_and_its_line() -> None:
    """The engine names no line; the check of the author's source does."""
    with pytest.raises(
        RenderError,
        match=r"email\.mjml:2: email\.mjml: <mj-section> is never closed",
    ):
        email(html="", mjml="<mjml><mj-body>\n<mj-section>\n</mj-body></mjml>")


def test_mj_include_is_refused() -> None:
    """Files come in by Jinja's include, which stays inside the project."""
    with pytest.raises(RenderError, match="include '_partials"):
        email(html="", mjml='<mjml><mj-body><mj-include path="/etc/passwd" /></mj-body></mjml>')


def test_declared_data_is_checked() -> None:
    """What the message declares and the sender forgot is an error that names it."""
    message = Message(title="x", data={"order": {"id": "string"}}, sms=Sms(body="x"))
    with pytest.raises(DataError, match="order"):
        Renderer().render(message, User(phone="+420601000001"), "sms", data={}, now=NOW)


def test_reserved_names() -> None:
    """Data cannot replace what templates know as user or url."""
    with pytest.raises(DataError, match="user"):
        email(data={"user": {"email": "eve@evil.example"}})


def test_content_must_be_there() -> None:
    """Asking for a content that the message has not, says what it has."""
    with pytest.raises(MessageError, match="has no sms content; it has email"):
        Renderer().render(Message(title="x", email=Email(subject="s")), ADA, "sms")


def test_naive_clock_is_refused() -> None:
    """A clock without a timezone is a mistake."""
    message = Message(title="x", sms=Sms(body="x"))
    with pytest.raises(TypeError, match="with a timezone"):
        Renderer().render(message, User(phone="+420601000001"), "sms", now=datetime(2026, 1, 1))


@pytest.mark.parametrize("language", ["english", "xx", "", "../cs"])
def test_a_language_that_nobody_knows_is_refused(language: str) -> None:
    """Numbers and dates would silently be English ones."""
    with pytest.raises(ConfigError, match="write en or pt-BR"):
        Renderer(language=language)
