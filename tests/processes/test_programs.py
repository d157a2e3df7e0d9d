"""Programs of rules: no shell, no secrets, no descriptors; they end, and their output is kept within bounds."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import sys
import threading
from pathlib import Path

import pytest

from collab_tui.processes import programs
from collab_tui.processes.programs import MAX_OUTPUT, Ended, Program, allowed_environment, run
from tests.program import eventually

pytestmark = pytest.mark.skipif(os.name == "nt", reason="process groups of Unix")


def program(folder: Path, script: str, *arguments: str, stdin: bytes = b"", limit: float = 60.0) -> Program:
    """A program in Python."""
    command = (sys.executable, "-I", "-S", "-c", script, *arguments)
    return Program(command, stdin, {"PATH": os.environ["PATH"]}, folder, limit, folder / "kept" / "1.log")


async def ended(given: Program, grace: float = 30.0) -> Ended:
    return await run(given, asyncio.Event(), grace)


async def test_it_gets_the_event_on_standard_input(tmp_path: Path) -> None:
    script = "import sys, json; open('got', 'w', encoding='utf-8').write(json.load(sys.stdin)['message'])"
    event = json.dumps({"message": "안녕 " + "m" * 900_000}).encode() + b"\n"
    assert (await ended(program(tmp_path, script, stdin=event))).outcome == "exit 0"
    assert (tmp_path / "got").read_text(encoding="utf-8").startswith("안녕 mmm")


async def test_it_need_not_read_its_input(tmp_path: Path) -> None:
    assert (await ended(program(tmp_path, "pass", stdin=b"m" * 900_000))).outcome == "exit 0"


async def test_there_is_no_shell(tmp_path: Path) -> None:
    argument = "$(touch got); touch got #`touch got`"
    script = "import sys; print(sys.argv[1])"
    result = await ended(program(tmp_path, script, argument))
    assert result.log is not None
    assert result.log.read_text(encoding="utf-8").strip() == argument
    assert not (tmp_path / "got").exists()


async def test_how_it_ended_is_told(tmp_path: Path) -> None:
    assert (await ended(program(tmp_path, "raise SystemExit(7)"))).outcome == "exit 7"
    assert (await ended(program(tmp_path, "import os; os.kill(os.getpid(), 9)"))).outcome == "signal 9"
    missing = Program(("./no-such-program",), b"", {}, tmp_path, 60, tmp_path / "log")
    assert (await ended(missing)).outcome == "failed: ./no-such-program: No such file or directory"
    hostile = Program(("true", "a\0b"), b"", {}, tmp_path, 60, tmp_path / "log")
    assert (await ended(hostile)).outcome.startswith("failed: true: ")


async def test_it_inherits_no_descriptor(tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w", encoding="utf-8"):
        script = "import os; print(sorted(map(int, os.listdir('/dev/fd')))[:-1])"  # the last is that of the listing
        result = await ended(program(tmp_path, script))
    assert result.log is not None
    assert result.log.read_text(encoding="utf-8").strip() == "[0, 1, 2]"


def test_no_secret_reaches_it() -> None:
    given = {
        "PATH": "/bin", "HOME": "/home/x", "LC_ALL": "C", "XDG_RUNTIME_DIR": "/run/x",
        "ANTHROPIC_API_KEY": "s", "GITHUB_TOKEN": "s", "SSH_AUTH_SOCK": "s", "AWS_PROFILE": "s", "LD_PRELOAD": "s",
        "PYTHONPATH": "s", "COLLAB_REGISTRY": "s", "CLAUDECODE": "1",
    }  # fmt: skip
    assert set(allowed_environment(given)) == {"PATH", "HOME", "LC_ALL", "XDG_RUNTIME_DIR"}


async def test_at_the_time_limit_it_is_asked_to_end(tmp_path: Path) -> None:
    script = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("asked", flush=True), sys.exit(0)))
time.sleep(1000)"""
    result = await ended(program(tmp_path, script, limit=1.0))
    assert result.outcome == "timed out"
    assert result.took >= 1.0
    assert result.log is not None
    assert result.log.read_text(encoding="utf-8") == "asked\n"


async def test_what_does_not_end_when_asked_is_made_to_and_its_children_too(tmp_path: Path) -> None:
    script = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child:
    open("pids.new", "w", encoding="utf-8").write(f"{os.getpid()} {child}")
    os.rename("pids.new", "pids")
time.sleep(1000)"""
    stop = asyncio.Event()
    running = asyncio.create_task(run(program(tmp_path, script), stop, 0.1))
    await asyncio.to_thread(eventually, (tmp_path / "pids").exists)
    stop.set()
    assert (await running).outcome == "stopped"
    for process in map(int, (tmp_path / "pids").read_text(encoding="utf-8").split()):
        await asyncio.to_thread(eventually, lambda process=process: not is_running(process))


def is_running(process: int) -> bool:
    """A process of that number is there, and is not only waiting for its parent to notice that it ended."""
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


async def test_a_child_that_it_leaves_behind_holds_nothing_up(tmp_path: Path) -> None:
    script = f"import subprocess; print(subprocess.Popen({shlex.split('sleep 1000')!r}).pid, flush=True)"
    result = await ended(program(tmp_path, script))
    assert result.outcome == "exit 0"
    assert result.log is not None
    left = int(result.log.read_text(encoding="utf-8"))
    assert is_running(left), "what a program started on purpose is not ours to end"
    os.kill(left, signal.SIGKILL)


async def test_a_child_that_is_left_behind_costs_no_thread_and_no_descriptor(tmp_path: Path) -> None:
    def ours() -> tuple[int, int]:
        threads = [each for each in threading.enumerate() if not each.name.startswith("asyncio_")]  # those are shared
        return len(threads), len(os.listdir("/dev/fd"))

    script = f"import subprocess; print(subprocess.Popen({shlex.split('sleep 1000')!r}).pid, flush=True)"
    before = ours()
    left = []
    for _ in range(3):
        result = await ended(program(tmp_path, script))
        assert result.log is not None
        left.append(int(result.log.read_text(encoding="utf-8")))
    await asyncio.to_thread(eventually, lambda: ours()[0] <= before[0])
    assert ours()[1] < before[1] + len(left), "one each at least; what an earlier test left may go, or come, in between"
    for process in left:
        assert is_running(process)
        os.kill(process, signal.SIGKILL)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody is told of orphans")
async def test_what_is_stopped_ends_with_what_left_its_group(tmp_path: Path) -> None:
    script = f"""
import subprocess, time
print(subprocess.Popen({shlex.split("sleep 1000")!r}, start_new_session=True).pid, flush=True)
time.sleep(1000)"""
    stop, given = asyncio.Event(), program(tmp_path, script)
    running = asyncio.create_task(run(given, stop, 0.1))
    await asyncio.to_thread(eventually, lambda: given.log.exists() and given.log.read_bytes().endswith(b"\n"))
    stop.set()
    assert (await running).outcome == "stopped"
    assert not is_running(int(given.log.read_bytes()))


async def test_what_ends_its_whole_group_ends_its_supervisor_too(tmp_path: Path) -> None:
    assert (await ended(program(tmp_path, "import os; os.killpg(0, 9)"))).outcome == "signal 9"


async def test_when_only_its_supervisor_is_killed_it_does_not_run_on(tmp_path: Path) -> None:
    script = """
import os, time
open("pid.new", "w", encoding="utf-8").write(str(os.getpid()))
os.rename("pid.new", "pid")
os.kill(os.getppid(), 9)
time.sleep(1000)"""
    assert (await ended(program(tmp_path, script))).outcome == "signal 9"
    left = int((tmp_path / "pid").read_text(encoding="utf-8"))
    await asyncio.to_thread(eventually, lambda: not is_running(left))


async def test_output_without_end_is_cut(tmp_path: Path) -> None:
    result = await ended(program(tmp_path, f"print('y' * {2 * MAX_OUTPUT})"))
    assert result.outcome == "exit 0"
    assert result.log is not None
    kept = result.log.read_bytes()
    assert kept[:MAX_OUTPUT] == b"y" * MAX_OUTPUT
    assert kept[MAX_OUTPUT:].decode() == f"\n[and {MAX_OUTPUT + 1:,} bytes that were not kept]\n"
    assert result.log.stat().st_mode & 0o777 == 0o600


async def test_no_output_leaves_no_file(tmp_path: Path) -> None:
    assert (await ended(program(tmp_path, "pass"))).log is None
    assert not (tmp_path / "kept").exists()


async def test_output_that_cannot_be_kept_holds_nothing_up(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("in the way", encoding="utf-8")
    result = await ended(program(tmp_path, f"print('y' * {MAX_OUTPUT})"))
    assert (result.outcome, result.log) == ("exit 0", None)


async def test_only_the_latest_output_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_MAX_LOGS", 2)
    (tmp_path / "kept").mkdir()
    for number, name in enumerate(("a", "b", "c")):
        (tmp_path / "kept" / f"{name}.log").touch()
        os.utime(tmp_path / "kept" / f"{name}.log", (number, number))
    await ended(program(tmp_path, "print()"))
    assert sorted(file.name for file in (tmp_path / "kept").iterdir()) == ["1.log", "c.log"]
