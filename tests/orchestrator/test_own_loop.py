"""Runs in programs of their own: killed and gone on with, ended by signals, left in time."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from collab_tui.model.runs import TaskState
from collab_tui.orchestrator import attempt, own_loop
from collab_tui.orchestrator.agent import Assignment, Given
from collab_tui.orchestrator.plan import Pipeline, Task
from tests.orchestrator.ground import RUN
from tests.orchestrator.stage import GO_ON, STOP, Stage, give_key
from tests.program import environment, eventually

pytestmark = pytest.mark.usefixtures("in_time")


@contextmanager
def process(stage: Stage, how: str) -> Iterator[subprocess.Popen[str]]:
    """A run in a process of its own."""
    program = [sys.executable, "-m", "tests.orchestrator.team_of_callables", stage.path, stage.folder, how, RUN]
    running = subprocess.Popen(
        list(map(str, program)),
        env=environment(stage.folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


def calls(stage: Stage) -> list[str]:
    return sorted((stage.folder / "calls").read_text(encoding="utf-8").split())


def is_half_way(stage: Stage) -> bool:
    is_told = stage.states("wait")[-1:] == ["running"] and "done" in stage.states("beside")
    return is_told and "wait" in calls(stage)


def test_killed_it_goes_on_in_another_process_and_nothing_that_is_done_is_done_again(stage: Stage) -> None:
    with process(stage, "run") as first:
        eventually(lambda: is_half_way(stage))
        first.kill()
        first.wait()
    (stage.folder / "go").touch()
    with process(stage, "resume") as second:
        out, errors = second.communicate(timeout=60)
    assert (out.strip(), second.returncode) == ("done last of ['beside', 'wait']", 0), errors
    assert calls(stage) == ["beside", "first", "last", "wait", "wait"]
    assert stage.states("wait") == ["running", "running", "done"]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to one process there")
@pytest.mark.parametrize("how", ["run", "stubborn"])
def test_ctrl_c_ends_it_and_tells_of_every_task(stage: Stage, how: str) -> None:
    with process(stage, how) as running:
        eventually(lambda: is_half_way(stage))
        running.send_signal(signal.SIGINT)
        if how == "stubborn":  # and once more, as one does
            eventually(lambda: stage.states("last") == ["cancelled"])
            running.send_signal(signal.SIGINT)
        eventually(lambda: stage.told(event="run_ended", state="cancelled"))
        (stage.folder / "go").touch()
        _, errors = running.communicate(timeout=60)
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert stage.states("wait") == ["running", "cancelled"]
    assert stage.states("last") == ["cancelled"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal to one process there")
def test_sigterm_ends_it_in_good_order_and_then_its_program(stage: Stage) -> None:
    with process(stage, "run") as running:
        eventually(lambda: is_half_way(stage))
        running.terminate()
        eventually(lambda: stage.told(event="run_ended", state="cancelled"))
        (stage.folder / "go").touch()
        running.communicate(timeout=60)
    assert running.returncode == -signal.SIGTERM
    assert stage.states("wait") == ["running", "cancelled"]


def test_one_that_never_ends_does_not_hold_up_the_program(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "LEEWAY", 0.05)
    monkeypatch.setattr(own_loop, "LEAVING", 0.05)

    async def never_end() -> None:
        while True:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    pipeline = Pipeline("trial", [Task("never", "worker", timeout=0.01)], policy=GO_ON)
    result = stage.orchestrator(worker=never_end).run_all(pipeline)
    assert result.failures["never"].state is TaskState.TIMED_OUT
    assert any("does not heed being cancelled" in notice for notice in stage.notices)


def test_an_interrupt_in_the_midst_of_an_agent_ends_the_run_and_the_program(stage: Stage) -> None:
    class Interrupted:
        told = "interrupted"
        keeps_seat = announces = worktree = False

        async def check(self, surroundings: Any) -> None: ...

        def seated(self, seat: str, surroundings: Any) -> Any:
            return self

        async def work(self, assignment: Assignment) -> Given:
            raise KeyboardInterrupt

        async def settle(self, task: str) -> None: ...

        async def close(self) -> None: ...

    with pytest.raises(KeyboardInterrupt):
        stage.orchestrator(worker=Interrupted()).run_all(Pipeline("trial", [Task("a", "worker")], policy=STOP))
    assert stage.states("a") == ["running", "cancelled"]
    assert stage.told(event="run_ended", state="cancelled")


async def test_in_an_event_loop_a_run_is_awaited(stage: Stage) -> None:
    with pytest.raises(RuntimeError, match="await"):
        stage.orchestrator(worker=give_key).run_all(Pipeline("trial", [Task("a", "worker")]))
