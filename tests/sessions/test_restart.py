"""After a monitor ended, however that came: what runs is taken up, what is gone is told as lost and can be restored."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from collab_tui.model.sessions import Observed
from collab_tui.processes.identity import identity_of
from collab_tui.registry.kept import kept_for
from collab_tui.sessions.driver import ReplyStatus
from collab_tui.sessions.manager import SessionError
from collab_tui.sessions.records import Record, Records
from tests.program import PATIENCE
from tests.sessions.drivers.terminals import SCREEN, needs_tmux
from tests.sessions.house import Agent, House, eventually, is_running, python

LINES = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps({"id": asked["id"], "reply": "reply to " + asked["prompt"]}), flush=True)
"""
"""A program that stays, and answers each line."""
HOST = """
import asyncio, os, sys
from pathlib import Path
from collab_tui.config import load_config
from collab_tui.sessions.manager import SessionManager

async def main():
    registry = Path(sys.argv[1])
    async with SessionManager(registry, load_config(registry), monitor_id="0123456789ab", notice=print) as manager:
        for name in sys.argv[2:]:
            session = await manager.create_session(name)
            print(name, session.record.pid, flush=True)
        print("ready", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""
"""A monitor of these sessions."""


# With agents that do as the test says


async def test_what_outlives_its_monitor_is_taken_up_in_the_same_run(house: House) -> None:
    Agent.is_lasting = True
    async with house.manager() as manager:
        run = (await manager.create_session("sena")).run
    async with house.manager() as manager:
        await manager.take_up()
        session = manager.sessions["sena"]
        assert session.run == run
        assert (await session.send_prompt_and_wait("still here?")).text == "reply to still here?"
        assert len(house.lines("session_start")) == 1
        await manager.destroy_session("sena")
    assert house.observed("sena") is Observed.STOPPED


async def test_what_is_gone_is_told_as_lost_once(house: House) -> None:
    Agent.is_lasting = True
    async with house.manager() as manager:
        await manager.create_session("sena")
    Agent.alive.clear()
    for _ in range(2):
        async with house.manager() as manager:
            await manager.take_up()
            assert not manager.sessions
    assert house.observed("sena") is Observed.LOST
    assert [end["reason"] for end in house.lines("session_end")] == ["lost: there is no such pane any more"]


async def test_what_runs_and_cannot_be_taken_up_is_not_shown_as_running_and_not_given_up(house: House) -> None:
    Agent.is_lasting = True
    async with house.manager() as manager:
        run = (await manager.create_session("sena")).run
    definition = house.settings / "agents" / "sena.toml"
    text = definition.read_text(encoding="utf-8")
    definition.write_text("driver = ", encoding="utf-8")
    async with house.manager() as manager:
        await manager.take_up()
        assert house.observed("sena") is Observed.LOST
        assert "cannot be taken up" in (house.session("sena").why or "")
    definition.write_text(text, encoding="utf-8")
    async with house.manager() as manager:
        await manager.take_up()
        assert manager.sessions["sena"].run == run
        assert (await manager.send_prompt_and_wait("sena", "there?")).text == "reply to there?"
        await eventually(lambda: house.observed("sena") is Observed.IDLE)


async def test_one_record_that_cannot_be_taken_up_keeps_no_other(house: House) -> None:
    Agent.is_lasting = True
    async with house.manager() as manager:
        run = (await manager.create_session("sena")).run
    records = Records(house.path)
    known = records.load("sena")
    assert known is not None
    records.save(replace(known, name="human", run="f" * 16))
    async with house.manager() as manager:
        await manager.take_up()
        assert [session.run for session in manager.sessions.values()] == [run]
    assert "human" in house.notices[0]


async def test_a_machine_is_the_same_under_another_name_and_another_one_under_the_same(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    Agent.is_lasting = True
    async with house.manager() as manager:
        await manager.create_session("sena")
    Agent.alive.clear()
    with monkeypatch.context() as there:
        there.setattr("collab_tui.sessions.place.this_machine", lambda: "another")
        async with house.manager() as manager:
            await manager.take_up()
    assert house.observed("sena") is Observed.IDLE, "nobody here knows of it"
    monkeypatch.setattr("collab_tui.sessions.place.socket.gethostname", lambda: "a-new-name")
    async with house.manager() as manager:
        await manager.take_up()
        assert house.observed("sena") is Observed.LOST
        await manager.create_session("sena")


async def test_a_session_is_restored_by_its_agents_own_id_in_a_new_run(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collab_tui.sessions.observing.BETWEEN", 0.02)
    async with house.manager() as manager:
        first = await manager.create_session("sena", task="metrics")
        with pytest.raises(SessionError, match="already"):
            await manager.restore("sena")
        Agent.last["sena"].listener.resumable("conversation-7")
        await eventually(lambda: house.session("sena").can_resume)
        await manager.destroy_session("sena")
        second = await manager.restore("sena")
        assert Agent.last["sena"].launch.resume_id == "conversation-7"
        assert second.run != first.run
        assert (second.record.folder, second.record.task) == (first.record.folder, "metrics")
        assert house.session("sena").can_resume


async def test_what_told_no_id_or_was_never_there_cannot_be_restored(house: House) -> None:
    async with house.manager() as manager:
        await manager.create_session("sena")
        await manager.destroy_session("sena")
        with pytest.raises(SessionError, match="start it anew"):
            await manager.restore("sena")
        with pytest.raises(SessionError, match="ever started here"):
            await manager.restore("lubit")


def waiting() -> subprocess.Popen[bytes]:
    return subprocess.Popen(python("input()"), stdin=subprocess.PIPE, start_new_session=True)


async def test_a_process_that_got_the_number_of_a_lost_one_is_left_alone(house: House) -> None:
    """S08."""
    bystander = waiting()
    try:
        records = Records(house.path)
        log = str(records.private("sena") / "log")
        lost = Record("sena", "0" * 16, "sena", "command", "m", "", str(house.project), log, pid=bystander.pid)
        async with house.manager() as manager:
            records.save(Record(**{**_fields(lost), "host": manager.host, "pid_started": "another time"}))
            await manager.take_up()
            assert bystander.poll() is None
            known = records.load("sena")
            assert known is not None
            assert (known.ended or "").startswith("lost")
            is_ours = identity_of(bystander.pid)
            assert is_ours is not None
            records.save(Record(**{**_fields(lost), "host": manager.host, "pid_started": is_ours.started}))
            await manager.take_up()
            assert bystander.wait(PATIENCE) < 0, "and one that is the very same is ended"
    finally:
        bystander.kill()
        bystander.communicate()


def _fields(record: Record) -> dict[str, object]:
    return {name: getattr(record, name) for name in Record.__dataclass_fields__}


async def test_what_is_kept_is_for_the_user_alone_and_what_cannot_be_read_is_nothing(house: House) -> None:
    async with house.manager() as manager:
        await manager.create_session("sena")
        file = kept_for(house.path) / "sessions" / "sena" / "record.json"
        if os.name == "posix":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        await manager.destroy_session("sena")
    records = Records(house.path)
    assert [record.name for record in records.all()] == ["sena"]
    for broken in (b"", b"{", b"[]", b'{"name": "lubit"}', json.dumps({"name": "sena", "run": 1}).encode()):
        file.write_bytes(broken)
        assert records.load("sena") is None
    assert records.load("../sena") is None


# With real programs


@pytest.fixture
def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A project whose agents are real programs: `lines` stays and answers, `screen` is in a terminal."""
    house = House(tmp_path, monkeypatch)
    house.define("lines", python(LINES), exchange="lines")
    program = Path(__file__).with_name("drivers") / "screen_program.py"
    screen = {name: list(value) if isinstance(value, tuple) else value for name, value in SCREEN.items()}
    screen["multiline"] = screen.pop("is_multiline")
    house.define("screen", [sys.executable, str(program), str(tmp_path / "STATE")], **screen | {"driver": "terminal"})
    return house


async def killed(house: House, *names: str) -> dict[str, int]:
    """Have a monitor start these, and kill it; gives their processes."""
    host = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOST, str(house.path), *names), stdout=asyncio.subprocess.PIPE
    )
    assert host.stdout is not None
    pids = {}
    async with asyncio.timeout(PATIENCE):
        while (line := (await host.stdout.readline()).decode().strip()) != "ready":
            assert line, "it ended"
            name, pid = line.split()
            pids[name] = int(pid)
        host.send_signal(signal.SIGKILL)
        await host.wait()
    return pids


@pytest.mark.skipif(sys.platform == "win32", reason="there nothing is killed like that")
async def test_a_program_at_our_pipes_ends_with_a_monitor_that_is_killed_and_is_told_as_lost(real: House) -> None:
    """S07."""
    pids = await killed(real, "lines")
    assert real.observed("lines") is Observed.IDLE, "nobody could tell"
    async with real.manager() as manager:
        await manager.take_up()
        assert real.observed("lines") is Observed.LOST
        await eventually(lambda: not is_running(pids["lines"]))
        session = await manager.create_session("lines")
        assert (await session.send_prompt_and_wait("again", PATIENCE)).text == "reply to again"


def kill_server(socket: str) -> None:
    subprocess.run(["tmux", "-S", socket, "kill-server"], check=True, timeout=PATIENCE)


@needs_tmux
async def test_a_program_in_tmux_outlives_a_monitor_that_is_killed_and_its_server_is_missed(real: House) -> None:
    """S05 and S07."""
    pids = await killed(real, "screen")
    assert is_running(pids["screen"])
    try:
        async with real.manager() as manager:
            await manager.take_up()
            session = manager.sessions["screen"]
            assert session.run == real.session("screen").run
            assert session.record.pid == pids["screen"]
            reply = await session.send_prompt_and_wait("echo hello", PATIENCE)
            assert (reply.status, "hello" in reply.text) == (ReplyStatus.DONE, True)
            assert session.record.handle is not None
            kill_server(session.record.handle["socket"])
            async with asyncio.timeout(PATIENCE):
                assert (await session.ended()).startswith("lost")
            assert real.observed("screen") is Observed.LOST
            await eventually(lambda: not is_running(pids["screen"]))
    finally:
        with suppress(ProcessLookupError):
            os.kill(pids["screen"], signal.SIGKILL)


@needs_tmux
@pytest.mark.parametrize("far", ["told", "terminal", "program"])
async def test_of_a_monitor_that_is_killed_while_it_starts_a_program_nothing_runs_on_unknown(
    real: House, tmp_path: Path, far: str
) -> None:
    records = Records(real.path)

    def has_terminal() -> bool:
        record = records.load("screen")
        return record is not None and record.handle is not None and Path(record.handle["socket"]).exists()

    is_so_far = {
        "told": lambda: real.lines("session_start"),
        "terminal": has_terminal,
        "program": lambda: running_with(tmp_path / "STATE"),
    }
    host = await asyncio.create_subprocess_exec(sys.executable, "-c", HOST, str(real.path), "screen")
    try:
        await eventually(is_so_far[far])
    finally:
        host.kill()
        await host.wait()
    async with real.manager() as manager:
        await manager.take_up()
        found = real.session("screen")
        assert found.observed.is_running == ("screen" in manager.sessions)
        if "screen" in manager.sessions:
            assert manager.sessions["screen"].run == found.run
            await manager.destroy_session("screen")
    assert not running_with(tmp_path / "STATE")


def running_with(word: Path) -> list[str]:
    """The commands of processes that have this word."""
    told = subprocess.run(
        ["ps", "-ewwo", "args="], capture_output=True, text=True, encoding="utf-8", check=True, timeout=PATIENCE
    ).stdout
    return [line for line in told.splitlines() if str(word) in line]


async def test_what_takes_too_long_ends_with_all_that_it_started_and_the_session_stays(
    real: House, tmp_path: Path
) -> None:
    """O01."""
    noted = tmp_path / "pids"
    hang = "import time; time.sleep(1000)"
    child = f"import os, subprocess, sys; child = subprocess.Popen([sys.executable, '-c', {hang!r}]);"
    real.define("hang", python(f"{child} open({str(noted)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}.'); {hang}"))
    async with real.manager() as manager:
        session = await manager.create_session("hang")
        waiting = asyncio.create_task(session.send_prompt_and_wait("for ever", PATIENCE))
        await eventually(lambda: noted.exists() and noted.read_text(encoding="utf-8").endswith("."))
        pids = [int(pid) for pid in noted.read_text(encoding="utf-8").strip(".").split()]
        assert all(map(is_running, pids))
        waiting.cancel()
        await asyncio.wait({waiting})
        await eventually(lambda: not any(map(is_running, pids)), lambda: pids)
        await session.idle()
        assert real.session("hang").observed.is_running


async def test_a_hundred_prompts_in_a_row_have_a_hundred_right_replies(real: House) -> None:
    async with real.manager() as manager:
        session = await manager.create_session("lines")
        for number in range(100):
            reply = await session.send_prompt_and_wait(f"prompt {number}", PATIENCE)
            assert (reply.status, reply.text) == (ReplyStatus.DONE, f"reply to prompt {number}")
        assert real.session("lines").observed.is_running
    assert len(real.lines("session_observed")) < 400


async def test_where_its_terminal_is_to_be_is_kept_before_it_is_begun(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: list[object] = []

    async def start(agent: Agent) -> None:
        record = Records(house.path).load("sena")
        known.append((record.handle, record.run == agent.launch.run) if record is not None else None)

    monkeypatch.setattr(Agent, "is_lasting", True)
    monkeypatch.setattr(Agent, "start", start)
    async with house.manager() as manager:
        session = await manager.create_session("sena")
        assert known == [({"pane": session.run}, True)]
