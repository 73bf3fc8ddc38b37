"""For the machines that build: GitHub's commands, GitLab's code quality, JUnit's XML.

Sources: docs.github.com "Workflow commands", docs.gitlab.com "Code Quality", the JUnit schema of
Jenkins' xunit plugin.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Final
from xml.etree import ElementTree as Xml

from vero_deliver.check.finding import Finding, Report
from vero_deliver.check.formats.text import words
from vero_deliver.reading import display

_GITHUB: Final = {"error": "error", "warning": "warning", "info": "notice"}
_GITLAB: Final = {"error": "major", "warning": "minor", "info": "info"}
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def github(report: Report) -> str:
    """Workflow commands: a note beside the line of a pull request."""
    return "".join(f"{_command(report, finding)}\n" for finding in report.findings)


def _command(report: Report, finding: Finding) -> str:
    place = finding.place
    given = {
        "file": display(report.root / place.file),
        "line": place.line,
        "col": place.column,
        "title": finding.name,
    }
    values = ",".join(f"{name}={_property(value)}" for name, value in given.items() if value)
    return f"::{_GITHUB[finding.severity]} {values}::{_escaped(_told(finding))}"


def _told(finding: Finding) -> str:
    return "\n".join(filter(None, (words(finding), finding.hint)))


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: object) -> str:
    return _escaped(str(value)).replace(":", "%3A").replace(",", "%2C")


def gitlab(report: Report) -> str:
    """A Code Quality report."""
    rows = [
        {
            "description": _told(finding),
            "check_name": finding.name,
            "fingerprint": fingerprint(finding),
            "severity": _GITLAB[finding.severity],
            "location": {
                "path": display(report.root / finding.place.file),
                "lines": {"begin": finding.place.line or 1},
            },
        }
        for finding in report.findings
    ]
    return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"


def fingerprint(finding: Finding) -> str:
    """The same for the same finding when lines above it come and go."""
    parts = (finding.message, finding.name, finding.place.file, finding.text, finding.detail)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()


def junit(report: Report) -> str:
    """A test case for each finding, and a suite that passes where there is none."""
    suites = Xml.Element("testsuites", name="vero-deliver check")
    count = str(len(report.findings) or 1)
    failures = str(len(report.findings))
    suite = Xml.SubElement(
        suites, "testsuite", name="vero-deliver check", tests=count, failures=failures, errors="0"
    )
    for finding in report.findings:
        place = finding.place
        case = Xml.SubElement(
            suite,
            "testcase",
            name=finding.name,
            classname=_xml(finding.message),
            file=_xml(display(report.root / place.file)),
            line=str(place.line),
        )
        failure = Xml.SubElement(case, "failure", message=_xml(words(finding)))
        failure.text = _xml(f"{place}: {_told(finding)}")
    if not report.findings:
        Xml.SubElement(suite, "testcase", name="check", classname="vero-deliver")
    Xml.indent(suites)
    declaration = '<?xml version="1.0" encoding="utf-8"?>\n'
    return f"{declaration}{Xml.tostring(suites, encoding='unicode')}\n"


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
