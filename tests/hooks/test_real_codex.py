"""The hooks in sessions of the real Codex, with a stand-in for its model. Skipped where it is not installed."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from collab_tui.protocol.hook_entries import Call as Wired
from collab_tui.protocol.hook_entries import codex_entries
from tests.hooks.real import Project, wired
from tests.program import PROGRAM, eventually
from tests.signing import install_key_at
from tests.stand_in.clis import Codex
from tests.stand_in.fixtures import codex, tmux
from tests.stand_in.script import Call, Say
from tests.stand_in.server import StandIn
from tests.tmux import Tmux

__all__ = ["codex", "tmux"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its tests need a terminal that only Unix has")

_TRUSTED = "--dangerously-bypass-hook-trust"


@pytest.fixture
def project(tmp_path: Path, codex: Codex) -> Project:
    hooks = {"hooks": wired(codex_entries(Wired(PROGRAM)))}
    (codex.home / ".codex" / "hooks.json").write_text(json.dumps(hooks), encoding="utf-8")
    install_key_at(codex.home)
    return Project(tmp_path / "project")


def open_session(tmux: Tmux, codex: Codex, model: StandIn, project: Project, *options: str) -> None:
    command = codex.interactive(model, project.folder, _TRUSTED, *options, "go")
    tmux.start(command, cwd=project.folder, columns=110, rows=40, env=codex.environment(model))


def unasked(command: str) -> Call:
    """A command for which Codex has to ask."""
    how = {"sandbox_permissions": "require_escalated", "justification": "it has to"}
    return Call("exec_command", {"cmd": command, **how})


def test_a_session_is_told_from_start_to_end(codex: Codex, project: Project) -> None:
    model = StandIn([Call("exec_command", {"cmd": "echo hello"}), Say("that was all\nand more")])
    with model.serving():
        done = codex.run("say hello", model, "--sandbox", "danger-full-access", _TRUSTED, cwd=project.folder)
    assert done.returncode == 0, done.stderr
    kept = ("event", "status", "current_task", "message")
    told = [{k: v for k, v in event.items() if k in kept} for event in project.events()]
    assert told[1] == {"event": "session_start", "status": "idle"}
    assert {"event": "status_update", "status": "in_progress", "current_task": "say hello"} in told
    assert {"event": "status_update", "status": "in_progress", "message": "Bash: echo hello"} in told
    assert {"event": "status_update", "status": "idle", "message": "that was all"} in told
    assert told[-1] == {"event": "session_end"}
    assert {event["agent"] for event in project.events()} == {"system", "codex"}
    assert "You are codex" in json.dumps(model.requests[0]), "the brief reached the model"


def test_what_waits_is_given_with_a_prompt_and_what_came_meanwhile_before_the_turn_ends(
    codex: Codex, project: Project
) -> None:
    def say_while_it_works(results: list[str]) -> Say:
        project.say("message", agent="lubit", target="codex", message="and one more thing")
        return Say("that was all")

    model = StandIn([say_while_it_works, Say("I read it")])
    project.say("message", agent="lubit", target="codex", message="the draft is ready")
    with model.serving():
        done = codex.run("go", model, _TRUSTED, cwd=project.folder)
    assert b"I read it" in done.stdout
    assert 'lubit writes: \\"the draft is ready' in json.dumps(model.requests[0]["input"][-1]["content"][0]["text"])
    assert 'lubit writes: \\"and one more thing' in json.dumps(model.requests[1]["input"][-1]["content"][0]["text"])
    assert "the draft is ready" not in json.dumps(model.requests[1]["input"][-1])


def test_what_the_person_approves_on_the_board_is_run(codex: Codex, project: Project, tmux: Tmux) -> None:
    model = StandIn([unasked("touch approved"), Say("the end of it")])
    with model.serving():
        open_session(tmux, codex, model, project, "-a", "on-request")
        request = project.wait_for("decision_request")
        assert request["request"] == "Allow Bash: touch approved?"
        assert "command: touch approved" in request["details"].splitlines()
        project.decide(request, verdict="approved")
        tmux.wait_for("the end of it")
    assert (project.folder / "approved").exists()


def test_what_the_person_rejects_is_not_run_and_the_model_is_told_why(
    codex: Codex, project: Project, tmux: Tmux
) -> None:
    model = StandIn([unasked("touch rejected"), Say("the end of it")])
    with model.serving():
        open_session(tmux, codex, model, project, "-a", "on-request")
        project.decide(project.wait_for("decision_request"), verdict="rejected", comment="not on a Friday")
        tmux.wait_for("the end of it")
        eventually(lambda: any("not on a Friday" in result for result in model.results))
    assert not (project.folder / "rejected").exists()


def test_escape_withdraws_the_request_and_the_agent_is_idle(codex: Codex, project: Project, tmux: Tmux) -> None:
    model = StandIn([unasked("touch never"), Say("the end of it")])
    with model.serving():
        open_session(tmux, codex, model, project, "-a", "on-request")
        request = project.wait_for("decision_request")
        tmux.wait_for("board of collab-tui")
        tmux.type("Escape")
        assert project.wait_for("request_withdrawn")["request_id"] == request["id"]
        project.wait_for("status_update", lambda event: event.get("status") == "idle")
    assert not (project.folder / "never").exists()


def test_a_message_wakes_an_idle_session(codex: Codex, project: Project, tmux: Tmux) -> None:
    model = StandIn([Say("ready and idle"), Say("I read it"), Say("and the second")])
    with model.serving():
        open_session(tmux, codex, model, project)
        tmux.wait_for("ready and idle")
        project.wait_for("status_update", lambda event: event.get("status") == "idle")
        project.say("message", agent="lubit", target="codex", message="the draft is ready")
        tmux.wait_for("I read it")
        assert "the draft is ready" in json.dumps(model.requests[1])
        project.wait_for("status_update", lambda event: event.get("message") == "I read it")
        project.say("message", agent="lubit", target="codex", message="and one more thing")
        tmux.wait_for("and the second")
        assert "the draft is ready" not in json.dumps(model.requests[2]["input"][-1])
        project.wait_for("status_update", lambda event: event.get("message") == "and the second")
    assert [event["current_task"] for event in project.events() if "current_task" in event] == ["go"]


def test_a_plain_codex_is_not_woken_when_its_screen_is_closed_and_the_next_one_has_its_name(
    codex: Codex, project: Project, tmux: Tmux
) -> None:
    model = StandIn([Say("ready and idle"), Say("here again")])
    with model.serving(), codex.plain(model, project.folder) as command:
        env = codex.environment(model)
        tmux.start([*command, "go"], cwd=project.folder, columns=110, rows=40, env=env)
        tmux.wait_for("ready and idle")
        project.wait_for("status_update", lambda event: event.get("status") == "idle")
        assert "pid" not in project.wait_for("session_start"), "the process that runs the hooks is not this session's"
        tmux.type("C-d")
        tmux.wait_for("ended with 0")
        project.say("message", agent="lubit", target="codex", message="run the tests please")
        clean = shlex.join(["env", "-i", "TERM=tmux-256color", *(f"{name}={value}" for name, value in env.items())])
        tmux.type(f"clear; {clean} {shlex.join(command)} again", "Enter")
        tmux.wait_for("here again")
        assert len(model.requests) == 2, "it did nothing while nobody was there"
        assert "run the tests please" in json.dumps(model.requests[1]["input"][-1]), "that came with the prompt"
        project.wait_for("status_update", lambda event: event.get("message") == "here again")
        assert {event["agent"] for event in project.events()} == {"system", "codex", "lubit"}
        assert len({event["session"] for event in project.events("session_start")}) == 2


def test_the_words_beside_an_approval_reach_the_model(codex: Codex, project: Project, tmux: Tmux) -> None:
    model = StandIn([unasked("touch approved"), *[Say("the end of it")] * 3])
    with model.serving():
        open_session(tmux, codex, model, project, "-a", "on-request")
        project.decide(project.wait_for("decision_request"), verdict="approved", comment="but only to staging")
        eventually(lambda: "but only to staging" in json.dumps(model.requests[-1]["input"]))
    assert (project.folder / "approved").exists()
