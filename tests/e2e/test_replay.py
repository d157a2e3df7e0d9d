"""Replay as a person meets it: the real program in a real terminal, on the samples."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal, terminal
from tests.events import asks, at, lines, updates
from tests.program import PROGRAM, emit, environment, run

DEADLOCK = Path(__file__).parent.parent.parent / "sample_state" / "deadlock.jsonl"


@contextmanager
def replay(home: Path, *arguments: str, columns: int = 160, rows: int = 48, **env: str) -> Iterator[Terminal]:
    with terminal(
        PROGRAM, "replay", *arguments, cwd=home, env=environment(home, TZ="UTC", **env), columns=columns, rows=rows
    ) as shown:
        yield shown


def test_a_saved_registry_is_played_stepped_and_sought_through(tmp_path: Path) -> None:
    before = DEADLOCK.read_bytes()
    with replay(tmp_path, str(DEADLOCK)) as shown:
        shown.wait_for("◷ replay  event")
        shown.wait_for("▶ 30x")
        shown.wait_for("8 min gap shortened")
        shown.send(" ")
        shown.wait_for("‖ 30x")
        shown.send("\x1b[F")  # end
        shown.wait_for("event 18 of 18")
        shown.wait_for("Does anybody move?")
        shown.send("(")
        shown.wait_for("event 16 of 18")
        shown.wait_for("⟲ deadlock")
        shown.send("[")
        shown.wait_for("event 12 of 18")
        shown.send("\x1b[D")  # left
        shown.wait_for("event 11 of 18")
        shown.send("{")
        shown.wait_for("event 9 of 18")
        shown.wait_for("no credentials for staging")
        shown.send(":")
        shown.wait_for("event number or time")
        shown.send("13:05:31\r")
        shown.wait_for("event 5 of 18   2026-11-20 13:05:31")
        shown.send("a")
        shown.wait_for("This is the past, event 5 of 18")
        shown.send("+")
        shown.wait_for("‖ 100x")
        shown.send("q")
        assert shown.wait() == 0
        assert 25 in shown.modes
        assert shown.settings_now == shown.settings
        assert b"Traceback" not in shown.raw
    assert DEADLOCK.read_bytes() == before
    assert os.listdir(DEADLOCK.parent) == [name for name in os.listdir(DEADLOCK.parent) if not name.endswith(".lock")]


def test_it_begins_where_it_is_told_to(tmp_path: Path) -> None:
    with replay(tmp_path, str(DEADLOCK), "--at", "13:44:30") as shown:
        shown.wait_for("event 12 of 18   2026-11-20 13:44:30   ‖ 30x")
    with replay(tmp_path, str(DEADLOCK), "--at", "-5m", "--speed", "1") as shown:
        shown.wait_for("▶ 1x")
    with replay(tmp_path, str(DEADLOCK), "--speed", "max") as shown:
        shown.wait_for("event 18 of 18   2026-11-20 14:02:20   ‖ max")


def test_without_a_name_it_finds_the_registry_of_the_project(tmp_path: Path) -> None:
    (tmp_path / ".collab").mkdir()
    (tmp_path / ".collab" / "registry.jsonl").write_bytes(lines(updates("sena", current_task="the first task")))
    with replay(tmp_path) as shown:
        shown.wait_for("the first task")
        shown.wait_for("event 1 of 1")


def test_the_board_goes_back_in_time_while_others_write(tmp_path: Path) -> None:
    path = tmp_path / "registry.jsonl"
    path.write_bytes(
        lines(updates("sena", timestamp=at(0), current_task="metrics v2"), asks("sena", "r1", request="Go?"))
    )
    with terminal(PROGRAM, str(path), cwd=tmp_path, env=environment(tmp_path)) as shown:
        shown.wait_for("metrics v2")
        shown.wait_for("live 2, 0 new", press="t")
        shown.send("\x1b[D")
        shown.wait_for("event 1 of 2")
        emit(path, "lubit", "status_update", "--task", "a new task")
        shown.wait_for("live 3, 1 new")
        assert "a new task" not in shown.text
        shown.send("\x1b")
        shown.wait_for("a new task")
        shown.wait_for("● live")


def test_a_moment_is_saved_in_the_folder_one_is_in(tmp_path: Path) -> None:
    with replay(tmp_path, str(DEADLOCK), "--at", "16") as shown:
        shown.wait_for("event 16 of 18")
        shown.send("y")
        shown.wait_for("as a picture (SVG)")
        shown.send("\r")
        shown.wait_for("Saved as collab-tui-2026-11-20T13-59-51-event-16.svg")
    assert [path.name for path in tmp_path.glob("*.svg")] == ["collab-tui-2026-11-20T13-59-51-event-16.svg"]


@pytest.mark.parametrize(("columns", "rows"), [(60, 40), (80, 24), (20, 5)])
def test_it_follows_every_size(tmp_path: Path, columns: int, rows: int) -> None:
    with replay(tmp_path, str(DEADLOCK), "--at", "16") as shown:
        shown.wait_for("event 16 of 18   2026-11-20 13:59:51")
        shown.wait_for("? keys")
        shown.resize(columns, rows)
        shown.wait_for(lambda: shown.lines[-1].strip() and "16 of 18" in shown.text)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("there-is-none.jsonl",), "there is no there-is-none.jsonl"),
        (("folder.jsonl",), "cannot read folder.jsonl: it is a folder"),
        (("--at", "soon"), "argument --at: 'soon': that is no event and no time"),
        (("--at", "25:00"), "there is no such time"),
        (("--speed", "fast"), "argument --speed: 'fast' is neither max nor a number"),
        (("--speed", "0"), "argument --speed: '0' is neither max nor a number"),
        (("a.jsonl", "--registry", "b.jsonl"), "give one registry"),
    ],
)
def test_what_cannot_be_replayed_is_refused_with_one_clear_line(
    tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    with replay(tmp_path, *arguments, columns=200) as shown:
        assert shown.wait() == 2
        assert told in shown.text
        assert b"Traceback" not in shown.raw
        assert b"\x1b[?1049h" not in shown.raw


def test_without_a_terminal_it_is_refused(tmp_path: Path) -> None:
    done = run("replay", str(DEADLOCK), cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == b"collab-tui: the board needs a terminal; `collab-tui log` prints the events instead\n"


def test_help_has_examples(tmp_path: Path) -> None:
    done = run("replay", "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert b"collab-tui replay FILE.jsonl --at 16:31" in done.stdout
    assert b"replay" in run("--help", cwd=tmp_path).stdout
