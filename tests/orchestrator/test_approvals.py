"""O09: the person's yes. Missing, expired, forged, for other words, by the requester, replayed: nothing proceeds then,
and it is told why. What they signed counts once, also for a process that comes after.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from collab_tui.orchestrator.approvals import Approval
from collab_tui.protocol.nearby import announce
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import NotWrittenError, UnusableError, append
from collab_tui.registry.jsonl import JsonlRegistry
from tests.orchestrator.asking_stage import Stage
from tests.orchestrator.ground import AGENT, PATIENCE, SEAT, new_registry
from tests.signing import KEY, OTHER_KEY, install_key, signed

pytestmark = pytest.mark.usefixtures("in_time")


def noting(found: list[Any]) -> Callable[[Any], Awaitable[None]]:
    async def note(told: Any) -> None:
        found.append(told)

    return note


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(tmp_path / "config"))
    monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, **__: str(tmp_path / "state"))
    trust = Trust("human", {}, install_key(tmp_path / "config"))
    return Stage(new_registry(tmp_path), trust, UsedDecisions(tmp_path / "used"))


async def test_a_signed_yes_lets_it_proceed_with_what_the_person_said(stage: Stage) -> None:
    opened: list[str] = []
    async with stage.asking() as approvals:
        asking = asyncio.create_task(
            approvals.ask("build", "Deploy it?", details="To all.", evidence=["a.py"], opened=noting(opened))
        )
        await stage.asked()
        (request,) = stage.requests()
        stage.decide("approved", "go on")
        approval = await asking
    assert (request.request, request.details, request.evidence) == ("Deploy it?", "To all.", ("a.py",))
    assert (request.asker, request.targets, request.kind) == (AGENT, ("human",), "approval")
    assert approval == Approval(True, "go on", "human approved it: go on", request.id)
    assert opened == [request.id]
    assert stage.notices == []


async def test_a_signed_no_carries_its_comment(stage: Stage) -> None:
    async with stage.asking() as approvals:
        asking = asyncio.create_task(approvals.ask("build", "Deploy it?"))
        await stage.asked()
        stage.decide("rejected", "the tests are red")
        approval = await asking
    assert not approval.is_approved
    assert (approval.comment, approval.why) == ("the tests are red", "human said no: the tests are red")


async def test_what_nobody_answers_in_time_does_not_proceed(stage: Stage) -> None:
    delivered: list[Approval] = []
    async with stage.asking() as approvals:
        approval = await approvals.ask("build", "Deploy it?", expires=0.05, deliver=noting(delivered))
    assert not approval.is_approved
    assert approval.why.startswith("nobody answered until ")
    assert delivered == [approval]
    assert stage.requests()[0].expires is not None


async def test_a_yes_that_was_signed_when_the_time_was_over_does_not_count(stage: Stage) -> None:
    async with stage.asking() as approvals:
        approval = await approvals.ask("build", "Deploy it?", expires=0.05)
        expired = stage.requests()[0].expires
        assert expired is not None
        late = stage.decision(timestamp=(expired + timedelta(milliseconds=1)).isoformat(timespec="milliseconds"))
        append(str(stage.path), signed(late, stage.path.read_bytes()))
        again = asyncio.create_task(approvals.ask("build", "Deploy it?"))
        await stage.asked(2)
        assert not again.done()
        again.cancel()
    assert not approval.is_approved


@pytest.mark.parametrize(
    ("forge", "why"),
    [
        (lambda told, _: told, "it carries no signature"),
        (lambda told, lines: signed(told, lines, OTHER_KEY), "which you do not trust"),
        (
            lambda told, lines: signed(told | {"verdict": "rejected"}, lines) | {"verdict": "approved"},
            "was changed after",
        ),
        (lambda told, lines: signed(told, b'{"registry": "x"}\n' + lines), "in another registry"),
        (lambda told, _: told | {"agent": SEAT}, "human is asked"),
        (lambda told, _: told | {"agent": "Human ", "signature": "x", "key_id": KEY.public.id}, "does not count"),
        (lambda told, lines: signed(told | {"agent": AGENT}, lines), "human is asked"),
    ],
    ids=["unsigned", "with another key", "changed", "of another registry", "by an agent", "no signature", "by the run"],
)
async def test_a_forged_yes_does_not_count_and_is_told_while_it_waits_on(
    stage: Stage, forge: Callable[[dict[str, Any], bytes], dict[str, Any]], why: str
) -> None:
    async with stage.asking() as approvals:
        asking = asyncio.create_task(approvals.ask("build", "Deploy it?"))
        await stage.asked()
        stage.tell(**forge(stage.decision(), stage.path.read_bytes()))
        await stage.never(asking, why)


async def test_a_forged_yes_is_named_in_the_reason_of_what_expires(stage: Stage) -> None:
    async with stage.asking() as approvals:
        asking = asyncio.create_task(approvals.ask("build", "Deploy it?", expires=1.0))
        await stage.asked()
        stage.tell(**stage.decision())
        approval = await asking
    assert not approval.is_approved
    assert "the answer of human in line 3 does not count: it carries no signature" in approval.why


async def test_a_yes_to_other_words_is_no_yes_to_these(stage: Stage) -> None:
    async with stage.asking() as approvals:
        first = asyncio.create_task(approvals.ask("build", "Deploy to staging?"))
        await stage.asked()
        old = stage.requests()[0]
        first.cancel()
        await asyncio.wait([first])
        stage.decide("approved", request=old)
        second = asyncio.create_task(approvals.ask("build", "Deploy to production?"))
        await stage.asked(2)
        moved = signed(stage.decision(request_id=old.id), stage.path.read_bytes())
        stage.tell(**moved | {"request_id": stage.requests()[-1].id, "id": "e" * 16})
        await stage.never(second, "was changed after it was signed")


async def test_a_question_in_other_words_withdraws_the_one_before(stage: Stage) -> None:
    async with stage.asking() as approvals:
        first = asyncio.create_task(approvals.ask("build", "Deploy?", details="a.py"))
        await stage.asked()
        first.cancel()
        second = asyncio.create_task(approvals.ask("build", "Deploy?", details="b.py"))
        other = asyncio.create_task(approvals.ask("docs", "Publish?"))
        await stage.asked(3)
        assert {request.details: request.state for request in stage.requests()} == {
            "a.py": "withdrawn",
            "b.py": "open",
            None: "open",
        }
        for task in (second, other):
            task.cancel()


async def test_a_yes_is_used_once_and_a_copy_of_it_is_none(stage: Stage) -> None:
    async with stage.asking() as approvals:
        asking = asyncio.create_task(approvals.ask("build", "Deploy it?"))
        await stage.asked()
        stage.decide("approved")
        assert (await asking).is_approved
        yes = stage.path.read_bytes().splitlines()[-1]
        again = asyncio.create_task(approvals.ask("build", "Deploy it?"))
        await stage.asked(2)
        with stage.path.open("ab") as file:
            file.write(yes + b"\n" + yes.replace(b'"id":"', b'"id":"0') + b"\n")
        announce(stage.path)
        stage.decide("rejected", "not again")
        assert (await again).comment == "not again"


async def test_a_question_is_asked_once_over_restarts_and_its_answer_found(stage: Stage) -> None:
    for _ in range(3):
        async with stage.asking() as approvals:
            asking = asyncio.create_task(approvals.ask("build", "Deploy it?", expires=3600.0))
            await stage.asked()
            asking.cancel()
            await asyncio.wait([asking])
    stage.decide("approved")
    async with stage.asking() as approvals:
        assert (await approvals.ask("build", "Deploy it?", expires=3600.0)).is_approved
    assert len(stage.requests()) == 1


async def test_what_unblocked_it_before_a_restart_does_not_unblock_it_again(stage: Stage) -> None:
    async with stage.asking() as approvals:
        asking = asyncio.create_task(approvals.ask("build", "Deploy it?"))
        await stage.asked()
        stage.decide("approved")
        assert (await asking).is_approved
    async with stage.asking() as approvals:
        again = asyncio.create_task(approvals.ask("build", "Deploy it?"))
        await stage.asked(2)
        assert not again.done()
        again.cancel()


async def test_an_answer_that_could_not_be_noted_comes_again_and_counts_once_it_is(stage: Stage) -> None:
    tries: list[Approval] = []

    async def deliver(approval: Approval) -> None:
        tries.append(approval)
        if len(tries) < 3:
            raise NotWrittenError("the disk is full")

    async with stage.asking() as approvals:
        asking = asyncio.create_task(approvals.ask("build", "Deploy it?", deliver=deliver))
        await stage.asked()
        stage.decide("approved", "yes")
        assert (await asking).is_approved
    assert [approval.comment for approval in tries] == ["yes"] * 3
    assert stage.notices == ["build: the disk is full; the person is asked again"]
    assert len(stage.requests()) == 1


async def test_a_process_that_dies_before_it_noted_the_answer_leaves_it_for_the_next(stage: Stage) -> None:
    class Died(BaseException):
        pass

    async def dies(approval: Approval) -> None:
        raise Died

    async def asked_by_one_that_dies() -> None:
        async with stage.asking() as approvals:
            with pytest.raises(Died):
                await approvals.ask("build", "Deploy it?", deliver=dies)

    asking = asyncio.create_task(asked_by_one_that_dies())
    await stage.asked()
    stage.decide("approved")
    await asking
    async with stage.asking() as approvals:
        assert (await approvals.ask("build", "Deploy it?")).is_approved


async def test_a_withdrawal_in_the_name_of_the_run_that_it_did_not_write_makes_it_ask_again(stage: Stage) -> None:
    async with stage.asking() as approvals:
        asking = asyncio.create_task(approvals.ask("build", "Deploy it?"))
        await stage.asked()
        stage.tell(AGENT, event="request_withdrawn", request_id=stage.requests()[0].id)
        await stage.asked(2)
        assert any("was withdrawn in its name" in notice for notice in stage.notices)
        stage.decide("approved")
        assert (await asking).is_approved


async def test_an_answer_that_names_no_request_and_the_runs_own_progress_do_not_close_it(stage: Stage) -> None:
    async with stage.asking() as approvals:
        asking = asyncio.create_task(approvals.ask("build", "Deploy it?"))
        await stage.asked()
        stage.tell("human", event="decision", decision_for="Deploy it?", verdict="approved")
        stage.tell(AGENT, event="status_update", status="in_progress", progress=10)
        await stage.asked(2)
        assert not asking.done()
        stage.decide("approved", "now")
        assert (await asking).comment == "now"


async def test_when_the_run_ends_its_questions_are_withdrawn(stage: Stage) -> None:
    async with stage.asking() as approvals:
        asking = [asyncio.create_task(approvals.ask(f"t{number}", "Well?")) for number in range(3)]
        await stage.asked(3)
        await approvals.withdraw_all("the run is over")
        found = await asyncio.gather(*asking)
    assert {(approval.is_approved, approval.why) for approval in found} == {
        (False, "it was withdrawn before anybody answered")
    }
    assert {request.state.value for request in stage.requests()} == {"withdrawn"}


async def test_a_question_that_is_cancelled_while_it_is_written_is_withdrawn_too(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes, goes_on, write = threading.Event(), threading.Event(), JsonlRegistry.append

    def slowly(*about: Any, **how: Any) -> dict[str, Any]:
        writes.set()
        assert goes_on.wait(PATIENCE)
        return write(*about, **how)

    monkeypatch.setattr(JsonlRegistry, "append", slowly)
    async with stage.asking() as approvals:
        asking = asyncio.create_task(approvals.ask("build", "Deploy it?"))
        await asyncio.to_thread(writes.wait, PATIENCE)
        asking.cancel()
        await asyncio.wait({asking})
        ending = asyncio.create_task(approvals.withdraw_all("the run is over"))
        goes_on.set()
        await ending
    assert [request.state.value for request in stage.requests()] == ["withdrawn"]


async def test_a_registry_that_was_replaced_gets_the_question_again(stage: Stage) -> None:
    async with stage.asking() as approvals:
        asking = asyncio.create_task(approvals.ask("build", "Deploy it?"))
        await stage.asked()
        fresh = stage.path.with_name("fresh")
        append(str(fresh), {"agent": "system", "event": "registry_created", "registry": "cd" * 16})
        fresh.replace(stage.path)
        announce(stage.path)
        await stage.until(lambda: any("is not in" in notice for notice in stage.notices))
        await stage.asked()
        stage.decide("approved")
        assert (await asking).is_approved


async def test_what_cannot_be_asked_is_refused(stage: Stage) -> None:
    async with stage.asking() as approvals:
        with pytest.raises(UnusableError, match="needs words"):
            await approvals.ask("build", " \n ")


async def test_words_of_others_stay_words(stage: Stage) -> None:
    async with stage.asking() as approvals:
        asking = asyncio.create_task(
            approvals.ask("build/x" * 40, "Deploy\nit\x1b[2J? " + "x" * 5000, details="\x1b[31m")
        )
        await stage.asked()
        (request,) = stage.requests()
        assert "\n" not in request.request
        assert len(request.request) <= 200
        asking.cancel()


@pytest.mark.parametrize("until", [None, "2999-01-01T00:00:00Z"])
async def test_nobody_who_asks_in_its_name_makes_the_time_longer(stage: Stage, until: str | None) -> None:
    async with stage.asking() as approvals:
        asking = asyncio.create_task(approvals.ask("build", "Deploy it?", expires=3600.0))
        await stage.asked()
        asked = json.loads(stage.path.read_bytes().splitlines()[-1])
        forged = {name: value for name, value in asked.items() if name not in ("id", "timestamp", "expires", "agent")}
        stage.tell(AGENT, event="request_withdrawn", request_id=asked["id"])
        stage.tell(AGENT, **forged, **({"expires": until} if until is not None else {}))
        await stage.until(
            lambda: [request.state.value for request in stage.requests()] == ["withdrawn", "withdrawn", "open"]
        )
        (last,) = [request for request in stage.requests() if request.is_open]
        assert last.event.text("expires") == asked["expires"]
        stage.decide("approved")
        assert (await asking).request == last.id


async def test_a_yes_to_a_forged_request_without_a_limit_does_not_count(stage: Stage) -> None:
    async with stage.asking() as approvals:
        asking = asyncio.create_task(approvals.ask("build", "Deploy it?", expires=3600.0))
        await stage.asked()
        asking.cancel()
        await asyncio.wait([asking])
    asked = json.loads(stage.path.read_bytes().splitlines()[-1])
    stage.tell(AGENT, event="request_withdrawn", request_id=asked["id"])
    stage.tell(AGENT, **{name: asked[name] for name in asked if name not in ("id", "timestamp", "expires", "agent")})
    stage.decide("approved")
    async with stage.asking() as approvals:
        again = asyncio.create_task(approvals.ask("build", "Deploy it?", expires=3600.0))
        await stage.asked(3)
        assert not again.done()
        again.cancel()
