"""A registry whose monitor is played by the test, as host of runs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collab_tui.config import Config
from collab_tui.monitor.watching import own_carrier
from collab_tui.orchestrator.hosted import Hosted, HostedRuns
from collab_tui.orchestrator.hosting import RunService
from collab_tui.protocol.commands import Carrier, CommandType, send
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import append
from collab_tui.registry.jsonl import JsonlRegistry
from tests.orchestrator.noting import Noting, lines_of
from tests.program import PATIENCE, environment
from tests.signing import install_key, install_key_at

ROOT = Path(__file__).parent.parent.parent
RUN, OTHER = "0a1b2c3d", "ffffffff"


class Stage:
    """A registry whose monitor is played by this process, and other processes of the same user."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = environment(folder / "home")
        install_key_at(folder / "home")
        self.path = folder / "registry.jsonl"
        append(str(self.path), {"agent": "system", "event": "registry_created", "registry": "ab" * 16})
        self.trust = Trust("human", {}, install_key(folder / "keys"))
        self.used = UsedDecisions(folder / "used")
        self.notices: list[str] = []
        self.steps = Noting(folder / "steps")
        self.hosted = HostedRuns(self.path)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[RunService]:
        service = RunService(self.path, self.notices.append, self.env, trust=lambda _: self.trust, used=self.used)
        await service.start(None, Config())
        try:
            yield service
        finally:
            await service.end()

    @contextmanager
    def foreground(self, *how: str) -> Iterator[subprocess.Popen[str]]:
        """A process that has a run for itself."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.orchestrator.foreground", str(self.path), *how],
            cwd=ROOT,
            env=self.env,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def registry(self) -> JsonlRegistry:
        """As it is now."""
        registry = JsonlRegistry(self.path)
        registry.read_next()
        return registry

    def give(self, type_: CommandType, target: str, to: Carrier | None = None, **payload: str) -> str:
        return str(send(self.registry(), self.trust, type_, target, payload, to or own_carrier(self.path))["id"])

    def start(self, run: str = RUN, **about: Any) -> str:
        return self.give(CommandType.START_RUN, str(self.steps.path), **self.steps.payload(run=run, **about))

    def note(self, run: str = RUN, command: str = "c1") -> None:
        """As a monitor does before it begins a run."""
        at, digest = datetime.now(UTC).isoformat(), self.steps.payload()["digest"]
        self.hosted.keep(Hosted(run, command, "start_run", str(self.steps.path), at, digest))

    def states(self, command: str) -> list[str]:
        return [line["state"] for line in lines_of(self.path, "command_result") if line["command_id"] == command]

    def reason(self, command: str) -> str:
        told = (line for line in lines_of(self.path, "command_result") if line["command_id"] == command)
        return " ".join(line["reason"] for line in told if "reason" in line)

    def ended(self, run: str = RUN) -> list[str]:
        return [line["state"] for line in lines_of(self.path, "run_ended") if line["run"] == run]

    def carrier(self, run: str = RUN) -> Carrier:
        """To whom the commands to a run go."""
        *_, last = (line for line in lines_of(self.path, "run_started", "run_resumed") if line["run"] == run)
        return Carrier(last["carrier"], last["host"])

    async def until(self, holds: Callable[[], object]) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not holds():  # noqa: ASYNC110  # files, and lines of others
                    await asyncio.sleep(0.01)
        except TimeoutError:
            pytest.fail(f"{self.notices}\n{self.path.read_text(encoding='utf-8')}")
