"""The place of one agent at one registry, for a server that may be started where there is none yet."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from collab_tui.config import Config, load_config
from collab_tui.model.board import Board
from collab_tui.model.text import one_line
from collab_tui.protocol.participation import Participant
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.wording import cut, listed, quoted
from collab_tui.registry.append import UnusableError
from collab_tui.registry.find import NotFoundError, find_registry

_Found = TypeVar("_Found")
_SHOWN = 60
"""Characters of a thing of which several are named."""


class Seat:
    """Taken with the first thing that the agent does: until then the registry may be made and the settings mended."""

    config: Config
    trust: Trust
    """The settings in force and who signs, once it is taken."""

    def __init__(self, name: str, registry: Path | None, *, announces: bool = False) -> None:
        """Without `registry`, it is the one that the working directory belongs to when it is first needed."""
        self.name = name
        self._given = registry
        self._announces = announces
        self._participant: Participant | None = None
        self._taking = asyncio.Lock()
        self._leaving = AsyncExitStack()

    async def __aenter__(self) -> Self:
        if self._announces:
            await self.me()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._leaving.__aexit__(kind, error, trace)

    @property
    def registry(self) -> Path:
        """Where the registry is. Raises `NotFoundError`."""
        if self._given is None:
            self._given = Path(os.path.abspath(find_registry(".", os.environ)))
        return self._given

    async def me(self) -> Participant:
        """The agent's side of the registry, which is there. Raises `UnusableError`, `ConfigError`."""
        async with self._taking:
            if not await asyncio.to_thread(self.registry.is_file):  # an append would make another, which nobody reads
                raise NotFoundError(f"there is no registry {self.registry}")
            if self._participant is None:
                self.config = load_config(self.registry)
                _check_name(self.name, self.config)
                self.trust = Trust(self.config.person, self.config.approvers)
                taken = Participant(
                    self.name, self.registry, announces=self._announces, trust=self.trust, poll=self.config.poll
                )
                self._participant = await self._leaving.enter_async_context(taken)
            return self._participant

    async def board(self) -> Board:
        """The board as it is now."""
        return await (await self.me()).until(lambda board: True)


def _check_name(name: str, config: Config) -> None:
    """Refuse the names of those who decide with a signature: a model never acts in their names."""
    if config.is_a_persons(name):
        raise UnusableError(
            f"this server was started as {one_line(name)!r}, which is a person's name; "
            "the person who set it up has to give an agent's name after --as"
        )


def only_match(prefix: str, choices: dict[str, _Found], what: str, told: Callable[[_Found], str]) -> _Found:
    """What the text names, or begins as nothing else does; raises `UnusableError` that lists what there is."""
    if prefix in choices:
        return choices[prefix]
    found = {name: choice for name, choice in choices.items() if prefix and name.startswith(prefix)}
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise UnusableError(
            f"{quoted(prefix, _SHOWN)} begins {len(found)} {what}s; give more of it. {_rows(found, told)}"
        )
    there = f"There are: {_rows(choices, told)}" if choices else f"There is no {what} now."
    raise UnusableError(f"there is no {what} {quoted(prefix, _SHOWN)}. {there}")


def _rows(choices: dict[str, _Found], told: Callable[[_Found], str]) -> str:
    shown = [f"{cut(name, _SHOWN)} ({told(choice)})" for name, choice in list(choices.items())[-5:]]
    return "; ".join(shown)


def known_agents(board: Board) -> str:
    """The agents that wrote, for an error about a name."""
    return listed([agent.name for agent in board.agents], 12) or "nobody yet"
