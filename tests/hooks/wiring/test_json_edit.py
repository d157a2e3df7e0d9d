"""Changes of a JSON text that touch nothing but themselves."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.hooks.wiring.json_edit import append, remove, replace
from collab_tui.hooks.wiring.json_text import Node, parse
from tests.hooks.wiring.texts import STRINGS, VALUES, written

CONTAINERS = st.dictionaries(STRINGS, VALUES, max_size=3) | st.lists(VALUES, max_size=3)


def containers(node: Node) -> list[Node]:
    """All that something can be put into."""
    own = [node] if isinstance(node.value, dict | list) else []
    return own + [found for item in node.items for found in containers(item)]


@given(written(CONTAINERS), VALUES, st.data())
def test_what_was_appended_last_is_removed_without_a_trace(text: str, value: Any, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(containers(parse(text))) - 1))
    node = containers(parse(text))[number]
    key = "a new name" if isinstance(node.value, dict) else None
    more = append(text, node, value, key)
    grown = containers(parse(more))[number]
    assert grown.value == ({**node.value, key: value} if key is not None else [*node.value, value])
    assert remove(more, grown, len(grown.items) - 1) == text


@given(written(CONTAINERS), VALUES, st.data())
def test_everything_around_it_stays_as_it_is(text: str, value: Any, data: st.DataObject) -> None:
    node = data.draw(st.sampled_from(containers(parse(text))))
    more = append(text, node, value, "a new name" if isinstance(node.value, dict) else None)
    first, last = (node.items[-1].end,) * 2 if node.items else (node.start + 1, node.end - 1)
    assert more.startswith(text[:first])
    assert more.endswith(text[last:])


def test_a_minified_text_stays_one_whatever_its_values_say() -> None:
    text = '{"hooks":{"Stop":[{"hooks":[{"command":"a","statusMessage":"here, or there"}]}]},"x":[1,2]}'
    node = parse(text).items[0]
    more = append(text, node, [{"timeout": 3, "args": ["a, b", "c"]}], "Mine")
    assert more == text.replace("}]}]}", '}]}],"Mine":[{"timeout":3,"args":["a, b","c"]}]}')


@given(written(CONTAINERS), st.data())
def test_removing_leaves_what_python_would(text: str, data: st.DataObject) -> None:
    filled = [node for node in containers(parse(text)) if node.items]
    if not filled:
        return
    node = data.draw(st.sampled_from(filled))
    index = data.draw(st.integers(0, len(node.items) - 1))
    number = containers(parse(text)).index(node)
    left = containers(parse(remove(text, node, index)))[number]
    assert [item.value for item in left.items] == [item.value for item in node.items if item is not node.items[index]]


@given(written(CONTAINERS), VALUES, st.data())
def test_replacing_changes_that_value_alone(text: str, value: Any, data: st.DataObject) -> None:
    nodes = [item for node in containers(parse(text)) for item in node.items]
    if not nodes:
        return
    node = data.draw(st.sampled_from(nodes))
    changed = replace(text, node, value)
    assert changed.startswith(text[: node.start])
    assert changed.endswith(text[node.end :])
    assert json.loads(changed[node.start : len(changed) - len(text) + node.end]) == value


GROUP = [{"hooks": [{"type": "command", "args": ["a", "b"]}]}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            '{\n    "a": 1\n}\n',
            '{\n    "a": 1,\n    "b": [\n        {\n            "hooks": [\n                {\n'
            '                    "type": "command",\n                    "args": ["a", "b"]\n'
            "                }\n            ]\n        }\n    ]\n}\n",
            id="four spaces",
        ),
        pytest.param(
            '{\r\n\t"a": 1\r\n}',
            '{\r\n\t"a": 1,\r\n\t"b": [\r\n\t\t{\r\n\t\t\t"hooks": [\r\n\t\t\t\t{\r\n\t\t\t\t\t"type": "command",'
            '\r\n\t\t\t\t\t"args": ["a", "b"]\r\n\t\t\t\t}\r\n\t\t\t]\r\n\t\t}\r\n\t]\r\n}',
            id="tabs and CRLF",
        ),
        pytest.param('{"a":1}', '{"a":1,"b":[{"hooks":[{"type":"command","args":["a","b"]}]}]}', id="no space at all"),
        pytest.param(
            '{"a": 1}', '{"a": 1, "b": [{"hooks": [{"type": "command", "args": ["a", "b"]}]}]}', id="one line"
        ),
        pytest.param(
            '{ "a" : 1 }',
            '{ "a" : 1, "b" : [{"hooks" : [{"type" : "command", "args" : ["a", "b"]}]}] }',
            id="space before the colon",
        ),
        pytest.param(
            "{}\n",
            '{\n  "b": [\n    {\n      "hooks": [\n        {\n          "type": "command",\n'
            '          "args": ["a", "b"]\n        }\n      ]\n    }\n  ]\n}\n',
            id="nothing yet",
        ),
    ],
)
def test_what_is_added_looks_as_if_the_writer_of_the_rest_had_written_it(text: str, expected: str) -> None:
    assert append(text, parse(text), GROUP, "b") == expected
