"""A monitor that runs by itself: started when one is needed, found, asked about, ended; one, however many start it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from collab_tui.monitor.acting import Acting, ask_to_end, has_ended, who_acts
from collab_tui.monitor.detached import NoMonitorError, ensure_monitor
from collab_tui.monitor.log import SaidInLog
from collab_tui.processes.identity import Identity, identity_of, is_alive
from collab_tui.registry.kept import kept_for
from tests.monitor.house import House
from tests.program import PATIENCE, eventually, run, started

unix = pytest.mark.skipif(os.name == "nt", reason="SIGKILL and sessions of Unix")


class Detached(House):
    """A house in which monitors run by themselves."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.kept = Path(self.env["XDG_STATE_HOME"]) / "collab-tui" / "monitor" / kept_for(self.path).name

    def ensure(self) -> Acting:
        return ensure_monitor(self.path, self.env)

    def acts(self) -> Acting | None:
        return who_acts(kept_for(self.path))

    def ask(self, *options: str) -> tuple[int, str]:
        done = run("monitor", "--registry", str(self.path), *options, cwd=self.folder, env=self.env)
        return done.returncode, (done.stdout + done.stderr).decode()

    def log(self) -> str:
        return (self.kept / "monitor.log").read_text(encoding="utf-8")


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Detached]:
    house = Detached(tmp_path)
    monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, **__: str(house.kept.parents[1]))
    assert house.kept == kept_for(house.path)
    yield house
    if (acting := house.acts()) is not None:
        ask_to_end(acting)
        assert has_ended(acting, PATIENCE)


def test_it_acts_once_it_is_started_and_is_found_from_then_on(house: Detached) -> None:
    acting = house.ensure()
    assert house.ensure() == acting == house.acts()
    assert acting.log == str(house.kept / "monitor.log")
    house.until(house.say())
    eventually(lambda: "wake  sent to lubit" in house.log())
    code, told = house.ask("--status", "--json")
    about = json.loads(told)
    assert (code, about["acts"], about["pid"], about["since"]) == (0, True, acting.pid, acting.since)
    assert about["sessions"] == about["workers"] == about["streams"] == []
    code, told = house.ask("--status")
    assert (code, told.split("\n")[1].split(", since")[0]) == (0, f"acts      process {acting.pid}")


def test_asked_to_stop_it_ends_and_nobody_acts(house: Detached) -> None:
    acting = house.ensure()
    assert house.ask("--stop") == (0, f"stopped the monitor of {house.path} (process {acting.pid})\n")
    assert not is_alive(acting.identity)
    assert not (house.kept / "acting.json").exists()
    assert house.ask("--stop") == (1, f"{house.path}: no monitor acts on this machine\n")
    code, told = house.ask("--status", "--json")
    assert (code, json.loads(told)) == (1, {"registry": str(house.path), "acts": False, "starting": None})


def test_of_two_that_start_it_at_once_both_get_the_one_that_acts(house: Detached) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: house.ensure(), range(4)))
    assert len(set(found)) == 1
    cause = house.say()
    house.until(cause)
    assert house.messages()[cause] == 1
    eventually(lambda: monitors_of(house) == [found[0].pid], lambda: f"{monitors_of(house)}")


def monitors_of(house: Detached) -> list[int]:
    """Every process that was started as a monitor of this house."""
    told = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,args="], capture_output=True, check=True, text=True, encoding="utf-8"
    ).stdout
    lines = [line for line in told.splitlines() if f"monitor --detached --registry {house.path}" in line]
    return [int(line.split()[0]) for line in lines]


@unix
def test_killed_it_misleads_nobody_and_the_next_goes_on(house: Detached) -> None:
    first = house.ensure()
    house.until(house.say())
    os.kill(first.pid, signal.SIGKILL)
    assert has_ended(first, PATIENCE)
    assert (house.kept / "acting.json").exists()
    assert house.acts() is None
    assert house.ask("--status")[0] == 1
    cause = house.say()
    second = house.ensure()
    assert second.pid != first.pid
    house.until(cause)
    assert house.messages()[cause] == 1


@unix
def test_it_belongs_to_nobody_and_has_nothing_of_its_starter(house: Detached) -> None:
    house.env |= {"COLLAB_AGENT": "sena", "COLLAB_CAUSE": "abc", "COLLAB_REGISTRY": "/nowhere"}
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    try:
        acting = house.ensure()
    finally:
        os.close(writing)
    with open(reading, "rb") as pipe:
        assert pipe.read() == b"", "it would wait here for as long as the monitor has the other end"
    assert os.getsid(acting.pid) == acting.pid
    cause = house.say()
    house.until(cause)
    assert all("caused_by" not in event for event in house.lines("message"))
    if sys.platform == "linux":
        held = {os.readlink(f"/proc/{acting.pid}/fd/{number}") for number in (0, 1, 2)}
        assert not any(place.startswith(("/dev/pts", "/dev/tty", "pipe:")) for place in held)
        assert os.readlink(f"/proc/{acting.pid}/cwd") == str(house.kept)


def test_a_start_that_fails_says_why(house: Detached) -> None:
    house.config.write_text("nonsense = 1\n", encoding="utf-8")
    with pytest.raises(NoMonitorError, match=r"could not start: .*config.toml:1: unknown setting 'nonsense'"):
        house.ensure()
    assert house.acts() is None


def test_one_in_a_terminal_is_found_too_and_no_second_is_started(house: Detached) -> None:
    """S10: there is one owner."""
    with house.monitor() as monitor:
        eventually(house.acts)
        acting = house.ensure()
        assert (acting.pid, acting.log) == (monitor.process.pid, None)
        with started("monitor", "--detached", "--registry", str(house.path), cwd=house.folder, env=house.env) as second:
            assert second.wait() == 0
        assert "another monitor acts here" in house.log()
        code, told = house.ask("--stop")
        assert (code, told) == (0, f"stopped the monitor of {house.path} (process {acting.pid})\n")
        assert monitor.wait() == 0


def test_another_process_that_got_its_number_is_not_ended(house: Detached) -> None:
    with house.monitor() as monitor:
        me = identity_of(monitor.process.pid)
        assert me is not None
        posing = Acting(me.pid, f"{me.started}0", "2026-01-01T00:00:00.000Z", None)
        ask_to_end(posing)
        assert has_ended(posing, 0), "that one is gone"
        assert is_alive(Identity(me.pid, me.started))
        assert monitor.interrupt() == 0
    ask_to_end(Acting(me.pid, me.started, "2026-01-01T00:00:00.000Z", None))


def test_an_agent_does_not_stop_it(house: Detached) -> None:
    acting = house.ensure()
    house.env["CLAUDECODE"] = "1"
    code, told = house.ask("--stop", "--yes")
    assert code == 2
    assert "this runs inside an agent's process ($CLAUDECODE is set)" in told
    assert house.acts() == acting


@pytest.mark.parametrize(
    "kept", [b"", b"[]", b"{}", b'{"pid": 1}', b'{"pid": "x", "started": 3, "since": null, "log": null}', b"\xff"]
)
def test_a_note_that_cannot_be_understood_names_nobody(house: Detached, kept: bytes) -> None:
    house.kept.mkdir(parents=True)
    (house.kept / "acting.json").write_bytes(kept)
    assert house.acts() is None


def test_what_it_says_is_bounded(tmp_path: Path) -> None:
    log = SaidInLog(tmp_path / "monitor.log")
    for _ in range(300):
        print("x" * 10_000, file=log)
    sizes: list[Any] = [file.stat().st_size for file in tmp_path.iterdir()]
    assert len(sizes) == 2
    assert max(sizes) <= 1 << 20


@unix
def test_whoever_takes_its_place_is_found_from_then_on(house: Detached) -> None:
    """S10: a second one only watches, until it is the first."""
    first = house.ensure()
    with house.starting() as second:
        second.wait_for(lambda: b"another monitor acts here" in second.output)
        assert house.acts() == first
        os.kill(first.pid, signal.SIGKILL)
        second.wait_for(lambda: b"this one acts now" in second.output)
        eventually(lambda: (acting := house.acts()) is not None and acting.pid == second.process.pid)
        assert house.ensure().pid == second.process.pid
        assert second.interrupt() == 0
    assert house.acts() is None
