"""A project with a registry, a person's key and agents that do as the test says; its sessions as a user sees them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from collab_tui.config import load_config
from collab_tui.model.board import Board
from collab_tui.model.fold import Fold
from collab_tui.model.sessions import Observed, Session
from collab_tui.protocol.commands import Carrier, CommandType, send
from collab_tui.protocol.trust import Trust
from collab_tui.registry.append import append
from collab_tui.registry.base import read_to_end
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.sessions import session as session_module
from collab_tui.sessions.driver import Delivery, DriverError, Launch, Listener, LostError, Reply, ReplyStatus
from collab_tui.sessions.manager import SessionManager
from tests.program import PATIENCE
from tests.signing import install_key

MONITOR_ID = "0123456789ab"
_PAUSE = 0.005


class Agent:
    """A `Driver` in whose place no program runs: it answers as the test says, and notes what it was told."""

    last: ClassVar[dict[str, Agent]] = {}
    """By name of the session, the one that was made last."""
    alive: ClassVar[set[str]] = set()
    """Handles of those that outlive their manager."""
    is_lasting = False
    start_error: Exception | None = None
    never_ready = False

    def __init__(self, launch: Launch, listener: Listener) -> None:
        self.launch, self.listener = launch, listener
        self.prompts: list[str] = []
        self.interrupted: list[str] = []
        self.turns = 0
        self.stopped: float | None = None
        self.left = False
        self.is_slow = False
        self.takes_prompts = True
        self.next_reply: Callable[[str], Reply] = lambda text: Reply(f"reply to {text}", ReplyStatus.DONE, 0.01)
        self.may_end = asyncio.Event()
        self._gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        Agent.last[launch.name] = self

    @property
    def pid(self) -> int | None:
        return None

    @property
    def handle(self) -> Mapping[str, Any] | None:
        return {"pane": self.launch.run} if Agent.is_lasting else None

    async def start(self) -> None:
        if self.launch.handle is not None:
            if self.launch.handle["pane"] not in Agent.alive:
                raise LostError("there is no such pane any more")
            return
        if Agent.start_error is not None:
            raise Agent.start_error
        if Agent.never_ready:
            await asyncio.Event().wait()
        Agent.alive.add(self.launch.run)

    async def prompt(self, text: str) -> Reply:
        self.prompts.append(text)
        self.turns += 1
        if self.takes_prompts:
            self.listener.submitted()
        try:
            if self.is_slow:
                await self.may_end.wait()
                self.may_end.clear()
            if self._gone.done():
                return Reply("", ReplyStatus.LOST, 0.0, Delivery.UNVERIFIED, "it ended")
            return self.next_reply(text)
        except asyncio.CancelledError:
            self.interrupted.append(text)
            raise
        finally:
            self.turns -= 1

    async def interrupt(self) -> None:
        self.next_reply = lambda text: Reply("", ReplyStatus.INTERRUPTED, 0.0, reason="interrupted")
        self.may_end.set()

    async def stop(self, grace: float) -> str:
        self.stopped = grace
        self.end("exit 0")
        return "exit 0"

    async def leave(self) -> None:
        self.left = True

    def end(self, how: str) -> None:
        """Its program is gone."""
        Agent.alive.discard(self.launch.run)
        if not self._gone.done():
            self._gone.set_result(how)
        self.may_end.set()

    async def wait(self) -> str:
        return await asyncio.shield(self._gone)


class House:
    """What a test has in hand."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home, self.project = folder / "home", folder / "project"
        self.project.mkdir(parents=True)
        for name, where in (("HOME", ""), ("XDG_CONFIG_HOME", "config"), ("XDG_STATE_HOME", "state")):
            monkeypatch.setenv(name, str(self.home / where))
        monkeypatch.setenv("XDG_CACHE_HOME", str(self.home / "cache"))
        library = self.home / "Library" / "Application Support" / "collab-tui"
        self.settings = library if sys.platform == "darwin" else self.home / "config" / "collab-tui"
        install_key(self.settings)
        (self.settings / "agents").mkdir()
        self.path = self.project / ".collab" / "registry.jsonl"
        self.path.parent.mkdir()
        append(str(self.path), {"agent": "system", "event": "registry_created", "registry": "abcdef"})
        self.notices: list[str] = []

    def define(self, name: str, command: list[str], **more: Any) -> None:
        """An agent of the user's own."""
        lines = {"driver": "command", "command": command, "worktree": False, **more}
        text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items())
        (self.settings / "agents" / f"{name}.toml").write_text(text, encoding="utf-8")

    def manager(self, **more: Any) -> SessionManager:
        """A new one, as a monitor has it."""
        config = load_config(self.path)
        how = {"monitor_id": MONITOR_ID, "grace": 2.0, **more}
        return SessionManager(self.path, config, notice=self.notices.append, **how)

    # The registry

    def say(self, agent: str, event: str, **fields: Any) -> str:
        """Append an event; gives its id."""
        return str(append(str(self.path), {"agent": agent, "event": event, **fields}, durable=False)["id"])

    def lines(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """The events of a kind with these fields."""
        whole = self.path.read_bytes().split(b"\n")[:-1]
        found = [event for line in whole if (event := json.loads(line))["event"] == kind]
        return [event for event in found if all(event.get(name) == value for name, value in fields.items())]

    def board(self) -> Board:
        """As anybody reads it."""
        fold = Fold("human")
        read_to_end(JsonlRegistry(self.path), fold)
        return fold.board()

    def session(self, name: str) -> Session:
        """The session of that name, which has to be there."""
        found = self.board().session(name)
        assert found is not None, f"no session {name}"
        return found

    def observed(self, name: str) -> Observed:
        """What is seen of it, as the registry tells."""
        return self.session(name).observed

    def command(self, kind: CommandType, target: str, monitor: str = MONITOR_ID, **payload: Any) -> str:
        """The person's signed command; gives its id."""
        registry = JsonlRegistry(self.path)
        read_to_end(registry, Fold())
        return str(send(registry, Trust("human"), kind, target, payload, Carrier(monitor, "here"))["id"])

    def results(self, command_id: str) -> list[dict[str, Any]]:
        """What became of a command."""
        return self.lines("command_result", command_id=command_id)

    def states(self, command_id: str) -> list[str]:
        """How far it is, as it was told."""
        return [result["state"] for result in self.results(command_id)]


async def eventually(holds: Callable[[], object], told: Callable[[], object] = str) -> None:
    """Look again and again until it holds, while everything else goes on."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"it never came about\n{told()}"
        await asyncio.sleep(_PAUSE)


def use_agents(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have `Agent` in the place of every driver."""
    for name, value in (("last", {}), ("alive", set()), ("is_lasting", False), ("start_error", None)):
        monkeypatch.setattr(Agent, name, value)
    monkeypatch.setattr(Agent, "never_ready", False)
    monkeypatch.setattr(session_module, "driver_class", lambda definition: Agent)


def python(script: str) -> list[str]:
    """A program that runs this."""
    return [sys.executable, "-u", "-c", script]


def is_running(pid: int) -> bool:
    """There is such a process, and it is no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(") ")[2][:1]
    except OSError:
        return True
    return state != "Z"


class NoProgramError(DriverError):
    """What a program does that cannot be started."""
