"""The story as a person lives it, with the three real processes."""

from datetime import timedelta

import pytest

from collab_tui.demo.performance import Performance, performance
from collab_tui.demo.script import CONTRACT, METRICS, RELEASE, SAMPLES, TOKEN, is_released
from collab_tui.model.board import Board, Deadlock, RequestKind, RequestState
from collab_tui.model.moment import Moment
from collab_tui.model.words import Status
from tests.demo.person import Person


@pytest.fixture
def person(show: Performance) -> Person:
    return Person(show)


def blocked(board: Board, agent: str) -> bool:
    found = board.agent(agent)
    return found is not None and bool(found.blockers)


def status(board: Board, agent: str) -> Status | None:
    found = board.agent(agent)
    return found.status if found else None


async def pass_gitcode(person: Person, verdict: str = "approved") -> None:
    """Do what GitCode needs, so that only the others are of interest."""
    person.answer(await person.asked("gitcode", "GO for canary"), verdict)
    await person.until(lambda board: blocked(board, "gitcode"))
    person.unblock("gitcode", TOKEN)


async def deadlock(person: Person) -> Deadlock:
    board = await person.until(lambda board: board.deadlocks)
    return board.deadlocks[0]


async def test_the_first_screen_has_three_agents_at_work_and_soon_a_question() -> None:
    with performance("human") as show:  # at the speed that people see
        show.wait_until_present()
        person = Person(show)
        request = await person.asked("sena", "Which tagger")
        agents = person.fold.board().agents
        assert {agent.name for agent in agents} == {"sena", "lubit", "gitcode"}
        assert {agent.status for agent in agents} == {Status.IN_PROGRESS}
        assert all(agent.progress and agent.current_task and agent.next_action for agent in agents)
        first = person.events("sena")[0].time
        assert first is not None
        assert request.asked_at is not None
        assert request.asked_at - first < timedelta(seconds=2)


async def test_what_is_asked_of_the_person(person: Person) -> None:
    tagger = await person.asked("sena", "Which tagger")
    assert (tagger.kind, len(tagger.options), tagger.to_person) == (RequestKind.CHOICE, 3, True)
    go = await person.asked("gitcode", "GO for canary")
    assert (go.kind, go.to_person) == (RequestKind.APPROVAL, True)
    assert go.evidence
    assert go.details
    assert go.deadline is not None
    assert go.asked_at is not None
    assert go.deadline > go.asked_at


async def test_the_story_to_its_end_and_beyond(person: Person) -> None:
    person.answer(await person.asked("sena", "Which tagger"), "model")
    assert 'you chose "model"' in await person.said("sena", "model it is")
    await pass_gitcode(person)
    await person.said("gitcode", "You said yes", "canary 5 %")
    await person.said("gitcode", "You cleared", TOKEN)

    metrics = await person.asked("sena", METRICS)
    board = await person.until(lambda board: not board.request(metrics.id).is_open)
    assert board.request(metrics.id).answer.by == "lubit"

    found = await deadlock(person)
    assert set(found.agents) == {"sena", "lubit"}
    contract = next(r for r in person.fold.board().requests if r.id == found.request_id)
    assert (contract.request, contract.target) == (CONTRACT, "lubit")
    person.answer(contract, "approved", "go on, both of you")
    board = await person.until(lambda board: not board.deadlocks and status(board, "sena") is Status.IN_PROGRESS)
    assert "go on, both of you" in (board.agent("sena").next_action or "")
    await person.said("lubit", "You said yes")

    await person.until(is_released)
    completed = person.events("gitcode", "completion")
    assert "canary at 100 %" in (completed[0].text("result") or "")
    await person.until(
        lambda board: all(a.current_task != RELEASE and len(person.events(a.name)) > 60 for a in board.agents[:3])
    )
    await person.until(lambda board: len([r for r in board.requests if r.request.startswith("Review: ")]) >= 3)


async def test_a_no_makes_them_think_again(person: Person) -> None:
    await pass_gitcode(person, "rejected")
    await person.said("gitcode", "You said no", "redesign")
    person.answer(await person.asked("gitcode", "GO for a dark launch"), "rejected", "not this week")
    await person.said("gitcode", "not this week", "hold the release")

    found = await deadlock(person)
    contract = person.fold.board().request(found.request_id or "")
    assert contract is not None
    person.answer(contract, "rejected")
    await person.until(lambda board: not board.deadlocks)
    await person.said("sena", "You said no", "contract smaller")
    await person.until(lambda board: status(board, "sena") is Status.COMPLETED)
    held = await person.until(lambda _: person.events("gitcode", "completion"))
    assert is_released(held)
    assert "held back" in (person.events("gitcode", "completion")[0].text("result") or "")


async def test_a_yes_to_the_redesign_is_deployed(person: Person) -> None:
    await pass_gitcode(person, "rejected")
    person.answer(await person.asked("gitcode", "GO for a dark launch"), "approved")
    await deadlock(person)
    person.unblock("lubit", SAMPLES)
    await person.until(is_released)
    assert "dark launch at 100 %" in (person.events("gitcode", "completion")[0].text("result") or "")


async def test_unblocking_ends_the_deadlock_too(person: Person) -> None:
    found = await deadlock(person)
    person.unblock("lubit", SAMPLES)
    await person.said("lubit", "You cleared", SAMPLES)
    board = await person.until(lambda board: not board.request(found.request_id or "").is_open)
    assert board.request(found.request_id or "").answer.by == "lubit"
    await person.until(lambda board: not board.deadlocks and status(board, "lubit") is Status.IN_PROGRESS)


async def test_the_deadlock_is_the_first_thing_that_needs_the_person(person: Person) -> None:
    await deadlock(person)
    board = person.fold.board()
    assert board.last_time is not None
    needs = Moment(board, board.last_time).needs
    assert isinstance(needs[0], Deadlock)
    assert len(needs) == 3  # it, the choice and the GO


async def test_gitcode_waits_for_the_others(person: Person) -> None:
    await pass_gitcode(person)
    board = await person.until(lambda board: status(board, "gitcode") is Status.WAITING)
    assert {wait.awaited for wait in board.waits if wait.waiter == "gitcode"} == {"sena", "lubit"}


async def test_without_the_person_they_stay_stuck_and_alive(person: Person) -> None:
    await deadlock(person)
    before = {agent.name: len(person.events(agent.name)) for agent in person.fold.board().agents}
    board = await person.until(
        lambda board: all(len(person.events(a.name)) >= before[a.name] + 4 for a in board.agents)
    )
    assert board.deadlocks
    assert blocked(board, "gitcode")
    person.answer(await person.asked("sena", "Which tagger"), "both")  # late, and still heard
    await person.said("sena", 'you chose "both"', "switch")


async def test_who_is_spoken_to_replies(person: Person) -> None:
    person.say("lubit", "천천히 하세요")
    assert "천천히 하세요" in await person.said("lubit", "I heard you")
    person.decide("gitcode", "fonts", "approved")
    assert "fonts" in await person.said("gitcode", "Noted, your decision")


async def test_the_person_may_have_another_name() -> None:
    with performance("미나", speed=40) as show:
        show.wait_until_present()
        person = Person(show)
        person.answer(await person.asked("sena", "Which tagger"), "rules")
        await person.said("sena", 'you chose "rules"', "rules it is")
        board = person.fold.board()
        assert {r.state for r in board.requests if r.options} == {RequestState.ANSWERED}


async def test_what_somebody_writes_in_the_name_of_the_person_is_nothing_to_them(person: Person) -> None:
    """The agents go on waiting, and take the person's own word when it comes."""
    tagger = await person.asked("sena", "Which tagger")
    claimed = {"agent": "human", "event": "decision", "request_id": tagger.id, "answer": "both"}
    person.registry.append(claimed)
    unasked = {"agent": "human", "event": "decision", "target": "sena", "decision_for": "fonts", "verdict": "approved"}
    person.registry.append(unasked)
    await person.until(lambda board: not board.request(tagger.id).is_open)
    person.say("sena", "are you there?")
    await person.said("sena", "I heard you", "are you there?")
    person.answer(tagger, "model")
    await person.said("sena", 'you chose "model"', "model it is")
    said = [event.text("message") or "" for event in person.events("sena", "message")]
    assert not [text for text in said if "both" in text or "Noted" in text]
