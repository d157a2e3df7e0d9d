"""Another request under the id of the one that is shown: what was read of the one never answers the other."""

from __future__ import annotations

import os

import pytest

from collab_tui.config import user_config_file
from collab_tui.protocol.keys import NAME
from collab_tui.tui.screens import answering
from tests.tui import scenes
from tests.tui.scenes import asks, line, updates
from tests.tui.seat import Seat, sitting

SHOWN, OTHER = "Rename the file?", "Delete production?"
POLL = 0.05


def scene(words: str, **fields: str) -> list[scenes.Event]:
    return [asks("gitcode", "go", words, 4, **fields), updates("sena", 1, status="in_progress")]


async def swap(seat: Seat, way: str = "replaced") -> bytes:
    """Put other words under the same id, by another file or within the same; ends when the board has read them."""
    changed = "".join(line(event) for event in [*scene(OTHER), updates("sena", 0, progress=5)]).encode()
    if way == "replaced":
        seat.path.with_name("other.jsonl").write_bytes(changed)
        os.replace(seat.path.with_name("other.jsonl"), seat.path)
    else:
        seat.path.write_bytes(changed)
    await seat.until(lambda: seat.app.live.board.position == 3, "the other lines")
    await seat.until(lambda: seat.board.view.moment.board.request("go").request == OTHER, "the other request")
    return changed


async def unchanged(seat: Seat, before: bytes) -> None:
    """Nothing was or is being appended."""
    await seat.until(lambda: not seat.app.desk.sending, "the end of sending")
    assert seat.path.read_bytes() == before


async def refused(seat: Seat, opens: bool) -> None:
    """The dialog says that it is about another request, the list that nothing was written."""
    if opens:
        await seat.sees("It is another request by now")
    else:
        await seat.until(lambda: "was not answered: the registry was replaced meanwhile" in seat.toasts, "a toast")


@pytest.mark.parametrize("way", ["replaced", "rewritten"])
async def test_the_dialog_does_not_answer_what_it_does_not_show(way: str) -> None:
    async with sitting(scene(SHOWN), poll=POLL) as seat:
        await seat.go_and_look("needs", "go")
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        before = await swap(seat, way)
        await seat.sees(SHOWN, "It is another request by now")
        await seat.press("a")
        await unchanged(seat, before)
        await seat.press("escape")
        await seat.closed()
        await seat.go_and_look("needs", "go")
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        await seat.sees(OTHER)
        await seat.press("a")
        await seat.until(lambda: seat.path.read_bytes() != before, "the answer to what is shown now")


@pytest.mark.parametrize("opens", [True, False], ids=["dialog", "list"])
async def test_a_confirmation_of_the_one_does_not_answer_the_other(opens: bool) -> None:
    async with sitting(scene(SHOWN, urgency="critical"), poll=POLL) as seat:
        await seat.go_and_look("needs", "go")
        if opens:
            await seat.press("enter")
            await seat.dialog("RequestScreen")
        await seat.press("a")
        await seat.dialog("ConfirmScreen")
        before = await swap(seat)
        await seat.press("tab", "enter")
        await refused(seat, opens)
        await unchanged(seat, before)


@pytest.mark.parametrize("opens", [True, False], ids=["dialog", "list"])
async def test_a_key_made_for_the_one_does_not_answer_the_other(opens: bool) -> None:
    (user_config_file().parent / NAME).unlink()
    async with sitting(scene(SHOWN), poll=POLL) as seat:
        await seat.go_and_look("needs", "go")
        if opens:
            await seat.press("enter")
            await seat.dialog("RequestScreen")
        await seat.press("a")
        await seat.dialog("KeyScreen")
        before = await swap(seat)
        await seat.press("enter")
        await refused(seat, opens)
        await unchanged(seat, before)


@pytest.mark.parametrize(("pane", "key"), [("needs", "go"), ("waits", "wait:gitcode\nhuman"), ("agents", "gitcode")])
async def test_a_row_with_other_words_has_to_be_looked_at_anew(
    pane: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sitting(scene(SHOWN), poll=POLL) as seat:
        await seat.go_and_look(pane, key)
        monkeypatch.setattr(answering, "SEEN_FOR", 60)
        rows = seat.list_of(pane)
        rows._on_screen_since = {row: since - 120 for row, since in rows._on_screen_since.items()}
        before = await swap(seat)
        await seat.press("a")
        await seat.until(lambda: "It only just appeared" in seat.toasts, "a toast")
        await unchanged(seat, before)


async def test_the_row_of_a_deadlock_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async with sitting(scenes.deadlock(), poll=POLL) as seat:
        key = next(key for key in seat.list_of("needs").keys if "\n" in key)
        await seat.go_and_look("needs", key)
        monkeypatch.setattr(answering, "SEEN_FOR", 60)
        rows, request = seat.list_of("needs"), seat.list_of("needs").request
        rows._on_screen_since = {row: since - 120 for row, since in rows._on_screen_since.items()}
        before = seat.path.read_bytes().replace(request.request.encode(), OTHER.encode())
        seat.path.with_name("other.jsonl").write_bytes(before)
        os.replace(seat.path.with_name("other.jsonl"), seat.path)
        await seat.until(lambda: rows.request and rows.request.request == OTHER, "the other request")
        await seat.press("a")
        await seat.until(lambda: "It only just appeared" in seat.toasts, "a toast")
        await unchanged(seat, before)
