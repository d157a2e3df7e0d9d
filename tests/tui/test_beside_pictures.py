"""Pictures of the screens beside the board, at four sizes. A docstring says what one should see.

`.venv/bin/python -m pytest tests/tui/test_beside_pictures.py --snapshot-update` accepts new ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from textual.pilot import Pilot

from collab_tui.config import Config
from collab_tui.model.places import Number
from collab_tui.tui.app import BoardApp
from collab_tui.tui.visiting import Beginning
from tests.tui.atlas import Atlas, choose, sample
from tests.tui.scenes import NOW
from tests.tui.seat import NAME, Seat, write

SIZES = pytest.mark.parametrize("size", [(160, 48), (100, 40), (80, 24), (60, 40)], ids=lambda s: f"{s[0]}x{s[1]}")
Size = tuple[int, int]


@pytest.fixture
def looks(snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Whether the sample looks as it did after a key, with a row selected, after more keys."""
    monkeypatch.setattr("collab_tui.tui.machine.Machine", Atlas)

    def compare(
        size: Size,
        key: str,
        row: str,
        keys: Sequence[str] = (),
        awaited: str = "",
        event: int | None = None,
        **settings: Any,
    ) -> bool:
        write(sample())
        beginning = Beginning(Number(event)) if event is not None else None
        app = BoardApp(NAME, Config(**settings), clock=lambda: NOW, beginning=beginning)
        app.animation_level = "none"

        async def before(pilot: Pilot[None]) -> None:
            seat = Seat(app, pilot, NAME)
            if event is None:
                await seat.until(lambda: app.live is not None, "a first look")
                await seat.read(len(sample()))
            else:
                await seat.until(lambda: seat.past is not None and seat.past.reading is None, "the end of reading")
                await seat.at(event)
            await seat.press(key)
            await seat.until(lambda: seat.screen in ("SessionsScreen", "WorkersScreen"), "the screen")
            await choose(seat, row)
            if key == "s" and event is None:
                await seat.sees("gone with monitor")
                await seat.sees("12 of 14 tests" if row == "sena" else "It put out nothing yet")
            await seat.press(*keys)
            if awaited:
                await seat.sees(awaited)
            await pilot.pause()

        return bool(snap_compare(app, terminal_size=size, run_before=before))

    return compare


@SIZES
def test_sessions(looks: Any, size: Size) -> None:
    """gitcode, which asks, first; then what runs; then what is gone, lost, stopped, failed, each with its own sign.

    sena is selected, with all its lines. Wide: facts and output beside the list. Else below it; 80x24 without facts.
    """
    assert looks(size, "s", "sena")


@SIZES
def test_workers(looks: Any, size: Size) -> None:
    """What waits for you first, then the sources (one stopped in red), running, queue, decisions and executions.

    A decision is selected: its chain from the event to two executions stands beside the list, or below it.
    """
    assert looks(size, "w", "worker:d1a0000000000001")


@pytest.mark.parametrize("key", ["s", "w"])
def test_in_ascii(looks: Any, key: str) -> None:
    """Every sign of ours is ASCII, and the frames too."""
    assert looks((100, 40), key, {"s": "sena", "w": "worker:d1a0000000000001"}[key], ascii=True)


@pytest.mark.parametrize("key", ["s", "w"])
def test_without_colour(looks: Any, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR: the terminal's own colours, and what is odd in bold or reversed."""
    monkeypatch.setenv("NO_COLOR", "1")
    assert looks((100, 40), key, {"s": "sena", "w": "worker:d1a0000000000001"}[key])


DIALOGS = {
    "prompt": (("p",), "earlier prompts"),
    "start": (("n",), "which agent"),
    "stop": (("x",), "2 commits stand nowhere else"),
    "details": (("e",), "73656e6100000000"),
    "diff": (("d",), "found.pop()"),
    "output": (("enter",), "12 of 14 tests of the parser pass"),
}


@pytest.mark.parametrize("name", DIALOGS)
def test_dialogs(looks: Any, name: str) -> None:
    """80x24: prompt with its box, start with its five fields, stop with what would be lost, details, diff in colours.

    `output` is no dialog: the output has the whole screen.
    """
    keys, awaited = DIALOGS[name]
    assert looks((80, 24), "s", "sena", keys, awaited)


@pytest.mark.parametrize(("key", "row"), [("s", "sena"), ("w", "worker:d1a0000000000001")])
def test_the_past(looks: Any, key: str, row: str) -> None:
    """Event 40 of the past: the header says replay, the bar of the past is below, no key in the footer gives a command.

    Of output there is only that it is not kept.
    """
    assert looks((100, 40), key, row, event=40)
