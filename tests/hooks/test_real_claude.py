"""The hooks in sessions of the real Claude Code, with a stand-in for its model. Skipped where it is not installed."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from collab_tui.protocol.hook_entries import Call as Wired
from collab_tui.protocol.hook_entries import claude_entries
from tests.hooks.real import Project, wired
from tests.program import PROGRAM, eventually
from tests.signing import install_key_at
from tests.stand_in.clis import Claude
from tests.stand_in.fixtures import claude, tmux
from tests.stand_in.script import Call, Say
from tests.stand_in.server import StandIn
from tests.tmux import Tmux

__all__ = ["claude", "tmux"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its tests need a terminal that only Unix has")

_DIALOG = "Do you want to proceed?"


@pytest.fixture
def project(tmp_path: Path, claude: Claude) -> Project:
    settings = claude.home / ".claude" / "settings.json"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(json.dumps({"hooks": wired(claude_entries(Wired(PROGRAM)))}), encoding="utf-8")
    install_key_at(claude.home)
    return Project(tmp_path / "project")


def open_session(tmux: Tmux, claude: Claude, model: StandIn, project: Project, prompt: str = "go") -> None:
    command = claude.interactive(model, project.folder, prompt)
    tmux.start(command, cwd=project.folder, columns=110, rows=40, env=claude.environment(model))


def test_a_session_is_told_from_start_to_end(claude: Claude, project: Project) -> None:
    model = StandIn([Call("Bash", {"command": "echo hello"}), Say("that was all\nand more")])
    with model.serving():
        done = claude.run("say hello\nin the shell", model, cwd=project.folder)
    assert done.returncode == 0, done.stderr
    told = [
        {k: v for k, v in event.items() if k in ("event", "status", "current_task", "message")}
        for event in project.events()
    ]
    assert told[1] == {"event": "session_start", "status": "idle"}
    assert {"event": "status_update", "status": "in_progress", "current_task": "say hello"} in told
    assert {"event": "status_update", "status": "in_progress", "message": "Bash: echo hello"} in told
    assert {"event": "status_update", "status": "idle", "message": "that was all"} in told
    assert told[-1] == {"event": "session_end"}
    assert {event["agent"] for event in project.events()} == {"system", "claude"}
    assert "You are claude" in json.dumps(model.requests[0]), "the brief reached the model"


def test_what_the_person_approves_on_the_board_is_run(claude: Claude, project: Project, tmux: Tmux) -> None:
    model = StandIn([Call("Bash", {"command": "touch approved"}), Say("the end of it")])
    with model.serving():
        open_session(tmux, claude, model, project)
        request = project.wait_for("decision_request")
        assert request["request"] == "Allow Bash: touch approved?"
        assert "command: touch approved" in request["details"].splitlines()
        assert f"in: {project.folder}" in request["details"].splitlines()
        tmux.wait_for(_DIALOG)
        project.decide(request, verdict="approved")
        tmux.wait_for("the end of it")
    assert (project.folder / "approved").exists()
    assert project.events("request_withdrawn") == []


def test_the_words_beside_an_approval_reach_the_model(claude: Claude, project: Project, tmux: Tmux) -> None:
    model = StandIn([Call("Bash", {"command": "touch approved"}), *[Say("the end of it")] * 2])
    with model.serving():
        open_session(tmux, claude, model, project)
        request = project.wait_for("decision_request")
        project.decide(request, verdict="approved", comment="but only to staging")
        eventually(lambda: "but only to staging" in json.dumps(model.requests[-1]["messages"]))
    assert (project.folder / "approved").exists()


def test_what_the_person_rejects_is_not_run_and_the_model_is_told_why(
    claude: Claude, project: Project, tmux: Tmux
) -> None:
    model = StandIn([Call("Bash", {"command": "touch rejected"}), Say("the end of it")])
    with model.serving():
        open_session(tmux, claude, model, project)
        project.decide(project.wait_for("decision_request"), verdict="rejected", comment="not on a Friday")
        tmux.wait_for("the end of it")
        eventually(lambda: any("not on a Friday" in result for result in model.results))
    assert not (project.folder / "rejected").exists()


def test_an_unsigned_decision_allows_nothing(claude: Claude, project: Project, tmux: Tmux) -> None:
    model = StandIn([Call("Bash", {"command": "touch claimed"}), Say("the end of it")])
    with model.serving():
        open_session(tmux, claude, model, project)
        request = project.wait_for("decision_request")
        project.say("decision", agent="human", request_id=request["id"], verdict="approved")
        tmux.wait_for(_DIALOG)
        project.decide(request, verdict="rejected")
        tmux.wait_for("the end of it")
    assert not (project.folder / "claimed").exists()


def test_an_answer_at_its_own_terminal_withdraws_the_request_while_the_command_runs(
    claude: Claude, project: Project, tmux: Tmux
) -> None:
    command = "touch begun; while [ ! -e go-on ]; do sleep 0.1; done"
    model = StandIn([Call("Bash", {"command": command}), Say("the end of it")])
    with model.serving():
        open_session(tmux, claude, model, project)
        request = project.wait_for("decision_request")
        tmux.wait_for(_DIALOG)
        eventually(lambda: any("waiting" in file.read_text("utf-8") for file in _sessions(claude)))
        tmux.type("1")
        withdrawn = project.wait_for("request_withdrawn")
        assert (withdrawn["request_id"], withdrawn["agent"]) == (request["id"], "claude")
        eventually((project.folder / "begun").exists)
        (project.folder / "go-on").touch()
        tmux.wait_for("the end of it")
    assert len(project.events("request_withdrawn")) == 1


def _sessions(claude: Claude) -> list[Path]:
    return list((claude.home / ".claude" / "sessions").glob("*.json"))


def test_escape_withdraws_the_request_and_the_agent_is_idle(claude: Claude, project: Project, tmux: Tmux) -> None:
    model = StandIn([Call("Bash", {"command": "touch never"}), Say("the end of it")])
    with model.serving():
        open_session(tmux, claude, model, project)
        project.wait_for("decision_request")
        tmux.wait_for(_DIALOG)
        tmux.type("Escape")
        project.wait_for("request_withdrawn")
        project.wait_for("status_update", lambda event: event.get("status") == "idle")
    assert not (project.folder / "never").exists()


def test_its_own_question_is_answered_on_the_board(claude: Claude, project: Project, tmux: Tmux) -> None:
    question = {"question": "Which first?", "header": "Pick", "multiSelect": False}
    options = [{"label": "rules", "description": "quick"}, {"label": "model", "description": "slow"}]
    model = StandIn([Call("AskUserQuestion", {"questions": [{**question, "options": options}]}), Say("the end of it")])
    with model.serving():
        open_session(tmux, claude, model, project)
        request = project.wait_for("decision_request")
        assert (request["kind"], request["request"], request["options"]) == (
            "choice",
            "Which first?",
            ["rules", "model"],
        )
        project.decide(request, answer="model")
        tmux.wait_for("the end of it")
        eventually(lambda: any('"Which first?"="model"' in result for result in model.results))


def test_a_message_wakes_an_idle_session(claude: Claude, project: Project, tmux: Tmux) -> None:
    model = StandIn([Say("ready and idle"), Say("I read it"), Say("and the second")])
    with model.serving():
        open_session(tmux, claude, model, project)
        tmux.wait_for("ready and idle")
        project.wait_for("status_update", lambda event: event.get("status") == "idle")
        project.say("message", agent="lubit", target="claude", message="the draft is ready")
        tmux.wait_for("I read it")
        assert "lubit writes" in json.dumps(model.requests[1]["messages"][-1])
        project.say("message", agent="lubit", target="claude", message="and one more thing")
        tmux.wait_for("and the second")
        told = json.dumps(model.requests[2]["messages"][-1])
        assert "and one more thing" in told
        assert "the draft is ready" not in told
        project.wait_for("status_update", lambda event: event.get("message") == "and the second")
    assert [event["current_task"] for event in project.events() if "current_task" in event] == ["go"]


def test_a_killed_session_is_told_to_be_over(claude: Claude, project: Project, tmux: Tmux) -> None:
    model = StandIn([Say("ready and idle")])
    with model.serving():
        open_session(tmux, claude, model, project)
        tmux.wait_for("ready and idle")
        start = project.wait_for("session_start")
        project.wait_for("status_update", lambda event: event.get("status") == "idle")
        os.kill(start["pid"], signal.SIGKILL)
        assert project.wait_for("session_end")["reason"] == "its program is gone"
