"""What only shows in a process of its own: what is imported, and consoles that cannot show everything."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.events import asks, lines, updates
from tests.program import environment, run

HEAVY = (
    *("textual", "orjson", "rich", "asyncio", "dataclasses", "pathlib", "typing", "secrets", "watchdog", "tomllib"),
    "shutil",
)
_RUN = "from collab_tui.cli.main import run; run()"
_COMMAND = "import sys; from collab_tui.cli.main import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    path = tmp_path / "COLLABORATION_STATE.jsonl"
    path.write_bytes(
        lines(
            updates("세나", status="in_progress", progress=40, current_task="지표 검증 ✔ — 日本語 👍"),
            updates("lubit", status="blocked", blockers=["자격 증명 없음 ■ ⚠"]),
            asks("세나", "r1", request="배포할까요? ▲", options=["예 ●", "아니오"], target="lubit"),
            b"\xff\xfe".decode("latin-1"),
        )
    )
    return path


def modules(code: str, *arguments: str, cwd: Path, stdin: bytes = b"") -> set[str]:
    """What is imported at the end."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=cwd, env=environment(cwd), input=stdin, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.decode().split())


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (("emit", "status_update", "--agent", "a", "--status", "idle", "--field", 'x={"y":1}'), b""),
        (("emit", "--agent", "a"), b'{"event":"x"}'),
    ],
    ids=["options", "input"],
)
def test_emit_imports_nothing_heavy(registry: Path, arguments: tuple[str, ...], stdin: bytes) -> None:
    bare = modules("import sys; print(*sys.modules, file=sys.stderr)", cwd=registry.parent)
    found = modules(_COMMAND, *arguments, cwd=registry.parent, stdin=stdin) - bare
    assert registry.read_bytes().count(b"\n") == 5
    assert sorted(found & set(HEAVY)) == []
    ours = {name for name in found if name.startswith("collab_tui.")}
    assert ours == {
        "collab_tui.cli",
        "collab_tui.cli.arguments",
        "collab_tui.cli.emit",
        "collab_tui.cli.main",
        "collab_tui.registry",
        "collab_tui.registry.append",
        "collab_tui.registry.find",
        "collab_tui.registry.timestamps",
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("status", "--json"),
        ("log",),
        ("decide", "r1", "--answer", "1", "--agent", "lubit"),
        ("unblock", "lubit", "자"),
        ("init",),
    ],
    ids=" ".join,
)
def test_only_the_screen_imports_textual(registry: Path, arguments: tuple[str, ...]) -> None:
    found = modules(_COMMAND, *arguments, cwd=registry.parent)
    assert "textual" not in found
    assert not any(name.startswith("collab_tui.tui") for name in found)


@pytest.mark.parametrize(
    "console",
    [{"PYTHONIOENCODING": "cp949"}, {"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}],
    ids=["cp949", "ascii", "C"],
)
@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("status", "--json"),
        ("log",),
        ("log", "--json"),
        ("decide", "r1", "--answer", "1", "--agent", "lubit"),
        ("unblock", "lubit", ""),
        ("decide", "r1", "--answer", "없음", "--agent", "lubit"),
        ("log", "--없음"),
        ("init", "."),
    ],
    ids=" ".join,
)
def test_no_console_is_too_narrow(registry: Path, arguments: tuple[str, ...], console: dict[str, str]) -> None:
    done = run(*arguments, cwd=registry.parent, env=environment(registry.parent, **console))
    assert done.returncode in (0, 2)
    assert b"Traceback" not in done.stderr
    assert b"Error" not in done.stderr
    if arguments[0] in ("status", "log") and done.returncode == 0:
        assert b"\xbc\xbc\xb3\xaa" in done.stdout or b"\\u" in done.stdout  # 세나 in cp949, or as escapes


def test_korean_is_korean_where_the_console_can(registry: Path) -> None:
    done = run("status", cwd=registry.parent, env=environment(registry.parent, PYTHONIOENCODING="cp949"))
    assert "지표 검증" in done.stdout.decode("cp949")
    done = run("log", cwd=registry.parent)
    assert "지표 검증 ✔ — 日本語 👍" in done.stdout.decode()


def test_a_pipe_has_no_colours(registry: Path) -> None:
    env = environment(registry.parent, TERM="xterm-256color", COLORTERM="truecolor")
    for command in ("status", "log"):
        done = run(command, cwd=registry.parent, env=env)
        assert done.returncode == 0
        assert b"\x1b" not in done.stdout


def test_every_exit_code_reaches_the_shell(registry: Path) -> None:
    codes = {
        ("status",): 0,
        ("decide", "r1", "approve", "--agent", "세나"): 1,
        ("decide", "nope", "approve", "--agent", "세나"): 2,
        ("emit", "x"): 2,
        ("--nonsense",): 2,
    }
    for arguments, code in codes.items():
        assert run(*arguments, cwd=registry.parent).returncode == code, arguments


def test_no_warning_is_hidden(registry: Path) -> None:
    """Every warning is an error in these processes: encodings left to chance, things left open."""
    decided = ("decide", "r1", "--answer", "1", "--agent", "lubit")
    for arguments in (("status", "--json"), ("log",), ("emit", "x", "--agent", "a"), decided):
        command = [sys.executable, "-W", "error", "-X", "warn_default_encoding", "-X", "dev", "-c", _RUN, *arguments]
        done = subprocess.run(command, cwd=registry.parent, env=environment(registry.parent), capture_output=True)
        assert (done.returncode, done.stderr) == (0, b""), arguments
    assert json.loads(registry.read_bytes().splitlines()[-1])["event"] == "decision"
