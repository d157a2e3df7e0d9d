"""Whatever becomes of tmux, or of whoever starts something in it: no program that runs is given up or forgotten."""

# ruff: noqa: ASYNC240  # a test may wait for a file

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collab_tui.model.sessions import Observed
from collab_tui.processes.identity import Identity, is_alive
from collab_tui.sessions.driver import Delivery, DriverError, LostError, ReplyStatus
from collab_tui.sessions.drivers import tmux, tmux_server
from collab_tui.sessions.drivers.terminal import TerminalDriver
from collab_tui.sessions.drivers.tmux import TmuxPane
from collab_tui.sessions.drivers.tmux_server import Server
from tests.program import PATIENCE
from tests.sessions.drivers.heard import Heard
from tests.sessions.drivers.terminals import (
    asked,
    command_launch,
    needs_tmux,
    running,
    screen_launch,
    shown,
    until,
    until_shown,
)

pytestmark = needs_tmux

_DEAF = ("sh", "-c", "trap '' TERM HUP; printf '$ '; while :; do read -r line || sleep 0.1; done")


def program_of(handle: Mapping[str, Any] | None) -> Identity:
    assert handle is not None
    return Identity(handle["pid"], handle["started"])


@contextmanager
def standing_still(pid: int) -> Iterator[None]:
    """That process does nothing meanwhile."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("how", ["socket", "folder"])
async def test_a_socket_that_was_removed_is_made_anew(how: str, tmp_path: Path) -> None:
    async with running(screen_launch(tmp_path), TmuxPane) as (driver, heard):
        assert driver.handle is not None
        socket = Path(driver.handle["socket"])
        socket.unlink() if how == "socket" else shutil.rmtree(socket.parent)
        assert (await driver.prompt("echo still here")).text == "● still here"
        assert heard.states[-1] is Observed.IDLE


async def test_a_terminal_that_does_not_answer_for_a_while_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tmux_server, "_PATIENCE", 0.3)
    async with running(screen_launch(tmp_path), TmuxPane) as (driver, heard):
        assert driver.handle is not None
        with standing_still(driver.handle["server"]):
            await until(lambda: heard.whys[-1] == "it cannot be seen: its terminal does not answer within 0.3 s")
            reply = await driver.prompt("echo hello")
            assert (reply.status, reply.delivery) == (ReplyStatus.NOT_SUBMITTED, Delivery.NOT_SUBMITTED)
            assert heard.states[-1] is Observed.IDLE
        monkeypatch.undo()
        await until(lambda: heard.whys[-1] is None)
        assert (await driver.prompt("echo now")).text == "● now"
    assert asked(tmp_path) == ["echo now"]


async def test_stopping_needs_no_answer_of_tmux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tmux, "_AFTER_FORCE", 0.3)
    monkeypatch.setattr(tmux_server, "_UNTIL_FORCE", 0.1)
    async with running(command_launch(tmp_path, ("sh", "-i")), TmuxPane) as (driver, _):
        handle = dict(driver.handle or {})
        os.kill(handle["server"], signal.SIGSTOP)
        async with asyncio.timeout(PATIENCE):
            assert await driver.stop(0.1) == "lost: its terminal does not tell how it ended"
        assert not is_alive(program_of(handle))
        assert not is_alive(Identity(handle["server"], handle["server_started"]))


@pytest.mark.parametrize("is_taken_up", [False, True])
async def test_what_outlives_its_terminal_is_ended_before_it_is_told_as_lost(
    is_taken_up: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tmux, "GRACE", 0.1)
    monkeypatch.setattr("collab_tui.sessions.drivers.watching.GRACE", 0.1)
    started = command_launch(tmp_path, _DEAF)
    async with running(started, TmuxPane) as (driver, _):
        handle = driver.handle
        program = program_of(handle)
        assert handle is not None
        if is_taken_up:
            await driver.leave()
        os.kill(handle["server"], signal.SIGKILL)
        if is_taken_up:
            with pytest.raises(LostError, match="its terminal is gone"):
                await TerminalDriver(replace(started, handle=handle), Heard(), TmuxPane).start()
        else:
            async with asyncio.timeout(PATIENCE):
                assert (await driver.wait()).startswith("lost: its terminal is gone")
        assert not is_alive(program)


async def test_a_turn_goes_on_when_its_monitor_lets_go_of_it(tmp_path: Path) -> None:
    started = screen_launch(tmp_path)
    async with running(started, TmuxPane) as (driver, _):
        turn = asyncio.create_task(driver.prompt("block"))
        await until_shown(driver._pane, "esc to interrupt")
        await driver.leave()
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn
        await driver.interrupt()
        assert driver._giving_up is None
        async with running(replace(started, handle=driver.handle), TmuxPane) as (again, heard):
            assert heard.states[-1] is Observed.WORKING
            assert "interrupted by you" not in await shown(again._pane)


async def test_a_prompt_that_is_being_typed_is_sent_before_its_monitor_lets_go(tmp_path: Path) -> None:
    started = screen_launch(tmp_path)
    async with running(started, TmuxPane) as (driver, _):
        turn = asyncio.create_task(driver.prompt("block"))
        await until(driver._delivering.locked)
        await driver.leave()
        turn.cancel()
        await asyncio.wait({turn})
        await until(lambda: asked(tmp_path) == ["block"])


async def test_a_start_that_is_given_up_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    is_begun, start = asyncio.Event(), Server.start

    async def begin(*given: Any, **more: Any) -> str:
        told = await start(*given, **more)
        is_begun.set()
        await asyncio.sleep(0)  # now it runs, and nobody knows yet as what
        return told

    monkeypatch.setattr(Server, "start", begin)
    driver = TerminalDriver(command_launch(tmp_path, ("sh", "-i")), Heard(), TmuxPane)
    starting = asyncio.create_task(driver.start())
    await is_begun.wait()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not is_alive(program_of(driver.handle))
    assert driver.handle is not None
    assert not Path(driver.handle["socket"]).exists()


async def test_a_start_that_nobody_saw_to_its_end_is_found_by_what_was_known_before(tmp_path: Path) -> None:
    started = screen_launch(tmp_path)
    before = TerminalDriver(started, Heard(), TmuxPane).handle
    assert before is not None
    assert set(before) == {"socket", "name", "run"}
    with pytest.raises(LostError):
        await TerminalDriver(replace(started, handle=before), Heard(), TmuxPane).start()
    async with running(started, TmuxPane) as (driver, _):
        await driver.leave()
        async with running(replace(started, handle=before), TmuxPane) as (again, _):
            assert (again.pid, again.handle) == (driver.pid, driver.handle)
            assert (await again.prompt("echo found")).text == "● found"
        other = replace(started, run="f" * 16, handle=dict(before, run="f" * 16))
        with pytest.raises(LostError):
            await TerminalDriver(other, Heard(), TmuxPane).start()


async def test_a_session_of_that_name_that_was_left_behind_is_ended_before_another_takes_its_place(
    tmp_path: Path,
) -> None:
    first = screen_launch(tmp_path)
    async with running(first, TmuxPane) as (driver, _):
        await driver.leave()
        async with running(replace(first, run="f" * 16), TmuxPane) as (again, _):
            assert not is_alive(program_of(driver.handle))
            assert (await again.prompt("echo alone")).text == "● alone"


async def test_what_lies_where_its_socket_is_to_be_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = screen_launch(tmp_path)
    socket = started.private / "tmux"
    monkeypatch.setattr(tmux, "_socket", lambda _: socket)
    socket.mkdir()
    with pytest.raises(DriverError, match=f"cannot remove {socket}"):
        await TerminalDriver(started, Heard(), TmuxPane).start()
    assert socket.is_dir()
