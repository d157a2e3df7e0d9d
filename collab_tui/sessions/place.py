"""What the sessions of one manager have in common: where they are, what they go by, and who is told of them."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from collab_tui.config import Config
from collab_tui.config.settings import ToolInput
from collab_tui.protocol.following import Following
from collab_tui.protocol.trust import Trust
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.registry.machine import this_machine
from collab_tui.sessions.definitions import Definition
from collab_tui.sessions.driver import Launch
from collab_tui.sessions.records import Record, Records
from collab_tui.sessions.worktrees import Worktrees

if TYPE_CHECKING:
    from collab_tui.sessions.session import LiveSession


class Place:
    """One registry on this machine, for as long as one manager has its sessions."""

    def __init__(
        self,
        registry: Path,
        config: Config,
        *,
        monitor: str,
        notice: Callable[[str], None],
        environment: Mapping[str, str],
        grace: float,
        ended: Callable[[LiveSession], None],
    ) -> None:
        """`ended` is called once for each session that has no program any more; the rest as of `SessionManager`."""
        self.registry = JsonlRegistry(registry)
        self.config = config
        self.monitor = monitor
        self.notice = notice
        self.environment = environment
        self.grace = grace
        self.ended = ended
        self.host = socket.gethostname()
        """As the registry names this machine."""
        self.machine = this_machine()
        self.records = Records(registry)
        self.trust = Trust(config.person, config.approvers)
        """Who signs, as the settings say now: whoever judges by it goes by the new ones at once."""
        self.following = Following(JsonlRegistry(registry), config.person, self.trust, poll=config.poll)
        """The one board that all of them look at."""
        self.worktrees = self._worktrees()

    @property
    def project(self) -> Path:
        """The folder that the registry belongs to."""
        folder = self.registry.path.parent
        return folder.parent if folder.name == ".collab" else folder

    @property
    def tool_input(self) -> ToolInput:
        """What is recorded of what agents' tools are given."""
        return ToolInput(self.config.hooks.tool_input)

    def is_here(self, record: Record) -> bool:
        """It is a session of this machine, whatever that was called then: several may have one home folder."""
        return record.is_of(self.machine, self.host)

    def launch(
        self, record: Record, definition: Definition, environment: Mapping[str, str], writable: Mapping[Path, bool]
    ) -> Launch:
        """What the driver of a session needs. Raises `NotWrittenError` where there is no room for it."""
        return Launch(
            name=record.name,
            run=record.run,
            definition=definition,
            folder=Path(record.folder),
            environment=environment,
            private=self.records.private(record.name),
            log=Path(record.log),
            is_read_only=record.is_read_only,
            tool_input=self.tool_input,
            writable=writable,
            resume_id=record.resume_id,
            handle=record.handle,
        )

    def use(self, config: Config) -> None:
        """Go on by other settings. Raises `UnusableError` for a key that is none, and then goes by those of before."""
        self.trust.use(config.person, config.approvers)
        self.config = config
        self.worktrees = self._worktrees()

    def _worktrees(self) -> Worktrees:
        folder, base = self.config.sessions.worktrees, self.config.sessions.base
        return Worktrees(self.project, Path(folder).expanduser() if folder is not None else None, base)
