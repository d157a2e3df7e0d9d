"""What is recorded of many hooks of a session, and of several sessions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collab_tui.hooks import places
from collab_tui.hooks.session import Session
from collab_tui.registry.append import hold
from tests.hooks.conftest import SESSION, Hooks
from tests.signing import THIRD_KEY

_DEAD = 4_194_304 + 7
"""No process has this number on any system of ours."""


@pytest.fixture(autouse=True)
def started(hooks: Hooks) -> Hooks:
    """A session that runs."""
    hooks.set("XDG_CONFIG_HOME", str(hooks.state))
    hooks("claude", "session_start")
    return hooks


def settings(hooks: Hooks, text: str) -> None:
    folder = hooks.project / ".collab"
    folder.mkdir()
    (folder / "config.toml").write_text(f"[hooks]\n{text}\n", "utf-8")
    hooks.registry = hooks.registry.rename(folder / "registry.jsonl")


# Signs of life


def test_of_many_uses_of_tools_one_in_a_while_is_recorded(hooks: Hooks) -> None:
    hooks("claude", "user_prompt_submit")
    for _ in range(5):
        hooks("claude", "pre_tool_use_bash")
        hooks("claude", "post_tool_use_bash")
    assert [event.get("message") for event in hooks.events()[2:]] == ["Bash: echo hi"]


def test_the_next_is_due_when_its_time_has_come(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks("claude", "user_prompt_submit")
    hooks("claude", "pre_tool_use_bash")
    now = Session("claude", SESSION).said().due
    monkeypatch.setattr("time.time", lambda: now + 0.001)
    hooks("claude", "post_tool_use_bash")
    hooks("claude", "post_tool_use_bash")
    assert len(hooks.events()) == 4


def test_that_it_works_again_is_told_at_once(hooks: Hooks) -> None:
    hooks("claude", "user_prompt_submit")
    hooks("claude", "pre_tool_use_bash")
    hooks("claude", "notification_permission")
    hooks("claude", "post_tool_use_bash")
    assert [event.get("status") for event in hooks.events()[-2:]] == ["waiting", "in_progress"]


def test_a_hook_that_was_started_before_the_last_is_out_of_date(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    """They run side by side, and a slow one ends after the end of the turn."""
    hooks("claude", "user_prompt_submit")
    started = time.time()
    hooks("claude", "stop")
    monkeypatch.setattr("time.time", lambda: started)
    hooks("claude", "post_tool_use_bash")
    hooks("claude", "user_prompt_submit", prompt="another")
    assert hooks.events()[-2]["status"] == "idle"
    assert hooks.last() == {"agent": "claude", "event": "status_update", "current_task": "another"}


@pytest.mark.parametrize("order", [("user_prompt_submit", 0.1, "stop", 0.0), ("stop", 0.0, "user_prompt_submit", 0.1)])
def test_a_turn_that_took_no_time_is_over_in_whatever_order_its_hooks_ran(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch, order: tuple[str, float, str, float]
) -> None:
    begun = time.time()
    for name, after in (order[:2], order[2:]):
        monkeypatch.setattr("time.time", lambda after=after: begun + after)
        hooks("claude", name, prompt_id="one")
    assert [event["status"] for event in hooks.events() if "status" in event][-1] == "idle"
    monkeypatch.setattr("time.time", lambda: begun + 1)
    hooks("claude", "user_prompt_submit", prompt_id="two")
    assert hooks.last()["status"] == "in_progress"


def test_many_at_once_are_one_sign_of_life(hooks: Hooks) -> None:
    hooks("claude", "user_prompt_submit")
    given = (Path(__file__).parent / "payloads/claude/post_tool_use_bash.json").read_bytes()
    command = [sys.executable, "-c", "from collab_tui.cli.main import run; run()", "hook", "claude"]
    running = [subprocess.Popen(command, stdin=subprocess.PIPE, env={**os.environ}) for _ in range(6)]
    for process in running:
        process.communicate(given)
    assert [process.returncode for process in running] == [0] * 6
    assert len(hooks.events()) == 3


# Turns, plans, sub-agents


def test_the_turn_of_a_sub_agent_is_none_of_its_own(hooks: Hooks) -> None:
    hooks("claude", "user_prompt_submit")
    hooks("claude", "stop", agent_id="a1", agent_type="Explore")
    hooks("claude", "user_prompt_submit", agent_id="a1", agent_type="Explore")
    hooks("claude", "stop_failure", agent_id="a1", agent_type="Explore")
    assert len(hooks.events()) == 2


def test_a_sub_agent_that_works_says_nothing_of_the_agents_status(hooks: Hooks) -> None:
    hooks("claude", "notification_permission")
    hooks("claude", "pre_tool_use_bash", agent_id="a1", agent_type="Explore")
    assert hooks.last() == {"agent": "claude", "event": "status_update", "message": "Explore: Bash: echo hi"}


def test_progress_is_what_is_done_of_all_and_told_when_it_changes(hooks: Hooks) -> None:
    for number, subject in enumerate(("read", "write", "test"), 1):
        hooks("claude", "task_created", task_id=str(number), task_subject=subject)
    hooks("claude", "post_tool_use_taskupdate_in_progress")
    hooks("claude", "task_completed", task_id="1", task_subject="read")
    hooks("claude", "post_tool_use_taskupdate_completed")
    told = [(event.get("progress"), event.get("current_task")) for event in hooks.events()[1:]]
    assert told == [(0, None), (0, None), (0, None), (0, "read"), (33, None)]


def test_a_new_plan_begins_when_the_old_one_is_done(hooks: Hooks) -> None:
    hooks("claude", "task_created", task_id="1")
    hooks("claude", "task_completed", task_id="1")
    hooks("claude", "task_created", task_id="2")
    assert [event["progress"] for event in hooks.events()[1:]] == [0, 100, 0]


def test_a_deleted_task_counts_no_more(hooks: Hooks) -> None:
    for number in ("1", "2"):
        hooks("claude", "task_created", task_id=number)
    hooks("claude", "task_completed", task_id="2")
    deleted = {"taskId": "1", "status": "deleted"}
    hooks("claude", "post_tool_use_taskupdate_completed", tool_input=deleted)
    assert hooks.last()["progress"] == 100


# Sessions


def test_what_comes_after_the_end_is_not_recorded(hooks: Hooks) -> None:
    hooks("claude", "session_end")
    hooks("claude", "post_tool_use_bash")
    hooks("claude", "stop")
    assert hooks.last()["event"] == "session_end"


def test_a_resumed_session_is_the_same_agent(hooks: Hooks) -> None:
    hooks("claude", "session_end")
    hooks("claude", "session_start_resume")
    assert {event["agent"] for event in hooks.events()} == {"claude"}
    assert hooks.last()["event"] == "session_start"
    hooks("claude", "user_prompt_submit")
    assert hooks.last()["status"] == "in_progress"


def test_a_cleared_conversation_is_no_new_agent_and_no_end(hooks: Hooks) -> None:
    hooks("claude", "session_end_clear")
    hooks.as_claude("another")
    hooks("claude", "session_start_clear", session_id="another")
    assert [event["event"] for event in hooks.events()] == ["session_start", "status_update"]
    assert hooks.last()["agent"] == "claude"


def test_a_second_session_gets_a_name_of_its_own(hooks: Hooks) -> None:
    hooks.as_claude("second", os.getppid())
    hooks("claude", "session_start", session_id="second")
    hooks("claude", "stop", session_id="second")
    hooks("claude", "session_end", session_id="second")
    assert [event["agent"] for event in hooks.events()] == ["claude", "claude-2", "claude-2", "claude-2"]
    hooks.as_claude("third", os.getppid())
    hooks("claude", "session_start", session_id="third")
    assert hooks.last()["agent"] == "claude-2", "that name is free again"


def test_a_resumed_session_keeps_its_name_while_it_is_free(hooks: Hooks) -> None:
    hooks.as_claude("second", os.getppid())
    hooks("claude", "session_start", session_id="second")
    hooks("claude", "session_end", session_id="second")
    hooks.as_claude(SESSION)
    hooks("claude", "session_end")
    hooks.as_claude("second")
    hooks("claude", "session_start_resume", session_id="second")
    assert hooks.last()["agent"] == "claude-2"


def test_what_another_hook_reads_at_the_moment_is_written_a_moment_later(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine, refused = os.replace, [0, 0]

    def replace(source: str, target: str) -> None:  # as on Windows while the target is open
        if refused:
            refused.pop()
            raise PermissionError
        genuine(source, target)

    monkeypatch.setattr(os, "replace", replace)
    session = Session("claude", SESSION)
    session.write("plan.json", ["new"])
    assert session.read("plan.json") == ["new"]
    refused += [0] * 100
    session.write("plan.json", ["newer"])
    assert session.read("plan.json") == ["new"]
    assert "plan.json of its session was not written" in hooks.log()
    assert not [path for path in Path(session.folder).iterdir() if path.name.startswith("plan.json.")]


def test_what_is_left_of_old_sessions_is_deleted(hooks: Hooks) -> None:
    old = Session("claude", SESSION)
    hooks("claude", "session_end")
    month_ago = time.time() - 30 * 86_400
    for path in (*Path(old.folder).iterdir(), Path(old.folder)):
        os.utime(path, (month_ago, month_ago))
    hooks.as_claude("second")
    hooks("claude", "session_start", session_id="second")
    assert not Path(old.folder).exists()
    assert Path(Session("claude", "second").folder).exists()


def test_the_name_of_a_session_whose_program_is_gone_is_free(hooks: Hooks) -> None:
    hooks.set("CLAUDE_PID", str(_DEAD))
    hooks.as_another()
    hooks("codex", "session_start")
    snapshot = Path(Session("codex", SESSION).path("session.json"))
    names = Path(places.folder(), "names")
    for file in names.iterdir():
        if file.suffix != ".lock" and file.read_text("utf-8").startswith("codex-"):
            file.write_text(f"codex-{SESSION} {_DEAD}", "utf-8")
    assert snapshot.exists()
    hooks("codex", "session_start", session_id="next")
    assert hooks.last()["agent"] == "codex"


def test_the_name_is_the_variables_then_the_options_then_the_programs(hooks: Hooks) -> None:
    hooks.as_another()
    hooks("codex", "session_start", "--as", "lubit", session_id="b")
    hooks.set("COLLAB_AGENT", "sena")
    hooks("codex", "session_start", "--as", "lubit", session_id="c")
    assert [event["agent"] for event in hooks.events()] == ["claude", "lubit", "sena"]


@pytest.mark.parametrize("name", ["human", "Person", "lena", "mina"])
def test_no_agent_writes_under_a_persons_name(hooks: Hooks, tmp_path: Path, name: str) -> None:
    settings = tmp_path / "user-config" / "config.toml"
    settings.parent.mkdir()
    settings.write_text(f'person = "mina"\n[approvers]\nLena = "{THIRD_KEY.public.text}"\n', "utf-8")
    hooks("claude", "session_start", "--as", name)
    assert hooks.last()["agent"] == "claude"
    assert f"not as {name}" in hooks.log()
    hooks.set("COLLAB_AGENT", name)
    hooks("claude", "session_start", "--as", "sena")
    assert hooks.last()["agent"] == "sena"


@pytest.mark.parametrize("name", ["../../outside", "/outside", "a/../../../outside", "x" * 5000, "세션", "a\x00b"])
def test_no_name_of_a_session_leaves_its_folder(hooks: Hooks, name: str) -> None:
    hooks.as_claude("-")
    before = {path for path in hooks.state.parent.rglob("*") if places.folder() not in str(path)}
    hooks("claude", "session_start", session_id=name)
    hooks("claude", "session_end", session_id=name)
    assert hooks.last()["event"] == "session_end"
    assert {path for path in hooks.state.parent.rglob("*") if places.folder() not in str(path)} == before
    assert all(path.parent.name != "hooks" or path.is_dir() for path in Path(places.folder()).iterdir())


# Settings


@pytest.mark.parametrize(
    ("text", "message"),
    [('tool_input = "summary"', "Bash: npm test"), ('tool_input = "name"', "Bash"), ('tool_input = "off"', None)],
)
def test_how_much_of_a_tool_is_told(hooks: Hooks, text: str, message: str | None) -> None:
    settings(hooks, text)
    hooks("claude", "session_start")
    hooks("claude", "post_tool_use_failure_bash")
    assert hooks.last().get("message") == (message and f"failed: {message}")


def test_prompts_and_answers_are_not_told_where_they_are_not_to_be(hooks: Hooks) -> None:
    settings(hooks, "prompts = false")
    hooks("claude", "session_start")
    hooks("claude", "user_prompt_submit", prompt="a private matter")
    hooks("claude", "stop", last_assistant_message="a private answer")
    hooks("claude", "stop_failure", error_details="private words")
    assert hooks.last()["message"] == "rate_limit"
    assert "private" not in hooks.registry.read_text("utf-8")


def test_settings_that_cannot_be_read_allow_nothing_until_they_are_mended(hooks: Hooks) -> None:
    settings(hooks, 'prompts = "perhaps"')
    hooks("claude", "session_start")
    hooks("claude", "user_prompt_submit", prompt="a private matter")
    assert "private" not in hooks.registry.read_text("utf-8")
    assert "config.toml:2" in hooks.log()
    (hooks.project / ".collab" / "config.toml").write_text("", "utf-8")
    hooks("claude", "user_prompt_submit", prompt="a public matter")
    assert hooks.last()["current_task"] == "a public matter"


# Other programs, and things that go wrong


@pytest.mark.parametrize("name", ["session_start", "user_prompt_submit", "vscode_pre_tool_use"])
def test_what_another_program_sends_to_claudes_hooks_is_not_claudes(hooks: Hooks, name: str) -> None:
    before = hooks.registry.read_bytes()
    given = json.loads((Path(__file__).parent / f"payloads/copilot/{name}.json").read_text("utf-8"))
    hooks.as_another()
    for variables in ({}, {"COPILOT_CLI": "1"}, {"COPILOT_CLI": "1", "CLAUDECODE": "1"}):
        for variable, value in variables.items():
            hooks.set(variable, value)
        assert hooks("claude", {**given, "cwd": str(hooks.project)}) == ""
    assert hooks.registry.read_bytes() == before


def test_claude_within_another_agents_shell_is_still_claude(hooks: Hooks) -> None:
    hooks.set("COPILOT_CLI", "1")
    hooks("claude", "user_prompt_submit")
    assert hooks.last()["status"] == "in_progress"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not JSON",
        b"[1]",
        b"null",
        b'{"session_id":',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"hook_event_name":"Stop"}',
        b'{"session_id":5,"hook_event_name":[]}',
        b'{"session_id":"s","hook_event_name":"NoSuchEvent"}',
    ],
)
def test_garbage_is_no_event_and_no_error(hooks: Hooks, data: bytes) -> None:
    before = hooks.registry.read_bytes()
    assert hooks("claude", data) == ""
    assert hooks.registry.read_bytes() == before


def test_a_megabyte_of_input_is_a_short_line(hooks: Hooks) -> None:
    hooks("claude", "pre_tool_use_write", tool_input={"file_path": "/x/" + "p" * 2_000_000, "content": "c" * 3_000_000})
    assert hooks.last()["message"].startswith("Write: /x/ppp")
    assert len(json.dumps(hooks.last())) < 400
    hooks("claude", "user_prompt_submit", prompt="w " * 2_000_000)
    assert len(json.dumps(hooks.last())) < 400


def test_a_payload_beyond_all_measure_is_dropped(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collab_tui.cli.hook.MAX_PAYLOAD", 1000)
    before = hooks.registry.read_bytes()
    hooks("claude", "user_prompt_submit", prompt="w " * 2_000)
    assert hooks.registry.read_bytes() == before
    assert "1,000 bytes" in hooks.log()


def test_nothing_of_the_environment_is_recorded(hooks: Hooks) -> None:
    hooks.set("CLAUDE_CODE_MESSAGING_TOKEN", "a-token-nobody-may-see")
    for name in ("session_start", "user_prompt_submit", "pre_tool_use_bash", "stop", "session_end"):
        hooks("claude", name)
    kept = [file.read_bytes() for file in hooks.state.rglob("*") if file.is_file()]
    assert not any(b"nobody-may-see" in data for data in [hooks.registry.read_bytes(), *kept])


def test_where_no_registry_is_nothing_is_done(hooks: Hooks, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("session_start", "user_prompt_submit", "pre_tool_use_bash", "permission_request_bash", "stop"):
        assert hooks("claude", name, session_id="x", cwd=str(elsewhere)) == ""
    assert list(elsewhere.iterdir()) == []
    assert hooks.log() == ""


def test_a_registry_that_is_gone_does_not_come_back(hooks: Hooks) -> None:
    hooks.registry.unlink()
    hooks("claude", "user_prompt_submit")
    hooks("claude", "session_end")
    assert not hooks.registry.exists()


def test_a_locked_registry_fails_nobody(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collab_tui.hooks.status.TIMEOUT", 0.04)
    descriptor = hold(str(hooks.registry), 1)
    try:
        assert hooks("claude", "user_prompt_submit") == ""
    finally:
        os.close(descriptor)
    assert "LockedError" in hooks.log()
    hooks("claude", "user_prompt_submit")
    assert hooks.last()["status"] == "in_progress"


def test_a_state_folder_that_cannot_be_made_fails_nobody(hooks: Hooks, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    hooks.set("XDG_STATE_HOME", str(tmp_path / "file"))
    for name in ("session_start", "user_prompt_submit", "pre_tool_use_bash", "permission_request_bash", "stop"):
        hooks("claude", name)


def test_the_log_does_not_grow_for_ever(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "MAX_LOG", 300)
    for _ in range(20):
        hooks("claude", b"garbage \x1b[2J")
    logs = sorted(Path(places.folder()).glob("log*"))
    assert [file.name for file in logs] == ["log", "log.1"] or [file.name for file in logs] == ["log.1"]
    assert all(file.stat().st_size < 600 for file in logs)


@pytest.mark.skipif(os.name == "nt", reason="its files have no modes")
def test_what_is_kept_is_the_users_alone(hooks: Hooks) -> None:
    hooks("claude", "user_prompt_submit")
    hooks("claude", b"garbage")
    for path in Path(places.folder()).rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
