"""The monitor as host of runs: what it begins, what it goes on with after it was gone, and what it leaves to others."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collab_tui.config import Config
from collab_tui.model.fold import Fold
from collab_tui.model.runs import Run
from collab_tui.model.sessions import CommandState
from collab_tui.monitor.watching import Watch, own_carrier, watch_runs
from collab_tui.orchestrator.hosted import HostedRuns
from collab_tui.orchestrator.hosting import RunService
from collab_tui.orchestrator.kept import KeptRuns
from collab_tui.protocol.commands import CommandType, send
from collab_tui.protocol.kept_results import KeptResults
from collab_tui.protocol.nearby import announce
from collab_tui.protocol.obeying import Obeying
from collab_tui.protocol.trust import Trust
from collab_tui.registry.base import read_to_end
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.tui.machine import HereError, Machine
from tests.orchestrator.hosting_stage import OTHER, RUN, Stage
from tests.orchestrator.noting import done_tasks, lines_of
from tests.signing import state_at


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, **__: str(state_at(tmp_path / "home")))
    return Stage(tmp_path)


async def test_several_runs_go_at_once_and_each_ends_by_itself(stage: Stage) -> None:
    async with stage.at_work():
        first, second = stage.start(), stage.start(OTHER, goal="Others", variables={"count": "four"})
        await stage.until(lambda: stage.steps.notes().count("wait") == 2)
        assert {hosted.run for hosted in stage.hosted.all()} == {RUN, OTHER}
        again = stage.start()
        await stage.until(lambda: stage.states(again))
        assert stage.reason(again) == f"the run {RUN} runs here already"
        gone_on_with = stage.give(CommandType.RESUME_RUN, RUN)
        await stage.until(lambda: "done" in stage.states(gone_on_with))
        cancelled = stage.give(CommandType.CANCEL_RUN, OTHER)
        await stage.until(lambda: stage.ended(OTHER))
        await stage.until(lambda: stage.states(cancelled))
        stage.steps.let_go()
        await stage.until(lambda: stage.ended() and not stage.hosted.all())
        taken = stage.start()
        await stage.until(lambda: stage.states(taken))
        assert stage.reason(taken) == f"there is a run {RUN} already"
    assert (stage.ended(), stage.ended(OTHER)) == (["done"], ["cancelled"])
    assert stage.states(first) == stage.states(second) == ["running", "done"]
    assert {line["goal"] for line in lines_of(stage.path, "run_started")} == {"Take three steps", "Others"}
    assert done_tasks(stage.path, RUN) == ["first", "wait", "last"]
    assert stage.hosted.all() == []


async def test_what_had_not_begun_is_begun_by_the_next_monitor_as_the_person_saw_it(stage: Stage) -> None:
    stage.steps.let_go()
    stage.note(RUN, "c1")
    async with stage.at_work():
        await stage.until(stage.ended)
    assert stage.states("c1") == ["done"]
    stage.note(OTHER, "c2")
    stage.steps.change("Begin, ", "Begin something else, ")
    async with stage.at_work():
        await stage.until(lambda: stage.states("c2"))
    assert "is not what you saw any more" in stage.reason("c2")
    assert stage.hosted.all() == []
    assert stage.ended(OTHER) == []


async def test_one_that_was_over_before_it_was_forgotten_is_answered_and_not_begun_anew(stage: Stage) -> None:
    stage.steps.let_go()
    async with stage.at_work():
        stage.start()
        await stage.until(lambda: stage.ended() and not stage.hosted.all())
    stage.note(RUN, "c1")
    async with stage.at_work():
        await stage.until(lambda: stage.states("c1") and not stage.hosted.all())
        assert stage.ended() == ["done"]
        resumed = stage.give(CommandType.RESUME_RUN, RUN)
        await stage.until(lambda: stage.states(resumed)[-1:] == ["done"])
    assert stage.states("c1") == ["done"]
    assert stage.steps.notes() == ["first", "wait", "last"]


async def test_a_run_of_a_foreground_process_is_cancelled_by_a_command_to_that_process(stage: Stage) -> None:
    with stage.foreground("run", str(stage.steps.path), RUN) as process:
        await stage.until(lambda: stage.steps.notes() == ["first", "wait"])
        assert process.poll() is None
        async with stage.at_work():
            wrong = stage.give(CommandType.CANCEL_RUN, RUN)
            await stage.until(lambda: stage.states(wrong))
        assert stage.reason(wrong) == "no such run runs here", "the monitor does not have it"
        with stage.path.open("ab") as file:
            forged = {"id": "c1", "timestamp": "2099-01-01T00:00:00Z", "agent": "human", "event": "command"}
            forged |= {"command_type": "cancel_run", "target": RUN, "payload": {}, "monitor": stage.carrier().monitor}
            file.write(json.dumps(forged).encode() + b"\n")
        sent = stage.give(CommandType.CANCEL_RUN, RUN, stage.carrier(), reason="the plan was wrong")
        assert process.stdout.read() == "cancelled\n"
    assert stage.ended() == ["cancelled"]
    assert lines_of(stage.path, "run_ended")[0]["reason"] == "the plan was wrong"
    assert stage.states(sent) == ["done"]
    assert stage.states("c1") == []


async def test_a_run_of_a_foreground_process_is_never_taken_over(stage: Stage) -> None:
    board = watching(stage)
    with stage.foreground("run", str(stage.steps.path), RUN) as process:
        await stage.until(lambda: stage.steps.notes() == ["first", "wait"])
        assert board() == {RUN: Watch.PROCESS}
        machine, (run,) = Machine(stage.registry()), runs_of(stage)
        assert machine.carrier(run) == stage.carrier() != own_carrier(stage.path)
        async with stage.at_work():
            taken = stage.give(CommandType.RESUME_RUN, RUN)
            await stage.until(lambda: stage.states(taken)[-1:] == ["failed"])
        assert "goes on already" in stage.reason(taken)
        process.kill()
        process.wait()
    assert board() == {RUN: Watch.GONE}
    with pytest.raises(HereError, match="is gone, and nothing of it runs"):
        machine.carrier(run)
    stage.steps.let_go()
    async with stage.at_work():
        told = stage.give(CommandType.CANCEL_RUN, RUN)
        await stage.until(lambda: stage.states(told))
    assert stage.ended() == []
    assert stage.steps.notes() == ["first", "wait"]


async def test_one_that_somebody_resumed_elsewhere_is_theirs_from_then_on(stage: Stage) -> None:
    async with stage.at_work():
        stage.start()
        await stage.until(lambda: stage.steps.notes() == ["first", "wait"])
        assert watching(stage)() == {RUN: Watch.MONITOR}
    assert stage.ended() == ["cancelled"]
    assert [hosted.run for hosted in stage.hosted.all()] == [RUN]
    with stage.foreground("resume", RUN) as process:
        await stage.until(lambda: stage.steps.notes() == ["first", "wait", "wait"])
        process.kill()
        process.wait()
    stage.steps.let_go()
    async with stage.at_work():
        await stage.until(lambda: not stage.hosted.all())
    assert stage.steps.notes() == ["first", "wait", "wait"]


async def test_a_command_whose_monitor_was_gone_before_it_was_noted_is_told_to_be_lost(stage: Stage) -> None:
    sent = stage.start()
    (line,) = [item for item in JsonlRegistry(stage.path).read_next().items if item.position == 1]
    assert stage.used.of_commands.use_once(line, own_carrier(stage.path).monitor)
    async with stage.at_work():
        await stage.until(lambda: stage.states(sent))
    assert stage.reason(sent) == "the monitor that had begun it ended before it was done"
    kept = KeptResults(stage.path).load(sent)
    assert kept is not None
    assert kept.state == "failed"
    async with stage.at_work():
        announce(stage.path)
        other = stage.give(CommandType.CANCEL_RUN, RUN)
        await stage.until(lambda: stage.states(other))
    assert stage.states(sent) == ["failed"], "it is told once"
    assert not KeptRuns(stage.path).has(RUN)


@pytest.mark.parametrize(
    ("target", "change", "why"),
    [
        ("steps.toml", {}, "named by the whole path"),
        ("", {"run": "../../x"}, "8 hex digits"),
        ("", {"variables": '["a"]'}, "no JSON object of texts"),
        ("", {"variables": "["}, "no JSON object of texts"),
        ("", {"variables": '{"size": "4"}'}, "size"),
    ],
)
async def test_a_start_that_makes_no_sense_is_refused(
    stage: Stage, target: str, change: dict[str, str], why: str
) -> None:
    async with stage.at_work():
        payload = stage.steps.payload(run=RUN) | change
        sent = stage.give(CommandType.START_RUN, target or str(stage.steps.path), **payload)
        await stage.until(lambda: stage.states(sent)[-1:] == ["failed"])
    assert why in stage.reason(sent)
    assert lines_of(stage.path, "run_started") == []
    assert stage.hosted.all() == []


async def test_what_was_told_to_fail_is_not_kept(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    tell = Obeying.tell

    async def tell_slowly(self: Obeying, command: Any, state: CommandState, *about: Any) -> None:
        await tell(self, command, state, *about)
        if state is CommandState.FAILED:
            await asyncio.Event().wait()  # the monitor ends before it is over

    monkeypatch.setattr(Obeying, "tell", tell_slowly)
    async with stage.at_work():
        sent = stage.start(variables={"size": "4"})
        await stage.until(lambda: stage.states(sent)[-1:] == ["failed"])
    assert stage.hosted.all() == []


async def test_settings_that_change_say_at_once_who_gives_commands(stage: Stage) -> None:
    trusts = {name: Trust(name, {}, stage.trust.keyring) for name in ("lena", "mira")}

    def give(person: str) -> str:
        cancel = CommandType.CANCEL_RUN
        return str(send(stage.registry(), trusts[person], cancel, RUN, {}, own_carrier(stage.path))["id"])

    service = RunService(stage.path, stage.notices.append, trust=lambda config: trusts[config.person], used=stage.used)
    await service.start(None, Config(person="lena"))
    try:
        unheard, heard = give("mira"), give("lena")
        await stage.until(lambda: stage.states(heard))
        await service.use(Config(person="mira"))
        now_heard = give("mira")
        await stage.until(lambda: stage.states(now_heard))
    finally:
        await service.end()
    assert stage.states(unheard) == []


def watching(stage: Stage) -> Callable[[], Any]:
    """What this machine knows of the runs that the registry tells of."""
    return lambda: watch_runs(stage.path, runs_of(stage))


def runs_of(stage: Stage) -> tuple[Run, ...]:
    fold = Fold("human")
    read_to_end(JsonlRegistry(stage.path), fold)
    return fold.board().runs


async def left_waiting(stage: Stage) -> bytes:
    """A run whose monitor ended; gives its registry as it was then."""
    async with stage.at_work():
        stage.start()
        await stage.until(lambda: "wait" in stage.steps.notes())
    assert stage.ended() == ["cancelled"]
    stage.notices.clear()
    return stage.path.read_bytes()


async def test_a_run_that_cannot_be_gone_on_with_is_told_everywhere_and_kept_for_when_it_can(stage: Stage) -> None:
    await left_waiting(stage)
    (kept,) = stage.folder.rglob("run.json")
    whole = kept.read_text(encoding="utf-8")
    kept.write_text(whole.replace(json.dumps(sys.executable), '"/no/such/program"'), encoding="utf-8")
    for _ in range(2):
        async with stage.at_work():
            await stage.until(lambda: any("there is no program" in notice for notice in stage.notices))
            await stage.until(lambda: len(stage.ended()) == 2)
        assert [hosted.run for hosted in stage.hosted.all()] == [RUN]
    assert "there is no program" in lines_of(stage.path, "run_ended")[-1]["reason"], "told once for each reason"
    kept.write_text(whole, encoding="utf-8")
    stage.steps.let_go()
    async with stage.at_work():
        await stage.until(lambda: stage.ended()[-1:] == ["done"] and not stage.hosted.all())
    assert done_tasks(stage.path, RUN) == ["first", "wait", "last"]


@pytest.mark.parametrize("how", ["its lines", "all of it", "the key"])
async def test_what_is_lost_of_a_run_that_began_begins_nothing_anew(stage: Stage, how: str) -> None:
    whole = await left_waiting(stage)
    (key,) = stage.folder.rglob("run-lines.json")
    away = stage.path.with_name("away")
    notes = stage.steps.notes()
    match how:
        case "its lines":
            stage.path.write_bytes(b"".join(line for line in whole.splitlines(keepends=True) if b"proof" not in line))
        case "all of it":
            stage.path.rename(away)
        case _:
            key.rename(away)
    why = {"its lines": "no line of it stands", "all of it": "cannot be read", "the key": "put it back"}[how]
    async with stage.at_work():
        await stage.until(lambda: any(why in notice for notice in stage.notices))
    assert stage.steps.notes() == notes
    assert [hosted.run for hosted in stage.hosted.all()] == [RUN]
    if how == "the key":
        away.rename(key)
    else:
        stage.path.write_bytes(whole)
    stage.steps.let_go()
    async with stage.at_work():
        await stage.until(lambda: stage.ended()[-1:] == ["done"] and not stage.hosted.all())


async def test_a_run_of_which_only_the_note_was_left_behind_stays_done(stage: Stage) -> None:
    async with stage.at_work():
        stage.steps.let_go()
        stage.start()
        await stage.until(lambda: stage.ended() and not stage.hosted.all())
        stage.note()
        given_up = stage.give(CommandType.CANCEL_RUN, RUN)
        await stage.until(lambda: stage.states(given_up) == ["failed"])
    assert stage.reason(given_up) == f"the run {RUN} is over: done"
    assert (stage.ended(), stage.hosted.all()) == (["done"], [])


async def test_a_note_that_cannot_be_removed_is_told_and_the_command_is_answered(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget(hosted: HostedRuns, run: str) -> None:
        raise PermissionError("not yours")

    await left_waiting(stage)
    async with stage.at_work():
        stage.note(OTHER)
        monkeypatch.setattr(HostedRuns, "forget", forget)
        given_up = stage.give(CommandType.CANCEL_RUN, OTHER)
        await stage.until(lambda: stage.states(given_up) == ["done"])
        assert any("cannot be removed: not yours" in notice for notice in stage.notices)


@pytest.mark.parametrize("is_told", [True, False])
async def test_a_run_that_cannot_be_gone_on_with_is_given_up_by_a_command(stage: Stage, *, is_told: bool) -> None:
    whole = await left_waiting(stage)
    (kept,) = stage.folder.rglob("run.json")
    kept.write_bytes(kept.read_bytes().replace(json.dumps(sys.executable).encode(), b'"/no/such/program"'))
    if not is_told:
        stage.path.write_bytes(whole.splitlines(keepends=True)[0])
    async with stage.at_work():
        await stage.until(lambda: stage.notices)
        given_up = stage.give(CommandType.CANCEL_RUN, RUN)
        await stage.until(lambda: stage.states(given_up) == ["done"])
    assert stage.hosted.all() == []
    assert not is_told or lines_of(stage.path, "run_ended")[-1]["reason"] == "cancelled by hand"
