"""`collab-tui unblock`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TextIO

import pytest

from collab_tui.protocol.brief import brief_of
from collab_tui.protocol.keys import Keyring
from collab_tui.registry.append import append
from collab_tui.registry.jsonl import JsonlRegistry
from tests.cli.conftest import Collab, events, last
from tests.events import lines, says, updates


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


@pytest.mark.parametrize("variable", ["COLLAB_AGENT", "AGENT"])
def test_an_agent_named_by_its_environment_writes_as_itself(
    collab: Collab, registry: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "lubit")
    assert collab("unblock", "gitcode", "no disk")[0] == 0
    assert last(registry)["agent"] == "lubit"
    code, _, err = collab("unblock", "gitcode", "no cred", "--as", "human")
    assert (code, f"not as human: this runs inside an agent's process (${variable} is set)" in err) == (2, True)
    assert last(registry)["agent"] == "lubit"


def test_what_waits_for_the_persons_word_is_signed_at_a_terminal(
    collab: Collab, registry: Path, terminal: TextIO, key: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(str(registry), says("sena", "blocker", blocker="human_approval"))
    before = registry.read_bytes()
    code, _, err = collab("unblock", "sena", "human_approval")
    assert (code, registry.read_bytes()) == (2, before)
    assert "not as human, whose word human_approval waits for: standard input is no terminal" in err
    append(str(registry), says("human", "blocker_resolved", blocker="human_approval"))  # whoever claims that
    assert brief_of("sena", registry).next_action.kind == "wait"
    assert collab("unblock", "sena", "human_approval", stdin=terminal)[0] == 0
    assert last(registry)["key_id"] == key.signing_key().public.id
    assert brief_of("sena", registry).next_action.kind == "go_on"


@pytest.mark.parametrize(
    ("meanwhile", "why"),
    [
        (says("human", "blocker_resolved", blocker="no disk", target="gitcode"), "does not have this blocker any more"),
        (updates("gitcode", blockers=[]), "does not have this blocker any more"),
        (None, "the registry was replaced meanwhile"),
    ],
    ids=["resolved", "moved on", "replaced"],
)
def test_it_is_resolved_once(
    collab: Collab, registry: Path, monkeypatch: pytest.MonkeyPatch, meanwhile: dict[str, Any] | None, why: str
) -> None:
    """Somebody else is faster, after our reading and before our lock."""
    append = JsonlRegistry.append

    def late(self: JsonlRegistry, event: dict[str, Any], **options: Any) -> dict[str, Any]:
        if meanwhile is None:
            registry.write_bytes(lines(updates("sena")))
        else:
            append(self, meanwhile)
        return append(self, event, **options)

    monkeypatch.setattr(JsonlRegistry, "append", late)
    code, out, err = collab("unblock", "gitcode", "no disk")
    assert (code, out) == (1, "")
    assert why in err
    assert err.endswith("Nothing was written\n")
    assert len(events(registry)) == (8 if meanwhile else 1)


def test_what_else_is_written_meanwhile_does_not_matter(
    collab: Collab, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = JsonlRegistry.append

    def late(self: JsonlRegistry, event: dict[str, Any], **options: Any) -> dict[str, Any]:
        append(self, says("human", "blocker_resolved", blocker="no credentials for staging"))
        return append(self, event, **options)

    monkeypatch.setattr(JsonlRegistry, "append", late)
    assert collab("unblock", "gitcode", "no disk")[0] == 0
    assert len(events(registry)) == 9


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
        (("nobody", "x"), "there is no agent 'nobody'; there are sena, gitcode, lubit"),
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


def test_a_model_does_not_unblock_in_the_name_of_the_person_by_mistake(
    collab: Collab, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDECODE", "1")
    before = registry.read_bytes()
    code, out, err = collab("unblock", "gitcode", "no disk")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "not as human: this runs inside an agent's process ($CLAUDECODE is set)" in err
    assert "add --agent NAME" in err
    assert registry.read_bytes() == before
    assert collab("unblock", "gitcode", "no disk", "--agent", "lubit")[0] == 0
