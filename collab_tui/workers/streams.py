"""All streams of a monitor: each followed by itself, what comes of them handed on, and how they are doing written down.

An event is handed on before it is kept how far its stream came. So after a kill the last one may come again: whoever
takes it knows it by its id.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
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
from collab_tui.workers.stream import StreamClient
from collab_tui.workers.stream_event import StreamEvent, event_of

_FILE: Final = "streams.json"
_MAX_ID: Final = 1000
"""Characters of an id that is kept; a server that gives longer ones is asked without."""
_DIGITS: Final = 12
_SHOWN_ID: Final = 80

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
        self._untold: asyncio.Queue[tuple[str, _State]] = asyncio.Queue()
        self._telling: asyncio.Task[None] | None = None
        self._last_ids = self._load()

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
        if self._following and self._telling is None:
            self._telling = asyncio.create_task(self._write_states())

    async def end(self) -> None:
        """End all connections; the next monitor goes on from where they came."""
        for name in list(self._following):
            await self._end(name)
            if self._told.get(name, (None, None))[0] is not StreamState.STOPPED:
                self._tell(name, StreamState.STOPPED, "the monitor ended")
        if self._telling is not None:
            await self._untold.join()
            self._telling.cancel()
            with suppress(asyncio.CancelledError):
                await self._telling

    async def _end(self, name: str) -> None:
        _, task = self._following.pop(name)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def _follow(self, settings: StreamSettings) -> None:
        name = settings.name

        async def take(event: ServerEvent) -> None:
            if event.type in settings.events and (told := self._understood(settings, event)) is not None:
                await self._take(told)
            if event.id != self._last_ids.get(name, ""):
                self._last_ids[name] = event.id
                self._save()

        client = StreamClient(
            settings,
            take,
            lambda state, why: self._tell(name, state, why),
            self._environment,
            self._last_ids.get(name, ""),
        )
        try:
            await client.run()
        except Exception as error:
            self._tell(name, StreamState.STOPPED, f"of an error of ours: {type(error).__name__}")
            raise

    def _understood(self, settings: StreamSettings, event: ServerEvent) -> StreamEvent | None:
        try:
            data = json.loads(event.data)
        except (ValueError, RecursionError) as error:
            self._notice(
                f"stream {settings.name}: an event that is no JSON ({one_line(clean(str(error)))}) is left out"
            )
            return None
        found = event_of(settings.name, _identity(event), data, settings.fields)
        if found is None:
            self._notice(f"stream {settings.name}: an event that names no task is left out")
        return found

    # How they are doing

    def _tell(self, name: str, state: StreamState, why: str | None) -> None:
        """Have it written, unless that is what was said last. While it is tried again, it is not connecting anew."""
        why = one_line(why) if why else None
        if self._told.get(name) != (state, why):
            self._told[name] = state, why
            self._untold.put_nowait((name, (state, why)))

    async def _write_states(self) -> None:
        while True:
            name, (state, why) = await self._untold.get()
            line = {"agent": MONITOR, "event": "stream_state", "stream": name, "state": state.value}
            line |= {"monitor": self._monitor} | ({"why": why} if why else {})
            try:
                await asyncio.to_thread(self._registry.append, line)
                announce(self._registry.path)
            except RegistryError as error:
                self._notice(f"stream {name} is {state}, which cannot be written: {error}")
            finally:
                self._untold.task_done()

    # How far they came

    def _load(self) -> dict[str, str]:
        try:
            kept = json.loads(self._file.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}  # then the server begins where it likes, and what was taken is known by its id
        return {str(name): str(last) for name, last in kept.items()} if isinstance(kept, dict) else {}

    def _save(self) -> None:
        try:
            keep(self._file, {name: last for name, last in self._last_ids.items() if 0 < len(last) <= _MAX_ID})
        except OSError as error:
            self._notice(f"cannot keep how far the streams came, in {self._file}: {error.strerror}")


def _identity(event: ServerEvent) -> str:
    """By which an event is known again: its id and what it says. Servers that begin their ids anew say other things."""
    digest = hashlib.sha256(f"{event.id}\0{event.type}\0{event.data}".encode("utf-8", "replace")).hexdigest()[:_DIGITS]
    given = one_line(clean(event.id))[:_SHOWN_ID]
    return f"{given}:{digest}" if given else digest
