"""One tmux server of ours: what is asked of it, how it is reached again, and how it is ended without being asked.

Whatever does not answer is given up after a while, whether or not the server lets go of what its client shares with it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, cast

from collab_tui.model.text import clean, one_line
from collab_tui.processes.identity import Identity, is_alive, signal_group
from collab_tui.sessions.driver import DriverError, LostError, UnreachableError

_PATIENCE: Final = 10.0
"""Seconds for one command of tmux."""
_UNTIL_HEARD: Final = 3.0
"""Seconds for a server to make its socket anew."""
_UNTIL_FORCE: Final = 1.0
"""Seconds for a server to end that was asked to."""
_POLL: Final = 0.05
_NO_SERVER: Final = ("no server running", "error connecting", "lost server", "server exited")
"""What tmux says where nobody listens at the socket."""


class _RefusedError(Exception):
    """The text is what tmux says."""


class _NobodyListensError(_RefusedError):
    """At the socket."""


class Server:
    """A server, by its socket, and by its process once that is known."""

    def __init__(self, socket: Path, identity: Identity | None = None) -> None:
        self.socket = socket
        self.identity = identity

    async def is_alive(self) -> bool:
        """Its process runs, for all that is known."""
        return self.identity is not None and await asyncio.to_thread(is_alive, self.identity)

    async def start(self, *words: str, environment: Mapping[str, str]) -> str:
        """A command that starts it; of variables it has only these. Raises `DriverError`."""
        try:
            return await _said(self.socket, words, None, environment)
        except _RefusedError as error:
            raise DriverError(f"its terminal does not start: {error}") from None

    async def command(self, *words: str, stdin: bytes | None = None) -> str:
        """What it says to a command; where its socket was removed it first makes another.

        Raises `LostError` where it is gone or refuses, `UnreachableError` where it runs and does not answer.
        """
        known = {"PATH": os.environ.get("PATH", os.defpath)}
        deadline, is_called = time.monotonic() + _UNTIL_HEARD, False
        while True:
            try:
                return await _said(self.socket, words, stdin, known)
            except _NobodyListensError as error:
                if self.identity is None or not await self.is_alive():
                    raise LostError(f"its terminal is gone: {error}") from None
                if time.monotonic() >= deadline:
                    raise UnreachableError(f"its terminal runs and cannot be reached: {error}") from None
            except _RefusedError as error:
                raise LostError(f"its terminal is gone: {error}") from None
            if not is_called:
                with suppress(OSError):
                    self.socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    os.kill(self.identity.pid, signal.SIGUSR1)
                is_called = True
            await asyncio.sleep(_POLL)

    async def end(self) -> None:
        """End it, and what is left in it. It is not asked: it may not answer."""
        if self.identity is None:
            return
        for is_hard in (False, True):
            await asyncio.to_thread(signal_group, self.identity, hard=is_hard)
            if await gone_within(self.identity, _UNTIL_FORCE):
                break


async def gone_within(process: Identity, limit: float) -> bool:
    """Whether it ends within so many seconds."""
    deadline = time.monotonic() + limit
    while await asyncio.to_thread(is_alive, process):
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(_POLL)
    return True


async def _said(socket: Path, words: tuple[str, ...], stdin: bytes | None, environment: Mapping[str, str]) -> str:
    """Raises `_RefusedError`, `UnreachableError`."""
    try:
        transport, client = await asyncio.get_running_loop().subprocess_exec(
            cast("Callable[[], _Client]", _Client),
            *("tmux", "-u", "-S", str(socket), "-f", os.devnull, *words),
            stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(environment),
        )
    except OSError as error:
        raise UnreachableError(f"tmux does not start: {error.strerror}") from None
    try:
        if stdin is not None:
            pipe = cast("asyncio.WriteTransport", transport.get_pipe_transport(0))
            pipe.write(stdin)
            pipe.close()  # once all of it is written
        async with asyncio.timeout(_PATIENCE):
            await client.ended
    except TimeoutError:
        raise UnreachableError(f"its terminal does not answer within {_PATIENCE:g} s") from None
    finally:
        transport.close()  # a server that stands still holds the other ends of these pipes: nobody waits for it
    code = transport.get_returncode()
    if code == 0:
        return client.told[1].decode("utf-8", "replace")
    if code is None or code < 0:
        raise UnreachableError(f"tmux was ended by signal {-(code or 0)}")
    why = one_line(clean(client.told[2].decode("utf-8", "replace")))[:200] or "tmux does not say why"
    raise _NobodyListensError(why) if why.startswith(_NO_SERVER) else _RefusedError(why)


class _Client(asyncio.SubprocessProtocol):
    """A command that runs."""

    def __init__(self) -> None:
        self.told = {1: bytearray(), 2: bytearray()}
        """By descriptor."""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """It ended, and all that it said was read."""

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """It says something."""
        self.told[fd] += data

    def connection_lost(self, error: Exception | None) -> None:
        """See `ended`."""
        if not self.ended.done():
            self.ended.set_result(None)
