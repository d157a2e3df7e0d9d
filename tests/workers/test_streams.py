"""All streams of a monitor: what becomes of their events, of their states and of how far they came."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from collab_tui.config.streams import StreamSettings
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.workers import streams as following
from collab_tui.workers.stream_event import StreamEvent
from collab_tui.workers.streams import Streams
from tests.events import board_of
from tests.program import PATIENCE, eventually
from tests.workers.hub import hub
from tests.workers.raw_server import for_ever, raw_server, status, stream


class Desk:
    """A monitor's streams, and what they gave."""

    def __init__(self, folder: Path) -> None:
        self.registry = JsonlRegistry(folder / "r.jsonl")
        self.kept = folder / "kept"
        self.taken: list[StreamEvent] = []
        self.notices: list[str] = []
        self._news = asyncio.Condition()

    async def take(self, event: StreamEvent) -> None:
        async with self._news:
            self.taken.append(event)
            self._news.notify_all()

    def notice(self, text: str) -> None:
        self.notices.append(text)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(holds)

    @asynccontextmanager
    async def following(self, *settings: StreamSettings) -> AsyncIterator[Streams]:
        streams = Streams(self.registry.path, self.kept, "m1", self.take, self.notice, {})
        await streams.use(settings)
        try:
            yield streams
        finally:
            await streams.end()

    @property
    def states(self) -> list[tuple[str, str]]:
        """Each stream's, as the registry tells them."""
        return [(one["stream"], one["state"]) for one in map(json.loads, self.lines)]

    @property
    def lines(self) -> list[str]:
        """Those of the registry, once there is one."""
        path = self.registry.path
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def task(number: int, event_id: int | None = None, **fields: Any) -> bytes:
    """What a hub says of a task."""
    data = json.dumps({"task_id": f"T-{number}", "status": "done", **fields})
    return f"id: {event_id or number}\nevent: task_updated\ndata: {data}\n\n".encode()


async def test_what_a_hub_says_of_its_tasks_is_handed_on_as_its_mapping_says(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    other = b'event: ping\ndata: {"task_id": "T-9"}\n\n'
    given = json.dumps({"issue": {"key": "T-2", "state": "todo"}, "priority": "HIGH", "title": "x\ny"})
    mapped = f"id: 2\nevent: task_updated\ndata: {given}\n\n".encode()
    async with raw_server(stream(other, mapped, then=for_ever)) as server:
        fields = {
            "task": "issue.key",
            "status": "issue.state",
            "priority": "priority",
            "project": "p",
            "title": "title",
        }
        async with desk.following(StreamSettings("hub", server.url, fields=fields)):
            await desk.until(lambda: bool(desk.taken))
    (taken,) = desk.taken
    assert (taken.stream, taken.task, taken.status, taken.priority, taken.title) == (
        "hub",
        "T-2",
        "todo",
        "high",
        "x y",
    )
    assert taken.event_id.startswith("2:")


async def test_what_is_no_event_of_a_task_is_left_out_and_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    odd = [b"event: task_updated\ndata: " + data + b"\n\n" for data in (b"{", b"[1]", b"{}", b'{"task_id": {"a": 1}}')]
    async with (
        raw_server(stream(*odd, task(1), then=for_ever)) as server,
        desk.following(StreamSettings("hub", server.url)),
    ):
        await desk.until(lambda: bool(desk.taken))
    assert len([notice for notice in desk.notices if "left out" in notice]) == 4


async def test_several_streams_are_followed_at_once_and_their_states_stand_in_the_registry(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    async with (
        raw_server(stream(task(1), then=for_ever)) as one,
        raw_server(stream(task(2), then=for_ever)) as two,
        desk.following(StreamSettings("one", one.url), StreamSettings("two", two.url)),
    ):
        await desk.until(lambda: len(desk.taken) == 2)
    assert {event.stream for event in desk.taken} == {"one", "two"}
    assert sorted(desk.states) == [
        (name, state) for name in ("one", "two") for state in ("connected", "connecting", "stopped")
    ]
    assert {told.name: told.why for told in board_of(*map(json.loads, desk.lines)).streams} == dict.fromkeys(
        ("one", "two"), "the monitor ended"
    )


async def test_a_next_monitor_goes_on_where_this_one_came_to(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    async with raw_server(stream(task(1), task(2), then=for_ever)) as server:
        settings = StreamSettings("hub", server.url)
        async with desk.following(settings):
            await desk.until(lambda: len(desk.taken) == 2)
        async with desk.following(settings):
            await desk.until(lambda: len(desk.taken) == 4)
    assert [request.get("last-event-id") for request in server.requests] == [None, "2"]


async def test_one_event_has_one_identity_however_often_it_comes_and_new_ids_of_other_events_have_theirs(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path)
    reset = task(3, event_id=1)
    async with (
        raw_server(stream(task(1), task(1), reset, then=for_ever)) as server,
        desk.following(StreamSettings("hub", server.url)),
    ):
        await desk.until(lambda: len(desk.taken) == 3)
    first, again, other = (event.key for event in desk.taken)
    assert first == again != other


def told(data: dict[str, Any], event_id: str | None = None) -> bytes:
    """One event, with or without an id."""
    begin = f"id: {event_id}\n" if event_id else ""
    return f"{begin}event: task_updated\ndata: {json.dumps(data)}\n\n".encode()


async def test_when_it_was_sent_makes_no_other_event_of_one_with_an_id(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    done = {"task_id": "T-1", "status": "done"}
    sent = [told(done | {"sent_at": at, "title": title}, "7") for at, title in ((1, "a"), (2, "a"), (3, "b"))]
    async with (
        raw_server(stream(*sent, then=for_ever)) as server,
        desk.following(StreamSettings("hub", server.url)),
    ):
        await desk.until(lambda: len(desk.taken) == 3)
    first, again, other = (event.key for event in desk.taken)
    assert first == again != other


async def test_an_event_without_an_id_is_known_by_all_that_it_says(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    sent = [told({"task_id": "T-1", "status": "done", "sent_at": at}) for at in (1, 1, 2)]
    async with (
        raw_server(stream(*sent, then=for_ever)) as server,
        desk.following(StreamSettings("hub", server.url)),
    ):
        await desk.until(lambda: len(desk.taken) == 3)
    first, again, other = (event.key for event in desk.taken)
    assert first == again != other


async def test_a_storm_of_events_leaves_the_loop_and_the_disk_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path)
    kept: list[tuple[int, Any]] = []
    monkeypatch.setattr(following, "keep", lambda path, value: kept.append((threading.get_ident(), value)))
    unwanted = b"".join(f"id: {n}\nevent: ping\ndata: {{}}\n\n".encode() for n in range(1, 2000))
    async with (
        raw_server(stream(unwanted, task(1, 2000), then=for_ever)) as server,
        desk.following(StreamSettings("hub", server.url)),
    ):
        await desk.until(lambda: bool(desk.taken))
    assert len(kept) < 100
    assert threading.get_ident() not in [thread for thread, _ in kept]
    assert kept[-1][1] == {"hub": "2000"}


async def test_an_error_of_ours_ends_its_stream_and_nothing_else(tmp_path: Path) -> None:
    desk = Desk(tmp_path)

    async def take(event: StreamEvent) -> None:
        if event.stream == "bad":
            raise ZeroDivisionError
        await desk.take(event)

    async with raw_server(stream(task(1), then=for_ever)) as server:
        good, bad, late = (StreamSettings(name, server.url) for name in ("good", "bad", "late"))
        streams = Streams(desk.registry.path, desk.kept, "m1", take, desk.notice, {})
        await streams.use([good, bad])
        await asyncio.to_thread(eventually, lambda: ("bad", "stopped") in desk.states)
        await streams.use([good, late])
        await desk.until(lambda: len(desk.taken) == 2)
        await streams.end()
    assert {event.stream for event in desk.taken} == {"good", "late"}
    assert any("of an error of ours: ZeroDivisionError()" in line for line in desk.lines)


async def test_settings_that_change_are_followed_and_those_that_do_not_keep_their_connection(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    async with raw_server(stream(task(1), then=for_ever)) as one, raw_server(stream(task(2), then=for_ever)) as two:
        stays, goes = StreamSettings("stays", one.url), StreamSettings("goes", one.url)
        async with desk.following(stays, goes) as streams:
            await desk.until(lambda: len(desk.taken) == 2)
            await streams.use([stays, StreamSettings("comes", two.url)])
            await desk.until(lambda: len(desk.taken) == 3)
    assert len(one.requests) == 2
    assert len(two.requests) == 1
    assert ("goes", "stopped") in desk.states


async def test_a_stream_that_its_server_ended_stays_ended_and_says_why(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    async with raw_server(status("401 Unauthorized")) as server, desk.following(StreamSettings("hub", server.url)):
        await asyncio.to_thread(eventually, lambda: ("hub", "stopped") in desk.states)
    assert desk.states == [("hub", "connecting"), ("hub", "stopped")]
    assert "401 Unauthorized: see headers" in desk.lines[-1]


async def test_a_hub_is_followed_over_its_heartbeats(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with hub() as tasks:
        async with desk.following(StreamSettings("hub", tasks.url)):
            await asyncio.to_thread(eventually, lambda: ("hub", "connected") in desk.states)
            await asyncio.to_thread(tasks.publish, "T-1", "done", priority="high", title="안녕")
            await desk.until(lambda: bool(desk.taken))
    (taken,) = desk.taken
    assert (taken.task, taken.status, taken.priority, taken.title) == ("T-1", "done", "high", "안녕")
