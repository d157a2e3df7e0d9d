"""A team at work, from the plan to the key of the person: the real command, board, processes, git and worktrees."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from collab_tui.model.board import Board
from collab_tui.model.event import decode
from collab_tui.model.fold import Fold
from collab_tui.model.runs import Run, RunState, TaskState, Work
from tests.e2e.terminal import terminal
from tests.program import PROGRAM, environment, eventually, run, started
from tests.signing import install_key_at

AGENT = Path(__file__).with_name("team_agent.py")
PIPELINE = """
name = "harbour"
goal = "greet the harbour"
[agent.planner]
command = {plan}
[agent.executor]
command = {execute}
worktree = true
[agent.validator]
command = {validate}
[agent.documenter]
command = {document}
[role.planner]
agent = "planner"
reply = "plan"
may_add = true
[role.executor]
agent = "executor"
size = 2
[role.validator]
agent = "validator"
reply = "verdict"
[role.documenter]
agent = "documenter"
[[task]]
key = "plan"
role = "planner"
[[task]]
key = "document"
role = "documenter"
needs = ["plan/*"]
[[task]]
key = "release"
title = "Release it?"
needs = ["document"]
approval = "person"
"""


def git(project: Path, *arguments: str) -> str:
    given = ["git", "-c", "user.name=lena", "-c", "user.email=lena@example.org", *arguments]
    return subprocess.run(given, cwd=project, check=True, capture_output=True, text=True, encoding="utf-8").stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with a registry and a pipeline, of a person who has a key."""
    folder, meeting = tmp_path / "project", tmp_path / "meeting"
    folder.mkdir()
    meeting.mkdir()
    git(folder, "init", "-b", "main")
    (folder / "README.md").write_text("x\n", encoding="utf-8")
    commands = {
        part: json.dumps([sys.executable, str(AGENT), part, str(meeting)])
        for part in ("plan", "execute", "validate", "document")
    }
    (folder / "harbour.toml").write_text(PIPELINE.format_map(commands), encoding="utf-8")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "Begin")
    install_key_at(tmp_path)
    assert run("init", cwd=folder, env=environment(tmp_path)).returncode == 0
    return folder


def board_of(registry: Path) -> Board:
    fold = Fold()
    fold.extend(decode(registry.read_bytes(), 0))
    return fold.board()


def run_of(registry: Path) -> Run | None:
    return next(iter(board_of(registry).runs), None)


def test_a_plan_two_at_once_a_rejection_its_mending_the_words_and_one_key_of_the_person(
    project: Path, tmp_path: Path
) -> None:
    env = environment(tmp_path)
    registry = project / ".collab" / "registry.jsonl"

    def asked() -> bool:
        found = run_of(registry)
        return found is not None and any(task.state is TaskState.ASKED for task in found.tasks)

    def is_over() -> bool:
        found = run_of(registry)
        return found is not None and found.state.is_over

    with (
        terminal(PROGRAM, cwd=project, env=env) as shown,
        started("run", "harbour.toml", cwd=project, env=env) as running,
    ):
        told = lambda: registry.read_text(encoding="utf-8") + repr((running.output, running.errors))  # noqa: E731
        shown.wait_for("harbour")  # the group of its agents is on the board
        eventually(asked, told)
        assert git(project, "log", "--all", "--format=%s", "--", "part.txt").splitlines() == [
            "Write part.txt, round 2",
            "Write part.txt, round 1",
        ]
        shown.wait_for("Release it?", press="r")
        shown.wait_for(lambda: asked() and "plan/part" in shown.text)
        shown.wait_for(is_over, press="a")
        shown.wait_for("✔ release")
        assert running.wait() == 0, told()
        shown.quit()
    found = run_of(registry)
    assert found is not None
    assert found.state is RunState.DONE
    part, greet = found.task("plan/part"), found.task("plan/greet")
    assert [(one.work, one.round, one.outcome) for one in part.attempts] == [
        (Work.WORK, 1, TaskState.WORKED),
        (Work.REVIEW, 1, TaskState.REJECTED),
        (Work.WORK, 2, TaskState.WORKED),
        (Work.REVIEW, 2, TaskState.DONE),
    ]
    assert part.attempts[0].seat != greet.attempts[0].seat
    (request,) = board_of(registry).requests
    assert request.answer is not None
    assert request.answer.verdict == "approved"
    for name, said in (("greet", "Hello, harbour!\n"), ("part", "Goodbye, harbour!\n")):
        (branch,) = git(project, "branch", "--list", "--format=%(refname:short)", f"collab/*/*{name}*").split()
        assert git(project, "show", f"{branch}:{name}.txt") == said
    assert len(git(project, "worktree", "list").splitlines()) == 1, "a worktree was left"
    assert git(project, "status", "--porcelain") == "?? .collab/\n"
    report = run("runs", found.id, cwd=project, env=env)
    assert report.returncode == 0
    for said in ("plan/part", "part.txt does not name the harbour", "speed-up", "critical path"):
        assert said in report.stdout.decode(), report.stdout.decode()
    value = run("runs", found.id, "--value", "document", cwd=project, env=env)
    assert value.stdout.decode() == "greet.txt is written; part.txt is written\n"
