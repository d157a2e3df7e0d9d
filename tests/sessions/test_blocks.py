"""Our part of somebody else's text: whatever stands around it stays as it is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.sessions.syncing.blocks import Block, DamagedError, Style, blocks, with_block, without

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.lists(
    st.sampled_from(["# Rules", "x", "", "\r", "<!-- note -->", "---", "\ufeff", "  ", "collab-tui"]), max_size=8
).map("\n".join)
STYLES = st.sampled_from(Style)
BODIES = st.lists(st.sampled_from(["Be brief.", "", "- list", "# head", "ü"]), max_size=5).map(
    lambda lines: "".join(f"{line}\n" for line in lines)
)
MADE = st.booleans()


@given(TEXTS, STYLES, BODIES, MADE)
def test_taking_it_out_leaves_what_was_there(text: str, style: Style, body: str, is_made: bool) -> None:
    assert without(with_block(text, style, Block("a", is_made, body)), style) == text


@given(TEXTS, STYLES, BODIES, MADE)
def test_putting_it_in_twice_is_putting_it_in_once(text: str, style: Style, body: str, is_made: bool) -> None:
    once = with_block(text, style, Block("a", is_made, body))
    assert with_block(once, style, Block("a", is_made, body)) == once
    (found,) = blocks(once, style)
    assert (found.name, found.is_made) == ("a", is_made)
    assert found.body.replace("\r\n", "\n").removesuffix("\n") == body.removesuffix("\n")


@given(TEXTS, TEXTS, TEXTS, STYLES, BODIES, BODIES)
def test_what_is_changed_around_it_stays(
    text: str, before: str, after: str, style: Style, body: str, other: str
) -> None:
    if before and not before.endswith("\n"):
        before += "\n"
    whole = with_block(text, style, Block("a", False, body))
    (place,) = [match.span() for match in style.pattern.finditer(whole)]
    edited = f"{before}{whole[slice(*place)]}{after}"
    assert without(edited, style) == before + after
    anew = with_block(edited, style, Block("a", False, other))
    assert anew.startswith(before)
    assert anew.endswith(after)
    assert without(anew, style) == before + after


@given(TEXTS, STYLES, BODIES, BODIES)
def test_blocks_of_several_names_do_not_touch_each_other(text: str, style: Style, body: str, other: str) -> None:
    both = with_block(with_block(text, style, Block("a", False, body)), style, Block("b", True, other))
    assert [block.name for block in blocks(both, style)] in (["a", "b"], ["b", "a"])
    assert without(both, style, lambda name: name == "a") == with_block(text, style, Block("b", True, other))


def test_it_stands_at_the_end_and_at_the_beginning_of_a_text_that_does_not_end() -> None:
    block = Block("definition", False, "Be brief.\n")
    ours = "<!-- collab-tui:begin definition -->\nBe brief.\n<!-- collab-tui:end definition -->\n"
    assert with_block("# Rules\n", Style.MARKDOWN, block) == f"# Rules\n{ours}"
    assert with_block("# Rules", Style.MARKDOWN, block) == f"{ours}# Rules"
    assert with_block("\ufeff# Rules", Style.MARKDOWN, block) == f"\ufeff{ours}# Rules"
    assert with_block("# Rules\r\n", Style.MARKDOWN, block) == "# Rules\r\n" + ours.replace("\n", "\r\n")


@pytest.mark.parametrize("missing", ["begin", "end"])
def test_half_of_a_block_is_told_and_nothing_is_guessed(missing: str) -> None:
    whole = with_block("one\n", Style.HASH, Block("a", False, "two\n"))
    half = re.sub(rf"# collab-tui:{missing} a\n", "", whole)
    for change in (lambda: without(half, Style.HASH), lambda: with_block(half, Style.HASH, Block("b", False, "x\n"))):
        with pytest.raises(DamagedError, match=r"line [23] is one of two that belong together"):
            change()


def test_a_body_cannot_say_that_it_ends() -> None:
    with pytest.raises(DamagedError, match="mark what is ours"):
        with_block("", Style.MARKDOWN, Block("a", False, "<!-- collab-tui:end a -->\n# Rules of another\n"))
