"""Whatever a program sends, a hook does not fail, and what it records is a short line of ours."""

from __future__ import annotations

import importlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collab_tui.cli.main import main
from collab_tui.config.settings import ToolInput
from collab_tui.hooks.question import asked
from collab_tui.model.text import one_line
from collab_tui.registry.append import MAX_LINE, encode
from tests.events import lines, says
from tests.hooks.conftest import AROUND, PAYLOADS, SESSION

_NAMES = {
    "session_id": [SESSION, "../../x", "", "a\x00b", "x" * 500],
    "hook_event_name": sorted(
        {json.loads(f.read_text("utf-8")).get("hook_event_name", "") for f in PAYLOADS.rglob("*.json")}
    ),
    "tool_name": ["Bash", "TodoWrite", "TaskUpdate", "AskUserQuestion", "update_plan", "apply_patch", "mcp__a__b"],
    "source": ["startup", "resume", "clear", "compact"],
}
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
_SECRET = "nobody-may-see-this"
_TELLING = st.sampled_from(
    [
        f"export API_TOKEN={_SECRET}",
        f"DB_PASS='{_SECRET} x' make",
        f'curl -H "Authorization: ApiKey {_SECRET}" x',
        f"deploy --password {_SECRET}",
        f"git clone https://me:{_SECRET}@host/x",
    ]
)
"""What an agent may be asked, or run, with a secret in it."""
_INPUT = st.fixed_dictionaries(
    {},
    optional={
        "command": _VALUES | st.text(max_size=400) | _TELLING | st.tuples(st.text(max_size=9), _TELLING).map(" ".join),
        "description": _VALUES,
        "content": _VALUES | _TELLING,
        "old_string": _VALUES | _TELLING,
        "new_string": _VALUES | _TELLING,
        "file_path": _VALUES | st.sampled_from(["/w/a", "/w/.env"]),
        "todos": st.lists(st.fixed_dictionaries({}, optional={"content": _VALUES, "status": _VALUES}), max_size=3),
        "plan": _VALUES,
        "questions": st.lists(_VALUES, max_size=2),
        "taskId": _VALUES,
        "status": st.sampled_from(["completed", "deleted", "in_progress", "?"]) | _VALUES,
    },
)
_FIXTURES = sorted(PAYLOADS.rglob("*.json"))
_PAYLOAD = st.builds(
    lambda file, changes, given: {**json.loads(file.read_text("utf-8")), **given, **changes},
    st.sampled_from(_FIXTURES),
    st.builds(
        lambda told, around: {**told, **around},
        st.dictionaries(st.sampled_from(["prompt", "message", "error", "last_assistant_message"]), _VALUES | _TELLING),
        st.dictionaries(st.sampled_from(["cwd", "agent_id", "background_tasks"]), _VALUES),
    ),
    st.fixed_dictionaries(
        {}, optional={**{k: st.sampled_from(v) | _VALUES for k, v in _NAMES.items()}, "tool_input": _INPUT | _VALUES}
    ),
)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("any")
    path = folder / ".collab" / "registry.jsonl"
    path.parent.mkdir()
    path.write_bytes(lines(says("system", "registry_created", registry="abcdef")))
    (path.parent / "config.toml").write_text(
        "[hooks]\npermissions = false\nbrief = false\nheartbeat = 0.001\n", "utf-8"
    )
    with pytest.MonkeyPatch.context() as patch:
        for name in AROUND:
            patch.delenv(name, raising=False)
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        patch.setenv("COLLAB_REGISTRY", str(path))
        patch.setenv("CLAUDECODE", "1")
        patch.setenv("SOME_TOKEN", _SECRET)
        patch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(folder / "config"))
        yield path


def hook(agent: str, data: bytes) -> tuple[int, str]:
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
        patch.setattr(sys, "stdout", out)
        return main(["hook", agent]), out.getvalue()


def check(registry: Path, before: int) -> None:
    for line in registry.read_bytes()[before:].splitlines():
        event = json.loads(line)
        assert event["event"] in ("session_start", "session_end", "status_update"), event
        assert event.get("status") in (None, "waiting", "in_progress", "idle", "failed")
        assert 0 <= event.get("progress", 0) <= 100
        assert _SECRET.encode() not in line
        for name in ("message", "current_task", "reason"):
            assert len(event.get(name, "")) < 300
            assert "\n" not in event.get(name, "")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(["claude", "codex", "copilot", "gemini"]), _PAYLOAD)
def test_a_mutated_payload(registry: Path, agent: str, payload: dict[str, Any]) -> None:
    before = registry.stat().st_size
    assert hook(agent, json.dumps(payload).encode()) == (0, "")
    check(registry, before)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from(["claude", "codex", "copilot", "gemini"]),
    _VALUES | st.dictionaries(st.sampled_from(sorted(_NAMES)), _VALUES),
)
def test_any_json(registry: Path, agent: str, value: Any) -> None:
    before = registry.stat().st_size
    assert hook(agent, json.dumps(value).encode()) == (0, "")
    check(registry, before)


@given(
    st.sampled_from(["claude", "codex"]),
    _PAYLOAD,
    st.fixed_dictionaries({"tool_input": st.sampled_from(ToolInput), "prompts": st.booleans()}),
)
def test_what_any_payload_asks_can_be_asked(agent: str, payload: dict[str, Any], how: dict[str, Any]) -> None:
    program = importlib.import_module(f"collab_tui.hooks.{agent}")
    asks = {**payload, "hook_event_name": "PermissionRequest"}
    asks.pop("timestamp", None)
    asks.pop("hookEventName", None)
    happening = program.read(asks, {"CLAUDECODE": "1"})
    found = asked(happening, happening.helper, how)
    if found is None:
        return
    assert how["tool_input"] != "off"
    assert found.text == one_line(found.text) != ""
    assert _SECRET not in found.text or found.choice is not None
    assert len(encode({"request": found.text, **found.fields})) < MAX_LINE
    for verdict, text in (("approved", None), ("rejected", None), (None, "A"), (None, None)):
        answer = found.answer(program.decision, verdict, text, None)
        assert (answer is None) == (not text if found.choice is not None else verdict is None)


@given(st.binary(max_size=200))
def test_any_bytes(registry: Path, data: bytes) -> None:
    before = registry.stat().st_size
    assert hook("claude", data) == (0, "")
    assert registry.stat().st_size == before
