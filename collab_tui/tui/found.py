"""What was found out of the sessions of this machine at the last look, laid over what the registry tells of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from collab_tui.model.sessions import Session
from collab_tui.model.words import name_key
from collab_tui.monitor.watching import Watch

if TYPE_CHECKING:
    from collab_tui.tui.machine import Machine


class _Told(NamedTuple):
    """What a registry tells of a session, as far as an odd line could tell it otherwise."""

    run: str
    is_running: bool
    host: str
    monitor: str


@dataclass(frozen=True, slots=True)
class Found:
    """What one look found."""

    watches: Mapping[str, Watch] = field(default_factory=dict)
    """Run -> who sees to it."""
    odd: Mapping[str, tuple[_Told | None, Session]] = field(default_factory=dict)
    """Key of a session that runs here and of which the registry tells something else -> what that is, and how it is."""

    def among(self, sessions: Sequence[Session]) -> Sequence[Session]:
        """The sessions that a registry tells of; of what it tells otherwise than at the look, what it tells now."""
        if not self.odd:
            return sessions
        told = {name_key(session.name): session for session in sessions}
        known = {key: each for key, (was, each) in self.odd.items() if was == _told(told.get(key))}
        return tuple((told | known).values())


def find(machine: Machine, sessions: Sequence[Session]) -> Found:
    """Look. It takes its time, and is called in a thread."""
    told = {name_key(session.name): session for session in sessions}
    known = machine.known(sessions)
    odd = {name_key(each.name): each for each in known if each is not told.get(name_key(each.name))}
    return Found(machine.watch(known), {key: (_told(told.get(key)), each) for key, each in odd.items()})


def _told(session: Session | None) -> _Told | None:
    if session is None:
        return None
    return _Told(session.run, session.observed.is_running, session.host, session.monitor)
