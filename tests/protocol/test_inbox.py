"""An agent's inbox: at least once, nothing twice once acknowledged, nothing lost, whatever becomes of the file."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collab_tui.model.fold import Fold
from collab_tui.model.signature import Standing
from collab_tui.protocol import acknowledged, participant
from collab_tui.protocol.inbox import Delivery, Inbox
from collab_tui.protocol.keys import Keyring
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import LockedError, append
from collab_tui.registry.base import read_to_end
from collab_tui.registry.jsonl import JsonlRegistry
from tests.events import asks, decides, line, lines, says, updates
from tests.signing import KEY, OTHER_KEY, install_key, signed

TIMEOUT = 30.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.jsonl"


def inbox(path: Path, name: str = "sena") -> Inbox:
    """As a process that starts now has it; the person has a key."""
    folder = path.parent / "user"
    return Inbox(path, name, "human", Trust("human", keyring=install_key(folder)), UsedDecisions(folder))


def take(box: Inbox, path: Path) -> list[Delivery]:
    fold = Fold()
    read_to_end(JsonlRegistry(path), fold)
    return box.take(fold.board())


def ids(deliveries: Sequence[Delivery]) -> list[str]:
    return [delivery.event.id for delivery in deliveries]


def told(number: object, target: str = "sena", by: str = "lubit") -> dict[str, Any]:
    return says(by, "message", id=f"m{number}", target=target, message=f"message {number}")


def write(path: Path, *objects: object) -> None:
    with path.open("ab") as file:
        file.write(lines(*objects))


CREATED = says("system", "registry_created", registry="abc")


def test_what_is_not_acknowledged_comes_again_and_what_is_does_not(path: Path) -> None:
    write(path, CREATED, told(1), told(2, "gitcode"), told(3))
    box = inbox(path)
    first = take(box, path)
    assert ids(first) == ["m1", "m3"]
    assert take(box, path) == []
    box.acknowledge(first[0].event)
    write(path, told(4))
    assert ids(take(box, path)) == ["m4"]
    assert ids(take(inbox(path), path)) == ["m3", "m4"]


def test_each_agent_has_a_place_of_its_own(path: Path) -> None:
    write(path, CREATED, told(1, "all"))
    box = inbox(path)
    box.acknowledge(take(box, path)[0].event)
    assert ids(take(inbox(path, "gitcode"), path)) == ["m1"]
    assert take(inbox(path, "SENA"), path) == []


def test_an_agent_without_a_place_is_told_what_came_since_it_was_last_there_and_what_it_is_still_asked(
    path: Path,
) -> None:
    write(
        path,
        CREATED,
        told("old"),
        asks("lubit", "open", request="go?", target="sena"),
        asks("lubit", "closed", request="go?", target="sena"),
        says("lubit", "request_withdrawn", request_id="closed"),
        asks("lubit", "expired", request="go?", target="sena", expires="2025-01-01T00:00:00Z"),
        updates("sena", progress=10),
        told("while away"),
        says("sena", "session_start"),
        told("since"),
        updates("sena", progress=20),
    )
    first = take(inbox(path), path)
    assert ids(first) == ["open", "mwhile away", "msince"]
    assert [one.still_open for one in first] == [True, None, None]
    write(path, says("sena", "session_start"))
    assert ids(take(inbox(path), path)) == ["open", "mwhile away", "msince"]  # now it has a place


def test_what_it_answered_itself_is_not_told_again(path: Path) -> None:
    write(
        path,
        CREATED,
        asks("lubit", "mine", request="go?", target="sena"),
        asks("lubit", "theirs", request="go?", target=["sena", "gitcode"]),
        decides("sena", "mine", verdict="approved"),
        decides("gitcode", "theirs", verdict="approved"),
    )
    (other,) = take(inbox(path), path)
    assert (other.event.id, other.still_open) == ("theirs", False)


def test_a_registry_that_is_put_back_or_cut_repeats_nothing_and_loses_nothing(path: Path) -> None:
    write(path, CREATED, told(1), told(2))
    kept = path.read_bytes()
    box = inbox(path)
    for delivery in take(box, path):
        box.acknowledge(delivery.event)
    write(path, told(3))
    box.acknowledge(take(box, path)[0].event)
    for text in (kept, lines(CREATED, updates("lubit"), told(2), told(5))):
        fresh = path.with_suffix(".new")
        fresh.write_bytes(text)
        fresh.replace(path)
        new = [] if text == kept else ["m5"]
        assert ids(take(box, path)) == new
    write(path, told(6), told(3))
    assert ids(take(box, path)) == ["m6"]
    assert ids(take(inbox(path), path)) == ["m5", "m6"]


def test_another_registry_that_takes_its_place_while_it_listens_is_all_news(path: Path) -> None:
    write(path, CREATED, told(1))
    box = inbox(path)
    box.acknowledge(take(box, path)[0].event)
    path.unlink()
    assert take(box, path) == []
    other = says("system", "registry_created", registry="def")
    write(path, other, told(1), told(2), updates("sena"), says("sena", "session_start"))
    assert ids(take(box, path)) == ["m2"]


def test_a_registry_without_lines_has_no_place_yet(path: Path) -> None:
    path.touch()
    box = inbox(path)
    assert take(box, path) == []
    write(path, told(1))
    assert ids(take(box, path)) == ["m1"]


def test_of_what_is_claimed_to_be_decided_only_the_signed_word_comes(path: Path) -> None:
    write(path, CREATED, asks("sena", "r1", request="go?"), asks("sena", "r2", request="go?", target="lubit"))
    box = inbox(path)

    def decide(key: Any = None, **fields: Any) -> None:
        stamp = datetime.now(UTC).isoformat()
        event = {"id": f"d{time.monotonic_ns()}", "timestamp": stamp, "agent": "human", "event": "decision", **fields}
        write(path, signed(event, path.read_bytes(), key) if key is not None else event)

    decide(request_id="r1", verdict="approved")
    decide(OTHER_KEY, request_id="r1", verdict="approved")
    decide(KEY, request_id="r1", verdict="rejected")
    decide(KEY, request_id="r1", verdict="approved")
    decide(target="sena", decision_for="fonts", verdict="approved")
    decide(KEY, target="sena", decision_for="fonts", verdict="rejected")
    write(path, decides("gitcode", "r2", verdict="approved"), decides("lubit", "r2", verdict="rejected"))
    found = take(box, path)
    assert [(one.event.text("verdict"), one.standing) for one in found] == [
        ("rejected", Standing.SIGNED),
        ("rejected", Standing.SIGNED),
        ("approved", None),
    ]
    assert [one.request.id if one.request else None for one in found] == ["r1", None, "r2"]


def test_an_unasked_word_of_the_person_is_used_up_by_acknowledging_it(path: Path) -> None:
    write(path, CREATED)
    event = {"id": "d1", "timestamp": datetime.now(UTC).isoformat(), "agent": "human", "event": "decision"}
    event = signed(event | {"target": "sena", "verdict": "approved"}, path.read_bytes())
    write(path, event)
    box = inbox(path)
    (one,) = take(box, path)
    assert ids(take(inbox(path), path)) == ["d1"]
    box.acknowledge(one.event)
    for place in (path.parent / "user" / "inbox").iterdir():
        place.unlink()
    assert take(inbox(path), path) == []


def test_an_answer_that_was_acted_on_is_no_news(path: Path) -> None:
    write(path, CREATED, asks("sena", "r1", request="go?", target="lubit"), decides("lubit", "r1", verdict="approved"))
    (one,) = take(inbox(path), path)
    UsedDecisions(path.parent / "user").of_agents.use_once(one.event, "sena")
    assert take(inbox(path), path) == []


def test_one_listens_at_a_time(path: Path) -> None:
    write(path, CREATED)
    with inbox(path).held():
        with (
            pytest.raises(LockedError, match=r"sena is listening already, in process \d+") as caught,
            inbox(path).held(),
        ):
            pass
        assert caught.value.exit_code == 75
        with inbox(path, "lubit").held():
            pass
    with inbox(path).held():
        pass


async def test_taking_the_next_acknowledges_the_one_before(path: Path) -> None:
    write(path, CREATED, told(1), told(2))
    trust, used = Trust("human", keyring=Keyring(path.parent / "user")), UsedDecisions(path.parent / "user")

    async def listen(count: int) -> list[str]:
        async with participant("sena", path, announces=False, trust=trust, used=used) as me:
            hearing = me.inbox()
            found = [(await anext(hearing)).id for _ in range(count)]
            await hearing.aclose()
            return found

    async with asyncio.timeout(TIMEOUT):
        assert await listen(2) == ["m1", "m2"]
        assert await listen(1) == ["m2"]
        hearing = asyncio.create_task(listen(2))
        append(str(path), told(3))
        assert await hearing == ["m2", "m3"]


async def test_after_a_break_the_same_participant_listens_on(path: Path) -> None:
    write(path, CREATED, told(1), told(2))
    trust, used = Trust("human", keyring=Keyring(path.parent / "user")), UsedDecisions(path.parent / "user")
    async with asyncio.timeout(TIMEOUT), participant("sena", path, announces=False, trust=trust, used=used) as me:
        first = me.inbox()
        async for event in first:
            assert event.id == "m1"
            break
        heard, second = [], me.inbox()
        async for event in second:
            heard.append(event.id)
            if len(heard) == 2:
                break
        assert heard == ["m1", "m2"]
        assert [event.id async for event in first] == []  # the one that was opened last goes on
        with pytest.raises(LockedError), inbox(path).held():
            pass
    with inbox(path).held():
        pass
    await second.aclose()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 12)),
        st.tuples(st.just("take"), st.integers(0, 4)),
        st.tuples(st.just("restart"), st.just(0)),
        st.tuples(st.just("cut"), st.integers(1, 6)),
        st.tuples(st.just("put back"), st.just(0)),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_happens_nothing_comes_twice_after_it_was_acknowledged_and_nothing_is_lost(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    """Messages are written, taken and partly acknowledged, while listeners die and the file is cut or put back."""
    path = tmp_path_factory.mktemp("inbox") / "registry.jsonl"
    write(path, CREATED)
    box, kept = inbox(path), path.read_bytes()
    acknowledged: list[str] = []
    pending: dict[str, Delivery] = {}
    for step, number in steps:
        match step:
            case "write":
                write(path, told(number))
            case "take":
                pending |= {one.event.id: one for one in take(box, path)}
                for event_id in list(pending)[:number]:
                    acknowledged.append(event_id)
                    box.acknowledge(pending.pop(event_id).event)
            case "restart":
                box, pending = inbox(path), {}
            case "cut":
                rest = path.read_bytes().splitlines(keepends=True)[1:-number]
                path.write_bytes(b"".join([line(CREATED), *rest]))
            case "put back":
                fresh = path.with_suffix(".new")
                fresh.write_bytes(kept)
                fresh.replace(path)
        kept = max(kept, path.read_bytes(), key=len)
        pending = {event_id: one for event_id, one in pending.items() if one.event.line in path.read_bytes()}
    assert len(acknowledged) == len(set(acknowledged))
    there = {event.id for event in JsonlRegistry(path).since(0) if getattr(event, "kind", "") == "message"}
    assert set(ids(take(inbox(path), path))) == there - set(acknowledged)


def test_places_of_agents_are_bounded_and_a_lock_that_is_held_stays(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acknowledged, "_MAX_FILES", 3)
    write(path, told(1))
    places = acknowledged.inbox_folder(path.parent / "user")
    with inbox(path, "held").held():
        for number in range(6):
            name = f"agent-{number}"
            with (box := inbox(path, name)).held():
                take(box, path)
            for at, file in enumerate(sorted(places.iterdir(), key=lambda file: file.stat().st_mtime_ns)):
                os.utime(file, (at, at))
        kept = [file.name for file in places.iterdir()]
        assert len([name for name in kept if len(name) == 32]) == 3
        assert len([name for name in kept if name.endswith(".listener.lock")]) == 3 + 1
        with pytest.raises(LockedError, match="held is listening already"), inbox(path, "held").held():
            pass


def test_nothing_is_kept_of_the_inbox_of_an_agent_that_is_forgotten(path: Path) -> None:
    write(path, told(1, "a"), told(2, "b"))
    state = path.parent / "user"
    for name in ("a", "b"):
        with (box := inbox(path, name)).held():
            for delivery in take(box, path):
                box.acknowledge(delivery.event)
    places = acknowledged.inbox_folder(state)
    before = len(list(places.iterdir()))
    acknowledged.forget_inbox(path, "A", state)
    assert len(list(places.iterdir())) == before / 2
    assert ids(take(inbox(path, "b"), path)) == []
    assert ids(take(inbox(path, "a"), path)) == ["m1"]
