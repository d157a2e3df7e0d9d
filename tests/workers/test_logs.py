"""A log of each worker: for the user's eyes, clean, within bounds of size and number, in its own folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from collab_tui.model.workers import WorkerKind
from collab_tui.workers import logs
from collab_tui.workers.job import Job, Step
from collab_tui.workers.logs import Logs, read_log


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    path = tmp_path / ".collab" / "registry.jsonl"
    path.parent.mkdir()
    return path


def job(number: int, task: str = "T-1") -> Job:
    return Job(f"{number:016x}", WorkerKind.DECISION, task, Step.RUNNING, 1_000_000.0 + number)


def test_a_log_is_for_the_users_eyes_clean_and_out_of_git(registry: Path) -> None:
    made = Logs(registry)
    place = made.place_of(job(1, "../T 1"))
    path = registry.parent / place
    assert path.parent == registry.parent / "logs" / "decisions"
    assert made.write(job(1, "../T 1"), "prompt", "red \x1b[31m")
    assert made.write(job(1, "../T 1"), "reply", "ok")
    text = path.read_text(encoding="utf-8")
    assert text.index("== prompt") < text.index("red ␛[31m") < text.index("== reply") < text.index("ok")
    assert (path.parent / ".gitignore").read_text(encoding="utf-8") == "*\n"
    assert not (registry.parent / "logs" / ".gitignore").exists()
    assert not Path(place).is_absolute()
    assert read_log(registry, place) == text
    if os.name == "posix":
        assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_the_latest_logs_are_kept_and_nothing_of_others_goes(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_LOGS", 3)
    made = Logs(registry)
    theirs = registry.parent / "logs" / "decisions" / "theirs.log"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("x", encoding="utf-8")
    for number in range(6):
        assert made.write(job(number), "prompt", "x")
        os.utime(registry.parent / made.place_of(job(number)), (number, number))
    kept = sorted(file.name for file in theirs.parent.glob("*.log"))
    assert kept == sorted([*(Path(made.place_of(job(number))).name for number in (3, 4, 5)), "theirs.log"])


def test_a_log_that_grows_is_turned_over_once_and_a_long_part_is_cut(
    registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "MAX_FILE", 1000)
    monkeypatch.setattr(logs, "LONGEST_PART", 400)
    made = Logs(registry)
    path = registry.parent / made.place_of(job(1))
    for number in range(9):
        assert made.write(job(1), f"part {number}", "x" * 900)
    assert sorted(file.name for file in path.parent.glob("*.log*")) == [path.name, f"{path.name}.1"]
    assert all(file.stat().st_size <= 1000 for file in path.parent.iterdir())
    text = read_log(registry, made.place_of(job(1))) or ""
    assert "and more, which was not kept" in text
    assert [number for number in range(9) if f"part {number}" in text] == [6, 7, 8]


def test_nothing_is_written_read_or_removed_through_a_link(registry: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (registry.parent / "logs").mkdir()
    try:
        (registry.parent / "logs" / "decisions").symlink_to(elsewhere, target_is_directory=True)
    except OSError:
        pytest.skip("no links here")
    made = Logs(registry)
    (elsewhere / "secret").write_text("s", encoding="utf-8")
    assert not made.write(job(1), "prompt", "x")
    assert [file.name for file in elsewhere.iterdir()] == ["secret"]
    assert read_log(registry, "logs/decisions/secret") is None
    assert read_log(registry, "/etc/passwd") is None
