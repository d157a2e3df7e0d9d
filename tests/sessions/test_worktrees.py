"""Worktrees of agents: made, reused, looked at, and never removed while something would be lost."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from collab_tui.sessions.definitions import Definition, DriverKind
from collab_tui.sessions.syncing import sync
from collab_tui.sessions.worktree_state import MAX_DIFF
from collab_tui.sessions.worktrees import WorktreeError, WouldLoseError
from tests.sessions.repositories import RULES, Project, not_removed

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


async def test_a_worktree_has_its_own_folder_and_branch_and_is_reused(project: Project, tmp_path: Path) -> None:
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    assert made.folder == tmp_path / "work.worktrees" / "lubit" / "t1"
    assert (made.branch, made.base, made.is_new) == ("collab/lubit/t1", project.git("rev-parse", "main"), True)
    assert (made.folder / "src/b.txt").read_text(encoding="utf-8") == "two\n"
    assert project.git("branch", "--show-current", folder=made.folder) == "collab/lubit/t1"
    (made.folder / "a.txt").write_text("kept\n", encoding="utf-8")
    again = await project.worktrees().make("lubit", "t1")
    assert (again.folder, again.base, again.is_new) == (made.folder, made.base, False)
    assert (made.folder / "a.txt").read_text(encoding="utf-8") == "kept\n"
    assert project.git("status", "--porcelain") == ""


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
async def test_nobody_else_gets_into_the_folder_of_worktrees(project: Project) -> None:
    made = await project.worktrees().make("lubit", "t1")
    assert made.folder.parent.parent.stat().st_mode & 0o777 == 0o700


async def test_a_branch_begins_at_the_base_that_is_given_or_set(project: Project) -> None:
    first = project.git("rev-parse", "HEAD")
    project.git("branch", "old")
    project.write("a.txt", "later\n")
    later = project.commit("second")
    assert (await project.worktrees().make("lubit", "t1")).base == later
    assert (await project.worktrees(base_branch="old").make("lubit", "t2")).base == first
    assert (await project.worktrees(base_branch="main").make("lubit", "t3", base="old")).base == first


async def test_a_branch_that_stands_alone_is_gone_on_with(project: Project) -> None:
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    (made.folder / "a.txt").write_text("done\n", encoding="utf-8")
    commit = project.commit("done", made.folder)
    project.git("worktree", "remove", str(made.folder))
    project.write("c.txt", "main went on\n")
    project.commit("main")
    again = await worktrees.make("lubit", "t1")
    assert (again.base, again.is_new) == (made.base, True)
    assert project.git("rev-parse", "HEAD", folder=again.folder) == commit


async def test_tasks_of_other_words_share_nothing(project: Project) -> None:
    tasks = ("T-1", "t-1", "T 1", "t-1-2", None, "work", "Work", "fix: it", "T-1" * 30)
    names = ["t-1", "t-1-2", "t-1-3", "t-1-2-2", "work", "work", "work-2"]
    made = [await project.worktrees().make("lubit", task) for task in tasks]
    assert [one.folder.name for one in made[:7]] == names
    assert [one.branch for one in made] == [f"collab/lubit/{one.folder.name}" for one in made]
    assert len({one.folder for one in made}) == len(tasks) - 1
    again = [await project.worktrees().make("lubit", task) for task in tasks]
    assert [(one.folder, one.is_new) for one in again] == [(one.folder, False) for one in made]


async def test_a_task_finds_its_branch_again_where_there_is_no_worktree_of_it(project: Project) -> None:
    worktrees = project.worktrees()
    first, second = [await worktrees.make("lubit", task) for task in ("Fix  it", "fix IT")]
    for one in (first, second):
        (one.folder / "a.txt").write_text("done\n", encoding="utf-8")
        project.commit("done", one.folder)
        project.git("worktree", "remove", str(one.folder))
    assert (await worktrees.make("lubit", "fix IT")).branch == second.branch == "collab/lubit/fix-it-2"
    project.git("branch", "--quiet", "-D", first.branch)
    assert (await worktrees.make("lubit", "fix IT")).branch == second.branch
    assert (await worktrees.make("lubit", "FIX IT")).branch == first.branch


async def test_what_is_noted_of_a_branch_goes_with_it(project: Project) -> None:
    before = (project.folder / ".git" / "config").read_text(encoding="utf-8")
    worktrees = project.worktrees()
    await worktrees.remove(await worktrees.make("lubit", "T-1"))
    assert (project.folder / ".git" / "config").read_text(encoding="utf-8") == before
    assert (await worktrees.make("lubit", "t-1")).branch == "collab/lubit/t-1"


async def test_a_folder_of_all_worktrees_can_be_set(project: Project, tmp_path: Path) -> None:
    made = await project.worktrees(tmp_path / "all").make("lubit", "t1")
    assert made.folder.relative_to(tmp_path / "all").parts[1:] == ("lubit", "t1")
    other = Project(tmp_path / "elsewhere" / "work", tmp_path / "home")
    beside = await other.worktrees(tmp_path / "all").make("lubit", "t1")
    assert beside.folder != made.folder


async def test_the_registry_may_be_in_a_folder_a_worktree_or_the_repository_itself(project: Project) -> None:
    below = project.folder / ".collab"
    below.mkdir()
    inside = project.folder / ".git" / "collab"
    inside.mkdir()
    linked = (await project.worktrees().make("lubit", "t0")).folder
    for number, folder in enumerate((below, inside, linked), 1):
        project.folder, main = folder, project.folder
        made = await project.worktrees().make("lubit", f"t{number}")
        project.folder = main
        assert made.folder == main.with_name("work.worktrees") / "lubit" / f"t{number}"


async def test_a_checkout_of_a_bare_repository_will_do(tmp_path: Path) -> None:
    source = Project(tmp_path / "source", tmp_path)
    bare = Project(tmp_path / "work.git", tmp_path, "--bare", commit=False)
    bare.git("fetch", "--quiet", str(source.folder), "main:main")
    bare.git("worktree", "add", "--quiet", str(tmp_path / "main"), "main")
    bare.folder = tmp_path / "main"
    made = await bare.worktrees().make("lubit", "t1")
    assert made.folder == tmp_path / "work.git.worktrees" / "lubit" / "t1"


@pytest.mark.parametrize("name", ["-x", "$(touch ran)", 'a\'b "c"; d', "ü 민수", "#{x}", ":(top)x", "*"])
async def test_a_project_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    project = Project(tmp_path / name, tmp_path)
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    (made.folder / name).write_text("x\n", encoding="utf-8")
    assert (await worktrees.state(made)).dirty == (f"?? {name}",)
    assert "+x" in await worktrees.diff(made)
    assert "ran" not in {file for _, _, files in os.walk(tmp_path) for file in files}


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no text are of Linux")
async def test_a_file_whose_name_is_no_text(project: Project) -> None:
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    (made.folder / os.fsdecode(b"\xff.txt")).write_text("x\n", encoding="utf-8")
    (told,) = (await worktrees.state(made)).dirty
    assert told.encode("utf-8").endswith(b".txt")
    assert "+x" in await worktrees.diff(made)


# What is in it


async def test_the_state_tells_what_is_nowhere_else(project: Project) -> None:
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    state = await worktrees.state(made)
    assert (state.changed, state.unpushed, state.dirty, state.losses, state.warning) == (0, 0, (), (), None)
    (made.folder / "a.txt").write_text("changed\n", encoding="utf-8")
    (made.folder / "new \x1b[2J").write_text("x", encoding="utf-8")
    state = await worktrees.state(made)
    assert (state.changed, state.dirty) == (2, ("M a.txt", "?? new ␛[2J"))
    project.commit("done", made.folder)
    state = await worktrees.state(made)
    assert (state.changed, state.unpushed) == (0, 1)
    project.git("merge", "--quiet", made.branch)
    assert (await worktrees.state(made)).unpushed == 0


async def test_what_was_pushed_is_somewhere_else(project: Project, tmp_path: Path) -> None:
    Project(tmp_path / "remote", tmp_path, "--bare", commit=False)
    project.git("remote", "add", "origin", str(tmp_path / "remote"))
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    (made.folder / "a.txt").write_text("done\n", encoding="utf-8")
    project.commit("done", made.folder)
    assert (await worktrees.state(made)).unpushed == 1
    project.git("push", "--quiet", "origin", made.branch, folder=made.folder)
    assert (await worktrees.state(made)).unpushed == 0


async def test_commits_of_a_head_without_a_branch_count(project: Project) -> None:
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    project.git("checkout", "--quiet", "--detach", folder=made.folder)
    (made.folder / "a.txt").write_text("done\n", encoding="utf-8")
    project.commit("done", made.folder)
    state = await worktrees.state(made)
    assert (state.unpushed, state.warning) == (1, "no branch is checked out there")


async def test_the_difference_has_commits_changes_and_new_files(project: Project) -> None:
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    (made.folder / "a.txt").write_text("committed\n", encoding="utf-8")
    project.commit("done", made.folder)
    (made.folder / "src/b.txt").write_text("not committed\n", encoding="utf-8")
    (made.folder / "new.txt").write_text("new \x1b[2J\n", encoding="utf-8")
    before = project.git("status", "--porcelain", folder=made.folder)
    told = await worktrees.diff(made)
    changed = [line for line in told.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert changed == ["-one", "+committed", "+new ␛[2J", "-two", "+not committed"]
    assert project.git("status", "--porcelain", folder=made.folder) == before


async def test_a_change_of_the_same_length_within_the_same_second_is_seen(project: Project) -> None:
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    index, file = project.folder / ".git" / "worktrees" / "t1" / "index", made.folder / "a.txt"
    project.git("config", "core.trustctime", "false")
    os.utime(file, (1_000_000_000, 1_000_000_000))
    project.git("update-index", "--refresh", folder=made.folder)
    file.write_text("eno\n", encoding="utf-8")
    for each in (file, index):
        os.utime(each, (1_000_000_000, 1_000_000_000))
    assert (await worktrees.state(made)).changed == 1
    assert "+eno" in await worktrees.diff(made)


async def test_the_difference_is_bounded(project: Project) -> None:
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    (made.folder / "big.txt").write_text("x" * 99 + "\n" + "y\n" * 3_000_000, encoding="utf-8")
    told = await worktrees.diff(made)
    assert len(told) < MAX_DIFF + 200
    assert told.endswith(f"\n[and more: only the first {MAX_DIFF:,} bytes are shown]\n")


async def test_a_repository_within_it_hides_nothing_else(project: Project) -> None:
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    project.git("init", "--quiet", "nested", folder=made.folder)
    (made.folder / "new.txt").write_text("new\n", encoding="utf-8")
    told = await worktrees.diff(made)
    assert "+new" in told
    assert told.endswith("\n[and what git cannot compare: git add: 'nested/' does not have a commit checked out]\n")
    assert (await worktrees.state(made)).dirty == ("?? nested/", "?? new.txt")


async def test_a_base_that_is_not_known_any_more_is_looked_for(project: Project) -> None:
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    (made.folder / "a.txt").write_text("committed\n", encoding="utf-8")
    project.commit("done", made.folder)
    project.write("c.txt", "main went on\n")
    project.commit("main")
    record = type(made)(made.folder, made.branch, "", is_new=False)
    assert "+committed" in await worktrees.diff(record)
    assert "main went on" not in await worktrees.diff(record)


async def test_what_we_put_into_a_file_of_the_project_is_not_its_change(project: Project) -> None:
    definition = Definition("lubit", DriverKind.CODEX, ("codex",), instructions="Be brief.")
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    sync(definition, made.folder)
    assert project.git("status", "--porcelain", folder=made.folder) == "M AGENTS.md"
    assert (await worktrees.state(made)).changed == 0
    assert await worktrees.diff(made) == ""
    (made.folder / "AGENTS.md").write_text(
        (made.folder / "AGENTS.md").read_text(encoding="utf-8") + "More.\n", encoding="utf-8"
    )
    assert (await worktrees.state(made)).dirty == ("M AGENTS.md",)
    assert "+More." in await worktrees.diff(made)
    (made.folder / "AGENTS.md").write_text(RULES, encoding="utf-8")
    sync(definition, made.folder)
    await worktrees.remove(made)
    assert not made.folder.exists()


async def test_what_we_put_there_and_an_agent_committed_is_nobody_s_loss(project: Project) -> None:
    definition = Definition("lubit", DriverKind.CODEX, ("codex",), instructions="Be brief.")
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    sync(definition, made.folder)
    project.commit("with our block", made.folder)
    project.git("merge", "--quiet", made.branch)
    other = await worktrees.make("lubit", "t2")
    sync(replace(definition, instructions="Be long."), other.folder)
    for worktree in (made, other):
        assert (await worktrees.state(worktree)).losses == ()
        await worktrees.remove(worktree)
    assert project.branches() == {"main"}


# Removing (W01)


async def test_one_that_has_nothing_of_its_own_is_removed_with_its_branch(project: Project) -> None:
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    await worktrees.remove(made)
    assert (made.folder.exists(), made.folder.parent.exists(), project.branches()) == (False, False, {"main"})
    other = await worktrees.make("lubit", "t2", base=project.git("commit-tree", "-m", "loose", "HEAD^{tree}"))
    project.git("tag", "loose", other.base)
    await worktrees.remove(other)
    assert project.branches() == {"main"}


async def test_a_merged_branch_goes_and_one_that_is_only_pushed_stays(project: Project) -> None:
    worktrees = project.worktrees()
    for task in ("merged", "tagged"):
        made = await worktrees.make("lubit", task)
        (made.folder / f"{task}.txt").write_text("done\n", encoding="utf-8")
        project.commit("done", made.folder)
    project.git("merge", "--quiet", "collab/lubit/merged")
    project.git("tag", "v1", "collab/lubit/tagged")
    for task in ("merged", "tagged"):
        await worktrees.remove(await worktrees.make("lubit", task))
    assert project.branches() == {"main", "collab/lubit/tagged"}


async def test_one_with_changes_is_not_removed_and_it_is_told_which(project: Project) -> None:
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    (made.folder / "a.txt").write_text("changed\n", encoding="utf-8")
    (made.folder / "new.txt").write_text("new\n", encoding="utf-8")
    with pytest.raises(WouldLoseError) as refused:
        await worktrees.remove(made)
    assert refused.value.losses == ("2 files not committed: M a.txt, ?? new.txt",)
    assert str(refused.value) == f"{made.folder} is not removed: 2 files not committed: M a.txt, ?? new.txt"
    assert (made.folder / "new.txt").is_file()


async def test_one_with_commits_of_its_own_is_not_removed(project: Project) -> None:
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    (made.folder / "a.txt").write_text("changed\n", encoding="utf-8")
    project.commit("done", made.folder)
    assert (await not_removed(worktrees, made)).endswith("1 commit that stands nowhere else")
    assert made.branch in project.branches()


async def test_one_that_is_locked_is_not_removed_by_a_session_or_anybody(project: Project) -> None:
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    await worktrees.lock(made, "lubit")
    await worktrees.lock(made, "lubit")
    assert (await not_removed(worktrees, made)).endswith("it is locked: collab: session lubit")
    with pytest.raises(WorktreeError, match="is locked: collab: session lubit"):
        await worktrees.lock(made, "sena")
    await worktrees.unlock(made, "sena")
    assert (await worktrees.state(made)).is_locked
    await worktrees.unlock(made, "lubit")
    project.git("worktree", "lock", str(made.folder), "--reason", "on a stick")
    await worktrees.unlock(made, "lubit")
    assert (await not_removed(worktrees, made)).endswith("it is locked: on a stick")


def waiting_in(folder: Path) -> subprocess.Popen[bytes]:
    """A process that has its folder there, until its input ends."""
    return subprocess.Popen([sys.executable, "-c", "input()"], cwd=folder, stdin=subprocess.PIPE)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells where processes are")
async def test_one_in_which_a_process_works_is_not_removed(project: Project) -> None:
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    process = waiting_in(made.folder / "src")
    try:
        assert (await worktrees.state(made)).occupied_by == (process.pid,)
        assert (await not_removed(worktrees, made)).endswith(f"in use by process {process.pid}")
    finally:
        process.communicate(b"\n")
    await worktrees.remove(made)


# Many (W05)


async def test_twenty_at_once(project: Project) -> None:
    worktrees = project.worktrees(), project.worktrees()
    made = await asyncio.gather(*(worktrees[number % 2].make("lubit", f"t{number}") for number in range(20)))
    assert len({one.folder for one in made}) == project.known() == 20
    assert all((one.folder / "src/b.txt").is_file() for one in made)
    await asyncio.gather(*(worktrees[number % 2].remove(one) for number, one in enumerate(made)))
    assert (project.known(), project.branches()) == (0, {"main"})


async def test_two_that_make_the_same_get_one(project: Project) -> None:
    found = await asyncio.gather(*(project.worktrees().make("lubit", "t1") for _ in range(6)), return_exceptions=True)
    made = [one for one in found if not isinstance(one, BaseException)]
    others = [str(one) for one in found if isinstance(one, BaseException)]
    assert sum(one.is_new for one in made) == 1
    assert all(told.endswith("is being made just now: try again") for told in others)
    assert project.known() == 1
