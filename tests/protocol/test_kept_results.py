"""What became of commands, kept for their user alone: the newest, within bounds."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from collab_tui.model.sessions import CommandState
from collab_tui.protocol import kept_results
from collab_tui.protocol.commands import result
from collab_tui.protocol.kept_results import KeptResults


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeptResults:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return KeptResults(tmp_path / "registry.jsonl")


def test_what_was_told_last_is_there_for_its_user_alone(kept: KeptResults) -> None:
    assert kept.load("c1") is None
    kept.keep(result("c1", "m", CommandState.RUNNING))
    kept.keep(result("c1", "m", CommandState.FAILED, "it is over", {"reply": "안녕"}))
    found = kept.load("c1")
    assert found is not None
    assert (found.state, found.reason, found.result) == (CommandState.FAILED, "it is over", {"reply": "안녕"})
    (file,) = kept.folder.iterdir()
    if os.name != "nt":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for hostile in ("{", "[]", '{"state": "sure"}', '{"state": ["done"]}'):
        file.write_text(hostile, encoding="utf-8")
        assert kept.load("c1") is None


@pytest.mark.parametrize(("name", "most"), [("MOST", 3), ("_MOST_BYTES", 3200)])
def test_the_newest_are_kept(kept: KeptResults, monkeypatch: pytest.MonkeyPatch, name: str, most: int) -> None:
    monkeypatch.setattr(kept_results, name, most)
    for number in range(6):
        kept.keep(result(f"../c{number}", "m", CommandState.DONE, None, {"reply": "x" * 900}))
        for file in kept.folder.iterdir():  # the clock of some disks is coarse
            os.utime(file, ns=(0, file.stat().st_mtime_ns - 10**9))
    assert [number for number in range(6) if kept.load(f"../c{number}") is not None] == [3, 4, 5]
