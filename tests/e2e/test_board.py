"""The board as a person meets it: the real program in a real terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from collab_tui.tui.actions import SEEN_FOR
from tests.e2e.terminal import Terminal, terminal
from tests.events import asks, lines, updates
from tests.program import PROGRAM, emit, environment
from tests.signing import install_key_at

TITLES = r"(\(\d+\) )?collab-tui"


@contextmanager
def board(path: Path, columns: int = 160, rows: int = 48, **env: str) -> Iterator[Terminal]:
    with terminal(
        PROGRAM, str(path), cwd=path.parent, env=environment(path.parent, **env), columns=columns, rows=rows
    ) as shown:
        yield shown


def decisions(path: Path) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in path.read_bytes().splitlines()]
    return [event for event in events if event["event"] == "decision"]


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """Two agents at work, and a person with a key."""
    install_key_at(tmp_path)
    path = tmp_path / "registry.jsonl"
    path.write_bytes(
        lines(
            updates("sena", status="in_progress", progress=40, current_task="metrics v2"),
            updates("lubit", status="idle", current_task="지표 검증"),
        )
    )
    return path


def test_it_shows_the_agents_and_what_is_appended(registry: Path) -> None:
    with board(registry) as shown:
        shown.wait_for("지표 검증")
        shown.wait_for(lambda: "working" in shown.row("sena") and "40 %" in shown.row("sena"))

        emit(registry, "gitcode", "status_update", "--status", "blocked", "--blocker", "no credentials for staging")
        shown.wait_for("no credentials for staging")
        shown.wait_for("3 agents")
        shown.wait_for(lambda: "blocked" in shown.row("gitcode"))


def test_one_key_answers_a_request_once(registry: Path) -> None:
    with board(registry) as shown:
        shown.wait_for("metrics v2")
        emit(registry, "sena", "decision_request", "--field", "request=Approve metrics v2?", "--target", "human")
        shown.wait_for("1 needs you")
        shown.send("n")
        shown.wait_for("✔ approved by human", press="a")

        (decision,) = decisions(registry)
        request = json.loads(registry.read_bytes().splitlines()[2])
        assert decision["agent"] == "human"
        assert decision["verdict"] == "approved"
        assert decision["request_id"] == request["id"]
        assert shown.titles[-2:] == ["(1) collab-tui", "collab-tui"]

        shown.send("q")
        assert shown.wait() == 0
    assert len(decisions(registry)) == 1


def test_a_critical_request_is_asked_once_more(registry: Path) -> None:
    with registry.open("ab") as file:
        file.write(lines(asks("sena", "r1", request="Delete the old index?", urgency="critical")))
    with board(registry) as shown:
        shown.wait_for("Delete the old index?")
        shown.wait_for("sena calls this critical", press="a")
        shown.send("\r")  # Cancel is what enter means
        shown.wait_for(lambda: "calls this critical" not in shown.text)
        assert decisions(registry) == []


def test_it_follows_every_size(registry: Path) -> None:
    with registry.open("ab") as file:
        file.write(lines(asks("sena", "r1", request="Approve metrics v2?")))
    with board(registry) as shown:
        shown.wait_for("Approve metrics v2?")
        for columns, rows in ((60, 40), (80, 24), (120, 50), (20, 5), (160, 48)):
            shown.resize(columns, rows)
            last = rows - 1
            shown.wait_for(lambda last=last: shown.lines[last].strip())  # the keys, at the new bottom
            if rows > 5:
                shown.wait_for("Approve metrics v2?")
                shown.wait_for("Needs you")
        low, wide = "[ ▲ Needs you 1 ]", "1 needs you"
        shown.resize(80, 24)
        shown.wait_for(low)
        shown.resize(120, 50)
        shown.wait_for(wide)
        shown.wait_for(lambda: low not in shown.text)


def test_quitting_gives_the_terminal_back(registry: Path) -> None:
    with board(registry) as shown:
        shown.wait_for("metrics v2")
        assert {1049, 1000, 1003, 1006, 2004} <= shown.modes
        assert shown.keyboard_modes == 1
        assert 25 not in shown.modes  # its cursor is hidden
        assert shown.settings_now != shown.settings
        shown.send("q")
        assert shown.wait() == 0
        assert shown.modes - {7, 25} == set()
        assert 25 in shown.modes
        assert shown.keyboard_modes == 0
        assert shown.settings_now == shown.settings
        assert b"Traceback" not in shown.raw


@pytest.mark.parametrize("leave", ["q", "SIGTERM"])
def test_the_title_is_kept_and_given_back(registry: Path, leave: str) -> None:
    with board(registry) as shown:
        shown.wait_for("metrics v2")
        shown.wait_for(lambda: shown.titles == ["collab-tui"])
        if leave == "q":
            shown.send("q")
        else:
            shown.process.send_signal(signal.SIGTERM)
        shown.wait()
        kept, set_to, given_back = (shown.raw.find(part) for part in (b"\x1b[22;0t", b"\x1b]0;", b"\x1b[23;0t"))
        assert 0 <= kept < set_to < given_back
        assert shown.raw.count(b"\x1b[23;0t") == shown.raw.count(b"\x1b[22;0t") == 1


def test_a_registry_that_comes_later_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "later.jsonl"
    with board(path) as shown:
        shown.wait_for("There is no registry here yet")
        emit(path, "sena", "status_update", "--status", "in_progress", "--task", "the first task")
        shown.wait_for("the first task")
        shown.wait_for(lambda: "There is no registry" not in shown.text)


def test_a_folder_that_comes_later_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "project" / ".collab" / "registry.jsonl"
    with terminal(PROGRAM, str(path), cwd=tmp_path, env=environment(tmp_path)) as shown:
        shown.wait_for("There is no registry here yet")
        path.parent.mkdir(parents=True)
        emit(path, "sena", "status_update", "--task", "the first task")
        shown.wait_for("the first task")


def test_an_empty_registry_says_so(tmp_path: Path) -> None:
    path = tmp_path / "registry.jsonl"
    path.touch()
    with board(path) as shown:
        shown.wait_for("The registry is empty")
        emit(path, "sena", "status_update", "--task", "the first task")
        shown.wait_for("the first task")


def test_an_unreadable_registry_says_so(tmp_path: Path) -> None:
    path = tmp_path / "registry.jsonl"
    path.mkdir()
    with board(path) as shown:
        shown.wait_for("The registry cannot be read")
        path.rmdir()
        emit(path, "sena", "status_update", "--task", "the first task")
        shown.wait_for("the first task")


def test_a_registry_that_another_replaced_is_read_from_its_start(registry: Path) -> None:
    with board(registry) as shown:
        shown.wait_for("metrics v2")
        new = registry.with_name("new.jsonl")
        new.write_bytes(lines(updates("maestro", status="idle", current_task="the second life")))
        os.rename(new, registry)
        shown.wait_for("the second life")
        shown.wait_for("The registry was replaced")
        shown.wait_for("1 agent")
        shown.wait_for(lambda: "metrics v2" not in shown.text)


def test_a_registry_that_is_deleted_leaves_its_last_picture(registry: Path) -> None:
    with board(registry) as shown:
        shown.wait_for("metrics v2")
        registry.unlink()
        shown.wait_for(lambda: "The registry is gone" in shown.text and "metrics v2" in shown.text)
        emit(registry, "maestro", "status_update", "--task", "the second life")
        shown.wait_for("the second life")


def test_a_registry_on_another_disk_is_polled_when_asked(registry: Path) -> None:
    with terminal(
        PROGRAM, "--poll", "0.05", str(registry), cwd=registry.parent, env=environment(registry.parent)
    ) as shown:
        shown.wait_for("Looking every 0.05 s (--poll 0.05)")
        emit(registry, "maestro", "status_update", "--task", "the second life")
        shown.wait_for("the second life")


def test_colours_can_be_refused(registry: Path) -> None:
    with board(registry, NO_COLOR="1") as shown:
        shown.wait_for("metrics v2")
        shown.wait_for("? keys")
        assert shown.colours == {("default", "default")}


@pytest.mark.parametrize("redirected", ["stdin", "stdout", "stderr"])
def test_without_a_terminal_it_says_what_else_to_do(registry: Path, redirected: str, tmp_path: Path) -> None:
    """Textual would paint into a file, or on a terminal whose size it does not know."""
    place = {"stdin": "<", "stdout": ">", "stderr": "2>"}[redirected]
    errors = tmp_path / "errors"
    redirection = f"{place}/dev/null" if redirected == "stdin" else f"{place}{errors}"
    with terminal(
        "sh", "-c", f'exec "$0" "$1" {redirection}', PROGRAM, str(registry), cwd=tmp_path, env=environment(tmp_path)
    ) as shown:
        assert shown.wait() == 2
        told = errors.read_text(encoding="utf-8") if redirected == "stderr" else shown.raw.decode()
    assert told.rstrip() == "collab-tui: the board needs a terminal; `collab-tui status` prints it instead"


def test_as_a_plain_process_it_refuses(registry: Path) -> None:
    done = subprocess.run(
        [PROGRAM, str(registry)], capture_output=True, stdin=subprocess.DEVNULL, env=environment(registry.parent)
    )
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("kind", ["dumb", "unknown", ""])
def test_a_terminal_without_places_is_refused(registry: Path, kind: str) -> None:
    with board(registry, TERM=kind) as shown:
        if kind == "dumb":
            assert shown.wait() == 2
            assert shown.raw.decode().rstrip().count("\n") == 0
            assert "needs a terminal" in shown.text
        else:
            shown.wait_for("metrics v2")


@pytest.mark.parametrize(("burst", "seen"), [("/ax", "text  agent:sena"), ("tax", "◷ replay")])
def test_keys_that_come_together_with_one_that_leads_away_answer_nothing(registry: Path, burst: str, seen: str) -> None:
    """A slow line delivers keys in bursts: those after `/` and `t` were not meant for the request."""
    emit(registry, "gitcode", "decision_request", "--field", "request=GO for canary?")
    with board(registry) as shown:
        shown.wait_for("GO for canary?")
        looked = monotonic()
        shown.wait_for(lambda: monotonic() - looked > 2 * SEEN_FOR)
        shown.send(burst)
        shown.wait_for(seen)
        shown.send("\x1b")
        shown.wait_for(lambda: seen not in shown.text)
        assert decisions(registry) == []
        shown.wait_for(lambda: decisions(registry), press="na")  # which could have been answered
