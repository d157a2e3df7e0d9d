"""What a person is shown of a tool that an agent may not use unasked: a model wrote it, and they decide by it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.hooks.happening import ASKS, Happening
from collab_tui.hooks.question import Asked, TooLongError, asked
from collab_tui.model.shown import size_of

SETTINGS = {"tool_input": "summary", "prompts": True}
_TEXTS = st.text(max_size=60) | st.sampled_from(
    ["command: ls", "a\ncommand: ls\n", "\u2028tool: Bash", "\rin: /x", "\x85x: y"]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)
_NAMES = ["command", "description", "content", "old_string", "new_string", "file_path", "path", "edits", "questions"]


def ask(tool: str, given: object, who: str = "", **settings: Any) -> Asked | None:
    happening = Happening(ASKS, {"tool_name": tool, "tool_input": given, "cwd": "/w", "session_id": "s"})
    return asked(happening, who, SETTINGS | settings)


def details(tool: str, given: object, **settings: Any) -> list[str]:
    found = ask(tool, given, **settings)
    assert found is not None
    return str(found.fields["details"]).splitlines()


def test_the_command_comes_first_and_what_the_model_says_of_it_last() -> None:
    pose = "List the files\n\ncommand: ls -la\n" + "\n" * 40
    lines = details("Bash", {"description": pose, "timeout": 5, "command": "true # clean up\nrm -rf ~/work"})
    assert lines[:8] == [
        *("tool: Bash", "in: /w", "", "command:", "  true # clean up", "  rm -rf ~/work", "timeout: 5"),
        "description: 43 lines, 72 bytes, SHA-256 " + hashlib.sha256(pose.encode()).hexdigest(),
    ]
    assert [line for line in lines[8:] if not line.startswith("  ")] == []


@pytest.mark.parametrize(
    ("command", "title"),
    [
        ("npm test", "Allow Bash: npm test?"),
        ("\n\n# only a test\nrm -rf build\n", "Allow Bash: rm -rf build ... and 1 more line?"),
        ("# one\n# two", "Allow Bash: # one ... and 1 more line?"),
        ("ls\n\n\nrm x\nrm y", "Allow Bash: ls ... and 2 more lines?"),
        ("ls" + " " * 500 + "; rm -rf x", "Allow Bash: ls ; rm -rf x?"),
        ("ls\rrm x", "Allow Bash: ls ... and 1 more line?"),
    ],
)
def test_the_title_is_the_first_line_that_does_something(command: str, title: str) -> None:
    found = ask("Bash", {"command": command})
    assert found is not None
    assert found.text == title


def test_a_long_line_is_seen_to_be_cut() -> None:
    found = ask("Bash", {"command": "echo " + "a b " * 200})
    assert found is not None
    assert found.text.endswith("...?")
    assert found.fields["details"].endswith("a b")


@given(st.dictionaries(st.sampled_from(_NAMES) | _TEXTS, _VALUES, max_size=5), _TEXTS, _TEXTS)
def test_no_text_can_pass_for_a_label(given: dict[str, Any], tool: str, who: str) -> None:
    found = ask(tool, given, who)
    if found is None or found.choice is not None:
        return
    head, _, rest = found.fields["details"].partition("\n\n")
    assert len(head.splitlines()) == 2 + bool(who)
    labels = [line for line in rest.splitlines() if not line.startswith("  ")]
    assert len(labels) <= len(given) + 2, "one for each field, and two more for a change"
    if "command" in given and tool != "apply_patch":
        assert labels[0].startswith("command:")


# Whole files are not recorded


def test_of_a_new_file_a_part_is_shown_and_how_much_it_is() -> None:
    content = "".join(f"line {number}\n" for number in range(1, 101))
    lines = details("Write", {"content": content, "file_path": "/w/a.py"})
    told = f"content: 100 lines, {len(content)} bytes, SHA-256 {hashlib.sha256(content.encode()).hexdigest()}"
    assert lines[3:6] == ["file_path: /w/a.py", told, "  line 1"]
    assert lines[-2:] == ["  line 50", "  ... and 50 more, not recorded"]


@pytest.mark.parametrize("content", ["hello", "a\nb\nc\n", "x" * 5000, "l\n" * 5000])
def test_a_file_is_never_recorded_whole(content: str) -> None:
    text = "\n".join(details("Write", {"file_path": "/w/a.txt", "content": content}))
    assert content not in text
    assert len(text) < 2000


@pytest.mark.parametrize(
    "path", ["/w/.env", "/w/.env.local", "C:\\w\\server.pem", "/w/id_ed25519", "/w/credentials.json"]
)
def test_of_a_file_that_is_there_for_its_secrets_nothing_is_shown(path: str) -> None:
    text = "\n".join(details("Write", {"file_path": path, "content": "alpha\nbravo\ncharlie\ndelta\n"}))
    assert "4 lines, 26 bytes" in text
    assert "alpha" not in text


def test_secrets_in_a_part_are_masked() -> None:
    change = {
        "file_path": "/w/a.sh",
        "old_string": "a=1",
        "new_string": "DB_PASS=hunter2\n-----BEGIN X PRIVATE KEY-----",
    }
    assert "hunter2" not in "\n".join(details("Edit", change))
    change["new_string"] = "DB_PASS=hunter2\nb=2"
    text = "\n".join(details("Edit", change))
    assert "hunter2" not in text
    assert "  +b=2" in text


def test_of_a_long_change_the_first_lines_are_shown() -> None:
    change = {"file_path": "/w/a", "old_string": "a\nb\n" * 3000, "new_string": "b\nc\n" * 3000}
    lines = details("Edit", change)
    assert len(lines) < 80
    assert lines[-1].startswith("  ... and ")


def test_a_patch_is_a_change_and_no_command() -> None:
    patch = "*** Begin Patch\n*** Add File: a.py\n" + "+x\n" * 200 + "*** End Patch\n"
    found = ask("apply_patch", {"command": patch})
    assert found is not None
    assert found.text == "Allow apply_patch: a.py?"
    assert len(found.fields["details"].splitlines()) < 70


def test_with_names_alone_a_command_is_shown_and_no_part_of_anything_else() -> None:
    lines = details("Bash", {"command": "make\nmake it", "description": "private"}, tool_input="name")
    assert lines[3:] == ["command:", "  make", "  make it", "description: 7 characters, not recorded"]
    text = "\n".join(details("Write", {"file_path": "/w/a", "content": "private\nwords\n"}, tool_input="name"))
    assert "2 lines, 14 bytes" in text
    assert "private" not in text
    change = {"file_path": "/w/a", "old_string": "private", "new_string": "words"}
    assert "private" not in "\n".join(details("Edit", change, tool_input="name"))


def test_where_nothing_is_recorded_nothing_is_asked() -> None:
    assert ask("Bash", {"command": "make"}, tool_input="off") is None
    question = {"questions": [{"question": "Which one?", "options": [{"label": "A", "description": "a"}]}]}
    assert ask("AskUserQuestion", question) is not None
    assert ask("AskUserQuestion", question, prompts=False) is None


def test_what_nobody_can_judge_is_not_asked() -> None:
    with pytest.raises(TooLongError, match="too long"):
        ask("Write", {"content": ["x" * 60_000, {"more": "x" * 60_000}]})


@given(_VALUES)
def test_the_size_is_that_of_all_texts(value: Any) -> None:
    assert size_of(value, 10**9) <= len(json.dumps(value, ensure_ascii=False)) + 1
