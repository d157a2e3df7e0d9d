"""What workers need of the sessions of their monitor: `sessions.manager.SessionManager` as they see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from collab_tui.model.sessions import Observed
from collab_tui.sessions.driver import Reply
from collab_tui.sessions.records import Record


class WorkerSession(Protocol):
    """One session."""

    @property
    def name(self) -> str:
        """Under which it takes part."""
        ...

    @property
    def run(self) -> str:
        """Which of its starts it is."""
        ...

    @property
    def observed(self) -> Observed:
        """What is seen of its program."""
        ...

    @property
    def worker(self) -> str | None:
        """The id of the worker that it is."""
        ...

    @property
    def record(self) -> Record:
        """What this machine knows of it."""
        ...

    async def idle(self) -> bool:
        """Wait until it is idle; False when it ended first."""
        ...

    async def send_prompt_and_wait(self, text: str, timeout: float | None = None) -> Reply:  # noqa: ASYNC109
        """Give it a prompt and wait until its turn ends, which it is made to after so many seconds."""
        ...


class Sessions(Protocol):
    """All that run."""

    @property
    def sessions(self) -> Mapping[str, WorkerSession]:
        """By name."""
        ...

    async def create_session(
        self,
        agent: str,
        *,
        task: str | None = None,
        base: str | None = None,
        name: str | None = None,
        worker: str | None = None,
        is_read_only: bool = False,
        in_worktree: bool | None = None,
    ) -> WorkerSession:
        """Start one."""
        ...

    async def destroy_session(self, name: str) -> str:
        """End one; its worktree stays."""
        ...


class Progress(Protocol):
    """Hears how far a worker is, and keeps it."""

    def write(self, heading: str, text: str) -> None:
        """Add to its log."""
        ...

    async def started(self, session: WorkerSession, head: str | None) -> None:
        """It has a session, whose branch stands on that commit."""
        ...

    async def prompting(self, prompt: str) -> None:
        """It is told what to do now."""
        ...
