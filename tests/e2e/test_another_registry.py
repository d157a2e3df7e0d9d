"""The registry becomes another while the board looks at it: that is said, and the board is the new one's, once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.test_board import board
from tests.events import asks, lines, updates
from tests.program import emit

OLD = lines(*(updates(f"old{n}", status="in_progress", current_task="the first life") for n in range(9)))
NEW = lines(updates("sena", status="idle", current_task="the second life"), asks("sena", "r1", request="Go on?"))


def moved_over(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(NEW)
    os.replace(other, path)


def truncated_to_the_middle(path: Path) -> None:
    size = path.stat().st_size
    os.truncate(path, size // 2)
    with path.open("ab") as file:
        file.write(b"\n" + NEW)


def truncated_to_nothing(path: Path) -> None:
    os.truncate(path, 0)
    with path.open("ab") as file:
        file.write(NEW)


def rewritten_in_the_same_place(path: Path) -> None:
    """As many bytes, the same file: neither its size nor its number tells."""
    with path.open("r+b") as file:
        file.write(NEW.ljust(len(OLD) - 1, b" ") + b"\n")


def deleted_and_made_again(path: Path) -> None:
    path.unlink()
    path.write_bytes(NEW)


@pytest.mark.parametrize(
    "change",
    [
        moved_over,
        truncated_to_nothing,
        truncated_to_the_middle,
        rewritten_in_the_same_place,
        deleted_and_made_again,
    ],
)
def test_it_is_followed_and_said(tmp_path: Path, change: Callable[[Path], None]) -> None:
    path = tmp_path / "registry.jsonl"
    path.write_bytes(OLD)
    with board(path) as shown:
        shown.wait_for("9 agents")
        change(path)
        shown.wait_for("another one is shown, from its start")
        shown.wait_for("the second life")
        shown.wait_for("Go on?")
        if change is not truncated_to_the_middle:
            shown.wait_for(lambda: "1 agent " in shown.text and "the first life" not in shown.text)
        emit(path, "gitcode", "status_update", "--task", "what comes then")
        shown.wait_for("what comes then")
        shown.wait_for("1 needs you")  # once, whatever was read before
        shown.send("q")
        assert shown.wait() == 0
