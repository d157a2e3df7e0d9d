"""The lines of a registry as they come, for whoever acts on each of them rather than on the board."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import replace

from collab_tui.protocol.nearby import woken
from collab_tui.registry.base import News
from collab_tui.registry.follow import Watch
from collab_tui.registry.jsonl import JsonlRegistry


async def tail(registry: JsonlRegistry, poll: float | None = None, rest: float = 0.0) -> AsyncGenerator[News, None]:
    """Look after look, for as long as it is iterated: first what is there and was not read yet, then what comes.

    A look without lines is given too: it says that the registry is away, or was replaced. `poll` is in seconds, as of
    `Watch`; for `rest` seconds after a look there is no other. Reading is done in a thread.
    """
    loop, worth_looking = asyncio.get_running_loop(), asyncio.Event()
    watch = Watch(registry.path, poll)

    async def heed_watch() -> None:
        async with aclosing(watch.wakeups()) as wakeups:
            async for _ in wakeups:
                worth_looking.set()

    heeding = asyncio.create_task(heed_watch())
    heeding.add_done_callback(lambda _: worth_looking.set())  # why it ended is told below
    try:
        with woken(registry.path, lambda: loop.call_soon_threadsafe(worth_looking.set)):
            while True:
                await worth_looking.wait()
                worth_looking.clear()
                if heeding.done():
                    heeding.result()
                found = False
                while True:
                    news = await asyncio.to_thread(_look, registry)
                    found = found or bool(news.items)
                    yield news
                    if not news.remaining:
                        break
                watch.found(found)
                await asyncio.sleep(rest)
    finally:
        heeding.cancel()
        with suppress(asyncio.CancelledError):
            await heeding


def _look(registry: JsonlRegistry) -> News:
    news = registry.read_next()
    return replace(news, items=tuple(news.items))
