"""What an agent is told when its session begins."""

from __future__ import annotations

import json
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from tests.events import lines, says
from tests.hooks.conftest import Hooks


def context(said: str) -> str:
    told = json.loads(said)["hookSpecificOutput"]
    assert told["hookEventName"] == "SessionStart"
    return str(told["additionalContext"])


@pytest.mark.parametrize(
    "name", ["session_start", "session_start_resume", "session_start_clear", "session_start_compact"]
)
def test_whoever_begins_or_forgot_gets_its_brief_and_how_to_take_part(hooks: Hooks, name: str) -> None:
    with hooks.registry.open("ab") as file:
        file.write(lines(says("lubit", "decision_request", request="Is it ready?", target="claude")))
    text = context(hooks("claude", name))
    assert '"Is it ready?"' in text
    assert "You are claude on this board" in text
    assert "collab-tui emit status_update --agent claude" in text


def test_it_is_told_before_its_start_is_recorded(hooks: Hooks) -> None:
    """Else it would have been there at this very moment, and nothing came since."""
    hooks("claude", "session_start")
    hooks("claude", "session_end")
    with hooks.registry.open("ab") as file:
        file.write(lines(says("lubit", "message", target="claude", message="while you were away")))
    assert "while you were away" in context(hooks("claude", "session_start_resume"))


def test_codex_gets_the_same(hooks: Hooks) -> None:
    hooks.as_another()
    assert "You are lubit on this board" in context(hooks("codex", "session_start", "--as", "lubit"))


def test_copilot_has_no_place_for_it(hooks: Hooks) -> None:
    hooks.as_another()
    assert hooks("copilot", "session_start") == ""


def test_whoever_does_not_want_it_gets_none(hooks: Hooks) -> None:
    (hooks.project / ".collab").mkdir()
    (hooks.project / ".collab" / "config.toml").write_text("[hooks]\nbrief = false\n", "utf-8")
    hooks.registry = hooks.registry.rename(hooks.project / ".collab" / "registry.jsonl")
    assert hooks("claude", "session_start") == ""
    assert hooks.last()["event"] == "session_start"


def test_it_is_cut_to_what_the_program_takes(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collab_tui.hooks.greeting.brief_of", lambda *_: SimpleNamespace(text="long " * 10_000))
    text = context(hooks("claude", "session_start"))
    assert len(text) <= 9000
    assert text.endswith("`collab-tui guide` tells the rest.")


def test_a_brief_that_fails_or_takes_too_long_is_left_out(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    never = Event()

    def slow(*_: Any) -> Any:
        never.wait()

    def fails(*_: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr("collab_tui.hooks.greeting.TIME_LIMIT", 0.01)
    monkeypatch.setattr("collab_tui.hooks.greeting.brief_of", slow)
    assert hooks("claude", "session_start") == ""
    monkeypatch.setattr("collab_tui.hooks.greeting.TIME_LIMIT", 60)
    monkeypatch.setattr("collab_tui.hooks.greeting.brief_of", fails)
    assert hooks("claude", "session_start_compact") == ""
    never.set()
    assert [event["event"] for event in hooks.events()] == ["session_start"]
    assert "no brief within" in hooks.log()
    assert "no brief: MemoryError" in hooks.log()


def test_the_registry_may_be_given(hooks: Hooks, tmp_path: Any) -> None:
    hooks("claude", "session_start", "--registry", str(hooks.registry), cwd=str(tmp_path))
    assert hooks.last()["event"] == "session_start"
