"""Killed at every step, between any two system calls that change anything: nothing is done twice, nothing forgotten."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from collab_tui.config.rules import Then
from collab_tui.processes import supervised
from collab_tui.reactions.ledger import Ledger
from collab_tui.reactions.reactor import INTERRUPTED
from collab_tui.registry.append import append
from tests.program import eventually
from tests.reactions.desk import Desk, rule

pytestmark = pytest.mark.skipif(os.name == "nt", reason="process groups of Unix")

RUN = (sys.executable, "-I", "-S", "-c", "open('ran', 'a').write('x')")


class KilledError(BaseException):
    """The process is gone."""


class Killer:
    """Ends everything at the n-th step: before a call, in the middle of a write, or after a call."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._left = -1
        self.is_dead = False
        for holder, name in ((os, "fsync"), (os, "replace"), (supervised, "Popen")):
            monkeypatch.setattr(holder, name, self._around(getattr(holder, name)))
        if hasattr(os, "fdatasync"):
            monkeypatch.setattr(os, "fdatasync", self._around(os.fdatasync))
        monkeypatch.setattr(os, "write", self._torn(os.write))

    def arm(self, step: int) -> None:
        self._left, self.is_dead = step, False

    def disarm(self) -> bool:
        """Let everything live again; gives whether it was killed."""
        was_dead, self._left, self.is_dead = self.is_dead, -1, False
        return was_dead

    def _step(self) -> None:
        if self._left < 0:
            return
        if self._left == 0:
            self.is_dead = True
        if self.is_dead:
            raise KilledError
        self._left -= 1

    def _around(self, genuine: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            self._step()
            result = genuine(*arguments, **keywords)
            try:
                self._step()
            except KilledError:
                if hasattr(result, "communicate"):
                    result.kill()  # it was not told what to run yet, and ends by itself with the pipe
                    result.communicate()
                raise
            return result

        return call

    def _torn(self, genuine: Callable[[int, bytes], int]) -> Callable[[int, bytes], int]:
        def write(descriptor: int, data: bytes) -> int:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # what pipes hold is gone with the process
                return genuine(descriptor, data)
            self._step()
            if self._left == 0 and len(data) > 1:
                genuine(descriptor, data[: len(data) // 2])
                self._step()
            count = genuine(descriptor, data)
            self._step()
            return count

        return write


async def live(desk: Desk, killer: Killer, step: int, is_settled: Callable[[], bool]) -> bool:
    """One life of a monitor, until all is settled; True when it was killed."""
    killer.arm(step)
    reactor = desk.reactor()
    try:
        await desk.look(reactor)
        await asyncio.to_thread(eventually, lambda: killer.is_dead or is_settled())
        await desk.look(reactor)
    except KilledError:
        pass
    with suppress(KilledError):
        await reactor.end()  # of a dead one, for its tasks: it changes nothing any more
    return killer.disarm()


async def test_whatever_step_it_is_killed_at(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    killer = Killer(monkeypatch)
    desk.rules = (rule(), rule("tell", then=Then(notify="{from}")), rule("run", then=Then(run=RUN)))
    steps = 0
    seen: set[tuple[str, ...]] = set()
    was_killed = True
    while was_killed:
        fresh = Desk(desk.folder / str(steps))
        fresh.rules = desk.rules
        await (await fresh.started()).end()
        cause = fresh.say("sena", "ready")

        def is_settled(fresh: Desk = fresh) -> bool:
            return fresh.outcomes("run")[-1:] not in ([], ["started"])

        was_killed = await live(fresh, killer, steps, is_settled)
        for _ in range(2):
            assert not await live(fresh, killer, 1_000_000, is_settled)
        assert fresh.messages() == {cause: 1}, steps
        assert fresh.outcomes() == ["sent"], steps
        assert fresh.outcomes("tell") == ["notified"], steps
        ran = fresh.folder / "ran"
        times = len(ran.read_text(encoding="utf-8")) if ran.exists() else 0
        assert (tuple(fresh.outcomes("run")), times) in (
            (("started", "exit 0"), 1),
            (("started", INTERRUPTED), 0),
            (("started", INTERRUPTED), 1),
        ), steps
        seen.add(tuple(fresh.outcomes("run")))
        steps += 1
    assert steps > 30
    assert len(seen) == 2, "it was killed before the program, and while it ran"


async def test_what_is_too_old_is_told_once_at_whatever_step_it_is_killed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    killer = Killer(monkeypatch)
    steps, was_killed = 0, True
    while was_killed:
        fresh = Desk(desk.folder / str(steps))
        await (await fresh.started()).end()
        for _ in range(3):
            fresh.say("sena", "ready")
        fresh.pass_time(hours=1)
        fresh.say("sena", "ready", timestamp=None)  # nobody knows when
        cause = fresh.say("sena", "ready")
        fresh.say("sena", "ready", timestamp=None)
        was_killed = await live(fresh, killer, steps, lambda: True)
        append(str(fresh.path), {"agent": "sena", "event": "ready"})  # behind what was perhaps cut off
        fresh.pass_time(hours=1)
        for _ in range(2):
            assert not await live(fresh, killer, 1_000_000, lambda: True)
        assert fresh.messages() in ({cause: 1}, {}), steps
        told = [event["events"] for event in fresh.lines("activation") if "events" in event]
        assert sum(told) + len(fresh.messages()) == 7, (steps, told)
        assert len(told) <= 2, "one line for each time that nobody looked"
        steps += 1
    assert steps > 10


async def test_the_end_of_what_was_said_is_written_by_the_next(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    reactor = await desk.started()
    cause = desk.say("sena", "ready")
    genuine = Ledger.write

    async def die_after_the_message(self: Ledger, deed: Any, event: Any, *more: Any) -> bool:
        if event["event"] == "activation":
            raise KilledError
        return await genuine(self, deed, event, *more)

    monkeypatch.setattr(Ledger, "write", die_after_the_message)
    with pytest.raises(KilledError):
        await desk.look(reactor)
    monkeypatch.undo()
    monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, **__: str(desk.folder / "state"))
    desk.pass_time(hours=2)
    for _ in range(2):
        await desk.look(await desk.started())
    assert desk.messages() == {cause: 1}
    (activation,) = desk.lines("activation")
    assert (activation["outcome"], activation["cause"], activation["target"]) == ("sent", cause, "lubit")
    assert activation["chain"] == {"wake": 1}, "the limits and the loop guard know of it"


async def test_two_monitors_that_do_not_know_of_each_other_do_everything_once(desk: Desk) -> None:
    """On two machines, with one registry on a network drive: no lock of the one is known to the other."""
    reactors = [await desk.started() for _ in range(3)]
    causes = [desk.say("sena", "ready") for _ in range(10)]
    await asyncio.gather(*map(desk.look, reactors))
    assert desk.messages() == dict.fromkeys(causes, 1)
    assert desk.outcomes() == ["sent"] * 10
