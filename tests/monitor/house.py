"""A project with settings of its own, and monitors that run in it as processes."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from collab_tui.registry.append import append
from tests.program import Running, environment, eventually, started

WAKE = """
[[rule]]
name = "wake"
on = true
when = { event = "ready", from = "sena" }
then = { message = "lubit", text = "{from} is ready: {message}" }
cool_down = "0s"
per_hour = 1000
"""


class House:
    """What a test has in hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "registry.jsonl"
        self.env = environment(folder / "home", XDG_STATE_HOME=str(folder / "home" / "state"))
        settings = folder / "home" / ("Library/Application Support" if sys.platform == "darwin" else "config")
        self.config = settings / "collab-tui" / "config.toml"
        self.config.parent.mkdir(parents=True)
        self.write_rules(WAKE)
        append(str(self.path), {"agent": "system", "event": "registry_created", "registry": "abcdef"})

    def write_rules(self, text: str) -> None:
        """Replace the user's settings, whole or not at all, as editors do."""
        fresh = self.config.with_name("fresh")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self.config)

    def say(self, agent: str = "sena", event: str = "ready", **fields: Any) -> str:
        """Append an event; gives its id."""
        return str(append(str(self.path), {"agent": agent, "event": event, **fields}, durable=False)["id"])

    def lines(self, kind: str) -> list[dict[str, Any]]:
        """What the monitors wrote of a kind."""
        whole = self.path.read_bytes().split(b"\n")[:-1]
        events = [json.loads(line) for line in whole if line.endswith(b"}")]
        return [event for event in events if event["event"] == kind and event["agent"] == "monitor"]

    def messages(self) -> Counter[str]:
        """By cause, how often a message was sent."""
        return Counter(event["cause"] for event in self.lines("message"))

    def outcomes(self, rule: str = "wake") -> list[str]:
        """What became of what a rule did."""
        return [event["outcome"] for event in self.lines("activation") if event["rule"] == rule]

    def until(self, *causes: str) -> None:
        """Wait until a message was sent for each of these."""
        eventually(lambda: set(causes) <= set(self.messages()), lambda: f"{self.messages()}")

    @contextmanager
    def monitor(self, *options: str) -> Iterator[Running]:
        """A monitor that looks at the registry already."""
        with self.starting(*options) as running:
            running.wait_for(lambda: b"rules" in running.output)
            yield running

    @contextmanager
    def starting(self, *options: str) -> Iterator[Running]:
        """A monitor that begins to."""
        with started("monitor", "--registry", str(self.path), *options, cwd=self.folder, env=self.env) as running:
            yield running
