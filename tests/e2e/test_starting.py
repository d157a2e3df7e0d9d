"""What `collab-tui start` shows to a person who looks: at the width of the terminal, and nothing that steers it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal
from tests.events import asks, lines, says, updates
from tests.program import PROGRAM, environment

EVIL = "\x1b[2J\x1b]0;owned\x07 정보이론 메트릭 검증 필요 " * 3
LONG = "the metrics of the second version, which are entropy, mutual information and the gain of both in bits"


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    path = tmp_path / "COLLABORATION_STATE.jsonl"
    path.write_bytes(
        lines(
            updates("sena", status="in_progress", current_task=LONG),
            asks("sena", "aaaa0001", request=f"Approve {LONG}?", target="lubit"),
            says(
                "gitcode", "message", target="lubit", message="\x1b[2J\x1b]0;owned\x07 정보이론 메트릭 검증 필요 " * 3
            ),
        )
    )
    return path


@contextmanager
def shown(registry: Path, *options: str, columns: int = 80) -> Iterator[Terminal]:
    """The terminal when the command has ended."""
    command = [PROGRAM, "start", "--agent", "lubit", *options]
    terminal = Terminal(command, cwd=registry.parent, env=environment(registry.parent), columns=columns, rows=60)
    try:
        assert terminal.wait() == 0, terminal.text
        yield terminal
    finally:
        terminal.close()


def test_lines_are_wrapped_below_their_own_beginning(registry: Path) -> None:
    with shown(registry) as terminal:
        rows = [line.rstrip() for line in terminal.lines]
    assert rows[0].startswith('NEXT: answer first. sena asks you "Approve the metrics')
    start = next(n for n, row in enumerate(rows) if row.startswith('- sena asks "Approve'))
    assert rows[start + 1].startswith("  ")
    assert " ".join(row.strip() for row in rows[start : start + 2]).startswith(f'- sena asks "Approve {LONG}?"')
    assert '  collab-tui decide aaaa0001 VERDICT --agent lubit -m "WHY"' in rows


@pytest.mark.parametrize("columns", [20, 60, 200])
def test_nothing_is_lost_at_any_width(registry: Path, columns: int) -> None:
    with shown(registry, columns=columns) as terminal:
        text = "".join(terminal.text.split())
        assert "메트릭검증필요" in text
        assert "Waitingforyouranswer:" in text


def test_words_of_others_do_not_steer_the_terminal(registry: Path) -> None:
    with shown(registry) as terminal:
        assert terminal.titles == []
        assert "NEXT: answer first." in terminal.text
        assert "␛[2J" in terminal.text
