"""The person's commands to runs: only what they signed, for that very process, minutes ago, and once, cancels one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collab_tui.model.event import Event, decode
from collab_tui.model.signature import Signed
from collab_tui.orchestrator.hearing import hear_cancel, new_carrier
from collab_tui.protocol.commands import Carrier, CommandType, Concern, command, concern_of, send, start_payload
from collab_tui.protocol.kept_results import KeptResults
from collab_tui.protocol.nearby import announce
from collab_tui.protocol.trust import Trust, seal_with
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import append
from collab_tui.registry.jsonl import JsonlRegistry
from tests.program import PATIENCE
from tests.signing import KEY, OTHER_KEY, install_key

RUN = "0a1b2c3d"
HERE = Carrier("0123456789ab", "desk")


class Hearer:
    """A process that has one run, which it hears being cancelled."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "registry.jsonl"
        append(str(self.path), {"agent": "system", "event": "registry_created", "registry": "ab" * 16})
        self.trust = Trust("human", {"lena": OTHER_KEY.public.text}, install_key(folder / "keys"))
        self.used = UsedDecisions(folder / "used")
        self.cancelled: list[tuple[str, str]] = []
        self.notices: list[str] = []
        self.registry = JsonlRegistry(self.path)
        self.registry.read_next()

    def cancel(self, run: str, reason: str) -> bool:
        self.cancelled.append((run, reason))
        return run == RUN

    def send(self, type_: CommandType = CommandType.CANCEL_RUN, target: str = RUN, **payload: str) -> str:
        return str(send(self.registry, self.trust, type_, target, payload, HERE)["id"])

    def write(self, event: dict[str, Any], key: Any = KEY) -> dict[str, Any]:
        """A line as anybody may write it, signed with some key."""
        sealed = event | seal_with(key, "ab" * 16, what=Signed.COMMAND)(event)
        with self.path.open("ab") as file:
            file.write(json.dumps(sealed).encode() + b"\n")
        announce(self.path)
        return sealed

    def results(self) -> list[dict[str, Any]]:
        found = map(json.loads, self.path.read_text(encoding="utf-8").splitlines())
        return [line for line in found if line["event"] == "command_result"]

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not holds():  # noqa: ASYNC110  # a file
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def at_work(self, carrier: str = HERE.monitor) -> AsyncIterator[None]:
        hearing = asyncio.create_task(
            hear_cancel(self.path, carrier, self.trust, self.used, self.cancel, self.notices.append)
        )
        try:
            yield
        finally:
            hearing.cancel()
            await asyncio.wait({hearing})


@pytest.fixture
def hearer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hearer:
    monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, **__: str(tmp_path / "state"))
    return Hearer(tmp_path)


def cancelling(at: datetime | None = None, number: int = 1, **changed: Any) -> dict[str, Any]:
    when = (at or datetime.now(UTC)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    told = {"id": f"c{number}", "timestamp": when}
    return told | command("human", CommandType.CANCEL_RUN, RUN, {}, HERE) | changed


async def test_the_person_cancels_a_run_once_and_hears_of_it(hearer: Hearer) -> None:
    async with hearer.at_work():
        first = hearer.send(reason="the plan was wrong")
        await hearer.until(hearer.results)
        another = hearer.send(target="ffffffff")
        await hearer.until(lambda: len(hearer.results()) == 2)
    assert hearer.cancelled == [(RUN, "the plan was wrong"), ("ffffffff", "cancelled by hand")]
    done, failed = hearer.results()
    assert (done["command_id"], done["state"], done["monitor"]) == (first, "done", HERE.monitor)
    assert (failed["command_id"], failed["state"]) == (another, "failed")
    assert failed["reason"] == "no such run runs here"
    kept = KeptResults(hearer.path).load(first)
    assert kept is not None
    assert kept.state == "done"
    async with hearer.at_work():
        hearer.send(target="eeeeeeee")
        await hearer.until(lambda: len(hearer.results()) == 3)
    assert len(hearer.cancelled) == 3, "what was taken before is not taken again"


async def test_forged_replayed_old_and_others_commands_cancel_nothing(hearer: Hearer) -> None:
    async with hearer.at_work():
        append(str(hearer.path), {"agent": "human", **command("human", CommandType.CANCEL_RUN, RUN, {}, HERE)})
        hearer.write(cancelling(number=2, agent="lena"), OTHER_KEY)
        hearer.write(cancelling(number=3), OTHER_KEY)
        hearer.write(cancelling(datetime.now(UTC) - timedelta(minutes=11), number=4))
        hearer.write(cancelling(number=5, monitor="ffffffffffff"))
        changed = hearer.write(cancelling(number=6, target="ffffffff"))
        with hearer.path.open("ab") as file:
            file.write(json.dumps(changed | {"id": "c7", "target": RUN}).encode() + b"\n")
        hearer.write(cancelling(datetime.now(UTC) + timedelta(minutes=11), number=8))
        await hearer.until(lambda: len(hearer.results()) == 2)
        last = hearer.write(cancelling(number=9))
        await hearer.until(lambda: len(hearer.results()) == 3)
        with hearer.path.open("ab") as file:
            file.write(json.dumps(last, indent=None, separators=(" , ", " : ")).encode() + b"\n")
        hearer.write(cancelling(number=10, target="eeeeeeee"))
        await hearer.until(lambda: len(hearer.results()) == 4)
    assert hearer.cancelled == [
        ("ffffffff", "cancelled by hand"),
        (RUN, "cancelled by hand"),
        ("eeeeeeee", "cancelled by hand"),
    ]
    assert [line["state"] for line in hearer.results()] == ["failed", "failed", "done", "failed"]
    assert "still to come" in hearer.results()[1]["reason"]
    assert hearer.notices == []


async def test_a_process_starts_and_resumes_nothing_by_command_and_says_who_does(hearer: Hearer) -> None:
    async with hearer.at_work():
        hearer.send(CommandType.START_RUN, "/p.toml", **start_payload("0" * 64, "a goal", {"a": "b"}, RUN))
        hearer.send(CommandType.RESUME_RUN)
        await hearer.until(lambda: len(hearer.results()) == 2)
    assert [line["state"] for line in hearer.results()] == ["failed", "failed"]
    assert all("give the command to the monitor" in line["reason"] for line in hearer.results())
    assert hearer.cancelled == []


async def test_what_breaks_while_it_is_heard_is_told_and_the_next_is_heard(
    hearer: Hearer, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks = [True]

    def cancel(run: str, reason: str) -> bool:
        if breaks.pop() if breaks else False:
            raise KeyError("it broke")
        hearer.cancelled.append((run, reason))
        return True

    monkeypatch.setattr(hearer, "cancel", cancel)
    async with hearer.at_work():
        hearer.send()
        await hearer.until(hearer.results)
        hearer.send()
        await hearer.until(lambda: len(hearer.results()) == 2)
    assert hearer.cancelled == [(RUN, "cancelled by hand")]
    assert [(line["state"], line.get("reason")) for line in hearer.results()] == [
        ("failed", "KeyError: 'it broke'"),
        ("done", None),
    ]


def test_each_process_is_called_otherwise_and_as_a_monitor_is() -> None:
    carriers = {new_carrier() for _ in range(50)}
    assert len(carriers) == 50
    assert all(len(carrier) == 12 and int(carrier, 16) >= 0 for carrier in carriers)


def test_what_the_sessions_and_workers_carry_out_is_not_of_runs() -> None:
    of_runs = {CommandType.START_RUN, CommandType.CANCEL_RUN, CommandType.RESUME_RUN}
    for type_ in CommandType:
        (item,) = decode(json.dumps(command("human", type_, "x", {}, HERE)).encode(), 0)
        assert isinstance(item, Event)
        assert (concern_of(item) is Concern.RUNS) is (type_ in of_runs)
