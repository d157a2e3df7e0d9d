"""What all drivers over pipes have in common, with one whose turns do not end."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from collab_tui.sessions.definitions import DriverKind
from collab_tui.sessions.driver import Reply, ReplyStatus
from collab_tui.sessions.drivers import turns
from collab_tui.sessions.drivers.json_lines import GoneError, JsonLines
from collab_tui.sessions.drivers.turns import TurnDriver
from tests.program import PATIENCE
from tests.sessions.drivers.heard import Heard, launch, until, within_reason

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups of Unix")


class Endless(TurnDriver):
    """Its turns wait for what never comes; in one of the prompts something is told that it cannot deal with."""

    reading: asyncio.Task[None] | None = None
    ended: asyncio.Future[None]

    def _arguments(self) -> Sequence[str]:
        return self._launch.definition.command

    async def _begin(self, lines: JsonLines) -> None:
        self.lines, self.ended = lines, asyncio.get_running_loop().create_future()
        self.reading = asyncio.create_task(lines.hand_on(self._told, self._closed))

    def _told(self, message: Mapping[str, Any]) -> None:
        if message["reply"] == "you said something bad":
            raise KeyError("no such thing")

    def _closed(self) -> None:
        self.ended.set_exception(GoneError("it is gone"))
        self.ended.exception()  # of one that is deaf it is nobody's

    async def _carry_out(self, text: str) -> Reply:
        await self.lines.send({"id": "1", "prompt": text})
        await (asyncio.Event().wait() if text == "deaf" else self.ended)
        raise AssertionError("it does not end")

    async def _interrupt(self) -> None:
        return

    async def _close(self) -> None:
        if self.reading is not None:
            await self.reading


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Endless:
    monkeypatch.setattr(turns, "GRACE", 0.1)
    return Endless(launch(tmp_path, DriverKind.COMMAND, "command_program.py", "--lines"), Heard())


async def test_a_stop_ends_also_a_turn_that_does_not_end_with_its_program(driver: Endless) -> None:
    await driver.start()
    turn = asyncio.create_task(driver.prompt("deaf"))
    await until(lambda: driver._is_working)
    async with asyncio.timeout(PATIENCE):
        assert await driver.stop(5.0) == "signal 15"
    reply = await within_reason(turn)
    assert (reply.status, reply.reason) == (ReplyStatus.LOST, "it was stopped")


async def test_what_cannot_be_dealt_with_ends_the_turn_with_the_reason(driver: Endless) -> None:
    await driver.start()
    reply = await within_reason(driver.prompt("echo something bad"))
    assert reply.status is ReplyStatus.LOST
    assert reply.reason.endswith("[what it wrote cannot be dealt with: KeyError: 'no such thing']")
    assert (await driver.prompt("echo on")).status is ReplyStatus.NOT_SUBMITTED
    await driver.stop(5.0)
