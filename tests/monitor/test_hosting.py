"""Sessions in the monitor: made when there is something for them, and woken by rules."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collab_tui.model.sessions import Observed
from collab_tui.registry.append import append
from tests.cli.sessions import Project, project_in
from tests.program import eventually

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs a terminal that a program can make, as only Unix has")

RULES = """
[[rule]]
name = "wake"
on = true
when = { event = "ready", from = "sena" }
then = { prompt = "lubit", text = "{from} is ready: {message}" }
per_hour = 100
cool_down = "0s"
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with project_in(tmp_path) as project:
        (project.settings / "config.toml").write_text(RULES, encoding="utf-8")
        yield project


def say(project: Project, message: str) -> None:
    append(str(project.path), {"agent": "sena", "event": "ready", "message": message})


def outcomes(project: Project) -> list[Any]:
    return [event["outcome"] for event in project.events("activation")]


def test_a_rule_wakes_a_session(project: Project) -> None:
    assert project.person("session", "start", "echo", "--no-worktree", "--as", "lubit").code == 0
    say(project, "v2")
    eventually(lambda: outcomes(project) == ["started", "submitted"], lambda: f"{project.events('activation')}")
    eventually(lambda: project.told("lubit").last_line == "you said: sena is ready: “v2”")
    eventually(lambda: project.told("lubit").observed is Observed.IDLE)
    started, ended = project.events("activation")
    assert (started["target"], ended["started"]) == ("lubit", started["id"])


def test_without_that_session_it_says_so(project: Project) -> None:
    assert project.person("session", "start", "echo", "--no-worktree").code == 0
    say(project, "v2")
    eventually(lambda: outcomes(project) == ["started", "not submitted: no session lubit runs here"])
    assert project.told("echo").last_line is None


def test_a_prompt_that_waits_when_the_monitor_ends_is_not_given_and_not_repeated(project: Project) -> None:
    assert project.person("session", "start", "echo", "--no-worktree", "--as", "lubit").code == 0
    assert project.person("session", "send", "lubit", "wait").code == 0
    say(project, "v2")
    eventually(lambda: outcomes(project) == ["started"])
    eventually(lambda: project.told("lubit").queued == 1)
    assert project.person("monitor", "--stop", "--yes").code == 0
    assert outcomes(project) == ["started", "stopped"]
    assert project.person("session", "start", "echo", "--no-worktree", "--as", "lubit").code == 0
    assert project.person("session", "ask", "lubit", "what came?").out == "you said: what came?\n"
    assert outcomes(project) == ["started", "stopped"]
    assert project.told("lubit").last_line == "you said: what came?"
