"""`collab-tui decide`: each request is answered once, by somebody who may, or nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from collab_tui.registry.append import append
from tests.cli.conftest import Collab, events, last
from tests.events import asks, decides, lines, says


@pytest.mark.parametrize(("given", "verdict"), [("approve", "approved"), ("reject", "rejected")])
def test_a_verdict_in_the_name_of_the_person(collab: Collab, registry: Path, given: str, verdict: str) -> None:
    code, out, err = collab("decide", "aaaa0001", given)
    assert (code, out, err) == (0, f"human -> sena: {verdict} (Approve metrics v2?)\n", "")
    assert last(registry) == {"agent": "human", "event": "decision", "request_id": "aaaa0001", "verdict": verdict}


def test_a_comment_and_another_name(collab: Collab, registry: Path) -> None:
    assert collab("decide", "aaaa0001", "approve", "-m", "좋아요", "--as", "mina")[0] == 0
    assert last(registry)["agent"] == "mina"
    assert last(registry)["comment"] == "좋아요"


def test_the_configured_person(collab: Collab, registry: Path, tmp_path: Path) -> None:
    config = tmp_path / "user-config" / "config.toml"
    config.parent.mkdir()
    config.write_text('person = "mina"\n', encoding="utf-8")
    assert collab("decide", "aaaa0001", "approve")[0] == 0
    assert last(registry)["agent"] == "mina"


def test_a_unique_beginning_will_do(collab: Collab, registry: Path) -> None:
    assert collab("decide", "b", "approve", "--agent", "lubit")[0] == 0
    assert last(registry)["request_id"] == "bbbb0001"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("aaaa", "'aaaa' begins 2 requests: aaaa0001, aaaa0002; give more of it"),
        ("dddd", "there is no request 'dddd'; there are aaaa0001, aaaa0002, bbbb0001, cccc0001"),
        ("", "there is no request ''; there are aaaa0001, aaaa0002, bbbb0001, cccc0001"),
    ],
    ids=["ambiguous", "unknown", "empty"],
)
def test_any_other_is_not_found(collab: Collab, registry: Path, given: str, why: str) -> None:
    before = registry.read_bytes()
    assert collab("decide", given, "approve") == (2, "", f"collab-tui: {why}\n")
    assert registry.read_bytes() == before


def test_an_empty_id_means_nothing_even_if_there_is_only_one(collab: Collab, registry: Path) -> None:
    """`decide "$ID" approve` with an ID that was never set."""
    registry.write_bytes(lines(asks("sena", "aaaa0001", request="Delete everything?")))
    assert collab("decide", "", "approve")[0] == 2
    assert len(events(registry)) == 1


@pytest.mark.parametrize(
    ("given", "kept"), [("1", "rules"), ("2", "model"), ("model", "model")], ids=["first", "second", "words"]
)
def test_an_option_by_its_words_or_its_number(collab: Collab, registry: Path, given: str, kept: str) -> None:
    assert collab("decide", "aaaa0002", "--answer", given)[0] == 0
    assert last(registry) == {"agent": "human", "event": "decision", "request_id": "aaaa0002", "answer": kept}


@pytest.mark.parametrize("given", ["0", "3", "rule", "٣", ""])
def test_what_is_no_option_is_refused(collab: Collab, registry: Path, given: str) -> None:
    code, _, err = collab("decide", "aaaa0002", "--answer", given)
    assert (code, err) == (2, f"collab-tui: {given!r} is none of its options: 1 rules, 2 model\n")
    assert len(events(registry)) == 7


def test_an_answer_in_words(collab: Collab, registry: Path) -> None:
    registry.write_bytes(lines(asks("sena", "aaaa0001", request="What name?", kind="question")))
    assert collab("decide", "aaaa0001", "--answer", "approved")[0] == 0
    assert last(registry)["answer"] == "approved"  # an answer, not a verdict


@pytest.mark.parametrize("given", [(), ("approve", "--answer", "x"), ("perhaps",)], ids=["none", "both", "other"])
def test_exactly_one_answer(collab: Collab, registry: Path, given: tuple[str, ...]) -> None:
    code, out, err = collab("decide", "aaaa0001", *given)
    assert (code, out) == (2, "")
    assert "usage: collab-tui decide" in err
    assert len(events(registry)) == 7


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (decides("human", "aaaa0001", verdict="rejected"), "is closed: answered by human. Nothing was written"),
        (says("sena", "request_withdrawn", request_id="aaaa0001"), "is closed: withdrawn. Nothing was written"),
    ],
    ids=["answered", "withdrawn"],
)
def test_a_closed_request_stays_as_it_is(collab: Collab, registry: Path, event: dict[str, str], told: str) -> None:
    with registry.open("ab") as file:
        file.write(lines(event))
    before = registry.read_bytes()
    assert collab("decide", "aaaa0001", "approve") == (1, "", f"collab-tui: request aaaa0001 {told}\n")
    assert registry.read_bytes() == before


def test_an_expired_request_cannot_be_answered(collab: Collab, registry: Path) -> None:
    before = registry.read_bytes()
    code, out, err = collab("decide", "cccc0001", "approve")
    assert (code, out) == (1, "")
    assert err == "collab-tui: request cccc0001 cannot be answered: it has expired. Nothing was written\n"
    assert registry.read_bytes() == before


def test_an_overdue_request_can_be_answered(collab: Collab, registry: Path) -> None:
    assert collab("decide", "aaaa0002", "--answer", "1")[0] == 0


@pytest.mark.parametrize(
    ("request_id", "by", "why"),
    [
        ("aaaa0001", "lubit", "it waits for human, and lubit is another"),
        ("aaaa0001", "sena", "nobody answers their own request"),
        ("bbbb0001", "GitCode", "nobody answers their own request"),
    ],
    ids=["of the person", "own", "own of another spelling"],
)
def test_a_decision_that_would_close_nothing_is_refused(
    collab: Collab, registry: Path, request_id: str, by: str, why: str
) -> None:
    before = registry.read_bytes()
    code, out, err = collab("decide", request_id, "approve", "--agent", by)
    assert (code, out) == (1, "")
    assert err == f"collab-tui: request {request_id} cannot be answered: {why}. Nothing was written\n"
    assert registry.read_bytes() == before


def test_a_held_lock_means_try_again(collab: Collab, registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setitem(append.__kwdefaults__, "timeout", 0.05)
    before = registry.read_bytes()
    with open(f"{registry}.lock", "w", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for command in (("decide", "aaaa0001", "approve"), ("unblock", "gitcode", "no disk")):
            code, out, err = collab(*command)
            assert (code, out) == (75, "")
            assert "is locked by" in err
    assert registry.read_bytes() == before
