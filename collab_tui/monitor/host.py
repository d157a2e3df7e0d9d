"""The host of what is done by itself for one registry: it looks, hands on, and ends in good order.

Rules are looked after at every look; sessions, workers and runs, which take their own time, by `hosting`.

Of several on one machine the first acts. The others watch, tell what it does, and one takes its place when it
ends, however it ends: it goes on from the cursor, and by what stands in the registry.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from collab_tui.config import Config, ConfigError
from collab_tui.monitor.acting import Acting
from collab_tui.monitor.hosting import Hosting
from collab_tui.monitor.settings import SettingsFiles, setup_of
from collab_tui.processes.stopping import stopped_by_signals
from collab_tui.reactions.happening import Notice, Tell
from collab_tui.reactions.looking import Look
from collab_tui.reactions.reactor import Reactor
from collab_tui.registry.append import NotWrittenError, UnusableError
from collab_tui.registry.base import State
from collab_tui.registry.follow import Watch
from collab_tui.registry.kept import kept_for
from collab_tui.registry.turn import Turn

_PATIENCE: Final = 2.0
"""Seconds for what is being written to be written when the monitor is to end."""
_NEXT_SETTINGS: Final = 0.5
"""Seconds between two looks at the settings while something cannot be written."""
_NEXT_TRY: Final = 1.0
"""Seconds between two tries to take the place of the one that acts."""


class Monitor:
    """One monitor of one registry."""

    def __init__(
        self,
        registry: Path,
        *,
        poll: float | None,
        tell: Tell,
        notice: Notice,
        began: Callable[[], None] = lambda: None,
        settings_changed: Callable[[Config], None] = lambda _: None,
        acts: Callable[[], None] = lambda: None,
        waits: bool = True,
        log: Path | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """`poll` is in seconds, as of `Watch`; `began` is called once, when what comes from then on is new.

        `acts` is called when this one acts and others find it by `who_acts`, which are told of `log`. Where another one
        acts, this one watches, or ends if it is not one that `waits`. Programs get what is allowed of `environment`.

        Raises `ConfigError`.
        """
        self._registry = registry
        self._files = SettingsFiles(registry)
        self.config: Config = self._files.read()
        self._watch = Watch(registry, poll if poll is not None else self.config.poll)
        self._folder = kept_for(registry)
        self._turn = Turn(self._folder)
        self._hosting = Hosting(registry, self.config, notice, environment)
        self._tell = tell
        self._notice = notice
        self._began: Callable[[], None] | None = began
        self._settings_changed = settings_changed
        self._acts = acts
        self._waits = waits
        self._log = log
        self._environment = environment
        self._noted: Acting | None = None
        self._cannot_note = False
        self._stop = asyncio.Event()
        self._state = State.READY

    @property
    def method(self) -> str:
        """How the registry is followed, in words."""
        return self._watch.method

    def stop(self) -> None:
        """End in good order: what runs is ended, and how far it came is kept."""
        self._stop.set()

    async def run(self) -> None:
        """Look and act until `stop`, SIGTERM or SIGINT."""
        with stopped_by_signals(self.stop):
            try:
                async with aclosing(self._watch.wakeups()) as wakeups:
                    await self._follow(wakeups)
            finally:
                if self._noted is not None:
                    self._noted.end(self._folder)
                self._turn.end()

    async def _follow(self, wakeups: AsyncGenerator[None, None]) -> None:
        acts = await asyncio.to_thread(self._turn.take)
        reactor = self._reactor(acts=acts)
        stopping = asyncio.ensure_future(self._stop.wait())
        wakeup = _next(wakeups)
        try:
            if not acts:
                if self._waits:
                    await self._look(reactor, stopping)
                whose = await asyncio.to_thread(self._turn.whose)
                if not self._waits:
                    self._notice(f"another monitor acts here: {whose}; this one ends")
                    return
                self._notice(f"another monitor acts here: {whose}; this one watches, and takes its place when it ends")
            while not self._stop.is_set():
                if not acts and (acts := await asyncio.to_thread(self._turn.take)):
                    self._notice("the other monitor ended: this one acts now")
                    await reactor.end()
                    reactor = self._reactor(acts=True)
                look = await self._look(reactor, stopping)
                if acts and look is not None:
                    await self._serve(look)
                ends: set[asyncio.Future[Any]] = {wakeup, stopping}
                await asyncio.wait(ends, timeout=None if acts else _NEXT_TRY, return_when=asyncio.FIRST_COMPLETED)
                if wakeup.done():
                    wakeup.result()
                    wakeup = _next(wakeups)
        finally:
            await _cancelled(stopping)
            await _cancelled(wakeup)
            try:
                await reactor.end()
            finally:
                await self._hosting.end()

    async def _serve(self, look: Look) -> None:
        """Be found by whoever needs a monitor, and have sessions, workers and runs where there are some."""
        if self._noted is None:
            try:
                noted = Acting.myself(self._log)
                await asyncio.to_thread(noted.note, self._folder)
            except NotWrittenError as error:
                if not self._cannot_note:
                    self._notice(f"nobody finds this monitor: {error}")
                self._cannot_note = True
            else:
                self._noted = noted
                self._acts()
        self._hosting.want(now=look.has_command)

    def _reactor(self, *, acts: bool) -> Reactor:
        return Reactor(
            self._registry,
            setup_of(self.config),
            acts=acts,
            tell=self._tell,
            notice=self._notice,
            environment=self._environment,
            prompt=self._hosting.prompt,
        )

    async def _look(self, reactor: Reactor, stopping: asyncio.Future[Any]) -> Look | None:
        """Look once; what cannot be written to its end is left to the next monitor when this one is to stop, and then
        gives None.

        Settings that changed are for what comes afterwards. But what they switch off is not begun any more, however
        long this takes.
        """
        have_changed = self._files.have_changed()
        looking = asyncio.ensure_future(reactor.look(self._tell_that_it_began))
        ends: set[asyncio.Future[Any]] = {looking, stopping}
        while not (looking.done() or stopping.done()):
            await asyncio.wait(ends, timeout=_NEXT_SETTINGS, return_when=asyncio.FIRST_COMPLETED)
            if not looking.done() and self._files.have_changed():
                have_changed = True
                await self._heed_settings(reactor)
        if not looking.done():
            await asyncio.wait({looking}, timeout=_PATIENCE)
        if not looking.done():
            await _cancelled(looking)
            return None
        look = looking.result()
        self._note(look)
        if have_changed and look.is_ready:
            await self._read_settings(reactor)
        return look

    def _tell_that_it_began(self) -> None:
        if self._began is not None:
            self._began()
            self._began = None

    def _note(self, look: Look) -> None:
        """Say once that the registry is away, or there again."""
        self._watch.found(look.is_news)
        if look.state is self._state:
            return
        self._state = look.state
        match look.state:
            case State.READY:
                self._notice(f"{self._registry} is there")
            case State.MISSING:
                self._notice(f"there is no {self._registry}: waiting for it")
            case State.UNREADABLE:
                self._notice(f"{self._registry} cannot be read ({look.detail}): waiting until it can be")

    async def _heed_settings(self, reactor: Reactor) -> None:
        """Take note of what is off by now. Mistakes are told of when the settings are read to go by them."""
        with suppress(ConfigError, UnusableError):
            reactor.heed(setup_of(await asyncio.to_thread(self._files.read)))

    async def _read_settings(self, reactor: Reactor) -> None:
        """Go by what the files say now; where they are wrong, by what they said before."""
        try:
            config = await asyncio.to_thread(self._files.read)
            await reactor.use(setup_of(config))
            await self._hosting.use(config)
        except (ConfigError, UnusableError) as error:
            self._notice(f"{error}; the rules stay as they were")
            await self._heed_own_settings(reactor)
            return
        self.config = config
        self._settings_changed(config)

    async def _heed_own_settings(self, reactor: Reactor) -> None:
        """The user can switch their rules off whatever a project's file says: anybody in the project can write that."""
        with suppress(ConfigError, UnusableError):
            own = await asyncio.to_thread(self._files.read_own)
            still_on = {rule.name for rule in own.rules if rule.is_on}
            kept = tuple(rule for rule in reactor.setup.rules if not rule.is_users or rule.name in still_on)
            reactor.heed(replace(reactor.setup, rules=kept))


def _next(wakeups: AsyncGenerator[None, None]) -> asyncio.Future[None]:
    return asyncio.ensure_future(anext(wakeups))


async def _cancelled(future: asyncio.Future[Any]) -> None:
    future.cancel()
    with suppress(asyncio.CancelledError):
        await future
