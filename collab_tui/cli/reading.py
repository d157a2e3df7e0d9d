"""Reading a registry to its end for the commands that show or answer something."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from collab_tui.cli.arguments import registry_path
from collab_tui.cli.settings import load_settings
from collab_tui.config import Config
from collab_tui.model.board import Request
from collab_tui.model.fold import Fold
from collab_tui.model.moment import Moment
from collab_tui.model.requests import is_person_writing
from collab_tui.model.text import one_line
from collab_tui.protocol.trust import Trust
from collab_tui.registry.append import RegistryError
from collab_tui.registry.base import News, State, read_to_end
from collab_tui.registry.jsonl import JsonlRegistry

_Found = TypeVar("_Found")
_SHOWN = 60
"""Characters of what a request asks, where several are named."""


class NotThereError(RegistryError):
    """What was named is not there, or not only once. The text may name what is there: it becomes one line."""

    exit_code = 2

    def __init__(self, text: str) -> None:
        super().__init__(one_line(text))


@dataclass(frozen=True, slots=True)
class Reading:
    """A registry read to its end, with the settings that go with it."""

    registry: JsonlRegistry
    fold: Fold
    config: Config
    trust: Trust
    moment: Moment


def now() -> datetime:
    """The time on this machine's clock."""
    return datetime.now(UTC)


def read(
    given: str | None, person: str | None = None, *, settings: Callable[[Path], Config] = load_settings
) -> Reading:
    """Read the registry of a command. Raises `NotThereError` where there is nothing that can be read."""
    path = Path(registry_path(given))
    config = settings(path)
    registry = JsonlRegistry(path)
    fold = Fold(person or config.person)
    check(read_to_end(registry, fold, final=True), path)
    trust = Trust(config.person, config.approvers)
    judge = trust.judge_shown if is_person_writing(fold.person, config.person) else None  # another's key is not here
    moment = Moment(fold.board(), now(), config.limits, fold.person, judge)
    return Reading(registry, fold, config, trust, moment)


def check(news: News, path: Path) -> None:
    """Raise `NotThereError` if the registry could not be read."""
    if news.state is State.MISSING:
        raise NotThereError(f"there is no {path}; `collab-tui init` makes a registry for a project")
    if news.state is State.UNREADABLE:
        raise NotThereError(f"cannot read {path}: {news.detail}")


def find_request(moment: Moment, prefix: str, *, exact: bool = False) -> Request:
    """The request with that id; any unique beginning of an id will do, unless it has to be `exact`.

    Ids are their writers' choice, and people are shown beginnings of them: an id that is the beginning of another one
    names both. Raises `NotThereError` as `only_match`.
    """
    choices = {request.id: request for request in moment.board.requests}
    found = [request for request in choices.values() if prefix and request.id.startswith(prefix)]
    if prefix in choices and len(found) > 1 and not exact:
        named = "; ".join(
            f"{one_line(request.id)} of {request.asker}: {_start(request.request)}" for request in found[:5]
        )
        raise NotThereError(f"{prefix!r} is one request and begins others: {named}; give more of it, or add --exact")
    if not found or (exact and prefix not in choices):
        open_ones = [request.id for request in moment.board.requests if moment.is_answerable(request)]
        raise _nothing_begins(prefix, open_ones, "request", "open are")
    return only_match(prefix, choices, "request")


def _start(text: str) -> str:
    text = one_line(text)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def only_match(prefix: str, choices: dict[str, _Found], what: str) -> _Found:
    """The choice that the text names or begins; raises `NotThereError` when there is none or more than one."""
    if prefix in choices:
        return choices[prefix]
    found = [name for name in choices if prefix and name.startswith(prefix)]
    if len(found) == 1:
        return choices[found[0]]
    if found:
        raise NotThereError(f"{prefix!r} begins {len(found)} {what}s: {', '.join(found[:5])}; give more of it")
    raise _nothing_begins(prefix, choices, what)


def _nothing_begins(prefix: str, choices: Iterable[str], what: str, lead: str = "there are") -> NotThereError:
    """That nothing is called so; names the last of what is."""
    last = list(choices)[-5:]
    return NotThereError(f"there is no {what} {prefix!r}" + (f"; {lead} {', '.join(last)}" if last else ""))
