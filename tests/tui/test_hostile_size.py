"""As long and as many as one line can hold: a dialog draws a bounded part of it and says what it leaves out."""

from __future__ import annotations

from textual.widgets import Static

from tests.tui import scenes
from tests.tui.seat import Seat, sitting

MANY = 6_000
LINES = 490_000
"""Line ends, each two bytes in JSON: as many as fit into one line of the registry."""
SCENE = [
    scenes.updates("fields", 1, status="in_progress", **{f"f{n}": n for n in range(MANY)}),
    scenes.updates("blockers", 1, status="blocked", blockers=[f"b{n}" for n in range(MANY)]),
    scenes.updates("dependencies", 1, status="waiting", dependencies=[f"b{n}" for n in range(MANY)]),
    scenes.updates("lines", 1, status="in_progress", current_task="a\n" * 9000),
    scenes.updates("긴" * 300_000, 1, status="in_progress"),
    scenes.asks("asker", "options", "which?", options=[f"o{n}" for n in range(MANY)]),
    scenes.asks("asker", "evidence", "well?", evidence=[f"o{n}" for n in range(MANY)]),
    scenes.asks("asker", "details", "well?", details="\n" * LINES + "end"),
    scenes.asks("asker", "lines", "a\n" * 9000, default="a\n" * 1000),
    scenes.asks("asker", "r" * 40_000, "긴" * 120_000, details="말" * 80_000),
    scenes.told("asker", "k" * 900_000, 1),
    '{"agent": "x' + "\\u001b[2J" * 9_000 + "\n",
    '{"agent":"asker","event":"x","message":' + "[" * 9_000 + "]" * 9_000 + "}\n",
]
"""What is long or many stands in the name of the agent or of the request."""


def drawn(seat: Seat) -> tuple[int, int, int]:
    """Widgets of the screen on top, and characters and lines of its texts."""
    texts = [str(widget.visual) for widget in seat.app.screen.query(Static)]
    return len(list(seat.app.screen.query("*"))), sum(map(len, texts)), sum(text.count("\n") for text in texts)


async def open_and_check(seat: Seat, key: str) -> str:
    """Open a dialog; gives what it says."""
    await seat.press(key)
    await seat.until(lambda: seat.screen != "BoardScreen", "a dialog")
    await seat.sees_no("reading the lines...", "folding...")
    widgets, characters, lines = drawn(seat)
    assert widgets < 200
    assert characters < 60_000
    assert lines < 1500
    told = "\n".join(str(widget.visual) for widget in seat.app.screen.query(Static))
    await seat.press("escape")
    await seat.closed()
    return told


async def test_dialogs_draw_a_part() -> None:
    async with sitting(SCENE) as seat:
        left_out = []
        for pane, key in (("needs", "enter"), ("agents", "e"), ("waits", "e")):
            await seat.go(pane)
            for row in seat.list_of(pane).keys[:6]:
                seat.list_of(pane).select(row)
                left_out.append(await open_and_check(seat, key))
        await seat.go("log")
        await seat.press("home")
        for _ in SCENE:
            left_out.append(await open_and_check(seat, "enter"))
            await seat.press("down")
        assert len(seat.lines) == 48
        for what in ("options", "evidence", "details", "fields", "blockers", "dependencies", "lines"):
            assert any(what in told and "more" in told and "not shown" in told for told in left_out), what


async def test_an_option_that_is_not_shown_is_not_chosen_by_a_click() -> None:
    async with sitting([SCENE[5]]) as seat:
        await seat.go_and_look("needs")
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        await seat.press("end")
        await seat.sees("5,940 more are not shown: choose one in words")
        place = next(y for y, line in enumerate(seat.lines) if "more are not shown" in line)
        await seat.pilot.click(offset=(seat.lines[place].index("more"), place))
        await seat.press("escape")
        await seat.closed()
        await seat.wrote_nothing()
