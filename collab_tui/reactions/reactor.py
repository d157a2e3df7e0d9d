"""Acting on what rules wait for: within their limits, once, and with a record of each.

    look -> what came about -> too old? held back? -> done -> its `activation`

It may be killed at every point of this: see `ledger` for why nothing is done twice then, and nothing forgotten.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from collab_tui.processes.programs import Ended
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from collab_tui.reactions.actions.message import SENT, send
from collab_tui.reactions.actions.notify import NOTIFIED, Notifying
from collab_tui.reactions.actions.prompt import Prompt, Prompts, nobody
from collab_tui.reactions.actions.run import Programs
from collab_tui.reactions.actions.turns import Turns
from collab_tui.reactions.cursor import Cursor, CursorFile, digest
from collab_tui.reactions.happening import Happening, Notice, Tell
from collab_tui.reactions.ledger import (
    ACTIVATION,
    MESSAGE,
    STARTED,
    AnotherRegistryError,
    Deed,
    Ledger,
    NotWantedError,
)
from collab_tui.reactions.limits import HeldBack
from collab_tui.reactions.looking import TOO_OLD, Look, Looker, Setup
from collab_tui.reactions.occurrences import Occurrence
from collab_tui.registry.append import NotWrittenError, UnusableError
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.registry.kept import kept_for

INTERRUPTED: Final = "interrupted: the monitor ended before it did, and it is not done again"
_BETWEEN_CURSORS: Final = 1.0
"""Seconds: after a kill so much is looked at once more."""
_SHORT: Final = ("id", "event", "outcome", "started", "took_ms", "log")
_BETWEEN_PAUSES: Final = 200
"""Occurrences, most of them held back, after which others have their turn: programs that end, a signal."""
_MAX_OLD_KEYS: Final = 500
"""Keys that one line on what was too old names, where its position does not say it."""


class Reactor:
    """The rules of one registry, at work on it. Without `acts` it only tells what the monitor that acts does."""

    def __init__(
        self,
        registry: Path,
        setup: Setup,
        *,
        acts: bool,
        tell: Tell,
        notice: Notice,
        environment: Mapping[str, str] = os.environ,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        trust: Callable[[Setup], Trust] = lambda setup: Trust(setup.person, setup.approvers),
        used: UsedDecisions | None = None,
        prompt: Prompt = nobody,
    ) -> None:
        """Programs get what is allowed of `environment`; by `prompt` sessions are woken.

        Raises `UnusableError` for an approver's key that is none.
        """
        folder = kept_for(registry)
        self._acts = acts
        self._tell = tell
        self._notice = notice
        self._clock = clock
        self._registry = JsonlRegistry(registry)
        self._ledger = Ledger(self._registry, folder, notice)
        self._file = CursorFile(folder)
        self._kept = self._file.load() if acts else None
        self._kept_at = 0.0
        self._cannot_keep = False
        self._looker = Looker(self._registry, self._ledger, setup, trust, self._kept, clock())
        self._on = setup.on
        """The rules that are on by now, also while others are gone by."""
        self._held: Counter[str] = Counter()
        """Rule -> how often it was held back since it was done last."""
        self._is_first = True
        self._is_dealt_with = False
        """All that the last look gave was."""
        self._dealt_with_at = self._kept.at if self._kept is not None else clock().timestamp()
        """When nothing waited to be begun."""
        used = used or UsedDecisions()
        self._programs = Programs(registry, folder, environment)
        self._prompts = Prompts(prompt)
        self._turns = Turns(folder, self._record, self._why_not, used, self._do)
        self._notifying = Notifying(registry, folder, environment, notice)

    @property
    def setup(self) -> Setup:
        """The settings that it goes by."""
        return self._looker.setup

    async def use(self, setup: Setup) -> None:
        """Go on by other settings. What runs already goes on to its end."""
        self.heed(setup)
        if setup != self.setup:
            await asyncio.to_thread(self._looker.use, setup)

    def heed(self, setup: Setup) -> None:
        """Begin nothing any more of a rule that is off in other settings, also in the middle of a look."""
        self._on = setup.on

    async def look(self, began: Callable[[], None] = lambda: None) -> Look:
        """Look once, and act on what came about; `began` is called in between: what comes from then on is new."""
        now, self._is_dealt_with = self._clock(), False
        look = await asyncio.to_thread(self._looker.look, now)
        began()
        if look.became is not None:
            self._notice(f"the registry was {look.became}: nothing that stands in it now sets off a rule")
        if look.is_ready and self._is_first:
            self._is_first = False
            if self._acts:
                await self._finish()
        self._tell_of_others(look)
        if self._acts:
            await self._act(look)
        if look.is_ready:
            self._is_dealt_with = True
            if not self._turns.waiting:
                self._dealt_with_at = now.timestamp()
            await self._keep()
        return look

    async def end(self) -> None:
        """End the programs that run and the prompts that wait, and keep how far it came."""
        await self._turns.end()
        await self._notifying.end()
        if self._is_dealt_with:
            await self._keep(at_once=True)

    # What was begun before

    async def _finish(self) -> None:
        """Write the end of what an earlier monitor began and could not write the end of."""
        for deed, event in self._ledger.unfinished():
            is_message = event.kind == MESSAGE
            named = ("cause", "about", "target", "depth", "chain")
            fields = {name: event.data[name] for name in named if name in event.data}
            fields |= {"outcome": SENT} if is_message else {"outcome": INTERRUPTED, "started": event.id}
            if await self._write(deed, {**fields, "event": ACTIVATION}) and not is_message:
                self._tell(
                    Happening(self._clock(), deed.rule, INTERRUPTED, event.text("about"), cause=event.text("cause"))
                )

    # Acting

    async def _act(self, look: Look) -> None:
        for number, occurrence in enumerate(look.recent, 1):
            await self._react(occurrence)
            if number % _BETWEEN_PAUSES == 0:
                await asyncio.sleep(0)
        await self._tell_too_old(look)
        self._turns.check()

    async def _react(self, occurrence: Occurrence) -> None:
        rule, now = occurrence.rule, self._clock()
        deed = self._ledger.deed(rule, occurrence.key)
        if self._ledger.is_done(deed, occurrence.position if occurrence.cause is not None else None):
            return
        if (no_more := self._why_not(occurrence)) is not None:
            self._told(occurrence, f"not done: {no_more}")
            return
        activations, at = self._ledger.activations, occurrence.at or now
        if (why := activations.holds_back(occurrence, at, deed.owner)) is not None:
            await self._hold_back(occurrence, why, at)
            return
        did = rule.name, occurrence.agent, occurrence.key, now, self._ledger.monitor, deed.owner
        began = time.monotonic()
        if rule.then.takes_time:
            activations.add(*did)
            if (refused := self._turns.offer(occurrence)) is not None:
                await self._record(occurrence, refused)
            return
        outcome = NOTIFIED
        if rule.then.message is not None:
            try:
                outcome = await send(occurrence, deed, self._ledger, lambda: self._why_not(occurrence))
            except NotWantedError as error:
                self._told(occurrence, f"not done: {error}")
                return
            except UnusableError as error:
                outcome = f"failed: {error}"
            except AnotherRegistryError as error:
                self._notice(f"{rule.name}: not done: {error}")
                return
            activations.add(*did)
        is_ours = await self._record(occurrence, outcome, took_ms=round((time.monotonic() - began) * 1000))
        if is_ours:
            activations.add(*did)
        if is_ours and outcome == NOTIFIED and self.setup.notify_command:
            self._notifying.offer(occurrence, self.setup.notify_command)

    def _do(self, occurrence: Occurrence, activation: str, alone: int, stop: asyncio.Event) -> Awaitable[Ended]:
        does = self._programs.run if occurrence.rule.then.run is not None else self._prompts.give
        return does(occurrence, activation, alone, stop)

    async def _record(self, occurrence: Occurrence, outcome: str, /, **more: Any) -> bool:
        """Write what became of it; False when that stands there already, there is nothing to write to any more, or what
        this would begin is not wanted any more.
        """
        rule = occurrence.rule.name
        if held := self._held.pop(rule, 0):
            more["held_back"] = held
        fields = {**occurrence.fields(), "event": ACTIVATION, "outcome": outcome, **more}
        begins = outcome in (STARTED, NOTIFIED)
        try:
            deed = self._ledger.deed(occurrence.rule, occurrence.key)
            if not await self._write(deed, fields, (lambda: self._why_not(occurrence)) if begins else lambda: None):
                return False
        except NotWantedError as error:
            self._told(occurrence, f"not done: {error}")
            return False
        self._told(occurrence, outcome, more)
        return True

    async def _write(
        self, deed: Deed, fields: Mapping[str, Any], why_not: Callable[[], str | None] = lambda: None
    ) -> bool:
        try:
            try:
                return await self._ledger.write(deed, fields, why_not)
            except UnusableError:  # its cause has an endless id, or name: then without all that it says of it
                short = {name: fields[name] for name in _SHORT if name in fields}
                return await self._ledger.write(deed, short, why_not)
        except AnotherRegistryError as error:
            self._notice(f"{deed.rule}: not written: {error}")
            return False

    def _told(self, occurrence: Occurrence, outcome: str, more: Mapping[str, Any] | None = None) -> None:
        cause, more = occurrence.cause, more or {}
        self._tell(
            Happening(
                self._clock(),
                occurrence.rule.name,
                outcome,
                about=occurrence.agent,
                target=occurrence.target,
                text=occurrence.text or shlex.join(occurrence.rule.then.run or ()),
                cause=cause.id if cause is not None else None,
                took_ms=more.get("took_ms"),
                held_back=more.get("held_back"),
                log=more.get("log"),
            )
        )

    def _why_not(self, occurrence: Occurrence) -> str | None:
        """Why it is not to be begun any more, after it waited; its rule may stand elsewhere in its file by now."""
        rule = occurrence.rule
        if not any(replace(other, source=rule.source) == rule for other in self._on):
            return "the rule was switched off"
        is_old = occurrence.at is not None and self._clock() - occurrence.at > TOO_OLD
        return "it is too old by now" if is_old else None

    def _tell_of_others(self, look: Look) -> None:
        """What others than this process say that they did: who watches tells of the one that acts, and whose lines hold
        a rule back does not go unseen. What is another user's own does not.
        """
        for event in look.done:
            by = event.text("monitor")
            is_here = by == self._ledger.monitor
            if event.data.get("own") is True and not is_here:
                continue
            here = "a line in this monitor's name" if self._acts else "the other monitor here"
            took = event.data.get("took_ms")
            self._tell(
                Happening(
                    self._clock(),
                    event.text("rule") or "",
                    event.text("outcome") or "",
                    about=event.text("about"),
                    target=event.text("target"),
                    text=event.text("notify") or "",
                    cause=event.text("cause"),
                    took_ms=took if isinstance(took, int) else None,
                    by=here if is_here else f"monitor {by}",
                )
            )

    # Not acting

    async def _hold_back(self, occurrence: Occurrence, why: HeldBack, at: datetime) -> None:
        """Count it, and tell of the first. That a loop or the limit per hour began to hold a rule back is written."""
        rule = occurrence.rule.name
        deed = self._ledger.deed(occurrence.rule, occurrence.key)
        outcome = f"held back: {why}"
        self._held[rule] += 1
        if why is not HeldBack.COOL_DOWN and self._ledger.last_outcome(deed) != outcome:
            fields = {name: value for name, value in occurrence.fields().items() if name in ("cause", "about", "depth")}
            await self._write(deed, {**fields, "event": ACTIVATION, "outcome": outcome})
        if self._held[rule] == 1:
            if why is not HeldBack.LOOP:
                others = self._ledger.activations.others(occurrence, at, self._ledger.monitor, deed.owner)
                outcome += f", also by lines of monitor {', '.join(others)}" if others else ""
            self._told(occurrence, outcome)

    async def _tell_too_old(self, look: Look) -> None:
        """One line for each rule, however many there are."""
        by_rule: defaultdict[str, list[Occurrence]] = defaultdict(list)
        for occurrence in look.too_old:
            deed = self._ledger.deed(occurrence.rule, occurrence.key)
            if not self._ledger.is_done(deed, occurrence.position if occurrence.cause is not None else None):
                by_rule[occurrence.rule.name].append(occurrence)
        for rule, old in by_rule.items():
            count = len(old)
            outcome = f"{count} {'event' if count == 1 else 'events'} too old"
            recent = (o.position for o in look.recent if o.rule.name == rule and o.cause is not None)
            fields = _covering(old, min(recent, default=self._ledger.position))
            deed = self._ledger.deed(old[-1].rule, f"{old[-1].key} too old")
            await self._write(deed, {"event": ACTIVATION, "outcome": outcome, **fields})
            self._tell(Happening(self._clock(), rule, outcome))

    # How far it came

    async def _keep(self, *, at_once: bool = False) -> None:
        """Keep the cursor, if it moved and was not kept just before."""
        if not self._acts or (not at_once and time.monotonic() - self._kept_at < _BETWEEN_CURSORS):
            return
        cursor = self._cursor()
        if self._kept is not None and not at_once and _is_same(cursor, self._kept):
            return
        try:
            await asyncio.to_thread(self._file.save, cursor)
        except NotWrittenError as error:
            if not self._cannot_keep:
                self._notice(str(error))
            self._cannot_keep = True
        else:
            self._kept, self._kept_at, self._cannot_keep = cursor, time.monotonic(), False

    def _cursor(self) -> Cursor:
        """Before the first thing that is not begun."""
        position, last_line = self._ledger.position, self._ledger.last_line
        waits = min((o.position for o in self._turns.waiting.values() if o.cause is not None), default=position)
        if waits < position:
            before = self._registry.items(waits - 1, waits)
            position, last_line = waits, digest(before[0]) if before else ""
        return Cursor(self._looker.registry_id, position, last_line, self._dealt_with_at, self.setup.marks())


def _is_same(cursor: Cursor, other: Cursor) -> bool:
    return (cursor.position, cursor.last_line, cursor.rules) == (other.position, other.last_line, other.rules)


def _covering(old: Sequence[Occurrence], recent: int) -> dict[str, Any]:
    """Fields by which all of these are known as too old: what stands before the recent ones, and the keys of others."""
    positions = [o.position for o in old if o.cause is not None and o.position < recent]
    others = [o.key for o in old if o.cause is None or o.position >= recent]
    fields: dict[str, Any] = {"events": len(old)}
    if positions:
        fields["old_until"] = max(positions) + 1
    if others:
        fields["old_keys"] = others[:_MAX_OLD_KEYS]
    return fields
