"""What is given to tmux arrives as it is, and nothing of it is ever carried out; what is gone counts as gone."""

# ruff: noqa: ASYNC221, ASYNC240  # a test may wait for a file or for tmux

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from collab_tui.model.sessions import Observed
from collab_tui.sessions.driver import Delivery, Launch, LostError, ReplyStatus
from collab_tui.sessions.drivers import tmux
from collab_tui.sessions.drivers.terminal import TerminalDriver
from collab_tui.sessions.drivers.tmux import TmuxPane
from tests.program import PATIENCE
from tests.sessions.drivers.heard import Heard
from tests.sessions.drivers.terminals import asked, command_launch, needs_tmux, running, screen_launch, until

pytestmark = needs_tmux

_TELLS = (
    "import json, os, sys; "
    "json.dump([sys.argv[1:], os.getcwd(), dict(os.environ)], open(sys.argv[1], 'w', encoding='utf-8')); input('> ')"
)


def told(path: Path) -> tuple[list[str], str, dict[str, str]]:
    arguments, folder, environment = json.loads(path.read_text("utf-8"))
    return arguments, folder, environment


@pytest.mark.parametrize(
    "name",
    ["#(touch P)", "#{pane_id} #S", "two words", 'it\'s "quoted" `touch P` $(touch P)', "new\nline", "end;", "-x"],
)
async def test_a_folder_is_taken_literally(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    started = replace(command_launch(tmp_path, (sys.executable, "-c", _TELLS, str(tmp_path / "TOLD"))), folder=folder)
    async with running(started, TmuxPane):
        assert told(tmp_path / "TOLD")[1] == str(folder)
    assert list(folder.iterdir()) == []
    assert not any(path.name == "P" for path in tmp_path.rglob("*"))


async def test_words_of_a_command_arrive_as_they_are(tmp_path: Path) -> None:
    words = [
        "a;",
        ";",
        "\\;",
        "b\\;",
        "#{pane_id}",
        "#(touch P)",
        "two words",
        "",
        "'\"`$(id)",
        "new\nline",
        "-x",
        "한국",
    ]
    state = str(tmp_path / "TOLD")
    async with running(command_launch(tmp_path, (sys.executable, "-c", _TELLS, state, *words)), TmuxPane):
        assert told(tmp_path / "TOLD")[0] == [state, *words]


async def test_a_program_without_arguments_is_not_given_to_a_shell(tmp_path: Path) -> None:
    program = tmp_path / "odd $(touch P); name"
    program.write_text("#!/bin/sh\nprintf '> '; read -r line\n", "utf-8")
    program.chmod(0o755)
    async with running(command_launch(tmp_path, (str(program),)), TmuxPane) as (driver, _):
        assert driver.pid is not None
    assert not any(path.name == "P" for path in tmp_path.rglob("*"))


async def test_it_knows_the_environment_that_it_is_given_and_what_tmux_adds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLAB_TEST_SECRET", "of ours")
    state = tmp_path / "TOLD"
    started = command_launch(tmp_path, (sys.executable, "-c", _TELLS, str(state)))
    started = replace(started, environment={"PATH": os.environ["PATH"], "ODD": "a;b #{x}\n$(id)", "EMPTY": ""})
    async with running(started, TmuxPane):
        found = told(state)[2]
    of_tmux = {
        "TERM",
        "TERM_PROGRAM",
        "TERM_PROGRAM_VERSION",
        "TMUX",
        "TMUX_PANE",
        "SHELL",
        "PWD",
        "OLDPWD",
        "SHLVL",
        "_",
    }
    assert {name: value for name, value in found.items() if name not in of_tmux | {"LC_CTYPE"}} == {
        **started.environment,
        "COLLAB_SIGNALS": str(started.private / f"{started.run}.signals"),
    }


@pytest.mark.parametrize(
    ("prompt", "typed"),
    [
        ("ends with ;", "ends with ;"),
        ("-x --help", "-x --help"),
        ("Enter", "Enter"),
        ("C-c Up Escape", "C-c Up Escape"),
        ("one\n\ttwo\nthree\n\n", "one\n\ttwo\nthree"),
        ("a\x1b[201~\rrm -rf /", "a[201~\nrm -rf /"),
        ("stop\x03\x04\x1a\x7f\x9b31m\x00now", "stop31mnow"),
        ("#{pane_id} #(touch P) %0 \\; $(id)", "#{pane_id} #(touch P) %0 \\; $(id)"),
        ("한국어 🎉 é", "한국어 🎉 é"),
    ],
    ids=["semicolon", "dash", "key", "keys", "lines", "paste", "controls", "formats", "unicode"],
)
async def test_a_prompt_arrives_byte_for_byte(prompt: str, typed: str, tmp_path: Path) -> None:
    assert await _typed(prompt, tmp_path) == b"\x1b[200~" + typed.encode() + b"\x1b[201~\r"


async def test_a_prompt_of_two_megabytes_arrives(tmp_path: Path) -> None:
    prompt = "".join(f"line {number} of many;\n" for number in range(110_000))
    assert len(prompt) > 2_000_000
    assert await _typed(prompt, tmp_path) == b"\x1b[200~" + prompt.rstrip("\n").encode() + b"\x1b[201~\r"


async def _typed(prompt: str, folder: Path) -> bytes:
    """What a program got of it."""
    program = Path(__file__).with_name("raw_program.py")
    command = (sys.executable, "-S", str(program), str(folder / "TYPED"))
    async with running(command_launch(folder, command, is_multiline=True), TmuxPane) as (driver, _):
        reply = await driver.prompt(prompt)
        await until(lambda: (folder / "TYPED").read_bytes().endswith(b"\r"))
    assert reply.delivery is not Delivery.NOT_SUBMITTED
    return (folder / "TYPED").read_bytes()


async def test_what_is_meant_for_one_that_is_gone_reaches_no_other(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("worker-1", "worker-10")]
    for folder in folders:
        folder.mkdir()
    one, ten = (screen_launch(folder, name=folder.name) for folder in folders)
    async with running(ten, TmuxPane):
        async with running(one, TmuxPane) as (driver, _):
            pane = driver._pane
            await driver.stop(5.0)
            with pytest.raises(LostError):
                await pane.paste("echo hello")
            assert (await driver.prompt("echo hello")).status is ReplyStatus.LOST
        gone = TerminalDriver(replace(one, handle=pane.handle), Heard(), TmuxPane)
        with pytest.raises(LostError):
            await gone.start()
    assert asked(folders[1]) == []


@pytest.mark.parametrize("how", ["server", "session"])
async def test_a_terminal_that_is_gone_is_told_as_lost(how: str, tmp_path: Path) -> None:
    started = screen_launch(tmp_path)
    async with running(started, TmuxPane) as (driver, _):
        assert driver.handle is not None
        if how == "server":
            os.kill(driver.handle["server"], signal.SIGKILL)
        else:
            subprocess.run(["tmux", "-S", driver.handle["socket"], "kill-session"], check=True)
        async with asyncio.timeout(PATIENCE):
            assert (await driver.wait()).startswith("lost: its terminal is gone")
        reply = await driver.prompt("echo hello")
        assert (reply.status, reply.delivery) == (ReplyStatus.LOST, Delivery.NOT_SUBMITTED)


_MONITOR = """
import asyncio, json, sys
from pathlib import Path
from collab_tui.sessions.drivers.tmux import TmuxPane
from tests.sessions.drivers.terminals import running, screen_launch
async def main():
    started = screen_launch(Path(sys.argv[1]), "--signals")
    async with running(started, TmuxPane) as (driver, _):
        print(json.dumps([started.run, dict(driver.handle)]), flush=True)
        await driver.prompt("block")
asyncio.run(main())
"""


async def _left_behind(folder: Path) -> Launch:
    """A session whose monitor was killed in the middle of a turn."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _MONITOR, str(folder)), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        run, handle = json.loads(await process.stdout.readline())
        await until(lambda: asked(folder) == ["block"])
    process.kill()
    await process.wait()
    return replace(screen_launch(folder, "--signals"), run=run, handle=handle)


async def test_what_outlived_its_monitor_is_taken_up_and_prompted_again(tmp_path: Path) -> None:
    left = await _left_behind(tmp_path)
    async with running(left, TmuxPane) as (driver, heard):
        assert (driver.pid, heard.states[-1]) == (left.handle["pid"] if left.handle else 0, Observed.WORKING)
        await driver._pane.press(tmux.Key.ESCAPE)
        assert (await driver.prompt("echo again")).text == "● again"
        await driver.leave()
        assert Path(f"/proc/{driver.pid}").exists() or sys.platform != "linux"
        again = TerminalDriver(left, Heard(), TmuxPane)
        await again.start()
        assert await again.stop(5.0) == "signal 15"


async def test_only_that_very_program_is_taken_up(tmp_path: Path) -> None:
    started = screen_launch(tmp_path)
    async with running(started, TmuxPane) as (driver, _):
        handle = dict(driver.handle or {})
        for odd in (
            {"started": "another time"},
            {"run": "f" * 16},
            {"pane": "%99"},
            {"pane": "worker:0; kill-server"},
            {"pid": 1},
            {"pid": "1"},
            {"socket": str(tmp_path / "none"), "server": 1, "pid": 1},
        ):
            with pytest.raises(LostError):
                await TerminalDriver(replace(started, handle=handle | odd), Heard(), TmuxPane).start()
        assert (await driver.prompt("echo still here")).text == "● still here"


async def test_one_that_ended_meanwhile_is_not_taken_up(tmp_path: Path) -> None:
    left = await _left_behind(tmp_path)
    assert left.handle is not None
    os.kill(left.handle["pid"], signal.SIGKILL)
    with pytest.raises(LostError, match="it ended while nobody looked: signal 9"):
        await TerminalDriver(left, Heard(), TmuxPane).start()


async def test_a_person_who_scrolls_in_it_is_brought_back(tmp_path: Path) -> None:
    async with running(screen_launch(tmp_path), TmuxPane) as (driver, _):
        assert driver.handle is not None
        subprocess.run(["tmux", "-S", driver.handle["socket"], "copy-mode", "-t", driver.handle["pane"]], check=True)
        assert (await driver.prompt("echo hello")).text == "● hello"


async def test_its_socket_is_this_users_alone(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    for folder in (tmp_path, deep):
        async with running(screen_launch(folder), TmuxPane) as (driver, _):
            assert driver.handle is not None
            socket = Path(driver.handle["socket"])
            assert len(os.fsencode(socket)) <= 100
            assert socket.parent.stat().st_mode & 0o777 == 0o700
        assert not socket.exists()
