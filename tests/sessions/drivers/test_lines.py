"""Programs that take prompts as lines of JSON: what they write that is hard to read."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from collab_tui.sessions.definitions import DriverKind, Exchange
from collab_tui.sessions.driver import Reply, ReplyStatus
from collab_tui.sessions.drivers.lines import LinesDriver
from tests.sessions.drivers.heard import WITHOUT_HALF, Heard, launch, within_reason

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups of Unix")


async def replies(folder: Path, *prompts: str) -> list[Reply]:
    started = launch(folder, DriverKind.COMMAND, "command_program.py", "--lines", exchange=Exchange.LINES)
    driver = LinesDriver(started, Heard())
    await driver.start()
    try:
        return [await within_reason(driver.prompt(prompt)) for prompt in prompts]
    finally:
        await driver.stop(5.0)


@pytest.mark.parametrize(("prompt", "text"), [("half", WITHOUT_HALF), ("steers", "␛[2Jclear")])
async def test_a_reply_has_no_half_characters_and_nothing_that_steers_a_terminal(
    tmp_path: Path, prompt: str, text: str
) -> None:
    (reply,) = await replies(tmp_path, prompt)
    assert (reply.text, reply.status) == (text, ReplyStatus.DONE)


async def test_a_reply_that_is_too_long_to_be_read_ends_its_turn(tmp_path: Path) -> None:
    long, after = await replies(tmp_path, "huge", "echo on")
    assert long.status is ReplyStatus.FAILED
    assert long.reason.endswith("which is too long to be read")
    assert after.text == "you said on"
