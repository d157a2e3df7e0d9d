"""An agent's standpoint for tests, made of lines as a reader makes it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from collab_tui.model.event import Item, decode
from collab_tui.model.fold import Fold
from collab_tui.model.moment import Moment
from collab_tui.protocol.brief import Brief, make_brief
from collab_tui.protocol.brief.document import Kept
from collab_tui.protocol.brief.gathered import Gathered
from collab_tui.protocol.brief.how_to import HowTo
from collab_tui.protocol.brief.next_action import NextAction, next_action
from collab_tui.protocol.brief.standpoint import Standpoint, board_for
from collab_tui.protocol.keys import Keyring
from collab_tui.protocol.trust import Trust
from tests.events import START, line
from tests.signing import KEY

NOW = START + timedelta(hours=1)
NOBODY = Path("no such folder")


def trusting(person: str = "human", **approvers: str) -> Trust:
    """Trusts the person's key of the tests, and nothing of this machine."""
    return Trust("somebody else", {person: KEY.public.text, **approvers}, Keyring(NOBODY))


def standpoint(
    name: str, *objects: Any, now: datetime = NOW, person: str = "human", trust: Trust | None = None
) -> Standpoint:
    """What these lines mean to an agent."""
    written = b"".join(line(each, ascii_only=True) for each in objects)
    return standpoint_of(name, list(decode(written, 0)), now=now, person=person, trust=trust)


def standpoint_of(
    name: str, items: list[Item], *, now: datetime = NOW, person: str = "human", trust: Trust | None = None
) -> Standpoint:
    """The same from what was read."""
    trust = trust or Trust(person, keyring=Keyring(NOBODY))
    fold, gathered = Fold(person), Gathered(name, person)
    fold.extend(items)
    gathered.extend(items)
    return Standpoint(Moment(board_for(name, fold), now, person=person, judge=trust.judge_shown), name, trust, gathered)


def how_to(at: Standpoint) -> HowTo:
    """Commands that find the registry by themselves."""
    return HowTo(at.name, None, (request.id for request in at.moment.board.requests))


def action(name: str, *objects: Any, **how: Any) -> NextAction:
    """What the agent does next."""
    at = standpoint(name, *objects, **how)
    return next_action(at, how_to(at))


def brief(name: str, *objects: Any, kept: Kept | None = None, **how: Any) -> Brief:
    """What the agent is told."""
    at = standpoint(name, *objects, **how)
    return make_brief(at, how_to(at), "registry.jsonl", kept)
