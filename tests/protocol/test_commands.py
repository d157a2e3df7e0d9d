"""Commands to sessions: only what the person signed for this machine and this registry acts, minutes ago, and once."""

from __future__ import annotations

import asyncio
import json
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collab_tui.model.event import Event, decode
from collab_tui.model.sessions import CommandState
from collab_tui.model.signature import Signed, Standing, parse
from collab_tui.protocol.answers import seal_of, unasked_decision
from collab_tui.protocol.commands import (
    GOOD_FOR,
    Carrier,
    CommandLostError,
    CommandType,
    Concern,
    NotTakenError,
    Result,
    Taken,
    TakenBeforeError,
    command,
    is_for,
    judge,
    result,
    result_of,
    send,
    start_payload,
    taken,
)
from collab_tui.protocol.keys import Keyring, NoKeyError
from collab_tui.protocol.nearby import announce
from collab_tui.protocol.trust import Trust, seal_with
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.jsonl import JsonlRegistry
from tests.events import START, at, line, lines, says
from tests.signing import KEY, OTHER_KEY, install_key

CREATED = says("system", "registry_created", registry="here")
HERE = Carrier("0a1b2c3d4e5f", "desk")
PROMPT = {"id": "c1", "timestamp": at(10), **command("human", CommandType.SEND_PROMPT, "sena", {"prompt": "go"}, HERE)}


def signed(event: dict[str, Any] = PROMPT, registry: str = "here", **more: Any) -> dict[str, Any]:
    return event | seal_with(KEY, registry, what=Signed.COMMAND, **more)(event)


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Trust:
    return Trust("human", {"lena": OTHER_KEY.public.text}, install_key(tmp_path_factory.mktemp("config")))


class Monitor:
    """Whoever takes commands."""

    def __init__(self, trust: Trust, state: Path) -> None:
        self._trust = trust
        self._state = state

    def take(
        self,
        written: object,
        *,
        seconds: float = 11,
        monitor: str = HERE.monitor,
        registry: str = "here",
        concern: Concern = Concern.SESSIONS,
    ) -> Taken | None:
        """Of a line, some seconds after the story began; a new process each time."""
        (item,) = decode(written if isinstance(written, bytes) else line(written), 3)
        return taken(
            item,
            registry_id=registry,
            trust=self._trust,
            used=UsedDecisions(self._state),
            monitor=monitor,
            now=START + timedelta(seconds=seconds),
            concern=concern,
        )

    def why_not(self, written: object, **how: Any) -> str:
        with pytest.raises(NotTakenError) as refused:
            self.take(written, **how)
        return str(refused.value)


@pytest.fixture
def monitor(trust: Trust, tmp_path: Path) -> Monitor:
    return Monitor(trust, tmp_path / "state")


def test_what_the_person_signed_is_taken_once(monitor: Monitor) -> None:
    found = monitor.take(signed())
    assert found is not None
    assert (found.id, found.type, found.target, found.payload) == (
        "c1",
        CommandType.SEND_PROMPT,
        "sena",
        {"prompt": "go"},
    )
    with pytest.raises(TakenBeforeError):
        monitor.take(signed())
    with pytest.raises(TakenBeforeError):
        monitor.take(json.dumps(signed(), indent=1).replace("\n", " ").encode())


def test_a_line_in_the_name_of_the_person_is_a_claim(monitor: Monitor) -> None:
    assert "it carries no signature" in monitor.why_not(PROMPT)
    assert "it carries no signature" in monitor.why_not(PROMPT | {"signature": None})
    assert "does not say with which key" in monitor.why_not(PROMPT | {"signature": "AAAA"})


@pytest.mark.parametrize(
    "change",
    [
        {"target": "lubit"},
        {"payload": {"prompt": "rm -rf ."}},
        {"payload": {"prompt": "go", "more": 1}},
        {"command_type": "stop"},
        {"timestamp": at(11)},
        {"id": "c2"},
        {"host": "nas"},
        {"agent": "Human"},
        {"more": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_was_changed_is_not(monitor: Monitor, change: dict[str, Any]) -> None:
    assert "changed after it was signed" in monitor.why_not(signed() | change)


def test_one_of_another_registry_is_not(monitor: Monitor) -> None:
    assert "signed in another registry" in monitor.why_not(signed(), registry="there")
    assert "signed in another registry" in monitor.why_not(signed(registry="there"))


def test_one_for_another_monitor_is_left_to_that_also_on_this_machine(monitor: Monitor, tmp_path: Path) -> None:
    assert monitor.take(signed(), monitor="another") is None
    assert monitor.take(PROMPT, monitor="another") is None, "nor is it refused there"
    with pytest.raises(NotTakenError, match="changed after it was signed"):
        monitor.take(signed() | {"monitor": "another"}, monitor="another")
    assert monitor.take(signed(PROMPT | {"monitor": None})) is None
    assert monitor.take(says("sena", "message", message="go")) is None
    assert monitor.take(signed()) is not None


def test_approvers_and_agents_give_no_commands(monitor: Monitor) -> None:
    lenas = PROMPT | {"agent": "lena"}
    by_lena = lenas | seal_with(OTHER_KEY, "here", what=Signed.COMMAND)(lenas)
    assert monitor.why_not(by_lena) == "it is not human's: only human gives commands"
    assert "only human gives commands" in monitor.why_not(signed(PROMPT | {"agent": "sena"}))
    with_her_key = PROMPT | seal_with(OTHER_KEY, "here", what=Signed.COMMAND)(PROMPT)
    assert "the key of lena, not of human" in monitor.why_not(with_her_key)


def test_a_key_that_nobody_trusts_gives_none(monitor: Monitor, tmp_path: Path) -> None:
    stranger = Keyring(tmp_path / "stranger").make()
    by_stranger = PROMPT | seal_with(stranger, "here", what=Signed.COMMAND)(PROMPT)
    assert "which you do not trust" in monitor.why_not(by_stranger)


def test_the_persons_other_machine_takes_them_by_the_key_in_its_settings(tmp_path: Path) -> None:
    elsewhere = Monitor(Trust("human", {"human": KEY.public.text}, Keyring(tmp_path / "none")), tmp_path)
    assert elsewhere.take(signed()) is not None


def test_the_signature_of_a_decision_is_none_of_a_command(monitor: Monitor, trust: Trust, tmp_path: Path) -> None:
    assert "changed after" in monitor.why_not(PROMPT | seal_with(KEY, "here")(PROMPT))
    decision = {"id": "d", "timestamp": at(10), **unasked_decision("human", "sena", "fonts", "approved")}
    as_command = decision | seal_with(KEY, "here", what=Signed.COMMAND)(decision)
    (item,) = decode(line(as_command), 3)
    assert isinstance(item, Event)
    assert trust.judge(item, None, "here").standing is Standing.BAD


def test_an_old_one_is_not_and_neither_is_one_of_the_future(monitor: Monitor) -> None:
    limit = GOOD_FOR.total_seconds()
    assert "too old" in monitor.why_not(signed(), seconds=10 + limit + 1)
    assert "still to come" in monitor.why_not(signed(), seconds=10 - limit - 1)
    assert monitor.take(signed(), seconds=10 + limit) is not None, "it was refused before, and not used up"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"command_type": "run"}, "there is no command 'run'"),
        ({"command_type": ["start"]}, "there is no command"),
        ({"payload": {}}, "send_prompt needs prompt"),
        ({"payload": {"prompt": " "}}, "send_prompt needs prompt"),
        ({"payload": {"prompt": ["go"]}}, "send_prompt takes no such 'prompt'"),
        ({"payload": {"prompt": "go", "command": "sh"}}, "send_prompt takes no such 'command'"),
        ({"payload": "go"}, "lacks its target"),
        ({"target": ""}, "lacks its target"),
        ({"target": ["sena"]}, "lacks its target"),
        ({"timestamp": "soon"}, "lacks its target, its time"),
        ({"command_type": "stop", "payload": {"remove_worktree": "yes"}}, "stop takes no such 'remove_worktree'"),
    ],
)
def test_what_is_signed_and_makes_no_sense_is_refused(monitor: Monitor, change: dict[str, Any], why: str) -> None:
    assert why in monitor.why_not(signed(PROMPT | change))


@pytest.mark.parametrize(
    ("type_", "payload", "why"),
    [
        (CommandType.START_RUN, {}, "start_run needs digest"),
        (CommandType.START_RUN, {"digest": "0", "variables": {"a": "b"}}, "start_run takes no such 'variables'"),
        (CommandType.CANCEL_RUN, {"force": True}, "cancel_run takes no such 'force'"),
        (CommandType.RESUME_RUN, {"pipeline": "/p.toml"}, "resume_run takes no such 'pipeline'"),
    ],
)
def test_so_is_one_of_runs(monitor: Monitor, type_: CommandType, payload: dict[str, Any], why: str) -> None:
    assert why in monitor.why_not(run_command(type_, payload), concern=Concern.RUNS)


def test_what_concerns_runs_is_left_to_them_and_a_goal_is_taken_as_it_was_signed(monitor: Monitor) -> None:
    goal = "draw \x1b[31m red,\n안녕"
    sent = run_command(CommandType.START_RUN, start_payload("0", goal, {"a": "\x1b"}, "0a1b2c3d"))
    assert monitor.take(sent) is None
    assert monitor.take(sent, concern=Concern.WORKERS) is None
    found = monitor.take(sent, concern=Concern.RUNS)
    assert found is not None
    assert found.payload == {"digest": "0", "goal": goal, "variables": '{"a": "\\u001b"}', "run": "0a1b2c3d"}
    assert monitor.take(signed(), concern=Concern.RUNS) is None
    with pytest.raises(TakenBeforeError):
        monitor.take(sent, concern=Concern.RUNS)


def run_command(type_: CommandType, payload: dict[str, Any]) -> dict[str, Any]:
    return signed({"id": "c3", "timestamp": at(10), **command("human", type_, "0a1b2c3d", payload, HERE)})


def test_a_line_that_can_be_read_in_two_ways_is_refused(monitor: Monitor) -> None:
    twice = line(signed())[:-2] + b',"target":"lubit"}\n'
    assert "can be read in two ways" in monitor.why_not(twice)


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_no_changed_byte_makes_another_command_of_it(trust: Trust, data: st.DataObject) -> None:
    whole = line(signed()).rstrip(b"\n")
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:place] + bytes([data.draw(st.integers(0, 255))]) + whole[place + 1 :]
    for item in decode(changed, 3):
        if isinstance(item, Event) and judge(item, "here", trust).standing is Standing.SIGNED:
            assert parse(changed) == parse(whole)


@given(
    st.dictionaries(st.sampled_from([*PROMPT, "signature", "key_id"]), st.none() | st.text(max_size=9) | st.integers())
)
def test_no_object_makes_taking_fail(trust: Trust, fields: dict[str, Any]) -> None:
    for item in decode(line({"event": "command", "agent": "human", "monitor": HERE.monitor, **fields}), 3):
        assert isinstance(item, Event)
        assert judge(item, "here", trust).standing is not Standing.SIGNED
        is_for(item, HERE.monitor, START)


# Through a registry


@pytest.fixture
def registry(tmp_path: Path) -> JsonlRegistry:
    path = tmp_path / "registry.jsonl"
    path.write_bytes(lines(CREATED))
    registry = JsonlRegistry(path)
    registry.read_next()
    return registry


def test_what_is_sent_reads_back_as_the_persons(registry: JsonlRegistry, trust: Trust) -> None:
    text = "안녕\u202e\x1b[31m 😀 \udcff"
    written = send(registry, trust, CommandType.SEND_PROMPT, "sena", {"prompt": text}, HERE)
    assert written["agent"] == "human"
    (item,) = registry.read_next().items
    assert isinstance(item, Event)
    assert judge(item, "here", trust).standing is Standing.SIGNED
    assert "\x1b" not in item.data["payload"]["prompt"]


def test_without_a_key_nothing_is_written(registry: JsonlRegistry, tmp_path: Path) -> None:
    before = registry.path.read_bytes()
    with pytest.raises(NoKeyError, match="collab-tui key make"):
        send(registry, Trust("human", keyring=Keyring(tmp_path)), CommandType.STOP, "sena", {}, HERE)
    assert registry.path.read_bytes() == before
    assert stat.S_ISREG(registry.path.stat().st_mode)


async def heard(registry: JsonlRegistry, command_id: str) -> list[Result]:
    return [found async for found in result_of(registry, command_id, HERE.monitor)]


async def test_what_becomes_of_it_is_heard_to_its_end(registry: JsonlRegistry, trust: Trust) -> None:
    written = send(registry, trust, CommandType.SEND_PROMPT, "sena", {"prompt": "go"}, HERE)
    hearing = asyncio.ensure_future(heard(registry, written["id"]))
    for told in (
        result("another", HERE.monitor, CommandState.DONE),
        result(written["id"], HERE.monitor, CommandState.ACCEPTED),
        result(written["id"], HERE.monitor, CommandState.DONE) | {"agent": "sena"},
        result(written["id"], "another", CommandState.FAILED, "of another user"),
        result(written["id"], HERE.monitor, CommandState.ACCEPTED) | {"state": "sure"},
        result(written["id"], HERE.monitor, CommandState.ACCEPTED) | {"state": ["done"]},
        result(written["id"], HERE.monitor, CommandState.DONE, result={"reply": "gone"}),
        result(written["id"], HERE.monitor, CommandState.FAILED, "too late"),
    ):
        registry.append(told)
        announce(registry.path)
    found = await hearing
    assert [(one.state, one.result) for one in found] == [
        (CommandState.ACCEPTED, {}),
        (CommandState.DONE, {"reply": "gone"}),
    ]


async def test_of_a_registry_that_was_replaced_nobody_can_tell(registry: JsonlRegistry, trust: Trust) -> None:
    written = send(registry, trust, CommandType.STOP, "sena", {}, HERE)
    list(registry.read_next().items)
    another = registry.path.with_name("another")
    another.write_bytes(lines(says("system", "registry_created", registry="there"), says("a", "message", message="x")))
    another.replace(registry.path)
    with pytest.raises(CommandLostError, match="what became of the command is unknown"):
        await heard(registry, written["id"])


def test_a_command_and_a_decision_are_signed_by_one_key_and_never_alike(registry: JsonlRegistry, trust: Trust) -> None:
    seals = [seal_of(registry, trust, None, what)(PROMPT) for what in Signed]
    assert seals[0]["key_id"] == seals[1]["key_id"]
    assert seals[0]["signature"] != seals[1]["signature"]
