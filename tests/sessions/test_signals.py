"""What hooks tell the session that their program runs in, from the hook to the one who reads it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from collab_tui.model import signals
from collab_tui.model.ours import DRIVER, SIGNALS, STRUCTURED
from collab_tui.protocol.hook_entries import IN_SESSION
from collab_tui.sessions.signals import Signal, Signals
from tests.hooks.conftest import SESSION, Hooks, hooks

__all__ = ["hooks"]

_US = os.getpid()


@pytest.fixture
def path(tmp_path: Path, hooks: Hooks) -> Path:
    hooks.set(SIGNALS, str(tmp_path / "signals"))
    return tmp_path / "signals"


def kinds(told: list[Signal]) -> list[str]:
    return [signal.kind for signal in told]


def test_a_turn_is_told_from_its_prompt_to_its_end(hooks: Hooks, path: Path) -> None:
    reader = Signals(path)
    assert reader.take() == []
    hooks("claude", "session_start", IN_SESSION)
    hooks(
        "claude",
        "user_prompt_submit",
        IN_SESSION,
        prompt="fix\tit\n<pasted_content id=1>now</pasted_content>",
        prompt_id="7",
    )
    hooks("claude", "pre_tool_use_bash", IN_SESSION)
    hooks("claude", "stop", IN_SESSION, last_assistant_message="done\nand dusted", prompt_id="7")
    hooks("claude", "session_end", IN_SESSION)
    told = reader.take()
    assert kinds(told) == ["began", "prompted", "stopped", "ended"]
    assert told[1] == Signal("prompted", "", signals.digest("fix    it now"), "7", SESSION, _US)
    assert told[2] == Signal("stopped", "done\nand dusted", "", "7", SESSION, _US)
    assert reader.take() == []
    assert path.stat().st_mode & 0o777 == 0o600 or os.name == "nt"


def test_a_permission_that_is_awaited_is_told_and_that_it_is_over(hooks: Hooks, path: Path) -> None:
    hooks("claude", "session_start", IN_SESSION)
    hooks("claude", "notification_permission", IN_SESSION)
    hooks("claude", "post_tool_use_bash", IN_SESSION)
    assert kinds(Signals(path).take()) == ["began", "waits", "works"]


def test_a_helpers_turn_is_not_the_agents(hooks: Hooks, path: Path) -> None:
    hooks("claude", "session_start", IN_SESSION)
    hooks("claude", "stop", IN_SESSION, agent_id="a1", agent_type="explorer")
    assert kinds(Signals(path).take()) == ["began"]


def test_an_agent_that_the_agent_starts_is_not_listened_to(hooks: Hooks, path: Path) -> None:
    hooks("claude", "session_start", IN_SESSION)
    hooks.as_claude("another", process=1)
    hooks("claude", "session_start", IN_SESSION, session_id="another")
    hooks("claude", "stop", IN_SESSION, session_id="another")
    hooks.as_claude("cleared")
    hooks("claude", "session_start", IN_SESSION, session_id="cleared", source="clear")
    hooks("claude", "stop", IN_SESSION, session_id="cleared")
    assert kinds(Signals(path).take()) == ["began", "began", "stopped"]


def test_a_program_that_is_connected_as_well_tells_everything_once(hooks: Hooks, path: Path) -> None:
    for event in ("session_start", "user_prompt_submit", "stop"):
        hooks("claude", event, IN_SESSION)
        hooks("claude", event, "--as", "rufus")
    assert kinds(Signals(path).take()) == ["began", "prompted", "stopped"]
    assert len(hooks.events()) == 3


def test_of_long_words_the_end_is_told_and_how_much_is_missing(
    hooks: Hooks, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "MAX_TEXT", 5)
    hooks("claude", "session_start", IN_SESSION)
    for said in ("12345", "1234567"):
        hooks("claude", "stop", IN_SESSION, last_assistant_message=said)
    texts = [signal.text for signal in Signals(path).take() if signal.kind == "stopped"]
    assert texts == ["12345", "[2 characters before this are left out]\n34567"]


def test_it_is_known_without_reading_whether_there_is_more(tmp_path: Path) -> None:
    reader = Signals(tmp_path / "signals")
    assert not reader.has_more()
    reader.path.write_bytes(b'{"kind": "began", "session": "s"}\n')
    assert reader.has_more()
    assert kinds(reader.take()) == ["began"]
    assert not reader.has_more()


def test_where_nobody_listens_nothing_is_told(hooks: Hooks, tmp_path: Path) -> None:
    hooks("claude", "session_start", IN_SESSION)
    assert not (tmp_path / "signals").exists()
    assert hooks.last()["event"] == "session_start"


def test_without_a_registry_the_session_is_told_all_the_same(hooks: Hooks, path: Path) -> None:
    hooks.registry.unlink()
    hooks("claude", "session_start", IN_SESSION)
    assert kinds(Signals(path).take()) == ["began"]


def test_a_session_that_hears_all_from_its_program_hears_nothing_twice(hooks: Hooks, path: Path) -> None:
    hooks.set(DRIVER, STRUCTURED)
    assert hooks("claude", "session_start") == ""
    assert hooks("claude", b"no JSON") == ""
    assert hooks.events() == []
    assert not path.exists()


def test_a_file_that_cannot_be_written_fails_nobody(hooks: Hooks, tmp_path: Path) -> None:
    hooks.set(SIGNALS, str(tmp_path / "none" / "signals"))
    hooks("claude", "session_start", IN_SESSION)
    assert hooks.last()["event"] == "session_start"
    assert "the session is not told" in hooks.log()


def test_a_full_file_is_begun_anew_and_nothing_is_missed(
    hooks: Hooks, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "MAX_FILE", 1000)
    reader = Signals(path)
    hooks("claude", "session_start", IN_SESSION)
    told = reader.take()
    for number in range(12):
        hooks("claude", "stop", IN_SESSION, last_assistant_message=f"turn {number}")
        if number % 3 == 2:
            told += reader.take()
    assert [signal.text for signal in told if signal.kind == "stopped"] == [f"turn {number}" for number in range(12)]
    assert path.with_name("signals.1").exists()


@pytest.mark.parametrize(
    "line", [b"not JSON", b"[]", b'{"kind": 7}', b'{"kind": "began", "process": "x"}', b"[" * 100_000]
)
def test_what_is_no_signal_is_passed_over(line: bytes, tmp_path: Path) -> None:
    path = tmp_path / "signals"
    path.write_bytes(line + b'\n{"kind": "stopped", "session": "s"}\n{"kind": "bro')
    reader = Signals(path)
    assert reader.take() == [Signal("stopped", session="s")]
    with path.open("ab") as file:
        file.write(b'ke", "session": "s"}\n')
    assert reader.take() == [Signal("broke", session="s")]
