"""All streams of a monitor: each followed by itself, what comes of them handed on, and how they are doing written down.

An event is handed on before it is kept how far its stream came. So after a kill those of the last second may come
again: whoever takes them knows them by their ids.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from collab_tui.config.streams import StreamSettings
from collab_tui.model.text import clean, one_line
from collab_tui.model.words import MONITOR
from collab_tui.model.workers import StreamState
from collab_tui.protocol.nearby import announce
from collab_tui.registry.append import RegistryError
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.registry.kept import keep
from collab_tui.workers.sse import ServerEvent
from collab_tui.workers.stream import StreamClient, can_be_sent
from collab_tui.workers.stream_event import StreamEvent, event_of

_FILE: Final = "streams.json"
_BETWEEN_SAVES: Final = 1.0
"""Seconds: in a storm of events the disk is for others, too."""
_DIGITS: Final = 12
_SHOWN_ID: Final = 80
_SHOWN_ERROR: Final = 300

_State = tuple[StreamState, str | None]


class Streams:
    """The streams of one registry."""

    def __init__(
        self,
        registry: Path,
        folder: Path,
        monitor: str,
        take: Callable[[StreamEvent], Awaitable[None]],
        notice: Callable[[str], None],
        environment: Mapping[str, str],
    ) -> None:
        """`folder` is what is kept for the registry, `monitor` the id of the monitor; `notice` hears of trouble."""
        self._registry = JsonlRegistry(registry)
        self._file = folder / _FILE
        self._monitor = monitor
        self._take = take
        self._notice = notice
        self._environment = environment
        self._following: dict[str, tuple[StreamSettings, asyncio.Task[None]]] = {}
        self._told: dict[str, _State] = {}
        self._untold: asyncio.Queue[tuple[str, _State] | None] = asyncio.Queue()
        """None is the last."""
        self._last_ids = self._load()
        self._moved = asyncio.Event()
        self._ending = asyncio.Event()
        self._keeping: set[asyncio.Task[None]] = set()
        """Those that write."""

    async def use(self, streams: Sequence[StreamSettings]) -> None:
        """Follow these and no others; one whose settings are the same is followed on."""
        wanted = {settings.name: settings for settings in streams}
        for name, (settings, _) in [*self._following.items()]:
            if wanted.get(name) != settings:
                await self._end(name)
                if name not in wanted:
                    self._tell(name, StreamState.STOPPED, "it is not in the settings any more")
        for name, settings in wanted.items():
            if name not in self._following:
                self._following[name] = settings, asyncio.create_task(self._follow(settings))
        if self._following and not self._keeping:
            self._keeping = {asyncio.create_task(self._write_states()), asyncio.create_task(self._save_now_and_then())}

    async def end(self) -> None:
        """End all connections; the next monitor goes on from where they came."""
        for name in list(self._following):
            await self._end(name)
            if self._told.get(name, (None, None))[0] is not StreamState.STOPPED:
                self._tell(name, StreamState.STOPPED, "the monitor ended")
        self._untold.put_nowait(None)
        self._ending.set()
        self._moved.set()
        if self._keeping:
            await asyncio.wait(self._keeping)

    async def _end(self, name: str) -> None:
        _, task = self._following.pop(name)
        task.cancel()
        await asyncio.wait({task})

    async def _follow(self, settings: StreamSettings) -> None:
        name = settings.name

        async def take(event: ServerEvent) -> None:
            if event.type in settings.events and (told := self._understood(settings, event)) is not None:
                await self._take(told)
            if event.id != self._last_ids.get(name, ""):
                self._last_ids[name] = event.id
                self._moved.set()

        client = StreamClient(
            settings,
            take,
            lambda state, why: self._tell(name, state, why),
            self._environment,
            self._last_ids.get(name, ""),
        )
        try:
            await client.run()
        except Exception as error:  # the other streams go on
            self._tell(name, StreamState.STOPPED, f"of an error of ours: {one_line(clean(repr(error)))[:_SHOWN_ERROR]}")

    def _understood(self, settings: StreamSettings, event: ServerEvent) -> StreamEvent | None:
        try:
            data = json.loads(event.data)
        except (ValueError, RecursionError) as error:
            self._notice(
                f"stream {settings.name}: an event that is no JSON ({one_line(clean(str(error)))}) is left out"
            )
            return None
        found = event_of(settings.name, "", data, settings.fields)
        if found is None:
            self._notice(f"stream {settings.name}: an event that names no task is left out")
            return None
        return replace(found, event_id=_identity(event, found))

    # How they are doing

    def _tell(self, name: str, state: StreamState, why: str | None) -> None:
        """Have it written, unless that is what was said last. While it is tried again, it is not connecting anew."""
        if self._told.get(name) != (state, why):
            self._told[name] = state, why
            self._untold.put_nowait((name, (state, why)))

    async def _write_states(self) -> None:
        while (untold := await self._untold.get()) is not None:
            name, (state, why) = untold
            line = {"agent": MONITOR, "event": "stream_state", "stream": name, "state": state.value}
            line |= {"monitor": self._monitor} | ({"why": why} if why else {})
            self._notice(f"stream {name}: {state}{f': {why}' if why else ''}")
            try:
                await asyncio.to_thread(self._registry.append, line)
                announce(self._registry.path)
            except RegistryError as error:
                self._notice(f"stream {name} is {state}, which cannot be written: {error}")

    # How far they came

    def _load(self) -> dict[str, str]:
        try:
            kept = json.loads(self._file.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}  # then the server begins where it likes, and what was taken is known by its id
        return {str(name): str(last) for name, last in kept.items()} if isinstance(kept, dict) else {}

    async def _save_now_and_then(self) -> None:
        while not self._ending.is_set():
            await self._moved.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(_BETWEEN_SAVES):
                    await self._ending.wait()
            self._moved.clear()
            await asyncio.to_thread(
                self._save, {name: last for name, last in self._last_ids.items() if can_be_sent(last)}
            )

    def _save(self, last_ids: Mapping[str, str]) -> None:
        try:
            keep(self._file, last_ids)
        except OSError as error:
            self._notice(f"cannot keep how far the streams came, in {self._file}: {error.strerror}")


def _identity(event: ServerEvent, told: StreamEvent) -> str:
    """By which an event is known again: its id and what it tells of its task, as servers may begin their ids anew.

    Times and the like that another sending of it may change do not count. Without an id, all that it says does.
    """
    said = (told.task, told.status, told.priority, told.project, told.title) if event.id else event.data
    text = json.dumps((event.id, event.type, said))
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
    given = one_line(clean(event.id))[:_SHOWN_ID]
    return f"{given}:{digest}" if given else digest
