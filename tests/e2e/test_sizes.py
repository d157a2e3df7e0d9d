"""Terminals of any size, and of sizes that change faster than anybody can paint."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.e2e.terminal import strange_tokens
from tests.e2e.test_board import TITLES, board
from tests.events import asks, lines, updates
from tests.program import emit


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    path = tmp_path / "registry.jsonl"
    path.write_bytes(
        lines(
            *(updates(f"agent{n}", status="in_progress", progress=n, current_task="지표 metrics") for n in range(30)),
            asks("sena", "r1", request="Approve metrics v2?"),
        )
    )
    return path


@pytest.mark.parametrize(("columns", "rows"), [(1, 1), (20, 5), (500, 200)])
def test_it_starts_in_any_size_and_ends(registry: Path, columns: int, rows: int) -> None:
    with board(registry, columns, rows) as shown:
        shown.wait_for(lambda: shown.titles)  # the first board was drawn
        if rows > 5:
            shown.wait_for("Approve metrics v2?")
            shown.wait_for(lambda: "? keys" in shown.lines[-1])
        for keys in ("\t", "\r", "\x1b", "?", "\x1b", "e", "\x1b", "p", "\x1b", "m", "\x1b"):
            shown.send(keys)
        shown.resize(160, 48)
        shown.wait_for("Approve metrics v2?", press="\x1b")
        shown.wait_for("? keys")
        shown.process.send_signal(signal.SIGTERM)  # whatever dialog the keys left open
        assert shown.wait() == 128 + signal.SIGTERM
        assert shown.settings_now == shown.settings
        assert strange_tokens(shown.raw, TITLES) == []


def test_a_storm_of_sizes(registry: Path) -> None:
    with board(registry) as shown:
        shown.wait_for("Approve metrics v2?")
        for number in range(300):
            shown.resize(1 + number * 37 % 300, 1 + number * 17 % 120)
            if number % 100 == 50:
                emit(registry, f"storm{number}", "status_update", "--status", "blocked", "--blocker", "the weather")
        shown.resize(160, 48)
        shown.wait_for("34 agents")
        shown.wait_for("the weather")
        shown.wait_for(lambda: "? keys" in shown.lines[-1])
        shown.send("q")
        assert shown.wait() == 0
        assert b"Traceback" not in shown.raw
