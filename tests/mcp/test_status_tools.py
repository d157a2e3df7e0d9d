"""Saying how one stands, over MCP: what is written, and what a model is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.mcp.clients import connected
from tests.mcp.conftest import events, last, of_kind


async def test_an_update_says_only_what_was_given(registry: Path) -> None:
    async with connected(registry) as sena:
        told = await sena(
            "update_status", status="in_progress", progress=40, current_task=" metrics ", next_action="샘플"
        )
    assert told.startswith("Written: status, current_task, progress, next_action.")
    assert last(registry) == {
        "agent": "sena",
        "event": "status_update",
        "status": "in_progress",
        "current_task": "metrics",
        "progress": 40,
        "next_action": "샘플",
    }


async def test_an_update_tells_how_much_is_new_in_the_inbox(registry: Path) -> None:
    async with connected(registry) as sena:
        assert "2 new for you: call read_inbox" in await sena("update_status", progress=1)
        await sena("read_inbox")
        assert await sena("update_status", progress=2) == "Written: progress."


async def test_waiting_for_an_agent_is_a_status(registry: Path) -> None:
    async with connected(registry) as sena:
        await sena("update_status", waiting_for="lubit")
    assert last(registry)["status"] == "waiting_for_lubit"


async def test_what_cannot_be_said_is_refused_with_the_mend(registry: Path) -> None:
    refusals: list[tuple[dict[str, Any], str]] = [
        ({"status": "busy"}, "status: input should be 'in_progress', 'waiting'"),
        ({"progress": 101}, "progress: input should be less than or equal to 100"),
        ({"progress": -1}, "progress: input should be greater than or equal to 0"),
        ({"current_task": "x" * 301}, "current_task: string should have at most 300 characters"),
        ({"current_task": "  "}, "current_task: string should have at least 1 character"),
        ({"task": "metrics"}, 'update_status has no "task"; it takes status, current_task, progress'),
        ({}, "nothing was given: give at least one of status"),
        ({"status": "idle", "waiting_for": "lubit"}, "give either status or waiting_for"),
    ]
    async with connected(registry) as sena:
        for arguments, told in refusals:
            assert told in await sena.refused("update_status", **arguments)
    assert len(events(registry)) == 6


async def test_a_blocker_is_reported_and_resolved(registry: Path) -> None:
    async with connected(registry) as sena:
        told = await sena("report_blocker", blocker="no disk", reason="it is full", agent="gitcode")
        assert 'you are blocked by "no disk"' in told
        assert last(registry) == {
            "agent": "sena",
            "event": "blocker",
            "blocker": "no disk",
            "reason": "it is full",
            "target": "gitcode",
        }
        assert await sena("resolve_blocker", blocker="no d") == 'Written: "no disk" of sena is resolved.'
        assert 'there is no blocker "no d"' in await sena.refused("resolve_blocker", blocker="no d")
    (resolved,) = of_kind(registry, "blocker_resolved")
    assert (resolved["blocker"], resolved["target"]) == ("no disk", "sena")


async def test_another_agents_blocker_is_resolved(registry: Path) -> None:
    async with connected(registry) as sena:
        assert "There are: system, lubit" in await sena.refused("resolve_blocker", blocker="sena", agent="lubitt")
        await sena("resolve_blocker", blocker="sena", agent="Lubit", comment="they are there")
    assert last(registry) == {
        "agent": "sena",
        "event": "blocker_resolved",
        "blocker": "sena_metrics",
        "target": "lubit",
        "comment": "they are there",
    }


async def test_a_blocker_that_says_none_is_refused(registry: Path) -> None:
    async with connected(registry) as sena:
        assert "call resolve_blocker" in await sena.refused("report_blocker", blocker="None")
    assert len(events(registry)) == 6
