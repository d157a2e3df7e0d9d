"""Sessions in seats: one for a task and its rounds, ended with it, in the task's worktree; reviews have their own."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collab_tui.model.sessions import Observed
from collab_tui.orchestrator.agent import CannotWorkError, WorkError
from collab_tui.orchestrator.agents import Session, as_agent, from_document
from collab_tui.orchestrator.agents.sessions import Sessions, let_go_of_left
from collab_tui.orchestrator.plan import Task
from collab_tui.registry.append import append
from collab_tui.sessions import session as session_module
from collab_tui.sessions.driver import Reply, ReplyStatus
from collab_tui.sessions.drivers import driver_class
from collab_tui.sessions.manager import SessionError, SessionManager
from collab_tui.sessions.records import Records
from tests.orchestrator.agents.assigned import SEAT, assignment, review, surroundings
from tests.sessions.house import Agent, House, eventually, use_agents
from tests.sessions.repositories import Project

BUILD = "collab/run-1a2b3c4d/build"
VALIDATOR = "validator-1-1a2b"
_SCRIPTED = Path(__file__).parents[2] / "e2e" / "scripted_agent.py"


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A project in a repository, whose agent `sena` does as the test says."""
    use_agents(monkeypatch)
    made = House(tmp_path, monkeypatch)
    made.define("sena", [sys.executable], worktree=True)
    return made


@pytest.fixture(autouse=True)
def project(house: House) -> Project:
    """The repository that it is."""
    return Project(house.project, house.home)


def seated(house: House, manager: SessionManager, name: str = SEAT, **about: Any) -> Any:
    sessions: Sessions = manager
    return Session("sena", **about).seated(name, surroundings(house.project, house.notices.append, sessions=sessions))


def folders(house: House) -> set[str]:
    return {folder.name for folder in house.project.with_name("project.worktrees").glob("run-1a2b3c4d/*")}


async def test_a_task_has_one_conversation_for_all_its_rounds_and_another_task_another(house: House) -> None:
    async with house.manager() as manager:
        seat = seated(house, manager)
        given = await seat.work(assignment())
        assert given.value == "reply to do build"
        assert manager.sessions[SEAT].record.branch == BUILD
        assert given.branch is None, "there is nothing on it that anybody could look at"
        assert given.log == Path(manager.sessions[SEAT].record.log)
        first = Agent.last[SEAT]
        await seat.work(assignment(attempt=3, round=2, prompt="mend it"))
        assert first.prompts == ["do build", "mend it"]
        await seat.work(assignment("docs"))
        assert first.stopped is not None
        assert Agent.last[SEAT].prompts == ["do docs"]
        assert list(manager.sessions) == [SEAT]
        for task in ("build", "docs", "docs"):
            await seat.settle(task)
        assert (dict(manager.sessions), folders(house)) == ({}, set())
        await seat.close()
    assert house.notices == []


async def test_what_a_process_of_the_run_left_that_is_gone_ends_when_the_run_is_over(house: House) -> None:
    async with house.manager() as manager:
        await seated(house, manager).work(assignment())
        await manager.create_session("sena", name="mine", task="other")
        around = surroundings(house.project, house.notices.append, sessions=manager)
        await let_go_of_left(around, [Session("sena")])
        assert (list(manager.sessions), folders(house)) == (["mine"], set())
    await let_go_of_left(replace(around, sessions=None), [Session("sena")])
    assert house.notices == []


async def test_the_seat_may_have_been_written_for_and_no_other_name_may(house: House) -> None:
    append(str(house.path), {"agent": SEAT, "event": "run_task", "run": "1a2b3c4d"})
    append(str(house.path), {"agent": "lubit", "event": "status_update"})
    async with house.manager() as manager:
        assert (await seated(house, manager).work(assignment())).value == "reply to do build"
        with pytest.raises(SessionError, match="lubit takes part here already"):
            await manager.create_session("sena", name="lubit", in_worktree=False)


async def test_another_seat_goes_on_in_the_same_worktree_and_ends_the_conversation_of_the_first(house: House) -> None:
    async with house.manager() as manager:
        one, other = seated(house, manager), seated(house, manager, "executor-2-1a2b")
        await one.work(assignment())
        place = Path(manager.sessions[SEAT].record.folder)
        (place / "half.txt").write_text("half", encoding="utf-8")
        assert (await other.work(assignment(attempt=2))).branch is None, "nothing is committed"
        assert list(manager.sessions) == ["executor-2-1a2b"]
        assert Path(manager.sessions["executor-2-1a2b"].record.folder) == place
        assert (place / "half.txt").exists()
        await other.settle("build")
        assert folders(house) == {"build"}
        assert "is not removed: 1 file not committed" in house.notices[-1]


class Looking(Agent):
    """It says what it finds where it works."""

    async def prompt(self, text: str) -> Reply:
        reply = await super().prompt(text)
        found = self.launch.folder / "built.txt"
        return replace(reply, text=found.read_text(encoding="utf-8") if found.exists() else "nothing")


async def test_a_review_has_a_session_of_its_own_at_the_commit_that_it_judges(
    house: House, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "driver_class", lambda definition: Looking)
    async with house.manager() as manager:
        seat, validator = seated(house, manager), seated(house, manager, VALIDATOR)
        for round_ in (1, 2):
            await seat.work(assignment(attempt=2 * round_ - 1, round=round_))
            place = Path(manager.sessions[SEAT].record.folder)
            (place / "built.txt").write_text(f"round {round_}", encoding="utf-8")
            project.commit(f"round {round_}", place)
            given = await validator.work(review(BUILD, attempt=2 * round_))
            assert (given.branch, given.value) == (None, f"round {round_}")
            assert list(manager.sessions) == [SEAT]
            assert folders(house) == {"build"}
        await seat.settle("build")
    assert project.git("show", f"{BUILD}:built.txt") == "round 2"
    assert folders(house) == set()


async def test_a_review_of_what_stands_on_no_branch_leaves_the_conversation_of_the_work_alone(house: House) -> None:
    async with house.manager() as manager:
        seat, validator = seated(house, manager), seated(house, manager, VALIDATOR)
        for round_ in (1, 2):
            assert (await seat.work(assignment(attempt=2 * round_ - 1, round=round_))).branch is None
            await validator.work(review(None, attempt=2 * round_))
        assert list(manager.sessions) == [SEAT]
        assert len(Agent.last[SEAT].prompts) == 2
        await seat.settle("build")


async def test_it_says_when_it_waits_for_the_person_and_when_no_longer(house: House) -> None:
    async with house.manager() as manager:
        seat, waits = seated(house, manager), list[bool]()
        await seat.work(assignment())
        agent = Agent.last[SEAT]
        agent.is_slow = True
        working = asyncio.create_task(seat.work(assignment(attempt=2, waits=waits.append)))
        await eventually(lambda: agent.turns == 1)
        agent.listener.observed(Observed.APPROVAL)
        await eventually(lambda: waits == [True])
        agent.listener.observed(Observed.WORKING)
        await eventually(lambda: waits == [True, False])
        agent.may_end.set()
        await working
        await seat.settle("build")


async def test_what_is_left_uncommitted_by_work_that_is_reviewed_is_told_so_that_it_commits(
    house: House, project: Project
) -> None:
    task = Task("build", "executor", review="validator")
    async with house.manager() as manager:
        seat = seated(house, manager)
        await seat.work(assignment(task=task))
        place = Path(manager.sessions[SEAT].record.folder)
        (place / "half.txt").write_text("half", encoding="utf-8")
        with pytest.raises(WorkError, match=r"sees commits only: half\.txt"):
            await seat.work(assignment(task=task, attempt=2))
        project.commit("whole", place)
        assert (await seat.work(assignment(task=task, attempt=3))).branch == BUILD
        assert len(Agent.last[SEAT].prompts) == 3, "it is the same conversation"
        await seat.settle("build")


async def test_without_a_worktree_it_works_in_the_project(house: House) -> None:
    async with house.manager() as manager:
        seat = seated(house, manager, worktree=False)
        assert (await seat.work(assignment())).branch is None
        assert manager.sessions[SEAT].record.folder == str(house.project)
        await seat.close()
        assert dict(manager.sessions) == {}


@pytest.mark.parametrize("status", [ReplyStatus.FAILED, ReplyStatus.INTERRUPTED])
async def test_a_turn_that_does_not_end_well_failed_and_the_conversation_stays(
    house: House, project: Project, status: ReplyStatus
) -> None:
    async with house.manager() as manager:
        seat = seated(house, manager)
        await seat.work(assignment())
        first = Agent.last[SEAT]
        (first.launch.folder / "half.txt").write_text("half", encoding="utf-8")
        project.commit("half", first.launch.folder)
        first.next_reply = lambda text: Reply("", status, 0.1, reason="the limit is reached")
        with pytest.raises(WorkError, match=f"its turn ended as {status}: the limit is reached") as error:
            await seat.work(assignment(attempt=2))
        assert error.value.branch == BUILD
        assert error.value.log is not None
        first.next_reply = lambda text: Reply("mended", ReplyStatus.DONE, 0.1)
        assert (await seat.work(assignment(attempt=3))).value == "mended"
        assert Agent.last[SEAT] is first


async def test_a_session_that_dies_fails_its_attempt_and_the_next_begins_a_new_one(house: House) -> None:
    async with house.manager() as manager:
        seat = seated(house, manager)
        await seat.work(assignment())
        first = Agent.last[SEAT]
        first.is_slow = True
        working = asyncio.create_task(seat.work(assignment(attempt=2)))
        await eventually(lambda: first.turns)
        first.end("signal 9")
        with pytest.raises(WorkError, match="its turn ended as lost"):
            await working
        await eventually(lambda: SEAT not in manager.sessions)
        await seat.work(assignment(attempt=3))
        assert Agent.last[SEAT] is not first
        assert manager.sessions[SEAT].record.branch == BUILD


async def test_cancelled_its_turn_is_interrupted_and_its_end_leaves_nothing(house: House, project: Project) -> None:
    async with house.manager() as manager:
        seat = seated(house, manager)
        await seat.work(assignment())
        agent = Agent.last[SEAT]
        agent.is_slow = True
        working = asyncio.create_task(seat.work(assignment(attempt=2, prompt="too slow")))
        await eventually(lambda: agent.turns)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        await eventually(lambda: agent.interrupted == ["too slow"])
        await seat.close()
        assert (dict(manager.sessions), folders(house)) == ({}, set())
        assert "locked" not in project.git("worktree", "list", "--porcelain")


async def test_cancelled_while_it_starts_it_leaves_no_session_and_no_worktree(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Agent, "never_ready", True)
    async with house.manager() as manager:
        seat = seated(house, manager)
        working = asyncio.create_task(seat.work(assignment()))
        await eventually(lambda: SEAT in Agent.last)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        await seat.close()
        assert (dict(manager.sessions), folders(house)) == ({}, set())


async def test_what_a_killed_process_left_of_the_run_is_ended_first_and_nothing_else_is(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Agent, "is_lasting", True)
    async with house.manager() as manager:
        await seated(house, manager).work(assignment())
        await manager.create_session("sena", name="mine", task="build", team="run-99999999")
        left = Agent.last[SEAT]
    assert left.launch.run in Agent.alive
    async with house.manager() as manager:
        await manager.take_up()
        assert sorted(manager.sessions) == [SEAT, "mine"]
        again = seated(house, manager, "executor-2-1a2b")
        await again.work(assignment(attempt=2))
        assert sorted(manager.sessions) == ["executor-2-1a2b", "mine"]
        assert manager.sessions["executor-2-1a2b"].record.branch == BUILD
        assert left.launch.run not in Agent.alive
        await again.close()


async def test_a_session_of_another_run_in_this_seat_is_left_alone(house: House) -> None:
    async with house.manager() as manager:
        await manager.create_session("sena", name=SEAT, in_worktree=False, team="run-99999999")
        with pytest.raises(WorkError, match="there is a session executor-1-1a2b already"):
            await seated(house, manager).work(assignment())
        assert list(manager.sessions) == [SEAT]
        await manager.destroy_session(SEAT)


async def test_a_teams_session_is_restored_in_the_teams_worktree(house: House) -> None:
    async with house.manager() as manager:
        await seated(house, manager).work(assignment())
        folder = manager.sessions[SEAT].record.folder
        await manager.destroy_session(SEAT)
        records = Records(house.path)
        record = records.load(SEAT)
        assert record is not None
        records.save(replace(record, resume_id="abc"))
        assert (await manager.restore(SEAT)).record.folder == folder
        await manager.destroy_session(SEAT)


async def test_where_it_cannot_work_that_is_told_before_anything_starts(house: House) -> None:
    around = surroundings(house.project, house.notices.append)
    with pytest.raises(CannotWorkError, match="sena: there are no sessions here"):
        await Session("sena").check(around)
    async with house.manager() as manager:
        around = replace(around, sessions=manager)
        await Session("sena").check(around)
        with pytest.raises(CannotWorkError, match="no agent is defined as 'sema'"):
            await Session("sema").check(around)
        house.define("lost", ["no-such-program"])
        with pytest.raises(CannotWorkError, match="there is no program no-such-program"):
            await Session("lost").check(around)


def test_a_session_can_be_kept_and_is_the_same_again() -> None:
    agent = Session("claude", worktree=False)
    assert as_agent(agent) is agent
    assert from_document(agent.document()) == agent
    assert agent.told == "claude"


async def test_a_real_program_works_and_commits_in_the_worktree_of_its_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = House(tmp_path / "real", monkeypatch)
    repository = Project(real.project, real.home)
    monkeypatch.setattr(session_module, "driver_class", driver_class)
    real.define("doer", [sys.executable, str(_SCRIPTED), "build"], worktree=True)
    async with real.manager() as manager:
        around = surroundings(real.project, real.notices.append, sessions=manager)
        await Session("doer").check(around)
        seat = Session("doer").seated(SEAT, around)
        given = await seat.work(assignment())
        assert (given.value, given.branch) == ("It is written down.", BUILD)
        await seat.settle("build")
    assert repository.git("show", f"{BUILD}:built.txt") == "do build"
    assert (folders(real), real.notices) == (set(), [])
    assert [line["agent"] for line in real.lines("session_end")] == [SEAT]
