"""`p` and the header's count list what `collab-tui doctor` tells, worked out beside the screen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from collab_tui.config import Config
from collab_tui.model.findings import finding_spans, grouped
from collab_tui.protocol import checkup
from collab_tui.protocol.checkup import check_up
from collab_tui.protocol.trust import Trust
from collab_tui.registry import doctor, seen
from tests.program import PATIENCE
from tests.signing import OTHER_KEY
from tests.tui import scenes
from tests.tui.scenes import NOW, decides, updates
from tests.tui.seat import NAME, WIDE, Seat, sitting
from tests.tui.test_pictures import SIZES, Looks, Size, looks, pressing

__all__ = ["looks"]

ODD = [*scenes.good_day(), "this is no JSON\n", scenes.updates("sena", 30, progress="a lot")]
"""A line that cannot be read, a time that goes back, progress that is no number."""


@pytest.fixture(autouse=True)
def _plain_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of the user alone, on a local disk; nothing installed."""
    monkeypatch.setattr(checkup, "installed", lambda environment: [])
    monkeypatch.setattr(doctor, "silent_file_system", lambda folder: None)
    monkeypatch.setattr(doctor, "mount_of", lambda folder: None)
    monkeypatch.setattr(doctor, "_mode", lambda file: iter(()))


async def listed(seat: Seat) -> None:
    """Wait until the list is there."""
    await seat.dialog("ProblemsScreen")
    await seat.sees_no("looking...")


async def test_p_lists_what_is_wrong_with_lines_and_what_to_do() -> None:
    async with sitting([*scenes.calm(), "no JSON\n", updates("sena", 30, progress="a lot")]) as seat:
        await seat.sees("3 problems")
        await seat.press("p")
        await listed(seat)
        await seat.sees("1 line is not JSON", "line 4", "gives a progress that is no number", "line 5", "0 to 100")
        await seat.press("escape")
        await seat.closed()


async def test_the_list_has_the_words_and_the_order_of_the_command() -> None:
    async with sitting([*scenes.deadlock(), "no JSON\n", *ODD], size=(200, 90)) as seat:
        await seat.press("p")
        await listed(seat)
        found = check_up(NAME, NOW, lambda config: [], "human").findings
        wanted = [finding_spans(finding)[0][0].text for _, group in grouped(found) for finding in group]
        assert len(wanted) > 3
        text = " ".join(seat.text.replace("│", " ").split())
        places = [text.find(words) for words in wanted]
        assert -1 not in places, wanted[places.index(-1)]
        assert places == sorted(places)


async def test_decisions_are_judged_by_the_keys_of_the_board() -> None:
    """The board of the demo has keys of its own, of which the settings know nothing."""
    async with sitting([updates("sena", 1, status="in_progress"), decides("lena", "x", "approved")]) as seat:
        seat.app.desk.trust = Trust("human", {"lena": OTHER_KEY.public.text})
        await seat.press("p")
        await listed(seat)
        await seat.sees("1 decision in a person's name carries no signature", "line 2")


@pytest.mark.parametrize("size", [WIDE, (80, 24)])
async def test_a_click_on_the_number_of_problems_lists_them(size: Size) -> None:
    async with sitting(ODD, size=size) as seat:
        told = "problems" if size == WIDE else "!3"
        await seat.sees(told)
        await seat.pilot.click("#header", offset=(seat.lines[0].index(told) + 1, 0))
        await listed(seat)


async def test_a_click_beside_the_number_does_nothing() -> None:
    async with sitting(ODD) as seat:
        await seat.sees("3 problems")
        for place in (2, seat.lines[0].index("3 problems") - 2, seat.lines[0].index("3 problems") + 11):
            await seat.pilot.click("#header", offset=(place, 0))
            assert seat.screen == "BoardScreen"


async def test_without_a_problem_it_says_so() -> None:
    async with sitting([updates("sena", 1, status="in_progress")]) as seat:
        await seat.press("p")
        await listed(seat)
        await seat.sees("Nothing odd was found.", "nothing is wrong")


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The list is worked out only once this is set."""
    opened = threading.Event()
    original = checkup.check_up

    def slow(*arguments: Any) -> Any:
        opened.wait(PATIENCE)
        return original(*arguments)

    monkeypatch.setattr(checkup, "check_up", slow)
    yield opened
    opened.set()


async def test_the_board_goes_on_while_it_looks(gate: threading.Event) -> None:
    async with sitting(ODD) as seat:
        await seat.press("p")
        await seat.dialog("ProblemsScreen")
        await seat.sees("looking...")
        seat.write(updates("orion", status="idle"))
        await seat.read(len(ODD) + 1)
        gate.set()
        await listed(seat)


async def test_closing_it_while_it_looks_is_quiet(gate: threading.Event) -> None:
    async with sitting(ODD) as seat:
        await seat.press("p")
        await seat.dialog("ProblemsScreen")
        await seat.press("escape")
        await seat.closed()
        gate.set()
        seat.write(updates("orion", status="idle"))
        await seat.sees("orion")


async def test_a_registry_that_went_away_is_told() -> None:
    async with sitting(ODD) as seat:
        NAME.unlink()
        await seat.sees("The registry is gone")
        await seat.press("p")
        await seat.dialog("ProblemsScreen")
        await seat.sees("there is no registry.jsonl")


async def test_a_frozen_picture_shows_the_problems_of_its_moment() -> None:
    async with sitting([*scenes.calm(), "no JSON\n"]) as seat:
        await seat.press("space")
        await seat.sees("frozen, 0 new")
        seat.write("[]\n", "null\n")
        await seat.sees("frozen, 2 new")
        await seat.press("p")
        await listed(seat)
        await seat.sees("1 line cannot be read", "line 4")


async def test_back_in_time_it_shows_the_problems_of_that_moment() -> None:
    async with sitting([*scenes.calm(), "no JSON\n", "[]\n"]) as seat:
        await seat.press("t")
        await seat.until(lambda: seat.board.view and seat.board.view.past, "the past")
        await seat.press("left")
        await seat.sees("1 problem")
        await seat.press("p")
        await listed(seat)
        await seat.sees("1 line cannot be read", "line 4")


async def test_markup_in_names_and_words_is_text() -> None:
    hostile = "[@click=app.quit]x[/] [/] \x1b[2J"
    scene = [*scenes.calm(), scenes.asks("sena", "r1", hostile, target=hostile)]
    async with sitting(scene) as seat:
        await seat.press("p")
        await listed(seat)
        await seat.sees("[@click=app.quit]x[/] [/] ␛[2J")


# What was read is remembered


async def test_a_change_of_what_the_board_had_read_is_told_when_it_looks_again() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.until(lambda: seen.recall(NAME), "what was read")
    data = NAME.read_bytes()
    NAME.write_bytes(data.replace(b"canary", b"cannon"))
    async with sitting(None) as seat:
        await seat.read(3)
        await seat.press("p")
        await listed(seat)
        await seat.sees("What was read before", "was changed, first in bytes 0 to", "lines 1-3")


async def test_at_the_end_all_that_was_read_is_remembered() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.until(lambda: seen.recall(NAME), "what was read first")
        seat.write(updates("orion", status="idle"))
        await seat.sees("orion")
        worker = next(worker for worker in seat.app.workers if worker.group == "follow")
        worker.cancel()
        await seat.until(lambda: (known := seen.recall(NAME)) and known.lines == 4, "all four lines")


async def test_where_nothing_can_be_remembered_the_board_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(NAME.absolute()))
    async with sitting(scenes.calm(), config=Config()) as seat:
        seat.write(updates("orion", status="idle"))
        await seat.sees("orion")


# Pictures


@SIZES
def test_problems(looks: Looks, size: Size) -> None:
    """A line that is not JSON, a time that goes back, progress that is no number: each with its line, and below it,
    dimmed, what to do. The heading in the accent colour, the signs in a column of their own, the count in the frame.
    """
    assert looks(ODD, size, pressing("agents", None, "p", "ProblemsScreen"))


@SIZES
def test_wild(looks: Looks, size: Size) -> None:
    """A deadlock on top with a red sign, then all that can be wrong with lines; it scrolls where it does not fit."""
    odd = [
        *scenes.deadlock(),
        "<<<<<<< HEAD\n",
        '{"agent": "lubit", "event": "stat{"timestamp": "2025-10-20T14:00:00Z", "agent": "sena", "event": "x"}\n',
        '{"agent": "gitcode", "event": "status_up\n',
        b'{"agent": "\xbc\xbc\xb3\xaa", "event": "message"}\n',
        scenes.decides("human", "nobody", "approved"),
        scenes.asks("maestro", "who", "Who knows 한국어?", target="bob"),
    ]
    assert looks(odd, size, pressing("agents", None, "p", "ProblemsScreen"))
