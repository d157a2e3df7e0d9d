"""What the commands share by which an agent takes part: whose side, where, and what an answer looks like."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from collab_tui.cli.arguments import complain, drop_output, registry_path
from collab_tui.cli.reading import NotThereError
from collab_tui.cli.settings import load_settings
from collab_tui.config import Config
from collab_tui.model.board import Board, Request, RequestState
from collab_tui.model.text import one_line
from collab_tui.model.words import MONITOR, name_key
from collab_tui.protocol.asking import UsedUpError
from collab_tui.protocol.conditions import near_name
from collab_tui.protocol.participation import Participant
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.wording import listed
from collab_tui.registry.append import RegistryError, UnusableError

APPROVED: Final = 0
REJECTED: Final = 1
OVER: Final = 3
TIMED_OUT: Final = 4

ANSWER_HELP: Final = """\
The answer is one JSON object: id, request, kind, key, state (answered, taken, open, expired, withdrawn, moved_on),
verdict (approved, rejected or null), answer (in words, or null), comment, by, at, standing (signed, or null for an
agent). An answer that could not be printed comes again. A person's is taken once: to another process of the same
agent the state is "taken", without verdict; do not act on it.
exit: 0 approved or answered; 1 rejected; 2 usage; 3 expired, withdrawn, taken or gone; 4 not answered in time, still
open; 74 the answer could not be printed: run it again"""


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

    def check_agent(self, name: str) -> None:
        """Raise `UnusableError` for the name of somebody who decides: no program writes under it."""
        if self.config.is_a_persons(name):
            raise UnusableError(one_line(f"{name} is a person here: an agent asks under a name of its own"))

    def poll(self, given: float | None) -> float | None:
        """Seconds between looks, as given or as set; None: the folder is watched."""
        return given if given is not None else self.config.poll


def add_agent(parser: argparse.ArgumentParser) -> None:
    """Let a command take `--agent`."""
    parser.add_argument("--agent", metavar="NAME", help="who you are; else $COLLAB_AGENT, else $AGENT")


def known_agents(board: Board) -> list[str]:
    """The agents that one may mean: not the monitor, nor whoever only made the registry."""
    return [one.name for one in board.agents if one.key != MONITOR and one.last_event != "registry_created"]


def doubt_own_name(name: str, board: Board) -> None:
    """Warn of a name that nobody has written under, where it is nearly another."""
    if board.agent(name) is None and (near := near_name(name, known_agents(board))) is not None:
        complain(f"there was no agent {name} before; did you mean {near}?")


async def wait_for_answer(me: Participant, trust: Trust, request_id: str, within: float | None) -> int:
    """Print the answer once it is there; gives the exit code."""
    try:
        request = await me.closed(request_id, within=within, deliver=lambda found: _print(_document(found, trust)))
    except UsedUpError as error:
        _print(_document(error.request, trust) | {"state": "taken"})
        complain(f"{error}; that one acts on it, and this one does not. If it died meanwhile, ask anew")
        return OVER
    answer = request.answer
    if answer is not None and request.state is RequestState.ANSWERED:
        if not request.to_person and not {name_key(answer.by), "all"} & set(map(name_key, request.targets)):
            complain(f"{listed(request.targets)} was asked, and {one_line(answer.by)} answered")
        return REJECTED if answer.verdict == "rejected" else APPROVED
    state = _state(request)
    if state != "open":
        complain(f"the request {request.id} was not answered: it {_ENDED[state]}")
        return OVER
    key = request.event.text("key")
    same = f"asking again with --key {key!r} finds it, and so does " if key else ""
    complain(f"no answer yet, and the request stays open: {same}`collab-tui wait decision {one_line(request.id)}`")
    return TIMED_OUT


def _print(document: dict[str, Any]) -> None:
    """Raises `NotPrintedError` where nobody reads: an exit code alone does not tell who decided what."""
    try:
        print(json.dumps(document), flush=True)
    except BrokenPipeError as error:
        drop_output()
        raise NotPrintedError("nobody read the answer; it is there still: run it again") from error


class NotPrintedError(RegistryError):
    """What was to be delivered could not be printed."""


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
