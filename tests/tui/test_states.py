"""A registry that is missing, empty, unreadable, replaced or gone: each looks different and says what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from collab_tui.registry import follow
from tests.tui import scenes
from tests.tui.scenes import told, updates
from tests.tui.seat import NAME, WIDE, sitting, write

MISSING = "There is no registry here yet"
EMPTY = "The registry is empty"
UNREADABLE = "The registry cannot be read"
GONE = "The registry is gone. This is what it said last"
REPLACED = "The registry was replaced: another one is shown, from its start."
EVERY = (MISSING, EMPTY, UNREADABLE, GONE, REPLACED)


def only(text: str, shown: str) -> bool:
    """The screen says this, and none of the others."""
    return shown in text and not any(other in text for other in EVERY if other != shown and other not in shown)


@pytest.mark.parametrize("size", [WIDE, (80, 24), (60, 40)])
async def test_missing_is_waited_for(size: tuple[int, int]) -> None:
    async with sitting(None, size=size) as seat:
        await seat.sees(MISSING, "registry.jsonl", "collab-tui connect claude", "collab-tui demo", "missing")
        assert only(seat.text, MISSING)
        seat.write(*scenes.calm())
        await seat.sees("GO for the canary?", "live")
        assert only(seat.text + MISSING, MISSING)
        assert seat.pane == "needs"


@pytest.mark.parametrize("size", [WIDE, (60, 40)])
async def test_what_was_waited_for_looks_as_if_it_had_been_there(size: tuple[int, int]) -> None:
    async with sitting(scenes.good_day(), size=size) as seat:
        await seat.sees("GO for canary", "canary goes out")
        expected = seat.lines[1:]
    NAME.unlink()
    async with sitting(None, size=size) as seat:
        await seat.sees(MISSING)
        seat.write(*scenes.good_day())
        await seat.until(lambda: seat.lines[1:] == expected, "the same panes")


async def test_what_was_changed_since_it_was_read_is_said() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.sees("GO for the canary?")
        assert "was changed since" not in seat.text
    NAME.write_bytes(NAME.read_bytes().replace(b"canary", b"caiman"))
    async with sitting(None) as seat:
        await seat.sees("GO for the caiman?", "was changed since: p says where")
        await seat.press("p")
        await seat.dialog("ProblemsScreen")
        await seat.sees("what the board had read")


@pytest.mark.parametrize("size", [WIDE, (80, 24), (60, 40)])
async def test_empty_says_how_to_begin(size: tuple[int, int]) -> None:
    async with sitting([], size=size) as seat:
        await seat.sees(EMPTY, "collab-tui connect claude", "collab-tui demo", "live")
        assert only(seat.text, EMPTY)
        seat.write(*scenes.calm())
        await seat.sees("GO for the canary?")


@pytest.mark.parametrize("size", [WIDE, (60, 40)])
async def test_a_board_without_agents_says_how_to_begin_until_there_is_one(size: tuple[int, int]) -> None:
    async with sitting([told("system", "registry_created", registry="0f")], size=size) as seat:
        await seat.sees("No agents yet. To begin, in another terminal:")
        for command in (
            "collab-tui connect claude  or codex: it takes part",
            "collab-tui guide           for any other agent",
            "collab-tui demo            watch three agents",
        ):
            assert command in seat.text
        seat.write(updates("sena", status="idle"))
        await seat.sees_no("No agents yet")


async def test_a_folder_is_unreadable() -> None:
    NAME.mkdir()
    async with sitting(None) as seat:
        await seat.sees(UNREADABLE, "it is a folder", "collab-tui FILE.jsonl", "unreadable")
        assert only(seat.text, UNREADABLE)
        NAME.rmdir()
        write(scenes.calm())
        await seat.sees("GO for the canary?", "live")


async def test_replaced_while_it_is_open() -> None:
    async with sitting(scenes.calm()) as seat:
        write([updates("orion", status="idle")], Path("other.jsonl"))
        os.replace("other.jsonl", NAME)
        await seat.sees(REPLACED, "orion")
        assert only(seat.text, REPLACED)
        assert "GO for the canary?" not in seat.text


async def test_truncated_and_rewritten_are_said_too() -> None:
    async with sitting(scenes.good_day()) as seat:
        write([updates("orion", status="idle")], mode="wb")
        await seat.sees("The registry was truncated", "orion")
    async with sitting(scenes.calm(), path=Path("other.jsonl")) as seat:
        write(scenes.good_day(), Path("other.jsonl"), "wb")
        await seat.sees("The registry was rewritten", "하나")


async def test_deleted_while_it_is_open_and_made_again() -> None:
    async with sitting(scenes.calm()) as seat:
        NAME.unlink()
        await seat.sees(GONE, "GO for the canary?", "missing")
        assert only(seat.text, GONE)
        seat.write(updates("orion", status="idle"))
        # A file system may give the new file the number of the old one: then it counts as truncated.
        await seat.sees("another one is shown, from its start", "orion", "live")
        await seat.sees_no("GO for the canary?")


async def test_replaced_by_a_folder_while_it_is_open() -> None:
    async with sitting(scenes.calm()) as seat:
        NAME.unlink()
        NAME.mkdir()
        await seat.sees("The registry cannot be read: it is a folder. This is what it said last.", "GO for the canary?")


async def test_replaced_by_an_empty_one_and_filled() -> None:
    async with sitting(scenes.calm()) as seat:
        NAME.write_bytes(b"")
        await seat.sees(EMPTY)
        seat.write(*scenes.good_day())
        await seat.sees("Which tagger first?")
        assert seat.pane is not None


async def test_polling_is_shown() -> None:
    async with sitting(scenes.calm(), poll=0.05) as seat:
        await seat.sees("0.05 s", "--poll 0.05")
        seat.write(updates("orion", status="idle"))
        await seat.sees("orion")


async def test_a_network_drive_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "silent_file_system", lambda path: "nfs4")
    monkeypatch.setattr(follow, "NETWORK_POLL", 0.05)
    async with sitting(scenes.calm()) as seat:
        await seat.sees("Network file system (nfs4)", "appends made by hand on two machines can be lost")
        seat.write(updates("orion", status="idle"))
        await seat.sees("orion")


async def test_a_hostile_name_of_the_file() -> None:
    async with sitting(scenes.calm(), path=Path("[bold]x\x1b[2J[@click=app.quit].jsonl")) as seat:
        await seat.sees("[bold]x", "GO for the canary?")
        assert "\x1b" not in seat.text
        write([], seat.path, "wb")
        await seat.sees(EMPTY, "[@click=app.quit].jsonl")
        assert "\x1b" not in seat.text
