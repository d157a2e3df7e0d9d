"""Where the things are that entries name."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from collab_tui.hooks.wiring.places import project_of
from collab_tui.protocol.installed import fit, program
from collab_tui.registry.append import UnusableError
from tests.program import PROGRAM


@pytest.mark.parametrize(
    "name", [".collab/registry.jsonl", "COLLABORATION_STATE.jsonl", "session_memory/COLLABORATION_STATE.jsonl"]
)
def test_the_project_is_the_folder_of_its_registry(tmp_path: Path, name: str) -> None:
    registry = tmp_path / "project" / name
    registry.parent.mkdir(parents=True)
    registry.touch()
    below = tmp_path / "project" / "a" / "b"
    below.mkdir(parents=True)
    for folder in (tmp_path / "project", below):
        assert project_of(registry, folder) == (tmp_path / "project", True)


def test_of_a_registry_elsewhere_the_project_is_where_we_are(tmp_path: Path) -> None:
    registry = tmp_path / "nas" / "COLLABORATION_STATE.jsonl"
    registry.parent.mkdir()
    registry.touch()
    (tmp_path / "project").mkdir()
    assert project_of(registry, tmp_path / "project") == (tmp_path / "project", False)
    assert project_of(tmp_path / "nas" / "any.jsonl", tmp_path / "nas") == (tmp_path / "nas", False)


def test_a_registry_behind_a_nearer_one_is_not_found_by_itself(tmp_path: Path) -> None:
    for name in (".collab/registry.jsonl", "COLLABORATION_STATE.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert project_of(tmp_path / "COLLABORATION_STATE.jsonl", tmp_path) == (tmp_path, False)


def test_a_worktree_is_a_project_of_its_own(tmp_path: Path) -> None:
    main, tree = tmp_path / "main", tmp_path / "tree"
    private = main / ".git" / "worktrees" / "tree"
    private.mkdir(parents=True)
    (private / "commondir").write_text("../..\n", encoding="utf-8")
    (tree / "src").mkdir(parents=True)
    (tree / ".git").write_text(f"gitdir: {private}\n", encoding="utf-8")
    registry = main / ".collab" / "registry.jsonl"
    registry.parent.mkdir()
    registry.touch()
    assert project_of(registry, tree / "src") == (tree, True)


def test_the_program_is_the_one_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert program() == PROGRAM
    if os.name == "nt":
        return
    own = tmp_path / "bin" / "collab-tui"
    own.parent.mkdir()
    own.touch(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["bin/collab-tui", "connect"])
    assert program() == str(own)


def test_a_link_that_points_to_the_newest_version_is_named_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.name == "nt":
        pytest.skip("links of Unix")
    (tmp_path / "collab-tui").symlink_to(PROGRAM)
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "collab-tui")])
    assert program() == str(tmp_path / "collab-tui")


def test_without_a_program_there_is_nothing_to_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["pytest"])
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnusableError, match="is it installed"):
        program()


@pytest.mark.parametrize(
    "odd", ["a\nb", "a\tb", "a\x1b[2Jb", "a\x00", "a\udcff", "a\x7f", "a\x9b", "a\u202eb", "a\u200bb"]
)
def test_what_no_configuration_should_hold_is_refused(odd: str) -> None:
    with pytest.raises(UnusableError, match="the name cannot stand in a configuration file: ") as raised:
        fit("the name", odd)
    assert str(raised.value).isprintable()
    assert fit("the name", "세나 $x 'y' \"z\"") == "세나 $x 'y' \"z\""
