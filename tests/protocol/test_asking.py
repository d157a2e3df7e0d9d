"""Asking with a key, withdrawing, and waiting for what may go away."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collab_tui.model.board import Request, RequestState
from collab_tui.model.event import Event, decode
from collab_tui.protocol import Participant, following, participant
from collab_tui.protocol.asking import UsedUpError
from collab_tui.protocol.following import GoneError
from collab_tui.protocol.keys import Keyring
from collab_tui.protocol.used import Reservation, UsedDecisions
from collab_tui.registry.append import RefusedError, UnusableError, append
from tests.program import environment
from tests.signing import install_key, signed

TIMEOUT = 30.0


@pytest.fixture(autouse=True)
def users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keyring:
    """The user in whose name the agents run: settings with the person's key, and a state."""
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(tmp_path / "config"))
    monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, **__: str(tmp_path / "state"))
    return install_key(tmp_path / "config")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.jsonl"


@pytest.fixture
def here(path: Path) -> Participant:
    """Sena, who neither starts a session nor ends one."""
    return participant("sena", path, announces=False)


def events(path: Path, kind: str = "decision_request") -> list[dict[str, Any]]:
    found = map(json.loads, path.read_bytes().splitlines())
    return [event for event in found if event["event"] == kind]


def answer(path: Path, request_id: str, by: str = "lubit", **fields: Any) -> None:
    append(str(path), {"agent": by, "event": "decision", "request_id": request_id, **fields})


def sign(path: Path, request_id: str, **fields: Any) -> None:
    """The person decides."""
    decision = {"id": "d", "timestamp": datetime.now(UTC).isoformat(), "agent": "human", "event": "decision"}
    append(str(path), signed(decision | {"request_id": request_id, **fields}, path.read_bytes()))


async def test_asking_again_with_the_key_is_the_same_request_while_it_is_open(path, here: Participant) -> None:
    first = await here.request("deploy?", key="d", target="lubit")
    again = await participant("Sena", path, announces=False).request(" deploy? ", key=" d ", target="Lubit")
    assert again == first
    assert len(events(path)) == 1
    assert events(path)[0]["key"] == "d"


async def test_other_keys_other_askers_and_no_key_are_requests_of_their_own(path, here: Participant) -> None:
    lubit = participant("lubit", path, announces=False)
    found = {
        await here.request("go?", key="a"),
        await here.request("go?", key="b"),
        await lubit.request("go?", key="a"),
        await here.request("go?"),
        await here.request("go?"),
    }
    assert len(found) == len(events(path)) == 5


@pytest.mark.parametrize(
    "changed",
    [
        {"text": "delete?"},
        {"details": "rm -rf /home/me"},
        {"options": ["a", "c"]},
        {"options": None},
        {"kind": "question"},
        {"default": "b"},
        {"evidence": ["other.md"]},
        {"target": "gitcode"},
    ],
    ids=str,
)
async def test_a_key_names_one_question(path, here: Participant, changed: dict[str, Any]) -> None:
    asked: dict[str, Any] = {"text": "go?", "details": "rm -rf build", "options": ["a", "b"], "target": "lubit"}
    first = await here.request(**asked, key="k")
    with pytest.raises(
        UnusableError, match=f"a key names one question .* {first}: 'go\\?'.*({'|'.join(changed)}|words)"
    ):
        await here.request(**asked | changed, key="k")
    answer(path, first, answer="a")
    with pytest.raises(UnusableError, match="a key names one question"):  # its answer was meant for other words
        await here.request(**asked | changed, key="k")
    assert len(events(path)) == 1


async def test_another_deadline_or_urgency_is_the_same_question(here: Participant) -> None:
    first = await here.request("go?", key="k", details="make go", deadline="2030-01-01T00:00:00Z")
    again = {"deadline": "2030-01-01T00:01:00Z", "urgency": "high"}
    assert await here.request("go?", key="k", details="make go", **again) == first


async def test_an_answer_that_was_not_taken_is_found_by_the_key_and_then_it_is_used(path, here: Participant) -> None:
    first = await here.request("go?", key="k", target="lubit")
    answer(path, first, verdict="approved")
    async with asyncio.timeout(TIMEOUT), here:
        request = await here.ask("go?", key="k", target="lubit")
        assert (request.id, request.answer.verdict) == (first, "approved")  # type: ignore[union-attr]
        assert await here.request("go?", key="k", target="lubit") != first


async def test_only_what_may_be_acted_on_uses_the_key_up(path, here: Participant) -> None:
    first = await here.request("go?", key="k")
    answer(path, first, "human", verdict="approved")  # claimed, by whoever
    assert await here.request("go?", key="k") == first
    sign(path, first, verdict="rejected")
    assert await here.request("go?", key="k") == first
    async with asyncio.timeout(TIMEOUT), here:
        assert (await here.ask("go?", key="k")).answer.verdict == "rejected"  # type: ignore[union-attr]
    second = await here.request("go?", key="k")
    assert second != first
    async with asyncio.timeout(TIMEOUT), participant("sena", path, announces=False) as later:
        with pytest.raises(UsedUpError, match="was taken before, by another process of sena"):
            await later.closed(first)


async def test_what_was_withdrawn_or_has_expired_is_asked_anew(here: Participant) -> None:
    first = await here.request("go?", key="k")
    assert await here.withdraw(first)
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    second = await here.request("go?", key="k", expires=past)
    third = await here.request("go?", key="k")
    assert len({first, second, third}) == 3


@pytest.mark.parametrize("key", ["", "  ", "x" * 201])
async def test_a_key_is_a_name(here: Participant, path, key: str) -> None:
    with pytest.raises(UnusableError, match="a key is a name of 1 to 200 characters"):
        await here.request("go?", key=key)
    with pytest.raises(UnusableError, match="needs words"):
        await here.request(" \n", key="k")
    assert not path.exists()


_ASKER = """
import asyncio, sys
from pathlib import Path
from collab_tui.protocol import participant
me = participant("sena", Path(sys.argv[1]), announces=False)
sys.stdin.readline()
print(asyncio.run(me.request("deploy?", key="d")))
"""


def test_processes_of_one_agent_that_ask_at_once_make_one_request(path: Path) -> None:
    command = [sys.executable, "-c", _ASKER, str(path)]
    askers = [
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(path.parent),
            encoding="utf-8",
        )
        for _ in range(6)
    ]
    for asker in askers:
        assert asker.stdin is not None
        asker.stdin.write("\n")
        asker.stdin.flush()
    ids = {asker.communicate()[0].strip() for asker in askers}
    assert len(ids) == len(events(path)) == 1
    assert ids == {events(path)[0]["id"]}


async def test_withdrawing_closes_an_open_request_once(path, here: Participant) -> None:
    first = await here.request("go?", target="lubit")
    assert await here.withdraw(first, "no more need")
    assert not await here.withdraw(first)
    assert [event["reason"] for event in events(path, "request_withdrawn")] == ["no more need"]
    second = await here.request("go?", target="lubit")
    answer(path, second, verdict="approved")
    assert not await here.withdraw(second)
    assert len(events(path, "request_withdrawn")) == 1


async def test_what_was_only_claimed_to_be_answered_can_be_withdrawn(path, here: Participant) -> None:
    first = await here.request("go?")
    answer(path, first, "human", verdict="approved")
    assert await here.withdraw(first)
    async with asyncio.timeout(TIMEOUT), here:
        assert (await here.closed(first)).state is RequestState.WITHDRAWN


async def test_nobody_withdraws_what_another_asked_or_what_is_not_there(path, here: Participant) -> None:
    theirs = await participant("lubit", path, announces=False).request("go?")
    with pytest.raises(RefusedError, match="lubit asked it"):
        await here.withdraw(theirs)
    with pytest.raises(GoneError, match="no-such is not in"):
        await here.withdraw("no-such")
    path.unlink()
    with pytest.raises(GoneError):
        await here.withdraw(theirs)
    assert not path.exists()


async def test_a_time_limit_gives_the_request_back_open_and_takes_no_answer(path, here: Participant) -> None:
    first = await here.request("go?", key="k", target="lubit")
    async with asyncio.timeout(TIMEOUT), here:
        request = await here.closed(first, within=0.05)
        assert (request.is_open, request.answer) == (True, None)
        answer(path, first, verdict="approved")
        assert (await here.closed(first, within=TIMEOUT)).answer is not None


async def test_who_is_cancelled_while_an_answer_is_taken_gets_it_when_asking_again(
    path, here: Participant, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await here.request("go?")
    sign(path, first, verdict="approved")
    loop, taking, taken = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
    genuine = here._used.reserve

    def reserve(*given: Any) -> Reservation | None:
        loop.call_soon_threadsafe(taking.set)
        asyncio.run_coroutine_threadsafe(taken.wait(), loop).result(TIMEOUT)
        return genuine(*given)

    monkeypatch.setattr(here._used, "reserve", reserve)
    async with asyncio.timeout(TIMEOUT), here:
        waiting = asyncio.create_task(here.closed(first))
        await taking.wait()
        waiting.cancel()
        await asyncio.wait([waiting])
        taken.set()
        assert (await here.closed(first)).answer is not None


async def test_an_answer_that_could_not_be_delivered_is_there_still(path, here: Participant) -> None:
    first = await here.request("go?", key="k")
    sign(path, first, verdict="approved")

    def fail(request: Request) -> None:
        assert request.answer is not None
        raise OSError("the disk is full")

    async with asyncio.timeout(TIMEOUT), here:
        with pytest.raises(OSError, match="the disk is full"):
            await here.closed(first, deliver=fail)
    delivered: list[Request] = []
    async with asyncio.timeout(TIMEOUT), participant("sena", path, announces=False) as later:
        assert await later.request("go?", key="k") == first
        await later.closed(first, deliver=delivered.append)
        assert [request.answer.verdict for request in delivered if request.answer] == ["approved"]
        assert await later.request("go?", key="k") != first


@pytest.mark.parametrize("is_delivered", [True, False])
async def test_who_comes_while_another_process_delivers_waits_for_what_becomes_of_that(
    path, here: Participant, is_delivered: bool
) -> None:
    first = await here.request("go?")
    sign(path, first, verdict="approved")
    decision = list(decode(path.read_bytes(), 0))[-1]
    assert isinstance(decision, Event)
    other = UsedDecisions().reserve(decision, "sena")
    assert other is not None
    looked = asyncio.Event()
    genuine, loop = here._used.reserve, asyncio.get_running_loop()

    def reserve(*given: Any) -> Reservation | None:
        loop.call_soon_threadsafe(looked.set)
        return genuine(*given)

    here._used.reserve = reserve  # type: ignore[method-assign]
    async with asyncio.timeout(TIMEOUT), here:
        waiting = asyncio.create_task(here.closed(first))
        await looked.wait()
        assert not waiting.done()
        with other:
            if is_delivered:
                other.commit()
        if is_delivered:
            with pytest.raises(UsedUpError) as caught:
                await waiting
            assert (caught.value.request.id, caught.value.request.answer) == (first, None)
        else:
            assert (await waiting).answer is not None


@pytest.mark.parametrize("how", ["truncated", "replaced by another", "replaced by one without it"])
async def test_who_waits_is_told_when_the_request_goes_away(path, here: Participant, how: str) -> None:
    append(str(path), {"agent": "system", "event": "registry_created", "registry": "abc"})
    before = path.read_bytes()
    first = await here.request("go?")
    async with asyncio.timeout(TIMEOUT), here:
        waiting = asyncio.create_task(here.closed(first))
        await here.until(lambda board: board.request(first) is not None)
        if how == "truncated":
            with path.open("r+b") as file:
                file.truncate(len(before))
        else:
            fresh = path.with_suffix(".new")
            other = b'{"agent":"x","event":"y"}\n{"agent":"x","event":"y"}\n'
            fresh.write_bytes(other if how == "replaced by another" else before)
            fresh.replace(path)
        with pytest.raises(GoneError, match=f"{first} is not in"):
            await waiting


async def test_who_waits_is_told_when_the_registry_is_lost(
    path, here: Participant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "LOST_AFTER", 0.2)
    first = await here.request("go?")
    async with asyncio.timeout(TIMEOUT), here:
        waiting = asyncio.create_task(here.closed(first))
        await here.until(lambda board: board.request(first) is not None)
        path.unlink()
        with pytest.raises(GoneError, match="it is gone"):
            await waiting


@pytest.mark.parametrize("waits", ["until", "inbox"])
async def test_whoever_waits_for_anything_is_told_when_the_registry_is_lost(
    path, here: Participant, monkeypatch: pytest.MonkeyPatch, waits: str
) -> None:
    monkeypatch.setattr(following, "LOST_AFTER", 0.2)
    await here.request("go?")
    async with asyncio.timeout(TIMEOUT), here:
        await here.until(lambda board: bool(board.requests))
        path.unlink()
        with pytest.raises(GoneError, match="it is gone"):
            await (here.until(lambda board: board.position > 1) if waits == "until" else anext(here.inbox()))


async def test_only_what_is_missing_all_the_while_is_lost(
    path, here: Participant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "LOST_AFTER", 0)
    await here.request("go?")
    kept = path.with_suffix(".kept")
    for _ in range(3):
        path.rename(kept)
        here._following.read()
        assert here._following.lost is None
        kept.rename(path)
        here._following.read()
    path.unlink()
    here._following.read()
    here._following.read()
    assert here._following.lost == f"{path}: it is gone"


async def test_a_registry_that_comes_back_in_time_loses_nothing(path, here: Participant) -> None:
    first = await here.request("go?", target="lubit")
    kept = path.with_suffix(".kept")
    async with asyncio.timeout(TIMEOUT), here:
        waiting = asyncio.create_task(here.closed(first))
        await here.until(lambda board: board.request(first) is not None)
        path.rename(kept)
        await here._following.look()
        answer(kept, first, verdict="approved")
        kept.rename(path)
        assert (await waiting).answer is not None


async def test_a_keyed_request_is_not_made_twice_where_the_registry_cannot_be_read(
    path, here: Participant, monkeypatch: pytest.MonkeyPatch
) -> None:
    from collab_tui.registry.append import NotWrittenError
    from collab_tui.registry.base import News, State

    await here.request("go?", key="k")
    unreadable = News(state=State.UNREADABLE, detail="input/output error")
    monkeypatch.setattr(here._registry, "read_next", lambda: unreadable)
    with pytest.raises(NotWrittenError, match="input/output error"):
        await here.request("go?", key="k")
    assert len(events(path)) == 1


async def test_two_answer_at_once_the_first_valid_wins_and_the_second_is_told(path, here: Participant) -> None:
    lubit = participant("lubit", path, announces=False)
    gitcode = participant("gitcode", path, announces=False)
    first = await here.request("go?", target="lubit")
    async with asyncio.timeout(TIMEOUT), lubit, gitcode:
        requests = [(await who.until(lambda board: bool(board.requests))).requests[0] for who in (lubit, gitcode)]
        told = await asyncio.gather(
            lubit.decide(requests[0], "approved"), gitcode.decide(requests[1], "rejected"), return_exceptions=True
        )
    (refused,) = [str(error) for error in told if error is not None]
    (decision,) = events(path, "decision")
    assert refused == f"{decision['agent']} answered it meanwhile: {decision['verdict']}"
    assert decision["request_id"] == first
