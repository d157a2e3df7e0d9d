"""Running git: within its bounds, without prompts, network and variables of others, and its errors explained."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from functools import partial
from pathlib import Path

import pytest

from collab_tui.sessions.git import Git, GitError, Output, explained, running
from tests.program import eventually
from tests.sessions.repositories import Project

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
is_unix = pytest.mark.skipif(os.name != "posix", reason="a script in place of git")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "work", tmp_path)


def stand_in(project: Project, tmp_path: Path, script: str) -> Git:
    """Git, but a script of ours."""
    place = tmp_path / "bin"
    place.mkdir()
    (place / "git").write_text(f"#!{sys.executable}\n{script}", encoding="utf-8")
    (place / "git").chmod(0o755)
    return Git(project.folder, {**project.environment, "PATH": f"{place}{os.pathsep}{os.environ['PATH']}"})


async def test_what_it_says_and_what_it_does_not(project: Project) -> None:
    git = Git(project.folder, project.environment)
    assert await git.text("rev-parse", "--abbrev-ref", "HEAD") == "main"
    assert await git.says("config", "--get", "no.such") is None
    with pytest.raises(GitError, match="git rev-parse: Needed a single revision"):
        await git.text("rev-parse", "--verify", "nothing")
    with pytest.raises(GitError, match="there is no folder"):
        await Git(project.folder / "gone", project.environment).text("version")


async def test_output_is_bounded_and_git_ended(project: Project) -> None:
    project.write("big.txt", "0123456789\n" * 400_000)
    project.commit("big")
    git = Git(project.folder, project.environment)
    output = await git.run("show", "HEAD:big.txt", at_most=1000)
    assert (len(output.data), output.is_cut, output.code) == (1000, True, 0)
    with pytest.raises(GitError, match="git show said more than 4,194,304 bytes"):
        await git.text("show", "HEAD:big.txt")
    assert running() == frozenset()


STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with open(os.path.join(os.path.dirname(sys.argv[0]), "pids"), "w") as file:
    file.write(f"{os.getpid()} {child.pid}\\n")
time.sleep(600)
"""


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return file.read().rpartition(") ")[2].startswith("Z")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
async def test_what_is_cancelled_is_made_to_end_with_all_that_it_started(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collab_tui.sessions.git._GRACE", 0.2)
    git = stand_in(project, tmp_path, STUBBORN)
    pids = tmp_path / "bin" / "pids"
    asked = asyncio.ensure_future(git.text("status"))
    await asyncio.to_thread(eventually, lambda: pids.exists() and pids.read_text(encoding="utf-8").endswith("\n"))
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    for pid in pids.read_text(encoding="utf-8").split():
        await asyncio.to_thread(eventually, partial(is_gone, int(pid)))
    assert running() == frozenset()


@is_unix
async def test_what_takes_too_long_is_ended(project: Project, tmp_path: Path) -> None:
    git = stand_in(project, tmp_path, "import time; time.sleep(600)")
    with pytest.raises(GitError, match=r"git status took longer than 0\.2 s"):
        await git.text("status", time_limit=0.2)
    assert running() == frozenset()


async def test_a_worktree_that_another_git_is_just_making_is_waited_for(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git = Git(project.folder, project.environment)
    await git.text("worktree", "add", "--quiet", "-b", "other", str(tmp_path / "other"))
    common = project.folder / ".git" / "worktrees" / "other" / "commondir"
    whole = common.read_bytes()
    common.write_bytes(b"")
    monkeypatch.setattr("collab_tui.sessions.git._PAUSES", ())
    with pytest.raises(GitError, match="failed to read"):
        await git.text("worktree", "list")
    monkeypatch.setattr("collab_tui.sessions.git._PAUSES", (0.01,) * 1000)
    asyncio.get_running_loop().call_later(0.05, common.write_bytes, whole)
    assert "other" in await git.text("worktree", "list")


@is_unix
async def test_its_environment_is_picked(project: Project, tmp_path: Path) -> None:
    git = stand_in(project, tmp_path, "import json, os; print(json.dumps(dict(os.environ)))")
    others = {"GIT_DIR": "/x", "GIT_SSH_COMMAND": "evil", "GIT_CONFIG_COUNT": "1", "SECRET": "s", "GIT_PAGER": "evil"}
    told = await Git(git.folder, {**git.environment, **others}).text("anything")
    assert not [name for name in others if f'"{name}"' in told]
    for name, value in (("GIT_ALLOW_PROTOCOL", "none"), ("GIT_TERMINAL_PROMPT", "0"), ("GIT_OPTIONAL_LOCKS", "0")):
        assert f'"{name}": "{value}"' in told


@is_unix
async def test_nothing_is_fetched_that_a_repository_says_is_elsewhere(project: Project, tmp_path: Path) -> None:
    mark = tmp_path / "fetched"
    evil = tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\ntouch '{mark}'\n", encoding="utf-8")
    evil.chmod(0o755)
    blob = project.git("rev-parse", "HEAD:a.txt")
    for key, value in (
        ("core.repositoryformatversion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.url", str(tmp_path / "origin")),
        ("remote.origin.promisor", "true"),
        ("remote.origin.uploadpack", str(evil)),
    ):
        project.git("config", key, value)
    (project.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(GitError):
        await Git(project.folder, project.environment).text("show", "HEAD:a.txt")
    assert not mark.exists()
    project.git("show", "HEAD:a.txt", fails=True)
    assert mark.exists()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "fatal: Unable to create '/r/.git/index.lock': File exists.\n\nAnother git process seems to be running",
            "/r/.git/index.lock is there: another git is at work in this repository, or was killed. If none is, remove "
            "that file",
        ),
        (
            "fatal: detected dubious ownership in repository at '/r'\nTo add an exception",
            "/r is another user's, so git does not trust it; if you do: `git config --global --add safe.directory /r`",
        ),
        ("error: unable to write file x\nfatal: sha1 file: write error: No space left on device", "the disk is full"),
        ("fatal: not a git repository (or any of the parent directories): .git", "it is not in a git repository"),
        ("hint: try\nerror: pathspec 'x' did not match\n", "git add: pathspec 'x' did not match"),
        ("something \x1b[2J odd", "git add: something ␛[2J odd"),
        ("", "git add: it failed with code 128"),
    ],
)
def test_what_it_says_is_explained(said: str, told: str) -> None:
    assert explained("add", Output(128, b"", False, said)) == told
