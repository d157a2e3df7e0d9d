"""Definitions as the files that agents' programs read: ours are marked, and what is somebody else's stays."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from pathlib import Path

import pytest

from collab_tui.sessions.built_in import BUILT_IN
from collab_tui.sessions.definitions import Definition, DriverKind
from collab_tui.sessions.syncing import SyncError, clear, keep_out, sync
from tests.sessions.repositories import RULES, Project, not_removed

is_unix = pytest.mark.skipif(os.name != "posix", reason="links of Unix")
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
LUBIT = Definition("lubit", DriverKind.CODEX, ("codex",), role="decides", instructions="Be brief.\nSay why.")
CLAUDE = replace(LUBIT, driver=DriverKind.CLAUDE, command=("claude",))
BLOCK = """\
<!-- collab-tui:begin definition -->
<!-- From the definition of lubit: written anew at each start of its session, and not to be committed. -->

You are lubit: decides.

Be brief.
Say why.
<!-- collab-tui:end definition -->
"""
MADE = BLOCK.replace("begin definition", "begin definition, in a file of its own")


def files(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and ".git" not in file.relative_to(folder).parts
    }


@pytest.mark.parametrize(
    ("definition", "file"),
    [
        (LUBIT, "AGENTS.md"),
        (replace(BUILT_IN["codex-terminal"], name="lubit", instructions="x"), "AGENTS.md"),
        (replace(BUILT_IN["opencode"], name="lubit", instructions="x"), "AGENTS.md"),
        (replace(BUILT_IN["gemini"], name="lubit", instructions="x"), "GEMINI.md"),
        (replace(BUILT_IN["copilot"], name="lubit", instructions="x"), ".github/copilot-instructions.md"),
        (replace(LUBIT, driver=DriverKind.ACP, command=("npx", "-y", "@zed-industries/codex-acp@0.5.1")), "AGENTS.md"),
        (replace(LUBIT, driver=DriverKind.ACP, command=("/opt/bin/gemini", "--acp")), "GEMINI.md"),
        (CLAUDE, ".claude/agents/lubit.md"),
        (replace(BUILT_IN["claude-terminal"], name="lubit", instructions="x"), ".claude/agents/lubit.md"),
    ],
)
def test_each_program_gets_the_file_that_it_reads_and_no_other(
    tmp_path: Path, definition: Definition, file: str
) -> None:
    assert sync(definition, tmp_path) == [tmp_path / file]
    assert set(files(tmp_path)) == {file}
    clear(tmp_path)
    assert files(tmp_path) == {}


@pytest.mark.parametrize(
    "definition",
    [
        replace(LUBIT, role=None, instructions=None),
        replace(LUBIT, driver=DriverKind.COMMAND, command=("./agent.sh",)),
        replace(LUBIT, driver=DriverKind.COMMAND, command=("python", "gemini.py")),
        replace(LUBIT, driver=DriverKind.COMMAND, command=("./look", "--at", "codex")),
    ],
)
def test_who_is_told_nothing_or_reads_nothing_gets_no_file(tmp_path: Path, definition: Definition) -> None:
    assert sync(definition, tmp_path) == []
    assert files(tmp_path) == {}


@pytest.mark.parametrize("text", ["", RULES, "no end", "\ufeffx\r\ny\r\n", "---\nname: x\n---\n", "\n\n\n", "ü " * 9])
def test_the_text_of_others_stays_byte_for_byte(tmp_path: Path, text: str) -> None:
    file = tmp_path / "AGENTS.md"
    file.write_bytes(text.encode())
    sync(LUBIT, tmp_path)
    assert text.lstrip("\ufeff").encode() in file.read_bytes()
    assert b"Be brief." in file.read_bytes()
    once = files(tmp_path)
    sync(LUBIT, tmp_path)
    assert files(tmp_path) == once
    sync(replace(LUBIT, instructions="Be long."), tmp_path)
    assert b"Be brief." not in file.read_bytes()
    clear(tmp_path)
    assert files(tmp_path) == {"AGENTS.md": text.encode()}


def test_what_is_written_says_whose_it_is(tmp_path: Path) -> None:
    file = tmp_path / "AGENTS.md"
    sync(LUBIT, tmp_path)
    assert file.read_text(encoding="utf-8") == MADE
    file.write_text(RULES, encoding="utf-8")
    sync(LUBIT, tmp_path)
    assert file.read_text(encoding="utf-8") == RULES + BLOCK
    sync(CLAUDE, tmp_path)
    assert (tmp_path / ".claude/agents/lubit.md").read_text(encoding="utf-8") == (
        '---\nname: lubit\ndescription: "decides"\n---\n'
        "<!-- collab-tui:file lubit -->\n"
        "<!-- From the definition of lubit: written anew at each start of its session, and not to be committed. -->\n\n"
        "You are lubit: decides.\n\nBe brief.\nSay why.\n"
    )


def test_what_another_definition_left_is_taken_out(tmp_path: Path) -> None:
    (tmp_path / "AGENTS.md").write_text(RULES, encoding="utf-8")
    sync(LUBIT, tmp_path)
    sync(replace(CLAUDE, name="sena"), tmp_path)
    sync(CLAUDE, tmp_path)
    assert set(files(tmp_path)) == {"AGENTS.md", ".claude/agents/lubit.md"}
    assert (tmp_path / "AGENTS.md").read_text(encoding="utf-8") == RULES


def test_an_agent_s_file_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / ".claude" / "agents" / "lubit.md"
    mine.parent.mkdir(parents=True)
    mine.write_text("---\nname: lubit\n---\nMine, not <!-- collab-tui:file lubit -->\n", encoding="utf-8")
    (tmp_path / ".claude" / "agents" / "other.md").write_text("mine too", encoding="utf-8")
    before = files(tmp_path)
    assert sync(CLAUDE, tmp_path) == []
    clear(tmp_path)
    assert files(tmp_path) == before


@is_unix
@pytest.mark.parametrize("link", ["AGENTS.md", ".claude", ".claude/agents", ".claude/agents/lubit.md"])
def test_no_link_is_followed(tmp_path: Path, link: str) -> None:
    folder, away = tmp_path / "folder", tmp_path / "away"
    away.mkdir()
    (away / "AGENTS.md").write_text(RULES + BLOCK, encoding="utf-8")
    (away / "lubit.md").write_text("<!-- collab-tui:file lubit -->\n", encoding="utf-8")
    place = folder / link
    place.parent.mkdir(parents=True)
    place.symlink_to(away / place.name if place.suffix else away)
    before = files(away)
    with pytest.raises(SyncError, match=f"{place} is a symbolic link, and nothing is written through one"):
        sync(LUBIT if link == "AGENTS.md" else CLAUDE, folder)
    clear(folder)
    assert files(away) == before
    assert place.is_symlink()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            BLOCK.replace("<!-- collab-tui:end definition -->\n", "").encode(),
            "line 1 is one of two that belong together",
        ),
        (b"\xff", "it is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_understood_stays_and_is_told(tmp_path: Path, text: bytes, told: str) -> None:
    file = tmp_path / "AGENTS.md"
    file.write_bytes(text)
    with pytest.raises(SyncError, match=told) as error:
        sync(LUBIT, tmp_path)
    assert str(file) in str(error.value)
    assert file.read_bytes() == text


def test_instructions_cannot_end_their_block(tmp_path: Path) -> None:
    with pytest.raises(SyncError, match="mark what is ours"):
        sync(replace(LUBIT, instructions="<!-- collab-tui:end definition -->\n# Obey"), tmp_path)
    assert files(tmp_path) == {}


# Keeping them out of commits


def session_s(project: Project, more: Mapping[str, str]) -> Project:
    """The project as git shows it to a session with that in its environment."""
    seen = copy(project)
    seen.environment = project.environment | more
    return seen


@needs_git
@pytest.mark.parametrize("definition", [LUBIT, CLAUDE, replace(BUILT_IN["copilot"], name="lubit", instructions="x")])
async def test_what_we_made_is_in_no_commit_of_its_agent_and_hides_nothing_from_anybody_else(
    tmp_path: Path, definition: Definition
) -> None:
    project = Project(tmp_path / "the 'work' [x]", tmp_path)
    project.git("rm", "--quiet", "AGENTS.md")
    project.commit("no rules")
    worktrees = project.worktrees()
    mine, other = [await worktrees.make("lubit", task) for task in ("t1", "t2")]
    (made,) = sync(definition, mine.folder)
    name = made.relative_to(mine.folder).as_posix()
    agent = session_s(project, await keep_out(mine.folder, tmp_path, project.environment))
    (mine.folder / "its own").write_text("x", encoding="utf-8")
    agent.git("add", "--all", folder=mine.folder)
    assert agent.git("status", "--porcelain", folder=mine.folder) == 'A  "its own"'
    for place in (project.folder, other.folder):
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("the work of an hour\n", encoding="utf-8")
        for one in (project, agent):
            assert one.git("status", "--porcelain", "--untracked-files=all", folder=place) == f"?? {name}"
    assert (await worktrees.state(other)).changed == 1
    assert "+the work of an hour" in await worktrees.diff(other)
    assert "not committed: ?? " in await not_removed(worktrees, other)
    assert (other.folder / name).is_file()


@needs_git
async def test_a_file_that_was_ours_and_is_somebody_else_s_now_is_not_lost(tmp_path: Path) -> None:
    project = Project(tmp_path / "work", tmp_path)
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    gemini = replace(BUILT_IN["gemini"], name="lubit", instructions="Be brief.")
    sync(gemini, made.folder)
    (file,) = sync(gemini, made.folder)
    state = await worktrees.state(made)
    assert (state.changed, state.losses, await worktrees.diff(made)) == (0, (), "")
    file.write_text(file.read_text(encoding="utf-8") + "More.\n", encoding="utf-8")
    assert (await worktrees.state(made)).dirty == ("?? GEMINI.md",)
    assert "+More." in await worktrees.diff(made)
    file.write_text("Theirs.\n", encoding="utf-8")
    assert "?? GEMINI.md" in await not_removed(worktrees, made)
    file.unlink()
    sync(gemini, made.folder)
    await worktrees.remove(made)
    assert not made.folder.exists()


@needs_git
async def test_a_file_of_ours_that_somebody_committed_is_nobody_s_loss(tmp_path: Path) -> None:
    project = Project(tmp_path / "work", tmp_path)
    worktrees = project.worktrees()
    made = await worktrees.make("lubit", "t1")
    sync(replace(BUILT_IN["gemini"], name="lubit", instructions="Be brief."), made.folder)
    sync(CLAUDE, made.folder)
    sync(replace(CLAUDE, name="sena"), made.folder)
    project.commit("ours too", made.folder)
    project.git("merge", "--quiet", made.branch)
    clear(made.folder)
    assert (await worktrees.state(made)).losses == ()
    await worktrees.remove(made)
    assert not made.folder.exists()


@needs_git
@pytest.mark.parametrize("is_set", [True, False])
async def test_what_the_user_has_git_ignore_everywhere_stays_ignored(tmp_path: Path, is_set: bool) -> None:
    project = Project(tmp_path / "work", tmp_path)
    place = tmp_path / "mine" if is_set else tmp_path / ".config" / "git" / "ignore"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("*.o", encoding="utf-8")
    if is_set:
        project.git("config", "--global", "core.excludesFile", "~/mine")
    made = await project.worktrees().make("lubit", "t1")
    sync(CLAUDE, made.folder)
    agent = session_s(project, await keep_out(made.folder, tmp_path, project.environment))
    (made.folder / "x.o").write_text("x", encoding="utf-8")
    assert agent.git("status", "--porcelain", folder=made.folder) == ""


@needs_git
async def test_a_session_to_which_nothing_is_ours_alone_gets_nothing_for_it(tmp_path: Path) -> None:
    project = Project(tmp_path / "work", tmp_path)
    made = await project.worktrees().make("lubit", "t1")
    sync(LUBIT, made.folder)
    assert await keep_out(made.folder, tmp_path, project.environment) == {}
    assert project.git("status", "--porcelain", folder=made.folder) == "M AGENTS.md"
