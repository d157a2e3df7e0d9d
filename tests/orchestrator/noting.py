"""A pipeline of three steps whose agents note what they do; the one in the middle waits until it is let go."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from collab_tui.orchestrator.pipeline_file import read_pipeline
from collab_tui.protocol.commands import start_payload

_AGENT = Path(__file__).with_name("noting_agent.py")
_FILE = """
name = "three steps"
goal = "Take three steps"

[vars]
count = "three"

[agent.noter]
command = ["{python}", "{folder}/noting_agent.py", "{folder}"]

[role.executor]
agent = "noter"

[[task]]
key = "first"
role = "executor"
prompt = "Begin, {count} are to come."

[[task]]
key = "wait"
role = "executor"
needs = ["first"]
prompt = "Wait."

[[task]]
key = "last"
role = "executor"
needs = ["wait"]
prompt = "End."
"""


class Noting:
    """The file, and what its agents noted."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.path = folder / "steps.toml"
        self.path.write_text(_FILE, encoding="utf-8")
        shutil.copy(_AGENT, folder / _AGENT.name)

    def notes(self) -> list[str]:
        """The tasks that an agent began, in order."""
        try:
            return (self.folder / "notes").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def let_go(self) -> None:
        """The step in the middle may be done."""
        (self.folder / "go").touch()

    def change(self, old: str, new: str) -> None:
        """Have the file say something else."""
        text = self.path.read_text(encoding="utf-8")
        assert old in text
        self.path.write_text(text.replace(old, new), encoding="utf-8")

    def payload(self, **about: Any) -> dict[str, str]:
        """Of a start, as somebody gives it who sees the file as it is now."""
        digest = read_pipeline(self.path).digest
        assert digest is not None
        return start_payload(digest, **about)


def lines_of(registry: Path, *events: str) -> list[dict[str, Any]]:
    """The events of those kinds."""
    found = map(json.loads, registry.read_text(encoding="utf-8").splitlines())
    return [line for line in found if line["event"] in events]


def done_tasks(registry: Path, run: str) -> list[str]:
    """The tasks of a run that were told to be done, in order."""
    return [line["task"] for line in lines_of(registry, "run_task") if line["run"] == run and line["state"] == "done"]
