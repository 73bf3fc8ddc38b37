"""Bodies that are compiled once: what is written out, what is declined, and what a user may do."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup

from once.dom import difference
from once.engines import ADA, NOW
from vero_deliver.errors import MessageError, RenderError
from vero_deliver.message import Email, Message
from vero_deliver.render import Renderer
from vero_deliver.render.once import verify
from vero_deliver.render.once.parts import Declined, Part, Pieces
from vero_deliver.rendered import File, RenderedEmail, Skipped
from vero_deliver.source import Source
from vero_deliver.user import User

STYLED = "<style>.a { color: red } b { margin: 0 }</style>"
PO = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=3; plural=(n==1) ? 0 : (n>=2 && n<=4) ? 1 : 2;\\n"

msgid "Hello <b>%(name)s</b>"
msgstr "Ahoj <b>%(name)s</b>"

msgid "One item"
msgid_plural "%(count)s items"
msgstr[0] "Jedna věc"
msgstr[1] "%(count)s věci"
msgstr[2] "%(count)s věcí"

msgid "Fifty%% off"
msgstr "Sleva 50%%"

msgid "Bold"
msgstr "<b>Tučně</b>"
"""


class Project:
    """A folder of templates and translations, and both ways over it."""

    def __init__(self, root: Path) -> None:
        self.root = root / "messages"
        self.write("m/message.toml", "")
        translations = root / "locales"
        po = translations / "cs/LC_MESSAGES/messages.po"
        po.parent.mkdir(parents=True)
        po.write_text(PO)
        options: dict[str, Any] = {"templates": self.root, "translations": translations}
        self.once = Renderer(**options)
        self.plain = Renderer(**options, compile_once=False)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def message(self, html: str = "", **fields: Any) -> Message:
        body = Source(html, "messages/m/email.html") if html else ""
        given = {"from_": "shop@example.com", "subject": "Hello", "html": body, **fields}
        locales = given.pop("locales", ())
        return Message(id="m", title="M", email=Email(**given), locales=locales)

    def same(self, message: Message, *, user: User = ADA, **data: Any) -> RenderedEmail:
        """Compiled once, and equal to the plain way for this data."""
        found = self.once.explain(message, user.locale)
        assert found.compiled, found.reasons
        one, two = (
            renderer.render(message, user, "email", data=data, now=NOW, key="k")
            for renderer in (self.once, self.plain)
        )
        assert isinstance(one, RenderedEmail)
        assert isinstance(two, RenderedEmail)
        assert difference(two.html, one.html) is None
        assert (one.text, one.subject) == (two.text, two.subject)
        return one

    def reason(self, message: Message, language: str = "") -> str:
        """Why it is not compiled once; still it renders as the plain way does."""
        found = self.once.explain(message, language)
        assert not found.compiled
        return str(found.reasons[0])


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


class TestWrittenOut:
    """Layouts, includes, macros and translations are part of what is compiled."""

    def test_a_layout_and_what_it_includes(self, project: Project) -> None:
        """The styles of a layout reach what the body prints into it."""
        project.write("_layouts/shop.html", f"{STYLED}<i>{{% block content %}}{{% endblock %}}</i>")
        project.write("_partials/sign.html", "<b>{{ shop }}</b>")
        body = '<p class="a">{{ x }}</p>{% include "_partials/sign.html" %}'
        email = project.same(project.message(body, layout="shop"), x="<&", shop="B")
        assert 'class="a" style="color: red;"' in email.html

    def test_a_chain_of_layouts(self, project: Project) -> None:
        """A layout may fill a block of another one."""
        project.write("_layouts/base.html", f"{STYLED}{{% block all %}}never{{% endblock %}}")
        project.write(
            "_layouts/shop.html",
            '{% extends "_layouts/base.html" %}{% block all %}<b>1</b>'
            "{% block content %}{% endblock %}{% endblock %}",
        )
        assert (
            "never" not in project.same(project.message("<b>{{ x }}</b>", layout="shop"), x=1).html
        )

    def test_names_set_in_an_include_stay_in_there(self, project: Project) -> None:
        """As if it were included."""
        project.write("_partials/set.html", "{% set x = 2 %}<b>{{ x }}</b>")
        body = f'{STYLED}{{% include "_partials/set.html" %}}<i>{{{{ x }}}}</i>'
        assert "<i>1</i>" in project.same(project.message(body), x=1).html

    def test_macros(self, project: Project) -> None:
        """In the file or imported, with defaults and keywords."""
        project.write(
            "_macros.html", '{% macro tag(t, c="a") %}<b class="a">{{ t }}{{ c }}</b>{% endmacro %}'
        )
        body = (
            f'{STYLED}{{% from "_macros.html" import tag as mark %}}'
            '{% import "_macros.html" as m %}'
            '{% macro own(v) %}<i class="a">{{ v }}</i>{% endmacro %}'
            '{{ mark(x) }}{{ m.tag(c="z", t=x) }}{% for i in [1, 2] %}{{ own(i) }}{% endfor %}'
        )
        email = project.same(project.message(body), x="<x>")
        assert email.html.count("color: red;") == 4

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            (
                "{% macro m() %}{{ x }}{% endmacro %}{% for x in [1] %}{{ m() }}{% endfor %}",
                "bound",
            ),
            ("{% macro m() %}<b></b>{% endmacro %}{{ m() | upper }}", "other than by printing"),
            ("{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}x{% endcall %}", "call"),
            ("{% macro m(a) %}{{ m(a) }}{% endmacro %}{{ m(1) }}", "calls itself"),
            ("{% macro m(a) %}{{ a }}{% endmacro %}{{ m() }}", "an argument is missing"),
            ("{% macro m(a) %}{{ a }}{% endmacro %}{{ m(*x) }}", "not written out"),
            ("{% include name %}", "takes its name from data"),
            ('{% include "_no.html" ignore missing %}', "more than a plain include"),
        ],
    )
    def test_what_is_not_exact_is_declined(self, project: Project, body: str, words: str) -> None:
        """With the line that is the reason."""
        found = project.reason(project.message(f"{STYLED}\n{body}"))
        assert words in found
        assert found.startswith("messages/m/email.html:2: ")

    def test_translations(self, project: Project) -> None:
        """A translation's markup is styled as the author's is, values in it are escaped."""
        body = f"{STYLED}{{% trans name=who %}}Hello <b>{{{{ name }}}}</b>{{% endtrans %}}"
        message = project.message(body, locales=("en", "cs"))
        czech = replace_locale(ADA, "cs")
        assert 'Ahoj <b style="margin: 0;">' in project.same(message, user=czech, who="<A>").html
        assert 'Hello <b style="margin: 0;">' in project.same(message, who="<A>").html
        assert "None" in project.same(message, who=None).html  # as gettext prints it

    @pytest.mark.parametrize("count", [0, 1, 2, 4, 5, 21, 1_000_001])
    def test_plural_forms(self, project: Project, count: int) -> None:
        """Every form of the language."""
        body = (
            f"{STYLED}<p>{{% trans count=n %}}One item{{% pluralize %}}{{{{ count }}}} items"
            "{% endtrans %} {% trans %}Fifty% off{% endtrans %}</p>"
        )
        message = project.message(body, locales=("en", "cs"))
        for locale in ("en", "cs"):
            project.same(message, user=replace_locale(ADA, locale), n=count)

    def test_a_translation_with_markup_in_an_expression_is_declined(self, project: Project) -> None:
        """It would come in unread."""
        message = project.message(f"{STYLED}\n{{{{ gettext('Bold') }}}}", locales=("en", "cs"))
        assert "holds markup" in project.reason(message, "cs")
        project.same(message)

    def test_conditional_classes_become_conditional_elements(self, project: Project) -> None:
        """Both variants are styled, nested ones too."""
        body = (
            "<style>.odd { color: red } .big { margin: 0 } .odd .big { top: 0 }</style>"
            "{% for i in n %}<p class=\"x {{ 'odd' if loop.index is odd else '' }}\">"
            '<b class="{% if i > 1 %}big{% elif i %}b{% endif %}">{{ i }}</b></p>{% endfor %}'
        )
        html = project.same(project.message(body), n=[0, 1, 2, 3]).html
        assert html.count('style="color: red') == 2
        assert html.count("margin: 0") == 3 + 0  # two elements and the style element


class TestData:
    """What a user's values may do to a compiled body."""

    def test_markup_in_data_takes_the_plain_way(self, project: Project) -> None:
        """The inliner has to see it, and does."""
        message = project.message(f"{STYLED}<i>{{{{ x }}}}</i>")
        assert 'style="margin: 0;"' in project.same(message, x=Markup("<b>bold</b>")).html
        project.same(message, x=Markup("a&amp;b"))

    def test_a_style_element_in_data(self, project: Project) -> None:
        """Even where the template has nothing to inline."""
        message = project.message("<b>x</b>{{ x | safe }}")
        assert 'style="margin: 0;"' in project.same(message, x=STYLED).html
        assert project.same(message, x="<u>y</u>").html.endswith("<u>y</u></body></html>")

    def test_errors_are_those_of_the_plain_way(self, project: Project) -> None:
        """Same words, same line, and the next user gets the email."""
        message = project.message(f"{STYLED}\n<p>\n{{{{ user.nmae }}}}</p>{{{{ x }}}}")
        words = []
        for renderer in (project.once, project.plain):
            with pytest.raises(RenderError) as raised:
                renderer.render(message, ADA, "email", data={"x": 1}, now=NOW, key="k")
            words.append(str(raised.value))
        assert words[0] == words[1]
        assert words[0].startswith("messages/m/email.html:3: there is no 'nmae'")
        project.same(message, user=User(email="a@example.com", attributes={"nmae": "A"}), x=1)

    def test_abort_skips(self, project: Project) -> None:
        """Whatever was compiled."""
        message = project.message(f"{STYLED}{{% if not x %}}{{{{ abort('none') }}}}{{% endif %}}y")
        found = project.once.render(message, ADA, "email", data={"x": 0}, now=NOW, key="k")
        assert found == Skipped("none")
        project.same(message, x=1)

    def test_too_much_output_is_refused(self, project: Project) -> None:
        """With the author's file."""
        message = project.message(f"{STYLED}{{% for i in x %}}{'y' * 1_000}{{% endfor %}}")
        with pytest.raises(RenderError, match=r"email.html.*2,000,000 characters"):
            project.once.render(message, ADA, "email", data={"x": [0] * 2_001}, now=NOW, key="k")

    @pytest.mark.parametrize("preheader", ["", "{{ x }}", "Read -- <this>"])
    def test_preheaders(self, project: Project, preheader: str) -> None:
        """There for those who have one, styled as the plain way does."""
        message = project.message("<style>div { top: 0 }</style>{{ x }}", preheader=preheader)
        assert ("mso-hide" in project.same(message, x="").html) == (preheader == "Read -- <this>")
        project.same(message, x="<div>")

    def test_a_document_without_body_has_no_preheader(self, project: Project) -> None:
        """There is no place for it; the rest is what it would be."""
        html = "<html><p>Hello {{ user.first_name }}</p></html>"
        assert "Ada" in project.same(project.message(html, preheader="Never seen")).html

    def test_a_picture_from_data_needs_its_attachment(self, project: Project) -> None:
        """As one that the author wrote does."""
        message = project.message(f'{STYLED}<img src="{{{{ x }}}}" alt="">')
        with pytest.raises(RenderError, match="no attachment has the cid 'logo'"):
            project.once.render(message, ADA, "email", data={"x": "cid:logo"}, now=NOW, key="k")

    def test_a_language_from_data(self, project: Project) -> None:
        """The direction follows it."""
        column = "<mj-column><mj-text>x</mj-text></mj-column>"
        body = f"<mj-body><mj-section>{column}</mj-section></mj-body>"
        mjml = f'<mjml lang="{{{{ l }}}}">{body}</mjml>'
        message = project.message(mjml=Source(mjml, "messages/m/email.mjml"))
        assert 'dir="rtl"' in project.same(message, l="ar").html
        assert 'dir="rtl"' not in project.same(message, l="de").html


class TestKept:
    """Skeletons are kept as long as their files are what they were."""

    def test_a_changed_file_is_compiled_again(self, project: Project) -> None:
        """A studio that is open shows what was saved."""
        project.write("_layouts/shop.html", f"{STYLED}{{% block content %}}{{% endblock %}}")
        message = project.message("{{ x }}", layout="shop")
        project.same(message, x=1)
        project.write("_layouts/shop.html", "<p>new</p>{% block content %}{% endblock %}")
        os.utime(project.root / "_layouts/shop.html", ns=(1, 1))
        assert "<p>new</p>" in project.same(message, x=1).html
        (project.root / "_layouts/shop.html").unlink()
        with pytest.raises(MessageError, match=r"there is no _layouts/shop\.html"):
            project.once.render(message, ADA, "email", data={"x": 1}, now=NOW, key="k")

    def test_premailer_is_never_compiled_once(self, tmp_path: Path) -> None:
        """What it does depends on every value."""
        renderer = Renderer(inliner="premailer")
        message = Project(tmp_path).message(f"{STYLED}{{{{ x }}}}")
        assert "premailer" in str(renderer.explain(message).reasons[0])

    def test_an_email_with_attachments(self, project: Project) -> None:
        """What is rendered holds all of it, compiled or not."""
        email = project.same(project.message(f"{STYLED}{{{{ x }}}}"), x=1)
        other = replace(email, attachments=(File("a.txt", b"a", "text/plain"),))
        assert b"a.txt" in other.mime("k")

    def test_no_email_is_an_error(self) -> None:
        """There is nothing to explain."""
        with pytest.raises(MessageError, match="no email content"):
            Renderer().explain(Message(title="M"))


def pieces(*order: str | int) -> Pieces:
    part = Part("print", " x ", "m:1")
    loop = [Part("tag", " for y in x ", "m:2", "for"), Part("tag", " endfor ", "m:3", "endfor")]
    return Pieces(list(order), [part, *loop])


def test_a_compiler_that_goes_wrong_is_caught() -> None:
    """Whatever the detectors let pass: a moved value, a lost element, a loop's other end."""
    right = pieces("<p>", 0, "</p>", 1, "<b>z</b>", 2)
    verify.check(right, right, lambda markup, _: markup, preheader=False)
    for wrong in (
        pieces("<p>", "</p>", 0, 1, "<b>z</b>", 2),
        pieces("<p>", 0, "</p>", 1, 2),
        pieces("<p>", 0, "</p>", "<b>z</b>", 1, 2),
        pieces("<p title='a'>", 0, "</p>", 1, "<b>z</b>", 2),
    ):
        with pytest.raises(Declined, match="would differ"):
            verify.check(right, wrong, lambda markup, _: markup, preheader=False)


def replace_locale(user: User, locale: str) -> User:
    return User(id=user.id, email=user.email, locale=locale, attributes=user.attributes)
