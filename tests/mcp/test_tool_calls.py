"""Calls that the brief names: they name what they mean, whatever others wrote."""

from __future__ import annotations

import json
import re
import string

from hypothesis import given
from hypothesis import strategies as st

from collab_tui.mcp.tool_calls import ToolCalls
from tests.events import asks, board_of, hostile_text, request_of

ids = st.text(string.ascii_lowercase[:2], min_size=1, max_size=60)


@given(st.sets(ids, min_size=1, max_size=6))
def test_an_id_in_a_call_begins_one_request(names: set[str]) -> None:
    board = board_of(*(asks("lubit", name, request="ok?", target="sena") for name in names))
    calls = ToolCalls("sena", None, names)
    for name in names:
        match = re.fullmatch(r'decide\(id=(".*"), answer=VERDICT, comment=WHY\)', calls.answer(request_of(board, name)))
        assert match is not None
        beginning = json.loads(match[1])
        assert [other for other in names if other.startswith(beginning)] == [name] or beginning == name


@given(hostile_text, hostile_text, st.lists(hostile_text, max_size=3))
def test_words_of_others_cannot_end_a_call(holder: str, blocker: str, others: list[str]) -> None:
    call = ToolCalls("sena", None, ()).unblock(holder, blocker, others)
    match = re.fullmatch(
        r'resolve_blocker\(blocker=("(?:[^"\\]|\\.)*"), agent=("(?:[^"\\]|\\.)*"), comment=WHY\)', call
    )
    assert match is not None, call
    assert blocker.startswith(json.loads(match[1]))
    assert json.loads(match[2]) == holder
    assert "\n" not in call


def test_the_options_of_the_command_become_arguments() -> None:
    calls = ToolCalls("sena", None, ())
    assert calls.renew("--status in_progress", '--next "NEW PLAN"') == (
        "update_status(status=in_progress, next_action=NEW PLAN)"
    )
    assert calls.renew("--progress PERCENT") == "update_status(progress=PERCENT)"
    assert calls.ask("lubit") == 'request_decision(question=QUESTION, agent="lubit")'
    assert calls.ask() == "request_decision(question=QUESTION)"
