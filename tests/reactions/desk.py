"""A registry, rules, a clock that is set, and reactors that work on them one after the other."""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from collab_tui.config.rules import Rule, Then, When
from collab_tui.model.moment import Limits
from collab_tui.protocol.keys import Keyring
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from collab_tui.reactions.actions.prompt import Prompt, nobody
from collab_tui.reactions.happening import Happening
from collab_tui.reactions.looking import Look, Setup
from collab_tui.reactions.reactor import Reactor
from tests.events import line
from tests.program import eventually


def rule(name: str = "wake", **more: Any) -> Rule:
    """A rule that is on and tells lubit when sena says that something is ready; any of its fields may be another."""
    given: dict[str, Any] = {
        "when": When(event="ready", source="sena"),
        "then": Then(message="lubit", text="{from} is ready"),
        "is_on": True,
        "cool_down": 0.0,
        "per_hour": 1000,
        "is_users": True,
    }
    return Rule(name, **{**given, **more})


class Desk:
    """What a test has in hand."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.path = folder / "registry.jsonl"
        self.now = datetime.now(UTC)  # what is appended has the real time
        self.told: list[Happening] = []
        self.notices: list[str] = []
        self.rules: tuple[Rule, ...] = (rule(),)
        self.environment: Mapping[str, str] = {"PATH": os.environ["PATH"]}
        self.notify_command: Sequence[str] | None = None
        self.prompt: Prompt = nobody
        self.keyring = Keyring(folder / "keys")
        self.path.write_bytes(line({"event": "registry_created", "agent": "system", "registry": "abcdef"}))

    @property
    def setup(self) -> Setup:
        return Setup(self.rules, "human", Limits(), notify_command=self.notify_command)

    def reactor(self, *, acts: bool = True) -> Reactor:
        """A new one, as after a restart."""
        return Reactor(
            self.path,
            self.setup,
            acts=acts,
            tell=self.told.append,
            notice=self.notices.append,
            environment=self.environment,
            clock=lambda: self.now,
            trust=lambda setup: Trust(setup.person, setup.approvers, self.keyring),
            used=UsedDecisions(self.folder / "used"),
            prompt=self.prompt,
        )

    async def started(self, *, acts: bool = True) -> Reactor:
        """One that saw all that is there."""
        reactor = self.reactor(acts=acts)
        await reactor.look()
        return reactor

    async def look(self, reactor: Reactor) -> Look:
        """Let it look until nothing is new: also at what it wrote itself."""
        first = await reactor.look()
        while (await reactor.look()).is_news:
            pass
        return first

    def pass_time(self, **duration: float) -> None:
        self.now += timedelta(**duration)

    def say(self, agent: str, event: str, **fields: Any) -> str:
        """Append a line of this moment, as any program may; gives its id."""
        own = {"id": os.urandom(8).hex(), "timestamp": self.now.isoformat(), "agent": agent, "event": event}
        written = {**own, **fields}
        with self.path.open("ab") as file:
            file.write(line({name: value for name, value in written.items() if value is not None}))
        return str(written["id"])

    def lines(self, kind: str | None = None) -> list[dict[str, Any]]:
        """What the registry holds; of a kind, what the monitor wrote."""
        found = []
        for written in self.path.read_bytes().splitlines():
            try:
                found.append(json.loads(written))
            except ValueError:
                continue  # a line that was cut off
        return [event for event in found if kind is None or (event["event"] == kind and event["agent"] == "monitor")]

    def messages(self) -> Counter[str]:
        """By cause, how often a message was sent."""
        return Counter(event["cause"] for event in self.lines("message"))

    def outcomes(self, rule: str = "wake") -> list[str]:
        """What became of what a rule did, in order."""
        return [event["outcome"] for event in self.lines("activation") if event["rule"] == rule]

    def output(self, ended: Mapping[str, Any]) -> bytes:
        """What a program printed."""
        return Path(ended["log"]).read_bytes()

    async def until_outcomes(self, rule: str, *outcomes: str) -> None:
        """Wait for programs."""
        await asyncio.to_thread(eventually, lambda: self.outcomes(rule) == list(outcomes), lambda: f"{self.lines()}")
