"""The board as a model reads it: a tool, and resources."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from mcp.server import MCPServer

from collab_tui.mcp import log
from collab_tui.mcp.seat import Seat
from collab_tui.mcp.shortening import short_json
from collab_tui.mcp.tool_calls import ToolCalls
from collab_tui.protocol.brief import Brief, brief_of
from collab_tui.registry.jsonl import JsonlRegistry

_WANTED: Final = 40_000
"""Characters of the board as JSON."""


class BoardTools:
    """For one agent. The docstrings are what the model reads."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat

    async def read_board(self) -> str:
        """See how everybody stands: what to do next, your state, what was decided for you, who waits for you, blockers,
        requests, the other agents. Call it when you start or come back. What others wrote is in double quotes.
        """
        return (await self._brief()).text

    async def _brief(self) -> Brief:
        me = await self._seat.me()
        return await asyncio.to_thread(
            brief_of, me.name, self._seat.registry, config=self._seat.config, how_to=ToolCalls
        )

    async def board_text(self) -> str:
        """How everybody stands, as read_board tells it."""
        return await self.read_board()

    async def board_json(self) -> str:
        """The same as one JSON object."""
        return short_json((await self._brief()).document, _WANTED)

    async def log_text(self) -> str:
        """The newest events, one line each."""
        return log.as_text(await self._newest())

    async def log_json(self) -> str:
        """The newest events as a JSON list."""
        return log.as_json(await self._newest())

    async def _newest(self) -> Any:
        await self._seat.me()
        return await asyncio.to_thread(JsonlRegistry(self._seat.registry).last_items)

    def add_resources(self, server: MCPServer[None]) -> None:
        """Offer the board and the log under `collab://`."""
        for name, read in (("board", self.board_text), ("log", self.log_text)):
            server.resource(f"collab://{name}", name=name, mime_type="text/plain")(read)
        for name, read in (("board", self.board_json), ("log", self.log_json)):
            server.resource(f"collab://{name}.json", name=f"{name}.json", mime_type="application/json")(read)
