"""Terminals and consoles that cannot show everything: the board keeps its lines, and says what it can."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.e2e.terminal import strange_tokens, terminal
from tests.e2e.test_board import TITLES, board
from tests.events import asks, lines, updates
from tests.program import PROGRAM, environment

ENCODINGS = {
    "cp949": {"PYTHONIOENCODING": "cp949"},
    "ascii": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    path = tmp_path / "registry.jsonl"
    path.write_bytes(
        lines(
            updates("sena", status="in_progress", progress=40, current_task="지표 검증 👍 é"),
            updates("lubit", status="waiting_for_sena"),
            asks("sena", "r1", request="배포할까요? ✔"),
        )
    )
    return path


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_lines_stay_as_wide_as_the_terminal(registry: Path, encoding: str) -> None:
    env = environment(registry.parent, **ENCODINGS[encoding])
    with terminal(PROGRAM, str(registry), cwd=registry.parent, env=env, encoding=encoding) as shown:
        shown.wait_for("배포할까요? +" if encoding == "cp949" else "??????????? +")
        shown.wait_for("? keys")
        framed = [line for line in shown.lines if line.startswith(("|", "+"))]
        assert len(framed) > 40
        assert {(cell_len(line.rstrip()), line.rstrip()[-1]) for line in framed} == {(160, "|"), (160, "+")}
        shown.send("q")
        assert shown.wait() == 0
        assert b"\\u" not in shown.raw
        assert strange_tokens(shown.raw.decode(encoding).encode(), TITLES) == []


def test_the_c_locale_is_utf8(registry: Path) -> None:
    with board(registry, LC_ALL="C") as shown:
        shown.wait_for("배포할까요? ✔")
