"""Findings as values: their order, and what of events may stand in them."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.model.findings import (
    MAX_OF_A_KIND,
    SUBJECT_TITLES,
    Finding,
    Severity,
    Subject,
    argument,
    at_most,
    count_of,
    counts_text,
    grouped,
    said,
)
from collab_tui.model.lines import lines_at


def finding(severity: Severity, subject: Subject, text: str = "x", line: int = 1) -> Finding:
    return Finding(severity, subject, "kind", text, "mend", lines_at([line - 1]))


def test_groups_and_what_is_in_them_come_the_most_serious_first():
    note = finding(Severity.NOTE, Subject.HISTORY)
    lines = [finding(Severity.NOTE, Subject.LINES), finding(Severity.WARNING, Subject.LINES)]
    work = [finding(Severity.WARNING, Subject.WORK), finding(Severity.ERROR, Subject.WORK)]
    assert grouped([note, *lines, *work]) == [
        (Subject.WORK, [work[1], work[0]]),
        (Subject.LINES, [lines[1], lines[0]]),
        (Subject.HISTORY, [note]),
    ]


def test_every_subject_has_a_title():
    assert set(SUBJECT_TITLES) == set(Subject)


def test_notes_alone_are_nothing_wrong():
    assert counts_text(count_of([finding(Severity.NOTE, Subject.FILE)])) == "nothing is wrong"
    found = [finding(Severity.ERROR, Subject.WORK), *[finding(Severity.WARNING, Subject.WORK)] * 2]
    assert counts_text(count_of(found)) == "1 error, 2 warnings"


def test_of_many_of_a_kind_the_rest_is_counted_with_its_lines():
    found = at_most(
        (finding(Severity.WARNING, Subject.WORK, f"agent {n}", n) for n in range(1, MAX_OF_A_KIND + 6)), "silent agents"
    )
    assert len(found) == MAX_OF_A_KIND + 1
    assert (found[-1].text, found[-1].lines.text, found[-1].severity) == (
        "5 more silent agents",
        "lines 21-25",
        Severity.WARNING,
    )


@given(st.text(max_size=300))
def test_what_events_say_is_one_short_line_that_steers_nothing(text):
    told = said(text)
    assert len(told) <= 80
    assert not any(char < " " or "\x7f" <= char <= "\x9f" or "\u202a" <= char <= "\u202e" for char in told)


@pytest.mark.parametrize("text", ["$(reboot)", "`reboot`", "a b", "-rf", "", "한글", "x;y", "a\nb", "'", "x" * 81])
def test_only_plain_words_of_events_stand_in_a_command_that_people_copy(text):
    assert argument(text, "AGENT") == "AGENT"


@given(st.text(max_size=20))
def test_a_word_in_a_command_is_one_word_to_a_shell(text):
    word = argument(text, "AGENT")
    assert shlex.split(f"unblock {word}") == ["unblock", word]
    assert not word.startswith("-")
