"""Pictures of the past at three sizes. A docstring says what one should see when a picture has changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from textual.pilot import Pilot

from collab_tui.config import Config
from collab_tui.model.places import Number
from collab_tui.tui.app import BoardApp
from collab_tui.tui.visiting import Beginning
from tests.tui import scenes
from tests.tui.scenes import NOW, Event
from tests.tui.seat import NAME, WIDE, Seat, write
from tests.tui.sizes import SIZES, Looks, Size, Steps


@pytest.fixture
def looks(snap_compare: Any) -> Looks:
    """Whether a moment of a saved scene looks as it did, after some steps."""

    def compare(
        scene: Iterable[Event | str | bytes], position: int, size: Size, steps: Steps | None = None, **settings: Any
    ) -> bool:
        write(scene)
        app = BoardApp(NAME, Config(**settings), clock=lambda: NOW, beginning=Beginning(Number(position)))
        app.animation_level = "none"

        async def before(pilot: Pilot[None]) -> None:
            seat = Seat(app, pilot, NAME)
            await seat.at(position)
            await seat.until(
                lambda: app.replay and app.replay.timeline.searched == len(app.replay.timeline), "all marks"
            )
            if steps is not None:
                await steps(seat)
            await pilot.pause()

        return bool(snap_compare(app, terminal_size=size, run_before=before))

    return compare


@SIZES
def test_moment(looks: Looks, size: Size) -> None:
    """Event 11 of the good day: the header says replay, sena does not ask for a tagger yet, no key that answers.

    The bar above the keys: event, time, paused; lit density up to the place; what is marked below. 80x24: no marks.
    """
    assert looks(scenes.good_day(), 11, size)


@SIZES
def test_deadlock(looks: Looks, size: Size) -> None:
    """The last event of the deadlock: its red sign stands on the bar where it closed."""
    assert looks(scenes.deadlock(), len(scenes.deadlock()), size)


@SIZES
def test_go_to(looks: Looks, size: Size) -> None:
    """What was written means no place: said in the dialog, above the keys, below the examples."""

    async def steps(seat: Seat) -> None:
        await seat.press("colon")
        await seat.dialog("GoToScreen")
        await seat.type("tomorrow")
        await seat.press("enter")
        await seat.sees("That is no event and no time")

    assert looks(scenes.good_day(), 11, size, steps)


@SIZES
def test_request(looks: Looks, size: Size) -> None:
    """The request as it was, without box and buttons, and that nothing can be answered in the past."""

    async def steps(seat: Seat) -> None:
        await seat.go("needs", "go-canary")
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        await seat.sees("This is the past")

    assert looks(scenes.good_day(), 11, size, steps)


@SIZES
def test_refused(looks: Looks, size: Size) -> None:
    """A toast above the bar says why the key that approves is off."""

    async def steps(seat: Seat) -> None:
        await seat.go("needs", "go-canary")
        await seat.press("a")
        await seat.sees("This is the past")

    assert looks(scenes.good_day(), 11, size, steps)


@SIZES
def test_from_live(looks_live: Looks, size: Size) -> None:
    """From the live board: the bar counts two new events, the footer has the way back."""

    async def steps(seat: Seat) -> None:
        await seat.press("t")
        await seat.until(lambda: seat.past and seat.past.reading is None, "the end of reading")
        await seat.press("left", "left")
        await seat.at(16)
        await seat.until(lambda: seat.past and seat.past.timeline.searched == 18, "all marks")
        seat.write(scenes.updates("sena", status="failed"), scenes.updates("orion", status="idle"))
        await seat.sees("2 new")

    assert looks_live(scenes.good_day(), size, steps)


@pytest.fixture
def looks_live(snap_compare: Any) -> Looks:
    """Whether the past looks as it did when it was entered from a live board."""

    def compare(scene: list[Event], size: Size, steps: Steps) -> bool:
        write(scene)
        app = BoardApp(NAME, Config(), clock=lambda: NOW)
        app.animation_level = "none"

        async def before(pilot: Pilot[None]) -> None:
            seat = Seat(app, pilot, NAME)
            await seat.until(lambda: app.live is not None, "a first look")
            await seat.read(len(scene))
            await steps(seat)
            await pilot.pause()

        return bool(snap_compare(app, terminal_size=size, run_before=before))

    return compare


@SIZES
def test_light(looks: Looks, size: Size) -> None:
    """Dark on light: the bar's lit part, its place and its marks can be told apart."""
    assert looks(scenes.deadlock(), 7, size, theme="collab-light")


def test_ascii(looks: Looks) -> None:
    """The bar without any sign that a terminal could draw too wide."""
    assert looks(scenes.deadlock(), 7, WIDE, ascii=True)


def test_empty(looks: Looks) -> None:
    """That there is nothing to replay, and the path."""
    assert looks([], 0, WIDE)
