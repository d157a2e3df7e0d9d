"""What is kept of sessions: within bounds, and no crowd of one kind pushes out another."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from collab_tui.protocol.acknowledged import inbox_folder
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import NotWrittenError
from collab_tui.sessions import records as module
from collab_tui.sessions.log_folder import find_log, pointer
from collab_tui.sessions.names import resume_id
from collab_tui.sessions.records import Record, Records
from tests.sessions.house import Agent, House, eventually


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    path = tmp_path / ".collab" / "registry.jsonl"
    path.parent.mkdir()
    return path


def record(name: str, log: Path | str = "log", *, worker: str | None = None, ended: str | None = "stopped") -> Record:
    return Record(name, "0" * 16, "sena", "command", "m", "here", "/", str(log), worker=worker, ended=ended)


def write(log: Path, at: int, size: int = 1) -> None:
    log.write_bytes(b"x" * size)
    os.utime(log, (at, at))


def logs(registry: Path) -> set[str]:
    return {log.name for log in (registry.parent / "logs" / "sessions").glob("*.log*")}


def test_workers_push_out_no_session_of_the_person(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_RECORDS", 2)
    records = Records(registry)
    for at, (name, worker, ended) in enumerate(
        [
            ("running", "w0", None),
            ("first", None, "stopped"),
            ("second", None, "stopped"),
            ("third", None, "stopped"),
            *((f"decide-{number}", f"w{number}", "stopped") for number in range(9)),
        ]
    ):
        records.save(record(name, worker=worker, ended=ended))
        os.utime(records.folder / name / "record.json", (at, at))
    records.forget_old()
    assert [one.name for one in records.all()] == ["running", "second", "third", "decide-7", "decide-8"]


def test_a_log_stands_beside_the_registry_for_the_users_eyes_and_in_no_commit(registry: Path) -> None:
    log = Records(registry).new_log("sena", "a" * 16)
    assert pointer(registry, log) == f"logs/sessions/sena-{'a' * 16}.log"
    write(log, 1)
    assert find_log(registry, pointer(registry, log)) == log.resolve()
    assert (log.parent / ".gitignore").read_text(encoding="utf-8") == "*\n"
    assert not (registry.parent / "logs" / ".gitignore").exists()
    if os.name == "posix":
        assert log.parent.stat().st_mode & 0o777 == 0o700


def test_logs_are_bounded_by_number_bytes_and_runs_of_a_name_and_what_runs_keeps_its_own(
    registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("_MAX_LOGS", 5), ("_MAX_LOG_BYTES", 100), ("_MAX_RUNS", 3)):
        monkeypatch.setattr(module, name, value)
    records = Records(registry)
    runs = [records.new_log("sena", f"{number:016x}") for number in range(9)]
    records.save(record("lubit", old := records.new_log("lubit", "f" * 16), ended=None))
    for log in (old, old.with_name(f"{old.name}.1")):
        write(log, 0, 50)
    (theirs := old.with_name("theirs.log")).write_text("x", encoding="utf-8")
    for at, log in enumerate(runs, 1):
        write(log, at)
    fresh = records.new_log("sena", "b" * 16)
    stays = {old.name, f"{old.name}.1", theirs.name}
    assert logs(registry) == {*stays, runs[-1].name, runs[-2].name}
    write(fresh, 20, 200)
    records.new_log("sena", "c" * 16)
    assert logs(registry) == stays
    for number in range(9):
        write(records.new_log(f"sena-{number}", "d" * 16), 30 + number)
    assert logs(registry) == {*stays, *(f"sena-{number}-{'d' * 16}.log" for number in range(4, 9))}


@pytest.mark.skipif(os.name != "posix", reason="links of Unix")
@pytest.mark.parametrize("link", ["logs", "logs/sessions"])
def test_no_link_of_a_project_leads_us_elsewhere(registry: Path, tmp_path: Path, link: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    place = registry.parent / link
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(elsewhere)
    with pytest.raises(NotWrittenError, match="a symbolic link leads elsewhere, and nothing is written through one"):
        Records(registry).new_log("sena", "a" * 16)
    assert list(elsewhere.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="links of Unix")
def test_a_link_in_place_of_what_git_ignores_is_left_alone(registry: Path, tmp_path: Path) -> None:
    place = registry.parent / "logs" / "sessions" / ".gitignore"
    place.parent.mkdir(parents=True)
    place.symlink_to(tmp_path / "elsewhere")
    Records(registry).new_log("sena", "a" * 16)
    assert not (tmp_path / "elsewhere").exists()


async def test_the_registry_says_where_the_output_of_a_session_is_and_nothing_of_the_machine(house: House) -> None:
    async with house.manager() as manager:
        session = await manager.create_session("sena")
        (start,) = house.lines("session_start")
        assert start["log"] == manager.log_of("sena") == f"logs/sessions/sena-{session.run}.log"
        assert session.record.log == str(house.path.parent / start["log"])


async def test_nothing_is_left_of_the_inbox_of_a_worker_that_is_over(house: House) -> None:
    inboxes = inbox_folder(UsedDecisions().folder)
    async with house.manager() as manager:
        for worker in ("w1", None):
            name = f"sena-{worker or 'alone'}"
            await manager.create_session("sena", name=name, worker=worker)
            house.say("lubit", "message", target=name, message="hello")
            await eventually(lambda name=name: any("hello" in prompt for prompt in Agent.last[name].prompts))  # type: ignore[misc]
            await eventually(lambda: len(list(inboxes.iterdir())) == 3)
            await manager.destroy_session(name)
            assert len(list(inboxes.iterdir())) == (0 if worker else 3)


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("0194-abc", "0194-abc"),
        ("x" * 128, "x" * 128),
        ("a_b.c:d", "a_b.c:d"),
        ("--dangerously-skip-permissions", None),
        ("../elsewhere", None),
        ("a/b", None),
        ("a b", None),
        ("a\n", None),
        ("é", None),
        ("", None),
        ("x" * 129, None),
        (7, None),
    ],
)
def test_only_what_looks_like_an_id_of_a_conversation_is_gone_on_with(
    told: str, kept: str | None, registry: Path
) -> None:
    assert resume_id(told) == kept
    records = Records(registry)
    records.save(replace(record("sena"), resume_id=told))
    loaded = records.load("sena")
    assert loaded is not None
    assert loaded.resume_id == kept
