"""A run in lines, as it goes."""

from __future__ import annotations

import pytest

from collab_tui.cli.run_progress import Change, Teller
from collab_tui.model.event import Event
from tests.events import at, fold_of, has_tasks, items, starts_run, task_is


def test_a_task_that_was_reviewed_took_as_long_as_its_work_and_its_review(capsys: pytest.CaptureFixture[str]) -> None:
    *story, done = (
        starts_run(timestamp=at(0)),
        has_tasks({"key": "odd", "role": "worker", "review": "judge"}),
        task_is("odd", "running", attempt=1, timestamp=at(0)),
        task_is("odd", "worked", attempt=1, took_ms=400, timestamp=at(1)),
        task_is("odd", "reviewing", "v-1", attempt=2, work="review", timestamp=at(1)),
        task_is("odd", "done", "v-1", attempt=2, work="review", took_ms=132, timestamp=at(2)),
    )
    (run,) = fold_of(*story, done).board().runs
    (event,) = items(done)
    assert isinstance(event, Event)
    Teller("").change(Change(run, run.tasks[0], event, None))
    assert "odd  done in 532 ms" in capsys.readouterr().out
