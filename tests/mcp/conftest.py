"""What the tests of the MCP server share."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collab_tui.registry.jsonl import JsonlRegistry
from tests.events import asks, decides, lines, says, updates
from tests.signing import install_key_at, signed


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """Lubit is at work, blocked by something of Sena's, and asked her and the person something."""
    install_key_at(tmp_path)
    path = tmp_path / "registry.jsonl"
    path.write_bytes(
        lines(
            says("system", "registry_created", registry="abcdef"),
            updates("lubit", status="in_progress", current_task="check the metrics", progress=30),
            asks("lubit", "aaaa0001", request="Is the schema final?", target="sena"),
            asks("lubit", "aaaa0002", request="Which first?", target="sena", options=["rules", "model"]),
            asks("lubit", "bbbb0001", request="May I deploy?"),
            says("lubit", "blocker", blocker="sena_metrics"),
        )
    )
    return path


def events(path: Path) -> list[dict[str, Any]]:
    """Everything in a registry."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def last(path: Path) -> dict[str, Any]:
    """The last event, without what every event has."""
    return {name: value for name, value in events(path)[-1].items() if name not in ("id", "timestamp")}


def of_kind(path: Path, kind: str, agent: str = "sena") -> list[dict[str, Any]]:
    """The events of that name of an agent."""
    return [event for event in events(path) if (event["event"], event["agent"]) == (kind, agent)]


def add(path: Path, *added: dict[str, Any]) -> None:
    """Others append their events."""
    with path.open("ab") as file:
        file.write(lines(*added))


def remove(path: Path) -> None:
    """It goes away, with everything in it."""
    path.unlink()


def answer(path: Path, request_id: str, **fields: Any) -> None:
    """The person decides, with their signature."""
    decision = decides("human", request_id, id=f"d-{request_id}", timestamp=datetime.now(UTC).isoformat(), **fields)
    JsonlRegistry(path).append(signed(decision, path.read_bytes()))


def claim(path: Path, request_id: str, **fields: Any) -> None:
    """Somebody decides in the person's name, without a signature."""
    JsonlRegistry(path).append(decides("human", request_id, **fields))
