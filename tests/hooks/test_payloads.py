"""What each event of each agent's program becomes: payloads as those programs wrote them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hooks.conftest import PAYLOADS, Hooks

_START = {"status": "idle", "event": "session_start"}
_WORKS = {"status": "in_progress"}
_CLAUDE: dict[str, dict[str, Any] | None] = {
    "session_start": _START,
    "session_start_resume": _START,
    "session_start_clear": {"status": "idle", "message": "its conversation was cleared"},
    "session_start_compact": None,
    "session_end": {"event": "session_end"},
    "session_end_clear": None,
    "user_prompt_submit": {**_WORKS, "current_task": "do it all"},
    "user_prompt_submit_task_notification": _WORKS,
    "pre_tool_use_bash": {**_WORKS, "message": "Bash: echo hi"},
    "pre_tool_use_write": {**_WORKS, "message": "Write: /w/demo/a.txt"},
    "pre_tool_use_agent": {**_WORKS, "message": "Agent: look"},
    "pre_tool_use_taskcreate": {**_WORKS, "message": "TaskCreate"},
    "pre_tool_use_taskupdate": {**_WORKS, "message": "TaskUpdate"},
    "pre_tool_use_askuserquestion": {"status": "waiting", "message": "asks at its terminal: Which one?"},
    "post_tool_use_bash": {**_WORKS, "message": "Bash: echo hi"},
    "post_tool_use_agent": {**_WORKS, "message": "Agent: look"},
    "post_tool_use_askuserquestion": {**_WORKS, "message": "AskUserQuestion"},
    "post_tool_use_taskcreate": {**_WORKS, "message": "TaskCreate"},
    "post_tool_use_taskupdate_in_progress": {**_WORKS, "progress": 0},
    "post_tool_use_taskupdate_completed": {**_WORKS, "progress": 100},
    "post_tool_use_todowrite": {**_WORKS, "progress": 33, "current_task": "write"},
    "post_tool_use_failure_bash": {**_WORKS, "message": "failed: Bash: npm test"},
    "post_tool_use_failure_interrupt": {"status": "idle", "message": "interrupted at its terminal"},
    "permission_denied_bash": {**_WORKS, "message": "not allowed: Bash: npm test"},
    "permission_request_bash": {"status": "waiting", "message": "asks at its terminal: Bash: exit 3"},
    "permission_request_write": {"status": "waiting", "message": "asks at its terminal: Write: /w/demo/a.txt"},
    "permission_request_askuserquestion": {"status": "waiting", "message": "asks at its terminal: AskUserQuestion"},
    "stop": {"status": "idle", "message": "all done"},
    "stop_background": {**_WORKS, "message": "still runs: npm run dev"},
    "stop_failure": {"status": "failed", "message": "rate_limit: try again at 5pm"},
    "subagent_start": {"message": "sub-agent general-purpose started"},
    "subagent_stop": {"message": "sub-agent general-purpose is done"},
    "task_created": {**_WORKS, "progress": 0},
    "task_completed": {**_WORKS, "progress": 100},
    "notification_permission": {"status": "waiting", "message": "asks at its terminal: Claude needs your permission"},
    "notification_idle": None,
}
_CODEX: dict[str, dict[str, Any] | None] = {
    "session_start": _START,
    "session_end": {"event": "session_end"},
    "user_prompt_submit": {**_WORKS, "current_task": "do it all"},
    "pre_tool_use_bash": {**_WORKS, "message": "Bash: echo hi"},
    "post_tool_use_bash": {**_WORKS, "message": "Bash: echo hi"},
    "post_tool_use_apply_patch": {**_WORKS, "message": "apply_patch: src/a.py, b.txt"},
    "post_tool_use_update_plan": {**_WORKS, "progress": 50, "current_task": "write"},
    "permission_request_bash": {"status": "waiting", "message": "asks at its terminal: Bash: touch one"},
    "stop": {"status": "idle", "message": "done"},
    "interrupt": {"status": "idle", "message": "interrupted at its terminal"},
}
_COPILOT: dict[str, dict[str, Any] | None] = {
    "session_start": _START,
    "user_prompt_submit": {**_WORKS, "current_task": "go one"},
    "post_tool_use_bash": {**_WORKS, "message": "Bash: npm test"},
    "stop": {"status": "idle"},
    "vscode_pre_tool_use": None,
}
_GEMINI: dict[str, dict[str, Any] | None] = {
    "session_start": _START,
    "session_end": {"event": "session_end", "reason": "exit"},
    "before_agent": {**_WORKS, "current_task": "go one"},
    "before_tool": {**_WORKS, "message": "run_shell_command: npm test"},
    "after_tool": {**_WORKS, "message": "run_shell_command: npm test"},
    "after_agent": {"status": "idle", "message": "that was all"},
    "notification": {"status": "waiting", "message": "asks at its terminal: Tool run_shell_command requires execution"},
}
_ALL = {"claude": _CLAUDE, "codex": _CODEX, "copilot": _COPILOT, "gemini": _GEMINI}


def test_every_payload_is_told_here() -> None:
    assert {agent: set(told) for agent, told in _ALL.items()} == {
        folder.name: {file.stem for file in folder.iterdir()} for folder in PAYLOADS.iterdir()
    }


@pytest.fixture
def only_told(hooks: Hooks) -> Hooks:
    """Nobody is asked on the board, and no brief is made."""
    (hooks.project / ".collab").mkdir()
    (hooks.project / ".collab" / "config.toml").write_text("[hooks]\npermissions = false\nbrief = false\n", "utf-8")
    hooks.registry = hooks.registry.rename(hooks.project / ".collab" / "registry.jsonl")
    return hooks


@pytest.mark.parametrize(("agent", "name"), [(agent, name) for agent, told in _ALL.items() for name in told])
def test_what_is_recorded_of_it(only_told: Hooks, agent: str, name: str) -> None:
    if agent != "claude":
        only_told.as_another()
    assert only_told(agent, name) == ""
    wanted = _ALL[agent][name]
    if wanted is None:
        assert only_told.events() == []
        return
    (event,) = only_told.events()
    for extra in ("pid", "host", "cwd", "driver"):
        event.pop(extra, None)
    assert event == {"agent": agent, "event": "status_update", **wanted}
    assert only_told.log() == ""


def test_a_session_says_where_and_with_what_it_runs(only_told: Hooks) -> None:
    only_told("claude", "session_start")
    assert {"driver": "Claude Code", "cwd": str(only_told.project)}.items() <= only_told.last().items()
    assert {"pid", "host"} <= only_told.last().keys()
