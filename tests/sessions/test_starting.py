"""What keeps a session from being started: nothing is begun then, and nothing of another manager is touched."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace

import pytest

from collab_tui.model.sessions import Observed
from collab_tui.processes.identity import identity_of
from collab_tui.protocol import following
from collab_tui.sessions.manager import SessionError, SessionManager
from collab_tui.sessions.prompts import PromptRefusedError
from collab_tui.sessions.records import Records
from tests.program import PATIENCE
from tests.sessions.house import MONITOR_ID, Agent, House, eventually, python
from tests.sessions.test_restart import waiting


async def test_a_prompt_that_is_none_is_refused_before_anything_is_started(house: House) -> None:
    async with house.manager() as manager:
        with pytest.raises(PromptRefusedError):
            await manager.create_session("sena", prompt="  ")
        assert not manager.sessions
    assert not house.lines("session_start")


async def test_without_a_registry_nothing_is_started_and_nothing_said_of_it_later(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collab_tui.sessions.session._TO_TELL_START", 0.05)
    async with house.manager() as manager:
        monkeypatch.setattr(manager._starting, "check_absent", _nothing)
        away = house.path.rename(house.path.with_name("away"))
        with pytest.raises(SessionError, match="gone"):
            await manager.create_session("sena")
        away.rename(house.path)
        record = Records(house.path).load("sena")
        assert record is not None
        assert record.ended is not None
        assert (await manager.create_session("sena")).observed is Observed.IDLE
    assert len(house.lines("session_start")) == 1


async def _nothing(name: str, *, is_callers: bool) -> None:
    """Somebody removes the registry right after this."""


async def test_of_two_managers_of_one_registry_the_second_is_refused(house: House) -> None:
    """S10."""
    Agent.is_lasting = True
    async with house.manager() as first:
        session = await first.create_session("sena")
        with pytest.raises(SessionError, match="collab-tui session"):
            async with house.manager():
                pass
        assert (await session.send_prompt_and_wait("still here?")).text == "reply to still here?"
    async with house.manager() as second:
        await second.take_up()
        assert list(second.sessions) == ["sena"]


async def test_a_name_that_runs_here_as_another_users_is_refused(house: House) -> None:
    async with house.manager() as manager:
        house.say("sena", "session_start", run="f" * 16, host=manager.host, monitor="another")
        with pytest.raises(SessionError, match=f"runs on {manager.host}"):
            await manager.create_session("sena")


@pytest.mark.skipif(sys.platform == "win32", reason="there nothing of ours outlives a monitor")
async def test_what_runs_and_could_not_be_taken_up_keeps_its_name_until_it_is_stopped(house: House) -> None:
    Agent.is_lasting = True
    async with house.manager() as manager:
        await manager.create_session("sena")
    records = Records(house.path)
    record = records.load("sena")
    process = waiting()
    try:
        identity = identity_of(process.pid)
        assert record is not None
        assert identity is not None
        records.save(replace(record, definition="unknown", pid=process.pid, pid_started=identity.started))
        async with house.manager() as manager:
            await manager.take_up()
            with pytest.raises(SessionError, match="stop it first"):
                await manager.create_session("sena")
            assert "could not be taken up" in await manager.destroy_session("sena")
            assert process.wait(PATIENCE) < 0
            assert house.observed("sena") is Observed.STOPPED
            await manager.create_session("sena")
    finally:
        process.kill()
        process.communicate()


async def test_all_sessions_look_at_one_board(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    folds = []

    class Counted(following.Fold):
        def __init__(self, *given: str) -> None:
            folds.append(self)
            super().__init__(*given)

    monkeypatch.setattr(following, "Fold", Counted)
    async with house.manager() as manager:
        sessions = [await manager.create_session("sena", name=f"sena-{number}") for number in range(3)]
        house.say("lubit", "message", target="sena-2", message="hello")
        await eventually(lambda: Agent.last["sena-2"].prompts)
        assert all([await session.idle() for session in sessions])
    assert len(folds) == 1


async def test_it_needs_nothing_but_the_registry_and_says_what_it_is(house: House) -> None:
    async with SessionManager(house.path) as manager:
        session = await manager.create_session("sena")
        assert session.record.monitor != MONITOR_ID
        assert repr(session) == "<LiveSession sena idle>"
        await manager.destroy_session("sena")
        assert repr(session) == "<LiveSession sena exit 0>"


def test_the_package_gives_it_and_loads_nothing_before() -> None:
    script = (
        "import sys, collab_tui.sessions as sessions; assert 'asyncio' not in sys.modules; sessions.SessionManager; "
        "from collab_tui.sessions import *; print(LiveSession, ReplyStatus.DONE)"
    )
    subprocess.run(python(script), check=True, timeout=PATIENCE)


async def test_what_is_left_of_a_session_that_is_over_is_its_record(house: House) -> None:
    async with house.manager() as manager:
        await manager.create_session("sena")
        private = Agent.last["sena"].launch.private
        for name in ("servers.json", "1.signals", "errors.log"):
            (private / name).touch()
        await manager.destroy_session("sena")
    assert sorted(file.name for file in private.iterdir()) == ["errors.log", "record.json"]


async def test_a_worker_that_fails_to_do_its_part_is_begun_anew(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collab_tui.sessions.tasks._AGAIN", 0.0)
    async with house.manager() as manager:
        session = await manager.create_session("sena")
        really, failed = session._handing._bring, asyncio.Event()

        async def fails_once() -> None:
            monkeypatch.setattr(session._handing, "_bring", really)
            failed.set()
            raise ZeroDivisionError("a bug of ours")

        monkeypatch.setattr(session._handing, "_bring", fails_once)
        house.say("lubit", "message", target="sena", message="hello")
        await failed.wait()
        await eventually(lambda: Agent.last["sena"].prompts)
    assert house.notices == ["sena: ZeroDivisionError: a bug of ours"]
