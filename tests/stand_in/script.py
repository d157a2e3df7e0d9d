"""What a stand-in says when it is asked, and what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any


@dataclass(frozen=True)
class Say:
    """Words of the model; they end its turn."""

    text: str


@dataclass(frozen=True)
class Call:
    """A tool that the model wants to use; its result comes with the next request."""

    tool: str
    arguments: Mapping[str, Any]


Move = Say | Call
Script = Iterable[Move | Callable[[list[str]], Move]]
"""Moves in order; one that depends on what the tools gave back so far is made of that when it is asked for."""


class Conversation:
    """A script that is played once, and what came back of it. Requests come from several threads."""

    def __init__(self, script: Script) -> None:
        self._moves = iter(script)
        self._lock = Lock()
        self.requests: list[dict[str, Any]] = []
        """The bodies of the requests that the script answered."""
        self.results: list[str] = []
        """The results of the tools of the last request, as the model got them, in order."""
        self.is_over = False
        """The script had nothing more to say when it was asked again."""

    def next(self, body: dict[str, Any], results: list[str]) -> Move:
        """What is said to a request with these results of tools."""
        with self._lock:
            self.requests.append(body)
            self.results = results
            move = next(self._moves, None)
            if move is None:
                self.is_over = True
                return Say("(the script is over)")
            return move if isinstance(move, (Say, Call)) else move(results)
