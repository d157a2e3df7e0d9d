"""With real sessions of a scripted agent: from an event to a commit on a branch, the person's yes in between."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from collab_tui.model.sessions import Observed
from collab_tui.model.workers import WorkerKind
from collab_tui.registry.kept import kept_for, monitor_of
from collab_tui.sessions.manager import SessionManager
from collab_tui.workers.job import Job, Step
from collab_tui.workers.jobs import Jobs
from tests.workers.stage import Stage, event

AGENT = Path(__file__).with_name("agent.py")

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="no git")


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=sena", "-c", "user.email=sena@example.org", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, encoding="utf-8").stdout


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(tmp_path / "config"))
    monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, **__: str(tmp_path / "state"))
    agents = tmp_path / "config" / "agents"
    agents.mkdir(parents=True)
    for name, what in (("judge", "judge"), ("doer", "do"), ("stuck", "hang")):
        command = json.dumps([sys.executable, str(AGENT), what])
        (agents / f"{name}.toml").write_text(
            f'driver = "command"\ncommand = {command}\nread_only = ["--only-look"]\n', encoding="utf-8"
        )
    made = Stage(tmp_path / "project")
    git(tmp_path / "project", "init", "-q", "-b", "main")
    git(tmp_path / "project", "commit", "-q", "--allow-empty", "-m", "Begin")
    return made


async def test_from_an_event_to_a_commit(stage: Stage, tmp_path: Path) -> None:
    config, project = stage.config(), tmp_path / "project"
    manager = SessionManager(
        stage.path, config, monitor_id=monitor_of(kept_for(stage.path)), notice=stage.notices.append, environment=None
    )
    service = stage.service()
    async with manager:
        await service.start(manager, config)
        await service.take(event("login"))
        await stage.until(lambda: "execution asked" in stage.states().get("login-tests", ()))
        assert git(project, "branch", "--list", "collab/*") == ""
        stage.decide("approved")
        await stage.until(lambda: stage.states()["login-tests"][-1] in ("execution done", "execution failed"))
        await stage.until(lambda: Jobs(stage.path).all() == [])
        await service.end()
    decision, execution = stage.board().workers
    assert (decision.outcome, execution.outcome) == ("login is done", "1 commit: did login-tests")
    branches = git(project, "branch", "--list", "collab/*", "--format", "%(refname:short)").split()
    assert len(branches) == 1
    assert git(project, "log", "--format=%s", f"main..{branches[0]}") == "Do login-tests\n"
    last = stage.lines("worker")[-1]
    assert last["result"] == {"branch": branches[0], "commits": 1, "summary": "did login-tests"}
    assert [session.observed for session in stage.board().sessions] == [Observed.STOPPED] * 2
    assert [notice.rpartition(": ")[0] for notice in stage.notices if notice.endswith(": 1 commit: did login-tests")]


async def test_what_is_told_of_work_is_what_that_run_did_and_not_one_before_it(stage: Stage, tmp_path: Path) -> None:
    agents, config = tmp_path / "config" / "agents", stage.config()
    lazy = "import pathlib, sys; sys.stdin.read(); pathlib.Path('junk.txt').touch(); print('I did nothing.')"
    command = json.dumps([sys.executable, "-c", lazy])
    manager = SessionManager(
        stage.path, config, monitor_id=monitor_of(kept_for(stage.path)), notice=stage.notices.append
    )
    service = stage.service()
    async with manager:
        await service.start(manager, config)
        for number in (1, 2):
            job = Job(
                f"{number:016x}", WorkerKind.EXECUTION, "T-7", Step.WAITING, float(number), prompt='- task: "T-7"'
            )
            assert await service.put(job) is None
            await stage.until(lambda number=number: stage.states()["T-7"].count("execution done") == number)
            await stage.until(lambda: Jobs(stage.path).all() == [])
            (agents / "doer.toml").write_text(f'driver = "command"\ncommand = {command}\n', encoding="utf-8")
        await service.end()
    first, second = stage.board().workers
    assert (first.outcome, second.outcome) == ("1 commit: did T-7", "0 commits, 1 file not committed: I did nothing.")
    assert stage.lines("worker")[-1]["result"]["uncommitted"] == 1


async def test_a_decision_of_an_agent_that_cannot_only_look_is_not_made(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "config" / "agents" / "judge.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("read_only", "# read_only"), encoding="utf-8")
    config = stage.config()
    manager = SessionManager(
        stage.path, config, monitor_id=monitor_of(kept_for(stage.path)), notice=stage.notices.append
    )
    service = stage.service()
    async with manager:
        await service.start(manager, config)
        await service.take(event("login"))
        await stage.until(lambda: "decision failed" in stage.states().get("login", ()))
        await service.end()
    assert "read_only" in (stage.board().workers[0].outcome or "")


async def test_work_that_ends_with_its_monitor_is_told_with_the_branch_that_stays(stage: Stage, tmp_path: Path) -> None:
    config = stage.config(start="auto", execution_agent="stuck")
    manager = SessionManager(
        stage.path, config, monitor_id=monitor_of(kept_for(stage.path)), notice=stage.notices.append, grace=0.5
    )
    service = stage.service()
    async with manager:
        await service.start(manager, config)
        await service.take(event("login"))
        await stage.until(lambda: [one.observed for one in stage.board().sessions][1:] == [Observed.WORKING])
        await service.end()
    branch = git(tmp_path / "project", "branch", "--list", "collab/*", "--format", "%(refname:short)").strip()
    assert stage.board().workers[1].outcome == f"it ended with its monitor; its branch {branch} stays"
    assert not any(session.observed.is_running for session in stage.board().sessions)
    assert Jobs(stage.path).all() == []
