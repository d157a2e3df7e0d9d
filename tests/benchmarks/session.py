"""What our side of a session adds to a prompt and its reply, with the driver of Claude Code as the example."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import orjson

from collab_tui.model.sessions import Observed
from collab_tui.processes.child import Child
from collab_tui.sessions.definitions import Definition, DriverKind
from collab_tui.sessions.driver import Launch, Question, QuestionAnswer, ReplyStatus
from collab_tui.sessions.drivers.claude import ClaudeDriver
from tests.benchmarks.pairs import percentile, seconds
from tests.benchmarks.programs import surroundings
from tests.benchmarks.report import CannotRunError, Goal, Row

_PROGRAM = Path(__file__).parents[1] / "sessions" / "drivers" / "claude_program.py"
_COMMAND = (sys.executable, "-I", "-S", str(_PROGRAM))
_TRIPS = 200
_WARM_UP = 5
_STARTS = 20
_LIMIT = 20.0
"""Milliseconds."""


class _Nobody:
    """A listener that does nothing with what it hears."""

    def observed(self, state: Observed, why: str | None = None) -> None:
        pass

    def said(self, text: str) -> None:
        pass

    def submitted(self) -> None:
        pass

    def resumable(self, resume_id: str) -> None:
        pass

    def declared(self, fields: Mapping[str, Any]) -> None:
        pass

    async def ask(self, question: Question) -> QuestionAnswer | None:
        return None


def run(work: Path, *, large: bool) -> Iterator[Row]:
    """The same program with the same prompts, ours and bare in turn."""
    if sys.platform == "win32":
        raise CannotRunError("the program that is measured knows the pipes of Unix only")
    folder = work / "session"
    folder.mkdir()
    environment = surroundings(folder / "home")
    pairs = asyncio.run(_trips(folder, environment))
    for name, share in (("p50", 0.50), ("p99", 0.99)):
        mine, bare = (percentile(found, share) * 1e3 for found in zip(*pairs, strict=True))
        yield Row(
            f"prompt to reply, {name}",
            f"{mine:.2f} ms",
            f"{bare:.2f} ms",
            mine - bare,
            "ms more",
            Goal(_LIMIT),
            f"the driver, with log and states, vs bare pipes, of one scripted program; {_TRIPS} each",
        )
    starts = asyncio.run(_starts(folder, environment))
    mine, bare = (percentile(found, 0.5) * 1e3 for found in zip(*starts, strict=True))
    note = f"until it runs and its first line is there: a child with a supervisor vs without; {_STARTS} each"
    yield Row("start of a child, p50", f"{mine:.1f} ms", f"{bare:.1f} ms", mine - bare, "ms more", None, note)


async def _trips(folder: Path, environment: Mapping[str, str]) -> list[tuple[float, float]]:
    definition = Definition("stand-in", DriverKind.CLAUDE, _COMMAND)
    launch = Launch("sena", "0" * 16, definition, folder, environment, folder, folder / "output.log")
    driver, bare = ClaudeDriver(launch, _Nobody()), _started(_COMMAND, environment)
    await driver.start()
    try:
        pairs = []
        for number in range(_TRIPS + _WARM_UP):
            began = time.perf_counter()
            reply = await driver.prompt(f"echo {number}")
            mine = time.perf_counter() - began
            if (reply.status, reply.text) != (ReplyStatus.DONE, f"you said {number}"):
                raise RuntimeError(f"a wrong reply: {reply}")
            pairs.append((mine, seconds(lambda number=number: _bare_trip(bare, f"echo {number}"))))
    finally:
        await driver.stop(5.0)
        _end(bare)
    return pairs[_WARM_UP:]


def _started(command: tuple[str, ...], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def _bare_trip(process: subprocess.Popen[bytes], text: str) -> None:
    """The least that is to be done: a line is written, and lines are read until one says that it is idle."""
    to_it, from_it = _pipes(process)
    said = {"type": "user", "message": {"role": "user", "content": text}, "uuid": os.urandom(8).hex()}
    to_it.write(orjson.dumps(said) + b"\n")
    to_it.flush()
    while orjson.loads(from_it.readline()).get("state") != "idle":
        pass


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


async def _starts(folder: Path, environment: Mapping[str, str]) -> list[tuple[float, float]]:
    command = (sys.executable, "-I", "-S", "-c", "print('ready', flush=True); input()")
    pairs = []
    for _ in range(_STARTS):
        began = time.perf_counter()
        child = await Child.start(command, environment=environment, folder=folder)
        await child.read_line(100)
        mine = time.perf_counter() - began
        await child.end(5.0)
        began = time.perf_counter()
        bare = _started(command, environment)
        _pipes(bare)[1].readline()
        pairs.append((mine, time.perf_counter() - began))
        _end(bare)
    return pairs
