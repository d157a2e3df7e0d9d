"""Sessions in the monitor: made when there is something for them, and woken by rules."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest

from collab_tui.config import Config, load_config
from collab_tui.model.sessions import Observed
from collab_tui.monitor.hosting import Hosting
from collab_tui.protocol.commands import CommandType
from collab_tui.registry.append import append
from collab_tui.registry.kept import kept_for, monitor_of
from collab_tui.sessions.manager import SessionManager
from collab_tui.workers.service import WorkerService
from tests.cli.sessions import Project, project_in
from tests.program import eventually
from tests.sessions.house import House, use_agents
from tests.sessions.house import eventually as soon

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


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    use_agents(monkeypatch)
    house = House(tmp_path, monkeypatch)
    house.define("sena", ["sena"])
    return house


def say(project: Project, message: str) -> None:
    append(str(project.path), {"agent": "sena", "event": "ready", "message": message})


def outcomes(project: Project) -> list[Any]:
    return [event["outcome"] for event in project.events("activation")]


async def test_what_could_not_be_taken_up_is_tried_again_and_settings_that_change_reach_the_sessions(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    notices: list[str] = []
    hosting = Hosting(house.path, load_config(house.path), notices.append, os.environ)
    with monkeypatch.context() as patch:
        patch.setattr(SessionManager, "take_up", AsyncMock(side_effect=OSError("no room on the disk")))
        hosting.want(now=True)
        await soon(lambda: notices)
    assert await hosting.prompt("sena", "go on") == "not submitted: no session sena runs here"
    used: list[Config] = []
    with monkeypatch.context() as patch:
        patch.setattr(SessionManager, "use", AsyncMock(side_effect=used.append))
        other = load_config(house.path)
        await hosting.use(other)
        assert used == [other]
    sent = house.command(CommandType.START, "sena", monitor_of(kept_for(house.path)), agent="sena")
    await soon(lambda: house.states(sent)[-1:] == ["done"], lambda: house.results(sent))
    await hosting.end()


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


async def test_sessions_are_let_go_of_in_good_order_also_when_the_workers_fail_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, **__: str(tmp_path / "state"))
    left = asyncio.Event()
    really_leave, really_end = SessionManager.__aexit__, WorkerService.end

    async def leave(manager: SessionManager, *error: Any) -> None:
        await really_leave(manager, *error)
        left.set()

    async def fail(workers: WorkerService) -> None:
        await really_end(workers)
        raise ZeroDivisionError

    monkeypatch.setattr(SessionManager, "__aexit__", leave)
    monkeypatch.setattr(WorkerService, "end", fail)
    registry = tmp_path / "registry.jsonl"
    append(str(registry), {"agent": "system", "event": "registry_created", "registry": "abcdef"})
    hosting = Hosting(registry, Config(), lambda text: None, os.environ)
    assert await hosting.prompt("lubit", "hello") == "not submitted: no session lubit runs here"
    with pytest.raises(ZeroDivisionError):
        await hosting.end()
    assert left.is_set()
