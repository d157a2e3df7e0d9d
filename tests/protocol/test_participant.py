import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from collab_tui.protocol import Participant, participant
from collab_tui.registry.jsonl import JsonlRegistry

TIMEOUT = 20.0


@pytest.fixture
def path(tmp_path):
    return tmp_path / "registry.jsonl"


class Wakeups:
    """A watch that wakes when the test says so."""

    def __init__(self, path):
        pass

    queue: asyncio.Queue[None]
    waiting: asyncio.Event

    async def wakeups(self):
        while True:
            yield
            self.waiting.set()
            await self.queue.get()


async def test_a_look_that_was_cancelled_after_it_read_keeps_nobody_else_asleep(path, monkeypatch):
    Wakeups.queue, Wakeups.waiting = asyncio.Queue(), asyncio.Event()
    monkeypatch.setattr(participant, "Watch", Wakeups)
    async with asyncio.timeout(TIMEOUT), Participant("sena", path) as me:
        waiters = [asyncio.create_task(me.until(lambda board: board.agent("lubit") is not None)) for _ in range(3)]
        await Wakeups.waiting.wait()  # all have looked
        has_read, read = threading.Event(), me._read

        def read_slowly():
            read()
            has_read.set()
            time.sleep(0.2)

        monkeypatch.setattr(me, "_read", read_slowly)
        JsonlRegistry(path).append({"agent": "lubit", "event": "session_start"})
        cancelled = asyncio.create_task(me.until(lambda board: False))
        await asyncio.to_thread(has_read.wait)
        cancelled.cancel()
        await asyncio.wait([cancelled])
        Wakeups.queue.put_nowait(None)
        boards = await asyncio.gather(*waiters)
        assert all(board.agent("lubit") for board in boards)


async def test_asking_ends_when_the_request_expires_and_gives_it_back_open(path):
    async with asyncio.timeout(TIMEOUT), Participant("sena", path) as me:
        expires = datetime.now(UTC) + timedelta(seconds=0.4)
        request = await me.ask("go?", expires=expires.isoformat())
        assert (request.is_open, request.answer) == (True, None)
        assert request.expires is not None
        assert request.expires <= datetime.now(UTC)


async def test_a_request_that_expired_long_ago_is_given_back_at_once_and_a_closed_one_closed(path):
    async with asyncio.timeout(TIMEOUT), Participant("sena", path) as me:
        past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
        assert (await me.ask("go?", expires=past)).is_open
        asked = await me.emit("decision_request", request="go?", expires=past)
        JsonlRegistry(path).append({"agent": "human", "event": "decision", "request_id": asked["id"], "answer": "yes"})
        assert not (await me.closed(asked["id"])).is_open


async def test_an_answer_before_the_expiry_is_given_back_at_once(path):
    async with asyncio.timeout(TIMEOUT), Participant("sena", path) as me, Participant("lubit", path) as lubit:
        expires = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        asking = asyncio.create_task(me.ask("go?", target="lubit", expires=expires))
        board = await lubit.until(lambda board: bool(board.open_requests))
        await lubit.decide(board.open_requests[0], "approved")
        answer = (await asking).answer
        assert answer is not None
        assert answer.verdict == "approved"


async def test_what_is_addressed_to_several_is_heard_by_each(path):
    async with asyncio.timeout(TIMEOUT), Participant("sena", path) as me:
        hearing = me.heard()
        heard = asyncio.ensure_future(anext(hearing))
        await asyncio.sleep(0.1)
        JsonlRegistry(path).append(
            {"agent": "lubit", "event": "message", "target": ["gitcode", "Sena"], "message": "hi"}
        )
        assert (await heard).text("message") == "hi"
        await hearing.aclose()
