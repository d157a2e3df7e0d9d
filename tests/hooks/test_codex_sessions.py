"""Sessions of Codex: one process runs many of them, and goes on without a word when their screens are closed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from collab_tui.hooks import codex as program
from tests.hooks.conftest import Hooks, payload
from tests.hooks.real import Project
from tests.program import PATIENCE, PROGRAM, environment

_CODEX = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[sys.argv.index('--') + 1:]).returncode)"
"""What runs a command as Codex does: as its own child."""


@pytest.fixture(params=["one app server for all", "one process for all"])
def codex(request: pytest.FixtureRequest, hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> Hooks:
    hooks.as_another()
    if request.param == "one app server for all":
        monkeypatch.setattr(program, "_own_process", lambda: 0)
    return hooks


def named(hooks: Hooks) -> list[str]:
    return [event["agent"] for event in hooks.events()]


def test_a_session_that_returns_takes_no_name_from_one_that_works(codex: Hooks) -> None:
    codex("codex", "session_start", session_id="A")
    codex("codex", "user_prompt_submit", session_id="A", turn_id="1")
    codex("codex", "session_start", session_id="B", source="resume")
    codex("codex", "user_prompt_submit", session_id="B", turn_id="2")
    codex("codex", "session_end", session_id="B")
    codex("codex", "stop", session_id="A", turn_id="1")
    assert named(codex) == ["codex", "codex", "codex-2", "codex-2", "codex-2", "codex"]


def test_the_next_session_has_the_name_of_one_whose_screen_was_closed(codex: Hooks) -> None:
    for event in ("session_start", "user_prompt_submit", "stop"):
        codex("codex", event, session_id="closed", turn_id="1")
    codex("codex", "session_start", session_id="next")
    codex("codex", "user_prompt_submit", session_id="next", turn_id="2")
    assert set(named(codex)) == {"codex"}
    codex("codex", "session_end", session_id="closed")
    assert codex.last()["event"] == "status_update", "that the one before it ends is not its end"


def test_a_session_that_lost_its_name_while_it_rested_finds_another_and_keeps_it(codex: Hooks) -> None:
    for event in ("session_start", "user_prompt_submit", "stop"):
        codex("codex", event, session_id="first", turn_id="1")
    for event in ("session_start", "user_prompt_submit", "stop"):
        codex("codex", event, session_id="second", turn_id="2")
    assert "from now on you are codex-2" in codex("codex", "user_prompt_submit", session_id="first", turn_id="3")
    for event in ("stop", "user_prompt_submit"):
        assert codex("codex", event, session_id="first", turn_id="4") == ""
        assert codex.last()["agent"] == "codex-2"
    codex("codex", "user_prompt_submit", session_id="second", turn_id="4")
    assert codex.last()["agent"] == "codex"


def run_by(words: list[str], *hook: str, home: Path, given: dict[str, Any]) -> None:
    """A hook of a process of Codex that was started with these words; it says nothing but a brief."""
    command = [sys.executable, "-c", _CODEX, *words, "--", PROGRAM, "hook", "codex", *hook]
    env, data = environment(home, WIN_PD_OVERRIDE_LOCAL_APPDATA=str(home)), json.dumps(given).encode()
    done = subprocess.run(command, env=env, input=data, capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="there a shell runs every hook, and no process is known")
def test_the_app_server_is_no_sessions_process_and_nobody_is_woken_below_it(tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    for words in (["app-server", "--listen", "unix://"], ["--no-daemon", "go"]):
        given = payload("codex", "session_start", session_id=words[0].strip("-"), cwd=str(project.folder))
        run_by(words, home=tmp_path, given=given)
    shared, own = project.events("session_start")
    assert "pid" not in shared
    assert own["pid"] > 0
    project.say("message", agent="lubit", target="codex", message="run the tests please")
    given = payload("codex", "user_prompt_submit", session_id="app-server", cwd=str(project.folder))
    run_by(["app-server"], "--inbox", home=tmp_path, given=given)  # ends at once, and did nothing
    assert not list(tmp_path.rglob("*.listener.lock"))


def test_what_waits_is_given_with_the_next_prompt_once(codex: Hooks) -> None:
    codex("codex", "session_start")
    write = {"id": "m1", "timestamp": "2026-01-01T00:00:00Z", "agent": "lubit", "event": "message", "target": "codex"}
    with codex.registry.open("ab") as file:
        file.write(json.dumps({**write, "message": "the draft is ready"}).encode() + b"\n")
    told = json.loads(codex("codex", "user_prompt_submit", turn_id="1"))["hookSpecificOutput"]
    assert told["hookEventName"] == "UserPromptSubmit"
    assert '- lubit writes: "the draft is ready"' in told["additionalContext"]
    assert codex("codex", "stop", turn_id="1") == ""
    assert codex("codex", "user_prompt_submit", turn_id="2") == ""
