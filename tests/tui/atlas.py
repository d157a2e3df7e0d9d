"""The machine of `sample_state/{sessions,runs}.jsonl`, as its monitor and its user's folder would tell of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

from collab_tui.model.board import Board
from collab_tui.model.sessions import Observed, Session
from collab_tui.model.words import name_key
from collab_tui.monitor.watching import Watch
from collab_tui.protocol.commands import Carrier
from collab_tui.sessions.terminal_model import Picture, captured
from collab_tui.tui.machine import HereError, Machine
from collab_tui.tui.widgets.item_list import ItemList
from tests.program import PATIENCE
from tests.tui.seat import Seat, sitting

SAMPLE = Path(__file__).parents[2] / "sample_state" / "sessions.jsonl"
RUNS = SAMPLE.with_name("runs.jsonl")
OUTPUT = """\x1b[1m> Write the log parser. Tests first.\x1b[0m

I begin with the tests of whole lines, then of torn ones.

\x1b[36mRead\x1b[0m  parser/lines.py  \x1b[2m84 lines\x1b[0m
\x1b[36mEdit\x1b[0m  tests/parser/test_lines.py
  \x1b[32m+ def test_a_torn_line_is_told_with_its_place() -> None:\x1b[0m
  \x1b[31m- def test_torn() -> None:\x1b[0m
\x1b[36mRun\x1b[0m   pytest tests/parser -q
  ............\x1b[31mFF\x1b[0m
  \x1b[33m12 of 14 tests of the parser pass\x1b[0m
"""
DIFF = """\
diff --git a/parser/lines.py b/parser/lines.py
--- a/parser/lines.py
+++ b/parser/lines.py
@@ -12,4 +12,6 @@ def lines_of(data: bytes) -> list[bytes]:
     found = data.split(b"\\n")
-    return found
+    if found and not found[-1]:
+        found.pop()
+    return found
"""
MONITOR_ID = "5d0c6a1e9f42"
_WATCHES = {"maestro": Watch.ELSEWHERE, "bot": Watch.GONE, "probe": Watch.NOBODY}


def sample(path: Path = SAMPLE) -> list[str]:
    """Its lines, at the time of the tests of the screen."""
    text = path.read_text(encoding="utf-8").replace("2026-11-20T", "2025-10-20T")
    return text.splitlines(keepends=True)


class Atlas(Machine):
    """Answers as that machine does, and remembers what was done."""

    def __init__(self, registry: Any) -> None:
        super().__init__(registry)
        self.host = "atlas"
        self.own = Carrier(MONITOR_ID, "atlas")
        self.outputs: dict[str, str] = {"sena": OUTPUT}
        self.peeked: list[str] = []
        self.monitors = 0
        self.gone: set[str] = set()
        """Ids of the runs whose process is gone."""
        self.odd: dict[str, str] = {}
        """Sessions that run, whatever is told -> why that is odd."""
        self.held: Event | None = None
        """What a look at output waits for."""
        self.fault: Exception | None = None

    def known(self, sessions: Iterable[Session]) -> Sequence[Session]:
        """As the registry tells, but for what is odd."""
        odd = self.odd
        return [replace(s, observed=Observed.WORKING, why=odd[s.name]) if s.name in odd else s for s in sessions]

    def watch(self, sessions: Iterable[Session]) -> Mapping[str, Watch]:
        """Most of them are watched."""
        return {s.run: _WATCHES.get(s.name, Watch.MONITOR) for s in sessions if s.observed.is_running}

    def ensure_monitor(self) -> None:
        """There is one, or it cannot be started."""
        self.monitors += 1
        if self.fault is not None:
            raise self.fault

    def peek(self, session: Session, width: int) -> Picture:
        """Its output."""
        self.peeked.append(session.name)
        if self.held is not None:
            assert self.held.wait(PATIENCE)
        if not self.is_here(session):
            raise HereError(f"it runs on {session.host}: look at it there")
        output = self.outputs.get(session.name, "")
        return captured(output, max(width, *map(len, output.split("\n"))))

    def losses(self, session: Session) -> Sequence[str]:
        """What stands nowhere else."""
        return ["3 files are changed and not committed: parser/lines.py and 2 more", "2 commits stand nowhere else"]

    def diff(self, session: Session) -> str:
        """What it changed."""
        return DIFF

    def gone_agents(self, board: Board) -> frozenset[str]:
        """Those of the runs that are told to be gone."""
        return frozenset(name_key(name) for run in board.runs if run.id in self.gone for name in run.agents())

    def attach_command(self, session: Session) -> Sequence[str]:
        """A program that ends at once."""
        return ["true"]


@asynccontextmanager
async def beside(key: str, scene: Sequence[Any] | None = None, **how: Any) -> AsyncIterator[tuple[Seat, Atlas]]:
    """Sit down before one of the screens beside the board: `s` sessions, `w` workers, `r` runs."""
    shown = sample(RUNS if key == "r" else SAMPLE) if scene is None else scene
    async with sitting(shown, **{"size": (120, 40), **how}) as seat:
        machine = seat.app.desk.machine
        assert isinstance(machine, Atlas)
        await seat.press(key)
        await seat.until(lambda: seat.screen in ("SessionsScreen", "WorkersScreen", "RunsScreen"), "the screen")
        yield seat, machine


async def choose(seat: Seat, key: str) -> None:
    """Select a row of the list."""
    rows = seat.app.screen.query_one(ItemList)
    await seat.until(lambda: key in rows.keys, f"{key} among {rows.keys}")
    rows.select(key)
    await seat.until(lambda: rows.selected == key, key)
