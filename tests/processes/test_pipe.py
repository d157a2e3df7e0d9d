"""Lines out of a pipe, however they are cut into pieces."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from collab_tui.processes.pipe import LineTooLongError, OutputPipe

_LIMIT = 10


async def read_lines(pieces: list[bytes]) -> list[bytes | int]:
    """Each line, or the size of one that is too long; the pieces come while it is waited for them."""
    pipe = OutputPipe()

    async def come() -> None:
        for piece in pieces:
            pipe.data_received(piece)
            await asyncio.sleep(0)
        pipe.connection_lost(None)

    coming = asyncio.create_task(come())
    found: list[bytes | int] = []
    while True:
        try:
            line = await pipe.read_line(_LIMIT)
        except LineTooLongError as error:
            found.append(error.size)
            continue
        if line is None:
            break
        found.append(line)
        assert len(line) <= _LIMIT
    await coming
    return found


@given(st.lists(st.lists(st.sampled_from([b"a", b"bcd", b"\n", b"\n\n", b"x" * 12]), max_size=6).map(b"".join)))
def test_the_lines_are_those_that_were_written(pieces: list[bytes]) -> None:
    written = b"".join(pieces).split(b"\n")
    if not written[-1]:
        written.pop()
    expected = [line if len(line) <= _LIMIT else len(line) for line in written]
    assert asyncio.run(read_lines(pieces)) == expected


async def test_two_tasks_cannot_read_at_one_time() -> None:
    pipe = OutputPipe()
    first = asyncio.create_task(pipe.read())
    await asyncio.sleep(0)
    (second,) = await asyncio.gather(pipe.read(), return_exceptions=True)
    assert isinstance(second, RuntimeError)
    pipe.connection_lost(None)
    assert await first == b""
