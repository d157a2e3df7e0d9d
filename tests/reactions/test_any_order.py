"""Whatever the order of events, looks, ends, kills and pauses: each event is acted on or counted as too old, once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reactions.desk import Desk

STEPS = ("event", "event", "event of no time", "look", "look", "end", "kill", "a minute", "an hour")


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(st.sampled_from(STEPS), max_size=25))
def test_nothing_twice_and_nothing_forgotten(steps: list[str]) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("platformdirs.user_state_dir", lambda *_, **__: f"{folder}/state")
        asyncio.run(live(Desk(Path(folder)), steps))


async def live(desk: Desk, steps: list[str]) -> None:
    reactor = await desk.started()
    await reactor.end()
    reactor = None
    said: list[str] = []
    for step in steps:
        match step:
            case "event":
                said.append(desk.say("sena", "ready"))
            case "event of no time":
                said.append(desk.say("sena", "ready", timestamp=None))
            case "look":
                reactor = reactor or desk.reactor()
                await desk.look(reactor)
            case "end" if reactor is not None:
                await reactor.end()
                reactor = None
            case "kill":
                reactor = None
            case "a minute":
                desk.pass_time(minutes=1)
            case "an hour":
                desk.pass_time(hours=1)
    await desk.look(reactor or desk.reactor())
    old = sum(event["events"] for event in desk.lines("activation") if "events" in event)
    assert desk.messages().keys() <= set(said)
    assert set(desk.messages().values()) <= {1}
    assert len(desk.messages()) + old == len(said)
    assert desk.outcomes().count("sent") == len(desk.messages())
