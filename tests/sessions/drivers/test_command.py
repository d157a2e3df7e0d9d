"""Programs that take a prompt: one process for each, or lines of JSON."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collab_tui.model.sessions import Observed
from collab_tui.model.text import clean
from collab_tui.processes.identity import identity_of
from collab_tui.processes.output import MOST, OutputLog
from collab_tui.sessions.definitions import DriverKind, Exchange
from collab_tui.sessions.driver import Delivery, Driver, DriverError, LostError, ReplyStatus
from collab_tui.sessions.drivers import driver_class
from tests.sessions.drivers.heard import Heard, launch, until, within_reason

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups of Unix")

_GRACE = 5.0
_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody is told of orphans")


@asynccontextmanager
async def talking(folder: Path, *flags: str, **more: Any) -> AsyncGenerator[tuple[Driver, Heard], None]:
    heard = Heard()
    exchange = Exchange.LINES if "--lines" in flags else Exchange.PROCESS
    given = launch(folder, DriverKind.COMMAND, "command_program.py", *flags, exchange=exchange, **more)
    driver = driver_class(given.definition)(given, heard)
    await driver.start()
    try:
        yield driver, heard
    finally:
        await driver.stop(_GRACE)


@pytest.mark.parametrize(("flags", "count"), [((), 10), (("--lines",), 100)])
async def test_prompts_in_a_row_get_their_own_replies(tmp_path: Path, flags: tuple[str, ...], count: int) -> None:
    async with talking(tmp_path, *flags) as (driver, heard):
        replies = [await within_reason(driver.prompt(f"echo {number}")) for number in range(count)]
    assert heard.submissions == count
    assert [reply.text for reply in replies] == [f"you said {number}" for number in range(count)]
    assert {(reply.status, reply.delivery) for reply in replies} == {(ReplyStatus.DONE, Delivery.SUBMITTED)}


@pytest.mark.parametrize("flags", [(), ("--lines",)])
async def test_a_prompt_arrives_as_it_is_and_the_reply_can_steer_no_terminal(
    tmp_path: Path, flags: tuple[str, ...]
) -> None:
    prompt = "echo 안녕 $(touch x) ; --\n\tand 'more' \x1b[201~ " + "m" * 300_000
    async with talking(tmp_path, *flags) as (driver, heard):
        reply = await within_reason(driver.prompt(prompt))
    assert reply.text == "you said " + clean(prompt.removeprefix("echo "))
    assert "\x1b" not in reply.text
    assert "\x1b" not in heard.text
    assert b"\x1b" not in (tmp_path / "output.log").read_bytes()


@pytest.mark.parametrize(("flags", "why"), [((), "exit 3: it does not work"), (("--lines",), "it does not work")])
async def test_one_that_fails_says_why(tmp_path: Path, flags: tuple[str, ...], why: str) -> None:
    async with talking(tmp_path, *flags) as (driver, _):
        reply = await within_reason(driver.prompt("fail"))
        assert (reply.status, reply.reason) == (ReplyStatus.FAILED, why)
        assert reply.text.startswith("half")
        assert (await within_reason(driver.prompt("echo on"))).text == "you said on"


@pytest.mark.parametrize("flags", [(), ("--lines",)])
async def test_the_loop_never_writes_to_the_disk(
    tmp_path: Path, flags: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine, writers = OutputLog.append, set[int]()

    def append(log: OutputLog, data: bytes) -> bool:
        writers.add(threading.get_ident())
        return genuine(log, data)

    monkeypatch.setattr(OutputLog, "append", append)
    async with talking(tmp_path, *flags) as (driver, _):
        await within_reason(driver.prompt("echo on"))
        assert (tmp_path / "output.log").read_bytes().endswith(b"> echo on\nyou said on\n")
    assert writers
    assert threading.get_ident() not in writers


@pytest.mark.parametrize("flags", [(), ("--lines",)])
async def test_read_only_takes_arguments_for_it(tmp_path: Path, flags: tuple[str, ...]) -> None:
    with pytest.raises(DriverError, match="changes nothing"):
        async with talking(tmp_path, *flags, is_read_only=True):
            pass
    if not flags:
        async with talking(tmp_path, is_read_only=True, read_only=("--look",), model=("--small",)) as (driver, _):
            assert json.loads((await driver.prompt("arguments")).text) == ["--small", "--look"]


@pytest.mark.parametrize("flags", [(), ("--lines",)])
async def test_there_is_nothing_to_take_up(tmp_path: Path, flags: tuple[str, ...]) -> None:
    with pytest.raises(LostError):
        async with talking(tmp_path, *flags, handle={"pid": 1}):
            pass


# One process for each prompt


async def test_a_program_that_is_not_there_cannot_be_started(tmp_path: Path) -> None:
    given = launch(tmp_path, DriverKind.COMMAND, "command_program.py")
    missing = replace(given.definition, command=("./no-such-program",))
    driver = driver_class(missing)(replace(given, definition=missing), Heard())
    with pytest.raises(DriverError, match=r"\./no-such-program: there is no such program"):
        await driver.start()


async def test_what_it_floods_is_bounded_and_standard_error_goes_to_the_log(tmp_path: Path) -> None:
    async with talking(tmp_path) as (driver, _):
        reply = await within_reason(driver.prompt("flood"))
    assert len(reply.text) == 1 << 20
    assert reply.text.endswith("othe end")
    kept = [tmp_path / "output.log", tmp_path / "output.log.1"]
    assert all(path.stat().st_size <= MOST for path in kept)
    assert any(b"e" * 1000 in path.read_bytes() for path in kept)


@pytest.mark.parametrize("prompt", ["daemon", pytest.param("daemon elsewhere", marks=_LINUX)])
async def test_what_it_leaves_behind_ends_with_it_and_holds_nothing_up(tmp_path: Path, prompt: str) -> None:
    async with talking(tmp_path) as (driver, _):
        left = int((await within_reason(driver.prompt(prompt))).text)
        await until(lambda: identity_of(left) is None)


async def interrupted(driver: Driver, _: asyncio.Task[Any]) -> None:
    await driver.interrupt()


async def cancelled(_: Driver, turn: asyncio.Task[Any]) -> None:
    turn.cancel()


async def stopped(driver: Driver, _: asyncio.Task[Any]) -> None:
    assert await driver.stop(0.2) == "exit 0"


@pytest.mark.parametrize("ended", [interrupted, cancelled, stopped])
async def test_however_a_prompt_is_given_up_nothing_of_it_runs_on(
    tmp_path: Path, ended: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collab_tui.sessions.drivers.command.GRACE", 0.2)
    async with talking(tmp_path) as (driver, heard):
        turn = asyncio.create_task(driver.prompt("stubborn"))
        await until(lambda: heard.text.endswith("\n"))
        processes = [int(each) for each in heard.text.split()]
        assert driver.pid == processes[0]
        await ended(driver, turn)
        (reply,) = await asyncio.gather(turn, return_exceptions=True)
        await until(lambda: not any(map(identity_of, processes)))
        if ended is cancelled:
            assert isinstance(reply, asyncio.CancelledError)
        else:
            assert (reply.status, reply.reason) == (ReplyStatus.INTERRUPTED, "it was ended: signal 9")
        if ended is not stopped:
            assert (await within_reason(driver.prompt("echo on"))).text == "you said on"
    assert driver.pid is None
    assert heard.states[-1] is (Observed.WORKING if ended is stopped else Observed.IDLE)


@pytest.mark.parametrize("is_stopped", [True, False])
async def test_a_prompt_that_is_given_up_before_its_process_runs_does_not_run(tmp_path: Path, is_stopped: bool) -> None:
    async with talking(tmp_path) as (driver, _):
        turn = asyncio.create_task(driver.prompt("hang"))
        await asyncio.sleep(0)
        assert driver.pid is None
        await (driver.stop(_GRACE) if is_stopped else driver.interrupt())
        reply = await within_reason(turn)
        assert reply.status is ReplyStatus.INTERRUPTED
        assert reply.reason.startswith("it was ended: signal")


# Lines


async def test_a_late_reply_to_a_prompt_that_was_given_up_is_nobodys(tmp_path: Path) -> None:
    async with talking(tmp_path, "--lines") as (driver, _):
        for number in range(20):
            turn = asyncio.create_task(driver.prompt("late"))
            await asyncio.sleep(0.001 * (number % 3))
            turn.cancel()
            with pytest.raises(asyncio.CancelledError):
                await turn
            assert (await within_reason(driver.prompt(f"echo {number}"))).text == f"you said {number}"


async def test_what_is_no_reply_disturbs_nothing(tmp_path: Path) -> None:
    async with talking(tmp_path, "--lines") as (driver, _):
        assert (await within_reason(driver.prompt("noise 1"))).text == "you said 1"


async def test_a_crash_is_told_with_its_last_words(tmp_path: Path) -> None:
    async with talking(tmp_path, "--lines") as (driver, _):
        reply = await within_reason(driver.prompt("crash"))
        assert reply.status is ReplyStatus.LOST
        assert reply.reason == "the program ended before the turn did: exit 3: out of memory"
        assert await driver.wait() == "exit 3"
