"""Which values stand in a pipeline's file: every key of every table, with what it takes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import PureWindowsPath
from typing import Any, Final

from collab_tui.config import values
from collab_tui.config.values import WrongError, shown
from collab_tui.config.workers import whole
from collab_tui.orchestrator.plan import OnError, ReplyKind
from collab_tui.orchestrator.prompts import NAMES
from collab_tui.sessions.names import BadNameError, checked

_LONGEST_LINE: Final = 200
LONGEST_TEXT: Final = 1 << 15
"""Characters of a prompt, and of a goal."""
_LONGEST_TIME: Final = 30 * 86_400.0
_MOST_SEATS: Final = 200
_MOST_TASKS: Final = 100_000
_HUGE: Final = 1 << 63
_DEEPEST: Final = 20
_VARIABLE: Final = re.compile(r"[a-z][a-z0-9_]{0,47}", re.ASCII)
_OURS: Final = ("goal", "python", "folder")
"""Names in braces that are no variables."""


def is_variable(name: str) -> bool:
    """A variable may be called so."""
    return _VARIABLE.fullmatch(name) is not None


def variable(name: str, value: Any, given: str | None) -> str | int | float | bool:
    """The value of a variable, given as a text by the command or by default; of the kind that its default has."""
    if not is_variable(name):
        raise WrongError("the name of a variable has small letters, digits and _, and begins with a letter")
    if name in _OURS or name in NAMES:
        raise WrongError(f"{{{name}}} stands for something already: give it another name")
    if not isinstance(value, str | int | float):
        raise WrongError("it takes a text, a number, true or false")
    _json(value)
    if given is None:
        return value
    if isinstance(value, str):
        if "\0" in given or not _is_unicode(given):
            raise WrongError(f"--var {name} is no text: {shown(given)}")
        return given
    if isinstance(value, bool):
        if given not in ("true", "false"):
            raise WrongError(f"--var {name} takes true or false, not {shown(given)}")
        return given == "true"
    try:
        number = type(value)(given)
    except (ValueError, OverflowError):
        number = math.nan
    if isinstance(number, float) and not math.isfinite(number):
        kind = "whole number" if isinstance(value, int) else "number"
        raise WrongError(f"--var {name} takes a {kind}, not {shown(given)}")
    _json(number)
    return number


def _is_unicode(text: str) -> bool:
    """An argument of a command may have bytes that are no UTF-8, as halves of characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def word(value: str | int | float | bool) -> str:
    """A variable as it stands in a text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _json(value: Any, path: tuple[str, ...] = ()) -> Any:
    """A value that JSON has too."""
    if len(path) > _DEEPEST:
        raise WrongError(f"its values stand in each other more than {_DEEPEST} deep", *path[:1])
    if isinstance(value, dict):
        for name, item in value.items():
            _json(item, (*path, name))
    elif isinstance(value, list):
        for number, item in enumerate(value, 1):
            _json(item, (*path, str(number)))
    elif isinstance(value, float) and not math.isfinite(value):
        raise WrongError(f"{value} is nothing that JSON has", *path)
    elif isinstance(value, int) and abs(value) >= _HUGE:
        raise WrongError("it is too large a number", *path)
    elif not isinstance(value, str | int | float):
        raise WrongError("a date or a time stands in quotes here, as a text", *path)
    return value


def _data(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WrongError('it takes a table: { part = "login" }')
    _json(value)
    return value


def _called(what: str) -> Callable[[Any], str]:
    """A name that a task or an agent may have."""

    def read(value: Any) -> str:
        try:
            return checked(values.name(value), what)
        except BadNameError as error:
            raise WrongError(str(error)) from error

    return read


def _key(value: Any) -> str:
    try:
        return _called("key")(value)
    except WrongError as wrong:  # what it is not is told before it
        raise WrongError(str(wrong).partition(": not ")[0]) from wrong


session: Final = _called("session's agent")
"""What a session's agent is called, once the names in it are filled in."""
title: Final = values.line(_LONGEST_LINE)
"""The title of a task, also once the names in it are filled in."""


def _folder(value: Any) -> str:
    folder = PureWindowsPath(values.name(value))  # which understands the ways of all systems
    if folder.anchor or ".." in folder.parts or "\0" in value:
        raise WrongError('it takes a folder below that of the project, or of its worktree: "docs"')
    return values.name(value)


def _on_error(value: Any) -> OnError:
    return OnError(values.one_of(OnError)(value))


def _reply(value: Any) -> ReplyKind:
    return ReplyKind(values.one_of(ReplyKind)(value))


def _approval(value: Any) -> str:
    if value != "person":
        raise WrongError('it takes "person": that is who is asked')
    return "person"


_time: Final = values.duration(least=1, most=_LONGEST_TIME)
_prompt: Final = values.text(LONGEST_TEXT)
TOP: Final = {"name": values.line(_LONGEST_LINE), "goal": _prompt}
POLICY: Final = {
    "on_error": _on_error,
    "retries": whole(0, 100),
    "rounds": whole(0, 100),
    "timeout": _time,
    "grace": values.duration(least=0, most=600),
    "most_tasks": whole(1, _MOST_TASKS),
    "most_depth": whole(0, 50),
}
AGENT: Final = {
    "command": values.program,
    "session": values.name,
    "worktree": values.flag,
    "folder": _folder,
    "silence": _time,
    "environment": values.variables,
}
ROLE: Final = {
    "agent": values.name,
    "size": whole(1, _MOST_SEATS),
    "prompt": _prompt,
    "prompt_file": values.name,
    "reply": _reply,
    "timeout": _time,
    "may_add": values.flag,
    "review": values.name,
}
TASK: Final = {
    "key": _key,
    "role": values.name,
    "title": title,
    "prompt": _prompt,
    "needs": values.texts('["plan"]'),
    "gives": values.name,
    "priority": whole(-1_000_000, 1_000_000),
    "timeout": _time,
    "retries": whole(0, 100),
    "backoff": values.duration(least=0, most=3600),
    "on_error": _on_error,
    "review": values.name,
    "rounds": whole(0, 100),
    "approval": _approval,
    "expires": _time,
    "data": _data,
}
