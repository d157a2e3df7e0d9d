"""Who may release an agent from a blocker: what counts of the lines for one who acts on them.

A blocker whose text starts with the name of the person, or of an approver, waits for a decision of theirs. For whoever
acts, it is resolved by its holder, or by a line that they signed: not by what anybody wrote in their name, nor by
another agent's word. Any other blocker is resolved by anybody, as on the board.
"""

from __future__ import annotations

from typing import Any, Final

from collab_tui.model.event import Event, Item
from collab_tui.model.signature import AmbiguousError, Standing, identity_of
from collab_tui.model.words import ALIASES, name_key
from collab_tui.protocol.trust import Onlooker, Trust

_RESOLVED: Final = ALIASES["resolved_blockers"]
_NAMED_BY: Final = {"decision": _RESOLVED, "blocker_resolved": ("blocker", *_RESOLVED, "blockers")}
"""Event that resolves blockers of others -> the fields by which it names them."""


_MAX_SPELLINGS: Final = 10_000


class Releases:
    """Takes every line of one registry in file order; gives each as it counts."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self.restart()

    def restart(self) -> None:
        """Forget everything: the registry is another."""
        self._onlooker = Onlooker(self._trust)
        self._writers: dict[str, str] = {}
        """Every spelling of a name -> its key."""
        self._keys: set[str] = set()
        self._used: set[str] = set()
        """Identities of the signed lines that released somebody: a copy of one releases nobody again."""

    def see(self, item: Item) -> Item:
        """The next line as it counts: without the blockers that it does not resolve."""
        self._onlooker.see(item)
        if not isinstance(item, Event):
            return item
        name = item.data.get("agent")
        if isinstance(name, str) and name not in self._writers:
            self._keys.add(self._key(name))
        kind = item.data.get("event")
        fields = _NAMED_BY.get(kind, ()) if isinstance(kind, str) else ()
        if not fields or not any(field in item.data for field in fields):
            return item
        return self._counting(item, fields)

    def _key(self, name: str) -> str:
        if len(self._writers) >= _MAX_SPELLINGS:
            self._writers.clear()
        return self._writers.setdefault(name, name_key(name))

    def _counting(self, event: Event, fields: tuple[str, ...]) -> Event:
        texts = next(filter(None, map(event.texts, fields)), ())
        awaited = [text for text in texts if self._trust.is_awaited(text, self._keys.__contains__)]
        if not awaited or self._is_signed(event):
            return event
        rest: dict[str, Any] = {name: value for name, value in event.data.items() if name not in fields}
        writer = event.agent
        if event.kind == "blocker_resolved" and writer is not None and not self._trust.signs(writer):
            targets = {name_key(target) for target in event.texts("target")}
            if not targets or targets == {name_key(writer)}:  # its own it may resolve
                return event._replace(data={**event.data, "target": writer})
        if left := [text for text in texts if text not in awaited]:
            rest[fields[0]] = left
        return event._replace(data=rest)

    def _is_signed(self, event: Event) -> bool:
        """By one who signs, and no copy of a line that released somebody before."""
        if event.agent is None or not self._trust.signs(event.agent):
            return False
        self._trust.keyring.refresh()  # who follows for long may have begun before there was a key
        if self._onlooker.judge(event).standing is not Standing.SIGNED:
            return False
        try:
            identity = identity_of(event)
        except AmbiguousError:
            return False
        is_first = identity not in self._used
        self._used.add(identity)
        return is_first
