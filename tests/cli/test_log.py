"""`collab-tui log`: which lines, and how they are shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Collab
from tests.events import lines, says, updates


def shown(collab: Collab, *terms: str) -> list[int]:
    """The numbers of the lines that pass."""
    code, out, err = collab("log", "--json", *terms)
    assert (code, err) == (0, "")
    return [json.loads(line)["line"] for line in out.splitlines()]


def test_every_event_is_one_line(collab: Collab, registry: Path) -> None:
    code, out, err = collab("log")
    assert (code, err) == (0, "")
    assert [line.split()[:3] for line in out.splitlines()] == [
        ["1", "system", "registry_created"],
        ["2", "sena", "status_update"],
        ["3", "gitcode", "status_update"],
        ["4", "sena", "decision_request"],
        ["5", "lubit", "decision_request"],
        ["6", "gitcode", "decision_request"],
        ["7", "sena", "decision_request"],
    ]
    assert "working 40 %  metrics v2" in out


def test_a_file_among_the_words_is_the_registry(collab: Collab, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_bytes(lines(says("orion", "message", message="hi"), updates("orion", progress=5)))
    assert shown(collab, str(other)) == [1, 2]
    assert shown(collab, "event:message", str(other)) == [1]
    code, _, err = collab("log", str(other), "--registry", str(other))
    assert (code, "give one registry" in err) == (2, True)


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ([], [1, 2, 3, 4, 5, 6, 7]),
        (["agent:sena"], [2, 4, 7]),
        (["agent:sena", "event:decision_request"], [4, 7]),
        (["status:blocked"], [3]),
        (["progress<50"], [2]),
        (["line>=6"], [6, 7]),
        (["샘플"], [2]),
        (["no credentials"], [3]),
        (["credentials", "disk"], [3]),
        (['request:"Too late?"'], [7]),
        (["-sena"], [1, 3, 5, 6]),
        (["-agent:sena", "-event:decision_request"], [1, 3]),
        (["-event:decision_request", "agent:sena"], [2]),
        (["-failed"], [1, 2, 3, 4, 5, 6, 7]),
        (["-human"], [1, 2, 3, 5, 6, 7]),
        (["-progress>0"], [1, 3, 4, 5, 6, 7]),
        (["--", "-sena"], [1, 3, 5, 6]),
        (["nowhere"], []),
    ],
    ids=lambda value: " ".join(value) if value and isinstance(value[0], str) else "",
)
def test_filters(collab: Collab, registry: Path, terms: list[str], expected: list[int]) -> None:
    assert shown(collab, *terms) == expected


def test_json_gives_the_event_or_the_reason(collab: Collab, registry: Path) -> None:
    registry.write_bytes(lines(updates("세나", custom=[1])) + b"{torn\n" + lines(says("lubit", "completion", id="abc")))
    told: list[dict[str, Any]] = [json.loads(line) for line in collab("log", "--json")[1].splitlines()]
    assert told[0] == {"line": 1, "id": told[0]["id"], "event": {**updates("세나", custom=[1])}}
    assert set(told[1]) == {"line", "unreadable"}
    assert told[2] == {"line": 3, "id": "abc", "event": says("lubit", "completion", id="abc")}


def test_the_last_line_counts_without_its_newline(collab: Collab, registry: Path) -> None:
    registry.write_bytes(lines(updates("sena"), updates("lubit"))[:-1])
    assert shown(collab) == [1, 2]


def test_names_with_line_ends_keep_to_their_line(collab: Collab, registry: Path) -> None:
    registry.write_bytes(lines(says("se\nna", "a\nb", message="c\nd"), says("\t", "x")))
    assert len(collab("log")[1].splitlines()) == 2


def test_in_a_pipe_lines_are_whole_and_without_colour(collab: Collab, registry: Path) -> None:
    registry.write_bytes(lines(updates("sena", current_task="word " * 100 + "end")))
    out = collab("log")[1]
    assert out.count("\n") == 1
    assert out.endswith("end\n")
    assert "\x1b" not in out


def test_an_empty_registry_has_nothing_to_say(collab: Collab, registry: Path) -> None:
    registry.write_bytes(b"")
    assert collab("log") == (0, "", "")


def test_a_filter_that_was_hardly_meant_is_doubted(collab: Collab, registry: Path) -> None:
    assert collab("log", "agnt:sena") == (2, "", "collab-tui: unknown field agnt: did you mean agent:?\n")
    assert collab("log", "progress>abc") == (2, "", "collab-tui: abc is no number\n")
    assert collab("log", "time>noon")[2].startswith("collab-tui: noon is no time: write 14:00")
    code, out, err = collab("log", "-agnt:sena")  # something passes: it may have been meant
    assert (code, len(out.splitlines()), "did you mean agent:?" in err) == (0, 7, True)


def test_a_file_that_is_not_there_is_no_filter(collab: Collab, registry: Path) -> None:
    assert collab("log", "nosuch.jsonl", "agent:sena") == (2, "", "collab-tui: there is no file nosuch.jsonl\n")
    assert collab("log", '"nosuch.jsonl"') == (0, "", "")
