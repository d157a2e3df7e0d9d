"""Settings and programs around a registry."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from collab_tui.config import Config
from collab_tui.model.findings import Severity
from collab_tui.processes.finding import find_program
from collab_tui.protocol import surroundings
from collab_tui.protocol.surroundings import installed, settings

unix = pytest.mark.skipif(sys.platform == "win32", reason="scripts as programs")


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "user-config"
    folder.mkdir()
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(folder))
    return folder / "config.toml"


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def test_settings_that_are_right_are_no_finding(tmp_path: Path, user: Path) -> None:
    user.write_text('person = "mina"\n', encoding="utf-8")
    config, found = settings(tmp_path / "registry.jsonl")
    assert (config.person, found) == ("mina", [])


def test_every_setting_that_is_wrong_is_an_error_with_its_line(tmp_path: Path, user: Path) -> None:
    user.write_text('stale_after = "long"\nnonsense = 1\n', encoding="utf-8")
    config, found = settings(tmp_path / "registry.jsonl")
    assert config == Config()
    assert [(finding.kind, finding.severity) for finding in found] == [("settings", Severity.ERROR)] * 2
    assert f"{user}:1: " in found[0].text
    assert f"{user}:2: " in found[1].text


def test_what_waits_for_the_persons_leave_is_a_note(tmp_path: Path) -> None:
    (tmp_path / ".collab").mkdir()
    (tmp_path / ".collab" / "config.toml").write_text('[keys]\napprove = "z"\n', encoding="utf-8")
    (finding,) = settings(tmp_path / ".collab" / "registry.jsonl")[1]
    assert (finding.kind, finding.severity) == ("settings_waiting", Severity.NOTE)
    assert "keys" in finding.text
    assert "collab-tui config allow" in finding.mend


@unix
def test_programs_tell_their_versions_and_agent_clis_are_never_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    program(tmp_path / "bin", "git", "echo git version 2.50.1")
    program(tmp_path / "bin", "tmux", "echo tmux 3.6")
    program(tmp_path / "bin", "claude", f"touch {ran}")
    texts = [finding.text for finding in installed({"PATH": str(tmp_path / "bin")})]
    assert texts == ["installed: git 2.50.1, tmux 3.6", "agent CLIs: Claude Code (claude)"]
    assert not ran.exists()


@unix
def test_what_is_not_there_or_does_not_answer_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "_PATIENCE", 0.2)
    program(tmp_path / "bin", "git", "exec /bin/sleep 60")
    texts = [finding.text for finding in installed({"PATH": str(tmp_path / "bin")})]
    assert texts == ["installed: git (does not tell its version)", "not installed: tmux", "no agent CLI in your PATH"]


@unix
def test_a_version_that_means_harm_is_one_short_clean_line(tmp_path: Path) -> None:
    program(tmp_path / "bin", "git", r"printf 'git version \033[2J\n%01000d' 7")
    (text, *_) = [finding.text for finding in installed({"PATH": str(tmp_path / "bin")})]
    assert text.isprintable()
    assert len(text) < 90


@unix
def test_a_program_that_lies_in_the_project_is_never_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "project", "git", "echo git version 6.6.6")
    monkeypatch.chdir(tmp_path / "project")
    for path in (".", "", "bin:.", os.pathsep.join(["", "."])):
        assert find_program("git", {"PATH": path}) is None
