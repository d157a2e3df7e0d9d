"""The runs that the monitor of this machine has, kept where only their user writes: the next monitor goes on with them.

A run is noted before anything of it starts, and forgotten when it is over or somebody else has it. What a shared line
says of a run brings nothing back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from collab_tui.protocol.commands import CommandType, Taken
from collab_tui.registry.kept import keep, kept_for, monitor_of

_FOLDER: Final = "hosted_runs"
_IS_RUN: Final = re.compile(r"[0-9a-f]{8}").fullmatch


@dataclass(frozen=True, slots=True)
class Hosted:
    """One of them."""

    run: str
    command: str
    """The id of the command by which the person wanted it."""
    command_type: str
    target: str
    """As in that command: the pipeline's path, or the run that is gone on with."""
    at: str
    """When it was given, in RFC 3339."""
    digest: str | None = None
    goal: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_started(self) -> bool:
        """The command starts the run, and does not resume it."""
        return self.command_type == CommandType.START_RUN

    def wanted_by(self) -> Taken:
        """The command, as far as it is told of."""
        return Taken(self.command, CommandType(self.command_type), self.target, {}, datetime.fromisoformat(self.at))


class HostedRuns:
    """Those of the monitor of one registry on this machine: others may have the same home folder."""

    def __init__(self, registry: Path) -> None:
        kept = kept_for(registry)
        self.folder = kept / _FOLDER / monitor_of(kept)

    def keep(self, hosted: Hosted) -> None:
        """Note one. Raises `OSError`."""
        keep(self.folder / f"{hosted.run}.json", asdict(hosted))

    def forget(self, run: str) -> None:
        """No monitor goes on with it any more. Raises `OSError`."""
        with suppress(FileNotFoundError):
            (self.folder / f"{run}.json").unlink()

    def all(self) -> Sequence[Hosted]:
        """All that can be understood, in the order of their ids."""
        found = []
        for file in sorted(self.folder.glob("*.json")):
            with suppress(OSError, ValueError, TypeError):  # it is not ours
                hosted = Hosted(**json.loads(file.read_bytes()))
                hosted.wanted_by()  # which raises for what is no command
                if hosted.run == file.stem and _IS_RUN(hosted.run):
                    found.append(hosted)
        return found
