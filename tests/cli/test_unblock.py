"""`collab-tui unblock`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Collab, last
from tests.events import lines, updates


@pytest.mark.parametrize("given", ["no credentials for staging", "no cred"])
def test_a_blocker_by_its_words_or_their_beginning(collab: Collab, registry: Path, given: str) -> None:
    assert collab("unblock", "gitcode", given) == (0, "human unblocked gitcode: no credentials for staging\n", "")
    assert last(registry) == {
        "agent": "human",
        "event": "blocker_resolved",
        "blocker": "no credentials for staging",
        "target": "gitcode",
    }
    (agent,) = [a for a in json.loads(collab("status", "--json")[1])["agents"] if a["name"] == "gitcode"]
    assert [blocker["text"] for blocker in agent["blockers"]] == ["no disk", "lubit_decision"]


def test_the_agent_in_any_spelling(collab: Collab, registry: Path) -> None:
    assert collab("unblock", "GitCode", "no disk")[0] == 0
    assert last(registry)["target"] == "gitcode"


def test_an_exact_text_wins_over_a_longer_one(collab: Collab, registry: Path) -> None:
    registry.write_bytes(lines(updates("sena", blockers=["disk", "disk is slow"])))
    assert collab("unblock", "sena", "disk")[0] == 0
    assert last(registry)["blocker"] == "disk"


@pytest.mark.parametrize(("option", "by"), [("--agent", "lubit"), ("--as", "mina")])
def test_who_and_why(collab: Collab, registry: Path, option: str, by: str) -> None:
    assert collab("unblock", "gitcode", "no disk", option, by, "-m", "there is one now")[0] == 0
    assert last(registry)["agent"] == by
    assert last(registry)["comment"] == "there is one now"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (("gitcode", "no"), "'no' begins 2 blockers: no credentials for staging, no disk; give more of it"),
        (
            ("gitcode", "yes"),
            "there is no blocker 'yes'; there are no credentials for staging, no disk, lubit_decision",
        ),
        (("gitcode", ""), "there is no blocker ''; there are no credentials for staging, no disk, lubit_decision"),
        (("sena", "x"), "nothing blocks sena"),
        (("nobody", "x"), "there is no agent 'nobody'; there are system, sena, gitcode, lubit"),
    ],
    ids=["ambiguous", "unknown", "empty", "nothing", "nobody"],
)
def test_anything_else_is_not_found(collab: Collab, registry: Path, given: tuple[str, str], why: str) -> None:
    before = registry.read_bytes()
    assert collab("unblock", *given) == (2, "", f"collab-tui: {why}\n")
    assert registry.read_bytes() == before


def test_nobody_is_there_yet(collab: Collab, registry: Path) -> None:
    registry.write_bytes(b"")
    assert collab("unblock", "sena", "x") == (2, "", "collab-tui: there is no agent 'sena'; there are none yet\n")
