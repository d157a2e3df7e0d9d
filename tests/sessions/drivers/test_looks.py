"""What a screen says, and what of it is a reply."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.sessions.built_in import BUILT_IN
from collab_tui.sessions.definitions import Definition, DriverKind
from collab_tui.sessions.drivers.looks import Patterns, Sign
from collab_tui.sessions.drivers.shown import harmless, reply_in
from collab_tui.sessions.terminal_model import captured

RULE = "─" * 40
CLAUDE = Patterns(BUILT_IN["claude-terminal"])
CODEX = Patterns(BUILT_IN["codex-terminal"])
UNKNOWN = Patterns(Definition("any", DriverKind.TERMINAL, ("any",)))


@pytest.mark.parametrize(
    ("patterns", "screen", "sign", "draft"),
    [
        (CLAUDE, f"● done\n{RULE}\n❯\xa0\n{RULE}\n  ? for shortcuts", Sign.READY, ""),
        (CLAUDE, f'● done\n{RULE}\n❯ \x1b[7mT\x1b[27;2mry "fix it"\x1b[0m\n{RULE}', Sign.READY, ""),
        (CLAUDE, f"● done\n{RULE}\n❯ my words\x1b[7m \x1b[0m\n{RULE}", Sign.READY, "my words"),
        (CLAUDE, f"● done\n{RULE}\n❯ \x1b[7mx\x1b[0m\n{RULE}", Sign.READY, "x"),
        (CLAUDE, f"✻ Thinking… (3s · esc to interrupt)\n{RULE}\n❯\xa0\n{RULE}", Sign.BUSY, ""),
        (CLAUDE, " Do you want to proceed?\n ❯ 1. Yes\n   2. No\n Esc to cancel", Sign.DIALOG, "1. Yes"),
        (CODEX, "• done\n\n› \x1b[2mAsk Codex to do anything\x1b[0m\n\n  model default", Sign.READY, ""),
        (CODEX, "• Working (1s • esc to interrupt)\n\n› \x1b[2mAsk\x1b[0m", Sign.BUSY, ""),
    ],
)
def test_the_screens_of_the_programs_are_known(patterns: Patterns, screen: str, sign: Sign, draft: str) -> None:
    look = patterns.look(captured(screen, 60))
    assert (look.sign, look.draft) == (sign, draft)


@pytest.mark.parametrize("line", ["user@host:~$ ", "# ", "> ", ">>> ", "❯ ", "(venv) ~ › "])
def test_a_usual_prompt_before_the_cursor_is_ready(line: str) -> None:
    assert UNKNOWN.look(captured(f"old > line\n{line}", 60, (1, len(line)))).sign is Sign.READY


@pytest.mark.parametrize("line", ["Password: ", "$ rm -r", "50 % done", "a > b", ""])
def test_anything_else_is_no_sign(line: str) -> None:
    assert UNKNOWN.look(captured(f"$ \n{line}", 60, (1, len(line)))).sign is Sign.NONE


def test_the_body_ends_above_the_composer_and_its_frame() -> None:
    screen = f"● done\n✻ Working… (esc to interrupt)\n{' ' * 40}◐ medium\n{RULE}\n❯\n{RULE}\n  hints"
    look = CLAUDE.look(captured(screen, 60))
    assert (look.composer, look.body, look.last) == (4, 2, "● done")


@pytest.mark.parametrize(
    ("before", "after", "reply"),
    [
        (["Welcome"], ["Welcome", "", "❯ hi", "", "● hello"], "● hello"),
        (["Welcome", "a", "b"], ["b", "❯ hi", "● hello"], "● hello"),
        (["clock 1", "a"], ["clock 2", "a", "❯ hi", "● you said hi"], "● you said hi"),
        ([], ["hi", "hello"], "hello"),
        (["$ ls", "a"], ["$ ls", "a", "$ hi", "hi"], "hi"),
        (["a"], ["a"], ""),
        (["a"], ["a", "no echo of it", "  indented"], "no echo of it\n  indented"),
        (["x", "x"], ["x", "x", "x"], "x"),
        (["a", "b", "c", ""], ["", "b", "❯ hi", "● hello"], "● hello"),
    ],
)
def test_a_reply_is_what_follows(before: list[str], after: list[str], reply: str) -> None:
    assert reply_in(before, after, "hi") == reply


def test_a_prompt_that_was_broken_into_lines_is_not_part_of_the_reply() -> None:
    prompt = "one two three\n\nfour   five"
    assert reply_in(["a"], ["a", "❯ one two", "  three", "", "  four   five", "", "● ok"], prompt) == "● ok"


@given(
    st.lists(st.sampled_from(["a", "b", "", "● c"]), max_size=12),
    st.lists(st.text("xyz", min_size=1), max_size=6),
    st.integers(0, 12),
)
def test_what_comes_after_is_never_lost(old: list[str], new: list[str], gone: int) -> None:
    """However far what stood there moved up, unless none of it is left."""
    kept = old[min(gone, max(0, len(old) - 1)) :]
    assert reply_in(old, [*kept, *new], "prompt").endswith("\n".join(new))


@given(st.text())
def test_nothing_that_is_typed_is_a_key(prompt: str) -> None:
    typed = harmless(prompt)
    assert not any((char < " " and char not in "\n\t") or "\x7f" <= char <= "\x9f" for char in typed)
    assert not typed.endswith("\n")
    typed.encode()
