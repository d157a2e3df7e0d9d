"""What is told of a session in the registry: that it started, what is seen of it, what it declares, that it ended.

A change of state is told at once, with the last line of its output. The rest is told seldom, only as it is by then:
counts each two seconds at most, and a last line alone each thirty, if it is of a program that prints lines. What is in
a terminal may redraw its screen for ever, and whoever wants to see that looks at it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from collab_tui.model.sessions import Observed
from collab_tui.model.words import MONITOR
from collab_tui.protocol.nearby import announce
from collab_tui.protocol.persistence import wholly
from collab_tui.registry.append import NotWrittenError, RegistryError
from collab_tui.registry.jsonl import JsonlRegistry

BETWEEN: Final = 2.0
"""Seconds between two lines that tell of no change of state."""
BETWEEN_LINES: Final = 30.0
"""Seconds until of one that did not change its state only the last line is told anew."""
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 30.0
"""Seconds between two tries to write."""
_DECLARED: Final = frozenset(("progress", "current_task", "message", "status", "next_action"))
"""Fields that an agent's program may declare in its protocol."""


def write(registry: JsonlRegistry, event: Mapping[str, Any]) -> dict[str, Any]:
    """Append an event to a registry that is there. For a thread. Raises `RegistryError`."""

    def check_there() -> None:
        if not registry.is_there():  # an append would make another, which nobody reads
            raise NotWrittenError(f"{registry.name} is gone")

    written = registry.append(event, unless=check_there)
    announce(registry.path)
    return written


async def write_surely(
    registry: JsonlRegistry, event: Mapping[str, Any], notice: Callable[[str], None], within: float | None = None
) -> None:
    """The same, tried again until it can be written: the disk is full, another holds the lock, the registry is away.

    Raises `RegistryError` where that takes more than so many seconds.
    """
    pause, is_told = _FIRST_PAUSE, False
    deadline = None if within is None else time.monotonic() + within
    while True:
        try:
            await wholly(asyncio.to_thread(write, registry, event))
        except RegistryError as error:
            if deadline is not None and time.monotonic() + pause > deadline:
                raise
            if not is_told:
                is_told = True
                notice(f"{error}; trying again until it can be written")
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        else:
            return


class Observing:
    """What is told of one run of a session."""

    def __init__(
        self,
        registry: JsonlRegistry,
        name: str,
        run: str,
        notice: Callable[[str], None],
        *,
        tells_lines: bool = False,
    ) -> None:
        """`notice` is told, once, that something cannot be written; `tells_lines` also without a change of state."""
        self._registry = registry
        self._name = name
        self._run = run
        self._notice = notice
        self._tells_lines = tells_lines
        self._told: dict[str, Any] = {"observed": Observed.STARTING.value}
        self._now: dict[str, Any] = dict(self._told)
        self._declared: dict[str, Any] = {}
        self._has_news = asyncio.Event()
        self._told_at = -BETWEEN_LINES
        self._writing = asyncio.Lock()

    def note(self, **fields: Any) -> None:
        """So it is now: any of observed, why, last_line, changed, unpushed, queued, undelivered, can_resume, pid."""
        self._now |= fields
        if self._news():
            self._has_news.set()

    def declare(self, fields: Mapping[str, Any]) -> None:
        """The agent says this of its work."""
        self._declared |= {name: value for name, value in fields.items() if name in _DECLARED}
        if self._declared:
            self._has_news.set()

    def forget_told(self) -> None:
        """The registry is another: nothing was told there but a start."""
        self._told = {"observed": Observed.STARTING.value}
        self._has_news.set()

    @property
    def told(self) -> Observed | None:
        """The state that was told last; None while there is anything to tell of it."""
        is_so = not self._writing.locked() and self._told["observed"] == self._now["observed"]
        return Observed(self._told["observed"]) if is_so else None

    async def run(self) -> None:
        """Tell what changes, until this is cancelled."""
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            await self._until_due()
            await asyncio.shield(self.flush())

    async def _until_due(self) -> None:
        """Wait until the state changes, or long enough since the last line."""
        while (left := self._left()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._has_news.wait()
            self._has_news.clear()

    def _left(self) -> float:
        """Seconds until what there is to tell is told."""
        news = self._news()
        if "observed" in news:
            return 0.0
        between = BETWEEN_LINES if news.keys() == {"last_line"} and not self._declared else BETWEEN
        return self._told_at + between - time.monotonic()

    async def flush(self) -> None:
        """Tell what was not told yet, now."""
        async with self._writing:
            if self._declared:
                declared, self._declared = self._declared, {}
                await self._write({"agent": self._name, "event": "status_update", **declared})
            if news := self._news():
                self._told |= news
                event = {"agent": MONITOR, "event": "session_observed", "target": self._name, "run": self._run}
                await self._write(event | {name: value for name, value in news.items() if value is not None})
            self._told_at = time.monotonic()

    async def tell(self, event: str, *, within: float | None = None, **fields: Any) -> None:
        """Tell the start or the end of the session, in its own name. Raises as `write_surely`."""
        given = {name: value for name, value in fields.items() if value is not None}
        async with self._writing:
            await self._write({"agent": self._name, "event": event, "run": self._run, **given}, within)

    async def _write(self, event: Mapping[str, Any], within: float | None = None) -> None:
        await write_surely(self._registry, event, self._notice, within)

    def _news(self) -> dict[str, Any]:
        """What differs from what was told; why it is so is told with the state."""
        news = {name: value for name, value in self._now.items() if self._told.get(name) != value}
        if "observed" in news or "why" in news:
            news |= {name: self._now.get(name) for name in ("observed", "why")}
        elif not self._tells_lines and news.keys() == {"last_line"}:
            return {}
        return news
