"""Worktrees of a run's tasks: one for each, kept for its rounds, shown to its reviewer, gone when nothing is lost."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from collab_tui.model.runs import RunState
from collab_tui.orchestrator import Orchestrator, Pipeline
from collab_tui.orchestrator.agent import CannotWorkError, Surroundings, Worker, WorkError
from collab_tui.orchestrator.agents import Command
from collab_tui.orchestrator.agents.worktrees import clear_worktrees
from collab_tui.orchestrator.kept import KeptRuns
from collab_tui.orchestrator.leaving import clear_left
from collab_tui.orchestrator.plan import Task
from collab_tui.processes.identity import identity_of
from collab_tui.registry.append import append
from collab_tui.sessions.records import Record, Records
from collab_tui.sessions.repository import Entry, Repository
from collab_tui.sessions.worktree_removal import remove
from collab_tui.sessions.worktree_state import WorktreeState
from tests.orchestrator.agents.assigned import assignment, review, surroundings
from tests.program import PATIENCE
from tests.sessions.house import eventually
from tests.sessions.repositories import Project

BUILD = "collab/run-1a2b3c4d/build"
_COMMITS = (
    "import json, subprocess, sys; from pathlib import Path\n"
    "about = json.load(sys.stdin)\n"
    "Path('built.txt').write_text(f\"round {about['round']}\", encoding='utf-8')\n"
    "who = ['git', '-c', 'user.name=n', '-c', 'user.email=e@example.com']\n"
    "subprocess.run([*who, 'add', '.'], check=True)\n"
    "subprocess.run([*who, 'commit', '-qm', 'Build ' + about['task'], '--allow-empty'], check=True)\n"
    "print(Path.cwd())\n"
)
_LOOKS = "from pathlib import Path; print(Path.cwd(), Path('built.txt').read_text(encoding='utf-8'), sep='|')"


class Place:
    """A repository in whose worktrees programs work."""

    def __init__(self, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
            monkeypatch.setenv(name, project.environment["HOME"])
        self.project = project
        self.notices: list[str] = []
        self.around: Surroundings = surroundings(project.folder, self.notices.append, environment=project.environment)

    def seat(self, script: str, number: int = 1) -> Worker:
        command = Command([sys.executable, "-c", script], worktree=True)
        return command.seated(f"executor-{number}-1a2b", self.around)

    def folders(self) -> set[str]:
        """The worktrees that stand."""
        return {folder.name for folder in self.project.folder.with_name("work.worktrees").glob("run-1a2b3c4d/*")}


async def half_made(place: Place, task: str) -> None:
    """A worktree that was being made when its process was killed."""
    await place.project.worktrees().make("run-1a2b3c4d", task)
    folder = place.project.folder.with_name("work.worktrees") / "run-1a2b3c4d" / task
    place.project.git("worktree", "lock", "--reason", "collab: being made by process 4194999 long-ago", str(folder))


def keep_record(place: Place, name: str, **more: Any) -> None:
    """What is known of a session."""
    about: dict[str, Any] = {"folder": str(place.project.folder)} | more
    folder = about.pop("folder")
    registry = place.around.registry
    Records(registry).save(Record(name, "ab" * 8, "sena", "sena", "m", "h", folder, "log", **about))


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> Callable[[], AbstractContextManager[None]]:
    """Within it a process works that is gone afterwards."""

    @contextmanager
    def gone() -> Iterator[None]:
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr("collab_tui.sessions.worktrees.marked", lambda beginning: f"{beginning}4194999 long-ago")
            yield

    return gone


@pytest.fixture
def place(project: Project, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(project, monkeypatch)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "home").mkdir()
    return Project(tmp_path / "work", tmp_path / "home")


async def test_a_task_has_one_worktree_for_all_its_attempts_and_rounds_from_any_seat(place: Place) -> None:
    one, other = place.seat(_COMMITS), place.seat(_COMMITS, 2)
    first = await one.work(assignment())
    again = await other.work(assignment(attempt=2, round=2))
    assert (first.branch, again.branch, again.value) == (BUILD, BUILD, first.value)
    assert first.value != str(place.project.folder)
    assert place.project.git("show", f"{BUILD}:built.txt") == "round 2"
    assert not (place.project.folder / "built.txt").exists()
    elsewhere = await one.work(assignment("plan/api"))
    assert elsewhere.branch is not None
    assert elsewhere.branch.startswith("collab/run-1a2b3c4d/plan-api-")
    for seat in (one, other):
        await seat.settle("build")
    assert len(place.folders()) == 1, "the other task is not over"
    await one.close()
    assert place.folders() == set()
    assert place.project.git("show", f"{BUILD}:built.txt") == "round 2", "committed work stays on its branch"
    assert place.notices == []


async def test_a_reviewer_looks_at_the_very_commit_in_a_worktree_that_goes_with_the_review(place: Place) -> None:
    seat, validator = place.seat(_COMMITS), place.seat(_LOOKS, 9)
    for round_ in (1, 2):
        await seat.work(assignment(attempt=2 * round_ - 1, round=round_))
        seen = await validator.work(review(BUILD, attempt=2 * round_, round=round_))
        folder, _, text = seen.value.partition("|")
        assert text == f"round {round_}"
        assert seen.branch is None, "the branch of the work is not the reviewer's"
        assert Path(folder).name not in place.folders() | {"work"}
    assert place.folders() == {"build"}
    assert place.project.branches() == {"main", BUILD}
    assert place.notices == []


async def test_a_task_that_is_called_like_a_review_has_a_worktree_of_its_own(place: Place) -> None:
    seat = place.seat(_COMMITS)
    await seat.work(assignment())
    named = await seat.work(assignment("build-review-2"))
    seen = await place.seat("import os; print(os.getcwd())", 9).work(review(BUILD))
    assert seen.value != named.value


async def test_a_review_of_what_stands_on_no_branch_is_done_in_the_project(place: Place) -> None:
    seen = await place.seat("import os; print(os.getcwd())").work(review(None))
    assert seen.value == str(place.project.folder)
    assert place.folders() == set()


@pytest.mark.parametrize("is_review", [False, True])
async def test_files_that_are_not_committed_keep_their_worktree_and_that_is_told(place: Place, is_review: bool) -> None:
    await place.seat(_COMMITS).work(assignment())
    leaves = place.seat("open('left.txt', 'w', encoding='utf-8').write('mine')", 2)
    await leaves.work(review(BUILD) if is_review else assignment())
    await leaves.settle("build")
    assert len(place.notices) == 1
    assert "is not removed: 1 file not committed: ?? left.txt" in place.notices[0]
    name = "build-review-2" if is_review else "build"
    folder = place.project.folder.with_name("work.worktrees") / "run-1a2b3c4d" / name
    assert (folder / "left.txt").read_text(encoding="utf-8") == "mine"
    await leaves.close()
    assert len(place.notices) == 1, "it is told once"


async def test_work_that_is_reviewed_is_committed_or_told_what_is_not(place: Place) -> None:
    leaves = place.seat(_COMMITS + "open('left.txt', 'w', encoding='utf-8').write('mine')")
    reviewed = Task("build", "executor", review="validator")
    with pytest.raises(WorkError, match=r"sees commits only: left\.txt: commit what belongs") as error:
        await leaves.work(assignment(task=reviewed))
    assert error.value.branch == BUILD
    again = await place.seat(_COMMITS).work(assignment(task=reviewed, attempt=2))
    assert again.branch == BUILD
    assert place.project.git("show", f"{BUILD}:left.txt") == "mine"


async def test_a_branch_is_told_of_for_its_commits_alone(place: Place) -> None:
    given = await place.seat("open('left.txt', 'w', encoding='utf-8').write('mine')").work(assignment())
    assert given.branch is None


async def test_a_project_below_the_top_of_its_repository_is_worked_on_in_its_own_place(place: Place) -> None:
    inner = place.project.folder / "apps" / "api"
    inner.mkdir(parents=True)
    (inner / "api.txt").write_text("api", encoding="utf-8")
    place.project.commit("An inner project")
    around = surroundings(inner, place.notices.append, environment=place.project.environment)
    command = Command([sys.executable, "-c", "import os; print(os.getcwd(), os.listdir())"], worktree=True)
    given = await command.seated("executor-1-1a2b", around).work(assignment())
    assert "work.worktrees" in given.value
    assert given.value.endswith(f"{Path('apps', 'api')} ['api.txt']")


async def test_a_failure_says_on_which_branch_there_is_something_to_see(place: Place) -> None:
    seat = place.seat(_COMMITS + "sys.exit('no test')")
    with pytest.raises(WorkError, match="exit 1: no test") as error:
        await seat.work(assignment())
    assert error.value.branch == BUILD


async def test_an_empty_branch_is_not_told_of_and_goes_with_its_worktree(place: Place) -> None:
    seat = place.seat("print('nothing to do')")
    assert (await seat.work(assignment())).branch is None
    assert BUILD in place.project.branches()
    await seat.settle("build")
    assert place.project.branches() == {"main"}


async def test_a_review_that_is_cancelled_leaves_no_process_worktree_or_lock(place: Place, tmp_path: Path) -> None:
    seat = place.seat(_COMMITS)
    await seat.work(assignment())
    begun = tmp_path / "begun"
    hangs = f"import time; open({str(begun)!r}, 'w', encoding='utf-8').close(); time.sleep(1000)"
    working = asyncio.create_task(place.seat(hangs, 9).work(review(BUILD)))
    await eventually(begun.exists)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(asyncio.shield(working), PATIENCE)
    assert place.folders() == {"build"}
    await seat.close()
    assert "locked" not in place.project.git("worktree", "list", "--porcelain")
    assert place.project.branches() == {"main", BUILD}


async def test_many_tasks_begin_at_once(place: Place) -> None:
    seats = [place.seat("import os; print(os.getcwd())", number) for number in range(6)]
    given = await asyncio.gather(*(seat.work(assignment(f"t{number}")) for number, seat in enumerate(seats)))
    assert len({one.value for one in given}) == len(seats)
    await asyncio.gather(*(seat.close() for seat in seats))
    assert place.folders() == set()
    assert place.notices == []


async def test_where_no_worktree_can_be_made_that_is_told_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "empty").mkdir()
    (tmp_path / "home").mkdir()
    unborn = Project(tmp_path / "unborn", tmp_path / "home", commit=False)
    for folder, why in ((tmp_path / "empty", "not in a git repository"), (unborn.folder, "has no commit yet")):
        around = surroundings(folder, lambda text: None)
        with pytest.raises(CannotWorkError, match=why):
            await Command([sys.executable], worktree=True).check(around)
    with pytest.raises(CannotWorkError, match="leads out of"):
        await Command([sys.executable], worktree=True, folder=str(tmp_path)).check(around)


async def test_what_a_killed_process_used_is_taken_over_and_told_as_left_over_if_nobody_does(
    place: Place, killed: Callable[[], AbstractContextManager[None]]
) -> None:
    worktrees = place.project.worktrees()
    with killed():
        await place.seat(_COMMITS).work(assignment())
        await place.seat(_COMMITS).work(assignment("api"))
    again = await place.seat(_COMMITS, 2).work(assignment(attempt=2))
    assert again.branch == BUILD
    assert [(found.branch, found.why, found.kept) for found in await worktrees.leftovers(())] == [
        ("collab/run-1a2b3c4d/api", "the process that used it is gone", "1 commit that stands nowhere else")
    ]


async def test_what_a_killed_process_of_the_run_left_is_let_go_of_when_the_run_is_over(
    place: Place, killed: Callable[[], AbstractContextManager[None]]
) -> None:
    worktrees = place.project.worktrees()
    with killed():
        await place.seat(_COMMITS).work(assignment())
        await place.seat("open('left.txt', 'w', encoding='utf-8').close()").work(assignment("dirty"))
        await half_made(place, "half")
    await place.seat("print(1)").work(assignment("mine"))
    await worktrees.make("run-ffffffff", "other")
    for session in ("lost", "lives"):
        await worktrees.lock(await worktrees.make("run-1a2b3c4d", session), session)
        process = identity_of(os.getpid()) if session == "lives" else None
        keep_record(place, session, pid=os.getpid(), pid_started=process.started if process is not None else None)
    over = await worktrees.make("run-1a2b3c4d", "over")
    keep_record(place, "over", folder=str(over.folder), branch=over.branch, team="run-1a2b3c4d", ended="exit 0")
    await clear_worktrees(place.around)
    assert place.folders() == {"dirty", "mine", "lives"}
    assert place.project.folder.with_name("work.worktrees").joinpath("run-ffffffff", "other").is_dir()
    assert [notice.partition(" is not removed: ")[2] for notice in place.notices] == [
        "1 file not committed: ?? left.txt"
    ]
    assert place.project.git("show", f"{BUILD}:built.txt") == "round 1"
    assert await worktrees.leftovers({"lives"}) == []


async def test_a_worktree_of_the_person_on_a_branch_of_the_run_stays(
    place: Place, killed: Callable[[], AbstractContextManager[None]], tmp_path: Path
) -> None:
    with killed():
        seat = place.seat(_COMMITS)
        await seat.work(assignment())
        await seat.settle("build")
        await place.seat(_COMMITS).work(assignment("api"))
    for folder in (tmp_path / "review", place.project.folder.with_name("work.worktrees") / "run-1a2b3c4d" / "mine"):
        place.project.git("worktree", "add", "--force", str(folder), BUILD)
        (folder / "notes.secret").write_text("ignored", encoding="utf-8")
    (place.project.folder / ".git" / "info" / "exclude").write_text("*.secret\n", encoding="utf-8")
    await clear_worktrees(place.around)
    assert (place.folders(), (tmp_path / "review" / "notes.secret").exists()) == ({"mine"}, True)
    assert place.notices == []


async def test_a_worktree_is_ours_by_its_lock_until_it_is_removed(
    place: Place, killed: Callable[[], AbstractContextManager[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cut_short(repository: Repository, folder: Path, entry: Entry) -> WorktreeState:
        raise asyncio.CancelledError

    seat = place.seat(_COMMITS)
    with killed(), monkeypatch.context() as before:
        await seat.work(assignment())
        before.setattr("collab_tui.sessions.worktree_removal.look_at", cut_short)
        with pytest.raises(asyncio.CancelledError):
            await seat.settle("build")
    assert place.folders() == {"build"}
    await clear_worktrees(place.around)
    assert place.folders() == set()


async def test_clearing_that_is_cancelled_removes_the_one_that_it_is_at_and_no_other(
    place: Place, killed: Callable[[], AbstractContextManager[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    may_remove, at = asyncio.Event(), list[Path]()

    async def slow(repository: Repository, folder: Path, *arguments: Any, **options: Any) -> None:
        at.append(folder)
        await may_remove.wait()
        await remove(repository, folder, *arguments, **options)

    with killed():
        for task in ("a", "b"):
            await place.seat("print(1)").work(assignment(task))
    monkeypatch.setattr("collab_tui.sessions.leftovers.remove", slow)
    clearing = asyncio.create_task(clear_worktrees(place.around))
    await eventually(lambda: at)
    clearing.cancel()
    may_remove.set()
    with pytest.raises(asyncio.CancelledError):
        await clearing
    assert place.folders() == {"a", "b"} - {at[0].name}
    assert len(at) == 1


async def test_a_run_that_goes_on_or_is_given_up_leaves_no_worktree_of_the_process_before(
    place: Place, killed: Callable[[], AbstractContextManager[None]]
) -> None:
    may_work = place.project.folder / "may-work"
    script = f"import pathlib, sys; sys.exit(not pathlib.Path({str(may_work)!r}).exists())"
    team = {"executor": Command([sys.executable, "-c", script], worktree=True)}
    registry = place.around.registry
    append(str(registry), {"agent": "system", "event": "registry_created", "registry": "ab" * 16})
    runs = Orchestrator(registry, team, environment=place.project.environment, notice=place.notices.append)
    task = Pipeline("trial", [Task("build", "executor")], goal="a page")
    assert (await runs.run(task, run_id="1a2b3c4d")).state is RunState.FAILED
    around = place.project.folder.with_name("work.worktrees") / "run-1a2b3c4d"
    with killed():
        await place.seat("print(1)").work(assignment("left"))
    await clear_left(KeptRuns(registry), "1a2b3c4d", place.notices.append)
    assert not around.exists()
    around.mkdir()  # killed before that was removed
    with killed():
        await half_made(place, "left")
    may_work.touch()
    assert (await runs.resume("1a2b3c4d")).state is RunState.DONE
    assert not around.exists()
    assert place.notices == []


async def test_a_worktree_that_is_used_is_nobody_elses(place: Place) -> None:
    await place.seat("print(1)").work(assignment())
    worktrees = place.project.worktrees()
    assert await worktrees.prune(()) == []
    assert place.folders() == {"build"}
