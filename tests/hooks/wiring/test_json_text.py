"""JSON as values that know where they stand."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.hooks.wiring.json_text import JsonError, Node, member, parse
from tests.hooks.wiring.texts import VALUES, written


@given(VALUES.flatmap(lambda value: st.tuples(st.just(value), written(st.just(value)))))
def test_any_text_has_the_value_that_was_written(pair: tuple[object, str]) -> None:
    value, text = pair
    assert parse(text).value == value


@given(written(VALUES))
def test_every_part_stands_where_it_says(text: str) -> None:
    def check(node: Node) -> None:
        assert json.loads(text[node.start : node.end]) == node.value
        if node.key is not None:
            assert json.JSONDecoder().raw_decode(text, node.outer)[0] == node.key
        for item in node.items:
            assert node.start < item.outer <= item.start < item.end < node.end
            check(item)

    check(parse(text))


@given(st.text('{}[]",:0123456789.eE+-tfn/* \n\\u', max_size=12))
def test_it_takes_and_refuses_what_python_does(text: str) -> None:
    try:
        expected = json.loads(text, parse_constant=pytest.fail)
    except ValueError:
        with pytest.raises(JsonError):
            parse(text)
    else:
        assert parse(text).value == expected


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", 1, "there is nothing in it; JSON has at least {}"),
        (" \n ", 2, "there is nothing in it; JSON has at least {}"),
        ('{\n  "a": 1, // mine\n}', 2, "a comment: JSON has none"),
        ('/* mine */ {"a": 1}', 1, "a comment: JSON has none"),
        ('{\n  "a": [\n    1,\n  ]\n}', 3, "a comma before ]: JSON has none behind the last one"),
        ('{"a": 1,}', 1, "a comma before }: JSON has none behind the last one"),
        ("{'a': 1}", 1, "single quotes: JSON has double ones"),
        ('{"a" 1}', 1, '"1" stands where a colon has to come'),
        ("{a: 1}", 1, '"a" stands where a name in double quotes has to come'),
        ("[1 2]", 1, '"2" stands where a comma or ] has to come'),
        ('{"a":\n NaN}', 2, '"N" stands where a value has to come'),
        ('{"a": "x\ny"}', 1, "a text in quotes that does not end, or holds what has to be escaped"),
        ('{"a": 1', 1, "it ends where a comma or } has to come"),
        ("{} {}", 1, '"{" stands where the end has to come'),
        ("[" * 300 + "]" * 300, 1, "more than 200 containers within each other"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, line: int, what: str) -> None:
    with pytest.raises(JsonError) as raised:
        parse(text)
    assert (raised.value.line, raised.value.what) == (line, what)


def test_a_name_that_is_there_twice_is_told_when_it_is_looked_for() -> None:
    text = '{"a": 1,\n"b": 2,\n"a": 3}'
    found = member(text, parse(text), "b")
    assert found is not None
    assert found.value == 2
    assert member(text, parse(text), "c") is None
    with pytest.raises(JsonError, match='line 3: "a" is there twice in one object'):
        member(text, parse(text), "a")


def test_numbers_of_more_digits_than_python_takes_are_no_error() -> None:
    assert parse("[" + "1" * 5000 + "]").value == ["1" * 5000]
