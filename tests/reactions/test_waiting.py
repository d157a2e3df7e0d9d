"""What was held back, or waited for long: it is not done late, neither by the same monitor nor by the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from collab_tui.config.rules import Then
from collab_tui.model.moment import Limits
from collab_tui.reactions.looking import Setup
from collab_tui.reactions.reactor import Reactor
from collab_tui.registry import append as appending
from collab_tui.registry.append import NotWrittenError
from tests.events import lines
from tests.program import eventually
from tests.reactions.desk import Desk, rule


async def test_what_was_held_back_stays_so_after_a_restart(desk: Desk) -> None:
    """The cursor stands before what waits to be run, so all that came later is looked at once more."""
    desk.rules = (rule(cool_down=60.0), rule("run", then=Then(run=("sleep", "1000"))))
    reactor = await desk.started()
    for _ in range(2):
        desk.say("sena", "ready")
        await desk.look(reactor)
    assert len(desk.lines("message")) == 1
    await reactor.end()
    desk.pass_time(minutes=3)
    reactor = desk.reactor()
    await desk.look(reactor)
    await reactor.end()
    assert len(desk.lines("message")) == 1


async def test_what_was_held_back_stays_so_when_the_monitor_was_killed_at_once(desk: Desk) -> None:
    desk.rules = (rule(cool_down=5.0),)
    await (await desk.started()).end()
    killed = desk.reactor()
    for _ in range(2):
        desk.say("sena", "ready")
        await desk.look(killed)
    (cursor,) = (desk.folder / "state").rglob("cursor.json")
    desk.pass_time(seconds=30)
    await desk.look(desk.reactor())
    assert len(desk.lines("message")) == 1
    assert cursor.exists()


async def test_what_could_not_be_written_until_it_was_too_old_is_left(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _blocked(desk, monkeypatch, lambda reactor: desk.pass_time(minutes=11), "not done: it is too old by now")


async def test_a_rule_that_is_switched_off_while_it_cannot_be_written_does_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _blocked(
        desk,
        monkeypatch,
        lambda reactor: reactor.heed(Setup((), "human", Limits())),
        "not done: the rule was switched off",
    )


async def _blocked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[Reactor], None], outcome: str
) -> None:
    """Nothing can be written until that happened."""
    monkeypatch.setattr("collab_tui.reactions.ledger._FIRST_PAUSE", 0.001)
    desk.rules = (rule(), rule("tell", then=Then(notify="{from}")))
    reactor = await desk.started()
    desk.say("sena", "ready")

    def fail(*_: object, **__: object) -> None:
        raise NotWrittenError("no space left")

    with monkeypatch.context() as full:
        full.setattr(appending, "append", fail)
        looking = asyncio.create_task(reactor.look())
        await asyncio.to_thread(eventually, lambda: desk.notices)
        meanwhile(reactor)
        await looking
    await desk.look(reactor)
    assert [told.outcome for told in desk.told] == [outcome] * 2
    assert desk.lines("activation") == desk.lines("message") == []


async def test_thousands_that_are_held_back_hold_up_nobody(desk: Desk) -> None:
    desk.rules = (rule(per_hour=1),)
    reactor = await desk.started()
    with desk.path.open("ab") as file:
        file.write(lines(*({"agent": "sena", "event": "ready", "id": str(number)} for number in range(2000))))
    look = await asyncio.to_thread(reactor._looker.look, desk.now)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    await reactor._act(replace(look, recent=look.recent[:2]))  # what is written of it
    task = asyncio.create_task(others())
    await reactor._act(replace(look, recent=look.recent[2:]))
    task.cancel()
    assert turns >= 9
    assert desk.outcomes() == ["sent", "held back: limit per hour"]
