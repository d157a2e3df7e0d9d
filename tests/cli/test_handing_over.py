"""Runs that the monitor has, from the command line: handed over, cancelled, gone on with."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from collab_tui.cli.handing_over import cancel_run
from collab_tui.cli.session.giving import Line
from collab_tui.monitor.acting import has_ended
from collab_tui.orchestrator.hosted import Hosted, HostedRuns
from collab_tui.orchestrator.kept import HeldError, KeptRuns, LeftError
from collab_tui.protocol.commands import Carrier
from collab_tui.registry.append import append
from tests.cli.sessions import Project, git, project_in
from tests.events import board_of, starts_run
from tests.orchestrator.noting import Noting, lines_of
from tests.program import PATIENCE, eventually, started

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs a terminal that a program can make, as only Unix has")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with project_in(tmp_path) as project:
        yield project


@pytest.fixture
def steps(tmp_path: Path) -> Noting:
    return Noting(tmp_path / "steps")


def test_a_run_in_the_monitor_outlives_the_command_and_is_cancelled_and_gone_on_with(
    project: Project, steps: Noting
) -> None:
    begun = project.person("run", str(steps.path), "--detach", "--json")
    run = json.loads(begun.out)["run"]
    eventually(lambda: steps.notes() == ["first", "wait"])
    assert run in project.person("monitor", "--status").out
    agent = lines_of(project.path, "run_started")[0]["agent"]
    append(str(project.path), {"agent": agent, "event": "run_ended", "run": run, "state": "done"})
    append(str(project.path), {"agent": agent, "event": "run_resumed", "run": run, "carrier": "f" * 12, "host": "x"})
    append(str(project.path), {"agent": agent, "event": "run_ended", "run": run, "state": "failed"})
    told = project.person("run", "--cancel", run[:4])
    assert told.code == 0, told.err
    eventually(lambda: len(lines_of(project.path, "run_ended")) == 3)
    again = project.person("run", "--cancel", run)
    assert (again.code, f"the run {run} is over: cancelled" in again.err) == (1, True)
    steps.let_go()
    assert project.person("run", "--resume", run, "--detach").code == 0
    eventually(lambda: len(lines_of(project.path, "run_ended")) == 4)
    assert steps.notes() == ["first", "wait", "wait", "last"]


def test_what_does_not_begin_there_says_why(project: Project, steps: Noting) -> None:
    (steps.folder / "noting_agent.py").unlink()
    steps.change('"{python}", "{folder}/noting_agent.py", ', '"no-such-program", ')
    refused = project.person("run", str(steps.path), "--detach")
    assert refused.code == 1
    assert "no-such-program" in refused.err
    assert lines_of(project.path, "run_started") == []


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_a_run_is_cancelled_also_where_its_monitor_is_gone_and_nothing_starts_for_that(
    project: Project, steps: Noting, how: str
) -> None:
    run = json.loads(project.person("run", str(steps.path), "--detach", "--json").out)["run"]
    eventually(lambda: steps.notes() == ["first", "wait"])
    acting = project.acts()
    assert acting is not None
    if how == "killed":
        os.kill(acting.pid, signal.SIGKILL)
        assert has_ended(acting, PATIENCE)
    else:
        project.end()
    assert list(project.state.rglob(f"hosted_runs/*/{run}.json"))
    told = project.person("run", "--cancel", run)
    assert told.code == 0, told.err
    assert (project.acts(), steps.notes()) == (None, ["first", "wait"])
    assert not list(project.state.rglob(f"hosted_runs/*/{run}.json"))
    assert lines_of(project.path, "run_ended")[-1]["reason"] == "cancelled by hand"
    again = project.person("run", "--cancel", run)
    assert (again.code, f"the run {run} is over: cancelled" in again.err) == (1, True)


def test_a_note_that_was_left_behind_makes_no_run_cancelled_that_is_done(project: Project, steps: Noting) -> None:
    steps.let_go()
    run = json.loads(project.person("run", str(steps.path), "--detach", "--json").out)["run"]
    (note,) = project.state.rglob(f"hosted_runs/*/{run}.json")
    kept = note.read_bytes()
    eventually(lambda: lines_of(project.path, "run_ended") and not note.exists())
    project.end()
    note.write_bytes(kept)
    told = project.person("run", "--cancel", run)
    assert (told.code, f"the run {run} is over: done" in told.err) == (1, True)
    assert (len(lines_of(project.path, "run_ended")), note.exists()) == (1, False)


def test_a_run_that_somebody_resumed_just_now_keeps_its_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def is_left(*_: object) -> Carrier:
        raise LeftError("its process is gone")

    monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, **__: str(tmp_path / "state"))
    monkeypatch.setattr("collab_tui.cli.handing_over.carrier_of_run", is_left)
    path = tmp_path / "registry.jsonl"
    hosted, resumed = HostedRuns(path), KeptRuns(path).new("demo", "a goal", {})
    hosted.keep(Hosted(resumed.id, "c1", "start_run", "/p.toml", "2026-01-01T00:00:00+00:00"))
    (run,) = board_of(starts_run(resumed.id)).runs
    with pytest.raises(HeldError):
        cancel_run(cast("Line", SimpleNamespace(path=path, check_person=lambda: None)), run)
    resumed.end()
    assert [one.run for one in hosted.all()] == [resumed.id]


def test_a_run_whose_process_was_killed_is_ended_by_cancelling_it_and_its_worktrees_are_let_go_of(
    project: Project, steps: Noting
) -> None:
    steps.change("]\n\n[role", "]\nworktree = true\n\n[role")
    git(project.folder, "init", "--quiet")
    git(project.folder, "commit", "--quiet", "--allow-empty", "--message", "first")
    with started("run", str(steps.path), cwd=project.folder, env=project.env) as running:
        running.wait_for(lambda: steps.notes() == ["first", "wait"])
        running.process.kill()
        running.wait()
    run = lines_of(project.path, "run_started")[0]["run"]
    assert f"run-{run}/wait" in git(project.folder, "worktree", "list")
    told = project.person("run", "--cancel", run)
    assert (told.code, f"the run {run} is ended; " in told.out) == (0, True), told.err
    assert f"run-{run}" not in git(project.folder, "worktree", "list") + git(project.folder, "branch")
    assert not list(project.folder.parent.glob("*.worktrees/*"))


def test_a_run_whose_process_was_killed_is_cancelled_and_nothing_of_it_is_left_on_the_board(
    project: Project, steps: Noting
) -> None:
    steps.change('key = "wait"', 'approval = "person"\nkey = "wait"')
    with started("run", str(steps.path), cwd=project.folder, env=project.env) as running:
        running.wait_for(lambda: any(line["state"] == "asked" for line in lines_of(project.path, "run_task")))
        running.process.kill()
        running.wait()
    run = lines_of(project.path, "run_started")[0]["run"]
    told = project.person("run", "--cancel", run)
    assert told.code == 0, told.err
    board = project.anybody("status", "--json").json
    assert [request["state"] for request in board["requests"]] == ["withdrawn"]
    assert all(agent["gone"] for agent in board["agents"] if agent["name"].endswith(run[:4]))
    assert "No agent has written yet" in project.anybody("status").out
    (listed,) = project.anybody("runs", "--json").json
    assert (listed["state"], listed["reason"]) == ("cancelled", "cancelled by hand")
    with started("run", "--resume", run, cwd=project.folder, env=project.env) as running:
        running.wait_for(lambda: len(project.events("decision_request")) == 2)
        request = project.events("decision_request")[-1]["id"]
        steps.let_go()
        assert project.person("decide", request, "approve").code == 0
        assert running.wait() == 0
    assert steps.notes() == ["first", "wait", "last"]
