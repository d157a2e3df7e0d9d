"""Rules that run programs: what is written of it, who waits for whom, and what becomes of one that did not end."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from collab_tui.config.rules import Rule, Then, When
from collab_tui.reactions.actions import run, turns
from collab_tui.reactions.reactor import INTERRUPTED, Reactor
from tests.events import decides, line
from tests.program import eventually
from tests.reactions.desk import Desk, rule
from tests.signing import install_key, signed

pytestmark = pytest.mark.skipif(os.name == "nt", reason="process groups of Unix")


def runs(script: str, name: str = "wake", **more: object) -> Rule:
    """A rule that runs a program in Python."""
    return rule(name, then=Then(run=(sys.executable, "-I", "-S", "-c", script)), **more)


WAIT = "import os\nwhile not os.path.exists('go'): pass"
"""Runs until the test says so."""


async def test_that_it_begins_is_written_before_and_how_it_ended_afterwards(desk: Desk) -> None:
    desk.rules = (runs("import sys; print(sys.stdin.read(), end=''); sys.exit(3)"),)
    reactor = await desk.started()
    cause = desk.say("sena", "ready", message="안녕")
    await reactor.look()
    await desk.until_outcomes("wake", "started", "exit 3")
    started, ended = desk.lines("activation")
    assert started["cause"] == ended["cause"] == cause
    assert ended["started"] == started["id"]
    assert ended["took_ms"] > 0
    assert json.loads(desk.output(ended))["message"] == "안녕"
    assert desk.folder / "state" in Path(ended["log"]).parents
    assert not any("안녕" in str(event) for event in desk.lines("activation")), "output is never in the registry"
    await reactor.end()


async def test_what_it_knows_of_us(desk: Desk) -> None:
    desk.environment = {"PATH": os.environ["PATH"], "ANTHROPIC_API_KEY": "secret", "COLLAB_AGENT": "sena"}
    desk.rules = (runs("import json, os; print(json.dumps({**os.environ, 'cwd': os.getcwd()}))"),)
    reactor = await desk.started()
    desk.say("sena", "ready")
    await reactor.look()
    await desk.until_outcomes("wake", "started", "exit 0")
    started, ended = desk.lines("activation")
    known = json.loads(desk.output(ended))
    assert known.pop("LC_CTYPE", None) in (None, "C.UTF-8")  # Python's own
    assert known == {
        "PATH": os.environ["PATH"],
        "COLLAB_REGISTRY": str(desk.path),
        "COLLAB_AGENT": "monitor",
        "COLLAB_CAUSE": started["id"],
        "COLLAB_RULE": "wake",
        "cwd": str(desk.folder),
    }
    await reactor.end()


async def test_what_it_writes_does_not_set_the_rule_off_again(desk: Desk) -> None:
    root = Path(run.__file__).parents[3]
    script = f"""
import os, sys
sys.path.insert(0, {str(root)!r})
from collab_tui.registry.append import append
append(os.environ["COLLAB_REGISTRY"], {{"agent": "sena", "event": "ready"}})"""
    desk.rules = (runs(script),)
    reactor = await desk.started()
    desk.say("sena", "ready")
    await reactor.look()
    await desk.until_outcomes("wake", "started", "exit 0")
    await desk.look(reactor)
    assert desk.outcomes() == ["started", "exit 0", "held back: loop guard"]
    caused = [event for event in desk.lines() if "caused_by" in event]
    assert [event["caused_by"] for event in caused] == [desk.lines("activation")[0]["id"]]
    await reactor.end()


async def test_a_slow_program_holds_up_no_other_rule(desk: Desk) -> None:
    desk.rules = (runs(WAIT, "slow"), runs("", "quick"), rule("wake"))
    reactor = await desk.started()
    desk.say("sena", "ready")
    await reactor.look()
    await desk.until_outcomes("quick", "started", "exit 0")
    assert desk.outcomes("wake") == ["sent"]
    assert desk.outcomes("slow") == ["started"]
    (desk.folder / "go").touch()
    await desk.until_outcomes("slow", "started", "exit 0")
    await reactor.end()


async def test_those_of_one_rule_run_one_after_the_other_and_not_without_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "MAX_WAITING", 2)
    desk.rules = (runs(WAIT),)
    reactor = await desk.started()
    first = desk.say("sena", "ready")
    await reactor.look()
    await desk.until_outcomes("wake", "started")
    causes = [desk.say("sena", "ready") for _ in range(4)]
    await reactor.look()
    refused = "refused: 2 wait already for the one before to end"
    assert desk.outcomes() == ["started", refused, refused]
    (desk.folder / "go").touch()
    await desk.until_outcomes(
        "wake", "started", refused, refused, *["exit 0", "started", "exit 0", "started", "exit 0"]
    )
    begun = [event["cause"] for event in desk.lines("activation") if event["outcome"] == "started"]
    assert begun == [first, *causes[:2]]
    await reactor.end()


async def test_a_projects_rule_runs_nothing(desk: Desk) -> None:
    desk.rules = (runs("open('ran', 'w')", is_users=False),)
    reactor = await desk.started()
    desk.say("sena", "ready")
    await reactor.look()
    await reactor.end()
    assert desk.outcomes() == ["refused: a project's rule starts no programs, and prompts no sessions"]
    assert not (desk.folder / "ran").exists()


async def one_runs_and_one_waits(desk: Desk) -> Reactor:
    """Two of one rule: the first goes on until there is a file `go`."""
    desk.rules = (runs(WAIT),)
    reactor = await desk.started()
    desk.say("sena", "ready")
    desk.say("sena", "ready")
    await reactor.look()
    await desk.until_outcomes("wake", "started")
    return reactor


async def test_what_waits_is_not_run_once_the_rule_is_off(desk: Desk) -> None:
    reactor = await one_runs_and_one_waits(desk)
    desk.rules = ()
    await reactor.use(desk.setup)
    (desk.folder / "go").touch()
    await desk.until_outcomes("wake", "started", "exit 0", "refused: the rule was switched off")
    await reactor.end()


async def test_what_waited_until_it_was_too_old_is_not_run(desk: Desk) -> None:
    reactor = await one_runs_and_one_waits(desk)
    desk.pass_time(minutes=11)
    (desk.folder / "go").touch()
    await desk.until_outcomes("wake", "started", "exit 0", "refused: it is too old by now")
    await reactor.end()


async def test_at_the_end_what_runs_is_ended_and_what_waits_is_left_to_the_next(desk: Desk) -> None:
    reactor = await one_runs_and_one_waits(desk)
    await reactor.end()
    assert desk.outcomes() == ["started", "stopped"]
    (desk.folder / "go").touch()
    reactor = await desk.started()
    await desk.until_outcomes("wake", "started", "stopped", "started", "exit 0")
    await reactor.end()


async def test_one_that_has_no_end_is_told_of_and_not_run_again(desk: Desk) -> None:
    desk.rules = (runs("open('ran', 'a').write('x')\n" + WAIT),)
    reactor = await desk.started()
    desk.say("sena", "ready")
    await reactor.look()
    await asyncio.to_thread(eventually, (desk.folder / "ran").exists)
    for _ in range(3):  # the first was killed: it says nothing more
        other = desk.reactor()
        await desk.look(other)
        await other.end()
    assert desk.outcomes() == ["started", INTERRUPTED]
    assert [told.outcome for told in desk.told] == ["started", INTERRUPTED]
    assert (desk.folder / "ran").read_text(encoding="utf-8") == "x"
    (desk.folder / "go").touch()
    await reactor.end()


async def test_what_another_machine_runs_is_not_interrupted(desk: Desk) -> None:
    desk.rules = (runs(""),)
    desk.say(
        "monitor", "activation", rule="wake", key="wake: 1", outcome="started", monitor="another", chain={"wake": 1}
    )
    reactor = await desk.started()
    assert desk.outcomes() == ["started"]
    await reactor.end()


async def test_a_program_that_cannot_be_started_is_an_outcome(desk: Desk) -> None:
    desk.rules = (rule(then=Then(run=("./nothing-of-the-kind",))),)
    reactor = await desk.started()
    desk.say("sena", "ready")
    await reactor.look()
    await desk.until_outcomes("wake", "started", "failed: ./nothing-of-the-kind: No such file or directory")
    await reactor.end()


async def test_a_decision_sets_off_a_program_once_also_when_the_registry_is_put_back(desk: Desk) -> None:
    desk.keyring = install_key(desk.folder / "keys")
    desk.rules = (runs("", when=When(event="decision", verdict="approved")),)
    reactor = await desk.started()
    request = desk.say("sena", "decision_request", request="Deploy?", target="human")
    asked = desk.path.read_bytes()
    desk.say("human", "decision", request_id=request, verdict="approved")
    await desk.look(reactor)
    assert desk.outcomes() == [], "anybody may write that"
    decision = line(signed(decides("human", request, id="d1", verdict="approved"), asked))
    with desk.path.open("ab") as file:
        file.write(decision)
    await desk.look(reactor)
    await asyncio.to_thread(eventually, lambda: [told.outcome for told in desk.told] == ["started", "exit 0"])
    desk.path.write_bytes(asked)
    await desk.look(reactor)
    with desk.path.open("ab") as file:
        file.write(decision)
    await desk.look(reactor)
    await desk.until_outcomes("wake", "started", "refused: that decision was acted on before")
    await reactor.end()


async def test_a_decision_of_which_nobody_can_tell_whether_it_was_used_runs_nothing(desk: Desk) -> None:
    (desk.folder / "used").write_text("in the way", encoding="utf-8")
    desk.rules = (runs("open('ran', 'w')", when=When(event="decision")),)
    reactor = await desk.started()
    desk.say("lubit", "decision", target="sena", verdict="approved")
    await reactor.look()
    await asyncio.to_thread(eventually, lambda: len(desk.outcomes()) == 2)
    assert desk.outcomes()[1].startswith("refused: it cannot be told whether that decision was acted on before: ")
    assert not (desk.folder / "ran").exists()
    await reactor.end()


async def test_the_users_own_program_is_given_the_text(desk: Desk) -> None:
    desk.rules = (rule(then=Then(notify="{from} is ready: {message}")),)
    desk.notify_command = ("sh", "-c", 'cat > "$HOME/told"')
    desk.environment = {"PATH": os.environ["PATH"], "HOME": str(desk.folder)}
    reactor = await desk.started()
    desk.say("sena", "ready", message="$(touch got)")
    await reactor.look()
    told = desk.folder / "told"
    await asyncio.to_thread(eventually, lambda: told.exists() and told.read_bytes().endswith(b"\n"))
    assert told.read_text(encoding="utf-8") == "sena is ready: “$(touch got)”\n"
    assert not (desk.folder / "got").exists()
    await reactor.end()


async def test_a_program_for_notifications_that_fails_is_told(desk: Desk) -> None:
    desk.rules = (rule(then=Then(notify="{from}")),)
    desk.notify_command = ("./nothing-of-the-kind",)
    reactor = await desk.started()
    desk.say("sena", "ready")
    await reactor.look()
    await asyncio.to_thread(eventually, lambda: desk.notices)
    assert desk.outcomes() == ["notified"]
    assert desk.notices == ["notify_command: failed: ./nothing-of-the-kind: No such file or directory"]
    await reactor.end()
