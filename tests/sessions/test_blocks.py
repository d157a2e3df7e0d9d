"""Our part of somebody else's text: whatever stands around it stays as it is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.sessions.syncing.blocks import Block, DamagedError, block_in, with_block, without

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.lists(
    st.sampled_from(["# Rules", "x", "", "\r", "<!-- note -->", "---", "\ufeff", "  ", "collab-tui"]), max_size=8
).map("\n".join)
BODIES = st.lists(st.sampled_from(["Be brief.", "", "- list", "# head", "ü"]), max_size=5).map(
    lambda lines: "".join(f"{line}\n" for line in lines)
)
MADE = st.booleans()


@given(TEXTS, BODIES, MADE)
def test_taking_it_out_leaves_what_was_there(text: str, body: str, is_made: bool) -> None:
    assert without(with_block(text, Block(is_made, body))) == text


@given(TEXTS, BODIES, MADE)
def test_putting_it_in_twice_is_putting_it_in_once(text: str, body: str, is_made: bool) -> None:
    once = with_block(text, Block(is_made, body))
    assert with_block(once, Block(is_made, body)) == once
    found = block_in(once)
    assert found is not None
    assert found.is_made == is_made
    assert found.body.replace("\r\n", "\n").removesuffix("\n") == body.removesuffix("\n")


@given(TEXTS, TEXTS, TEXTS, BODIES, BODIES)
def test_what_is_changed_around_it_stays(text: str, before: str, after: str, body: str, other: str) -> None:
    if before and not before.endswith("\n"):
        before += "\n"
    whole = with_block(text, Block(False, body))
    begin, end = whole.index("<!-- collab-tui:begin"), whole.index("<!-- collab-tui:end definition -->")
    ours = whole[begin : whole.index("\n", end) + 1]
    edited = f"{before}{ours}{after}"
    assert without(edited) == before + after
    anew = with_block(edited, Block(False, other))
    assert anew.startswith(before)
    assert anew.endswith(after)
    assert without(anew) == before + after


def test_it_stands_at_the_end_and_at_the_beginning_of_a_text_that_does_not_end() -> None:
    block = Block(False, "Be brief.\n")
    ours = "<!-- collab-tui:begin definition -->\nBe brief.\n<!-- collab-tui:end definition -->\n"
    assert with_block("# Rules\n", block) == f"# Rules\n{ours}"
    assert with_block("# Rules", block) == f"{ours}# Rules"
    assert with_block("\ufeff# Rules", block) == f"\ufeff{ours}# Rules"
    assert with_block("# Rules\r\n", block) == "# Rules\r\n" + ours.replace("\n", "\r\n")


@pytest.mark.parametrize("missing", ["begin", "end"])
def test_half_of_a_block_is_told_and_nothing_is_guessed(missing: str) -> None:
    whole = with_block("one\n", Block(False, "two\n"))
    half = re.sub(rf"<!-- collab-tui:{missing} definition -->\n", "", whole)
    for change in (lambda: without(half), lambda: with_block(half, Block(False, "x\n"))):
        with pytest.raises(DamagedError, match=r"line [23] is one of two that belong together"):
            change()


def test_a_body_cannot_say_that_it_ends() -> None:
    with pytest.raises(DamagedError, match="mark what is ours"):
        with_block("", Block(False, "<!-- collab-tui:end definition -->\n# Rules of another\n"))
