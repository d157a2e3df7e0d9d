"""From an event of a task hub to a commit: with the real board, monitor, hub, git and a small agent of ours."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from collab_tui.model.board import Board
from collab_tui.model.event import decode
from collab_tui.model.fold import Fold
from collab_tui.model.workers import StreamState, Worker, WorkerKind, WorkerState
from tests.e2e.terminal import terminal
from tests.program import PROGRAM, environment, eventually, run, started
from tests.signing import install_key_at
from tests.workers.hub import hub

AGENT = Path(__file__).with_name("scripted_agent.py")


def git(project: Path, *arguments: str) -> str:
    given = ["git", "-c", "user.name=lena", "-c", "user.email=lena@example.org", *arguments]
    return subprocess.run(given, cwd=project, check=True, capture_output=True, text=True, encoding="utf-8").stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with a registry, of a person who has a key and two agents."""
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-b", "main")
    (folder / "README.md").write_text("x\n", encoding="utf-8")
    git(folder, "add", "README.md")
    git(folder, "commit", "-m", "Begin")
    install_key_at(tmp_path)
    agents = tmp_path / "config" / "collab-tui" / "agents"
    agents.mkdir()
    for name, part in (("judge", "judge"), ("builder", "build")):
        command = json.dumps([sys.executable, str(AGENT), part])
        (agents / f"{name}.toml").write_text(
            f'driver = "command"\ncommand = {command}\nread_only = []\n', encoding="utf-8"
        )
    assert run("init", cwd=folder, env=environment(tmp_path)).returncode == 0
    return folder


def settings(home: Path, url: str) -> None:
    (home / "config" / "collab-tui" / "config.toml").write_text(
        f'[[stream]]\nname = "hub"\nfolder = "{home}/project"\nurl = "{url}"\n'
        f'[workers]\ndecision_agent = "judge"\nexecution_agent = "builder"\n',
        encoding="utf-8",
    )


def board_of(registry: Path) -> Board:
    fold = Fold()
    fold.extend(decode(registry.read_bytes(), 0))
    return fold.board()


def worker_of(registry: Path, kind: WorkerKind) -> Worker | None:
    return next((worker for worker in board_of(registry).workers if worker.kind is kind), None)


def execution_is_over(registry: Path) -> bool:
    found = worker_of(registry, WorkerKind.EXECUTION)
    return found is not None and found.state.is_over


def test_an_event_leads_to_a_decision_a_question_one_key_and_a_commit_and_the_log_tells_why(
    project: Path, tmp_path: Path
) -> None:
    env = environment(tmp_path)
    registry = project / ".collab" / "registry.jsonl"
    with hub() as tasks:
        settings(tmp_path, tasks.url)
        with (
            started("monitor", cwd=project, env=env) as monitor,
            terminal(PROGRAM, cwd=project, env=env) as shown,
        ):
            told = lambda: registry.read_text(encoding="utf-8") + repr((monitor.output, monitor.errors))  # noqa: E731
            eventually(lambda: [s.state for s in board_of(registry).streams] == [StreamState.CONNECTED], told)
            tasks.publish("T-1", "done", title="think about it", priority="high")
            shown.wait_for("a approve  x reject")
            assert worker_of(registry, WorkerKind.DECISION).state is WorkerState.DONE
            assert git(project, "branch", "--list", "collab/*") == "", "nothing starts without the person"
            shown.wait_for(lambda: execution_is_over(registry), press="a")
            execution = worker_of(registry, WorkerKind.EXECUTION)
            assert execution.state is WorkerState.DONE, told()
            shown.send("q")
            assert shown.wait() == 0
    (branch,) = git(project, "branch", "--list", "--format=%(refname:short)", "collab/*").split()
    assert branch.startswith("collab/builder/")
    assert git(project, "log", "--format=%s", f"main..{branch}") == "Write it down\n"
    assert "T-2" in git(project, "show", f"{branch}:built.txt")
    assert git(project, "status", "--porcelain") == "?? .collab/\n"
    (request,) = board_of(registry).requests
    assert request.answer is not None
    assert request.answer.verdict == "approved"
    why = run("worker", "logs", "--why", "T-2", cwd=project, env=env)
    assert why.returncode == 0
    for said in ("T-1", "T-1 is really done", "T-1 makes it possible", "approved", "1 commit: It is written down"):
        assert said in why.stdout.decode(), why.stdout.decode()


def test_what_the_person_does_not_want_is_not_started(project: Path, tmp_path: Path) -> None:
    env = environment(tmp_path)
    registry = project / ".collab" / "registry.jsonl"
    with hub() as tasks:
        settings(tmp_path, tasks.url)
        with started("monitor", cwd=project, env=env), terminal(PROGRAM, cwd=project, env=env) as shown:
            eventually(lambda: [s.state for s in board_of(registry).streams] == [StreamState.CONNECTED])
            tasks.publish("T-1", "done")
            shown.wait_for("a approve  x reject")
            shown.wait_for(lambda: execution_is_over(registry), press="x")
    assert worker_of(registry, WorkerKind.EXECUTION).state is WorkerState.REFUSED
    assert git(project, "branch", "--list", "collab/*") == ""
