"""A visit to the past: reads the registry into a timeline, plays it, seeks and searches in it.

One loop does it all, piece by piece and in threads, so the screen never waits: what was asked for last is shown first,
then the rest is read, then deadlocks are looked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from math import inf
from time import monotonic
from typing import Final

from collab_tui.model.board import Board
from collab_tui.model.places import Number, Percent, Place, position_of
from collab_tui.model.player import Player
from collab_tui.model.timeline import ChangedError, Mark, Timeline
from collab_tui.registry.base import News, Registry, State
from collab_tui.tui import garbage
from collab_tui.tui.messages import Source
from collab_tui.tui.view import Past

_FRAME: Final = 0.06
"""Seconds between two frames while playing: a full paint costs about 5 ms."""
_FASTEST_FRAME: Final = 1 / 60
"""The same when each event has a frame of its own."""
_CLOCK: Final = 0.25
"""Seconds between looks at the clock of the past while nothing happens there."""
_PIECE: Final = 0.03
"""Seconds of reading until a key is looked at."""
_LINES: Final = 2000
"""Lines looked up at once."""
_SEARCHED: Final = 50
"""Lines searched for deadlocks at once."""
_REST: Final = 4
"""How many times as long as a search for deadlocks it rests when nobody waits for what it finds."""
_LONGEST_STEP: Final = 1.0
"""Seconds that pass at most between two frames: a program that was stopped goes on where it was."""
_MANY: Final = 20_000
"""Lines of a timeline through which the search for garbage would be felt."""

Reader = Callable[[int], News]
"""Gives the lines after so many that were read, as far as it likes to go at once."""


def saved_lines(registry: Registry) -> Reader:
    """Reads a saved registry to its end, a last line without newline included."""
    return lambda _: registry.read_next(final=True)


def known_lines(registry: Registry, total: int) -> Reader:
    """Reads the first `total` lines of a registry that somebody else follows."""

    def read(position: int) -> News:
        items = registry.items(position, min(position + _LINES, total))
        state = State.READY if items or position >= total else State.UNREADABLE
        return News(items, state, "" if items else "it is another file by now", remaining=total - position - len(items))

    return read


class Replay:
    """One visit. `prepare` does in a thread what the screen would wait for, `changed` draws what changed.

    `toast` tells the person what a key could not do.
    """

    def __init__(
        self,
        registry: Registry,
        person: str,
        read: Reader,
        *,
        prepare: Callable[[Board], None],
        changed: Callable[[], None],
        toast: Callable[[str], None],
    ) -> None:
        self._registry = registry
        self._person = person
        self._read = read
        self._prepare = prepare
        self._changed = changed
        self._toast = toast
        self._wake = asyncio.Event()
        self._awaited: Place | None = None
        """Where to go when all is read: what it means is not known before."""
        self._sought: bool | None = None
        """The next (True) or previous (False) deadlock is being searched for."""
        self._is_urgent = False
        """Something was asked for by hand: it does not wait for the next frame."""
        self._is_read = False
        self._is_lost = False
        """What was read is not there any more."""
        self._bytes = 0
        """How many there are to be read, as far as is known."""
        self._advanced_at: float | None = None
        self._told_at = 0.0
        self.board: Board | None = None
        """What is shown."""
        self.source = Source()
        self.timeline = Timeline(registry.items, person)
        self.player = Player(self.timeline.axis)

    # What is shown

    @property
    def now(self) -> datetime | None:
        """The time there; before the first readable one that, None where no line has one."""
        return self.player.now or self.timeline.axis.first_time

    def past(self, live: int | None) -> Past:
        """What the screen tells of it. `live` is how many lines the live registry has."""
        timeline, total = self.timeline, len(self.timeline)
        searched = 100 * timeline.searched // max(1, total)
        return Past(
            timeline=timeline,
            position=self.board.position if self.board else 0,
            total=total,
            has_time=self.player.now is not None,
            is_playing=self.player.is_playing,
            speed=self.player.speed,
            shortens=self.player.shortens,
            gap=self.player.gap,
            reading=None if self._is_read else self._percent_read,
            searching=None if self._sought is None else searched,
            marks=tuple((mark, timeline.count(mark)) for mark in Mark),
            live=live,
        )

    @property
    def _percent_read(self) -> int:
        return 100 * (self._bytes - self.source.remaining) // max(1, self._bytes)

    # What the person asks for

    def begin(self, place: Place | None, board: Board | None = None) -> None:
        """Begin at a place, the first event without one. `board` is the one there, if it is known already."""
        self.board = board
        self.seek(1)
        if place is not None:
            self.go_to(place)
        self._tell()

    def play(self, speed: float | None = None) -> None:
        """Begin to play, from the first event if the last one is shown."""
        if speed is not None:
            self.player.speed = speed
        if self._is_read and self.player.position >= len(self.timeline):
            self.player.seek(min(1, len(self.timeline)))
        self.player.is_playing = True
        self._ask_and_tell()

    def pause(self) -> None:
        """Stand still."""
        self.player.is_playing = False
        self._ask_and_tell()

    def seek(self, position: int) -> None:
        """Go to a position; what is not read yet is shown as soon as it is."""
        self._awaited = None
        last = len(self.timeline) if self._is_read else position
        self.player.seek(max(min(1, last), min(position, last)))
        self._ask()

    def step(self, count: int) -> None:
        """Go on or back by hand, which pauses."""
        self.player.is_playing = False
        self.seek(self.player.position + count)

    def go_to(self, place: Place) -> None:
        """Go to a place, one that is no number when all is read. Raises `ValueError` with a sentence when it means none
        here.
        """
        if self._is_read:
            self.seek(position_of(place, self.timeline.axis, self.player.position))
        elif isinstance(place, Number):
            self.seek(max(1, place.number))
        else:
            self._awaited = place

    def seek_end(self) -> None:
        """Go to the last event."""
        self.go_to(Percent(100))

    def change_speed(self, step: int) -> None:
        """Play faster (1) or slower (-1)."""
        self.player.change_speed(step)
        self._ask_and_tell()

    def jump(self, mark: Mark, *, forward: bool) -> None:
        """Go to the next or previous line that is marked so; deadlocks are searched for first, if need be."""
        self.player.is_playing = False
        if mark is Mark.DEADLOCK:
            self._sought = forward
            self._ask_and_tell()
        else:
            self._go_to_mark(mark, forward=forward)

    def stop_search(self) -> bool:
        """Give up the search for a deadlock; False when there was none."""
        was_searching, self._sought = self._sought is not None, None
        if was_searching:
            self._ask_and_tell()
        return was_searching

    def _go_to_mark(self, mark: Mark, *, forward: bool) -> None:
        timeline, position = self.timeline, self.player.position
        found = timeline.next_mark(mark, position) if forward else timeline.previous_mark(mark, position)
        if found is not None:
            self.seek(found)
        else:
            so_far = "" if self._is_read else " in what is read so far"
            self._toast(f"There is no {'later' if forward else 'earlier'} {mark}{so_far}")

    def _ask(self) -> None:
        """Let the loop look at once at what was asked for."""
        self._is_urgent = True
        self._wake.set()

    def _ask_and_tell(self) -> None:
        """The same, for what is seen before the loop comes to it, however long a look at the registry takes."""
        self._ask()
        self._tell()

    def _tell(self) -> None:
        self._told_at = monotonic()
        self._changed()

    # The loop

    async def run(self) -> None:
        """Show, read, play and search until cancelled."""
        shown_at = rest_until = 0.0
        garbage.hold()  # what is read stays for the whole visit
        try:
            while True:
                now = monotonic()
                is_asked, self._is_urgent = self._is_urgent, False
                is_due = is_asked or now - shown_at >= self._frame
                if is_due:
                    self._advance(now)
                if is_due and self._wanted is not None:
                    shown_at = now
                    await self._show()
                elif not self._is_read:
                    await self._read_piece()
                elif self._is_searching and (self._sought is not None or now >= rest_until):
                    await self._search_on()
                    rest_until = monotonic() + _REST * (monotonic() - now)
                else:
                    if self.player.is_playing and now - self._told_at >= _CLOCK:
                        self._tell()
                    await self._pause(now, shown_at, rest_until)
        finally:
            garbage.go_on(keeping=False)

    @property
    def _frame(self) -> float:
        return _FASTEST_FRAME if self.player.speed == inf else _FRAME

    @property
    def _wanted(self) -> int | None:
        """The position that is to be shown and is not; None while it is not read, or when it is there."""
        position = self.player.position
        shown = self.board.position if self.board is not None else None
        return position if position != shown and position <= len(self.timeline) else None

    def _advance(self, now: float) -> None:
        """Let the time pass that passed since the last look."""
        before, self._advanced_at = self._advanced_at, now
        player = self.player
        if not player.is_playing:
            self._advanced_at = None
            return
        player.advance(min(now - before, _LONGEST_STEP) if before is not None else 0.0)
        if self._is_read and player.position >= len(self.timeline):
            player.is_playing = False
            self._tell()

    async def _show(self) -> None:
        try:
            self.board = await asyncio.to_thread(self._board_at, self.player.position)
        except ChangedError:
            self._lost()
        self._tell()

    def _board_at(self, position: int) -> Board:
        board = self.timeline.board_at(position)
        self._prepare(board)
        return board

    def _lost(self) -> None:
        """What was read is not there any more: stay at what is shown."""
        self._is_lost, self._sought, self.player.is_playing = True, None, False
        self.player.seek(self.board.position if self.board is not None else 0)
        self._toast("The registry is another by now: what was read cannot be shown any more")

    async def _read_piece(self) -> None:
        before = self._percent_read
        await asyncio.to_thread(self._read_on)
        if self._is_read:
            garbage.go_on(keeping=len(self.timeline) >= _MANY)
            place = self._awaited
            self.seek(self.player.position)
            if place is not None:
                self._go_to_awaited(place)
        if self._is_read or self._percent_read != before:
            self._tell()

    def _read_on(self) -> None:
        """Read for a while. Runs in a thread."""
        until = monotonic() + _PIECE
        while not self._is_read and monotonic() < until:
            news = self._read(len(self.timeline))
            if news.restarted is not None:
                self._restart()
            self.timeline.extend(news.items)
            if news.unterminated:
                self.timeline.note_unterminated()
            self._bytes = max(self._bytes, news.remaining)
            self.source = Source(news.state, news.detail, remaining=news.remaining, total=self._bytes)
            self._is_read = not news.remaining or news.state is not State.READY

    def _restart(self) -> None:
        """It became another file while it was read: what was read is not there any more."""
        self.timeline = Timeline(self._registry.items, self._person)
        self.player.axis, self.board, self._bytes = self.timeline.axis, None, 0

    def _go_to_awaited(self, place: Place) -> None:
        try:
            self.go_to(place)
        except ValueError as error:
            self._toast(str(error)[:1].upper() + str(error)[1:])

    @property
    def _is_searching(self) -> bool:
        return self._sought is not None or (self.timeline.searched < len(self.timeline) and not self._is_lost)

    async def _search_on(self) -> None:
        """Look for deadlocks, and go to the one that was asked for when it is found, or certainly not there."""
        timeline, forward = self.timeline, self._sought
        if forward is not None:
            known = timeline.next_mark(Mark.DEADLOCK, self.player.position) if forward else None
            enough = len(timeline) if forward else self.player.position - 1
            if known is not None or timeline.searched >= enough:
                self._sought = None
                self._go_to_mark(Mark.DEADLOCK, forward=forward)
                self._tell()
                return
        before = timeline.count(Mark.DEADLOCK)
        try:
            await asyncio.to_thread(timeline.search_deadlocks, _SEARCHED)
        except ChangedError:
            self._lost()
        if self._sought is not None or timeline.count(Mark.DEADLOCK) != before:
            self._tell()

    async def _pause(self, now: float, shown_at: float, rest_until: float) -> None:
        """Wait for a key, for the next frame, or until there is time to search."""
        waits = [rest_until - now] if self._is_searching else []
        if self.player.is_playing:
            waits.append(min(max(self.player.left, shown_at + self._frame - now), _CLOCK))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), max(0.001, min(waits)) if waits else None)
        self._wake.clear()
