"""A report in each format, as its readers take it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from check.projects import FLAWLESS, report
from vero_deliver.check import Report
from vero_deliver.check.formats import FORMATS, full, statistics

UNPACKED = Path(__file__).parents[1] / "peers/node_modules/.unpacked/@microsoft"
MULTITOOL = next(UNPACKED.glob("sarif-multitool-linux@*/Sarif.Multitool"), None)


@pytest.fixture
def some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Report:
    """Two warnings and an info, with strange letters; seen from the project's folder."""
    monkeypatch.chdir(tmp_path)
    link = '<a href="http://shop.example/a?b=1&amp;c=%20">Spring bulbs</a>'
    return report(
        tmp_path,
        {
            "email.html": [
                ("Follow the parcel</a>", f"Follow the parcel</a>\n{link}"),
                ('<meta name="color-scheme" content="light">\n', ""),
            ],
            "message.toml": ("Your order {{ order.id }}", "{{ order.id }} <b>is: 10 %,</b>"),
            "samples/jana.json": ('"id": "BR-2"', '"id": "BR\\u001b[31m-2"'),
        },
    )


@pytest.fixture
def none(tmp_path: Path) -> Report:
    return report(tmp_path)


def test_full_shows_the_line(some: Report) -> None:
    """Rule, words, place, the author's line with a caret under the element, and what to do."""
    text = full(some)
    assert (
        "warning links/https the link is http: http://shop.example/a?b=1&c=%20\n"
        "   --> messages/m/email.html:13:1\n"
        "   |\n"
        '13 | <a href="http://shop.example/a?b=1&amp;c=%20">Spring bulbs</a></p>\n'
        "   | ^\n"
        "   = write https\n"
    ) in text
    assert text.endswith("\n\n2 warnings, 1 info in 1 message with 2 samples.\n")


def test_a_long_line_is_cut_around_its_column(tmp_path: Path) -> None:
    """The caret stays under what it is about."""
    before = "word " * 60
    changed = report(
        tmp_path,
        {
            "email.html": (
                "Your order {{",
                f'{before}<a href="http://x.example">Spring bulbs</a> {before} {{{{',
            )
        },
    )
    lines = full(changed).splitlines()
    at = next(n for n, line in enumerate(lines) if line.endswith("^"))
    assert lines[at - 1][lines[at].index("^") :].startswith('<a href="http://x.example">')
    assert len(lines[at - 1]) < 100


def test_concise_is_a_line_each(some: Report) -> None:
    """As editors and compilers take it: path, line, column."""
    first = FORMATS["concise"](some).splitlines()[1]
    assert first.startswith("messages/m/email.html:13:1: warning links/https the link is http")


def test_statistics_count(some: Report) -> None:
    """A row for each rule."""
    rows = [line.split() for line in statistics(some).splitlines()]
    assert ["1", "warning", "links/https"] in rows


def test_json_has_everything(some: Report) -> None:
    """One document; files as from the working directory."""
    document = json.loads(FORMATS["json"](some))
    assert document["messages"] == 1
    [html] = [row for row in document["findings"] if row["name"] == "vars/html-in-text"]
    assert html["samples"] == ["ada", "jana"]
    assert html["of"] == 2
    assert html["place"]["file"] == "messages/m/message.toml"
    assert html["place"]["line"] == 4


def test_github_escapes(some: Report) -> None:
    """A command a line; what would end one, or a property, is escaped."""
    lines = FORMATS["github"](some).splitlines()
    form = re.compile(r"::(error|warning|notice) (\w+=[^,:]*)(,\w+=[^,:]*)*::.+")
    assert len(lines) == 3
    assert all(form.fullmatch(line) for line in lines)
    assert lines[1].startswith(
        "::warning file=messages/m/email.html,line=13,col=1,title=links/https::the link is http"
    )
    assert lines[1].endswith("c=%2520%0Awrite https")


def test_gitlab_has_fingerprints(some: Report, tmp_path: Path) -> None:
    """What GitLab asks of a code quality report; a finding keeps its name when it moves."""
    rows = json.loads(FORMATS["gitlab"](some))
    for row in rows:
        assert row["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert row["location"]["lines"]["begin"] >= 1
        assert row.keys() >= {"description", "check_name", "fingerprint", "location"}
    assert len({row["fingerprint"] for row in rows}) == len(rows)
    file = tmp_path / "messages/m/email.html"
    file.write_text(file.read_text().replace("<body", "\n\n<body"))
    from vero_deliver.check import check
    from vero_deliver.project import Project

    moved = json.loads(FORMATS["gitlab"](check(Project.find(tmp_path))))
    assert {row["fingerprint"] for row in moved} == {row["fingerprint"] for row in rows}


def test_junit_is_xml(some: Report, none: Report) -> None:
    """A case for each finding, and one that passes where there is none."""
    suite = ElementTree.fromstring(FORMATS["junit"](some))[0]
    assert suite.get("failures") == "3"
    assert len(suite.findall("testcase/failure")) == 3
    [passed] = ElementTree.fromstring(FORMATS["junit"](none)).iter("testcase")
    assert len(passed) == 0


def test_sarif_holds_rules_and_results(some: Report) -> None:
    """Each result points to its rule, and into a file."""
    [run] = json.loads(FORMATS["sarif"](some))["runs"]
    known = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert known[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
    [https] = [result for result in run["results"] if result["ruleId"] == "links/https"]
    assert https["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "messages/m/email.html"},
        "region": {"startLine": 13, "startColumn": 1},
    }


@pytest.mark.skipif(
    MULTITOOL is None or sys.platform != "linux", reason="scripts/peers unpacks it, on Linux"
)
@pytest.mark.parametrize("kind", ["some", "none"])
def test_sarif_is_valid(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """By the validator of the standard's authors: schema, rules, and what GitHub asks for."""
    assert MULTITOOL
    log = tmp_path / "check.sarif"
    log.write_text(FORMATS["sarif"](request.getfixturevalue(kind)))
    MULTITOOL.chmod(0o755)
    ours = {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1", "HOME": str(tmp_path)}
    asked = ["validate", str(log), "--rule-kind", "Sarif;Ghas", "--level", "Error"]
    done = subprocess.run(
        [MULTITOOL, *asked], capture_output=True, text=True, env={**os.environ, **ours}, check=False
    )
    assert "Analysis completed successfully" in done.stdout, done.stdout + done.stderr
    assert "error" not in done.stdout.lower(), done.stdout


def test_nothing_steers_a_terminal(tmp_path: Path) -> None:
    """An escape sequence in an author's line is made harmless by the command."""
    from vero_deliver.cli.check import _printed

    bad = '<a href="http://x.example">\x1b[31mred</a>'
    found = report(tmp_path, {"email.html": ("Your order", bad)})
    for fmt in ("full", "concise"):
        assert "http://x.example" in _printed(found, fmt, counted=False)
        assert "\x1b[31mred" not in _printed(found, fmt, counted=False)


def test_flawless_is_told(none: Report) -> None:
    """That nothing was found is said, with what was looked at."""
    assert full(none).strip() == "Nothing found in 1 message with 2 samples."
    assert FLAWLESS
