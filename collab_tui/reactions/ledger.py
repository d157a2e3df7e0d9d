"""What rules did, as the registry has it, and the one way to add to that: nothing twice, nothing forgotten.

The registry is the record. Each occurrence of a rule has a key that is the same whoever reads it and however often,
and what is done because of it is written with that key: a message carries it, a program is begun and ended with it.
Before a line is written, under the lock that all writers share, it is made sure that none like it came since the last
look. So a monitor may be killed at any point: what it had written is not done again, what it had not is.

What tells an agent is done by one monitor for all. What a user's own rule does for that user, a notification or a
program, each user's monitor does itself, and writes that it is its own.

A message is one line, so it is sent exactly once. A program is not: whether it ran to its end is not known of one that
was begun and has no end, and running it again may do harm; it is written down as interrupted, and left to the person.
"""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NamedTuple

from collab_tui.config.rules import Rule
from collab_tui.model.event import Event, Item
from collab_tui.model.words import MONITOR, name_key
from collab_tui.reactions.cursor import digest
from collab_tui.reactions.limits import Activations
from collab_tui.registry.append import (
    NotDurableError,
    NotWrittenError,
    RefusedError,
    RegistryError,
    encode,
)
from collab_tui.registry.base import Registry
from collab_tui.registry.kept import monitor_of

WRITER: Final = MONITOR
"""In whose name rules write."""
STARTED: Final = "started"
"""The outcome of a program that has no other yet."""
MESSAGE: Final = "message"
ACTIVATION: Final = "activation"

_REMEMBERED: Final = 100_000
"""Deeds that are remembered, the newest: only what came after the cursor is ever asked for."""
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 30.0
"""Seconds between two tries to write."""


class Stage(StrEnum):
    """What a line of ours says of a deed."""

    SAID = "said"
    """It is the message itself."""
    BEGUN = "begun"
    ENDED = "ended"


class Deed(NamedTuple):
    """What one rule does because of one occurrence, once."""

    rule: str
    key: str
    owner: str = ""
    """The id of the monitor whose alone it is; empty: whichever does it, it is done for all."""

    @property
    def whose(self) -> tuple[str, str]:
        """The rule, and whose it is."""
        return self.rule, self.owner


class NotWantedError(Exception):
    """It need not be done any more: the rule was switched off, or it is too old by now."""


class AnotherRegistryError(RegistryError):
    """The registry is not the one any more in which it happened: there is nothing to add to."""


class Ledger:
    """The deeds of one registry. `see` takes its lines in order, `write` adds to them."""

    def __init__(self, registry: Registry, folder: Path, tell: Callable[[str], None]) -> None:
        """`folder` is what is kept for it: it tells our deeds from those of another machine's monitor.

        `tell` is told, once, that nothing can be written now, and when it can again.
        """
        self._registry = registry
        self._tell = tell
        self.monitor = monitor_of(folder)
        self._in_trouble = False
        self._written: set[str] = set()
        """The ids of lines that this process wrote, or is writing, and did not read."""
        self.forget()

    def forget(self) -> None:
        """Begin with another registry."""
        self.activations = Activations()
        """What holds rules back, beside what they did."""
        self._stages: OrderedDict[tuple[Deed, Stage], None] = OrderedDict()
        self._open: dict[Deed, Event] = {}
        self._last_outcome: dict[tuple[str, str], str] = {}
        self._old_until: dict[tuple[str, str], int] = {}
        self._last: Item | None = None
        self._seen: tuple[int, str] = (0, "")
        """The index of the next line, and the digest of the last: together, because another thread asks."""

    @property
    def position(self) -> int:
        """The index of the next line."""
        return self._seen[0]

    @property
    def last_line(self) -> str:
        """Digest of the last line; empty where there is none."""
        return self._seen[1]

    def deed(self, rule: Rule, key: str) -> Deed:
        """What this monitor does for a rule."""
        return Deed(rule.name, key, self.monitor if rule.is_personal else "")

    # What was done

    def see(self, item: Item, now: datetime | None = None) -> bool:
        """Take the next line, read at a time; gives whether by it somebody else than this process did something."""
        self._last = item
        if not isinstance(item, Event):
            return False
        self.activations.see(item, now)
        found = _stage_of(item)
        if found is None:
            return False
        self._note(item, *found)
        is_ours = item.id in self._written
        self._written.discard(item.id)
        return not is_ours and found[1] is not Stage.SAID

    def settle(self) -> None:
        """What came until now was seen: lines are written behind it."""
        if self._last is not None:
            self._seen = self._last.position + 1, digest(self._last)

    def _remember(self, deed: Deed, stage: Stage) -> None:
        self._stages[deed, stage] = None
        if len(self._stages) > _REMEMBERED:
            self._stages.popitem(last=False)

    def _note(self, event: Event, deed: Deed, stage: Stage) -> None:
        self._remember(deed, stage)
        if stage is Stage.ENDED:
            self._open.pop(deed, None)
            self._last_outcome[deed.whose] = event.text("outcome") or ""
            self._note_old(event, deed)
        elif (deed, Stage.ENDED) not in self._stages and event.data.get("monitor") == self.monitor:
            self._open.setdefault(deed, event)

    def _note_old(self, event: Event, deed: Deed) -> None:
        """One line tells of all that was too old: what stands before a line, and what has these keys."""
        if isinstance(line := event.data.get("old_until"), int):
            self._old_until[deed.whose] = max(min(line, event.position), self._old_until.get(deed.whose, 0))
        for key in event.texts("old_keys"):
            self._remember(deed._replace(key=key), Stage.ENDED)

    def is_done(self, deed: Deed, position: int | None = None) -> bool:
        """It was done, is being done, or was too old to be done. `position` is that of its cause."""
        if position is not None and position < self._old_until.get(deed.whose, 0):
            return True
        return any((deed, stage) in self._stages for stage in Stage)

    def unfinished(self) -> list[tuple[Deed, Event]]:
        """What this monitor began and wrote no end of, each with the line that begins it, in order."""
        return list(self._open.items())

    def last_outcome(self, deed: Deed) -> str:
        """What became of the latest deed of its rule; empty when that did nothing yet."""
        return self._last_outcome.get(deed.whose, "")

    # Doing

    async def write(
        self, deed: Deed, event: Mapping[str, Any], why_not: Callable[[], str | None] = lambda: None
    ) -> bool:
        """Append a line of a deed, once; False when it was there already.

        Tries again for as long as it cannot be written: the disk is full, another holds the lock, the registry is
        away. Before each try, and once it has the lock, `why_not` is asked for a reason to leave it.

        Raises `UnusableError` for what never can be written, `AnotherRegistryError`, and `NotWantedError`.
        """
        own = {"agent": WRITER, "event": event["event"], "rule": deed.rule, "key": deed.key, "monitor": self.monitor}
        own |= {"own": True} if deed.owner else {}
        line = {"id": os.urandom(8).hex(), **own, **event, **own}
        encode(line)  # what cannot be written is refused before trying again and again
        stage = _stage(line)
        self._written.add(line["id"])
        pause, is_perhaps_written = _FIRST_PAUSE, False
        while True:
            try:
                wanted = (lambda: None) if is_perhaps_written else why_not
                await asyncio.to_thread(self._append, line, deed, stage, wanted)
            except RefusedError:
                self._remember(deed, stage)
                return is_perhaps_written
            except AnotherRegistryError:
                raise
            except NotDurableError as error:
                is_perhaps_written = True  # the next try finds it, or writes it again
                self._complain(error)
            except RegistryError as error:
                self._complain(error)
            else:
                self._remember(deed, stage)
                if stage is Stage.ENDED:
                    self._last_outcome[deed.whose] = str(line["outcome"])
                self._recover()
                return True
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _append(
        self, line: Mapping[str, Any], deed: Deed, stage: Stage, why_not_wanted: Callable[[], str | None]
    ) -> None:
        known, last = self._seen

        def check_that_it_is_wanted() -> None:
            if (reason := why_not_wanted()) is not None:
                raise NotWantedError(reason)

        def why_not() -> str | None:
            """Called under the lock that all writers share."""
            check_that_it_is_wanted()
            if not self._registry.is_there():
                raise NotWrittenError(f"{self._registry.name} is gone")
            since = list(self._registry.since(max(0, known - 1)))
            if known:
                if not since or since[0].position != known - 1 or digest(since[0]) != last:
                    raise AnotherRegistryError(f"{self._registry.name} is another now")
                del since[0]
            if any(isinstance(item, Event) and _stage_of(item) == (deed, stage) for item in since):
                return "it was done before"
            return None

        if (deed, stage) in self._stages:
            raise RefusedError("it was done before")
        check_that_it_is_wanted()
        self._registry.append(line, unless=why_not)

    def _complain(self, error: RegistryError) -> None:
        if not self._in_trouble:
            self._in_trouble = True
            self._tell(f"{error}; trying again until it can be written")

    def _recover(self) -> None:
        if self._in_trouble:
            self._in_trouble = False
            self._tell("it is written now")


def _stage_of(event: Event) -> tuple[Deed, Stage] | None:
    """What a line says of a deed of ours; None for any other line."""
    if event.kind not in (MESSAGE, ACTIVATION) or name_key(event.agent or "") != WRITER:
        return None
    rule, key, monitor = (event.data.get(name) for name in ("rule", "key", "monitor"))
    if not (isinstance(rule, str) and isinstance(key, str) and isinstance(monitor, str)):
        return None
    owner = monitor if event.data.get("own") is True else ""
    return Deed(rule, key, owner), _stage(event.data)


def _stage(data: Mapping[str, Any]) -> Stage:
    if data.get("event") == MESSAGE:
        return Stage.SAID
    return Stage.BEGUN if data.get("outcome") == STARTED else Stage.ENDED
