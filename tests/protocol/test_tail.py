"""Following the lines themselves."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

from collab_tui.model.event import Event
from collab_tui.protocol.nearby import announce
from collab_tui.protocol.tail import tail
from collab_tui.registry.jsonl import JsonlRegistry


async def messages(registry: Path, count: int) -> list[str]:
    found: list[str] = []
    async with aclosing(tail(JsonlRegistry(registry))) as looks:
        async for news in looks:
            found += [item.text("message") or "" for item in news.items if isinstance(item, Event)]
            if len(found) >= count:
                break
    return found


async def test_what_is_there_comes_first_and_then_what_is_appended(tmp_path: Path) -> None:
    registry = JsonlRegistry(tmp_path / "r.jsonl")
    registry.append({"agent": "sena", "event": "message", "message": "before"})
    hearing = asyncio.ensure_future(messages(registry.path, 2))
    while not hearing.done():
        registry.append({"agent": "sena", "event": "message", "message": "after"})
        announce(registry.path)
        await asyncio.sleep(0)
    assert (await hearing)[:2] == ["before", "after"]


async def test_a_line_that_another_process_appends_is_noticed(tmp_path: Path) -> None:
    registry = JsonlRegistry(tmp_path / "r.jsonl")
    registry.append({"agent": "sena", "event": "message", "message": "one"})
    hearing = asyncio.ensure_future(messages(registry.path, 2))
    registry.append({"agent": "sena", "event": "message", "message": "two"})  # tells nobody in this process
    assert await hearing == ["one", "two"]


async def test_a_registry_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    registry = JsonlRegistry(tmp_path / "r.jsonl")
    async with aclosing(tail(registry)) as looks:
        assert [*(await anext(looks)).items] == []
        registry.append({"agent": "sena", "event": "message", "message": "at last"})
        async for news in looks:
            if news.items:
                break
    assert [item.text("message") for item in news.items if isinstance(item, Event)] == ["at last"]
