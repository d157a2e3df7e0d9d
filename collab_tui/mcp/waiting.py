"""Waiting inside a tool call: as long as the client lets a call last, with a sign of life now and then."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from mcp.server.mcpserver import Context

_Result = TypeVar("_Result")

_LIMITS: Final = (
    ("codex", 240.0),  # it gives a call up after 300 s, whatever progress is told
    ("claude", 6 * 3600.0),  # 28 h, if never 30 minutes go by without progress; its screen goes on meanwhile
    ("gemini", 540.0),  # 600 s
)
"""Beginning of a client's name -> seconds for which its calls may last, with some to spare."""
_UNKNOWN: Final = 50.0
"""Many clients give a call up after a minute."""


def limit_for(client: str) -> float:
    """Seconds for which a call of that client may wait."""
    return next((limit for start, limit in _LIMITS if client.casefold().startswith(start)), _UNKNOWN)


def client_of(context: Context[Any, Any]) -> str:
    """The name of the program that calls; empty when it does not tell."""
    told = context.session.client_params
    return told.client_info.name if told is not None else ""


async def waited(
    result: Coroutine[Any, Any, _Result], context: Context[Any, Any], limit: float, what: str, every: float = 15.0
) -> _Result | None:
    """What comes within the limit, else None; `what` is told as progress meanwhile. Times are in seconds.

    A call that its client cancels ends the waiting, and nothing else.
    """
    waiting = asyncio.create_task(result)
    loop = asyncio.get_running_loop()
    start = loop.time()
    try:
        while (left := start + limit - loop.time()) > 0:
            await context.report_progress(round(loop.time() - start), None, what)
            done, _ = await asyncio.wait({waiting}, timeout=min(left, every))
            if done:
                return waiting.result()
        return None
    finally:
        waiting.cancel()
        await asyncio.wait({waiting})
