import json
import re
import unicodedata

import pytest
from hypothesis import given

from collab_tui.model.text import clean, clean_json, looks_clean, one_line
from tests.events import hostile_text, json_values

FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


@given(hostile_text)
def test_cleaned_text_holds_nothing_that_steers_a_terminal_or_turns_its_direction(text):
    assert not FORBIDDEN.search(clean(text))


@given(hostile_text)
def test_cleaning_twice_is_cleaning_once(text):
    assert clean(clean(text)) == clean(text)


def test_marks_stacked_around_an_invisible_character_are_cut_in_one_go():
    assert clean("a" + "\u0301" * 4 + "\u200b" + "\u0301" * 3) == "a" + "\u0301" * 4


@given(hostile_text)
def test_what_looks_clean_is_clean_in_both_ways_of_writing_json(text):
    escaped = json.dumps(text, ensure_ascii=True).encode()
    assert not looks_clean(escaped) or clean(text) == text
    readable = text.encode("utf-8", "ignore").decode()
    assert not looks_clean(json.dumps(readable, ensure_ascii=False).encode()) or clean(readable) == readable


@pytest.mark.parametrize("ascii_only", [True, False])
def test_no_stack_of_marks_that_cleaning_cuts_looks_clean(ascii_only):
    stacks = ["a" + chr(code) * 5 for code in range(0x110000) if unicodedata.category(chr(code)) in ("Mn", "Me")]
    cut = [text for text in stacks if clean(text) != text]
    assert len(cut) > 250
    assert [text for text in cut if looks_clean(json.dumps(text, ensure_ascii=ascii_only).encode())] == []


MARKS = "\u0301\u0489\u05b0\u064b\u0730\u0900\u0e47\u0f71\u1ab0\u20dd\u2de0\u302a\u3099\ua66f\ufb1e\ufe0f\U0001e8d0"


@pytest.mark.parametrize("mark", MARKS)
def test_a_tower_of_marks_of_any_script_is_low_on_one_line(mark):
    assert one_line("a" + mark * 200) == "a" + mark * 4


@pytest.mark.parametrize("ascii_only", [True, False])
def test_no_character_that_cleaning_changes_looks_clean(ascii_only):
    changed = [char for code in range(0x110000) if clean(char := chr(code)) != char]
    assert len(changed) > 6000
    sound = [char for char in changed if ascii_only or not "\ud800" <= char <= "\udfff"]
    missed = [char for char in sound if looks_clean(json.dumps(char, ensure_ascii=ascii_only).encode())]
    assert missed == []


@given(hostile_text)
def test_a_backslash_before_an_escape_does_not_hide_it(text):
    written = json.dumps("\\" + text).encode()
    assert not looks_clean(written) or clean("\\" + text) == "\\" + text


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "종합 검토",
        "日本語",
        "naïve",
        "👩‍💻 ✅ 👍🏽",
        'say "hi"',
        "a\nb\tc",
        "नमस्ते",
        "⚠️ ❤️‍🔥 𝐛𝐨𝐥𝐝",
        "ภาษาไทยที่นี่",
        "مُحَمَّدٌ",
        "שָׁלוֹם",
    ],
)
def test_text_of_every_language_stays_as_it_is_and_needs_no_walk(text):
    assert clean(text) == text
    assert looks_clean(json.dumps(text, ensure_ascii=False).encode())


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[2J", "␛[2J"),
        ("\x07", "␇"),
        ("\x7f", "␡"),
        ("\x9b2J", "⟦9B⟧2J"),
        ("a\r\nb", "a\nb"),
        ("a\rb", "a␍b"),
        ("a\u202eb", "a⟦U+202E⟧b"),
        ("a\u2028b", "a b"),
        ("ad\u200bmin", "admin"),
        ("tag\U000e0041ged", "tagged"),
        ("\ud83d", "\ufffd"),
        ("z" + "\u0335" * 50, "z" + "\u0335" * 4),
    ],
)
def test_hostile_characters_are_made_visible_or_dropped(hostile, shown):
    assert clean(hostile) == shown


@given(json_values)
def test_cleaning_a_value_keeps_its_shape_and_leaves_no_forbidden_character(value):
    before = json.loads(json.dumps(value))
    after = clean_json(json.loads(json.dumps(value)))
    assert _shape(after) == _shape(before)
    assert not any(FORBIDDEN.search(text) for text in _strings(after))


def test_keys_are_cleaned_too_and_keep_their_order():
    cleaned = clean_json({"a\x1b": {"b\u202e": ["\x00"]}, "c": 1})
    assert list(cleaned.items()) == [("a␛", {"b⟦U+202E⟧": ["␀"]}), ("c", 1)]


@pytest.mark.parametrize("disguised", ["ag\u200bent", "\u2060agent"])
def test_of_two_keys_that_clean_to_one_name_the_one_that_was_clean_wins(disguised):
    assert clean_json({"agent": "sena", disguised: "human"}) == {"agent": "sena"}
    assert clean_json({disguised: "human", "agent": "sena"}) == {"agent": "sena"}
    assert clean_json({disguised: "human"}) == {"agent": "human"}


def test_depth_is_the_writers_choice_and_cleaning_does_not_recurse():
    deep = inner = []
    for _ in range(100_000):
        inner.append([])
        inner = inner[0]
    inner.append("\x1b")
    clean_json(deep)
    assert inner == ["␛"]


def test_one_line_makes_every_run_of_white_space_one_space():
    assert one_line(" a\n\n b\tc\u3000d ") == "a b c d"
    assert one_line("\n") == ""
    assert one_line("a\u2800\u2800 b\u2800") == "a b"


def _shape(value):
    match value:
        case dict():
            return {
                clean(key): _shape(item) for key, item in value.items() if clean(key) == key or clean(key) not in value
            }
        case list():
            return [_shape(item) for item in value]
        case _:
            return type(value)


def _strings(value):
    match value:
        case str():
            yield value
        case dict():
            for key, item in value.items():
                yield key
                yield from _strings(item)
        case list():
            for item in value:
                yield from _strings(item)
