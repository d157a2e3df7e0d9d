"""Giving commands to sessions from their screen, and what then stands in the registry."""

from __future__ import annotations

from typing import Any

from collab_tui.model.event import Event, decode
from collab_tui.model.signature import Standing, registry_id
from collab_tui.protocol.commands import judge
from collab_tui.protocol.trust import Trust
from tests.tui.atlas import MONITOR_ID, choose
from tests.tui.scenes import told
from tests.tui.seat import Seat


def command(kind: str, target: str, host: str = "atlas", monitor: str = MONITOR_ID, **payload: Any) -> dict[str, Any]:
    return {
        "agent": "human",
        "event": "command",
        "command_type": kind,
        "target": target,
        "payload": payload,
        "monitor": monitor,
        "host": host,
    }


async def gave(seat: Seat, *commands: dict[str, Any]) -> list[str]:
    """Wait until exactly these commands stand in the registry, signed; gives their ids."""
    raw = seat.path.read_bytes
    await seat.until(lambda: len(seat.appended) >= len(commands), f"{commands} in the registry")
    found = seat.appended
    for event in found:
        event.pop("signature", None)
        event.pop("key_id", None)
    assert found == list(commands)
    events = [item for item in decode(raw(), 0) if isinstance(item, Event)][-len(commands) :]
    first = next(iter(decode(raw(), 0)))
    trust = Trust("human")
    assert [judge(event, registry_id(first), trust).standing for event in events] == [Standing.SIGNED] * len(commands)
    await seat.read(sum(1 for _ in decode(raw(), 0)))
    return [event.id for event in events]


def result(command_id: str, state: str, **fields: Any) -> dict[str, Any]:
    return told("monitor", "command_result", 0, command_id=command_id, monitor=MONITOR_ID, state=state, **fields)


async def dialog(seat: Seat, kind: str) -> None:
    await seat.until(lambda: seat.screen == kind and seat.app.screen.is_mounted, kind)


async def on_sessions(seat: Seat) -> None:
    await seat.until(lambda: seat.screen == "SessionsScreen", "the sessions without a dialog")


async def prompt(seat: Seat, name: str, words: str) -> None:
    await choose(seat, name)
    await seat.press("p")
    await dialog(seat, "PromptScreen")
    await seat.type(words)
