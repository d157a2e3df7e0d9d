"""A project with a registry for sessions of the real CLIs, and the person who answers on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from collab_tui.protocol.hook_entries import Entries
from collab_tui.registry.append import append
from tests.program import eventually
from tests.signing import signed

Event = dict[str, Any]


def wired(entries: Entries) -> dict[str, Any]:
    """The hooks as an agent's settings have them."""
    return {event: [{"hooks": list(handlers)}] for event, handlers in entries.items()}


class Project:
    """A folder with a registry."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.registry = folder / "COLLABORATION_STATE.jsonl"
        self.say("registry_created", agent="system", registry="abcdef")

    def say(self, event: str, **fields: Any) -> Event:
        """A line of somebody."""
        return append(str(self.registry), {"event": event, **fields})

    def events(self, *kinds: str) -> list[Event]:
        """What stands there, of these kinds."""
        read = [json.loads(line) for line in self.registry.read_bytes().splitlines()]
        return [event for event in read if event["event"] in kinds or not kinds]

    def wait_for(self, kind: str, holds: Callable[[Event], object] = bool) -> Event:
        """Until there is such an event; gives the last."""
        found: list[Event] = []
        eventually(
            lambda: found.extend(event for event in self.events(kind) if holds(event)) or found,
            lambda: "\n".join(map(str, self.events())),
        )
        return found[-1]

    def decide(self, request: Event, **answer: str) -> None:
        """As the person does it at the board."""
        decision = {"agent": "human", "event": "decision", "request_id": request["id"], **answer}
        written = {"id": "dec1de" + request["id"][:10], "timestamp": request["timestamp"], **decision}
        append(str(self.registry), signed(written, self.registry.read_bytes()))
