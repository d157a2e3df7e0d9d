"""Signatures over a whole registry."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from collab_tui.model.event import decode
from collab_tui.model.findings import Finding, Severity
from collab_tui.protocol import decided
from collab_tui.protocol.decided import Decided
from collab_tui.protocol.keys import NAME, Keyring
from collab_tui.protocol.trust import Trust
from tests.events import START, asks, at, decides, lines, says
from tests.signing import OTHER_KEY, install_key, signed

REQUEST = asks("sena", "r1", target="human", request="Go?", timestamp=at(100))
BEFORE = lines(says("system", "registry_created", registry="abcdef"), REQUEST)
ANSWER: dict[str, Any] = decides("human", "r1", verdict="approved", timestamp=at(200))


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    """The person has a key, made before the story."""
    keyring = install_key(tmp_path / "config")
    os.utime(tmp_path / "config" / NAME, (START.timestamp(), START.timestamp()))
    return Trust("human", keyring=keyring)


def found(data: bytes, trust: Trust) -> list[Finding]:
    judged = Decided(trust)
    for item in decode(data, 0):
        judged.extend([item])
    return judged.findings()


def told(data: bytes, trust: Trust) -> list[tuple[str, Severity, str]]:
    return [(finding.kind, finding.severity, finding.lines.text) for finding in found(data, trust)]


def test_signed_decisions_and_those_of_agents_are_no_finding(trust: Trust) -> None:
    assert told(BEFORE + lines(signed(ANSWER, BEFORE), decides("lubit", "r9", verdict="approved")), trust) == []


def test_a_signature_over_other_words_is_an_error_with_its_reason(trust: Trust) -> None:
    forged = signed(ANSWER, BEFORE) | {"verdict": "rejected"}
    (finding,) = found(BEFORE + lines(forged), trust)
    assert (finding.kind, finding.severity, finding.lines.text) == ("bad_signature", Severity.ERROR, "line 3")
    assert "changed after it was signed" in finding.text


def test_a_request_that_was_changed_after_it_was_answered_is_an_error(trust: Trust) -> None:
    answer = signed(ANSWER, BEFORE)
    changed = BEFORE.replace(b"Go?", b"Delete it all?")
    assert told(changed + lines(answer), trust) == [("bad_signature", Severity.ERROR, "line 3")]


def test_a_key_that_nobody_trusts_is_a_warning(trust: Trust) -> None:
    answer = signed(ANSWER, BEFORE, OTHER_KEY)
    assert told(BEFORE + lines(answer), trust) == [("unknown_key", Severity.WARNING, "line 3")]


def test_decisions_without_a_signature_are_a_warning_once_there_is_a_key(trust: Trust) -> None:
    assert told(BEFORE + lines(ANSWER), trust) == [("claimed", Severity.WARNING, "line 3")]


def test_those_from_before_the_key_are_a_note(trust: Trust) -> None:
    old = decides("human", "r0", verdict="approved", timestamp=at(-60))
    assert told(BEFORE + lines(old, signed(ANSWER, BEFORE)), trust) == [("claimed_before_key", Severity.NOTE, "line 3")]


def test_a_claim_behind_a_signed_decision_is_not_from_before_the_key_whatever_time_it_gives(trust: Trust) -> None:
    old = decides("human", "r0", verdict="approved", timestamp=at(-60))
    assert told(BEFORE + lines(signed(ANSWER, BEFORE), old), trust) == [("claimed", Severity.WARNING, "line 4")]


def test_without_a_key_all_are_a_note_that_says_how_to_make_one(tmp_path: Path) -> None:
    (finding,) = found(BEFORE + lines(ANSWER), Trust("human", keyring=Keyring(tmp_path)))
    assert (finding.kind, finding.severity) == ("claimed_before_key", Severity.NOTE)
    assert "collab-tui key make" in finding.mend


@pytest.mark.skipif(os.name != "posix", reason="modes are of Unix")
def test_a_key_that_others_can_read_is_told(tmp_path: Path) -> None:
    keyring = install_key(tmp_path)
    (tmp_path / NAME).chmod(0o644)
    assert told(BEFORE, Trust("human", keyring=keyring)) == [("signing_key", Severity.WARNING, "")]


def test_a_request_that_was_asked_too_long_ago_to_be_remembered_makes_no_signature_wrong(
    trust: Trust, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decided, "_MAX_REQUESTS", 2)
    more = lines(*(asks("sena", f"m{n}", request="?") for n in range(2)))
    assert told(BEFORE + more + lines(signed(ANSWER, BEFORE)), trust) == []
