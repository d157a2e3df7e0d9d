"""Appending without waiting for the disk, against a bare open, write and close of the same line."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from collab_tui.registry.append import append, encode
from tests.benchmarks.pairs import paired, processor_seconds
from tests.benchmarks.report import Goal, Row

_EVENT: dict[str, Any] = {
    "agent": "sena",
    "event": "status_update",
    "current_task": "정보이론 메트릭 구현과 검증",
    "status": "in_progress",
    "progress": 40,
    "next_action": "Lubit 검증 대기 후 배포",
    "message": "p50 went from 41 ms to 14 ms, p99 is unchanged; the rest is one full paint 📈",
}
_LINE = encode({"id": "0123456789abcdef", "timestamp": "2026-01-05T08:00:00.000Z", **_EVENT})
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT
_COUNT = 2000
_RUNS = 9
_WRITERS = 16
_SECONDS = 2.0


def run(work: Path, *, large: bool) -> Iterator[Row]:
    """One writer, then many at once."""
    ours, bare, ratio = paired(lambda: _one(work, _append_ours), lambda: _one(work, _append_bare), _RUNS)
    yield Row(
        "append, 1 process",
        f"{1 / ours:,.0f} lines/s",
        f"{1 / bare:,.0f} lines/s",
        1 / ratio,
        goal=Goal(0.40, at_least=True),
        note="append(durable=False), 14 system calls with the lock and the last line, vs open(O_APPEND), write, close "
        f"of a prepared line; processor time, {_RUNS} pairs",
    )
    bare_counts = _many(work / "bare.jsonl", _append_bare)
    counts = _many(work / "ours.jsonl", _append_ours)
    yield Row(
        f"append, {_WRITERS} processes",
        f"{sum(counts) / _SECONDS:,.0f} lines/s",
        f"{sum(bare_counts) / _SECONDS:,.0f} lines/s",
        sum(counts) / sum(bare_counts),
        note=f"in all, over {_SECONDS:g} s",
    )
    yield Row(
        "worst writer / best",
        f"{min(counts):,} / {max(counts):,}",
        f"{min(bare_counts):,} / {max(bare_counts):,}",
        min(counts) / max(counts),
        goal=Goal(0.25, at_least=True),
        note="lines of each writer in that time: nobody starves",
    )


def _append_ours(path: str) -> None:
    append(path, _EVENT, durable=False)


def _append_bare(path: str) -> None:
    descriptor = os.open(path, _FLAGS, 0o600)
    os.write(descriptor, _LINE)
    os.close(descriptor)


def _one(work: Path, write: Callable[[str], None]) -> float:
    """Processor seconds per line of a writer that has the file for itself."""
    path = work / "alone.jsonl"
    path.unlink(missing_ok=True)
    name = str(path)

    def loop() -> None:
        for _ in range(_COUNT):
            write(name)

    return processor_seconds(loop) / _COUNT


def _many(path: Path, write: Callable[[str], None]) -> list[int]:
    """Lines that each of many writers got in."""
    context = multiprocessing.get_context("spawn")
    barrier, counts = context.Barrier(_WRITERS), context.Queue()
    writers = [context.Process(target=_write_on, args=(str(path), write, barrier, counts)) for _ in range(_WRITERS)]
    for writer in writers:
        writer.start()
    found = [counts.get(timeout=60) for _ in writers]
    for writer in writers:
        writer.join()
    return found


def _write_on(path: str, write: Callable[[str], None], barrier: Barrier, counts: Any) -> None:
    barrier.wait()
    end, count = time.monotonic() + _SECONDS, 0
    while time.monotonic() < end:
        write(path)
        count += 1
    counts.put(count)
