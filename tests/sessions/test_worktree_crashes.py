"""Worktrees that are cut short while they are made, by an error, a full disk, a kill: none is taken for whole, and
nothing is lost when they are cleared away.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from collab_tui.sessions.git import Git
from tests.program import PATIENCE
from tests.sessions.repositories import Project, assert_nothing_is_made, refused

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
is_unix = pytest.mark.skipif(os.name != "posix", reason="links, modes and signals of Unix")


def commit_with_impossible_name(project: Project) -> str:
    """A commit with a file whose name no system takes."""
    blob = project.git("hash-object", "-w", "a.txt")
    tree = subprocess.run(
        ["git", "mktree"],
        cwd=project.folder,
        input=f"100644 blob {blob}\tb.txt\n100644 blob {blob}\t{'x' * 300}\n".encode(),
        capture_output=True,
        check=True,
    )
    return project.git("commit-tree", "-m", "too long", tree.stdout.decode().strip())


async def test_files_that_cannot_be_written_leave_nothing_behind(project: Project) -> None:
    commit = commit_with_impossible_name(project)
    told = await refused(project.worktrees(), base=commit)
    assert "could not be made" in told
    assert told.endswith("Nothing is left of it")
    assert_nothing_is_made(project)
    project.git("branch", "collab/lubit/t1", commit)
    await refused(project.worktrees())
    assert (project.known(), project.branches()) == (0, {"main", "collab/lubit/t1"})


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder in which half a mebibyte has room."""
    place = tmp_path / "small"
    place.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    options = ["-t", "tmpfs", "-o", "size=512k,mode=700", "tmpfs", str(place)]
    if mount is None or umount is None or subprocess.run([mount, *options], capture_output=True).returncode:
        pytest.skip("no small disk can be mounted here")
    yield place
    subprocess.run([umount, str(place)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts as Linux does")
async def test_a_full_disk_leaves_nothing_behind(project: Project, small_disk: Path) -> None:
    project.write("big.txt", "x" * (1 << 20))
    project.commit("big")
    told = await refused(project.worktrees(small_disk))
    assert "could not be made" in told
    assert (project.known(), project.branches()) == (0, {"main"})
    assert not [file for _, _, files in os.walk(small_disk) for file in files]


async def test_who_is_cancelled_leaves_nothing_behind(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, real = asyncio.Event(), Git.text

    async def text(self: Git, *arguments: str, time_limit: float = 60) -> str:
        if arguments[0] == "reset":
            begun.set()
            await asyncio.Event().wait()
        return await real(self, *arguments, time_limit=time_limit)

    monkeypatch.setattr(Git, "text", text)
    task = asyncio.ensure_future(project.worktrees().make("lubit", "t1"))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert_nothing_is_made(project)


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from collab_tui.sessions import making
from collab_tui.sessions.repository import Repository
from collab_tui.sessions.worktrees import Worktrees
async def killed(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[3] == "before":
    making.fill = killed
else:
    do = Repository.do
    async def at_unlock(self, *words, **more):
        return await (killed() if words[1] == "unlock" else do(self, *words, **more))
    Repository.do = at_unlock
asyncio.run(Worktrees(Path(sys.argv[1])).make("lubit", sys.argv[2]))
"""


def make_and_be_killed(project: Project, task: str, when: str = "before") -> None:
    """Be killed before its files are written, or when they are."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(project.folder), task, when], env=project.environment, timeout=PATIENCE
    )
    assert done.returncode == -signal.SIGKILL


@is_unix
async def test_what_a_kill_leaves_is_listed_and_pruned(project: Project) -> None:
    worktrees = project.worktrees()
    for task in ("t1", "t2"):
        make_and_be_killed(project, task)
    kept = project.folder.with_name("work.worktrees") / "lubit" / "t2"
    (kept.with_name("t1") / "a.txt").write_text("half of wh", encoding="utf-8")
    (kept / "notes.txt").write_text("mine", encoding="utf-8")
    project.git("branch", "collab/lubit/idle")
    found = {one.branch: one for one in await worktrees.leftovers(())}
    assert {branch: (one.why, one.kept) for branch, one in found.items()} == {
        "collab/lubit/t1": ("it was being made when that was cut short", None),
        "collab/lubit/t2": ("it was being made when that was cut short", "notes.txt is in it"),
        "collab/lubit/idle": ("it has no worktree, and no commit of its own", None),
    }
    assert [one.kept for one in await worktrees.prune(())] == [one.kept for one in found.values()]
    assert (project.known(), project.branches()) == (1, {"main", "collab/lubit/t2"})
    assert (kept / "notes.txt").is_file()
    assert [one.branch for one in await worktrees.leftovers(())] == ["collab/lubit/t2"]


@is_unix
async def test_what_a_kill_left_half_made_is_made_anew(project: Project) -> None:
    make_and_be_killed(project, "t1")
    made = await project.worktrees().make("lubit", "t1")
    assert (made.folder / "a.txt").is_file()
    assert (await project.worktrees().state(made)).losses == ()


@is_unix
async def test_one_that_was_whole_when_its_maker_was_killed_is_used(project: Project) -> None:
    worktrees = project.worktrees()
    make_and_be_killed(project, "t1", "after")
    file = project.folder.with_name("work.worktrees") / "lubit" / "t1" / "a.txt"
    file.write_text("a person was here\n", encoding="utf-8")
    assert [one.kept for one in await worktrees.prune(())] == ["1 file not committed: M a.txt"]
    made = await worktrees.make("lubit", "t1")
    assert (made.is_new, file.read_text(encoding="utf-8")) == (False, "a person was here\n")
    assert not (await worktrees.state(made)).is_locked


async def test_nothing_of_a_session_that_is_there_or_of_commits_is_pruned(project: Project) -> None:
    worktrees = project.worktrees()
    alive, gone, busy, alone = [await worktrees.make("lubit", f"t{number}") for number in range(4)]
    for made, session in ((alive, "lubit"), (gone, "sena"), (busy, "sena")):
        await worktrees.lock(made, session)
    (busy.folder / "a.txt").write_text("done\n", encoding="utf-8")
    project.commit("done", busy.folder)
    (alone.folder / "a.txt").write_text("also done\n", encoding="utf-8")
    project.commit("done", alone.folder)
    shutil.rmtree(alone.folder)
    pruned = {one.branch: (one.why, one.kept) for one in await worktrees.prune(("lubit",))}
    assert pruned == {
        gone.branch: ("its session sena is not there any more", None),
        busy.branch: ("its session sena is not there any more", "1 commit that stands nowhere else"),
        alone.branch: ("its folder is gone", None),
    }
    assert project.branches() == {"main", alive.branch, busy.branch, alone.branch}
    assert (alive.folder.exists(), gone.folder.exists(), busy.folder.exists()) == (True, False, True)
