"""The parts of the story of eight minutes by themselves; the whole of it is in `tests/e2e/test_scenario.py`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from collab_tui.demo import story
from collab_tui.demo.actor import Pace
from collab_tui.demo.script import METRICS, PARSER
from collab_tui.demo.story import AT_80, AT_START, StoryLubit, StorySena, rules, sleep
from collab_tui.model.board import Board, RequestState
from collab_tui.model.words import Status
from collab_tui.protocol import Participant
from collab_tui.protocol.keys import Keyring
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from tests.program import PATIENCE

SPEED = 200


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    path = tmp_path / "registry.jsonl"
    path.touch()
    return path


@asynccontextmanager
async def member(name: str, registry: Path, **session: Any) -> AsyncIterator[Participant]:
    keys = registry.parent / "keys"
    trust, used = Trust("human", keyring=Keyring(keys)), UsedDecisions(keys)
    async with asyncio.timeout(PATIENCE), Participant(name, registry, trust=trust, used=used, **session) as me:
        yield me


def only_request(board: Board) -> RequestState:
    (request,) = board.requests
    return request.state


def test_its_rules_are_rules() -> None:
    assert all(rule.is_on for rule in rules())
    assert {rule.name for rule in rules() if rule.then.message == "lubit"} == {AT_START, AT_80}


async def test_lubit_sleeps_until_the_rule_wakes_him(registry: Path) -> None:
    async with member("lubit", registry, announces=False) as lubit, member("monitor", registry) as monitor:
        listening = asyncio.Event()
        sleeping = asyncio.create_task(sleep(lubit, AT_START, listening.set))
        await listening.wait()
        await monitor.message("lubit", "come")
        await monitor.emit("message", target="lubit", message="come", rule=AT_80)
        await monitor.emit("message", target="sena", message="come", rule=AT_START)
        await lubit.until(lambda board: board.position == 4)
        assert not sleeping.done()
        await monitor.emit("message", target="lubit", message="come", rule=AT_START)
        await sleeping
        assert lubit.board.agent("lubit") is None


async def test_a_sena_whom_nobody_answers_goes_on(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story, "_PATIENCE", timedelta(seconds=0.5))
    async with member("sena", registry, **StorySena.opening) as me:
        await StorySena(me, Pace(SPEED, "sena")).live()
        board = await me.until(lambda board: board.agent("sena").progress == 100)
        assert board.agent("sena").current_task == PARSER
        assert only_request(board) is RequestState.OPEN


async def test_lubit_has_done_his_work_when_he_waits_for_the_call(registry: Path) -> None:
    """However late it comes: he is not busy meanwhile."""
    async with member("monitor", registry) as monitor, member("lubit", registry, **StoryLubit.opening) as me:
        part = asyncio.create_task(StoryLubit(me, Pace(SPEED, "lubit")).live())
        board = await monitor.until(lambda board: board.agent("lubit").status is Status.WAITING)
        assert board.agent("lubit").progress == 76
        written = board.position
        await monitor.message("lubit", "how are you?")
        await monitor.emit("message", target="lubit", message="judge", rule=AT_80)
        board = await monitor.until(lambda board: board.agent("lubit").status is Status.IN_PROGRESS)
        assert board.agent("lubit").set_at["status"] == written + 2  # right after the call, and nothing before
        await monitor.until(lambda board: board.agent("lubit").next_action == "wait for the last of the parser")
        part.cancel()
        with suppress(asyncio.CancelledError):
            await part


async def test_sena_waits_when_her_work_is_done_and_the_answer_is_not_there(registry: Path) -> None:
    async with member("lubit", registry) as lubit, member("sena", registry, **StorySena.opening) as me:
        part = asyncio.create_task(StorySena(me, Pace(SPEED, "sena")).live())
        board = await lubit.until(lambda board: board.agent("sena").status is Status.WAITING)
        (request,) = board.open_requests
        written = board.position
        await lubit.decide(request, "approved")
        board = await lubit.until(lambda board: board.agent("sena").current_task == PARSER)
        assert board.agent("sena").set_at["current_task"] == written + 2  # the decision, her completion, and this
        await part


async def test_a_person_may_be_faster_than_lubit(registry: Path) -> None:
    async with (
        member("monitor", registry) as monitor,
        member("gitcode", registry) as other,
        member("sena", registry) as sena,
        member("lubit", registry, **StoryLubit.opening) as me,
    ):
        part = asyncio.create_task(StoryLubit(me, Pace(SPEED, "lubit")).live())
        asked = await sena.request(METRICS, target="lubit")
        await other.decide(
            (await other.until(lambda board: board.request(asked) is not None)).request(asked), "rejected"
        )
        await monitor.emit("message", target="lubit", message="judge", rule=AT_80)
        await sena.emit("completion", current_task=PARSER)
        await part
        board = await me.until(lambda board: board.agent("lubit").progress == 100)
        assert board.request(asked).answer.by == "gitcode"
        assert board.agent("lubit").last_decision is None
