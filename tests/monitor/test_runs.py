"""Runs in a monitor of its own process: started by the person's word, killed, gone on with, nothing done twice."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collab_tui.model.board import Board
from collab_tui.model.fold import Fold
from collab_tui.model.signature import Signed
from collab_tui.monitor.acting import Acting, ask_to_end, has_ended, who_acts
from collab_tui.monitor.detached import ensure_monitor
from collab_tui.monitor.watching import own_carrier, unattended
from collab_tui.orchestrator.hosted import HostedRuns
from collab_tui.protocol.commands import Carrier, CommandType, command, send
from collab_tui.protocol.trust import Trust, seal_with
from collab_tui.registry.base import read_to_end
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.registry.kept import kept_for
from tests.monitor.house import House
from tests.orchestrator.noting import Noting, done_tasks, lines_of
from tests.program import PATIENCE, eventually, run
from tests.signing import OTHER_KEY, install_key_at

pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGKILL of Unix")
RUN = "0a1b2c3d"


class Hosting(House):
    """A house in which a monitor has runs, and where the person has a key."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.write_rules("")
        self.kept = Path(self.env["XDG_STATE_HOME"]) / "collab-tui" / "monitor" / kept_for(self.path).name
        self.trust = Trust("human", {}, install_key_at(folder / "home"))
        self.steps = Noting(folder / "steps")

    def ensure(self) -> Acting:
        return ensure_monitor(self.path, self.env)

    def give(self, type_: CommandType, target: str, to: Carrier | None = None, **payload: str) -> str:
        registry = JsonlRegistry(self.path)
        registry.read_next()
        return str(send(registry, self.trust, type_, target, payload, to or own_carrier(self.path))["id"])

    def start(self, run_id: str = RUN, **about: Any) -> str:
        payload = self.steps.payload(run=run_id, **about)
        return self.give(CommandType.START_RUN, str(self.steps.path), **payload)

    def told(self, command_id: str) -> list[dict[str, Any]]:
        return [line for line in lines_of(self.path, "command_result") if line["command_id"] == command_id]

    def became(self, command_id: str) -> dict[str, Any]:
        """What became of a command in the end."""
        eventually(lambda: self.is_over(command_id), lambda: f"{self.told(command_id)}\n{self.log()}")
        return self.told(command_id)[-1]

    def is_over(self, command_id: str) -> bool:
        return any(line["state"] in ("done", "failed") for line in self.told(command_id))

    def ended(self, run_id: str = RUN) -> list[str]:
        return [line["state"] for line in lines_of(self.path, "run_ended") if line["run"] == run_id]

    def board(self) -> Board:
        fold = Fold("human")
        read_to_end(JsonlRegistry(self.path), fold)
        return fold.board()

    def ask(self, *options: str) -> tuple[int, str]:
        done = run("monitor", "--registry", str(self.path), *options, cwd=self.folder, env=self.env)
        return done.returncode, (done.stdout + done.stderr).decode()

    def log(self) -> str:
        try:
            return (self.kept / "monitor.log").read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def is_at(self, *notes: str) -> None:
        """Wait until the agents began exactly these."""
        eventually(lambda: self.steps.notes() == list(notes), lambda: f"{self.steps.notes()}\n{self.log()}")


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosting]:
    house = Hosting(tmp_path)
    monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, **__: str(house.kept.parents[1]))
    assert house.kept == kept_for(house.path)
    yield house
    if (acting := who_acts(house.kept)) is not None:
        ask_to_end(acting)
        assert has_ended(acting, PATIENCE)


def test_killed_in_the_middle_the_next_monitor_finishes_the_run_and_nothing_is_done_twice(house: Hosting) -> None:
    first = house.ensure()
    sent = house.start(goal="Take these steps")
    told = house.became(sent)
    assert (told["state"], told["result"]) == ("done", {"run": RUN})
    house.is_at("first", "wait")
    code, status = house.ask("--status")
    assert (code, next(line.split()[:2] for line in status.splitlines() if RUN in line)) == (0, ["three", "steps"])
    os.kill(first.pid, signal.SIGKILL)
    assert has_ended(first, PATIENCE)
    assert unattended(house.path, house.board()) == ["1 run"]
    second = house.ensure()
    assert second.pid != first.pid
    house.is_at("first", "wait", "wait")
    house.steps.let_go()
    eventually(lambda: house.ended() == ["done"], house.log)
    assert house.steps.notes() == ["first", "wait", "wait", "last"]
    assert done_tasks(house.path, RUN) == ["first", "wait", "last"]
    assert len(lines_of(house.path, "run_started")) == len(lines_of(house.path, "run_resumed")) == 1
    assert [line["state"] for line in house.told(sent)] == ["running", "done"]
    logs = {line["log"] for line in lines_of(house.path, "run_task") if line["state"] == "done"}
    assert logs == {f"logs/runs/{RUN}-{log}.log" for log in ("first-1", "wait-2", "last-1")}
    eventually(lambda: HostedRuns(house.path).all() == [])
    third = house.ensure()
    assert third.pid == second.pid
    assert unattended(house.path, house.board()) == []
    assert "runs      none" in house.ask("--status")[1]


def test_ended_in_good_order_it_leaves_the_run_to_the_next_and_says_so(house: Hosting) -> None:
    house.ensure()
    assert house.became(house.start())["state"] == "done"
    house.is_at("first", "wait")
    code, told = house.ask("--stop")
    assert (code, "1 run stops; the next monitor goes on" in told, "--yes" in told) == (2, True, True)
    assert house.ask("--stop", "--yes")[0] == 0
    assert house.ended() == ["cancelled"]
    (ended,) = lines_of(house.path, "run_ended")
    assert ended["reason"] == "its monitor ended; the next one goes on with it"
    house.steps.let_go()
    house.ensure()
    eventually(lambda: house.ended() == ["cancelled", "done"], house.log)
    assert house.steps.notes() == ["first", "wait", "wait", "last"]
    assert done_tasks(house.path, RUN) == ["first", "wait", "last"]


def test_the_person_cancels_a_run_and_no_monitor_brings_it_back(house: Hosting) -> None:
    acting = house.ensure()
    assert house.became(house.start())["state"] == "done"
    house.is_at("first", "wait")
    assert house.became(house.give(CommandType.CANCEL_RUN, RUN, reason="not now"))["state"] == "done"
    eventually(lambda: house.ended() == ["cancelled"])
    ask_to_end(acting)
    assert has_ended(acting, PATIENCE)
    house.steps.let_go()
    house.ensure()
    again = house.became(house.give(CommandType.CANCEL_RUN, RUN))
    assert (again["state"], again["reason"]) == ("failed", "no such run runs here")
    assert house.steps.notes() == ["first", "wait"]
    assert house.became(house.give(CommandType.RESUME_RUN, RUN))["result"] == {"run": RUN}
    eventually(lambda: house.ended() == ["cancelled", "done"], house.log)
    assert house.steps.notes() == ["first", "wait", "wait", "last"]


def test_what_the_person_did_not_sign_or_does_not_see_any_more_starts_nothing(house: Hosting) -> None:
    house.ensure()
    payload, own = house.steps.payload(run=RUN), own_carrier(house.path)
    unsigned = command("human", CommandType.START_RUN, str(house.steps.path), payload, own)
    with house.path.open("ab") as file:
        file.write(json.dumps({"id": "c1", "timestamp": "2099-01-01T00:00:00Z", **unsigned}).encode() + b"\n")
        forged = {"id": "c2", "timestamp": "2099-01-01T00:00:00Z", **unsigned}
        forged |= seal_with(OTHER_KEY, "abcdef", what=Signed.COMMAND)(forged)
        file.write(json.dumps(forged).encode() + b"\n")
    elsewhere = house.give(CommandType.START_RUN, str(house.steps.path), Carrier("f" * 12, "nas"), **payload)
    house.steps.change("Begin, ", "Begin something else, ")
    swapped = house.became(house.give(CommandType.START_RUN, str(house.steps.path), **payload))
    assert swapped["state"] == "failed"
    assert "is not what you saw any more" in swapped["reason"]
    house.steps.change("[role.executor]", "[role.executer]")
    wrong = house.became(house.give(CommandType.START_RUN, str(house.steps.path), **payload))
    assert wrong["reason"].count("steps.toml:") >= 3, "each mistake of the pipeline"
    gone = house.became(house.give(CommandType.START_RUN, str(house.folder / "no.toml"), **payload))
    assert "there is no such file" in gone["reason"]
    assert house.told(elsewhere) == house.told("c1") == house.told("c2") == []
    assert house.steps.notes() == lines_of(house.path, "run_started") == []
    assert HostedRuns(house.path).all() == []
