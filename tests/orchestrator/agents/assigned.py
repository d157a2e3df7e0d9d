"""Assignments for the tests of agents, and where they work."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from collab_tui.model.runs import Work
from collab_tui.orchestrator.agent import Assignment, Surroundings
from collab_tui.orchestrator.plan import ReplyKind, Task

RUN = "1a2b3c4d"
SEAT = "executor-1-1a2b"


def assignment(key: str = "build", **more: Any) -> Assignment:
    """Work on a task."""
    about: dict[str, Any] = {
        "run": RUN,
        "goal": "a page",
        "task": Task(key, "executor"),
        "seat": SEAT,
        "work": Work.WORK,
    }
    about |= {"attempt": 1, "round": 1, "reply": ReplyKind.TEXT, "inputs": {"plan": "so"}, "prompt": f"do {key}"}
    return Assignment(**about | more)


def review(branch: str | None, key: str = "build", **more: Any) -> Assignment:
    """The judgement of what came of it."""
    about: dict[str, Any] = {
        "work": Work.REVIEW,
        "reply": ReplyKind.VERDICT,
        "attempt": 2,
        "candidate": "done",
        "branch_of": branch,
    }
    return replace(assignment(key), **about | more)


def surroundings(project: Path, notice: Callable[[str], None], **more: Any) -> Surroundings:
    """A project, with its registry in the usual place."""
    private = project.with_name("private")
    private.mkdir(mode=0o700, exist_ok=True)
    registry = project / ".collab" / "registry.jsonl"
    registry.parent.mkdir(exist_ok=True)
    about: dict[str, Any] = {
        "registry": registry,
        "project": project,
        "run": RUN,
        "environment": dict(os.environ),
        "grace": 2.0,
    }
    return Surroundings(**{**about, "private": private, "notice": notice} | more)
