"""The JSON of a reply: which block of it that is, however it is fenced, in time in proportion to its length."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.protocol.fenced import FencedError, closed, fenced_json

_ANSWER = {"plan": "x", "tasks": []}
_TEXT = '{"plan": "x", "tasks": []}'
_LONGEST = 1 << 20


@pytest.mark.parametrize(
    "reply",
    [
        _TEXT,
        f"\n{_TEXT}\n",
        f"Here you are: {_TEXT}",
        f"```json\n{_TEXT}\n```",
        f"```json\r\n{_TEXT}\r\n```\r\n",
        f"````json\n{_TEXT}\n````",
        f"~~~json\n{_TEXT}\n~~~",
        f"1. the plan\n   ```json\n   {_TEXT}\n   ```",
        f"```json\n{_TEXT}\n```\nand then I ran\n```sh\nls -l\n```\n",
        f'```json\n{{"plan": "first"}}\n```\nno:\n```json\n{_TEXT}\n```',
        f"````\n```json\n{{}}\n```\n````\n{_TEXT}\n~~~\n{_TEXT}\n~~~",
        f"``` `not a fence` ```\n```\n{_TEXT}\n```",
        f"```json\n{_TEXT}",
        f"{'```x' * 10}\n```\n{_TEXT}\n```",
    ],
)
def test_the_last_block_that_is_meant_is_the_answer_however_it_is_fenced(reply: str) -> None:
    assert fenced_json(reply, _LONGEST) == _ANSWER


@pytest.mark.parametrize(
    ("reply", "value"), [("42", 42), ('"{words}"', "{words}"), ("```\n[1]\n```\n```\n2\n```", [1])]
)
def test_an_answer_need_not_be_an_object(reply: str, value: Any) -> None:
    assert fenced_json(reply, _LONGEST) == value


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("", "there is no JSON"),
        ("```\n```", "there is no JSON"),
        ("It looks good.", "it is not JSON"),
        (f"```json\n{_TEXT}\n```\n```json\n{{broken\n```", "it is not JSON"),
        ('```\n{"a": 1, "a": 2}\n```', "twice"),
        ('{"a": NaN}', "no number"),
        ("[" * 200_000, "it is not JSON"),
        (f"```\n{{{' ' * _LONGEST}}}\n```", "may have 1,048,576"),
    ],
)
def test_what_is_none_is_told(reply: str, why: str) -> None:
    with pytest.raises(FencedError, match=why):
        fenced_json(reply, _LONGEST)


@pytest.mark.parametrize(
    "piece", ["```x\n", "```\n", "````\n```\n", "~~~ `\n", "`" * 4000 + "x\n", " " * 4000 + "\n", "{", "```{\n"]
)
def test_a_reply_of_a_megabyte_is_read_in_one_pass(piece: str) -> None:
    """It ran in the loop of the run, for a quarter of an hour."""
    with pytest.raises(FencedError):
        fenced_json(piece * (_LONGEST // len(piece)), _LONGEST)


@given(st.text(alphabet="`~x \n", max_size=60))
def test_a_text_that_is_closed_leaves_no_fence_open(text: str) -> None:
    whole = closed(text)
    assert closed(whole) == whole
    assert whole.startswith(text)
    assert fenced_json(f"{whole}\n```json\n{_TEXT}\n```", _LONGEST) == _ANSWER
