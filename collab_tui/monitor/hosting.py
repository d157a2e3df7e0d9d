"""Sessions, workers and runs in a monitor that acts: made when there is something for them, and ended with it.

A monitor that only has rules pays nothing for them. There is something when a command came for this machine, when a
rule prompts a session, when sessions, workers or runs of before are left, and when the settings name a stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from collab_tui.config import Config
from collab_tui.orchestrator.hosted import HostedRuns
from collab_tui.reactions.actions.prompt import SUBMITTED
from collab_tui.reactions.happening import Notice
from collab_tui.registry.kept import kept_for, monitor_of

if TYPE_CHECKING:
    from collab_tui.orchestrator.hosting import RunService
    from collab_tui.sessions.manager import SessionManager
    from collab_tui.workers.service import WorkerService

_LEFT: Final = ("sessions", "workers")
"""Where it is kept what there is of each."""
_VERIFYING: Final = 10.0
"""Seconds within which a terminal shows that it did not take a prompt."""


class Hosting:
    """The sessions, workers and runs of one registry, once they are wanted."""

    def __init__(self, registry: Path, config: Config, notice: Notice, environment: Mapping[str, str]) -> None:
        """Programs get what is allowed of `environment`."""
        self._registry = registry
        self._folder = kept_for(registry)
        self._config = config
        self._notice = notice
        self._environment = environment
        self._starting: asyncio.Task[None] | None = None
        self._manager: SessionManager | None = None
        self._workers: WorkerService | None = None
        self._runs: RunService | None = None
        self._has_looked = False
        self._has_failed = False

    def want(self, *, now: bool = False) -> None:
        """Make them, if there is something for them, or `now` in any case; returns at once."""
        if self._starting is not None or (self._has_failed and not now):
            return
        if now or self._config.streams or self._is_something_left():
            self._starting = asyncio.create_task(self._start())
            self._starting.add_done_callback(self._note_failure)

    async def use(self, config: Config) -> None:
        """Go on by other settings."""
        self._config = config
        if self._manager is not None:
            await self._manager.use(config)
        if self._workers is not None:
            await self._workers.use(config)
        if self._runs is not None:
            await self._runs.use(config)

    async def prompt(self, name: str, text: str) -> str:
        """See `reactions.actions.prompt.Prompt`. Cancelled, a prompt that waits for its turn is taken back."""
        from collab_tui.sessions.definitions import DriverKind
        from collab_tui.sessions.driver import Delivery, DriverError
        from collab_tui.sessions.manager import SessionError

        self.want(now=True)
        if self._starting is not None:
            await asyncio.wait({self._starting})
        if self._manager is None:
            return "not submitted: the monitor could not make its sessions"
        try:
            session = await self._manager.found(name)
            prompt = session.send_prompt(text)
        except (SessionError, DriverError) as error:
            return f"not submitted: {error}"
        try:
            if await prompt.given() and session.definition.driver is DriverKind.TERMINAL:
                await asyncio.wait({prompt.reply}, timeout=_VERIFYING)
        finally:
            session.take_back(prompt)
        if not prompt.reply.done() or prompt.reply.result().delivery is not Delivery.NOT_SUBMITTED:
            return SUBMITTED
        return f"not submitted: {prompt.reply.result().reason}"

    async def end(self) -> None:
        """Let go of what runs on, and end the rest: the sessions last, for the others work in them."""
        starting, self._starting = self._starting, None
        if starting is not None:
            starting.cancel()
            await asyncio.wait({starting})
        workers, self._workers = self._workers, None
        runs, self._runs = self._runs, None
        manager, self._manager = self._manager, None
        async with AsyncExitStack() as ending:
            if manager is not None:
                ending.push_async_exit(manager)
            if workers is not None:
                ending.push_async_callback(workers.end)
            if runs is not None:
                ending.push_async_callback(runs.end)

    def _is_something_left(self) -> bool:
        """Sessions of before are to be taken up or told as lost, or workers or runs are to go on. Looked for once."""
        if self._has_looked:
            return False
        self._has_looked = True
        sessions, workers = (self._folder / name for name in _LEFT)
        if any(workers.glob("*.json")) or HostedRuns(self._registry).all():
            return True
        if not sessions.is_dir():
            return False
        from collab_tui.sessions.records import Records

        return any(record.ended is None for record in Records(self._registry).all())

    async def _start(self) -> None:
        from collab_tui.orchestrator.hosting import RunService
        from collab_tui.sessions.manager import SessionManager
        from collab_tui.workers.service import WorkerService

        if self._manager is None:
            config = self._config
            manager = SessionManager(
                self._registry,
                config,
                monitor_id=monitor_of(self._folder),
                notice=self._notice,
                environment=self._environment,
                has_turn=True,
            )
            try:
                await manager.__aenter__()
                await manager.take_up()
            except BaseException:
                await manager.__aexit__(None, None, None)
                raise
            manager.start_listening()
            self._manager = manager
            if self._config is not config:  # it changed meanwhile
                await manager.use(self._config)
        if self._workers is None:
            workers = WorkerService(self._registry, self._notice, self._environment)
            await workers.start(self._manager, self._config)
            self._workers = workers
        if self._runs is None:
            runs = RunService(self._registry, self._notice, self._environment)
            await runs.start(self._manager, self._config)
            self._runs = runs

    def _note_failure(self, starting: asyncio.Task[None]) -> None:
        """Rules go on without them; the next command tries again."""
        if starting.cancelled() or (error := starting.exception()) is None:
            return
        self._notice(f"sessions, workers and runs could not all be started: {str(error) or type(error).__name__}")
        self._starting, self._has_failed = None, True
