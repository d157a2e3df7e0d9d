"""Who is at work: the person at a terminal, or a program that an agent runs."""

from __future__ import annotations

import io
import os

import pytest

from collab_tui.protocol.presence import AGENT_MARKS, agent_mark, why_not_the_person


@pytest.mark.parametrize("name", AGENT_MARKS)
def test_every_mark_of_an_agent_counts_and_an_empty_one_does_not(name: str) -> None:
    assert agent_mark({name: "1", "PATH": "/bin"}) == name
    assert agent_mark({name: " "}) is None
    assert f"${name} is set" in (why_not_the_person({name: "1"}, None) or "")


@pytest.mark.parametrize("name", ["CODEX_HOME", "CLAUDE_CONFIG_DIR", "GEMINI_API_KEY", "TERM", "SSH_AGENT_PID"])
def test_settings_of_a_person_who_uses_agents_are_no_marks(name: str) -> None:
    assert agent_mark({name: "x"}) is None


def test_nobody_decides_through_a_pipe() -> None:
    for stdin in (None, io.StringIO("yes")):
        assert "no terminal" in (why_not_the_person({}, stdin) or "")


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal that a program can make")
def test_somebody_at_a_terminal_may_be_the_person() -> None:
    master, slave = os.openpty()
    with os.fdopen(slave, encoding="utf-8") as terminal:
        assert why_not_the_person({}, terminal) is None
        assert why_not_the_person({"CLAUDECODE": "1"}, terminal) is not None
    os.close(master)
