"""`collab-tui wait`: at once for what is true already, later for what comes true, never for what cannot."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from collab_tui.cli import wait as waiting
from collab_tui.protocol import following
from collab_tui.protocol.conditions import Happens
from collab_tui.protocol.keys import Keyring
from collab_tui.registry.append import append
from tests.cli.conftest import Collab, events
from tests.events import lines, says, updates
from tests.program import eventually, started
from tests.signing import signed


def wait(path: Path, *words: str) -> tuple[str, ...]:
    return ("wait", *words, "--registry", str(path))


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("agent", "gitcode", "status", "waiting"), {"agent": "gitcode", "status": "waiting", "line": 6}),
        (("dependency", "gitcode_ready"), None),
        (("blocker", "no disk", "resolved"), None),
        (("event", "decision_request", "from", "lubit"), None),
    ],
    ids=str,
)
def test_what_is_true_already_ends_it_at_once_and_what_is_not_times_out(
    collab: Collab, registry: Path, words: tuple[str, ...], wanted: dict[str, object] | None
) -> None:
    code, out, err = collab(*wait(registry, *words, "--timeout", "1s"))
    if wanted is None:
        assert (code, out) == (4, "")
        assert "not within the time" in err
    else:
        found = json.loads(out)
        assert (code, err) == (0, "")
        assert found | wanted == found
        assert found["condition"] == " ".join(words)


@pytest.mark.parametrize(
    ("words", "event", "proof"),
    [
        (("agent", "lubit", "status", "done"), says("lubit", "completion"), {"status": "completed", "progress": 100.0}),
        (("dependency", "lubit_ready"), updates("lubit", status="idle"), {"dependency": "lubit_ready"}),
        (("blocker", "no d", "resolved"), says("lubit", "blocker_resolved", blocker="no disk"), {"blocker": "no disk"}),
        (("event", "decision", "from", "lubit"), says("lubit", "decision", target="sena", answer="b"), {}),
        (("event", "Custom"), says("gitcode", "custom"), {}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_process_ends_when_it_comes_true(
    registry: Path, words: tuple[str, ...], event: dict[str, object], proof: dict[str, object]
) -> None:
    before = len(events(registry))
    with started(*wait(registry, *words), cwd=registry.parent) as waiter:
        eventually(lambda: append(str(registry), event) and waiter.process.poll() is not None)
        assert waiter.wait() == 0
        found = json.loads(waiter.output)
    assert found | proof == found
    if words[0] == "event":
        assert found["line"] > before
        assert found["event"] | event == found["event"]


def test_an_event_of_before_counts_only_if_it_is_asked_for(collab: Collab, registry: Path) -> None:
    append(str(registry), says("lubit", "custom", id="c1"))
    words = ("event", "custom", "from", "lubit", "--timeout", "1s")
    assert collab(*wait(registry, *words))[0] == 4
    code, out, _ = collab(*wait(registry, *words, "--since", "5m"))
    assert (code, json.loads(out)["id"]) == (0, "c1")


def test_an_event_that_comes_while_it_starts_counts(
    collab: Collab, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(str(registry), says("lubit", "custom", id="before"))
    ahead = (datetime.now(UTC) + timedelta(seconds=30)).isoformat()
    append(str(registry), says("lubit", "custom", id="of a clock that is ahead", timestamp=ahead))
    genuine = waiting.Place

    def place(given: str | None) -> waiting.Place:
        append(str(registry), says("lubit", "custom", id="c1", timestamp=datetime.now(UTC).isoformat()))
        return genuine(given)

    monkeypatch.setattr(waiting, "Place", place)
    code, out, _ = collab(*wait(registry, "event", "custom"))
    assert (code, json.loads(out)["id"]) == (0, "c1")


def test_a_blocker_that_waits_for_the_person_is_resolved_by_what_they_signed(
    collab: Collab, registry: Path, key: Keyring
) -> None:
    append(str(registry), says("sena", "blocker", blocker="human_approval"))
    words = ("blocker", "human_approval", "resolved", "--timeout", "1s")
    append(str(registry), says("human", "blocker_resolved", blocker="human_approval"))
    assert collab(*wait(registry, *words))[0] == 4
    said = says("human", "blocker_resolved", id="d1", timestamp=datetime.now(UTC).isoformat(), blocker="human_approval")
    append(str(registry), signed(said, registry.read_bytes()))
    assert collab(*wait(registry, *words))[0] == 0


def test_an_event_that_claims_to_be_the_persons_decision_does_not_count(
    collab: Collab, registry: Path, key: Keyring
) -> None:
    words = ("event", "decision", "from", "human", "--since", "5m", "--timeout", "1s")
    append(str(registry), says("human", "decision", target="sena", verdict="approved"))
    assert collab(*wait(registry, *words))[0] == 4
    decision = says("human", "decision", id="d1", timestamp=datetime.now(UTC).isoformat(), target="sena", answer="b")
    append(str(registry), signed(decision, registry.read_bytes()))
    code, out, _ = collab(*wait(registry, *words))
    assert (code, json.loads(out)["id"], json.loads(out)["standing"]) == (0, "d1", "signed")


def test_an_old_event_of_a_registry_that_takes_its_place_is_no_news(
    collab: Collab, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = says("lubit", "custom", id="c0", timestamp="2025-01-01T00:00:00.000Z")
    fresh = registry.with_suffix(".new")
    fresh.write_bytes(lines(says("system", "registry_created", registry="other"), old))
    genuine = waiting._Waiting._event

    def look_and_replace(self: waiting._Waiting, condition: Happens, is_first: bool) -> dict[str, object] | None:
        found = genuine(self, condition, is_first)
        if is_first:
            append(str(fresh), says("lubit", "custom", id="c1"))
            fresh.replace(registry)
        return found

    monkeypatch.setattr(waiting._Waiting, "_event", look_and_replace)
    code, out, _ = collab(*wait(registry, "event", "custom"))
    assert (code, json.loads(out)["id"]) == (0, "c1")


def test_a_decision_is_waited_for_by_the_beginning_of_its_id(collab: Collab, registry: Path) -> None:
    assert collab(*wait(registry, "decision", "bbbb", "--timeout", "0s"))[0] == 4
    append(str(registry), says("lubit", "decision", request_id="bbbb0001", verdict="rejected"))
    code, out, _ = collab(*wait(registry, "decision", "bbbb"))
    assert (code, json.loads(out)["verdict"]) == (1, "rejected")
    assert collab(*wait(registry, "decision", "cccc"))[0] == 3  # it has expired


def test_an_answer_that_was_acted_on_cannot_be_waited_for_again(collab: Collab, registry: Path, key: Keyring) -> None:
    decision = says("human", "decision", id="d1", timestamp=datetime.now(UTC).isoformat(), verdict="approved")
    append(str(registry), signed(decision | {"request_id": "aaaa0001"}, registry.read_bytes()))
    assert collab(*wait(registry, "decision", "aaaa0001"))[0] == 0
    code, out, err = collab(*wait(registry, "decision", "aaaa0001"))
    told = json.loads(out)
    assert (code, told["state"], told["verdict"], told["by"]) == (3, "taken", None, None)
    assert "the decision on aaaa0001 was taken before, by another process of sena" in err


def test_who_looks_on_takes_no_answer_from_the_asker(
    collab: Collab, registry: Path, key: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    decision = says("human", "decision", id="d1", timestamp=datetime.now(UTC).isoformat(), verdict="approved")
    append(str(registry), signed(decision | {"request_id": "aaaa0001"}, registry.read_bytes()))
    monkeypatch.setenv("COLLAB_AGENT", "lubit")
    assert collab(*wait(registry, "decision", "aaaa0001"))[0] == 0
    monkeypatch.setenv("COLLAB_AGENT", "sena")
    assert collab(*wait(registry, "decision", "aaaa0001"))[0] == 0
    assert collab(*wait(registry, "decision", "aaaa0001"))[0] == 3


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("decision", "aaaa"), "begins 2 requests: aaaa0001, aaaa0002"),
        (("decision", "zzzz"), "there is no request 'zzzz'; open are aaaa0001, aaaa0002, bbbb0001"),
        (("blocker", "no", "resolved"), "'no' begins 2 blockers: no credentials for staging, no disk"),
        (("blocker", "sun", "resolved"), "there is no blocker 'sun'"),
        (("agent", "lubit", "status", "complted"), "did you mean completed?"),
        ((), "what is waited for?"),
        (("agent", "lubit", "status", "idle", "--since", "5m"), "--since is for event"),
    ],
    ids=str,
)
def test_what_cannot_be_waited_for_is_told_with_what_there_is(
    collab: Collab, registry: Path, words: tuple[str, ...], why: str
) -> None:
    code, out, err = collab(*wait(registry, *words))
    assert (code, out) == (2, "")
    assert why in err


@pytest.mark.parametrize(
    ("words", "doubt"),
    [
        (("agent", "lubitt", "status", "idle"), "nobody has written as 'lubitt' yet; did you mean lubit?"),
        (("event", "message", "from", "sema"), "did you mean sena?"),
        (("event", "decisoin"), "did you mean decision?"),
    ],
    ids=str,
)
def test_an_unknown_name_is_waited_for_and_warned_of(
    collab: Collab, registry: Path, words: tuple[str, ...], doubt: str
) -> None:
    code, _, err = collab(*wait(registry, *words, "--timeout", "0s"))
    assert code == 4
    assert doubt in err
    assert "waiting all the same" in err


def test_the_person_need_not_have_written(collab: Collab, registry: Path) -> None:
    assert "nobody" not in collab(*wait(registry, "event", "message", "from", "human", "--timeout", "0s"))[2]


def test_a_registry_that_vanishes_ends_it(collab: Collab, registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LOST_AFTER", 0.2)
    genuine = following.Following.look
    vanish = partial(registry.unlink, missing_ok=True)

    async def look(self: following.Following) -> None:
        await genuine(self)
        vanish()

    monkeypatch.setattr(following.Following, "look", look)
    code, out, err = collab(*wait(registry, "agent", "lubit", "status", "idle"))
    assert (code, out) == (3, "")
    assert f"it cannot come true any more: {registry}: it is gone" in err
