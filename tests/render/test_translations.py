from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from jinja2 import Environment

from vero_deliver.errors import MessageError, RenderError
from vero_deliver.message import Message, Sms
from vero_deliver.render import Renderer
from vero_deliver.render.translations import load
from vero_deliver.user import User

CZECH = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=3; plural=(n==1) ? 0 : (n>=2 && n<=4) ? 1 : 2;\\n"

msgid "Hello"
msgstr "Ahoj"

msgid "%(n)s cup"
msgid_plural "%(n)s cups"
msgstr[0] "%(n)s hrnek"
msgstr[1] "%(n)s hrnky"
msgstr[2] "%(n)s hrnků"

msgctxt "month"
msgid "May"
msgstr "květen"

#, fuzzy
msgid "Bye"
msgstr "Nejspíš nashle"
"""


def catalog_file(folder: Path, language: str, text: str | bytes, suffix: str = ".po") -> Path:
    path = folder / language / "LC_MESSAGES" / f"messages{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def compiled(**messages: str) -> bytes:
    catalog, out = Catalog(locale="cs"), BytesIO()
    for message, translation in messages.items():
        catalog.add(message, translation)
    write_mo(out, catalog)
    return out.getvalue()


def test_po_is_read_without_compiling(tmp_path: Path) -> None:
    """Singular, plural and context come straight from the .po; fuzzy ones do not count."""
    catalog_file(tmp_path, "cs", CZECH)
    catalog = load(tmp_path, "cs")
    assert catalog.gettext("Hello") == "Ahoj"
    assert [catalog.ngettext("%(n)s cup", "%(n)s cups", n) for n in (1, 2, 5)] == [
        "%(n)s hrnek",
        "%(n)s hrnky",
        "%(n)s hrnků",
    ]
    assert catalog.pgettext("month", "May") == "květen"
    assert catalog.npgettext("x", "one", "many", 2) == "many"
    assert catalog.gettext("Bye") == "Bye"


def test_jinja_trans_uses_it(tmp_path: Path) -> None:
    """The object is what {% trans %} wants."""
    catalog_file(tmp_path, "cs", CZECH)
    env = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    env.install_gettext_translations(load(tmp_path, "cs"), newstyle=True)  # type: ignore[attr-defined]
    template = "{% trans n=3 %}{{ n }} cup{% pluralize %}{{ n }} cups{% endtrans %}"
    assert env.from_string(template).render() == "3 hrnky"


@pytest.mark.parametrize("language", ["cs-CZ", "cs_CZ", "cs"])
def test_territory_falls_back_to_language(tmp_path: Path, language: str) -> None:
    """cs-CZ reads cs where there is no cs_CZ."""
    catalog_file(tmp_path, "cs", CZECH)
    assert load(tmp_path, language).gettext("Hello") == "Ahoj"


def test_variant_fills_up_from_its_language(tmp_path: Path) -> None:
    """What the variant's catalog lacks comes from the language's."""
    catalog_file(tmp_path, "pt", 'msgid "a"\nmsgstr "pt a"\n\nmsgid "b"\nmsgstr "pt b"\n')
    catalog_file(tmp_path, "pt_BR", 'msgid "a"\nmsgstr "br a"\n')
    catalog = load(tmp_path, "pt-BR")
    assert (catalog.gettext("a"), catalog.gettext("b")) == ("br a", "pt b")
    assert load(tmp_path, "pt").gettext("a") == "pt a"


def test_mo_serves_where_there_is_no_po(tmp_path: Path) -> None:
    """A compiled catalog is read, but a .po beside it wins."""
    catalog_file(tmp_path, "cs", compiled(Hello="Nazdar"), ".mo")
    assert load(tmp_path, "cs").gettext("Hello") == "Nazdar"
    catalog_file(tmp_path, "cs", CZECH)
    assert load(tmp_path, "cs").gettext("Hello") == "Ahoj"


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    """Same file, same object; another time of change, read again."""
    path = catalog_file(tmp_path, "cs", CZECH)
    first = load(tmp_path, "cs")
    assert load(tmp_path, "cs") is first
    path.write_text(CZECH.replace("Ahoj", "Nazdar"), encoding="utf-8")
    os.utime(path, ns=(1, 1))
    assert load(tmp_path, "cs").gettext("Hello") == "Nazdar"


@pytest.mark.parametrize("language", ["cs", "", "../cs", "cs/..", "x" * 500, "c\0"])
def test_nothing_there_leaves_text_as_written(tmp_path: Path, language: str) -> None:
    """No folder, no catalog, or no language name: the text itself, never a path."""
    assert load(None, language).gettext("Hello") == "Hello"
    assert load(tmp_path, language).gettext("Hello") == "Hello"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('msgid "a"\nmsgstr "b"\n\nmsgit "c"\n', ":4"),
        ('msgid "a"\nmsgstr "b\n', ":2"),
        ('msgid "a"\nmsgid_plural "b"\nmsgstr[x] "c"\n', ":3"),
        (b'msgid "a"\nmsgstr "\xff"\n', ":2"),
        ('msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=nope\\n"\n\nmsgid "a"\n', ":5"),
        ('msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=2; plural=foo;\\n"\n\nmsgid "a"\n', ":5"),
    ],
)
def test_broken_po_names_file_and_line(tmp_path: Path, text: str | bytes, line: str) -> None:
    """A catalog that cannot be read is a MessageError at its line."""
    path = catalog_file(tmp_path, "cs", text)
    with pytest.raises(MessageError) as caught:
        load(tmp_path, "cs")
    assert caught.value.where == f"{path}{line}"


def test_broken_mo_names_the_file(tmp_path: Path) -> None:
    """Bytes that are no compiled catalog are a MessageError."""
    path = catalog_file(tmp_path, "cs", b"not a catalog", ".mo")
    with pytest.raises(MessageError, match="not a gettext catalog") as caught:
        load(tmp_path, "cs")
    assert caught.value.where == str(path)


def czech_error(folder: Path, template: str) -> RenderError:
    message = Message(title="x", locales=("cs",), sms=Sms(body=template))
    with pytest.raises(RenderError) as caught:
        Renderer(translations=folder).render(message, User(phone="+420601000001"), "sms")
    return caught.value


@pytest.mark.parametrize("broken", ["Ahoj %(nme)s", "100% %(name)s", "100 %", "%(name)d"])
def test_a_translation_that_takes_no_values_is_named(tmp_path: Path, broken: str) -> None:
    """File and line of the entry, and the text it translates."""
    po = f'\nmsgid "Hi %(name)s"\nmsgstr "{broken}"\n'
    path = catalog_file(tmp_path, "cs", po)
    error = czech_error(tmp_path, "{% trans name='Ada' %}Hi {{ name }}{% endtrans %}")
    assert error.where == f"{path}:2"
    assert "the translation of 'Hi %(name)s': " in error.detail


def test_a_text_that_is_no_pattern_is_named(tmp_path: Path) -> None:
    """Without a translation it is the text itself that is wrong."""
    error = czech_error(tmp_path, "{{ gettext('100 %') }}")
    assert "the text '100 %': " in error.detail
    assert "written %%" in error.detail


def test_a_byte_order_mark_is_dropped(tmp_path: Path) -> None:
    """Some editors on Windows write one."""
    catalog_file(tmp_path, "cs", "\ufeff" + CZECH.lstrip())
    assert load(tmp_path, "cs").gettext("Hello") == "Ahoj"
