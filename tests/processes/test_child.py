"""Programs with pipes that stay: what goes in and out is whole and bounded, and no end of theirs or ours leaves any."""

from __future__ import annotations

import ast
import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from collab_tui.processes import supervised
from collab_tui.processes.child import Child, StartError
from collab_tui.processes.identity import identity_of, is_alive
from collab_tui.processes.output import OutputLog
from collab_tui.processes.pipe import LineTooLongError
from collab_tui.processes.supervisor import descendants
from tests.program import PATIENCE, eventually

pytestmark = pytest.mark.skipif(os.name == "nt", reason="process groups of Unix")

_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody is told of orphans")
_LIMIT = 1 << 16
_BEHIND = "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1000)']{})"

_ELSEWHERE = ", start_new_session=True"


@asynccontextmanager
async def running(folder: Path, script: str, *, grace: float = 30.0, **how: Any) -> AsyncGenerator[Child, None]:
    command = (sys.executable, "-I", "-S", "-u", "-c", script)
    how.setdefault("environment", {"PATH": os.environ["PATH"]})
    child = await Child.start(command, folder=folder, **how)
    try:
        async with asyncio.timeout(PATIENCE):
            yield child
    finally:
        await child.end(grace)


async def gone(*processes: int) -> None:
    await asyncio.to_thread(eventually, lambda: not any(map(identity_of, processes)))


async def everything(child: Child) -> bytes:
    found = b""
    while piece := await child.read():
        found += piece
    return found


async def test_lines_go_in_and_come_back_in_order(tmp_path: Path) -> None:
    script = "import sys\nfor line in sys.stdin: print(line.strip(), len(line))"
    async with running(tmp_path, script) as child:
        for number in range(200):
            await child.write(b"%d " % number + b"x" * number * 10 + b"\n")
            assert (await child.read_line(_LIMIT) or b"").startswith(b"%d " % number)
        child.close_input()
        assert await child.read_line(_LIMIT) is None
        assert await child.wait() == "exit 0"


@pytest.mark.parametrize(
    ("end", "told"),
    [("", "exit 0"), ("raise SystemExit(1)", "exit 1"), ("import os; os.kill(os.getpid(), 11)", "signal 11")],
)
async def test_how_it_ended_is_told(tmp_path: Path, end: str, told: str) -> None:
    async with running(tmp_path, end) as child:
        assert await child.wait() == told
    assert await child.end(0.0) == told


async def test_what_cannot_be_started_says_why(tmp_path: Path) -> None:
    for folder, command, why in (
        (tmp_path, ["./no-such-program"], r"^\./no-such-program: No such file or directory$"),
        (tmp_path / "away", ["true"], r"away: No such file or directory$"),
        (tmp_path, ["true", "a\0b"], "^true: .*null byte"),
        (tmp_path, ["true", "x" * 3_000_000], "^true: Argument list too long$"),
    ):
        with pytest.raises(StartError, match=why):
            await Child.start(command, environment=dict(os.environ), folder=folder)


async def test_it_gets_the_environment_that_is_given_and_no_descriptor(tmp_path: Path) -> None:
    given = {"PATH": os.environ["PATH"], "SAID": "안녕"}
    script = "import os; print(sorted(map(int, os.listdir('/dev/fd')))[:-1], sorted(os.environ.items()))"
    with (tmp_path / "lock").open("w", encoding="utf-8") as file:
        os.set_inheritable(file.fileno(), True)
        async with running(tmp_path, script, environment=given) as child:
            told = (await everything(child)).decode()
    fds, _, environment = told.strip().partition("] ")
    assert fds == "[0, 1, 2"
    told_of = [pair for pair in ast.literal_eval(environment) if pair[0] != "LC_CTYPE"]  # that Python sets itself
    assert told_of == sorted(given.items())


async def test_it_is_known_again_by_its_identity(tmp_path: Path) -> None:
    async with running(tmp_path, "import os; print(os.getpid()); input()") as child:
        assert int(await child.read_line(_LIMIT) or b"") == child.pid
        assert child.identity is not None
        assert is_alive(child.identity)
    assert not is_alive(child.identity)


async def test_a_line_that_is_too_long_is_dropped_and_the_next_is_read(tmp_path: Path) -> None:
    script = f"print('x' * {20 * _LIMIT}); print('next'); print('y' * {_LIMIT}, end='')"
    async with running(tmp_path, script) as child:
        with pytest.raises(LineTooLongError) as told:
            await child.read_line(_LIMIT)
        assert told.value.size == 20 * _LIMIT
        assert await child.read_line(_LIMIT) == b"next"
        assert await child.read_line(_LIMIT) == b"y" * _LIMIT
        assert await child.read_line(_LIMIT) is None


async def test_a_reader_that_gives_up_loses_nothing(tmp_path: Path) -> None:
    script = (
        "import sys\nfor line in sys.stdin: sys.stdout.write(line[:3]); sys.stdout.flush(); print(line[3:], end='')"
    )
    async with running(tmp_path, script) as child:
        for number in range(50):
            reading = asyncio.create_task(child.read_line(_LIMIT))
            await asyncio.sleep(0)
            await child.write(b"line %d\n" % number)
            await asyncio.sleep(0.001 * (number % 3))
            reading.cancel()
            (line,) = await asyncio.gather(reading, return_exceptions=True)
            if isinstance(line, asyncio.CancelledError):
                line = await child.read_line(_LIMIT)
            assert line == b"line %d" % number


async def test_what_nobody_reads_stays_with_the_program(tmp_path: Path) -> None:
    script = """
import os
os.set_blocking(1, True)
for number in range(1000):
    os.write(1, b"o" * 65536)
    open("written", "w", encoding="utf-8").write(str(number))"""
    async with running(tmp_path, script, grace=0.1) as child:
        await asyncio.to_thread(eventually, (tmp_path / "written").exists)
        held_up = child._output
        await asyncio.to_thread(eventually, lambda: held_up.is_held_up)
        assert len(held_up._data) < 1 << 20
        assert await child.end(0.1) == "signal 15"


async def test_a_flood_of_errors_is_kept_within_bounds_and_holds_nothing_up(tmp_path: Path) -> None:
    log = tmp_path / "errors.log"
    script = f"import sys; sys.stderr.write('e' * {20 << 20} + 'the end'); print('done')"
    async with running(tmp_path, script, error_log=log) as child:
        assert await child.read_line(_LIMIT) == b"done"
        await child.wait()
    assert child.last_errors.endswith(b"the end")
    assert log.stat().st_size + OutputLog(log).before.stat().st_size <= 2 * OutputLog(log).most
    assert log.stat().st_mode & 0o777 == 0o600


async def test_one_that_closes_its_input_is_told_of(tmp_path: Path) -> None:
    script = "import os, time; os.close(0); print('closed'); time.sleep(1000)"
    async with running(tmp_path, script) as child:
        assert await child.read_line(_LIMIT) == b"closed"
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            await asyncio.gather(*(child.write(b"x" * 100_000) for _ in range(10)))


async def test_one_that_does_not_read_holds_up_only_who_writes(tmp_path: Path) -> None:
    async with running(tmp_path, "import time; time.sleep(1000)") as child:
        writing = asyncio.create_task(child.write(b"x" * (4 << 20)))
        done, _ = await asyncio.wait({writing}, timeout=0.05)
        assert not done
        assert await child.end(5) == "signal 15"
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            await writing


async def test_one_that_ignores_being_asked_is_made_to_end_and_its_children_too(tmp_path: Path) -> None:
    script = f"import signal, os; signal.signal(15, signal.SIG_IGN); {_BEHIND.format('')}; print(child.pid); input()"
    async with running(tmp_path, script) as child:
        behind = int(await child.read_line(_LIMIT) or b"")
        assert await child.end(0.2) == "signal 9"
        await gone(child.pid, behind)


@pytest.mark.parametrize("how", ["", _ELSEWHERE])
async def test_what_it_leaves_behind_ends_with_it_and_holds_nothing_up(tmp_path: Path, how: str) -> None:
    script = f"{_BEHIND.format(how)}; print(child.pid)"
    async with running(tmp_path, script, error_log=tmp_path / "log") as child:
        behind = int(await child.read_line(_LIMIT) or b"")
        assert await child.read_line(_LIMIT) is None
        assert await child.wait() == "exit 0"
        await gone(behind)


@_LINUX
async def test_whatever_it_started_ends_when_it_is_made_to(tmp_path: Path) -> None:
    # Three write to one pipe: each its line in one piece, which `print` without a buffer does not do.
    deep = f"import signal; signal.signal(15, signal.SIG_IGN); {_BEHIND.format(_ELSEWHERE)}; "
    deep += "sys.stdout.write(f'{child.pid}\\n'); "
    script = f"""
import os, signal, subprocess, sys, time
signal.signal(15, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-u", "-c", {deep + "import time; time.sleep(1000)"!r}]{_ELSEWHERE})
orphan = subprocess.run([sys.executable, "-u", "-c", {deep!r}]{_ELSEWHERE})
sys.stdout.write(f"{{child.pid}} {{os.getpid()}}\\n")
time.sleep(1000)"""
    async with running(tmp_path, script) as child:
        lines = [await child.read_line(_LIMIT) or b"" for _ in range(3)]
        processes = [int(each) for line in lines for each in line.split()]
        assert len(set(processes)) == 4
        assert all(map(identity_of, processes))
        assert await child.end(0.0) == "signal 9"
        assert not any(map(identity_of, processes)), "it is told when all is over"


@_LINUX
async def test_orphans_that_ended_are_no_zombies_while_it_runs(tmp_path: Path) -> None:
    orphan = "import os\nif pid := os.fork(): print(pid, flush=True)\nelse: input()"
    script = (
        f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', {orphan!r}]); print('alone'); "
        "time.sleep(1000)"
    )
    async with running(tmp_path, script) as child:
        process = int(await child.read_line(_LIMIT) or b"")
        assert await child.read_line(_LIMIT) == b"alone"
        await child.write(b"end\n")
        await asyncio.to_thread(eventually, lambda: not os.path.exists(f"/proc/{process}"))


async def test_a_supervisor_that_does_not_answer_is_killed_with_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervised, "_PATIENCE", 0.1)
    script = "import os, signal; os.kill(os.getppid(), signal.SIGSTOP); print(os.getppid()); input()"
    async with running(tmp_path, script) as child:
        supervisor = int(await child.read_line(_LIMIT) or b"")
        assert await child.end(0.0) == "signal 9"
        await gone(child.pid, supervisor)


def test_descendants_are_those_that_still_have_their_parents() -> None:
    deep = f"{_BEHIND.format('')}; print(child.pid, flush=True); input()"
    command = [sys.executable, "-c", deep]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert descendants(process.pid) == [child]
        assert {process.pid, child} <= set(descendants(os.getpid()))
        os.kill(child, signal.SIGKILL)
        process.kill()


async def test_where_no_descriptor_is_left_nothing_starts_and_none_is_lost(tmp_path: Path) -> None:
    import resource

    async def attempt() -> None:
        with pytest.raises(StartError, match="Too many open files"):
            await Child.start(["true"], environment=dict(os.environ), folder=tmp_path)

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    for free in range(5):
        last = os.open(os.devnull, os.O_RDONLY)
        os.close(last)
        before = set(os.listdir("/dev/fd"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (last + free, limits[1]))
        try:
            await attempt()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert set(os.listdir("/dev/fd")) <= before  # what an earlier test left may be closed by now


async def test_our_python_finds_its_libraries_and_the_program_does_not_hear_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    script = "import os; print(os.environ.get('LD_LIBRARY_PATH'), os.getppid())"
    async with running(tmp_path, f"{script}; input()") as child:
        told, supervisor = (await child.read_line(_LIMIT) or b"").split()
        assert told == b"None"
        if sys.platform == "linux":
            environment = Path(f"/proc/{int(supervisor)}/environ")
            given = await asyncio.to_thread(environment.read_bytes)
            assert f"LD_LIBRARY_PATH={tmp_path}".encode() in given.split(b"\0")


async def test_a_start_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    script = "import os, time; open(str(os.getpid()), 'x').close(); time.sleep(1000)"
    for number in range(10):
        starting = asyncio.create_task(
            Child.start((sys.executable, "-I", "-S", "-c", script), environment=dict(os.environ), folder=tmp_path)
        )
        await asyncio.sleep(0.01 * number)
        starting.cancel()
        (child,) = await asyncio.gather(starting, return_exceptions=True)
        if isinstance(child, Child):
            await child.end(0.0)
    await asyncio.to_thread(
        eventually, lambda: not any(identity_of(int(path.name)) for path in tmp_path.iterdir() if path.name.isdigit())
    )


async def test_many_cost_no_thread_and_no_descriptor_once_they_ended(tmp_path: Path) -> None:
    many = 10

    def ours() -> tuple[int, int]:
        threads = [each for each in threading.enumerate() if not each.name.startswith("asyncio_")]
        return len(threads), len(os.listdir("/dev/fd"))

    async def one() -> None:
        async with running(tmp_path, "print(input())", error_log=tmp_path / "log") as child:
            await child.write(b"hello\n")
            assert await child.read_line(_LIMIT) == b"hello"

    await one()
    before = ours()
    await asyncio.gather(*(one() for _ in range(many)))

    def cost_less_than_one_each() -> bool:
        # Not "none at all": what an earlier test left may go, or come, in between.
        return all(now < then + many for now, then in zip(ours(), before, strict=True))

    await asyncio.to_thread(eventually, cost_less_than_one_each, lambda: f"{before} became {ours()}")


@pytest.mark.parametrize("stubborn", ["", "signal.signal(15, signal.SIG_IGN);"])
def test_it_ends_with_us_also_when_we_are_killed(tmp_path: Path, stubborn: str) -> None:
    script = (
        f"import os, signal, time; {stubborn} {_BEHIND.format('')}; print(os.getpid(), child.pid); time.sleep(1000)"
    )
    owner = f"""
import asyncio, os, sys
from pathlib import Path
from collab_tui.processes import supervised
from collab_tui.processes.child import Child
async def main():
    child = await Child.start((sys.executable, "-u", "-c", {script!r}), environment=dict(os.environ), folder=Path("."))
    print((await child.read_line(1000)).decode(), flush=True)
    await asyncio.sleep(1000)
asyncio.run(main())"""
    with subprocess.Popen([sys.executable, "-c", owner], stdout=subprocess.PIPE, cwd=tmp_path) as process:
        assert process.stdout is not None
        processes = [int(each) for each in process.stdout.readline().split()]
        assert all(map(identity_of, processes))
        process.kill()
    eventually(lambda: not any(map(identity_of, processes)))
