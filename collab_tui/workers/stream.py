"""Following one stream: connected for as long as its server has something to say, and again after it was cut off.

What ends it is the server's own word (nothing there, not for you, moved) or a mistake in the settings: then it says so
and does not try again. Whatever else goes wrong is tried again after a while that doubles up to a minute, or as long as
the server asks for; something is added to it, so that no two clients come back at the same time.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from collab_tui.config.streams import VARIABLE, StreamSettings, is_loopback
from collab_tui.model.text import clean, one_line
from collab_tui.model.workers import StreamState
from collab_tui.registry.append import RegistryError
from collab_tui.workers.sse import MAX_EVENT, Parser, ServerEvent

if TYPE_CHECKING:
    import httpx2

LONGEST_PAUSE: Final = 60.0
"""Seconds between two tries, unless the server asks for more."""
_FIRST_PAUSE: Final = 1.0
_SHORTEST_PAUSE: Final = 0.1
_LONGEST_ASKED: Final = 3600.0
"""Seconds that a server is granted."""
_UNNOTICED: Final = 5.0
"""Seconds for which a stream may be away once without a word of it: many servers end each connection now and then."""
_HELD: Final = 5.0
"""Seconds after which a connection was a good one: perhaps there was nothing to tell."""
_CONNECT_LIMIT: Final = 15.0
_SILENT_TIMES: Final = 3
"""So many keep-alives that do not come are a connection that is dead."""
_MAX_REDIRECTS: Final = 5
_MAX_ID: Final = 1000
_MAX_WHY: Final = 300
_MAX_TYPE: Final = 60
_CONTENT_TYPE: Final = "text/event-stream"
_TRY_AGAIN: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)

Tell = Callable[[StreamState, str | None], None]
"""Hears how the stream is doing, and why."""
Take = Callable[[ServerEvent], Awaitable[None]]
"""Gets each event; the next is read once it returned."""


class _OverError(Exception):
    """Nothing comes any more; the text says why."""


class _CutOffError(Exception):
    """It is worth another try."""

    def __init__(self, why: str, after: float | None = None) -> None:
        super().__init__(why)
        self.after = after
        """Seconds that the server asks for."""


class StreamClient:
    """One client of one stream."""

    def __init__(
        self,
        settings: StreamSettings,
        take: Take,
        tell: Tell,
        environment: Mapping[str, str],
        last_event_id: str = "",
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._take = take
        self._tell = tell
        self._environment = environment
        self._pause = pause
        self._clock = clock
        self._retry = _FIRST_PAUSE
        self._connected_at: float | None = None
        self._failures = 0
        """Tries since an event came, or a connection held."""
        self.last_event_id = last_event_id
        """Of the last event that was taken."""

    async def run(self) -> None:
        """Follow it until there is nothing more to come. Raises what `take` raises but a `RegistryError`."""
        self._tell(StreamState.CONNECTING, None)
        try:
            headers = self._headers()
            async with _client(self._settings) as client:
                while True:
                    try:
                        await self._connection(client, headers)
                    except _CutOffError as error:
                        pause = self._next_pause(error.after)
                        if self._failures > 1 or pause > _UNNOTICED:
                            self._tell(StreamState.RETRYING, _words(error))
                        await self._pause(pause)
        except _OverError as error:
            self._tell(StreamState.STOPPED, _words(error))

    def _headers(self) -> dict[str, str]:
        """Ours, and those of the settings with their variables filled in. Their values are told to nobody."""
        filled = {}
        for name, text in self._settings.headers.items():
            for variable in VARIABLE.findall(text):
                if not self._environment.get(variable):
                    raise _OverError(f"${variable} is not set in the monitor's environment: the header {name} needs it")
            value = VARIABLE.sub(lambda match: self._environment[match[1]], text)
            if not value.isascii() or not value.isprintable():
                raise _OverError(f"the header {name} would be more than one line of ASCII")
            filled[name] = value
        return {**filled, "Accept": _CONTENT_TYPE, "Cache-Control": "no-store", "Accept-Encoding": "identity"}

    async def _connection(self, client: httpx2.AsyncClient, headers: Mapping[str, str]) -> None:
        """Connect once, and take what comes. Always raises, at the latest when the server is done."""
        import httpx2

        url = httpx2.URL(self._settings.url)
        given = [(name.encode(), value.encode()) for name, value in headers.items()]
        if can_be_sent(self.last_event_id):
            given.append((b"Last-Event-ID", self.last_event_id.encode()))
        self._connected_at = None
        try:
            for _ in range(_MAX_REDIRECTS + 1):
                async with client.stream("GET", url, headers=given) as response:
                    if response.has_redirect_location:
                        url = self._redirected(url, response)
                        continue
                    _check(response)
                    self._connected_at = self._clock()
                    self._tell(StreamState.CONNECTED, None)
                    await self._read(response)
                    raise _CutOffError("the server ended the connection")
            raise _OverError("it is redirected round and round")
        except httpx2.ReadTimeout:
            seconds = _SILENT_TIMES * self._settings.keep_alive
            raise _CutOffError(f"nothing came for {seconds:g} s") from None
        except httpx2.TimeoutException:
            raise _CutOffError("the server does not answer") from None
        except httpx2.TransportError as error:
            raise _CutOffError(str(error) or type(error).__name__) from None
        except httpx2.InvalidURL as error:
            raise _OverError(f"it is no address: {error}") from None
        except RegistryError as error:
            raise _CutOffError(str(error)) from error

    async def _read(self, response: httpx2.Response) -> None:
        parser = Parser(self.last_event_id)
        dropped = 0
        async for chunk in response.aiter_raw():
            for event in parser.feed(chunk):
                await self._take(event)
                self.last_event_id = event.id
                self._failures = 0
            self.last_event_id = parser.last_event_id
            if parser.retry is not None:
                self._retry = min(max(parser.retry / 1000, _SHORTEST_PAUSE), _LONGEST_ASKED)
            if parser.dropped > dropped:
                dropped = parser.dropped
                told = f"{dropped} longer than {MAX_EVENT >> 20} MB {'was' if dropped == 1 else 'were'} left out"
                self._tell(StreamState.CONNECTED, told)

    def _redirected(self, url: httpx2.URL, response: httpx2.Response) -> httpx2.URL:
        """Where to look instead, on the same server: to another one no headers are carried."""
        there = url.join(response.headers["Location"])
        if there.scheme != url.scheme or there.host != url.host or there.port != url.port:
            where = there.copy_with(userinfo=b"", query=None, fragment=None)  # those may hold secrets
            raise _OverError(f"it moved to another server, {where}: if that is right, give its address")
        return there

    def _next_pause(self, asked: float | None) -> float:
        if self._connected_at is not None and self._clock() - self._connected_at >= _HELD:
            self._failures = 0
        pause = max(min(self._retry * 2.0**self._failures, LONGEST_PAUSE), self._retry, asked or 0.0)
        self._failures = min(self._failures + 1, 16)
        spread = random.uniform(0, 0.5)  # noqa: S311  # no secret: it keeps clients apart
        return pause + spread * min(pause, LONGEST_PAUSE)


def can_be_sent(event_id: str) -> bool:
    """A header can carry it: there is one, not too long for servers, without controls or blanks around it."""
    return 0 < len(event_id) <= _MAX_ID and event_id.isprintable() and event_id == event_id.strip()


def _words(error: Exception) -> str:
    """Why, in part in the server's words: one clean line."""
    return one_line(clean(str(error)))[:_MAX_WHY]


def _client(settings: StreamSettings) -> httpx2.AsyncClient:
    try:
        import httpx2
    except ModuleNotFoundError:
        raise _OverError("streams need one more package: pip install 'collab-tui[stream]'") from None
    timeout = httpx2.Timeout(_CONNECT_LIMIT, read=_SILENT_TIMES * settings.keep_alive)
    try:
        if is_loopback(urlsplit(settings.url).hostname):  # in clear text, and with a transport it asks no proxy
            return httpx2.AsyncClient(timeout=timeout, transport=httpx2.AsyncHTTPTransport())
        return httpx2.AsyncClient(timeout=timeout)
    except (httpx2.InvalidURL, ValueError, ImportError, OSError) as error:
        raise _OverError(f"it cannot connect by the proxy or certificates of the environment: {error}") from None


def _check(response: httpx2.Response) -> None:
    """It is a stream of events, or it is said what it is instead."""
    status = response.status_code
    if status == HTTPStatus.OK:
        kind = response.headers.get("Content-Type", "")
        if kind.partition(";")[0].strip().lower() != _CONTENT_TYPE:
            raise _OverError(f"it is no stream of events but {kind[:_MAX_TYPE] or 'of no known type'}")
        encoding = response.headers.get("Content-Encoding", "")
        if encoding.strip().lower() not in ("", "identity"):
            raise _OverError(f"its events come encoded ({encoding[:_MAX_TYPE]}), though we asked for them as they are")
        return
    told = f"{status} {response.reason_phrase}".strip()
    if status in _TRY_AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _CutOffError(told, _seconds_of(response.headers.get("Retry-After")))
    if status == HTTPStatus.NO_CONTENT:
        raise _OverError("the server says that nothing more comes (204)")
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise _OverError(f"{told}: see headers in its settings")
    raise _OverError(told)


def _seconds_of(retry_after: str | None) -> float | None:
    """What a server asks for: seconds, or a time."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text.lstrip("0")[:9] or 0)
    else:
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = (at - datetime.now(UTC if at.tzinfo else None)).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_ASKED)
