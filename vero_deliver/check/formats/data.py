"""For programs: our own JSON, and SARIF 2.1.0 (OASIS) as code scanners exchange it."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.metadata import version
from typing import Any, Final
from urllib.parse import quote

from vero_deliver.check.finding import Finding, Report
from vero_deliver.check.formats.ci import fingerprint
from vero_deliver.check.formats.text import words
from vero_deliver.check.rule import Rule, rules
from vero_deliver.reading import display

_LEVELS: Final = {"error": "error", "warning": "warning", "info": "note"}
_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def as_json(report: Report) -> str:
    """One document: what was looked at, and each finding with file, line and samples."""
    findings = [
        {**asdict(finding), "place": {**asdict(finding.place), "file": _path(report, finding)}}
        for finding in report.findings
    ]
    counted = {"messages": report.messages, "samples": report.samples}
    return _text({**counted, "findings": findings})


def sarif(report: Report) -> str:
    """A log of one run; its rules carry their whys."""
    known = rules()
    index = {rule.id: number for number, rule in enumerate(known)}
    driver = {
        "name": "vero-deliver",
        "version": version("vero-deliver"),
        "rules": [_rule(rule) for rule in known],
    }
    results = [_result(report, finding, index[finding.rule]) for finding in report.findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return _text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why or rule.title},
        "help": {"text": f"{rule.title}. {rule.why}"},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(report: Report, finding: Finding, index: int) -> dict[str, Any]:
    place = finding.place
    region = {"startLine": place.line, "startColumn": place.column}
    where: dict[str, Any] = {"artifactLocation": {"uri": quote(_path(report, finding))}}
    if place.line:
        where["region"] = {name: number for name, number in region.items() if number}
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": words(finding) + (f". {finding.hint}" if finding.hint else "")},
        "locations": [{"physicalLocation": where}],
        "partialFingerprints": {"vero/v1": fingerprint(finding)},
        "properties": {"name": finding.name, "samples": list(finding.samples)},
    }


def _path(report: Report, finding: Finding) -> str:
    return display(report.root / finding.place.file)


def _text(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    return text.encode("utf-8", "backslashreplace").decode()
