"""The SDK's own client, connected to the real program over its standard input and output."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp_types import Implementation

from tests.program import PROGRAM, environment


class Caller:
    """One connected client."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def __call__(self, tool: str, **arguments: Any) -> str:
        """What a call gives a model."""
        result = await self.client.call_tool(tool, arguments)
        text = self._text(result)
        assert not result.is_error, text
        return text

    async def json(self, tool: str, **arguments: Any) -> Any:
        """The same of a tool that gives JSON."""
        return json.loads(await self(tool, **arguments))

    async def refused(self, tool: str, **arguments: Any) -> str:
        """The error that a call gives a model."""
        result = await self.client.call_tool(tool, arguments)
        text = self._text(result)
        assert result.is_error, text
        return text

    @staticmethod
    def _text(result: Any) -> str:
        (content,) = result.content
        return content.text

    async def resource(self, uri: str) -> str:
        """What reading a resource gives."""
        (content,) = (await self.client.read_resource(uri)).contents
        return content.text


@asynccontextmanager
async def connected(
    registry: Path,
    name: str = "sena",
    *options: str,
    client: str = "test",
    home: Path | None = None,
    errors: Any = None,
) -> AsyncIterator[Caller]:
    """A client of `collab-tui mcp --as NAME`."""
    home = home or registry.parent
    server = StdioServerParameters(
        command=PROGRAM,
        args=["mcp", "--as", name, "--registry", str(registry), *options],
        env=environment(home, PYTHONWARNDEFAULTENCODING="1"),
        cwd=home,
    )
    async with Client(server, client_info=Implementation(name=client, version="1")) as connection:
        yield Caller(connection)
