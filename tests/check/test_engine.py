"""What the engine makes of hits: places, samples, and what is ignored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from check.projects import FLAWLESS, MJML, NOON, Change, places, report, write
from vero_deliver.check import Hit, Seen, check, rules
from vero_deliver.check import rule as declare
from vero_deliver.check.rule import _RULES
from vero_deliver.errors import ConfigError

LINK = "Follow the parcel</a>"
HTTP = '<a href="http://shop.example/a">Spring bulbs</a>'
BAD = f"{LINK} {HTTP}"


def found(root: Path, change: dict[str, Change]) -> list[tuple[str, str]]:
    return places(report(root, change).findings)


def with_toml(text: str) -> str:
    return FLAWLESS["message.toml"] + text


class TestPlaces:
    """A finding names the author's own line and column."""

    def test_in_html(self, tmp_path: Path) -> None:
        """Of the start tag, whatever the templates before it print."""
        [finding] = report(tmp_path, {"email.html": (LINK, BAD)}).findings
        line = (tmp_path / finding.place.file).read_text().splitlines()[finding.place.line - 1]
        assert line[finding.place.column - 1 :].startswith(HTTP)
        assert not finding.place.near

    def test_in_mjml(self, tmp_path: Path) -> None:
        """A button's link is the mj-button's; a link in a text is the author's own."""
        link = '\n  <a href="http://a.example">Spring bulbs</a>'
        mjml = MJML.replace("{{ order.id }}", f"{{{{ order.id }}}}{link}").replace(
            "{{ order.link }}", "http://b.example"
        )
        findings = report(tmp_path, {"email.html": None, "email.mjml": mjml}).findings
        lines = mjml.splitlines()
        shown = {
            finding.detail: lines[finding.place.line - 1][finding.place.column - 1 :]
            for finding in findings
            if finding.name == "links/https"
        }
        assert shown["http://b.example"].startswith("<mj-button")
        assert shown["http://a.example"].startswith('<a href="http://a.example"')

    def test_in_a_layout_and_a_partial(self, tmp_path: Path) -> None:
        """Each in its own file, behind blocks, loops and includes."""
        layout = (
            FLAWLESS["email.html"]
            .replace(LINK, BAD)
            .replace(
                "<p>Your order {{ order.id }} left us this morning.</p>",
                '{% for n in [1, 2] %}\n{% include "_partials/note.html" %}\n{% endfor %}'
                "{% block content %}{% endblock %}",
            )
        )
        change: dict[str, Change] = {
            "email.html": "<p>\n<a href='http://own.example'>Spring bulbs</a></p>",
            "/messages/_layouts/base.html": layout,
            "/messages/_partials/note.html": "<p>\n\n<a href='http://b.example'>Bulbs</a></p>",
            "message.toml": ("[email]\n", '[email]\nlayout = "base"\n'),
        }
        assert found(tmp_path, change) == [
            ("links/https", "messages/_layouts/base.html:15"),
            ("links/https", "messages/_partials/note.html:3"),
            ("links/https", "email.html:2"),
        ]

    def test_in_a_translated_text(self, tmp_path: Path) -> None:
        """What trans holds is not marked, for it names a translation: its line is near."""
        trans = f"{LINK}{{% trans %}}Or {HTTP}{{% endtrans %}}"
        [finding] = report(tmp_path, {"email.html": (LINK, trans)}).findings
        assert finding.place.line == 13
        assert finding.place.near

    def test_of_a_locale(self, tmp_path: Path) -> None:
        """A variant's own subject and body are where they are written."""
        change: dict[str, Change] = {
            "message.toml": with_toml('[email.variants.cs]\nsubject = "OTEVRI HNED TEĎ"\n').replace(
                "title", 'locales = ["en", "cs"]\ntitle'
            ),
            "email.cs.html": FLAWLESS["email.html"].replace(LINK, BAD),
            "samples/jana.json": ('"id": "2"', '"id": "2", "locale": "cs"'),
        }
        findings = report(tmp_path, change).findings
        assert places(findings) == [
            ("links/https", "email.cs.html:13"),
            ("email/subject-caps", "message.toml:12"),
        ]
        assert {finding.samples for finding in findings} == {("jana",)}


class TestSamples:
    """Findings are grouped over samples."""

    def test_one_finding_for_all(self, tmp_path: Path) -> None:
        """The same thing in the same place is told once."""
        [finding] = report(tmp_path, {"email.html": (LINK, BAD)}).findings
        assert finding.samples == ("ada", "jana")
        assert finding.who == ""

    def test_some_are_counted(self, tmp_path: Path) -> None:
        """More than two are a number."""
        more: dict[str, Change] = {
            f"samples/s{n}.json": FLAWLESS["samples/ada.json"] for n in range(8)
        }
        link = f"{LINK}{{% if user.id == '1' %}}{HTTP}{{% endif %}}"
        [finding] = report(tmp_path, {**more, "email.html": (LINK, link)}).findings
        assert finding.who == "9 of 10 users"


class TestIgnored:
    """What is not asked for is not told."""

    @pytest.mark.parametrize(
        "comment",
        [
            "{# vero: ignore[links/https] #}",
            "<!-- vero: ignore[links] -->",
            "{# vero: ignore[html, links/https] #}",
        ],
    )
    @pytest.mark.parametrize("place", ["{bad} {comment}", "\n{comment}\n{bad}"])
    def test_beside_the_line(self, tmp_path: Path, comment: str, place: str) -> None:
        """On the line itself, or alone on the one before."""
        bad = place.format(bad=HTTP, comment=comment)
        assert found(tmp_path, {"email.html": (LINK, f"{LINK}{bad}")}) == []

    def test_only_that_line(self, tmp_path: Path) -> None:
        """The next one is not spared."""
        two = (
            f"{LINK}{HTTP} {{# vero: ignore[links] #}}\n<a href='http://b.example'>Spring bulbs</a>"
        )
        assert found(tmp_path, {"email.html": (LINK, two)}) == [("links/https", "email.html:14")]

    def test_in_the_toml(self, tmp_path: Path) -> None:
        """A comment of TOML is one too."""
        toml = ('"Your order {{ order.id }} is on its way"', '"OPEN IT NOW" # vero: ignore[email]')
        assert found(tmp_path, {"message.toml": toml}) == []

    def test_by_the_message_and_the_project(self, tmp_path: Path) -> None:
        """[check] of either."""
        change: dict[str, Change] = {
            "email.html": (LINK, f"{BAD}<a href='#'>Spring bulbs</a>"),
            "message.toml": with_toml('[check]\nignore = ["links/https"]\n'),
            "/vero-deliver.toml": FLAWLESS["/vero-deliver.toml"]
            + '[check]\nignore = ["links/empty"]\n',
        }
        assert found(tmp_path, change) == []

    def test_by_the_caller(self, tmp_path: Path) -> None:
        """select and ignore, families and rules."""
        project = write(tmp_path, {"email.html": (LINK, f"{BAD}<a href='#'>Spring bulbs</a>")})
        both = ["links/empty", "links/https"]
        for select, ignore, names in (
            (["links"], [], both),
            (["links/https", "vars"], [], both[1:]),
            ([], ["links/empty"], both[1:]),
            (["links"], ["links"], []),
        ):
            findings = check(project, select=select, ignore=ignore, now=NOON).findings
            assert sorted(finding.name for finding in findings) == names

    def test_a_name_that_is_none(self, tmp_path: Path) -> None:
        """Of the caller it is an error that says which was meant."""
        with pytest.raises(ConfigError, match="no rule 'link/https'; did you mean 'links/https'"):
            check(write(tmp_path), ignore=["link/https"])

    def test_a_name_in_the_project(self, tmp_path: Path) -> None:
        """One that is none has its line."""
        toml = FLAWLESS["/vero-deliver.toml"] + '[check]\nignore = [\n  "emial",\n]\n'
        with pytest.raises(ConfigError, match=r"vero-deliver.toml:9: there is no rule 'emial'"):
            report(tmp_path, {"/vero-deliver.toml": toml})

    def test_a_broken_message_is_always_told(self, tmp_path: Path) -> None:
        """For no other rule can look at it."""
        project = write(tmp_path, {"message.toml": ("subject", "subjct")})
        [finding] = check(project, select=["links"], now=NOON).findings
        assert finding.name == "render/message"


class TestRules:
    """Rules are declared, and may break."""

    @pytest.fixture
    def broken(self) -> Iterator[None]:
        rules()

        @declare("links/breaks", "error")
        def break_it(seen: Seen) -> Iterator[Hit]:
            """It breaks."""
            raise ValueError(f"not today, {seen.id}")

        yield
        del _RULES["links/breaks"]

    @pytest.mark.usefixtures("broken")
    def test_one_that_breaks_stops_nothing(self, tmp_path: Path) -> None:
        """It is told, and the others are heard."""
        findings = report(tmp_path, {"email.html": (LINK, BAD)}).findings
        assert {finding.name for finding in findings} == {"check/broken-rule", "links/https"}
        [told] = [finding for finding in findings if finding.name == "check/broken-rule"]
        assert told.text == "the rule links/breaks broke"
        assert told.detail == "ValueError: not today, m"

    def test_each_says_what_and_why(self) -> None:
        """A title of one line, and a paragraph."""
        for found_rule in rules():
            assert found_rule.title, found_rule.id
            assert found_rule.why, found_rule.id
            assert len(found_rule.title) <= 100
