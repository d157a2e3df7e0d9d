"""Worktrees where something is wrong: names, links, configurations, repositories, crashes. It is told, and nothing is
half done.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from collab_tui.sessions.repository import WorktreeError
from tests.sessions.repositories import Project, assert_nothing_is_made, not_removed, refused

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
is_unix = pytest.mark.skipif(os.name != "posix", reason="links, modes and signals of Unix")


# Names and what is in the way (W02)


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "a/b",
        "a;b",
        "`id`",
        "a'b",
        "@",
        "-x",
        "",
        ".",
        "..",
        "A",
        "x" * 49,
        "세나",
        "a\nb",
        "a.lock",
        "con",
        "{x}",
    ],
)
async def test_hostile_names_lead_nowhere_else(project: Project, name: str) -> None:
    assert "has small letters, digits" in (told := await refused(project.worktrees(), agent=name)) or "Windows" in told
    assert_nothing_is_made(project)
    made = await project.worktrees().make("lubit", name)
    assert made.folder.parent == project.folder.with_name("work.worktrees") / "lubit"
    assert re.fullmatch("collab/lubit/[a-z0-9-]+", made.branch)


@pytest.mark.parametrize("base", ["nowhere", "--help", "-x", "refs/heads/x", "main..main", "main:a.txt"])
async def test_a_base_that_is_no_commit(project: Project, base: str) -> None:
    assert await refused(project.worktrees(), base=base) == f"there is no branch or commit '{base}' in {project.folder}"
    assert_nothing_is_made(project)


@pytest.mark.parametrize("other", ["collab", "collab/lubit", "collab/lubit/t1/more"])
async def test_a_branch_in_the_way_of_another_is_told(project: Project, other: str) -> None:
    project.git("branch", other)
    assert await refused(project.worktrees()) == (
        f"there is a branch {other}, so there can be none named collab/lubit/t1: rename that one"
    )
    assert (project.known(), project.branches()) == (0, {"main", other})


async def test_a_branch_that_is_checked_out_elsewhere(project: Project, tmp_path: Path) -> None:
    project.git("worktree", "add", "--quiet", "-b", "collab/lubit/t1", str(tmp_path / "other"))
    told = await refused(project.worktrees())
    assert told == f"collab/lubit/t1 is checked out in {tmp_path / 'other'}: give the task another name"


@pytest.mark.parametrize("what", ["file", "folder"])
async def test_something_else_in_its_place_stays(project: Project, what: str) -> None:
    place = project.folder.with_name("work.worktrees") / "lubit" / "t1"
    place.parent.mkdir(parents=True, mode=0o700)
    place.parent.parent.chmod(0o700)
    if what == "folder":
        place.mkdir()
        (place / "mine").write_text("x", encoding="utf-8")
    else:
        place.write_text("mine", encoding="utf-8")
    assert (
        await refused(project.worktrees())
        == f"{place} is there already, and is no worktree of {project.folder}: move it away"
    )
    assert place.exists()
    assert (project.known(), project.branches()) == (0, {"main"})


async def test_another_branch_is_checked_out_in_it(project: Project) -> None:
    made = await project.worktrees().make("lubit", "t1")
    project.git("checkout", "--quiet", "-b", "feature", folder=made.folder)
    assert await refused(project.worktrees()) == (
        f"in {made.folder} feature is checked out, and not {made.branch}: `git -C {made.folder} status` tells more"
    )
    project.git("checkout", "--quiet", "--detach", folder=made.folder)
    assert "no branch is checked out" in await refused(project.worktrees())


# Configurations of an agent (W03)


def program(tmp_path: Path) -> tuple[str, Path]:
    """A program that leaves a mark when it is run, and the mark."""
    mark = tmp_path / "ran"
    script = tmp_path / "evil"
    script.write_text(f"#!/bin/sh\ntouch '{mark}'\ncat\n", encoding="utf-8")
    script.chmod(0o755)
    return str(script), mark


@is_unix
@pytest.mark.parametrize(
    "key", ["core.fsmonitor", "core.hooksPath", "core.sshCommand", "diff.external", "diff.x.command", "diff.x.textconv"]
)
async def test_what_a_configuration_names_is_not_run_and_told(project: Project, tmp_path: Path, key: str) -> None:
    evil, mark = program(tmp_path)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for hook in ("post-checkout", "post-index-change", "reference-transaction"):
        shutil.copy(evil, hooks / hook)
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    (made.folder / ".gitattributes").write_text("* diff=x\n", encoding="utf-8")
    (made.folder / "a.txt").write_text("eno\n", encoding="utf-8")
    project.git("config", key, str(hooks) if key == "core.hooksPath" else evil, folder=made.folder)
    state = await worktrees.state(made)
    assert state.changed == 2
    assert state.warning is not None
    assert key.lower() in state.warning
    assert "+eno" in await worktrees.diff(made)
    await worktrees.make("lubit", "t2")
    await not_removed(worktrees, made)
    assert not mark.exists()


@is_unix
@pytest.mark.parametrize("command", ["clean", "smudge", "process"])
@pytest.mark.parametrize("where", ["config", "included", "config.worktree"])
async def test_filters_keep_us_from_looking(project: Project, tmp_path: Path, command: str, where: str) -> None:
    evil, mark = program(tmp_path)
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    (made.folder / ".gitattributes").write_text("* filter=x\n", encoding="utf-8")
    (made.folder / "a.txt").write_text("eno\n", encoding="utf-8")
    key = f"filter.x.{command}"
    if where == "included":
        project.git("config", "--file", str(tmp_path / "more"), key, evil)
        project.git("config", "include.path", str(tmp_path / "more"))
    elif where == "config":
        project.git("config", key, evil)
    else:
        project.git("config", "extensions.worktreeConfig", "true")
        project.git("config", "--worktree", key, evil, folder=made.folder)
    state = await worktrees.state(made)
    assert state.changed is None
    assert state.warning == f"its configuration has git run programs when we look ({key}), so we do not"
    with pytest.raises(WorktreeError, match=key):
        await worktrees.diff(made)
    assert f"nobody knows what: {state.warning}" in await not_removed(worktrees, made)
    if where != "config.worktree":
        assert f"has git run programs for files ({key})" in await refused(worktrees, task="t2")
    assert not mark.exists()
    assert project.known() == 1


@is_unix
async def test_a_filter_that_the_user_s_own_configuration_has_as_well_is_run(project: Project, tmp_path: Path) -> None:
    evil, mark = program(tmp_path)
    project.git("config", "filter.x.smudge", evil)
    project.write(".gitattributes", "a.txt filter=x\n")
    project.commit("filtered")
    await refused(project.worktrees())
    project.git("config", "--global", "filter.x.smudge", evil)
    await project.worktrees().make("lubit", "t1")
    assert mark.exists()


async def test_git_lfs_and_husky_are_known(project: Project) -> None:
    for key, value in (
        ("filter.lfs.clean", "git-lfs clean -- %f"),
        ("filter.lfs.smudge", "git-lfs smudge -- %f"),
        ("filter.lfs.process", "git-lfs filter-process"),
        ("filter.lfs.required", "true"),
        ("core.hooksPath", ".husky/_"),
        ("core.fsmonitor", "true"),
    ):
        project.git("config", key, value)
    made = await project.worktrees().make("lubit", "t1")
    state = await project.worktrees().state(made)
    assert (state.changed, state.warning) == (0, None)


@is_unix
async def test_a_worktree_that_names_another_repository_is_not_looked_at(project: Project, tmp_path: Path) -> None:
    evil, mark = program(tmp_path)
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    other = Project(tmp_path / "other", tmp_path)
    other.git("config", "filter.x.clean", evil)
    (made.folder / ".gitattributes").write_text("* filter=x\n", encoding="utf-8")
    (made.folder / "a.txt").write_text("eno\n", encoding="utf-8")
    (made.folder / ".git").write_text(f"gitdir: {other.folder / '.git'}\n", encoding="utf-8")
    for looking in (worktrees.state, worktrees.diff, worktrees.remove):
        with pytest.raises(WorktreeError, match=f"says that it belongs to {other.folder}"):
            await looking(made)
    assert not mark.exists()


async def test_variables_of_git_do_not_reach_it(project: Project, tmp_path: Path) -> None:
    project.environment |= {"GIT_DIR": str(tmp_path), "GIT_INDEX_FILE": str(tmp_path / "x"), "GIT_CONFIG_COUNT": "x"}
    assert (await project.worktrees().make("lubit", "t1")).is_new


# Links and modes (W04)


@is_unix
@pytest.mark.parametrize("place", ["work.worktrees", "work.worktrees/lubit", "work.worktrees/lubit/t1"])
async def test_a_link_leads_nowhere(project: Project, tmp_path: Path, place: str) -> None:
    away = tmp_path / "away"
    away.mkdir()
    link = tmp_path / place
    link.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    for parent in link.relative_to(tmp_path).parents[:-1]:
        (tmp_path / parent).chmod(0o700)
    link.symlink_to(away)
    assert f"{link} is a symbolic link, and leads to {away}" in await refused(project.worktrees())
    assert (list(away.iterdir()), project.known(), project.branches()) == ([], 0, {"main"})


@is_unix
async def test_a_link_above_a_folder_that_is_set(project: Project, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    told = await refused(project.worktrees(tmp_path / "link" / "all"))
    assert told.startswith(f"{tmp_path / 'link'} is a symbolic link, and leads to {tmp_path / 'real'}: ")
    assert list((tmp_path / "real").iterdir()) == []


@is_unix
@pytest.mark.parametrize("mode", [0o770, 0o707])
@pytest.mark.parametrize("place", ["work.worktrees", "work.worktrees/lubit"])
async def test_a_folder_that_others_can_write(project: Project, tmp_path: Path, place: str, mode: int) -> None:
    (tmp_path / "work.worktrees" / "lubit").mkdir(parents=True)
    (tmp_path / "work.worktrees").chmod(0o700)
    (tmp_path / place).chmod(mode)
    told = await refused(project.worktrees())
    mend = f"`chmod go-w {tmp_path / place}`, and own it"
    assert told == f"others can write {tmp_path / place}, so no agent is started there: {mend}"
    assert_nothing_is_made(project)


@is_unix
async def test_a_folder_above_that_everybody_can_write(project: Project, tmp_path: Path) -> None:
    above = tmp_path / "above"
    above.mkdir()
    above.chmod(0o777)
    assert f"everybody can write {above}" in await refused(project.worktrees(above / "all"))
    above.chmod(0o1777)
    assert (await project.worktrees(above / "all").make("lubit", "t1")).is_new


async def test_a_folder_inside_of_a_checkout_has_to_be_ignored_there(project: Project) -> None:
    inside = project.folder / "trees"
    assert "which does not ignore it" in await refused(project.worktrees(inside))
    assert "which is git's own" in await refused(project.worktrees(project.folder / ".git" / "trees"))
    project.write(".gitignore", "/trees/\n")
    made = await project.worktrees(inside).make("lubit", "t1")
    assert made.folder.is_relative_to(inside)


async def test_a_submodule_needs_a_folder_outside_of_what_it_is_in(project: Project, tmp_path: Path) -> None:
    above = Project(tmp_path / "above", tmp_path)
    above.git("submodule", "--quiet", "add", str(project.folder), "sub")
    above.commit("with a submodule")
    above.folder = tmp_path / "above" / "sub"
    assert f"{tmp_path / 'above'}, which does not ignore it" in await refused(above.worktrees())
    made = await above.worktrees(tmp_path / "all").make("lubit", "t1")
    assert (made.folder / "a.txt").is_file()


# Repositories (W06)


async def test_what_is_no_repository(tmp_path: Path) -> None:
    project = Project(tmp_path / "work", tmp_path, commit=False)
    shutil.rmtree(project.folder / ".git")
    project.environment["HOME"] = str(tmp_path)
    told = await refused(project.worktrees())
    assert told == f"{project.folder}: it is not in a git repository. Without a worktree it works all the same"


async def test_a_bare_repository(tmp_path: Path) -> None:
    project = Project(tmp_path / "work.git", tmp_path, "--bare", commit=False)
    assert await refused(project.worktrees()) == (
        f"{project.folder} is a bare repository, which has no files to work on: put the registry into a checkout of it"
    )


async def test_a_repository_without_commits(tmp_path: Path) -> None:
    project = Project(tmp_path / "work", tmp_path, commit=False)
    told = f"{project.folder} has no commit yet, so there is nothing to begin a branch at: commit first"
    assert await refused(project.worktrees()) == told
    assert await project.worktrees().leftovers(()) == []
    assert not (tmp_path / "work.worktrees").exists()


async def test_a_head_without_a_branch_is_begun_at(project: Project) -> None:
    project.git("checkout", "--quiet", "--detach")
    assert (await project.worktrees().make("lubit", "t1")).base == project.git("rev-parse", "HEAD")


async def test_git_that_is_missing_or_too_old(project: Project, tmp_path: Path) -> None:
    path = project.environment["PATH"]
    project.environment["PATH"] = str(tmp_path)
    assert "git is not in your PATH" in await refused(project.worktrees())
    old = tmp_path / "git"
    old.write_text("#!/bin/sh\necho git version 2.25.1\n", encoding="utf-8")
    old.chmod(0o755)
    project.environment["PATH"] = f"{tmp_path}{os.pathsep}{path}"
    assert "this is git version 2.25.1, and worktrees need git 2.39 or newer" in await refused(project.worktrees())


async def test_submodules_of_a_worktree_keep_git_from_removing_it(project: Project, tmp_path: Path) -> None:
    other = Project(tmp_path / "other", tmp_path)
    project.git("submodule", "--quiet", "add", str(other.folder), "sub")
    project.commit("with a submodule")
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    project.git("submodule", "--quiet", "update", "--init", folder=made.folder)
    assert "submodules cannot be moved or removed" in await not_removed(worktrees, made)
    assert (made.folder / "sub" / "a.txt").is_file()


async def test_a_stale_lock_of_git_is_told_and_left(project: Project) -> None:
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    lock = project.folder / ".git" / "worktrees" / "t1" / "index.lock"
    lock.touch()
    os.utime(lock, (0, 0))
    state = await worktrees.state(made)
    assert state.changed == 0
    assert state.warning is not None
    assert f"{lock} has been there for" in state.warning
    packed = project.folder / ".git" / "packed-refs.lock"
    project.git("pack-refs", "--all")
    packed.touch()
    branch = project.folder / ".git" / "refs" / "heads" / "collab" / "lubit" / "t2.lock"
    branch.parent.mkdir(parents=True, exist_ok=True)
    branch.touch()
    told = await refused(worktrees, task="t2")
    assert f"{branch} is there: another git is at work in this repository, or was killed" in told
    assert lock.exists()
    assert branch.exists()
    assert project.known() == 1


async def test_a_repository_that_was_moved(project: Project, tmp_path: Path) -> None:
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    project.folder = project.folder.rename(tmp_path / "moved")
    moved = project.worktrees()
    with pytest.raises(WorktreeError) as error:
        await moved.state(made)
    mend = f"git -C {project.folder} worktree repair {made.folder}"
    assert mend in str(error.value)
    with pytest.raises(WorktreeError, match="there is no folder"):
        await worktrees.state(made)
    project.git("worktree", "repair", str(made.folder))
    assert (await moved.state(made)).changed == 0


async def test_a_worktree_that_was_moved_or_removed_without_git(project: Project, tmp_path: Path) -> None:
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    made.folder.rename(tmp_path / "away")
    assert await refused(worktrees) == (
        f"{made.folder} was removed without git, which still knows it: `collab-tui session worktrees --prune` makes "
        "it forget what is gone"
    )
    with pytest.raises(WorktreeError, match="is no worktree any more"):
        await worktrees.state(made)
    assert [(one.why, one.kept) for one in await worktrees.prune(())] == [("its folder is gone", None)]
    assert (await worktrees.make("lubit", "t1")).is_new
