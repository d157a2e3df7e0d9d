"""What an agent has to know when it starts, or starts again: its brief. It reads, and writes nothing.

    brief = brief_of("sena", Path(".collab/registry.jsonl"))
    brief.next_action.kind is Kind.WAIT, brief.text, brief.document

`document` beside this file says what is in it, `next_action` how the next action is found.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collab_tui.config import Config, load_config
from collab_tui.model.fold import Fold
from collab_tui.model.moment import Moment
from collab_tui.protocol.acknowledged import Acknowledged
from collab_tui.protocol.brief.document import Kept, document_of
from collab_tui.protocol.brief.gathered import Gathered
from collab_tui.protocol.brief.how_to import HowTo
from collab_tui.protocol.brief.next_action import NextAction, next_action
from collab_tui.protocol.brief.standpoint import Standpoint, board_for
from collab_tui.protocol.brief.text import text_of
from collab_tui.protocol.memory import last_section, memory_file
from collab_tui.protocol.released import Releases
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import RegistryError, UnusableError
from collab_tui.registry.base import State, absorb, looks
from collab_tui.registry.find import NotFoundError, find_registry
from collab_tui.registry.jsonl import JsonlRegistry


@dataclass(frozen=True, slots=True)
class Brief:
    """What one agent is told."""

    name: str
    next_action: NextAction
    document: dict[str, Any]
    """As JSON values; see `document` beside this file."""
    text: str
    """For a model to read: at most 9,000 characters, and seldom over 3,000."""

    @property
    def is_first(self) -> bool:
        """Nobody has heard of the agent yet."""
        return bool(self.document["agent"]["first_time"])

    @property
    def near_names(self) -> Sequence[str]:
        """Names of agents that are nearly that of this one, whom nobody has heard of."""
        names: Sequence[str] = self.document["agent"]["did_you_mean"]
        return names


def brief_of(
    name: str,
    registry: Path,
    *,
    config: Config | None = None,
    trust: Trust | None = None,
    now: datetime | None = None,
    how_to: type[HowTo] = HowTo,
) -> Brief:
    """The brief of an agent, from the registry as it is now.

    `config` and `trust` are those in force, else they are read; `now` is the time for ages, else the clock's; `how_to`
    tells how the agent does what it has to do: by commands, unless another way is given. Raises `UnusableError` when
    the registry is not there or cannot be read, `ConfigError` for settings that cannot be used.
    """
    config = config if config is not None else load_config(registry)
    trust = trust if trust is not None else Trust(config.person, config.approvers)
    fold, gathered = Fold(config.person), Gathered(name, config.person)
    _read(JsonlRegistry(registry), fold, gathered, Releases(trust))
    board = board_for(name, fold)
    _forget_acknowledged(gathered, name, board.registry_id)
    moment = Moment(board, now or datetime.now(UTC), config.limits, config.person, trust.judge_shown)
    at = Standpoint(moment, name, trust, gathered)
    ways = how_to(name, _needed(registry), (request.id for request in board.requests))
    return make_brief(at, ways, str(registry), _kept(name, registry, config))


def make_brief(at: Standpoint, how_to: HowTo, registry: str, kept: Kept | None) -> Brief:
    """The brief from a standpoint; pure. `kept` is what is in the agent's memory file."""
    action = next_action(at, how_to)
    document = document_of(at, how_to, action, registry, kept)
    return Brief(at.name, action, document, text_of(document))


def _read(registry: JsonlRegistry, fold: Fold, gathered: Gathered, releases: Releases) -> None:
    for news in looks(registry, final=True):
        if news.state is State.MISSING:
            raise UnusableError(f"there is no {registry.path}; `collab-tui init` makes a registry for a project")
        if news.state is State.UNREADABLE:
            raise UnusableError(f"cannot read {registry.path}: {news.detail}")
        if news.restarted is not None:
            gathered.restart()
            releases.restart()
        items = list(map(releases.see, news.items))
        absorb(replace(news, items=items), fold)
        gathered.extend(items)


def _forget_acknowledged(gathered: Gathered, name: str, registry_id: str | None) -> None:
    """What the agent took out of its inbox is not told again; where that cannot be known, all is."""
    acknowledged = Acknowledged(registry_id or "", name, UsedDecisions().folder)
    with suppress(RegistryError):
        if acknowledged.load():
            gathered.forget(acknowledged.__contains__)


def _needed(registry: Path) -> str | None:
    """What commands have to be given as `--registry` to work on this one; None where they find it by themselves."""
    try:
        if os.path.samefile(find_registry(".", os.environ), registry):
            return None
    except (NotFoundError, OSError):
        return os.path.abspath(registry)
    return os.path.abspath(registry)


def _kept(name: str, registry: Path, config: Config) -> Kept | None:
    """What is in the agent's memory file; None when there is none."""
    try:
        file = memory_file(name, registry, config)
        section = last_section(file)
    except RegistryError as error:
        return Kept(None, "", False, str(error))
    return Kept(str(file), section.text, section.is_cut) if section is not None else None
