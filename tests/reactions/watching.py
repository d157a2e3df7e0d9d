"""Rules and watchers for tests: written as a config file has them, fed with lines as a registry has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from collab_tui.config.rules import Rule, read_rule
from collab_tui.model.event import Event, Item, decode
from collab_tui.model.moment import Limits
from collab_tui.protocol.keys import Keyring
from collab_tui.protocol.trust import Trust
from collab_tui.reactions.occurrences import Occurrence, Watcher
from tests.events import START, Object, lines
from tests.signing import KEY

TRUST = Trust("somebody else", {"human": KEY.public.text}, Keyring(Path("no such folder")))
"""Trusts the key of `tests.signing` for `human`."""


def trust() -> Trust:
    """The person's, with that key for their name and none of their own on this disk."""
    return Trust("human", {"human": KEY.public.text}, Keyring(Path("no such folder")))


def rule(when: Object, name: str = "r", **more: Any) -> Rule:
    """A rule that is on; it notifies unless `then` says else."""
    return read_rule({"name": name, "on": True, "when": when, "then": {"notify": "{from}"}, **more})


def tells(whom: str, when: Object, name: str = "r", **more: Any) -> Rule:
    """A rule that is on and sends a message."""
    return rule(when, name, then={"message": whom, "text": "{from}"}, **more)


def watcher(*rules: Rule) -> Watcher:
    return Watcher(rules, "human", Limits(), trust())


def read(*objects: object) -> list[Item]:
    """What reading these objects gives."""
    return list(decode(lines(*objects), 0))


def found(rules: Rule | Sequence[Rule], *objects: object) -> list[Occurrence]:
    """What comes about with these lines."""
    watching = watcher(*((rules,) if isinstance(rules, Rule) else rules))
    return [occurrence for item in read(*objects) for occurrence in watching.see(item)]


def places(occurrences: Iterable[Occurrence]) -> list[int]:
    """The index of the line of each."""
    return [occurrence.position for occurrence in occurrences]


def minutes(count: float) -> Any:
    """So long after the beginning of the story."""
    return START + timedelta(minutes=count)


def event_of(occurrence: Occurrence) -> Event:
    """The line that brought it about, which must be there."""
    assert occurrence.cause is not None
    return occurrence.cause
