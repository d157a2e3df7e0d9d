"""`collab-tui send`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Collab, events, last


@pytest.mark.parametrize("to", ["lubit", "Lubit", "all", "human", "user"])
def test_a_message_is_written_and_nothing_is_printed(collab: Collab, registry: Path, to: str) -> None:
    assert collab("send", to, "draft is ready", "--agent", "sena") == (0, "", "")
    assert last(registry) == {"agent": "sena", "event": "message", "target": to, "message": "draft is ready"}


def test_a_text_may_come_from_standard_input(collab: Collab, registry: Path) -> None:
    assert collab("send", "lubit", "-", "--agent", "sena", stdin="첫 줄\nsecond\n")[0] == 0
    assert last(registry)["message"] == "첫 줄\nsecond"


def test_an_unknown_name_gets_it_all_the_same_with_a_warning(collab: Collab, registry: Path) -> None:
    code, out, err = collab("send", "lubitt", "hi", "--agent", "sena")
    assert (code, out) == (0, "")
    assert err.startswith("collab-tui: sent, but nobody has written as 'lubitt' yet; did you mean lubit? there is ")
    assert last(registry)["target"] == "lubitt"


@pytest.mark.parametrize(
    ("to", "text", "stdin", "why"),
    [
        ("lubit", "  ", b"", "an empty message says nothing"),
        ("lubit", "-", b"\n", "an empty message says nothing"),
        ("lubit", "-", b"\xff", "standard input is not UTF-8"),
        (" ", "hi", b"", "to whom?"),
        ("lubit", "x" * (1 << 20), b"", "a line may have 1,048,576"),
    ],
    ids=["empty", "empty input", "not UTF-8", "to nobody", "too long"],
)
def test_what_says_nothing_is_refused(
    collab: Collab, registry: Path, to: str, text: str, stdin: bytes, why: str
) -> None:
    before = len(events(registry))
    code, out, err = collab("send", to, text, "--agent", "sena", stdin=stdin)
    assert (code, out, len(events(registry))) == (2, "", before)
    assert why in err
