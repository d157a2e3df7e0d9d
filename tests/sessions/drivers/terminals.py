"""Programs in terminals for tests: one with a screen of its own, and others by their command."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collab_tui.sessions.definitions import DriverKind
from collab_tui.sessions.driver import Launch
from collab_tui.sessions.drivers.pane import Pane
from collab_tui.sessions.drivers.terminal import TerminalDriver
from tests.program import PATIENCE
from tests.sessions.drivers.heard import Heard, launch

SCREEN: Mapping[str, Any] = {
    "ready": (r"^\s*❯",),
    "busy": ("esc to interrupt",),
    "dialog": (r"^\s*❯ \d+\. ",),
    "is_multiline": True,
    "quiet": 0.3,
    "start_limit": 30.0,
}
"""What a definition says of the program with a screen."""

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


def screen_launch(folder: Path, *flags: str, name: str = "sena", **more: Any) -> Launch:
    """The program with a screen; `STATE` in its folder gets what it was asked."""
    made = launch(folder, DriverKind.TERMINAL, "screen_program.py", str(folder / "STATE"), *flags, **{**SCREEN, **more})
    return replace(made, name=name, run=os.urandom(8).hex())


def command_launch(folder: Path, command: Sequence[str], **more: Any) -> Launch:
    """Any program, known by nothing but its command."""
    made = launch(folder, DriverKind.TERMINAL, "", **{"quiet": 0.3, "start_limit": 30.0, **more})
    return replace(made, run=os.urandom(8).hex(), definition=replace(made.definition, command=tuple(command)))


@asynccontextmanager
async def running(
    started: Launch, pane: Callable[[Launch], Pane]
) -> AsyncGenerator[tuple[TerminalDriver, Heard], None]:
    """A driver whose program takes prompts; ended afterwards whatever happens."""
    heard = Heard()
    driver = TerminalDriver(started, heard, pane)
    try:
        await driver.start()
        yield driver, heard
    finally:
        await driver.stop(1.0)


def asked(folder: Path) -> list[str]:
    """What the program with a screen was asked."""
    state = folder / "STATE"
    return [json.loads(line) for line in state.read_text("utf-8").splitlines()] if state.exists() else []


async def until(holds: Callable[[], object]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110  # nobody tells when
            await asyncio.sleep(0.01)


async def shown(pane: Pane) -> str:
    """The screen."""
    return "\n".join((await pane.look()).picture.lines)


async def until_shown(pane: Pane, text: str) -> None:
    """Wait until the text is on the screen."""
    async with asyncio.timeout(PATIENCE):
        while text not in await shown(pane):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
