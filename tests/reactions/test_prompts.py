"""Rules that wake a session: what is written of it, that it is given once, and what holds it back."""

from __future__ import annotations

import asyncio

import pytest

from collab_tui.config.rules import WHOEVER, Rule, Then, When
from collab_tui.reactions.actions.prompt import SUBMITTED
from collab_tui.reactions.reactor import INTERRUPTED, Reactor
from tests.events import decides, line
from tests.program import eventually
from tests.reactions.desk import Desk, rule
from tests.signing import install_key, signed


def wakes(session: str = "lubit", name: str = "wake", time_limit: float = 600, **more: object) -> Rule:
    """A rule that wakes a session."""
    return rule(name, then=Then(prompt=session, text="{from} is ready: {message}", time_limit=time_limit), **more)


class Sessions:
    """Sessions that take prompts once they may."""

    def __init__(self, outcome: str = SUBMITTED) -> None:
        self.outcome = outcome
        self.given: list[tuple[str, str]] = []
        self.asked = 0
        self.is_asked = asyncio.Event()
        self.may = asyncio.Event()

    async def prompt(self, session: str, text: str) -> str:
        """See `Prompt`."""
        self.asked += 1
        self.is_asked.set()
        await self.may.wait()
        self.given.append((session, text))
        return self.outcome


@pytest.fixture
def sessions(desk: Desk) -> Sessions:
    sessions = Sessions()
    desk.rules = (wakes(),)
    desk.prompt = sessions.prompt
    return sessions


async def test_that_it_begins_is_written_before_and_what_became_of_it_afterwards(
    desk: Desk, sessions: Sessions
) -> None:
    reactor = await desk.started()
    cause = desk.say("sena", "ready", message="metrics\nv2")
    await reactor.look()
    await desk.until_outcomes("wake", "started")
    assert sessions.given == []
    sessions.may.set()
    await desk.until_outcomes("wake", "started", "submitted")
    assert sessions.given == [("lubit", "sena is ready: “metrics v2”")]
    started, ended = desk.lines("activation")
    assert started["cause"] == ended["cause"] == cause
    assert started["target"] == ended["target"] == "lubit"
    assert ended["started"] == started["id"]
    assert started["own"] is True
    await reactor.end()


async def test_a_session_is_not_given_a_message_twice_that_comes_to_it_anyway(desk: Desk, sessions: Sessions) -> None:
    desk.rules = (wakes(when=When(event="message")),)
    sessions.may.set()
    reactor = await desk.started()
    for target in ("lubit", "all", "pia"):
        desk.say("sena", "message", target=target, message=f"to {target}")
    await reactor.look()
    await desk.until_outcomes("wake", "started", "submitted")
    assert [text for _, text in sessions.given] == ["sena is ready: “to pia”"]
    await reactor.end()


@pytest.mark.parametrize(
    "why", ["not submitted: there is no session lubit", "not submitted: a person types there", "unverified"]
)
async def test_what_was_not_taken_is_told_with_the_reason(desk: Desk, sessions: Sessions, why: str) -> None:
    sessions.outcome = why
    sessions.may.set()
    reactor = await desk.started()
    desk.say("sena", "ready")
    await reactor.look()
    await desk.until_outcomes("wake", "started", why)
    await desk.look(reactor)
    assert sessions.asked == 1, "it is not tried again"
    await reactor.end()


async def test_a_monitor_without_sessions_says_so(desk: Desk) -> None:
    desk.rules = (wakes(),)
    reactor = await desk.started()
    desk.say("sena", "ready")
    await reactor.look()
    await desk.until_outcomes("wake", "started", "not submitted: this monitor has no sessions")
    await reactor.end()


async def test_the_session_of_whoever_was_matched(desk: Desk, sessions: Sessions) -> None:
    desk.rules = (wakes(WHOEVER),)
    sessions.may.set()
    reactor = await desk.started()
    desk.say("sena", "ready", message="m")
    await reactor.look()
    await desk.until_outcomes("wake", "started", "submitted")
    assert [session for session, _ in sessions.given] == ["sena"]
    await reactor.end()


async def test_one_that_waits_too_long_is_not_given_any_more(desk: Desk, sessions: Sessions) -> None:
    desk.rules = (wakes(time_limit=0.01),)
    reactor = await desk.started()
    desk.say("sena", "ready")
    await reactor.look()
    await desk.until_outcomes("wake", "started", "not submitted: it was not taken within 0.01 s")
    sessions.may.set()
    await desk.look(reactor)
    assert sessions.given == []
    await reactor.end()


async def test_one_after_the_other_in_order(desk: Desk, sessions: Sessions) -> None:
    reactor = await desk.started()
    for number in range(3):
        desk.say("sena", "ready", message=str(number))
    await reactor.look()
    await sessions.is_asked.wait()
    assert sessions.asked == 1
    sessions.may.set()
    await desk.until_outcomes("wake", *["started", "submitted"] * 3)
    assert [text[-2] for _, text in sessions.given] == ["0", "1", "2"]
    await reactor.end()


async def test_one_that_waited_when_the_monitor_was_killed_is_never_given_again(desk: Desk, sessions: Sessions) -> None:
    killed = await desk.started()
    desk.say("sena", "ready")
    await killed.look()
    await sessions.is_asked.wait()
    abandon(killed)
    after = Sessions()
    after.may.set()
    desk.prompt = after.prompt
    reactor = desk.reactor()
    await desk.look(reactor)
    await reactor.end()
    assert desk.outcomes() == ["started", INTERRUPTED]
    assert after.asked == 0


def abandon(reactor: Reactor) -> None:
    """As a kill would: nothing more is written, and the lock of the rule is free."""
    for worker in reactor._turns._workers.values():
        worker.cancel()


async def test_one_that_was_stopped_with_the_monitor_is_told_so(desk: Desk, sessions: Sessions) -> None:
    reactor = await desk.started()
    desk.say("sena", "ready")
    await reactor.look()
    await sessions.is_asked.wait()
    await reactor.end()
    assert desk.outcomes() == ["started", "stopped"]
    assert sessions.given == []


async def test_what_the_session_does_because_of_it_does_not_wake_it_again(desk: Desk, sessions: Sessions) -> None:
    desk.rules = (wakes(when=When(event="ready")),)
    sessions.may.set()
    reactor = await desk.started()
    desk.say("sena", "ready")
    await reactor.look()
    await desk.until_outcomes("wake", "started", "submitted")
    desk.say("lubit", "ready")
    await desk.look(reactor)
    assert desk.outcomes() == ["started", "submitted", "held back: loop guard"]
    assert sessions.asked == 1
    await reactor.end()


async def test_its_cool_down_holds_it_back(desk: Desk, sessions: Sessions) -> None:
    desk.rules = (wakes(cool_down=60.0),)
    sessions.may.set()
    reactor = await desk.started()
    for _ in range(2):
        desk.say("sena", "ready")
        await desk.look(reactor)
    await desk.until_outcomes("wake", "started", "submitted")
    assert sessions.asked == 1
    await reactor.end()


async def test_a_rule_of_the_project_wakes_nobody(desk: Desk, sessions: Sessions) -> None:
    desk.rules = (wakes(is_users=False),)
    reactor = await desk.started()
    desk.say("sena", "ready")
    await reactor.look()
    assert desk.outcomes() == ["refused: a project's rule starts no programs, and prompts no sessions"]
    assert sessions.asked == 0
    await reactor.end()


async def test_a_decision_wakes_once_also_when_the_registry_was_put_back(desk: Desk, sessions: Sessions) -> None:
    install_key(desk.keyring.path.parent)
    desk.keyring.refresh()
    desk.rules = (wakes(when=When(verdict="approved")),)
    sessions.may.set()
    begin = desk.path.read_bytes()
    asked = desk.say("sena", "decision_request", request="go?", target="human")
    before = desk.path.read_bytes()
    given = signed(decides("human", asked, id="d1", verdict="approved", timestamp=desk.now.isoformat()), before)
    outcomes = []
    for _ in range(2):
        desk.path.write_bytes(before)
        reactor = await desk.started()
        with desk.path.open("ab") as file:
            file.write(line(given))
        await reactor.look()
        await asyncio.to_thread(eventually, lambda: len(desk.outcomes()) == 2)
        outcomes.append(desk.outcomes()[1])
        await reactor.end()
        desk.path.write_bytes(begin)
    assert outcomes == ["submitted", "refused: that decision was acted on before"]
    assert sessions.asked == 1
