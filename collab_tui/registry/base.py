"""What a registry is to everything above it: a log to append to, to read on in, and to look things up in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from collab_tui.model.event import Item
from collab_tui.model.fold import Fold


class State(StrEnum):
    """What there is to read from."""

    READY = "ready"
    MISSING = "missing"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class News:
    """What one look at the registry gave."""

    items: Iterable[Item] = ()
    """The next lines in order; to be iterated once."""
    state: State = State.READY
    detail: str = ""
    """Why it is unreadable."""
    restarted: str | None = None
    """The registry is another than before (`replaced`, `truncated`, `rewritten`): the items start at position 0."""
    unterminated: bool = False
    """The last item has no newline; it is there because the file was read to its end as it is."""
    remaining: int = 0
    """Bytes that are there and not read yet."""


class Registry(Protocol):
    """One log of events."""

    @property
    def name(self) -> str:
        """What to call it on the screen."""
        ...

    def is_there(self) -> bool:
        """There is something to append to; else an append makes it."""
        ...

    def append(
        self,
        event: Mapping[str, Any],
        *,
        unless: Callable[[], str | None] | None = None,
        seal: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """Append one event, unless the condition under the lock gives a reason; gives it back as written.

        `seal` gets the whole event under the lock and gives the fields to add to it.
        """
        ...

    def read_next(self, *, final: bool = False) -> News:
        """The next piece after what was read before. With `final` an unterminated last line counts."""
        ...

    def last_items(self) -> Sequence[Item]:
        """Some of the last whole lines, at their positions, without reading what stands before them."""
        ...

    def items(self, first: int, last: int) -> Sequence[Item]:
        """Lines that were read before, from one position to another, excluded; clipped to what is there."""
        ...

    def place_of(self, position: int) -> str:
        """Where a line that was read stands in whatever holds it, in words; empty when it is not there."""
        ...

    def since(self, position: int) -> Sequence[Item]:
        """Every whole line from a position to the end as it is now, without moving where `read_next` goes on."""
        ...

    def was_changed(self) -> bool:
        """What was remembered of it when it was read earlier is not what stands there now. Never raises."""
        ...

    def remember(self) -> None:
        """Keep for later what was read so far, so that it can be told when that was changed. Never raises."""
        ...


def looks(registry: Registry, *, final: bool = False) -> Iterator[News]:
    """Look after look at what was not read yet, until everything that is there now was."""
    while True:
        news = registry.read_next(final=final)
        yield news
        if not news.remaining:
            return


def read_to_end(registry: Registry, fold: Fold, *, final: bool = False) -> News:
    """Take everything that is there now into the fold; gives the last look, whose items are used up."""
    for news in looks(registry, final=final):
        absorb(news, fold)
    return news


def absorb(news: News, fold: Fold) -> None:
    """Take one look's news into the fold, from the start if the registry is another."""
    if news.restarted is not None:
        fold.restart()
    fold.extend(news.items)
    if news.unterminated:
        fold.note_unterminated()
