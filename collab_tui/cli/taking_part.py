"""What the commands share by which an agent takes part: whose side, where, and what an answer looks like."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from collab_tui.cli.arguments import complain, registry_path
from collab_tui.cli.reading import NotThereError
from collab_tui.cli.settings import load_settings
from collab_tui.config import Config
from collab_tui.model.board import Request, RequestState
from collab_tui.model.text import one_line
from collab_tui.protocol.participation import Participant
from collab_tui.protocol.trust import Trust

APPROVED: Final = 0
REJECTED: Final = 1
OVER: Final = 3
TIMED_OUT: Final = 4

ANSWER_HELP: Final = """\
The answer is one JSON object: id, request, kind, key, state (answered, open, expired, withdrawn, moved_on), verdict
(approved, rejected or null), answer (in words, or null), comment, by, at, standing (signed, or null for an agent).
exit: 0 approved or answered; 1 rejected; 2 usage; 3 expired, withdrawn or gone; 4 not answered in time, still open"""


class Place:
    """The registry of a command, with the settings that go with it."""

    def __init__(self, given: str | None) -> None:
        """Raises `NotThereError` where there is none."""
        self.path = Path(registry_path(given))
        if not self.path.exists():
            raise NotThereError(f"there is no {self.path}; `collab-tui init` makes a registry for a project")
        self.config: Config = load_settings(self.path)
        self.trust = Trust(self.config.person, self.config.approvers)

    def participant(self, name: str, poll: float | None = None) -> Participant:
        """An agent's side of it. A command comes and goes: it neither starts a session nor ends one."""
        return Participant(
            name,
            self.path,
            announces=False,
            person=self.config.person,
            trust=self.trust,
            poll=self.poll(poll),
        )

    def poll(self, given: float | None) -> float | None:
        """Seconds between looks, as given or as set; None: the folder is watched."""
        return given if given is not None else self.config.poll


def add_agent(parser: argparse.ArgumentParser) -> None:
    """Let a command take `--agent`."""
    parser.add_argument("--agent", metavar="NAME", help="who you are; else $COLLAB_AGENT, else $AGENT")


async def wait_for_answer(me: Participant, trust: Trust, request_id: str, within: float | None) -> int:
    """Print the answer once it is there; gives the exit code."""
    request = await me.closed(request_id, within=within)
    print(json.dumps(_document(request, trust)), flush=True)
    answer = request.answer
    if answer is not None and request.state is RequestState.ANSWERED:
        return REJECTED if answer.verdict == "rejected" else APPROVED
    state = _state(request)
    if state != "open":
        complain(f"the request {request.id} was not answered: it {_ENDED[state]}")
        return OVER
    key = request.event.text("key")
    same = f"asking again with --key {key!r} finds it, and so does " if key else ""
    complain(f"no answer yet, and the request stays open: {same}`collab-tui wait decision {one_line(request.id)}`")
    return TIMED_OUT


_ENDED: Final = {
    "expired": "expired",
    "withdrawn": "was withdrawn",
    "moved_on": "is past, because its asker went on",
}


def _state(request: Request) -> str:
    is_expired = request.expires is not None and request.expires <= datetime.now(UTC)
    return "expired" if request.is_open and is_expired else request.state.value


def _document(request: Request, trust: Trust) -> dict[str, Any]:
    answer = request.answer if request.state is RequestState.ANSWERED else None
    at = answer.time if answer is not None else None
    return {
        "id": request.id,
        "request": request.request,
        "kind": request.kind.value,
        "key": request.event.text("key"),
        "state": _state(request),
        "verdict": answer.verdict if answer else None,
        "answer": answer.text if answer and answer.verdict is None else None,
        "comment": answer.comment if answer else None,
        "by": answer.by if answer else None,
        "at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None,
        "standing": "signed" if answer and trust.concerns(answer.event) else None,
    }
