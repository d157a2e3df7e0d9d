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
from collab_tui.tui.widgets.runs import row_key
from tests.tui.atlas import RUNS, SAMPLE, Atlas, choose, sample
from tests.tui.scenes import NOW
from tests.tui.seat import NAME, Seat, write

SCREENS = ("SessionsScreen", "WorkersScreen", "RunsScreen")
ROWS = {"s": "sena", "w": "worker:d1a0000000000001", "r": "3f9a1c27"}
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
        shown = sample(RUNS if key in ("r", "") else SAMPLE)
        write(shown)
        beginning = Beginning(Number(event)) if event is not None else None
        app = BoardApp(NAME, Config(**settings), clock=lambda: NOW, beginning=beginning)
        app.animation_level = "none"

        async def before(pilot: Pilot[None]) -> None:
            seat = Seat(app, pilot, NAME)
            if event is None:
                await seat.until(lambda: app.live is not None, "a first look")
                await seat.read(len(shown))
            else:
                await seat.until(lambda: seat.past is not None and seat.past.reading is None, "the end of reading")
                await seat.at(event)
            if key:
                await seat.press(key)
                await seat.until(lambda: seat.screen in SCREENS, "the screen")
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


@SIZES
def test_runs(looks: Any, size: Size) -> None:
    """The run that asks first, its tasks below it in the order in which they can be done; then the others, folded.

    Beside it, or below: the graph from left to right with the critical path heavy, what is asked, who works on what,
    what went wrong, the figures; and where it is wide the blackboard.
    """
    assert looks(size, "r", "3f9a1c27")


@pytest.mark.parametrize("size", [(160, 48), (80, 24)], ids=lambda s: f"{s[0]}x{s[1]}")
def test_a_task_of_a_run(looks: Any, size: Size) -> None:
    """`plan/links`: bold in the graph, which did not move; below what it needs and gives, then its three attempts."""
    assert looks(size, "r", row_key("3f9a1c27", "plan/links"))


def test_the_values_of_a_run(looks: Any) -> None:
    """80x24: the blackboard stands in place of the graph and has the keys; the second revision is marked."""
    assert looks((80, 24), "r", "3f9a1c27", ("v",))


@pytest.mark.parametrize("size", [(160, 48), (60, 40)], ids=lambda s: f"{s[0]}x{s[1]}")
def test_a_run_on_the_board(looks: Any, size: Size) -> None:
    """The seats of the run stand below the one that leads it, behind a thin line; the header counts one run."""
    assert looks(size, "", "")


@pytest.mark.parametrize("key", ROWS)
def test_in_ascii(looks: Any, key: str) -> None:
    """Every sign of ours is ASCII, and the frames too."""
    assert looks((100, 40), key, ROWS[key], ascii=True)


@pytest.mark.parametrize("key", ROWS)
def test_without_colour(looks: Any, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR: the terminal's own colours, and what is odd in bold or reversed."""
    monkeypatch.setenv("NO_COLOR", "1")
    assert looks((100, 40), key, ROWS[key])


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


DIALOGS_OF_RUNS = {
    "cancel": (("c",), "Never starts: 4 tasks"),
    "start": (("n",), "Choose a pipeline: what it would start"),
    "pipelines": (("n", "enter"), "team  comes with collab-tui"),
}


@pytest.mark.parametrize("name", DIALOGS_OF_RUNS)
def test_dialogs_of_runs(looks: Any, name: str) -> None:
    """80x24: `cancel` names the two tasks that end, the one that is not asked any more, and what stays; enter cancels
    nothing. `start` has its three fields, and says where it will be seen what would be started; `pipelines` lists the
    one that comes with us, in a box of its own over the fields below.
    """
    keys, awaited = DIALOGS_OF_RUNS[name]
    assert looks((80, 24), "r", "3f9a1c27", keys, awaited)


@pytest.mark.parametrize(("key", "row"), ROWS.items())
def test_the_past(looks: Any, key: str, row: str) -> None:
    """Event 40 of the past: the header says replay, the bar of the past is below, no key in the footer gives a command.

    Of output there is only that it is not kept.
    """
    assert looks((100, 40), key, row, event=40)
