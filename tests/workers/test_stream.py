"""Following a stream of a real server: what is heard, when it is tried again, and when it is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress

import pytest

from collab_tui.config.streams import StreamSettings
from collab_tui.model.workers import StreamState
from collab_tui.registry.append import NotWrittenError
from collab_tui.workers import stream as following
from collab_tui.workers.sse import ServerEvent
from collab_tui.workers.stream import LONGEST_PAUSE, StreamClient
from tests.program import PATIENCE
from tests.workers.raw_server import Answer, RawServer, for_ever, raw_server, status, stream


class Heard:
    """What one client heard, and how long it wanted to wait in between."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.states: list[tuple[StreamState, str | None]] = []
        self.pauses: list[float] = []
        self.now = 0.0
        """The steady clock, in seconds."""
        self.told = asyncio.Event()
        self._news = asyncio.Condition()

    async def take(self, event: ServerEvent) -> None:
        self.events.append(event.data)
        async with self._news:
            self._news.notify_all()

    def tell(self, state: StreamState, why: str | None) -> None:
        self.states.append((state, why))
        self.told.set()

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        async with self._news:
            self._news.notify_all()
        await asyncio.sleep(0)

    async def until(self, *, events: int = 0, pauses: int = 0) -> None:
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: len(self.events) >= events and len(self.pauses) >= pauses)

    async def until_told(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not holds():
                self.told.clear()
                await self.told.wait()

    @property
    def end(self) -> str:
        """Why it is not followed any more."""
        state, why = self.states[-1]
        assert state is StreamState.STOPPED
        return why or ""


@asynccontextmanager
async def heard_from(
    *answers: Answer,
    last_event_id: str = "",
    environment: Mapping[str, str] | None = None,
    keep_alive: float = 30.0,
    **settings: object,
) -> AsyncIterator[tuple[Heard, RawServer, asyncio.Task[None]]]:
    """A client that follows a server with these answers."""
    async with raw_server(*answers) as server:
        heard = Heard()
        given = StreamSettings("hub", server.url, keep_alive=keep_alive, **settings)  # type: ignore[arg-type]
        client = StreamClient(
            given, heard.take, heard.tell, environment or {}, last_event_id, heard.pause, lambda: heard.now
        )
        task = asyncio.create_task(client.run())
        try:
            yield heard, server, task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def end_of(*answers: Answer, **settings: object) -> tuple[Heard, RawServer]:
    """What a client heard that ended by itself."""
    async with heard_from(*answers, **settings) as (heard, server, task):  # type: ignore[arg-type]
        async with asyncio.timeout(PATIENCE):
            await task
        return heard, server


async def test_events_come_however_the_server_cuts_them() -> None:
    whole = "id: 1\ndata: 안녕\r\n\r\nid: 2\ndata: b\n\n".encode()
    async with heard_from(stream(*(bytes([byte]) for byte in whole), then=for_ever)) as (heard, server, _):
        await heard.until(events=2)
    assert heard.events == ["안녕", "b"]
    assert heard.states == [(StreamState.CONNECTING, None), (StreamState.CONNECTED, None)]
    assert (server.requests[0]["accept"], server.requests[0]["cache-control"]) == ("text/event-stream", "no-store")
    assert "last-event-id" not in server.requests[0]


async def test_after_a_cut_it_goes_on_behind_the_last_event_that_it_had() -> None:
    first = stream(b"id: 7\ndata: a\n\nid: 8\ndata: never ended\n")
    async with heard_from(first, stream(b"id: 8\ndata: b\n\n", then=for_ever)) as (heard, server, _):
        await heard.until(events=2)
    assert heard.events == ["a", "b"]
    assert server.requests[1]["last-event-id"] == "7"
    assert [state for state, _ in heard.states[1:]] == [StreamState.CONNECTED] * 2, "a short cut is no trouble"


async def test_it_begins_where_an_earlier_monitor_came_to() -> None:
    async with heard_from(stream(then=for_ever), last_event_id="41") as (_, server, task):
        await server.asked.wait()
        assert not task.done()
    assert server.requests[0]["last-event-id"] == "41"


@pytest.mark.parametrize(
    "event_id",
    [" lead", "trail ", "a\tb", "a\x01b", "a\x7fb", "\u2028", "\u3000", "x" * 1001, "x" * 100_000],
    ids=lambda event_id: ascii(event_id)[:20],
)
async def test_an_id_that_no_header_can_carry_does_not_cut_a_stream_off(event_id: str) -> None:
    first = stream(f"id: {event_id}\ndata: a\n\n".encode())
    async with heard_from(first, stream(b"data: b\n\n", then=for_ever)) as (heard, server, _):
        await heard.until(events=2)
    assert "last-event-id" not in server.requests[1]


@pytest.mark.parametrize("event_id", ["한", "a b", "x" * 1000, "\ufffd"], ids=lambda event_id: ascii(event_id)[:20])
async def test_any_other_id_is_told_to_the_server(event_id: str) -> None:
    first = stream(f"id: {event_id}\ndata: a\n\n".encode())
    async with heard_from(first, stream(b"data: b\n\n", then=for_ever)) as (heard, server, _):
        await heard.until(events=2)
    assert server.requests[1]["last-event-id"].encode("latin-1").decode() == event_id


@pytest.mark.parametrize("retry", ["4000", "300000", "0000000004000"])
async def test_it_waits_at_least_as_long_as_the_server_says_and_each_failure_doubles_that_up_to_a_minute(
    retry: str,
) -> None:
    answers = (stream(f"retry: {retry}\n\n".encode()), *[status("503 Busy")] * 9)
    async with heard_from(*answers) as (heard, _, _):
        await heard.until(pauses=10)
    said = int(retry) / 1000
    least = [max(said, min(said * 2**n, LONGEST_PAUSE)) for n in range(10)]
    assert all(low <= pause <= 1.5 * low for pause, low in zip(heard.pauses, least, strict=False))
    assert len(set(heard.pauses)) == len(heard.pauses), "no two clients come back at the same time"
    assert heard.states[-1] == (StreamState.RETRYING, "503 Busy")


async def test_a_good_event_makes_the_next_wait_short_again() -> None:
    busy, good = status("500 Oops"), stream(b"data: x\n\n")
    async with heard_from(*[busy] * 5, good, status("204 No Content")) as (heard, _, task):
        await task
    assert heard.pauses[4] > heard.pauses[5]
    assert heard.pauses[5] <= 1.5


async def test_a_quiet_connection_that_held_makes_the_next_wait_short_again() -> None:
    connected = (StreamState.CONNECTED, None)

    async def half_a_minute() -> None:
        await heard.until_told(lambda: heard.states.count(connected) == len(server.requests) - 5)
        heard.now += 30

    quiet = [stream(b": still here\n\n", then=half_a_minute)] * 3
    async with heard_from(*[status("500 Oops")] * 5, *quiet, status("204 No Content")) as (heard, server, task):
        await task
    assert heard.pauses[4] >= 16
    assert max(heard.pauses[5:]) <= 1.5
    assert heard.states[-4:-1] == [connected] * 3, "a short cut is no trouble"


async def test_a_server_that_ends_each_connection_at_once_is_asked_less_and_less_often() -> None:
    async with heard_from(*[stream(b": hello\n\n")] * 5, status("204 No Content")) as (heard, _, task):
        await task
    assert heard.pauses[4] >= 16


async def test_a_server_that_asks_for_more_time_gets_it() -> None:
    async with heard_from(status("429 Slow down", "Retry-After: 300"), status("204 No Content")) as (heard, _, task):
        await task
    assert 300 <= heard.pauses[0] <= 330
    assert heard.states[1] == (StreamState.RETRYING, "429 Slow down")


@pytest.mark.parametrize("asked", ["Fri, 31 Dec 1999 23:59:59 GMT", "soon", "99999999999", "0" * 20, "-5"])
async def test_whatever_it_asks_for_the_wait_is_of_this_world(asked: str) -> None:
    async with heard_from(status("503 Busy", f"Retry-After: {asked}"), status("204 No Content")) as (heard, _, task):
        await task
    assert 0 < heard.pauses[0] <= 3630


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (status("204 No Content"), "nothing more comes (204)"),
        (status("401 Unauthorized"), "401 Unauthorized: see headers"),
        (status("403 Forbidden"), "403 Forbidden: see headers"),
        (status("404 Not Found"), "404 Not Found"),
        (status("200 OK", "Content-Type: text/html", body=b"<p>"), "no stream of events but text/html"),
        (status("200 OK"), "no stream of events but of no known type"),
        (status("302 Found", "Location: http://127.0.0.2:1/x"), "moved to another server, http://127.0.0.2:1/x"),
        (status("302 Found", "Location: http://u:pw@127.0.0.2:1/x?token=s3cret#s3cret"), "127.0.0.2:1/x: if that is"),
        (status("302 Found", "Location: /events"), "round and round"),
        (status("302 Found"), "302 Found"),
        (status("304 Not Modified"), "304 Not Modified"),
        (status("404 \x1b[31mred\x07"), "404 ␛[31mred␇"),
        (
            status("200 OK", "Content-Type: text/event-stream", "Content-Encoding: gzip", body=b"\x1f\x8b"),
            "its events come encoded (gzip)",
        ),
    ],
)
async def test_what_the_server_means_for_good_is_not_tried_again(answer: Answer, why: str) -> None:
    heard, _ = await end_of(answer)
    assert why in heard.end
    assert "s3cret" not in heard.end
    assert heard.pauses == []


async def test_a_redirect_on_the_same_server_is_followed() -> None:
    async with heard_from(
        status("307 Temporary Redirect", "Location: /other?x=1"), stream(b"data: x\n\n", then=for_ever)
    ) as (heard, server, _):
        await heard.until(events=1)
    assert [request["path"] for request in server.requests] == ["/events", "/other?x=1"]


async def test_a_connection_on_which_nothing_comes_any_more_is_given_up() -> None:
    half_open = stream(b"data: a\n\n", then=for_ever)
    async with heard_from(half_open, half_open, keep_alive=0.05) as (heard, _, _):
        await heard.until(events=2)
    assert heard.events == ["a", "a"]
    assert len(heard.pauses) >= 1


async def test_a_server_that_is_not_there_is_tried_again_and_says_why() -> None:
    async with raw_server(status("204 No Content")) as server:
        url = server.url
    heard = Heard()
    client = StreamClient(StreamSettings("hub", url), heard.take, heard.tell, {}, pause=heard.pause)
    task = asyncio.create_task(client.run())
    await heard.until(pauses=3)
    task.cancel()
    state, why = heard.states[-1]
    assert state is StreamState.RETRYING
    assert "connect" in (why or "").lower()


async def test_headers_are_filled_in_from_the_environment_and_shown_to_nobody() -> None:
    headers = {"Authorization": "Bearer ${HUB_TOKEN}"}
    heard, server = await end_of(status("401 No"), headers=headers, environment={"HUB_TOKEN": "s3cret"})
    assert server.requests[0]["authorization"] == "Bearer s3cret"
    assert "s3cret" not in repr(heard.states)


async def test_what_is_for_this_machine_is_told_to_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with raw_server(status("502 Bad Gateway")) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        _, server = await end_of(status("204 No Content"), headers={"Authorization": "Bearer s3cret"})
    assert len(server.requests) == 1
    assert proxy.requests == []


async def test_a_proxy_that_cannot_be_used_is_a_mistake_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "foo://me:s3cret@127.0.0.1:1")
    heard = Heard()
    await StreamClient(StreamSettings("hub", "https://hub.example/"), heard.take, heard.tell, {}).run()
    assert "by the proxy or certificates of the environment" in heard.end
    assert "s3cret" not in heard.end


@pytest.mark.parametrize(
    ("environment", "why"), [({}, "$HUB_TOKEN is not set"), ({"HUB_TOKEN": "a\r\nX-Evil: 1"}, "one line of ASCII")]
)
async def test_a_header_that_cannot_be_filled_in_is_a_mistake_not_an_empty_header(
    environment: dict[str, str], why: str
) -> None:
    heard, server = await end_of(
        status("204 No Content"), headers={"Authorization": "Bearer ${HUB_TOKEN}"}, environment=environment
    )
    assert why in heard.end
    assert server.requests == []


async def test_an_event_that_is_too_long_is_told_of_and_the_next_one_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collab_tui.workers.sse.MAX_EVENT", 1000)
    monkeypatch.setattr(following, "MAX_EVENT", 1 << 20)
    async with heard_from(stream(b"data: " + b"x" * 5000 + b"\n\ndata: y\n\n", then=for_ever)) as (heard, _, _):
        await heard.until(events=1)
        await heard.until_told(lambda: heard.states[-1] != (StreamState.CONNECTED, None))
    assert heard.events == ["y"]
    assert heard.states[-1] == (StreamState.CONNECTED, "1 longer than 1 MB was left out")


async def test_what_cannot_be_taken_is_not_forgotten_in_silence() -> None:
    class TakeError(Exception):
        pass

    async def fail(event: ServerEvent) -> None:
        raise TakeError

    async with raw_server(stream(b"id: 5\ndata: x\n\n", then=for_ever)) as server:
        client = StreamClient(StreamSettings("hub", server.url), fail, Heard().tell, {})
        with pytest.raises(TakeError):
            await client.run()
    assert client.last_event_id == "", "the next connection asks for it again"


async def test_what_cannot_be_written_now_is_asked_for_again() -> None:
    heard = Heard()

    async def take(event: ServerEvent) -> None:
        if not heard.pauses:
            raise NotWrittenError("the disk is full")
        await heard.take(event)

    async with raw_server(stream(b"id: 5\ndata: x\n\n", then=for_ever)) as server:
        client = StreamClient(StreamSettings("hub", server.url), take, heard.tell, {}, "4", heard.pause)
        task = asyncio.create_task(client.run())
        await heard.until(events=1)
        task.cancel()
    assert [request["last-event-id"] for request in server.requests] == ["4", "4"]
