"""push_guide/android: it compiles, does its work on the JVM, and Android has what it touches."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from android_api import STUBS, Member, declared, exists, installed
from push_golden import GUIDE, PAYLOADS

HERE = Path(__file__).parent
LIB = HERE.parent / "push_peers/node_modules/kotlin-compiler/lib"
TESTS = HERE / "android/Tests.kt"
NAMES = re.findall(r'^    "(.+)" to \{$', TESTS.read_text("utf-8"), re.MULTILINE)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.fixture(scope="module")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stand-ins for Android's classes, compiled."""
    if not (LIB.is_dir() and shutil.which("javac")):
        pytest.skip("needs javac, and kotlin-compiler: scripts/peers tests/push_peers")
    out = tmp_path_factory.mktemp("stubs")
    done = run("javac", "-d", str(out), *map(str, STUBS.rglob("*.java")))
    assert done.returncode == 0, done.stderr
    return out


def compiled(stubs: Path, out: Path, *sources: Path) -> subprocess.CompletedProcess[str]:
    compiler = "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler"
    given = ["-no-stdlib", "-no-reflect", "-Werror", "-d", str(out)]
    path = f"{stubs}:{LIB / 'kotlin-stdlib.jar'}"
    jar = str(LIB / "kotlin-compiler.jar")
    return run("java", "-cp", jar, compiler, *given, "-cp", path, *map(str, sources))


@pytest.fixture(scope="module")
def outcome(stubs: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the handlers' own tests print."""
    out, files = tmp_path_factory.mktemp("kotlin"), tmp_path_factory.mktemp("files")
    done = compiled(stubs, out, GUIDE / "android", TESTS)
    assert done.returncode == 0, done.stderr
    path = f"{out}:{stubs}:{LIB / 'kotlin-stdlib.jar'}"
    return run("java", "-cp", path, "TestsKt", str(PAYLOADS), str(files)).stdout


@pytest.mark.parametrize("name", NAMES)
def test_handlers(outcome: str, name: str) -> None:
    """Each test of android/Tests.kt passes on the golden payloads."""
    assert f"ok {name}\n" in outcome, outcome


def test_a_misspelt_method_does_not_compile(stubs: Path, tmp_path: Path) -> None:
    """The stand-ins have what Android calls, so that a slip is found."""
    for file in (GUIDE / "android").glob("*.kt"):
        text = file.read_text("utf-8").replace("fun onMessageReceived", "fun onMessageRecieved")
        (tmp_path / file.name).write_text(text, "utf-8")
    done = compiled(stubs, tmp_path / "out", tmp_path)
    assert "'onMessageRecieved' overrides nothing" in done.stderr


def members() -> list[Member]:
    return list(declared())


@pytest.mark.parametrize("member", members(), ids=str)
def test_android_has_it(member: Member) -> None:
    """Every class, method and field that a handler can touch here is Android's, as it is there."""
    if not installed():
        pytest.skip("needs the type stubs of the extra dev")
    assert exists(member)


@pytest.mark.parametrize(
    "member",
    [
        Member("android.app.PendingIntent", "getActivity", ("Context", "Intent")),
        Member("android.app.PendingIntent", "getActivity", ("Context", "int", "String", "int")),
        Member("android.app.PendingIntent", "FLAG_IMMUTABEL", None),
        Member("androidx.core.app.NotificationCompat.Builder", "setFoo", ("int",)),
        Member("android.app.Notifikation", "__init__", ()),
    ],
    ids=str,
)
def test_android_has_not_everything(member: Member) -> None:
    """What is not there is noticed, and so are other parameters."""
    if not installed():
        pytest.skip("needs the type stubs of the extra dev")
    assert not exists(member)


def test_members_are_read() -> None:
    """Nothing that the stubs declare is overlooked: fields, nested classes, constructors."""
    found = {str(member) for member in members()}
    assert len(found) > 80
    assert {
        "android.Manifest.permission.POST_NOTIFICATIONS",
        "android.app.PendingIntent.getActivity(Context, int, Intent, int)",
        "android.content.Intent.__init__(Context, Class)",
        "android.os.Build.VERSION.SDK_INT",
        "androidx.core.app.NotificationCompat.Builder.addAction(int, CharSequence, PendingIntent)",
        "org.json.JSONArray.__init__(Collection)",
        "android.content.Context.getSystemService(Class)",
    } <= found
