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

from collab_tui.processes.child import Child, StartError
from collab_tui.processes.identity import identity_of, is_alive
from collab_tui.processes.output import OutputLog
from collab_tui.processes.pipe import LineTooLongError
from tests.program import PATIENCE, eventually

pytestmark = pytest.mark.skipif(os.name == "nt", reason="process groups of Unix")

_LIMIT = 1 << 16
_BEHIND = "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1000)']{})"


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


async def test_what_it_leaves_in_its_group_ends_with_it(tmp_path: Path) -> None:
    async with running(tmp_path, f"{_BEHIND.format('')}; print(child.pid)") as child:
        behind = int(await child.read_line(_LIMIT) or b"")
        assert await child.read_line(_LIMIT) is None
        assert await child.wait() == "exit 0"
        await gone(behind)


async def test_a_daemon_that_holds_the_pipes_holds_nothing_up(tmp_path: Path) -> None:
    script = f"{_BEHIND.format(', start_new_session=True')}; print(child.pid, end='')"
    async with running(tmp_path, script, error_log=tmp_path / "log") as child:
        behind = int(await child.read_line(_LIMIT) or b"")
        assert await child.read_line(_LIMIT) is None
        assert await child.wait() == "exit 0"
        await child.end(0.0)
    assert identity_of(behind) is not None, "it left the group on purpose"
    os.kill(behind, signal.SIGKILL)


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
    def ours() -> tuple[int, int]:
        threads = [each for each in threading.enumerate() if not each.name.startswith("asyncio_")]
        return len(threads), len(os.listdir("/dev/fd"))

    async def one() -> None:
        async with running(tmp_path, "print(input())", error_log=tmp_path / "log") as child:
            await child.write(b"hello\n")
            assert await child.read_line(_LIMIT) == b"hello"

    await one()
    before = ours()
    await asyncio.gather(*(one() for _ in range(10)))
    await asyncio.to_thread(eventually, lambda: ours() == before)


@pytest.mark.parametrize("stubborn", ["", "signal.signal(15, signal.SIG_IGN);"])
def test_it_ends_with_us_also_when_we_are_killed(tmp_path: Path, stubborn: str) -> None:
    script = (
        f"import os, signal, time; {stubborn} {_BEHIND.format('')}; print(os.getpid(), child.pid); time.sleep(1000)"
    )
    owner = f"""
import asyncio, os, sys
from pathlib import Path
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
