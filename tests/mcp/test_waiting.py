"""How long a call may wait, by the client that calls, and what it tells meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from collab_tui.mcp.waiting import limit_for, waited


@pytest.mark.parametrize(
    ("client", "least", "most"),
    [
        ("codex-mcp-client", 200, 299),  # as Codex 0.169 calls itself, which waits 300 s
        ("claude-code", 3600, 28 * 3600),  # as Claude Code 2.1.328 does
        ("gemini-cli-mcp-client", 500, 599),
        ("somebody", 1, 59),
        ("", 1, 59),
    ],
)
def test_a_call_ends_before_its_client_gives_it_up(client: str, least: float, most: float) -> None:
    assert least <= limit_for(client) <= most


class Context:
    """Where progress is told."""

    def __init__(self) -> None:
        self.told: list[str | None] = []
        self.heard = asyncio.Event()

    async def report_progress(self, progress: float, total: float | None, message: str | None) -> None:
        self.told.append(message)
        if len(self.told) == 3:
            self.heard.set()


async def test_a_sign_of_life_comes_again_and_again() -> None:
    context: Any = Context()

    async def result() -> str:
        await context.heard.wait()
        return "here"

    assert await waited(result(), context, 1e6, "waiting", every=0.001) == "here"
    assert context.told[:3] == ["waiting"] * 3


async def test_nothing_within_the_limit_is_none_and_the_waiting_ends() -> None:
    context: Any = Context()
    ended: list[bool] = []

    async def never() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)
        return ""

    assert await waited(never(), context, 0.01, "waiting") is None
    assert ended == [True]


async def test_an_error_while_waiting_is_raised() -> None:
    async def fails() -> str:
        raise LookupError("gone")

    context: Any = Context()
    with pytest.raises(LookupError, match="gone"):
        await waited(fails(), context, 1e6, "waiting")
