"""Streams: where a task hub tells what becomes of its tasks. What a `[[stream]]` of a config file says.

    [[stream]]
    name = "hub"
    folder = "~/shop"
    url = "https://hub.example/events"
    headers = { Authorization = "Bearer ${HUB_TOKEN}" }
    events = ["task_updated"]
    fields = { task = "task_id", status = "status" }
    keep_alive = "30s"

In the user's own file it says which project it is for: that file holds for all of them, and each would act on the same
events.

`${NAME}` in a header is filled in from the environment of the monitor, so no secret stands in a file. That is for the
user's own file alone: a project's would send the user's secrets where it likes. What goes to this machine goes by no
proxy; elsewhere it is https, of which a proxy that the environment names sees the host alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from collab_tui.config import values
from collab_tui.config.source import Source
from collab_tui.config.values import WrongError
from collab_tui.model.text import clean, one_line

DEFAULT_EVENTS: Final = ("task_updated",)
DEFAULT_FIELDS: Final = {
    "task": "task_id",
    "status": "status",
    "priority": "priority",
    "project": "project",
    "title": "title",
}
"""What we want to know of a task -> where the hub's JSON has it; a dot leads into an object."""
DEFAULT_KEEP_ALIVE: Final = 30.0
VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""A name of the environment in a header."""

_LONGEST_NAME: Final = 48
_LONGEST: Final = 2000
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OURS: Final = frozenset({"accept", "cache-control", "last-event-id", "host", "content-length", "connection"})


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """One source of events."""

    name: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    """As they stand in the file, with the names of variables."""
    events: Sequence[str] = DEFAULT_EVENTS
    """Types of events that tell of a task; others are passed over."""
    fields: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_FIELDS))
    folder: str | None = None
    """The project whose events they are; None: the one in whose file it stands."""
    keep_alive: float = DEFAULT_KEEP_ALIVE
    """Seconds between two signs of life of the server; after three times as many it counts as cut off."""
    source: Source | None = None

    def is_for(self, registry: Path) -> bool:
        """It is of the project that has this registry."""
        return self.folder is None or Path(os.path.realpath(registry)).is_relative_to(os.path.realpath(self.folder))


def read_stream(value: Any) -> StreamSettings:
    """A stream of the user's own file."""
    stream = _stream(value)
    if stream.folder is None:
        raise WrongError('it needs folder, the project that it is for, such as "~/shop": your file holds for all')
    return stream


def _stream(value: Any) -> StreamSettings:
    given = _FIELDS(value)
    if "fields" in given:
        given["fields"] = {**DEFAULT_FIELDS, **given["fields"]}
    return StreamSettings(**given)


def read_project_stream(value: Any) -> StreamSettings:
    """A stream of a project's file, which sends nothing of the user's environment anywhere."""
    stream = _stream(value)
    if stream.folder is not None:
        raise WrongError("a project's stream is for that project: leave folder out", "folder")
    if stream.headers:
        raise WrongError("headers are for your own file alone: a project's streams send no secrets", "headers")
    return stream


def is_loopback(host: str | None) -> bool:
    """What is sent there does not leave this machine."""
    return host in ("localhost", "127.0.0.1", "::1")


def _name(value: Any) -> str:
    name = values.name(value)
    if name != one_line(clean(name)) or len(name) > _LONGEST_NAME:
        raise WrongError(f"it takes one line of at most {_LONGEST_NAME} characters")
    return name


def _url(value: Any) -> str:
    url = values.name(value)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise WrongError(f"it is no address: {error}") from None
    if parts.scheme not in ("http", "https") or not host or url != one_line(clean(url)) or " " in url:
        raise WrongError('it takes an address such as "https://hub.example/events"')
    if parts.username is not None or parts.password is not None:
        raise WrongError('no name or password stands in it: give headers = { Authorization = "Bearer ${HUB_TOKEN}" }')
    if parts.scheme == "http" and not is_loopback(host):
        raise WrongError("everybody on the way can read and change http: give https, or an address of this machine")
    return url


def _folder(value: Any) -> str:
    folder = os.path.expanduser(values.name(value))
    if not os.path.isabs(folder) or "\0" in folder:
        raise WrongError('it takes a folder from its root or your home, such as "~/shop"')
    return folder


def _headers(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise WrongError('it takes a table: { Authorization = "Bearer ${HUB_TOKEN}" }')
    for name, text in value.items():
        if not _TOKEN.fullmatch(name) or name.lower() in _OURS:
            raise WrongError("it is no header that you can set", name)
        if not isinstance(text, str) or not text.isascii() or not text.isprintable() or len(text) > _LONGEST:
            raise WrongError("it takes a line of ASCII, in which ${NAME} stands for a variable", name)
    return value


def _events(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(name, str) and name.strip() for name in value):
        raise WrongError('it takes a list of types of events: ["task_updated"]')
    return tuple(name.strip() for name in value)


_FIELDS: Final = values.record(
    ("name", "url"),
    name=_name,
    url=_url,
    folder=_folder,
    headers=_headers,
    events=_events,
    fields=values.record(**dict.fromkeys(DEFAULT_FIELDS, values.name)),
    keep_alive=values.duration(least=1, most=3600),
)
