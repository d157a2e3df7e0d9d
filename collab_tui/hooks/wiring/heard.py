"""Whether an agent's program was ever heard from: what its hooks wrote into the registry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from collab_tui.model.event import Event, Item
from collab_tui.model.words import name_key


@dataclass(frozen=True, slots=True)
class Heard:
    """The last that came from an agent's program."""

    agent: str
    event: str
    at: datetime | None


def heard(items: Iterable[Item]) -> dict[str, Heard]:
    """Driver -> the last event of an agent that it drives. Its sessions begin with an event that names the driver."""
    drivers: dict[str, str] = {}
    last: dict[str, Heard] = {}
    for item in items:
        if not isinstance(item, Event) or item.agent is None:
            continue
        key = name_key(item.agent)
        if driver := item.text("driver"):
            drivers[key] = driver
        if key in drivers:
            last[drivers[key]] = Heard(item.agent, item.kind, item.time)
    return last
