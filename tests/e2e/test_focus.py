"""The board calls the person who looks elsewhere, as a terminal tells by its sequences, and nobody who looks at it."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.terminal import terminal
from tests.events import lines, updates
from tests.program import PROGRAM, emit, environment

GOT_FOCUS, LOST_FOCUS = "\x1b[I", "\x1b[O"
REPORTS_FOCUS = 1004


def test_it_rings_while_the_terminal_looks_elsewhere_and_only_then(tmp_path: Path) -> None:
    path = tmp_path / "registry.jsonl"
    path.write_bytes(lines(updates("sena", status="in_progress", current_task="metrics v2")))
    with terminal(PROGRAM, str(path), cwd=tmp_path, env=environment(tmp_path)) as board:
        board.wait_for("metrics v2")
        assert REPORTS_FOCUS in board.modes

        board.send(GOT_FOCUS)
        emit(path, "sena", "decision_request", "--field", "request=While I look?")
        board.wait_for("While I look?")

        board.send(LOST_FOCUS)
        emit(path, "sena", "status_update", "--progress", "41")
        board.wait_for("41 %")
        assert board.bells == 0  # also not of what was seen before the focus went

        emit(path, "lubit", "decision_request", "--field", "request=While I am away?")
        board.wait_for("While I am away?")
        board.wait_for(lambda: board.bells)

        board.send(GOT_FOCUS)
        emit(path, "gitcode", "decision_request", "--field", "request=And back again?")
        board.wait_for("And back again?")
        board.send("q")
        assert board.wait() == 0
        assert board.bells == 1
