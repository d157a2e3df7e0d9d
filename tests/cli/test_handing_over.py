"""Runs that the monitor has, from the command line: handed over, cancelled, gone on with."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from collab_tui.registry.append import append
from tests.cli.sessions import Project, project_in
from tests.orchestrator.noting import Noting, lines_of
from tests.program import eventually

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
