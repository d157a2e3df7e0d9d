"""Whether an agent's program was ever heard from."""

from __future__ import annotations

from collab_tui.hooks.wiring.heard import Heard, heard
from collab_tui.model.event import decode
from tests.events import lines, says, updates


def test_the_last_event_of_an_agent_whose_session_named_a_driver() -> None:
    events = [
        updates("sena", status="idle"),
        says("Sena", "session_start", driver="Claude Code", session="s1"),
        says("lubit", "session_start", driver="Codex", session="t1"),
        updates("sena", status="in_progress"),
        updates("gitcode", status="in_progress"),
    ]
    found = heard(decode(lines(*events), 0))
    assert {driver: (each.agent, each.event) for driver, each in found.items()} == {
        "Claude Code": ("sena", "status_update"),
        "Codex": ("lubit", "session_start"),
    }


def test_nobody_is_heard_of_whom_no_hook_told() -> None:
    assert heard(decode(lines(updates("sena", status="idle"), says("sena", "session_start")), 0)) == {}
    assert heard(decode(b"not json\n[]\n", 0)) == {}


def test_a_time_that_is_none_is_none() -> None:
    events = decode(b'{"agent": "sena", "event": "session_start", "driver": "Codex", "timestamp": "soon"}\n', 0)
    assert heard(events) == {"Codex": Heard("sena", "session_start", None)}
