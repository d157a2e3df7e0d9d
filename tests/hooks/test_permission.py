"""A request for permission, from an agent's program to the board and back. Real processes."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collab_tui.hooks.claude import longest_wait
from collab_tui.registry.append import MAX_LINE
from tests.hooks.running import Session, ended, session

_TOOL: dict[str, Any] = {"tool_name": "Bash", "tool_input": {"command": "npm publish\nrm -rf build", "timeout": 5}}


@pytest.fixture
def claude(tmp_path: Path) -> Iterator[Session]:
    with session(tmp_path) as opened:
        yield opened


def settings(opened: Session, text: str) -> None:
    """The project's, for sessions that begin now."""
    folder = opened.project.folder / ".collab"
    folder.mkdir()
    (folder / "config.toml").write_text(f"[hooks]\n{text}\n", "utf-8")
    opened.project.registry = opened.project.registry.rename(folder / "registry.jsonl")
    opened.run("session_start")


def decision(said: str) -> dict[str, Any]:
    told = json.loads(said)["hookSpecificOutput"]
    assert told["hookEventName"] == "PermissionRequest"
    return dict(told["decision"])


def test_the_person_sees_everything_that_will_be_run(claude: Session) -> None:
    hook = claude.start("permission_request_bash", **_TOOL)
    request = claude.project.wait_for("decision_request")
    assert request["details"] == (
        f"tool: Bash\nin: {claude.project.folder}\n\ntimeout: 5\ncommand:\nnpm publish\nrm -rf build"
    )
    assert (request["request"], request["kind"]) == ("Allow Bash: npm publish ... and 1 more line?", "approval")
    assert (request["agent"], request["target"]) == ("claude", "human")
    claude.project.decide(request, verdict="approved")
    assert decision(ended(hook)[1]) == {"behavior": "allow"}
    assert claude.project.events()[-1]["status"] == "in_progress", "it moves, before the command has ended"


def test_a_change_of_a_file_is_shown_as_its_difference(claude: Session) -> None:
    given = {"file_path": "/x/a.py", "old_string": "one\ntwo", "new_string": "one\n2", "replace_all": False}
    hook = claude.start("permission_request_write", tool_name="Edit", tool_input=given)
    request = claude.project.wait_for("decision_request")
    claude.project.decide(request, verdict="approved")
    assert ended(hook)[0] == 0
    assert request["details"].partition("\n\n")[2].splitlines() == [
        "replace_all: false",
        "file_path: /x/a.py",
        "",
        *("--- before", "+++ after", "@@ -1,2 +1,2 @@", " one", "-two", "+2"),
    ]


def test_a_rejection_carries_the_persons_words(claude: Session) -> None:
    hook = claude.start("permission_request_bash")
    claude.project.decide(claude.project.wait_for("decision_request"), verdict="rejected", comment="not on a Friday")
    assert decision(ended(hook)[1]) == {"behavior": "deny", "message": "not on a Friday"}
    assert claude.project.events()[-1]["message"] == "not allowed: Bash: exit 3"


def test_what_nobody_signed_decides_nothing(claude: Session) -> None:
    hook = claude.start("permission_request_bash")
    request = claude.project.wait_for("decision_request")
    for name in ("human", "lubit"):
        claude.project.say("decision", agent=name, request_id=request["id"], verdict="approved")
    claude.project.decide(request, verdict="rejected")
    assert decision(ended(hook)[1])["behavior"] == "deny"


def test_a_decision_on_an_earlier_request_allows_nothing_later(claude: Session) -> None:
    hook = claude.start("permission_request_bash")
    first = claude.project.wait_for("decision_request")
    hook.kill()
    ended(hook)
    claude.project.decide(first, verdict="approved")
    again = claude.start("permission_request_bash")
    second = claude.project.wait_for("decision_request", lambda event: event["id"] != first["id"])
    claude.project.decide(second, verdict="rejected")
    assert decision(ended(again)[1])["behavior"] == "deny"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("post_tool_use_bash", "answered at the agent's own terminal"),
        ("post_tool_use_failure_bash", "answered at the agent's own terminal"),
        ("permission_denied_bash", "answered at the agent's own terminal"),
        ("stop", "the agent went on without it"),
        ("user_prompt_submit", "the agent went on without it"),
        ("session_end", "the agent went on without it"),
    ],
)
def test_what_was_answered_elsewhere_is_withdrawn_once(claude: Session, name: str, reason: str) -> None:
    hook = claude.start("permission_request_bash", **_TOOL)
    request = claude.project.wait_for("decision_request")
    claude.run(name, **(_TOOL if "tool" in name or "denied" in name else {}))
    assert ended(hook) == (0, "", "")
    (withdrawn,) = claude.project.events("request_withdrawn")
    assert (withdrawn["request_id"], withdrawn["reason"]) == (request["id"], reason)


def test_another_use_of_the_tool_answers_nothing(claude: Session) -> None:
    hook = claude.start("permission_request_bash", **_TOOL)
    request = claude.project.wait_for("decision_request")
    claude.run("post_tool_use_bash")
    claude.run("stop", agent_id="a1", agent_type="Explore")
    claude.run("user_prompt_submit_task_notification")
    assert claude.project.events("request_withdrawn") == []
    claude.project.decide(request, verdict="approved")
    assert decision(ended(hook)[1]) == {"behavior": "allow"}


def test_two_requests_at_once_are_answered_each_by_its_own_decision(claude: Session) -> None:
    first = claude.start("permission_request_bash", tool_input={"command": "one"})
    asked = claude.project.wait_for("decision_request")
    second = claude.start("permission_request_bash", tool_input={"command": "two"}, agent_id="a1", agent_type="Explore")
    other = claude.project.wait_for("decision_request", lambda event: event["id"] != asked["id"])
    assert "sub-agent Explore" in other["details"]
    claude.project.decide(other, verdict="rejected")
    assert decision(ended(second)[1])["behavior"] == "deny"
    claude.project.decide(asked, verdict="approved")
    assert decision(ended(first)[1])["behavior"] == "allow"


@pytest.mark.skipif(os.name == "nt", reason="there a program that is ended is not told")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_hook_withdraws_its_request(claude: Session, number: signal.Signals) -> None:
    hook = claude.start("permission_request_bash")
    claude.project.wait_for("decision_request")
    hook.send_signal(number)
    assert ended(hook) == (0, "", "")
    assert len(claude.project.events("request_withdrawn")) == 1
    assert claude.project.events()[-1]["status"] == "idle"


def test_a_killed_hook_s_request_is_withdrawn_by_the_next_turn(claude: Session) -> None:
    hook = claude.start("permission_request_bash")
    request = claude.project.wait_for("decision_request")
    hook.kill()
    ended(hook)
    claude.run("user_prompt_submit")
    (withdrawn,) = claude.project.events("request_withdrawn")
    assert withdrawn["request_id"] == request["id"]


def test_the_request_of_an_agent_that_is_gone_is_withdrawn(claude: Session) -> None:
    hook = claude.start("permission_request_bash")
    claude.project.wait_for("decision_request")
    claude.kill()
    assert ended(hook) == (0, "", "")
    assert claude.project.events("request_withdrawn")[0]["reason"] == "the agent is gone"


def test_without_an_answer_in_time_the_agent_asks_as_usual(claude: Session) -> None:
    settings(claude, "permission_wait = 0.005")
    assert ended(claude.start("permission_request_bash")) == (0, "", "")
    assert claude.project.events("request_withdrawn")[0]["reason"] == (
        "no answer within 0.3 s: Claude Code asks as usual"
    )


def test_nobody_is_waited_for_all_night_where_there_is_no_dialog() -> None:
    attended, unattended = {"CLAUDE_CODE_ENTRYPOINT": "cli"}, {"CLAUDE_CODE_ENTRYPOINT": "sdk-cli"}
    assert (longest_wait(attended), longest_wait(unattended)) == (86_000, 600)


def test_what_does_not_fit_into_a_line_is_asked_at_the_agents_terminal(claude: Session) -> None:
    given = {"file_path": "/x/a", "content": "c" * MAX_LINE}
    assert ended(claude.start("permission_request_write", tool_input=given)) == (0, "", "")
    assert claude.project.events("decision_request") == []
    (log,) = claude.home.rglob("hooks/log")
    assert "a line may have" in log.read_text("utf-8")


def test_a_question_with_options_is_a_choice(claude: Session) -> None:
    hook = claude.start("permission_request_askuserquestion")
    request = claude.project.wait_for("decision_request")
    assert (request["kind"], request["options"]) == ("choice", ["A", "B"])
    claude.project.decide(request, answer="B")
    told = decision(ended(hook)[1])
    assert told["behavior"] == "allow"
    assert told["updatedInput"]["answers"] == {"Which one?": "B"}


def test_a_choice_that_was_made_at_its_terminal_is_withdrawn(claude: Session) -> None:
    hook = claude.start("permission_request_askuserquestion")
    claude.project.wait_for("decision_request")
    claude.run("post_tool_use_askuserquestion")
    assert ended(hook) == (0, "", "")
    assert len(claude.project.events("request_withdrawn")) == 1


def test_what_only_its_own_dialog_can_ask_is_not_asked_here(claude: Session) -> None:
    assert ended(claude.start("permission_request_bash", tool_name="ExitPlanMode", tool_input={"plan": "x"}))[1] == ""
    assert claude.project.events("decision_request") == []
    assert claude.project.events()[-1]["status"] == "waiting"


def test_codex_is_answered_in_its_own_format(tmp_path: Path) -> None:
    with session(tmp_path, "codex") as codex:
        hook = codex.start("permission_request_bash")
        codex.project.decide(codex.project.wait_for("decision_request"), verdict="approved")
        assert decision(ended(hook)[1]) == {"behavior": "allow"}


def test_copilot_is_answered_in_its_own_format(tmp_path: Path) -> None:
    with session(tmp_path, "copilot") as copilot:
        hook = copilot.start("post_tool_use_bash", hook_event_name="PermissionRequest")
        copilot.project.decide(copilot.project.wait_for("decision_request"), verdict="rejected")
        told = json.loads(ended(hook)[1])
        assert told == {"behavior": "deny", "message": "The person rejected it on the board."}
