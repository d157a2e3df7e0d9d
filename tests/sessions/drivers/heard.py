"""Whoever listens to a driver in a test: notes what it hears, and answers what is asked as the test says."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from collab_tui.model.sessions import Observed
from collab_tui.processes.programs import allowed_environment
from collab_tui.sessions.definitions import Definition, DriverKind
from collab_tui.sessions.driver import Driver, Launch, Question, QuestionAnswer, Reply
from tests.program import PATIENCE
from tests.sessions.drivers.speaking import GO_ON

TDriver = TypeVar("TDriver", bound=Driver)
GRACE = 5.0
_HERE = Path(__file__).parent
_OF_LAUNCH = ("resume_id", "handle", "tool_input", "writable")
WITHOUT_HALF = "half of \ufffd"
"""What is read of a text that its program cut between the two halves of a character."""


class Heard:
    """A listener."""

    def __init__(self) -> None:
        self.states: list[Observed] = []
        self.whys: list[str | None] = []
        self.text = ""
        self.resume_ids: list[str] = []
        self.declarations: list[dict[str, Any]] = []
        self.questions: list[Question] = []
        self.answers: list[QuestionAnswer | None] = []
        """For the questions in order; where there is none the question waits until it is withdrawn."""
        self.is_broken = False
        """It cannot put a question to anybody."""
        self.asked = asyncio.Event()
        self.withdrawn = 0
        self.submissions = 0

    def submitted(self) -> None:
        self.submissions += 1

    def observed(self, state: Observed, why: str | None = None) -> None:
        self.states.append(state)
        self.whys.append(why)

    def said(self, text: str) -> None:
        self.text += text

    def resumable(self, resume_id: str) -> None:
        self.resume_ids.append(resume_id)

    def declared(self, fields: Mapping[str, Any]) -> None:
        self.declarations.append(dict(fields))

    async def ask(self, question: Question) -> QuestionAnswer | None:
        self.questions.append(question)
        if self.is_broken:
            raise OSError("no space left on device")
        self.asked.set()
        if self.answers:
            return self.answers.pop(0)
        try:
            return await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            self.withdrawn += 1
            raise


def launch(
    folder: Path, kind: DriverKind, program: str, *flags: str, is_read_only: bool = False, **more: Any
) -> Launch:
    """A stand-in that lies beside this file, started in a folder of its own. `more` is of the launch or definition."""
    of_launch = {name: more.pop(name) for name in _OF_LAUNCH if name in more}
    command = (sys.executable, "-S", str(_HERE / program), *flags)
    work, private = folder / "work", folder / "private"
    for path in (work, private):
        path.mkdir(mode=0o700, exist_ok=True)
    return Launch(
        "sena",
        "0123456789abcdef",
        Definition("stand-in", kind, command, **more),
        work,
        {**allowed_environment(os.environ), "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(folder)},
        private,
        folder / "output.log",
        is_read_only=is_read_only,
        **of_launch,
    )


@asynccontextmanager
async def conversation(
    driver: Callable[[Launch, Heard], TDriver], kind: DriverKind, folder: Path, *flags: str, **more: Any
) -> AsyncGenerator[tuple[TDriver, Heard], None]:
    """A stand-in that was started, and is stopped in the end; see `launch`."""
    heard = Heard()
    started = driver(launch(folder, kind, f"{kind}_program.py", *flags, **more), heard)
    await started.start()
    try:
        yield started, heard
    finally:
        await started.stop(GRACE)


async def within_reason(awaited: Awaitable[Reply]) -> Reply:
    """The reply, which has to come."""
    async with asyncio.timeout(PATIENCE):
        return await awaited


async def until(holds: Callable[[], object]) -> None:
    """Wait until it holds, while the loop goes on."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110  # the driver tells nobody but the listener
            await asyncio.sleep(0.01)


def go_on(folder: Path) -> None:
    """The program that a test started in that folder does what it does next."""
    (folder / "work" / GO_ON).touch()
