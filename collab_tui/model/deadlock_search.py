"""Finding the lines that close a deadlock. A board for every line would be slow: most lines cannot close one.

Who closes a cycle of waits is in it, hence stuck, and with the closing line said something new of what it waits for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from collab_tui.model.event import Event, Item, as_text
from collab_tui.model.fold import Fold
from collab_tui.model.words import Status, name_key, status_of

_TELLING: Final = ("status", "blockers", "blocker", "dependencies")
"""What a writer says of its own waiting."""
_ALWAYS: Final = frozenset({"decision_request", "blocker"})
_MAY_UNBLOCK_OTHERS: Final = frozenset({"blocker_resolved", "decision"})
_STUCK: Final = frozenset({Status.WAITING, Status.BLOCKED})


class DeadlockSearch:
    """Goes through a registry from its beginning, piece by piece."""

    def __init__(self, start: Fold) -> None:
        self._fold = start
        self._known: frozenset[str] = frozenset()
        """The deadlocks after the last line that was looked at more closely."""
        self._suspicion = Suspicion()

    @property
    def position(self) -> int:
        """How many lines were searched."""
        return self._fold.position

    def search(self, items: Iterable[Item]) -> list[int]:
        """Take the next lines; gives the positions of those that close a deadlock."""
        found: list[int] = []
        plain: list[Item] = []
        for item in items:
            if not isinstance(item, Event) or not self._suspicion.may_close(item):
                plain.append(item)
                continue
            self._fold.extend(plain)
            plain.clear()
            before = self._deadlocks() if self._known else self._known
            self._fold.extend((item,))
            self._known = self._deadlocks()
            if self._known - before:
                found.append(item.position)
        self._fold.extend(plain)
        return found

    def _deadlocks(self) -> frozenset[str]:
        return frozenset(deadlock.id for deadlock in self._fold.board().deadlocks)


class Suspicion:
    """Which lines may close a deadlock, of a registry that goes by from its beginning."""

    def __init__(self) -> None:
        self._said: dict[str, dict[str, str]] = {}
        """Writer -> what it said last of its own waiting."""

    def may_close(self, event: Event) -> bool:
        """Its writer may be stuck after it and said something that it had not said last."""
        writer = name_key(event.agent or "")
        if event.kind in _MAY_UNBLOCK_OTHERS:
            self._said.clear()  # what is said again may block again
        known = self._said.setdefault(writer, {})
        said = {name: as_text(event.data[name]) for name in _TELLING if event.data.get(name) is not None}
        is_news = not known or event.kind in _ALWAYS or not said.items() <= known.items()
        if event.kind == "session_end":
            self._said[writer] = {}  # whatever comes after it brings the writer back, stuck as it was
        else:
            known.update(said)
        status = event.text("status")
        return is_news and (status is None or status_of(status) in _STUCK)
