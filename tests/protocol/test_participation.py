import asyncio
import contextlib
import textwrap
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from collab_tui.model.board import RequestState
from collab_tui.protocol import Participant, following, participant
from collab_tui.protocol.participation import __doc__ as about
from collab_tui.registry.append import RefusedError
from collab_tui.registry.jsonl import JsonlRegistry
from tests.signing import KEY, OTHER_KEY, THIRD_KEY, install_key, signed

TIMEOUT = 20.0


@pytest.fixture(autouse=True)
def users_own(tmp_path, monkeypatch):
    """The user in whose name the agents run: settings with the person's key, and a state."""
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(tmp_path / "config"))
    monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, **__: str(tmp_path / "state"))
    return install_key(tmp_path / "config")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "registry.jsonl"


class Wakeups:
    """A watch that wakes when the test says so."""

    def __init__(self, path, poll):
        pass

    def found(self, something):
        pass

    queue: asyncio.Queue[None]
    waiting: asyncio.Event

    async def wakeups(self):
        while True:
            yield
            self.waiting.set()
            await self.queue.get()


async def test_a_look_that_was_cancelled_after_it_read_keeps_nobody_else_asleep(path, monkeypatch):
    Wakeups.queue, Wakeups.waiting = asyncio.Queue(), asyncio.Event()
    monkeypatch.setattr(following, "Watch", Wakeups)
    async with asyncio.timeout(TIMEOUT), Participant("sena", path) as me:
        waiters = [asyncio.create_task(me.until(lambda board: board.agent("lubit") is not None)) for _ in range(3)]
        await Wakeups.waiting.wait()  # all have looked
        has_read, may_end, read = threading.Event(), threading.Event(), me._following.read

        def read_slowly():
            news = read()
            has_read.set()
            may_end.wait(TIMEOUT)
            return news

        monkeypatch.setattr(me._following, "read", read_slowly)
        JsonlRegistry(path).append({"agent": "lubit", "event": "session_start"})
        cancelled = asyncio.create_task(me.until(lambda board: False))
        await asyncio.to_thread(has_read.wait)
        cancelled.cancel()
        await asyncio.wait([cancelled])
        may_end.set()
        Wakeups.queue.put_nowait(None)
        boards = await asyncio.gather(*waiters)
        assert all(board.agent("lubit") for board in boards)


async def test_asking_ends_when_the_request_expires_and_gives_it_back_open(path):
    async with asyncio.timeout(TIMEOUT), Participant("sena", path) as me:
        expires = datetime.now(UTC) + timedelta(seconds=0.4)
        request = await me.ask("go?", expires=expires.isoformat())
        assert (request.is_open, request.answer) == (True, None)
        assert request.expires is not None
        assert request.expires <= datetime.now(UTC)


async def test_a_request_that_expired_long_ago_is_given_back_at_once_and_a_closed_one_closed(path):
    async with asyncio.timeout(TIMEOUT), Participant("sena", path) as me:
        past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
        assert (await me.ask("go?", expires=past)).is_open
        asked = await me.emit("decision_request", request="go?", target="lubit", expires=past)
        JsonlRegistry(path).append({"agent": "lubit", "event": "decision", "request_id": asked["id"], "answer": "yes"})
        assert not (await me.closed(asked["id"])).is_open


async def test_an_answer_before_the_expiry_is_given_back_at_once(path):
    async with asyncio.timeout(TIMEOUT), Participant("sena", path) as me, Participant("lubit", path) as lubit:
        expires = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        asking = asyncio.create_task(me.ask("go?", target="lubit", expires=expires))
        board = await lubit.until(lambda board: bool(board.open_requests))
        await lubit.decide(board.open_requests[0], "approved")
        answer = (await asking).answer
        assert answer is not None
        assert answer.verdict == "approved"


async def test_what_is_addressed_to_several_is_heard_by_each(path):
    async with asyncio.timeout(TIMEOUT), Participant("sena", path) as me:
        hearing = me.inbox()
        heard = asyncio.ensure_future(anext(hearing))
        await me.until(lambda board: board.position == 1)
        JsonlRegistry(path).append(
            {"agent": "lubit", "event": "message", "target": ["gitcode", "Sena"], "message": "hi"}
        )
        assert (await heard).text("message") == "hi"
        await hearing.aclose()


# Who decides. An agent acts on the person's word only if it is signed, and once.


def write(path, **fields):
    """A line in the name of the person."""
    return JsonlRegistry(path).append({"agent": "human", "event": "decision", **fields})


def sign(path, key=KEY, **fields):
    """A decision that the person signed."""
    decision = {"agent": "human", "event": "decision", "timestamp": datetime.now(UTC).isoformat(), **fields}
    JsonlRegistry(path).append(signed({"id": f"d{time.monotonic_ns()}"} | decision, path.read_bytes(), key))


async def has_read(me, path):
    count = path.read_bytes().count(b"\n")
    await me.until(lambda board: board.position >= count)


async def test_who_waits_for_the_person_waits_on_past_claims_and_gets_what_was_signed(path, tmp_path):
    async with asyncio.timeout(TIMEOUT), Participant("sena", path) as me:
        asked = await me.emit("decision_request", request="go?", kind="approval")
        waiting = asyncio.create_task(me.closed(asked["id"]))
        write(path, request_id=asked["id"], verdict="approved")
        sign(path, OTHER_KEY, request_id=asked["id"], verdict="approved")
        write(path, request_id=asked["id"], verdict="approved", key_id=KEY.public.id, signature="AAAA")
        JsonlRegistry(path).append(
            {"agent": "lubit", "event": "decision", "request_id": asked["id"], "verdict": "approved"}
        )
        await has_read(me, path)
        assert not waiting.done()
        sign(path, request_id=asked["id"], verdict="rejected", comment="not on a Friday")
        answer = (await waiting).answer
        assert (answer.verdict, answer.comment) == ("rejected", "not on a Friday")


def say(path, by, request, **fields):
    """An unsigned decision."""
    JsonlRegistry(path).append({"agent": by, "event": "decision", "request_id": request["id"], **fields})


def settings(tmp_path, text):
    (tmp_path / "config" / "config.toml").write_text(text, encoding="utf-8")


async def test_who_asked_an_agent_takes_its_word_but_none_in_the_name_of_the_person_without_a_signature(path):
    async with asyncio.timeout(TIMEOUT), Participant("sena", path) as me:
        asked = await me.emit("decision_request", request="go?", target="lubit")
        waiting = asyncio.create_task(me.closed(asked["id"]))
        say(path, "Human", asked, verdict="approved")
        await has_read(me, path)
        assert not waiting.done()
        say(path, "lubit", asked, verdict="rejected")
        answer = (await waiting).answer
        assert (answer.by, answer.verdict) == ("lubit", "rejected")
        asked = await me.emit("decision_request", request="go?", target="lubit")
        sign(path, request_id=asked["id"], verdict="approved")
        assert (await me.closed(asked["id"])).answer.by == "human"


async def test_who_asked_an_approver_gets_only_what_they_or_the_person_signed(path, tmp_path):
    settings(tmp_path, f'[approvers]\nlena = "{OTHER_KEY.public.text}"\nhana = "{THIRD_KEY.public.text}"\n')
    async with asyncio.timeout(TIMEOUT), Participant("sena", path) as me:
        asked = await me.emit("decision_request", request="go?", target="lena")
        waiting = asyncio.create_task(me.closed(asked["id"]))
        for by in ("lena", "gitcode", "human"):
            say(path, by, asked, verdict="approved")
        sign(path, THIRD_KEY, agent="hana", request_id=asked["id"], verdict="approved")
        await has_read(me, path)
        assert not waiting.done()
        sign(path, OTHER_KEY, agent="lena", request_id=asked["id"], verdict="rejected")
        answer = (await waiting).answer
        assert (answer.by, answer.verdict) == ("lena", "rejected")
        asked = await me.emit("decision_request", request="go?", target="lena")
        sign(path, request_id=asked["id"], verdict="rejected")
        assert (await me.closed(asked["id"])).answer.by == "human"


async def test_the_person_has_the_name_in_the_users_settings(path, tmp_path):
    settings(tmp_path, 'person = "mina"\n')
    async with asyncio.timeout(TIMEOUT), Participant("sena", path) as me:
        assert me.person == "mina"
        asked = await me.emit("decision_request", request="go?", target="mina")
        waiting = asyncio.create_task(me.closed(asked["id"]))
        for by in ("mina", "gitcode"):
            say(path, by, asked, verdict="approved")
        await has_read(me, path)
        assert not waiting.done()
        sign(path, agent="mina", request_id=asked["id"], verdict="rejected")
        assert (await waiting).answer.verdict == "rejected"


async def test_what_perhaps_answers_an_agent_is_no_answer_when_it_goes_on(path):
    async with asyncio.timeout(TIMEOUT), Participant("sena", path) as me:
        asked = await me.emit("decision_request", request="go?", target="lubit")
        write(path, decision_for="sena", verdict="approved")
        await me.update(status="in_progress")
        request = await me.closed(asked["id"])
        assert (request.state, request.answer) == (RequestState.MOVED_ON, None)


async def test_of_two_that_the_person_signed_the_first_counts(path):
    async with asyncio.timeout(TIMEOUT), Participant("sena", path) as me:
        asked = await me.emit("decision_request", request="go?")
        for verdict in ("rejected", "approved"):
            sign(path, request_id=asked["id"], verdict=verdict)
        assert (await me.closed(asked["id"])).answer.verdict == "rejected"


async def test_the_word_of_the_person_is_not_acted_on_twice(path):
    """The registry is put back as it was, with the decision on its end: the agent that asks again gets no old yes."""
    async with asyncio.timeout(TIMEOUT), Participant("sena", path) as me:
        asked = await me.emit("decision_request", request="delete it?")
        sign(path, request_id=asked["id"], verdict="approved")
        both = await asyncio.gather(me.closed(asked["id"]), me.closed(asked["id"]))
        assert [request.answer.verdict for request in both] == ["approved", "approved"]  # two tasks of one agent
    kept = path.read_bytes()
    path.unlink()
    path.write_bytes(kept)
    async with asyncio.timeout(TIMEOUT), Participant("sena", path) as me:
        with pytest.raises(RefusedError, match="was taken before"):
            await me.closed(asked["id"])


async def test_a_request_that_expires_after_a_claim_comes_back_without_an_answer(path):
    async with asyncio.timeout(TIMEOUT), Participant("sena", path) as me:
        expires = (datetime.now(UTC) + timedelta(seconds=0.5)).isoformat()
        asked = await me.emit("decision_request", request="go?", expires=expires)
        write(path, request_id=asked["id"], verdict="approved")
        request = await me.closed(asked["id"])
        assert (request.state, request.answer) == (RequestState.OPEN, None)


async def test_a_request_that_is_withdrawn_after_a_claim_comes_back_withdrawn(path):
    async with asyncio.timeout(TIMEOUT), Participant("sena", path) as me:
        asked = await me.emit("decision_request", request="go?")
        write(path, request_id=asked["id"], verdict="approved")
        await me.emit("request_withdrawn", request_id=asked["id"])
        request = await me.closed(asked["id"])
        assert (request.state, request.answer) == (RequestState.WITHDRAWN, None)


async def test_somebody_who_may_not_answer_does_not_answer_by_the_asker_going_on(path):
    async with asyncio.timeout(TIMEOUT), Participant("sena", path) as me:
        asked = await me.emit("decision_request", request="go?")
        JsonlRegistry(path).append(
            {"agent": "lubit", "event": "decision", "request_id": asked["id"], "verdict": "approved"}
        )
        await me.update(status="in_progress")
        request = await me.closed(asked["id"])
        assert (request.state, request.answer) == (RequestState.MOVED_ON, None)


async def test_an_agent_that_came_before_the_key_knows_it_when_it_is_made(path, users_own):
    users_own.path.unlink()
    async with asyncio.timeout(TIMEOUT), Participant("sena", path) as me:
        asked = await me.emit("decision_request", request="go?")
        waiting = asyncio.create_task(me.closed(asked["id"]))
        await has_read(me, path)
        install_key(users_own.path.parent)
        sign(path, request_id=asked["id"], verdict="approved")
        assert (await waiting).answer.verdict == "approved"


async def test_an_unasked_decision_of_the_person_is_heard_if_it_is_signed(path):
    async with asyncio.timeout(TIMEOUT), Participant("sena", path) as me:
        hearing = me.inbox()
        heard = asyncio.ensure_future(anext(hearing))
        await me.until(lambda board: board.position == 1)
        write(path, target="sena", decision_for="fonts", verdict="approved")
        sign(path, OTHER_KEY, target="sena", decision_for="fonts", verdict="approved")
        sign(path, target="sena", decision_for="fonts", verdict="rejected")
        assert (await heard).text("verdict") == "rejected"
        await hearing.aclose()


async def test_the_example_of_the_library_works_as_it_stands(path, monkeypatch):
    monkeypatch.setenv("COLLAB_REGISTRY", str(path))
    example = "\n".join(line for line in about.splitlines() if line.startswith("    "))
    printed = asyncio.Queue()
    names = {"participant": participant, "print": lambda *words: printed.put_nowait(words)}
    exec(f"async def example():\n{textwrap.indent(textwrap.dedent(example), '    ')}", names)
    async with asyncio.timeout(TIMEOUT), Participant("lubit", path) as lubit:
        running = asyncio.create_task(names["example"]())
        board = await lubit.until(lambda board: bool(board.open_requests))
        asked = board.open_requests[0]
        assert (asked.options, asked.event.text("key")) == (("rules", "model"), "tagger")
        assert (board.agent("sena").role, board.agent("sena").progress) == ("implement", 40)
        sign(path, request_id=asked.id, answer="rules")
        await lubit.message("sena", "hi")
        assert await printed.get() == ("lubit", "message", "hi")
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await lubit.until(lambda board: board.agent("sena").gone)
