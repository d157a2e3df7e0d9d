"""A seat before the board: presses keys, waits for conditions, reads the screen and the registry."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from textual.pilot import Pilot
from textual.widget import Widget

from collab_tui.config import Config
from collab_tui.model.places import parse_place
from collab_tui.tui.actions import SEEN_FOR
from collab_tui.tui.app import BoardApp
from collab_tui.tui.screens.board import BoardScreen
from collab_tui.tui.view import Past
from collab_tui.tui.visiting import Beginning
from collab_tui.tui.widgets.item_list import ItemList
from collab_tui.tui.widgets.log import LogPane
from tests.signing import KEY, signed
from tests.tui.scenes import NOW, Event, line

_TRIES = 800
WIDE = (160, 48)
NAME = Path("registry.jsonl")


async def until(pilot: Pilot[Any], holds: Callable[[], object], what: Callable[[], str]) -> None:
    """Wait for a condition; every try is a turn of the app's own loop and a hundredth of a second."""
    for _ in range(_TRIES):
        if holds():
            await pilot.pause()
            return
        assert pilot.app._exception is None, pilot.app._exception
        await pilot.pause(0.01)
    raise AssertionError(f"never came: {what()}")


def write(events: Iterable[Event | str | bytes], path: Path = NAME, mode: str = "ab") -> None:
    """Append as any program may: events, or lines as they are."""
    with path.open(mode) as file:
        for event in events:
            file.write(
                event if isinstance(event, bytes) else (event if isinstance(event, str) else line(event)).encode()
            )


class Seat:
    """What a person at the board can do and see."""

    def __init__(self, app: BoardApp, pilot: Pilot[None], path: Path) -> None:
        self.app = app
        self.pilot = pilot
        self.path = path
        self._known = path.stat().st_size if path.is_file() else 0

    # Seeing

    @property
    def lines(self) -> list[str]:
        """The lines of the screen."""
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self) -> str:
        """The whole screen."""
        return "\n".join(self.lines)

    def line_with(self, text: str) -> str:
        """The first line that holds a text."""
        return next(line for line in self.lines if text in line)

    @property
    def toasts(self) -> str:
        """Every notification there was."""
        return "\n".join(notification.message for notification in self.app._notifications)

    @property
    def screen(self) -> str:
        """The kind of screen on top."""
        return type(self.app.screen).__name__

    @property
    def board(self) -> BoardScreen:
        """The board's own screen, whatever is on top of it."""
        return next(screen for screen in self.app.screen_stack if isinstance(screen, BoardScreen))

    @property
    def pane(self) -> str | None:
        """The pane that has the keys."""
        return self.board.pane.id if self.board.pane is not None else None

    @property
    def selected(self) -> str | None:
        """The key of the selected row of that pane."""
        return self.list_of(self.pane or "").selected

    def list_of(self, pane: str) -> ItemList:
        """A pane of rows."""
        return self.board.query_one(f"#{pane}", ItemList)

    @property
    def log(self) -> LogPane:
        """The log."""
        return self.board.query_one(LogPane)

    @property
    def past(self) -> Past | None:
        """Where in the past the board is that is shown."""
        return self.board.view.past if self.board.view is not None else None

    @property
    def is_there(self) -> bool:
        """What is shown is what was asked for."""
        replay = self.app.replay
        return replay is not None and self.past is not None and replay.player.position == self.past.position

    # Waiting

    async def until(self, holds: Callable[[], object], what: str = "the condition") -> None:
        """Wait for a condition."""
        await until(self.pilot, holds, lambda: f"{what}\ntoasts: {self.toasts}\n{self.text}")

    async def sees(self, *texts: str) -> None:
        """Wait until all of these texts are on the screen at once."""
        await self.until(lambda: not self._missing(texts), f"{texts} on the screen")

    async def sees_no(self, *texts: str) -> None:
        """Wait until none of these texts is on the screen."""
        await self.until(lambda: self._missing(texts) == list(texts), f"a screen without {texts}")

    def _missing(self, texts: Iterable[str]) -> list[str]:
        shown = self.text  # drawn once for all of them
        return [text for text in texts if text not in shown]

    async def read(self, count: int) -> None:
        """Wait until so many lines of the registry are on the board."""
        await self.until(lambda: self.app.live and self.app.live.board.position >= count, f"{count} lines")

    async def at(self, position: int) -> None:
        """Wait until the board of a position in the past is shown."""
        await self.until(lambda: self.is_there and self.past and self.past.position == position, f"event {position}")

    async def looked(self) -> None:
        """Wait until the selected row was in sight for long enough to be answered."""
        await self.until(
            lambda: (
                self.selected is not None and self.list_of(self.pane or "").on_screen_for(self.selected) >= SEEN_FOR
            ),
            "a row that was looked at",
        )

    # Doing

    async def press(self, *keys: str) -> None:
        """Press keys."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        """Type words."""
        await self.press(*("space" if char == " " else char for char in text))

    async def go(self, pane: str, key: str | None = None) -> None:
        """Go to a pane, and to a row of it."""
        self.board.focus_pane(pane)
        if key is not None:
            await self.until(lambda: key in self.list_of(pane).keys, f"{key} among the rows")
            self.list_of(pane).select(key)
        await self.until(lambda: self.pane == pane, pane)

    async def go_and_look(self, pane: str, key: str | None = None) -> None:
        """Go to a row and look at it."""
        await self.go(pane, key)
        await self.looked()

    async def dialog(self, kind: str) -> None:
        """Wait for a dialog."""
        await self.until(lambda: self.screen == kind and self.app.screen.is_mounted, kind)
        if kind == "RequestScreen":  # its keys are for what was read
            await self.until(lambda: monotonic() - self.app.screen._shown_at > SEEN_FOR, "time to read")

    async def closed(self) -> None:
        """Wait until no dialog is open."""
        await self.until(lambda: self.screen == "BoardScreen", "the board without a dialog")

    def widget(self, selector: str) -> Widget:
        """A widget of the screen on top."""
        return self.app.screen.query_one(selector)

    # The registry

    def write(self, *events: Event | str | bytes) -> None:
        """Append as another program does; it is not counted as ours."""
        write(events, self.path)
        self._known = self.path.stat().st_size

    def decide_elsewhere(self, *decisions: Event) -> None:
        """Append decisions of the person as another board of theirs does: signed."""
        for decision in decisions:
            self.write(signed(decision, self.path.read_bytes()))

    @property
    def appended(self) -> list[Event]:
        """What stands in the registry since, without ids, times and signatures; a decision has to have one."""
        with self.path.open("rb") as file:
            file.seek(self._known)
            found = [json.loads(text) for text in file]
        for event in found:
            assert event.pop("id")
            assert event.pop("timestamp")
            if event["event"] == "decision":
                assert event.pop("key_id") == KEY.public.id
                assert event.pop("signature")
                assert ("request_digest" in event) == ("request_id" in event)
                event.pop("request_digest", None)
        return found

    async def wrote(self, *events: Event) -> None:
        """Wait until exactly these events were appended and are read back."""
        await self.until(lambda: len(self.appended) >= len(events), f"{events} in the registry")
        assert self.appended == list(events)
        with self.path.open("rb") as file:
            count = sum(1 for _ in file)
        await self.read(count)

    async def wrote_nothing(self) -> None:
        """Nothing is on its way, and nothing was appended."""
        await self.until(lambda: not self.app.desk.sending, "the end of sending")
        assert self.appended == []


@asynccontextmanager
async def replaying(
    scene: Iterable[Event | str | bytes],
    place: str | None = "1",
    *,
    speed: float | None = None,
    size: tuple[int, int] = WIDE,
    config: Config | None = None,
) -> AsyncIterator[Seat]:
    """Sit down before a saved scene at a place. Begins when it is all read and the place is shown."""
    write(scene, NAME)
    beginning = Beginning(parse_place(place) if place is not None else None, speed)
    app = BoardApp(NAME, config or Config(), clock=lambda: NOW, beginning=beginning)
    app.animation_level = "none"
    async with app.run_test(size=size, notifications=True) as pilot:
        seat = Seat(app, pilot, NAME)
        await seat.until(lambda: seat.past is not None and seat.past.reading is None, "the end of reading")
        await seat.until(lambda: speed is not None or seat.is_there, "the place")
        yield seat


@asynccontextmanager
async def sitting(
    scene: Iterable[Event | str | bytes] | None,
    *,
    size: tuple[int, int] = WIDE,
    config: Config | None = None,
    path: Path = NAME,
    poll: float | None = None,
) -> AsyncIterator[Seat]:
    """Sit down before a board of a scene; None: there is no registry. Ends when the board has read it all."""
    lines = list(scene or ())
    if scene is not None:
        write(lines, path)
    app = BoardApp(path, config or Config(), poll=poll, clock=lambda: NOW)
    app.animation_level = "none"
    async with app.run_test(size=size, notifications=True) as pilot:
        seat = Seat(app, pilot, path)
        await seat.until(lambda: app.live is not None, "a first look at the registry")
        await seat.read(len(lines))
        yield seat
