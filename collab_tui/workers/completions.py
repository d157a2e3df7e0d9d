"""What agents say when they are done, for those of whom it is awaited."""

from __future__ import annotations

from collab_tui.model.event import Event, Item
from collab_tui.model.words import name_key


class Completions:
    """The last completion of each agent that is awaited."""

    def __init__(self) -> None:
        self._said: dict[str, str | None] = {}

    def await_of(self, agent: str) -> None:
        """From here on its completion counts."""
        self._said.setdefault(name_key(agent), None)

    def see(self, item: Item) -> None:
        """Take a line of the registry."""
        if isinstance(item, Event) and item.kind == "completion" and name_key(item.agent or "") in self._said:
            self._said[name_key(item.agent or "")] = item.text("result") or item.text("message") or "it is done"

    def take(self, agent: str) -> str | None:
        """What it said, which is awaited no more; None where it said nothing of the kind."""
        return self._said.pop(name_key(agent), None)
