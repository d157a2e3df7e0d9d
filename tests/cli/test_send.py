"""`collab-tui send`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Collab, events, last


@pytest.mark.parametrize("to", ["lubit", "Lubit", "all", "human", "user"])
def test_a_message_is_written_and_nothing_is_printed(collab: Collab, registry: Path, to: str) -> None:
    assert collab("send", to, "draft is ready", "--agent", "sena") == (0, "", "")
    assert last(registry) == {"agent": "sena", "event": "message", "target": to, "message": "draft is ready"}


def test_its_id_can_be_had(collab: Collab, registry: Path) -> None:
    code, out, _ = collab("send", "lubit", "hi", "--agent", "sena", "--json")
    assert (code, json.loads(out)) == (0, {"id": events(registry)[-1]["id"]})


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_what_powershell_pipes_is_read(collab: Collab, registry: Path, encoding: str) -> None:
    assert collab("send", "lubit", "-", "--agent", "sena", stdin="첫 줄\r\n".encode(encoding))[0] == 0
    assert last(registry)["message"] == "첫 줄"


def test_a_text_may_come_from_standard_input(collab: Collab, registry: Path) -> None:
    assert collab("send", "lubit", "-", "--agent", "sena", stdin="첫 줄\nsecond\n")[0] == 0
    assert last(registry)["message"] == "첫 줄\nsecond"


def test_an_unknown_name_gets_it_all_the_same_with_a_warning(collab: Collab, registry: Path) -> None:
    code, out, err = collab("send", "lubitt", "hi", "--agent", "sena")
    assert (code, out) == (0, "")
    assert err.startswith(
        "collab-tui: sent, but nobody has written as 'lubitt' yet; did you mean lubit? there are lubit, "
    )
    assert last(registry)["target"] == "lubitt"


@pytest.mark.parametrize(
    ("to", "text", "stdin", "why"),
    [
        ("lubit", "  ", b"", "an empty message says nothing"),
        ("lubit", "-", b"\n", "an empty message says nothing"),
        ("lubit", "-", b"\xff", "standard input is not UTF-8"),
        ("lubit", "-", b"\xff\xfea", "standard input is not UTF-16"),
        ("lubit", "-", b"x" * (1 << 21), "standard input has more than 1,048,576 bytes"),
        (" ", "hi", b"", "to whom?"),
        ("lubit", "x" * (1 << 20), b"", "a line may have 1,048,576"),
    ],
    ids=["empty", "empty input", "not UTF-8", "half a sign", "too long an input", "to nobody", "too long"],
)
def test_what_says_nothing_is_refused(
    collab: Collab, registry: Path, to: str, text: str, stdin: bytes, why: str
) -> None:
    before = len(events(registry))
    code, out, err = collab("send", to, text, "--agent", "sena", stdin=stdin)
    assert (code, out, len(events(registry))) == (2, "", before)
    assert why in err
