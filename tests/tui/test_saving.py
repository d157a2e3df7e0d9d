"""Saving what is shown: as a picture or as text, of the live board and of the past, never over another file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from collab_tui.tui.picture import place_characters, save, stem_of
from tests.tui import scenes
from tests.tui.scenes import NOW
from tests.tui.seat import Seat, replaying, sitting

HERE = Path()


async def saves(seat: Seat, *keys: str) -> None:
    """Ask to save, and choose with these keys."""
    await seat.press("y")
    await seat.dialog("ChooseScreen")
    await seat.sees("Save what is shown", "as a picture (SVG)", "as text")
    await seat.press(*keys)
    await seat.closed()


def saved(pattern: str) -> list[Path]:
    return sorted(HERE.glob(pattern))


async def test_text_is_what_the_screen_shows() -> None:
    async with sitting(scenes.good_day()) as seat:
        shown = [line.rstrip() for line in seat.lines]
        await saves(seat, "down", "enter")
        await seat.sees("Saved as collab-tui-2025-10-20T14-03-30-event-18.txt")
        (path,) = saved("*.txt")
        assert path.read_text(encoding="utf-8").splitlines() == shown
        assert "릴리스 4 release" in path.read_text(encoding="utf-8")


async def test_a_picture_has_every_line_of_the_screen_and_no_dialog() -> None:
    async with sitting(scenes.calm()) as seat:
        await saves(seat, "enter")
        await seat.sees("Saved as collab-tui-2025-10-20T14-03-30-event-3.svg")
        (path,) = saved("*.svg")
        picture = path.read_text(encoding="utf-8")
        assert picture.startswith('<svg xml:space="preserve"')
        assert "GO for the canary?" in picture.replace("\xa0", " ")
        assert "Save what is shown" not in picture.replace("\xa0", " ")
        assert not re.search(r"(?:url\(|href=)[\"']?http", picture), "it would fetch something"


async def test_a_picture_never_takes_the_place_of_another_nor_shows_that_it_was_saved() -> None:
    async with sitting(scenes.calm()) as seat:
        await saves(seat, "down", "enter")
        await seat.until(lambda: len(saved("*.txt")) == 1, "the first")
        first = saved("*.txt")[0].read_bytes()
        await saves(seat, "down", "enter")
        await seat.sees("event-3-2.txt")
        assert saved("*event-3.txt")[0].read_bytes() == first
        assert saved("*event-3-2.txt")[0].read_bytes() == first


async def test_a_moment_of_the_past_has_its_time_and_its_event_in_the_name() -> None:
    async with replaying(scenes.good_day(), "11") as seat:
        await saves(seat, "down", "enter")
        await seat.until(lambda: saved("*.txt"), "the file")
        (path,) = saved("*.txt")
        assert path.name == "collab-tui-2025-10-20T13-29-30-event-11.txt"
        assert "event 11 of 18" in path.read_text(encoding="utf-8")


async def test_a_frozen_picture_is_saved_as_it_is() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.press("space")
        seat.write(scenes.updates("orion", status="idle"))
        await seat.sees("frozen, 1 new")
        await saves(seat, "down", "enter")
        await seat.until(lambda: saved("*event-3.txt"), "the file")
        assert "orion" not in saved("*event-3.txt")[0].read_text(encoding="utf-8")


async def test_nothing_is_saved_when_the_question_is_left() -> None:
    async with sitting(scenes.calm()) as seat:
        await saves(seat, "escape")
        assert saved("collab-tui*") == []


async def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    async with sitting(scenes.calm(), path=tmp_path / "registry.jsonl") as seat:
        monkeypatch.chdir(folder)
        folder.rmdir()
        await saves(seat, "enter")
        await seat.sees("Nothing was saved in the folder you are in: No such file")
        monkeypatch.chdir(tmp_path)


def test_wide_characters_have_two_cells_and_what_comes_after_them_its_own_place() -> None:
    svg = '<svg class="x"><text class="a" x="12.2" y="20" textLength="61" clip-path="url(#c)">한a&amp;│</text></svg>'
    placed = place_characters(svg)
    assert 'x="12.2 36.6 48.8 61.0"' in placed
    assert "textLength" not in placed
    assert ">한a&amp;│</text>" in placed


def test_text_without_a_length_is_left_alone() -> None:
    svg = '<svg ><text x="5" y="2">title</text></svg>'
    assert place_characters(svg) == '<svg xml:space="preserve" ><text x="5" y="2">title</text></svg>'


def test_names_tell_the_moment_where_it_has_a_time() -> None:
    assert stem_of(NOW, 214) == "collab-tui-2025-10-20T14-03-30-event-214"
    assert stem_of(None, 2) == "collab-tui-event-2"


def test_files_get_numbers_instead_of_each_others_places(tmp_path: Path) -> None:
    paths = [save(f"{n}", tmp_path, "a", ".txt") for n in range(3)]
    assert [path.name for path in paths] == ["a.txt", "a-2.txt", "a-3.txt"]
    assert [path.read_text(encoding="utf-8") for path in paths] == ["0", "1", "2"]
