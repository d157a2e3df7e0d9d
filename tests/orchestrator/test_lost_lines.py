"""What becomes of a run whose lines, values or key are taken away, and whose agents outlive the process that had it."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from collab_tui.model.runs import RunState
from collab_tui.orchestrator import kept
from collab_tui.orchestrator.agent import Assignment
from collab_tui.orchestrator.kept import KeptRuns, RunError
from collab_tui.orchestrator.plan import Pipeline, Task
from collab_tui.registry.append import append
from tests.orchestrator.ground import RUN, until
from tests.orchestrator.stage import STOP, Stage
from tests.program import eventually

pytestmark = pytest.mark.usefixtures("in_time")
TASKS = (Task("a", "worker"), Task("b", "worker", needs=("a",)))


async def of_two_the_first(stage: Stage) -> tuple[list[str], bytes]:
    """A run that was cancelled in its second task; gives what was worked on, and the registry."""
    calls: list[str] = []

    async def work(assignment: Assignment) -> str:
        calls.append(assignment.task.key)
        if calls == ["a", "b"]:
            await asyncio.Event().wait()
        return assignment.task.key

    orchestrator = stage.orchestrator(worker=work)
    running = asyncio.create_task(orchestrator.run(Pipeline("trial", TASKS, policy=STOP), run_id=RUN))
    await until(lambda: calls == ["a", "b"])
    orchestrator.cancel(RUN)
    assert (await running).state is RunState.CANCELLED
    return calls, stage.path.read_bytes()


@pytest.mark.parametrize("how", ["lines", "key"])
async def test_a_run_that_began_and_of_which_nothing_is_proven_begins_nothing_anew(stage: Stage, how: str) -> None:
    calls, whole = await of_two_the_first(stage)
    (key,) = stage.folder.rglob("run-lines.json")
    if how == "lines":
        stage.path.write_bytes(whole.splitlines(keepends=True)[0])
    else:
        key.rename(key.with_name("away"))
    with pytest.raises(RunError, match=r"put (that|it) back"):
        await stage.orchestrator(worker=calls.append).resume(RUN)
    assert calls == ["a", "b"]
    if how == "key":
        with pytest.raises(RunError, match="put it back"):
            await stage.orchestrator(worker=calls.append).run(Pipeline("other", TASKS))
        assert not key.exists()


async def test_what_is_odd_about_its_lines_is_told_when_it_goes_on(stage: Stage) -> None:
    await of_two_the_first(stage)
    append(str(stage.path), {"agent": "x", "event": "run_task", "run": RUN, "task": "b", "state": "done"})
    result = await stage.orchestrator(worker=lambda: "anew").resume(RUN)
    assert result.results == {"a": "a", "b": "anew"}
    assert any("did not write, and does not believe" in notice for notice in stage.notices)


@pytest.mark.parametrize("how", ["emptied", "cut", "replaced"])
async def test_what_was_done_is_given_whatever_became_of_the_registry_meanwhile(stage: Stage, how: str) -> None:
    def work(assignment: Assignment) -> str:
        if assignment.task.key == "b":
            lines = stage.path.read_bytes().splitlines(keepends=True)
            if how == "replaced":
                stage.path.with_name("new").write_bytes(lines[0])
                stage.path.with_name("new").replace(stage.path)
            else:
                os.truncate(stage.path, 0 if how == "emptied" else len(lines[0]))
        return assignment.task.key

    result = await stage.run(*TASKS, worker=work)
    assert (result.state, result.results) == (RunState.DONE, {"a": "a", "b": "b"})
    assert [task.state for task in result.run.tasks] == ["done", "done"]


async def test_a_yes_to_what_is_another_now_is_none(stage: Stage) -> None:
    built: list[str] = []
    deployed: list[str] = []

    def build() -> str:
        built.append(f"{len(built) + 1}" + "x" * 100_000)
        return built[-1]

    async def deploy(assignment: Assignment) -> str:
        deployed.append(assignment.inputs["build"][0])
        if len(deployed) == 1:
            await asyncio.Event().wait()
        return "deployed"

    tasks = (Task("build", "builder"), Task("deploy", "deployer", needs=("build",), needs_approval=True))
    orchestrator = stage.orchestrator(builder=build, deployer=deploy)
    running = asyncio.create_task(orchestrator.run(Pipeline("trial", tasks, policy=STOP), run_id=RUN))
    await stage.decide("approved")
    await until(lambda: deployed)
    orchestrator.cancel(RUN)
    await running
    shutil.rmtree(stage.path.parent / "runs" / RUN)
    again = asyncio.create_task(stage.orchestrator(builder=build, deployer=deploy).resume(RUN))
    await stage.decide("approved")
    assert (await again).state is RunState.DONE
    assert deployed == ["1", "2"]
    assert len(stage.requests()) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="a lock is not handed on there")
def test_nothing_is_gone_on_with_before_the_agents_of_before_are_gone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, notices = KeptRuns(stage.path), list[str]()
    first = runs.new("demo", "g", {}, RUN)
    agent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[first.agents])
    with agent:
        first.end()
        monkeypatch.setattr(kept, "_ENDING", 0.05)
        with pytest.raises(RunError, match="do not end"):
            runs.load(RUN, notices.append)
        assert len(notices) == 1
        assert not runs.is_held(RUN)
        agent.kill()
    eventually(lambda: agent.returncode is not None)
    runs.load(RUN).end()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no modes there")
def test_all_that_is_made_for_a_run_is_for_the_eyes_of_its_user(stage: Stage) -> None:
    runs = KeptRuns(stage.path)
    runs.new("demo", "g", {}, RUN).end()
    made = [runs.folder, *runs.folder.parents]
    assert {each.stat().st_mode & 0o077 for each in made[: made.index(stage.folder)]} == {0}


def test_what_is_left_of_a_run_that_was_never_kept_goes_after_a_day(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = KeptRuns(stage.path)
    rest: Path = runs.folder / "ffffffff"
    rest.mkdir(parents=True)
    runs.new("demo", "g", {}, "00000001").end()
    assert rest.exists()
    monkeypatch.setattr(kept, "_REST", -1.0)
    runs.new("demo", "g", {}, "00000002").end()
    assert not rest.exists()
