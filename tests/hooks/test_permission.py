"""A request for permission, from an agent's program to the board and back. Real processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from collab_tui.hooks import permission
from collab_tui.hooks import session as hooks_session
from collab_tui.hooks.claude import longest_wait
from collab_tui.hooks.happening import ASKS, ELSEWHERE, Happening
from collab_tui.hooks.question import Asked
from collab_tui.registry.append import hold
from tests.hooks.running import Session, ended, session
from tests.program import PATIENCE, eventually

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
        f"tool: Bash\nin: {claude.project.folder}\n\ncommand:\n  npm publish\n  rm -rf build\ntimeout: 5"
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
    path, before, after, *change, last = request["details"].partition("\n\n")[2].splitlines()
    assert (path, last) == ("file_path: /x/a.py", "replace_all: false")
    assert before.startswith("before: 2 lines, 7 bytes, SHA-256 ")
    assert after.startswith("after: 2 lines, 5 bytes, SHA-256 ")
    assert change == ["change:", "  @@ -1,2 +1,2 @@", "   one", "  -two", "  +2"]


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


def test_of_two_sub_agents_that_ask_the_same_each_is_answered_alone(claude: Session) -> None:
    helpers = [{"agent_id": name, "agent_type": "Explore"} for name in ("a1", "a2")]
    hooks = []
    for number, helper in enumerate(helpers, 1):
        hooks.append(claude.start("permission_request_bash", **_TOOL, **helper))
        eventually(lambda number=number: len(claude.project.events("decision_request")) == number)
    claude.run("post_tool_use_bash", **_TOOL, **helpers[1])
    assert ended(hooks[1]) == (0, "", "")
    first, second = claude.project.events("decision_request")
    (withdrawn,) = claude.project.events("request_withdrawn")
    assert withdrawn["request_id"] == second["id"]
    claude.project.decide(first, verdict="approved")
    assert decision(ended(hooks[0])[1]) == {"behavior": "allow"}


def test_of_equal_requests_of_one_agent_the_oldest_is_answered_by_the_use(claude: Session) -> None:
    hooks = []
    for number in (1, 2):
        hooks.append(claude.start("permission_request_bash", **_TOOL))
        eventually(lambda number=number: len(claude.project.events("decision_request")) == number)
    claude.run("post_tool_use_bash", **_TOOL)
    assert ended(hooks[0]) == (0, "", "")
    first, second = claude.project.events("decision_request")
    assert [event["request_id"] for event in claude.project.events("request_withdrawn")] == [first["id"]]
    claude.project.decide(second, verdict="approved")
    assert decision(ended(hooks[1])[1]) == {"behavior": "allow"}


@pytest.mark.parametrize(("helpers", "looks"), [(["a1"], 4), (["a1", "a2"], 0)])
def test_whose_dialog_was_closed_is_not_guessed_while_two_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, helpers: list[str], looks: int
) -> None:
    """Claude Code says of its process, not of a sub-agent, that it waits: between two dialogs it is busy."""
    monkeypatch.setattr("collab_tui.hooks.places.folder", lambda: str(tmp_path))
    monkeypatch.setattr("collab_tui.hooks.permission._LOOK", 0.001)
    of_session = hooks_session.Session("claude", "s1")
    of_session.make()
    happenings = [Happening(ASKS, {"tool_name": "Bash", "agent_id": helper}) for helper in helpers]
    marks = [of_session.asking(happening, "r") for happening in happenings]
    states = ["busy", "waiting", "busy", "busy"]
    seen: list[str] = []

    def state_of(process: int) -> str:
        seen.append(states[len(seen)])
        return seen[-1]

    looked = 0

    def waits(mark: str) -> bool:
        nonlocal looked
        looked += 1
        if looked == 20:
            os.unlink(mark)
        return os.path.exists(mark)

    monkeypatch.setattr(of_session, "waits", waits)
    program = SimpleNamespace(state_of=state_of, longest_wait=lambda environment: 60)
    snapshot = {"settings": {"permission_wait": 1}}
    wait = permission._Wait(of_session, happenings[0], snapshot, program, Asked("?", {}))
    assert asyncio.run(wait._answered_elsewhere(marks[0])) == ELSEWHERE
    assert (len(seen), os.path.exists(marks[0])) == (looks, len(helpers) == 1)


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
    told = claude.project.events()[-1]
    assert (told["status"], told["message"]) == ("waiting", "asks at its terminal: Bash: exit 3")


def test_nobody_is_waited_for_all_night_where_there_is_no_dialog() -> None:
    attended, unattended = {"CLAUDE_CODE_ENTRYPOINT": "cli"}, {"CLAUDE_CODE_ENTRYPOINT": "sdk-cli"}
    assert (longest_wait(attended), longest_wait(unattended)) == (86_000, 600)


@pytest.mark.parametrize("given", [{"file_path": "/x/a", "content": "c\n" * 600_000}, {"command": "c" * 100_001}])
def test_what_nobody_can_judge_is_asked_at_the_agents_terminal_and_that_is_seen(
    claude: Session, given: dict[str, str]
) -> None:
    tool = "Write" if "content" in given else "Bash"
    assert ended(claude.start("permission_request_bash", tool_name=tool, tool_input=given)) == (0, "", "")
    assert claude.project.events("decision_request") == []
    told = claude.project.events()[-1]
    assert told["status"] == "waiting"
    assert told["message"].startswith(f"asks at its terminal: {tool}: ")
    assert told["message"].endswith("(too long to be judged on the board)")


def test_what_could_not_be_asked_is_seen_to_wait_at_the_agents_terminal(claude: Session) -> None:
    """The request waits for no lock for long, and what the board then says does."""
    lock = hold(str(claude.project.registry), PATIENCE)
    hook = claude.start("permission_request_bash")
    eventually(lambda: any("LockedError" in each.read_text("utf-8") for each in claude.home.rglob("hooks/log")))
    os.close(lock)
    assert ended(hook) == (0, "", "")
    assert claude.project.events("decision_request") == []
    told = claude.project.events()[-1]
    assert (told["status"], told["message"]) == (
        "waiting",
        "asks at its terminal: Bash: exit 3 (it could not be asked on the board)",
    )


def test_where_the_registry_goes_away_nothing_is_decided(claude: Session) -> None:
    hook = claude.start("permission_request_bash")
    claude.project.wait_for("decision_request")
    claude.project.registry.unlink()
    assert ended(hook) == (0, "", "")
    assert not claude.project.registry.exists()


@pytest.mark.parametrize("text", ['tool_input = "off"', "permissions = false"])
def test_what_may_not_be_recorded_is_not_asked_here(claude: Session, text: str) -> None:
    settings(claude, text)
    given = {"file_path": "/x/.env", "content": "DB_PASSWORD=hunter2\n"}
    assert ended(claude.start("permission_request_write", tool_input=given)) == (0, "", "")
    assert claude.project.events("decision_request") == []
    assert claude.project.events()[-1]["message"].startswith("asks at its terminal")
    assert "hunter2" not in claude.project.registry.read_text("utf-8")


def test_a_question_of_its_own_is_not_recorded_where_prompts_are_not(claude: Session) -> None:
    settings(claude, "prompts = false")
    assert ended(claude.start("permission_request_askuserquestion")) == (0, "", "")
    assert claude.project.events("decision_request") == []
    assert "Which one?" not in claude.project.registry.read_text("utf-8")


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


def test_copilot_is_not_asked_for_here(tmp_path: Path) -> None:
    """Its hook for permissions goes on after 30 s as if there were none, so it is not wired."""
    with session(tmp_path, "copilot") as copilot:
        assert ended(copilot.start("post_tool_use_bash", hook_event_name="PermissionRequest")) == (0, "", "")
        assert copilot.project.events("decision_request") == []
        assert copilot.project.events()[-1]["status"] == "waiting"
