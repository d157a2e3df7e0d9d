"""Programs are found where they are looked for, and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from collab_tui.processes.finding import find_program, why_not_in_batch


def put(path: Path) -> str:
    path.parent.mkdir(exist_ok=True)
    path.touch(mode=0o700)
    return str(path)


@pytest.mark.skipif(os.name == "nt", reason="modes of Unix")
def test_a_name_is_looked_for_in_the_absolute_folders_of_path_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "here" / "agent")
    put(tmp_path / "agent")
    there = put(tmp_path / "there" / "agent")
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "agent").touch(mode=0o600)
    path = os.pathsep.join(["", ".", "here", str(tmp_path / "first"), str(tmp_path / "there")])
    assert find_program("agent", {"PATH": path}, tmp_path) == there
    assert find_program("agent", {"PATH": "here"}, tmp_path) is None
    assert find_program("./agent", {"PATH": ""}, tmp_path) == f"{tmp_path}/./agent"
    assert find_program("./agent", {"PATH": path}, tmp_path / "first") is None


def test_on_windows_a_name_has_one_of_the_ends_of_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "agent")  # npm puts a script for Unix beside the other
    shim = put(tmp_path / "agent.cmd")
    environment = {"PATH": str(tmp_path), "PATHEXT": ".exe;.cmd"}
    monkeypatch.setattr("collab_tui.processes.finding.os.name", "nt")
    assert find_program("agent", environment, tmp_path) == shim
    assert find_program("agent.cmd", environment, tmp_path) == shim
    assert find_program("agent.exe", environment, tmp_path) is None


@pytest.mark.parametrize("argument", ["a & calc", "100%", "a|b", "<", "^", "one\ntwo", "!x!", '" & calc "'])
def test_what_cmd_would_read_as_its_own_is_never_given_to_a_batch_file(argument: str) -> None:
    assert "cmd.exe" in (why_not_in_batch("C:\\npm\\codex.cmd", ["exec", argument]) or "")


def test_other_arguments_are_given_to_a_batch_file_as_long_as_they_fit() -> None:
    assert why_not_in_batch("codex.cmd", ["app-server", "-c", 'sandbox_mode="read-only"', "a b"]) is None
    assert "too long" in (why_not_in_batch("codex.cmd", ["x" * 9000]) or "")
