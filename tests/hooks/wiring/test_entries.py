"""What agents are told to run, and by what it is known again."""

from __future__ import annotations

import importlib
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.hooks.wiring.agents import AGENTS
from collab_tui.hooks.wiring.pasting import PASTED
from collab_tui.protocol.hook_entries import Call, call_of, is_inbox, is_ours, quoted
from collab_tui.registry.append import UnusableError

ODD = st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",)), min_size=1, max_size=8)
CALLS = st.builds(
    lambda folder, name, registry: Call(f"/{folder}/collab-tui", name, registry),
    ODD.filter(lambda text: "\\" not in text),
    st.none() | ODD.filter(lambda text: not text.startswith("-")),
    st.none() | ODD.map("/{}".format),
)


@pytest.mark.skipif(os.name == "nt", reason="the quotes of a Unix shell")
@given(CALLS, st.sampled_from(list(AGENTS)))
def test_every_entry_is_known_again_and_says_how_it_runs_us(call: Call, agent: str) -> None:
    for handlers in AGENTS[agent].entries(call).values():
        for handler in handlers:
            assert is_ours(handler, agent)
            assert call_of(handler) == call


@pytest.mark.parametrize(
    "handler",
    [
        {"command": "/usr/bin/collab-tui", "args": ["hook", "claude"]},
        {"command": "/usr/bin/collab-tui hook claude"},
        {"command": "'/opt/my programs/collab-tui' hook claude --as 'a b'"},
        {"command": "C:\\Users\\me\\collab-tui.EXE", "args": ["hook", "claude", "--inbox"]},
        {"command": "collab-tui hook claude"},
    ],
    ids=str,
)
def test_ours_are_known_by_their_command(handler: dict[str, Any]) -> None:
    assert is_ours(handler, "claude")
    assert not is_ours(handler, "codex")


@pytest.mark.parametrize(
    "handler",
    [
        None,
        "collab-tui hook claude",
        {},
        {"command": None},
        {"command": ["collab-tui", "hook", "claude"]},
        {"command": "collab-tui emit hook claude"},
        {"command": "my-collab-tui hook claude"},
        {"command": "collab-tui", "args": []},
        {"command": "echo collab-tui hook claude"},
        {"command": "'collab-tui hook claude"},
        {"url": "http://localhost/collab-tui hook claude"},
    ],
    ids=str,
)
def test_nothing_else_is_taken_for_ours(handler: object) -> None:
    assert not is_ours(handler, "claude")


@pytest.mark.skipif(os.name == "nt", reason="the quotes of a Unix shell")
@pytest.mark.parametrize("odd", ["a b", "it's", '"', "$HOME", "`id`", "a;b", "*", "\\", "&&", "한글"])
def test_a_shell_gets_every_word_as_it_is(tmp_path: Path, odd: str) -> None:
    folder = tmp_path / odd
    folder.mkdir()
    program = folder / "collab-tui"
    program.write_text(f"#!{sys.executable}\nimport sys\nprint(ascii(sys.argv[1:]))\n", encoding="utf-8")
    program.chmod(0o755)
    command = AGENTS["codex"].entries(Call(str(program), odd))["Stop"][0]["command"]
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == ascii(["hook", "codex", "--as", odd])


def test_claude_gets_its_words_without_a_shell() -> None:
    entries = AGENTS["claude"].entries(Call("/opt/a b/collab-tui", "$sena", "/nas/it's.jsonl"))
    handler = entries["PermissionRequest"][0]
    assert handler["command"] == "/opt/a b/collab-tui"
    assert handler["args"] == ["hook", "claude", "--as", "$sena", "--registry", "/nas/it's.jsonl"]


def test_what_cmd_would_not_understand_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "name", "nt")
    assert quoted(["C:\\Tools\\collab-tui.exe", "hook", "codex"]) == "C:\\Tools\\collab-tui.exe hook codex"
    for odd in ("C:\\Program Files\\collab-tui.exe", "a&b", "%PATH%", '"'):
        with pytest.raises(UnusableError, match=r"Codex runs hooks through cmd\.exe"):
            quoted([odd, "hook", "codex"])


def test_only_what_may_wait_has_the_time_to(  # a request that is cut off before it is answered would come to nothing
) -> None:
    from collab_tui.hooks import claude, codex

    entries = {name: agent.entries(Call("/collab-tui")) for name, agent in AGENTS.items()}
    assert entries["claude"]["PermissionRequest"][0]["timeout"] > claude.longest_wait({})
    assert codex.longest_wait({}) < entries["codex"]["PermissionRequest"][0]["timeout"] <= 60
    assert "async" not in entries["claude"]["PermissionRequest"][0]
    for event in ("PreToolUse", "PostToolUse"):  # nothing that happens all the time is waited for
        for name in entries:
            assert all(handler["async"] for handler in entries[name][event])
    assert [is_inbox(handler) for handler in entries["claude"]["SessionStart"]] == [False, True]
    assert shlex.split(entries["codex"]["Stop"][0]["command"])[1:3] == ["hook", "codex"]


def pasted_events(agent: str) -> Iterator[str]:
    for content in PASTED[agent].pieces(Call("/collab-tui")).values():
        yield from content.get("hooks", ())


@pytest.mark.parametrize("agent", [*AGENTS, *PASTED])
def test_every_event_that_is_wired_is_one_that_the_hook_understands(agent: str) -> None:
    program = importlib.import_module(f"collab_tui.hooks.{agent}")
    wired = AGENTS[agent].entries(Call("/collab-tui")) if agent in AGENTS else pasted_events(agent)
    for event in wired:
        kind = "ToolPermission" if agent == "gemini" else "permission_prompt"
        payload = {"hook_event_name": event, "session_id": "s1", "tool_name": "Bash", "notification_type": kind}
        assert program.read(payload, {"CLAUDECODE": "1"}) is not None, event
    titles = {name: each.title for name, each in [*AGENTS.items(), *PASTED.items()]}
    assert titles[agent] == program.DRIVER
