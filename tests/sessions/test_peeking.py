"""Looking into a session from another process: its terminal while it runs, its log afterwards."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from collab_tui.processes.output import OutputLog
from collab_tui.sessions import peeking
from collab_tui.sessions.driver import Launch
from collab_tui.sessions.drivers import tmux
from collab_tui.sessions.drivers.pty import PtyPane
from collab_tui.sessions.drivers.tmux import TmuxPane
from collab_tui.sessions.peeking import Peeker, PeekError, attach_command, peek
from collab_tui.sessions.records import Record
from collab_tui.sessions.terminal_model import TerminalModel
from tests.sessions.drivers.terminals import needs_tmux, running, screen_launch, until_shown


def record_of(started: Launch, driver: str = "terminal") -> Record:
    return Record(
        name=started.name,
        run=started.run,
        definition="stand-in",
        driver=driver,
        monitor="m",
        host="here",
        folder=str(started.folder),
        log=str(started.log),
    )


@needs_tmux
async def test_a_terminal_is_seen_as_it_is_and_its_log_afterwards(tmp_path: Path) -> None:
    started = screen_launch(tmp_path)
    async with running(started, TmuxPane) as (driver, _):
        record = replace(record_of(started), handle=driver.handle)
        await driver.prompt("echo hello")
        await until_shown(driver._pane, "● hello")
        seen = await peek(record, 30, 6)
        assert [line for line in seen.lines if line][:2] == ["● hello", "─" * 30]
        assert any(run.style.is_faint for row in seen.rows for run in row)
        assert attach_command(record)[-3:] == ["attach-session", "-t", "=sena"]
    assert (await peek(record, 60, 4)).lines[-1] == "● hello"


async def test_a_terminal_of_ours_is_drawn_from_what_it_was_given(tmp_path: Path) -> None:
    started = screen_launch(tmp_path)
    async with running(started, PtyPane) as (driver, _):
        await driver.prompt("echo hello")
        seen = await peek(record_of(started), 200, 60)
        assert "● hello" in seen.lines
        with pytest.raises(PeekError, match="no terminal"):
            attach_command(record_of(started))


async def test_of_a_log_the_end_is_shown_and_never_as_it_was_written(tmp_path: Path) -> None:
    started = screen_launch(tmp_path)
    record = record_of(started, "claude")
    with pytest.raises(PeekError, match="nothing was printed yet"):
        await peek(record, 20, 3)
    log = OutputLog(started.log, most=400)
    for number in range(40):
        log.append(f"line {number} of many\n".encode())
    log.append(b"\x1b]52;c;aGVsbG8=\x07\x1b[31mred\x1b[0m and \x1b[5mmore\n")
    seen = await peek(record, 20, 2)
    assert seen.lines == ["line 39 of many", "red and more"]
    assert seen.rows[-1][0].style.colour == "red"


async def test_only_what_is_new_of_a_log_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fed = list[bytes]()
    feed = TerminalModel.feed

    def count(model: TerminalModel, data: bytes) -> None:
        fed.append(data)
        feed(model, data)

    monkeypatch.setattr(TerminalModel, "feed", count)
    started = screen_launch(tmp_path)
    log = OutputLog(started.log, most=1 << 20)
    log.append(b"".join(b"line %d\n" % number for number in range(50_000)))
    peeker = Peeker(record_of(started, "claude"), 40)
    first = await peeker.look()
    assert first.lines[-1] == "line 49999"
    assert len(first.lines) > 200
    assert await peeker.look() is first
    log.append(b"one more\n")
    assert (await peeker.look()).lines[-2:] == ["line 49999", "one more"]
    assert [len(data) <= 1 << 16 for data in fed] == [True, True]
    assert fed[-1] == b"one more\r\n"
    log.path.rename(log.before)  # it was full
    log.append(b"the next file\n")
    assert (await peeker.look()).lines[-2:] == ["one more", "the next file"]


async def test_a_terminal_that_does_not_answer_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def pulse(handle: object) -> tuple[str, bool]:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(tmux, "pulse", pulse)
    monkeypatch.setattr(peeking, "_PATIENCE", 0.01)
    record = replace(record_of(screen_launch(tmp_path)), handle={"socket": "x"})
    with pytest.raises(PeekError, match="its terminal does not answer"):
        await peek(record, 20, 3)
