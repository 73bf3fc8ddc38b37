"""vero-deliver init: what it writes for editors and type checkers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest
from calling import fresh, run
from jsonschema import Draft7Validator

TAPLO = shutil.which("taplo", path=sysconfig.get_path("scripts")) or shutil.which("taplo")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A fresh project."""
    return fresh(tmp_path)


def init(project: Path, *arguments: str) -> str:
    done = run("-C", str(project), "init", *arguments)
    assert done.exit_code == 0, done.output
    return done.stderr


@pytest.mark.parametrize("name", ["welcome", "billing/overdue"])
def test_samples_lead_to_a_schema_that_they_fit(project: Path, name: str) -> None:
    """Each sample's `$schema` is a file, and it is what the message declares."""
    if name != "welcome":
        init(project, name)
    found = list((project / "messages" / name / "samples").glob("*.json"))
    assert len(found) == 3
    for path in found:
        sample = json.loads(path.read_text())
        schema = json.loads((path.parent / sample["$schema"]).read_text())
        Draft7Validator(schema).validate(sample)
        assert not Draft7Validator(schema).is_valid({**sample, "plan": 1})


def test_init_again_renews_the_schemas_of_samples(project: Path) -> None:
    """After [data] has changed; a message that cannot be read is left out, and said."""
    init(project, "other")
    (project / "messages/other/message.toml").write_text("title =")
    path = project / "messages/welcome/message.toml"
    path.write_text(path.read_text() + 'month = "string"\n')
    said = init(project)
    schema = json.loads((project / ".vero/schema/samples/welcome.schema.json").read_text())
    assert schema["definitions"]["Recipient"]["required"] == ["month"]
    assert "other is left out: messages/other/message.toml:1" in said.replace(f"{project}/", "")


def test_types_are_written_and_renewed(project: Path, tmp_path: Path) -> None:
    """A second call changes nothing; a change of [data] does."""
    file = tmp_path / "src/mail.py"
    assert "wrote" in init(project, "--types", str(file))
    assert "plan: NotRequired[str]" in file.read_text()
    before = file.stat().st_mtime_ns
    assert init(project, "--types", str(file)) == ""
    assert file.stat().st_mtime_ns == before
    path = project / "messages/welcome/message.toml"
    path.write_text(path.read_text() + 'month = "string"\n')
    assert "wrote" in init(project, "--types", str(file))
    assert "month: str" in file.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--types", "own.py"), "was not written by --types"),
        (("--types", "mail.txt"), "write the name of a .py file"),
        (("--types", "mail.py", "other"), "leave out 'other'"),
    ],
)
def test_types_overwrite_nothing_of_yours(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    """A file that somebody wrote stays as it is, exit 2."""
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text("mine = 1\n")
    done = run("-C", str(project), "init", *arguments)
    assert (done.exit_code, said in done.stderr) == (2, True)
    assert Path("own.py").read_text() == "mine = 1\n"


@pytest.mark.skipif(TAPLO is None, reason="taplo is not installed")
def test_editors_find_a_typo_in_a_message(project: Path) -> None:
    """Taplo, which editors run, takes the starter by its schema and not a misspelt key."""
    path = project / "messages/welcome/message.toml"
    schema = (project / ".vero/schema/message.schema.json").as_uri()

    def taplo() -> subprocess.CompletedProcess[str]:
        assert TAPLO
        return subprocess.run(
            [TAPLO, "check", "--schema", schema, str(path)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    assert taplo().returncode == 0
    path.write_text(path.read_text().replace("subject =", "subjct ="))
    done = taplo()
    assert done.returncode != 0
    assert "subjct" in done.stderr
