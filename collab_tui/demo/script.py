"""The words by which the three know what the others mean."""

from __future__ import annotations

from typing import Final

from collab_tui.model.board import Board, Request
from collab_tui.model.words import Status

METRICS: Final = "Approve metrics v2?"
CONTRACT: Final = "Sign the parser contract?"
SAMPLES: Final = "sena_sample_output"
"""What keeps Lubit from signing; its first word is who can give it."""
TOKEN: Final = "staging token expired"  # noqa: S105 - the name of a blocker
PARSER: Final = "log parser 로그 파서"
RELEASE: Final = "phase 4 deployment"
REVIEW: Final = "Review: "
"""How a small request for review begins."""


def find_request(board: Board, asker: str, text: str) -> Request | None:
    """The request of an agent that begins with this text, the latest if there are several."""
    return next((r for r in reversed(board.requests) if r.asker == asker and r.request.startswith(text)), None)


def is_blocked(board: Board, name: str) -> bool:
    """The agent has a blocker."""
    agent = board.agent(name)
    return agent is not None and bool(agent.blockers)


def is_parsed(board: Board) -> bool:
    """Sena is through with the parser; true for ever after."""
    agent = board.agent("sena")
    return agent is not None and (agent.current_task != PARSER or agent.status is Status.COMPLETED)


def is_released(board: Board) -> bool:
    """GitCode is through with the release; true for ever after."""
    agent = board.agent("gitcode")
    return agent is not None and (agent.current_task != RELEASE or agent.status is Status.COMPLETED)
