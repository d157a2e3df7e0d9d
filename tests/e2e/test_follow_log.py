"""`collab-tui log` as other programs use it: in pipes, and following."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.terminal import terminal
from tests.events import lines, updates
from tests.program import PROGRAM, Running, emit, environment, started


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    path = tmp_path / "registry.jsonl"
    path.write_bytes(lines(updates("sena", status="in_progress"), updates("lubit", status="idle")))
    return path


def agents(running: Running) -> list[str]:
    return [json.loads(line)["event"]["agent"] for line in running.lines()]


def test_following_shows_what_is_there_and_what_comes(registry: Path) -> None:
    with started("log", "--follow", "--json", "--registry", str(registry), cwd=registry.parent) as following:
        following.wait_for(lambda: agents(following) == ["sena", "lubit"])
        emit(registry, "gitcode", "status_update", "--status", "blocked")
        following.wait_for(lambda: agents(following) == ["sena", "lubit", "gitcode"])
        last = json.loads(following.lines()[-1])
        assert last["line"] == 3
        assert last["event"]["status"] == "blocked"
        assert last["id"] == last["event"]["id"]
        assert following.interrupt() == 130
    assert following.errors == b""


def test_following_waits_for_the_end_of_a_line(registry: Path) -> None:
    with started("log", "-f", "--json", "--registry", str(registry), cwd=registry.parent) as following:
        following.wait_for(lambda: len(following.lines()) == 2)
        whole = lines(updates("maestro", status="idle"))
        with registry.open("ab", buffering=0) as file:
            file.write(whole[:20])
        with registry.open("ab", buffering=0) as file:
            file.write(whole[20:] + lines(updates("gitcode")))
        following.wait_for(lambda: agents(following)[2:] == ["maestro", "gitcode"])


def test_following_survives_replacement(registry: Path) -> None:
    with started("log", "--follow", "--json", "--registry", str(registry), cwd=registry.parent) as following:
        following.wait_for(lambda: len(following.lines()) == 2)
        new = registry.with_name("new.jsonl")
        new.write_bytes(lines(updates("maestro", status="idle")))
        os.rename(new, registry)
        following.wait_for(lambda: agents(following)[2:] == ["maestro"])
        emit(registry, "gitcode", "status_update")
        following.wait_for(lambda: agents(following)[2:] == ["maestro", "gitcode"])
        assert following.interrupt() == 130
    assert following.errors == b"collab-tui: the registry was replaced: from its start again\n"


def test_following_survives_deletion(registry: Path) -> None:
    with started("log", "--follow", "--json", "--registry", str(registry), cwd=registry.parent) as following:
        following.wait_for(lambda: len(following.lines()) == 2)
        registry.unlink()
        emit(registry, "maestro", "status_update")
        following.wait_for(lambda: agents(following)[2:] == ["maestro"])


def test_following_waits_for_a_registry_that_comes_later(tmp_path: Path) -> None:
    path = tmp_path / "later.jsonl"
    with started("log", "--follow", "--json", "--poll", "0.05", "--registry", str(path), cwd=tmp_path) as following:
        emit(path, "sena", "status_update")
        following.wait_for(lambda: agents(following) == ["sena"])


def test_following_filters(registry: Path) -> None:
    with started("log", "-f", "--json", "-agent:sena", "--registry", str(registry), cwd=registry.parent) as following:
        following.wait_for(lambda: agents(following) == ["lubit"])
        emit(registry, "sena", "status_update")
        emit(registry, "gitcode", "status_update")
        following.wait_for(lambda: agents(following)[1:] == ["gitcode"])


def test_following_ends_when_nobody_reads_any_more(registry: Path) -> None:
    with started("log", "--follow", "--json", "--registry", str(registry), cwd=registry.parent) as following:
        following.wait_for(lambda: len(following.lines()) == 2)
        assert following.process.stdout is not None
        following.stop_reading()
        emit(registry, "gitcode", "status_update")
        assert following.wait() == 0
    assert following.errors == b""


def test_ctrl_c_ends_following_on_a_terminal(registry: Path) -> None:
    with terminal(
        PROGRAM, "log", "--follow", "--registry", str(registry), cwd=registry.parent, env=environment(registry.parent)
    ) as shown:
        shown.wait_for("lubit")
        shown.send("\x03")
        assert shown.wait() == 130
        assert "Traceback" not in shown.text


@pytest.mark.parametrize(
    "arguments",
    [("log",), ("log", "--json"), ("status",), ("status", "--json"), ("log", "--help"), ("--help",)],
    ids=" ".join,
)
@pytest.mark.parametrize("count", [1, 2000])
def test_a_broken_pipe_is_no_error(tmp_path: Path, arguments: tuple[str, ...], count: int) -> None:
    """Whether it is noticed while printing or, with little to print, at the end."""
    (tmp_path / "COLLABORATION_STATE.jsonl").write_bytes(
        lines(*(updates(f"agent{n}", status="idle") for n in range(count)))
    )
    readable, writable = os.pipe()
    os.close(readable)
    try:
        done = subprocess.run(
            [PROGRAM, *arguments], cwd=tmp_path, env=environment(tmp_path), stdout=writable, stderr=subprocess.PIPE
        )
    finally:
        os.close(writable)
    assert (done.returncode, done.stderr) == (0, b"")


def test_head_takes_the_first_line(registry: Path) -> None:
    registry.write_bytes(lines(*(updates(f"agent{n}", status="idle") for n in range(5000))))
    shell = subprocess.run(
        ["bash", "-c", '"$0" log --registry "$1" | head -1; exit "${PIPESTATUS[0]}"', PROGRAM, str(registry)],
        env=environment(registry.parent),
        capture_output=True,
    )
    assert (shell.returncode, shell.stderr) == (0, b"")
    assert shell.stdout.decode().split()[:2] == ["1", "agent0"]
