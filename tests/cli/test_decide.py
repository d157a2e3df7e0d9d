"""`collab-tui decide`: each request is answered once, by somebody who may, or nothing is written."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import pytest

from collab_tui.model.signature import Standing
from collab_tui.protocol.keys import Keyring
from collab_tui.registry.append import append
from tests.cli import conftest
from tests.cli.conftest import Collab, events
from tests.events import asks, decides, lines, says, updates
from tests.signing import KEY, OTHER_KEY, signed, standing_of_last

PERSON = "mina"
"""Where the person's name is configured."""
SIGNED_NO = decides("human", "aaaa0001", verdict="rejected")
"""Signed where it is written."""


@pytest.fixture
def collab(collab: Collab, terminal: TextIO, key: Keyring) -> Collab:
    """The person runs the commands: at a terminal, with a key."""
    return partial(collab, stdin=terminal)


def last(path: Path) -> dict[str, Any]:
    """The last event, without what every event has; in the person's name it has to be signed."""
    event = conftest.last(path)
    if event["agent"].casefold() in ("human", PERSON):
        assert standing_of_last(path.read_bytes(), event["agent"]) is Standing.SIGNED
        assert event.pop("key_id") == KEY.public.id
        assert event.pop("signature")
        assert len(event.pop("request_digest")) == 64
    return event


def states(collab: Collab) -> dict[str, str]:
    """What every other reader says of the requests."""
    return {request["id"]: request["state"] for request in json.loads(collab("status", "--json")[1])["requests"]}


@pytest.mark.parametrize(("given", "verdict"), [("approve", "approved"), ("reject", "rejected")])
def test_a_verdict_in_the_name_of_the_person(collab: Collab, registry: Path, given: str, verdict: str) -> None:
    code, out, err = collab("decide", "aaaa0001", given)
    assert (code, out, err) == (0, f"human -> sena: {verdict} (Approve metrics v2?)\n", "")
    assert last(registry) == {"agent": "human", "event": "decision", "request_id": "aaaa0001", "verdict": verdict}


@pytest.fixture
def mina(tmp_path: Path) -> None:
    """The person's name in their own settings."""
    config = tmp_path / "user-config" / "config.toml"
    config.parent.mkdir(exist_ok=True)
    config.write_text(f'person = "{PERSON}"\n', encoding="utf-8")


def test_a_comment(collab: Collab, registry: Path) -> None:
    assert collab("decide", "aaaa0001", "approve", "-m", "좋아요")[0] == 0
    assert last(registry)["comment"] == "좋아요"


@pytest.mark.usefixtures("mina")
@pytest.mark.parametrize("given", [(), ("--as", "human"), ("--as", "Mina"), ("--agent", "mina")], ids=" ".join)
def test_the_configured_person(collab: Collab, registry: Path, given: tuple[str, ...]) -> None:
    assert collab("decide", "aaaa0001", "approve", *given)[0] == 0
    assert last(registry)["agent"] == (given[1] if given else "mina")
    assert states(collab)["aaaa0001"] == "answered"


def test_the_person_by_another_name_must_be_configured(collab: Collab, registry: Path, tmp_path: Path) -> None:
    """Every other reader judges by the configured name: to them the request would stay open."""
    before = registry.read_bytes()
    code, out, err = collab("decide", "aaaa0001", "approve", "--as", "mina")
    assert (code, out) == (1, "")
    assert 'it waits for human; if mina is your name, set person = "mina" in' in err
    assert str(tmp_path / "user-config" / "config.toml") in err
    assert err.count("\n") == 1
    assert registry.read_bytes() == before


def test_any_person_may_answer_what_is_asked_of_an_agent(collab: Collab, registry: Path) -> None:
    assert collab("decide", "bbbb0001", "approve", "--as", "lena")[0] == 0
    assert states(collab)["bbbb0001"] == "answered"
    assert "signature" not in last(registry)  # the key here is the configured person's


@pytest.mark.parametrize("variable", ["COLLAB_AGENT", "AGENT"])
def test_an_agent_named_by_its_environment_decides_as_itself(
    collab: Collab, registry: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv("AGENT", "otto")
    monkeypatch.setenv(variable, "lubit")
    code, _, err = collab("decide", "aaaa0001", "approve")
    assert (code, "it waits for human, and lubit is another" in err) == (1, True)
    assert collab("decide", "bbbb0001", "approve")[0] == 0
    assert last(registry)["agent"] == "lubit"
    before = registry.read_bytes()
    code, _, err = collab("decide", "aaaa0001", "approve", "--as", "human")
    assert (code, f"not as human: this runs inside an agent's process (${variable} is set)" in err) == (2, True)
    assert registry.read_bytes() == before


def test_the_agent_goes_before_the_person(collab: Collab, registry: Path) -> None:
    assert collab("decide", "bbbb0001", "approve", "--agent", "lubit", "--as", "mina")[0] == 0
    assert last(registry)["agent"] == "lubit"


@pytest.mark.parametrize("option", ["--agent", "--as"])
def test_a_name_that_was_never_set_is_nobodys(collab: Collab, registry: Path, option: str) -> None:
    """`decide ID approve --agent "$ME"` must not become the person's decision."""
    assert collab("decide", "aaaa0001", "approve", option, " ") == (2, "", f"collab-tui: {option} needs a name\n")
    assert len(events(registry)) == 7


def test_a_unique_beginning_will_do(collab: Collab, registry: Path) -> None:
    assert collab("decide", "b", "approve", "--agent", "lubit")[0] == 0
    assert last(registry)["request_id"] == "bbbb0001"


def test_an_id_that_is_the_beginning_of_another_names_both(collab: Collab, registry: Path) -> None:
    """`status` shows beginnings of ids; an agent that gives its request such an id is not answered in its place."""
    with registry.open("ab") as file:
        file.write(lines(asks("gitcode", "aaaa000", request="Delete production?", target="human")))
    before = registry.read_bytes()
    code, out, err = collab("decide", "aaaa000", "approve")
    assert (code, out) == (2, "")
    assert "sena: Approve metrics v2?" in err
    assert "aaaa000 of gitcode: Delete production?" in err
    assert err.endswith("give more of it, or add --exact\n")
    assert collab("decide", "aaaa", "approve", "--exact")[0] == 2
    assert registry.read_bytes() == before
    assert collab("decide", "aaaa000", "reject", "--exact")[1] == "human -> gitcode: rejected (Delete production?)\n"
    assert last(registry)["request_id"] == "aaaa000"
    assert collab("decide", "aaaa0001", "approve")[1] == "human -> sena: approved (Approve metrics v2?)\n"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("aaaa", "'aaaa' begins 2 requests: aaaa0001, aaaa0002; give more of it"),
        ("dddd", "there is no request 'dddd'; open are aaaa0001, aaaa0002, bbbb0001"),
        ("", "there is no request ''; open are aaaa0001, aaaa0002, bbbb0001"),
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


@pytest.mark.parametrize(
    ("given", "verdict"), [("approve", "approved"), ("Yes", "approved"), ("no", "rejected"), ("rejected", "rejected")]
)
def test_a_yes_or_no_to_an_approval_is_a_verdict(collab: Collab, registry: Path, given: str, verdict: str) -> None:
    code, out, _ = collab("decide", "aaaa0001", "--answer", given)
    assert (code, out) == (0, f"human -> sena: {verdict} (Approve metrics v2?)\n")
    assert last(registry)["verdict"] == verdict
    assert "answer" not in last(registry)


@pytest.mark.parametrize(
    ("request_id", "given", "why"),
    [
        ("aaaa0001", ("--answer", "rules"), "it is an approval: approve or reject it, with words as the comment"),
        ("aaaa0001", ("--answer", ""), "it is an approval: approve or reject it, with words as the comment"),
        ("aaaa0002", ("approve",), "it is a choice: answer with one of its options"),
        ("aaaa0002", ("reject",), "it is a choice: answer with one of its options"),
        ("dddd0001", ("approve",), "it is a question: answer it in words"),
        ("dddd0001", ("--answer", " "), "an empty answer says nothing"),
    ],
    ids=str,
)
def test_an_answer_of_another_kind_answers_nothing(
    collab: Collab, registry: Path, request_id: str, given: tuple[str, ...], why: str
) -> None:
    with registry.open("ab") as file:
        file.write(lines(asks("sena", "dddd0001", request="What name?", kind="question")))
    before = registry.read_bytes()
    code, out, err = collab("decide", request_id, *given)
    assert (code, out) == (1, "")
    assert err == f"collab-tui: request {request_id} cannot be answered: {why}. Nothing was written\n"
    assert registry.read_bytes() == before


@pytest.mark.parametrize("given", [(), ("approve", "--answer", "x"), ("perhaps",)], ids=["none", "both", "other"])
def test_exactly_one_answer(collab: Collab, registry: Path, given: tuple[str, ...]) -> None:
    code, out, err = collab("decide", "aaaa0001", *given)
    assert (code, out) == (2, "")
    assert "usage: collab-tui decide" in err
    assert len(events(registry)) == 7


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (SIGNED_NO, "is closed: answered by human. Nothing was written"),
        (says("sena", "request_withdrawn", request_id="aaaa0001"), "is closed: withdrawn. Nothing was written"),
    ],
    ids=["answered", "withdrawn"],
)
def test_a_closed_request_stays_as_it_is(collab: Collab, registry: Path, event: dict[str, str], told: str) -> None:
    with registry.open("ab") as file:
        file.write(lines(signed(event, registry.read_bytes()) if event is SIGNED_NO else event))
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
        ("aaaa0001", "user", "it waits for human, and user is another"),
        ("aaaa0001", "sena", "nobody answers their own request"),
        ("bbbb0001", "GitCode", "nobody answers their own request"),
    ],
    ids=["of the person", "of a word for the person", "own", "own of another spelling"],
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


# Only the person decides as the person.


@pytest.mark.parametrize("option", [(), ("--as", "human"), ("--agent", "human"), ("--as", "lena")], ids=" ".join)
def test_nobody_decides_as_a_person_without_a_terminal(collab: Collab, registry: Path, option: tuple[str, ...]) -> None:
    before = registry.read_bytes()
    by = option[1] if option else "human"
    code, out, err = collab("decide", "aaaa0001", "approve", *option, stdin=b"y\n")
    assert (code, out) == (2, "")
    assert err == (
        f"collab-tui: not as {by}: standard input is no terminal, and only a person at a terminal decides as the "
        "person. An agent answers as itself: add --agent NAME\n"
    )
    assert registry.read_bytes() == before


@pytest.mark.parametrize("mark", ["CLAUDECODE", "COPILOT_CLI", "AI_AGENT", "GEMINI_CLI", "CODEX_SANDBOX"])
def test_an_agent_does_not_decide_as_the_person(
    collab: Collab, registry: Path, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    monkeypatch.setenv(mark, "1")
    before = registry.read_bytes()
    code, _, err = collab("decide", "aaaa0001", "approve")
    assert (code, err.count("\n")) == (2, 1)
    assert f"not as human: this runs inside an agent's process (${mark} is set)" in err
    assert registry.read_bytes() == before
    assert collab("decide", "bbbb0001", "approve", "--agent", "lubit", stdin=b"")[0] == 0
    assert "signature" not in last(registry)


def test_without_a_key_nothing_is_written_and_it_says_how_to_make_one(
    collab: Collab, registry: Path, key: Keyring
) -> None:
    key.path.unlink()
    before = registry.read_bytes()
    code, out, err = collab("decide", "aaaa0001", "approve")
    assert (code, out) == (2, "")
    assert err == f"collab-tui: there is no signing key {key.path}; `collab-tui key make` makes it\n"
    assert registry.read_bytes() == before


def test_what_somebody_else_answered_in_the_name_of_the_person_can_be_answered(collab: Collab, registry: Path) -> None:
    with registry.open("ab") as file:
        file.write(lines(decides("human", "aaaa0001", verdict="approved")))
    (claimed,) = [r for r in json.loads(collab("status", "--json")[1])["requests"] if r["id"] == "aaaa0001"]
    assert (claimed["state"], claimed["claimed"], claimed["answer"]["standing"]) == ("answered", True, "claimed")
    assert "answered in your name: approved  claimed" in collab("status")[1]

    assert collab("decide", "aaaa0001", "reject")[0] == 0
    assert last(registry)["verdict"] == "rejected"
    (decided,) = [r for r in json.loads(collab("status", "--json")[1])["requests"] if r["id"] == "aaaa0001"]
    assert (decided["claimed"], decided["answer"]["verdict"]) == (False, "rejected")
    assert decided["answer"]["standing"] == "signed"
    told = collab("status")[1]
    assert "Decided in your name" in told
    assert "rejected by human  Approve metrics v2?  ⚿ signed" in told

    before = registry.read_bytes()
    assert collab("decide", "aaaa0001", "approve")[2] == (
        "collab-tui: request aaaa0001 is closed: answered by human. Nothing was written\n"
    )
    assert registry.read_bytes() == before


def test_it_can_be_contradicted_after_its_asker_went_on(collab: Collab, registry: Path) -> None:
    """What was done on a forged yes cannot be undone here, but the record says what the person decided."""
    with registry.open("ab") as file:
        file.write(lines(decides("human", "aaaa0001", verdict="approved"), updates("sena", status="in_progress")))
    asked = [r for r in json.loads(collab("status", "--json")[1])["requests"] if r["id"] == "aaaa0001"]
    assert [r["claimed"] for r in asked] == [False]  # it does not wait any more
    code, _, err = collab("decide", "aaaa0001", "reject")
    assert (code, err) == (0, "")
    (decided,) = [r for r in json.loads(collab("status", "--json")[1])["requests"] if r["id"] == "aaaa0001"]
    assert (decided["answer"]["verdict"], decided["answer"]["standing"]) == ("rejected", "signed")
    code, _, err = collab("decide", "aaaa0001", "approve")
    assert (code, "is closed: answered by human" in err) == (1, True)


def test_the_log_tells_who_wrote_each(collab: Collab, registry: Path) -> None:
    assert collab("decide", "aaaa0001", "approve", "-m", "mine")[0] == 0
    mine = registry.read_bytes().splitlines()[-1]
    with registry.open("ab") as file:
        file.write(lines(decides("human", "aaaa0002", answer="rules", comment="claim")))
        file.write(mine.replace(b'"id":"', b'"id":"f').replace(b"mine", b"forged") + b"\n")
        stranger = signed(decides("human", "aaaa0002", id="s", answer="rules"), registry.read_bytes(), OTHER_KEY)
        file.write(lines(stranger, decides("lubit", "bbbb0001", verdict="approved", comment="agent")))
    told = [line.split()[-2:] for line in collab("log", "event:decision")[1].splitlines()]
    assert told == [
        ["⚿", "signed"],
        ["claim", "claimed"],
        ["bad", "signature"],
        ["unknown", "key"],
        [told[-1][0], "agent"],
    ]
    found = [json.loads(line) for line in collab("log", "--json", "event:decision")[1].splitlines()]
    assert [each.get("standing") for each in found] == ["signed", "claimed", "bad", "unknown_key", None]
