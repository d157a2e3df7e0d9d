"""A program with a screen, driven as a person would: by what is seen of it, and by what its hooks tell."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from collab_tui.model.sessions import Observed
from collab_tui.sessions.driver import Delivery, DriverError, Lasting, Launch, LostError, ReplyStatus
from collab_tui.sessions.drivers import tmux
from collab_tui.sessions.drivers.pane import Key, Pane
from collab_tui.sessions.drivers.pty import PtyPane
from collab_tui.sessions.drivers.terminal import TerminalDriver, terminal_pane
from collab_tui.sessions.drivers.tmux import TmuxPane
from tests.program import PATIENCE
from tests.sessions.drivers.heard import Heard
from tests.sessions.drivers.terminals import (
    asked,
    command_launch,
    needs_tmux,
    running,
    screen_launch,
    shown,
    until,
    until_shown,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its terminals are those of Unix")

Kind = Callable[[Launch], Pane]
both = pytest.mark.parametrize("kind", [pytest.param(TmuxPane, marks=needs_tmux), PtyPane])


# Turns


@pytest.mark.parametrize(
    ("kind", "flags"),
    [
        pytest.param(TmuxPane, (), marks=needs_tmux),
        pytest.param(TmuxPane, ("--signals",), marks=needs_tmux),
    ],
)
async def test_ten_prompts_in_a_row_get_their_own_replies(kind: Kind, flags: tuple[str, ...], tmp_path: Path) -> None:
    async with running(screen_launch(tmp_path, *flags), kind) as (driver, heard):
        replies = [await driver.prompt(f"echo number {number // 2}") for number in range(10)]
    assert [reply.text for reply in replies] == [f"● number {number // 2}" for number in range(10)]
    assert {(reply.status, reply.delivery, reply.reason) for reply in replies} == {
        (ReplyStatus.DONE, Delivery.SUBMITTED, "")
    }
    assert asked(tmp_path) == [f"echo number {number // 2}" for number in range(10)]
    assert heard.submissions == 10
    assert heard.states[:4] == [Observed.STARTING, Observed.IDLE, Observed.WORKING, Observed.IDLE]


@both
async def test_a_prompt_of_several_lines_is_one_prompt(kind: Kind, tmp_path: Path) -> None:
    prompt = "echo one\n\n  two; `id` $(id) -x;\n#{pane_id} 한국어 🎉"
    async with running(screen_launch(tmp_path), kind) as (driver, _):
        reply = await driver.prompt(prompt + "\n\n")
    assert asked(tmp_path) == [prompt]
    assert reply.text == "● one\n\n  two; `id` $(id) -x;\n#{pane_id} 한국어 🎉"


@both
async def test_a_program_that_takes_lines_gets_a_prompt_of_several_as_one(kind: Kind, tmp_path: Path) -> None:
    script = 'while printf "> " && read -r line; do printf "%s\\n" "$line" >> TAKEN; echo "got $line"; done'
    by_lines = command_launch(tmp_path, ("sh", "-c", script))
    async with running(by_lines, kind) as (driver, _):
        reply = await driver.prompt("one\n\n  two\tthree\n")
        assert (await driver.prompt("four")).text == "got four"
    assert reply.text == "got one two three"
    assert (by_lines.folder / "TAKEN").read_text("utf-8") == "one two three\nfour\n"


@both
async def test_an_unknown_program_is_ready_when_it_shows_a_prompt(kind: Kind, tmp_path: Path) -> None:
    shell = replace(command_launch(tmp_path, ("sh", "-i")), environment={"PS1": "# ", "PATH": "/usr/bin:/bin"})
    async with running(shell, kind) as (driver, heard):
        first = await driver.prompt("echo it is $((6 * 7))")
        second = await driver.prompt("printf 'a\\nb\\n'")
        none = await driver.prompt("true")
    assert [(reply.text, reply.delivery) for reply in (first, second, none)] == [
        ("it is 42", Delivery.SUBMITTED),
        ("a\nb", Delivery.SUBMITTED),
        ("", Delivery.SUBMITTED),
    ]
    assert "it is 42\n" in heard.text


@both
async def test_a_program_that_shows_nothing_of_what_is_typed_is_prompted_once_and_nothing_is_claimed(
    kind: Kind, tmp_path: Path
) -> None:
    script = 'stty -echo; while read -r line; do echo "$line" >> TAKEN; done'
    silent = command_launch(tmp_path, ("sh", "-c", script))
    async with running(silent, kind) as (driver, heard):
        reply = await driver.prompt("hello")
        assert heard.submissions == 0
        await until((silent.folder / "TAKEN").exists)
    assert (reply.status, reply.delivery) == (ReplyStatus.DONE, Delivery.UNVERIFIED)
    assert (silent.folder / "TAKEN").read_text("utf-8") == "hello\n"


# What a prompt is never typed into


@both
async def test_a_draft_of_a_person_is_left_alone(kind: Kind, tmp_path: Path) -> None:
    async with running(screen_launch(tmp_path), kind) as (driver, _):
        await driver._pane.paste("I was about to")
        await until_shown(driver._pane, "I was about to")
        reply = await driver.prompt("echo hello")
        assert (reply.status, reply.delivery) == (ReplyStatus.NOT_SUBMITTED, Delivery.NOT_SUBMITTED)
        assert reply.reason == "somebody has begun to type in its terminal"
        assert "❯ I was about to\n" in await shown(driver._pane)
        assert asked(tmp_path) == []
        await driver._pane.press(Key.ENTER)
        await until_shown(driver._pane, "● I done")
        assert asked(tmp_path) == ["I was about to"]
        assert (await driver.prompt("echo now")).text == "● now"


@both
async def test_a_line_begun_at_a_shell_is_left_alone(kind: Kind, tmp_path: Path) -> None:
    shell = replace(command_launch(tmp_path, ("sh", "-i")), environment={"PS1": "$ ", "PATH": "/usr/bin:/bin"})
    async with running(shell, kind) as (driver, _):
        await driver._pane.paste("rm -r")
        await until_shown(driver._pane, "rm -r")
        reply = await driver.prompt(" echo /")
        assert reply.reason == "somebody has begun to type in its terminal"
        assert (await shown(driver._pane)).rstrip().endswith("$ rm -r")


@both
async def test_a_dialog_is_seen_and_only_a_person_answers_it(kind: Kind, tmp_path: Path) -> None:
    async with running(screen_launch(tmp_path, "--signals"), kind) as (driver, heard):
        turn = asyncio.create_task(driver.prompt("ask delete all"))
        await until(lambda: heard.states[-1] is Observed.APPROVAL)
        assert "Do you want to delete all?" in await shown(driver._pane)
        await driver._pane.paste("1")
        reply = await turn
        assert (reply.status, reply.text) == (ReplyStatus.DONE, "● ask done")
        assert heard.states[-3:] == [Observed.APPROVAL, Observed.WORKING, Observed.IDLE]


async def test_while_a_dialog_is_open_no_prompt_is_given(tmp_path: Path) -> None:
    async with running(screen_launch(tmp_path), PtyPane) as (driver, heard):
        await driver._pane.paste("ask delete all")
        await driver._pane.press(Key.ENTER)
        await until(lambda: heard.states[-1] is Observed.APPROVAL)
        reply = await driver.prompt("1")
        assert (reply.delivery, reply.reason) == (Delivery.NOT_SUBMITTED, "a dialog is open in its terminal")
        assert "❯ 1. Yes" in await shown(driver._pane)


async def test_a_prompt_that_enter_does_not_send_is_not_pasted_again(tmp_path: Path) -> None:
    async with running(screen_launch(tmp_path), PtyPane) as (driver, _):
        await driver.prompt("deaf")
        reply = await driver.prompt("echo hello")
        assert (reply.status, reply.delivery) == (ReplyStatus.NOT_SUBMITTED, Delivery.NOT_SUBMITTED)
        assert "❯ echo hello\n" in await shown(driver._pane)
        again = await driver.prompt("echo hello")
        assert again.reason == "somebody has begun to type in its terminal"
    assert asked(tmp_path) == ["deaf"]


@pytest.mark.parametrize("prompt", ["", "\n\n", "\x1b\x00\x07", " \t"])
async def test_a_prompt_of_nothing_is_not_typed(prompt: str, tmp_path: Path) -> None:
    async with running(screen_launch(tmp_path), PtyPane) as (driver, _):
        assert (await driver.prompt(prompt)).delivery is Delivery.NOT_SUBMITTED


# What cannot be seen


async def test_a_look_that_fails_ends_nothing_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise OSError("too many open files")

    async with running(screen_launch(tmp_path), PtyPane) as (driver, heard):
        with monkeypatch.context() as patched:
            patched.setattr(driver._pane, "look", fail)
            driver._watching.hurry()
            await until(lambda: heard.whys[-1] == "it cannot be seen: too many open files")
        await until(lambda: heard.whys[-1] is None)
        turn = asyncio.create_task(driver.prompt("block"))
        await until(lambda: asked(tmp_path) == ["block"] and heard.states[-1] is Observed.WORKING)
        with monkeypatch.context() as patched:
            patched.setattr(driver._pane, "press", fail)
            turn.cancel()
            await until(lambda: "it cannot be seen: too many open files" in heard.whys[-3:])
        await driver._pane.press(Key.ESCAPE)
        assert (await driver.prompt("echo now")).text == "● now"


@both
async def test_a_screen_that_stands_still_is_not_drawn_anew(kind: Kind, tmp_path: Path) -> None:
    async with running(screen_launch(tmp_path), kind) as (driver, _):
        first = (await driver._pane.look()).picture
        assert (await driver._pane.look()).picture is first
        await driver._pane.paste("x")
        await until_shown(driver._pane, "❯ x")
        assert (await driver._pane.look()).picture is not first


# Ends


async def test_a_prompt_that_was_never_given_is_given_up_without_touching_anything(tmp_path: Path) -> None:
    async with running(screen_launch(tmp_path), PtyPane) as (driver, heard):
        await driver._pane.paste("block")
        await driver._pane.press(Key.ENTER)
        await until(lambda: heard.states[-1] is Observed.WORKING)
        turn = asyncio.create_task(driver.prompt("echo hello"))
        await asyncio.sleep(0)
        turn.cancel()
        await asyncio.wait({turn})
        assert driver._giving_up is None
        assert "interrupted by you" not in await shown(driver._pane)


@both
async def test_an_interrupted_turn_says_so_and_the_next_one_is_its_own(kind: Kind, tmp_path: Path) -> None:
    async with running(screen_launch(tmp_path), kind) as (driver, heard):
        turn = asyncio.create_task(driver.prompt("block"))
        await until(lambda: asked(tmp_path) == ["block"] and heard.states[-1] is Observed.WORKING)
        await driver.interrupt()
        assert (await turn).status is ReplyStatus.INTERRUPTED
        assert (await driver.prompt("echo next")).text == "● next"


@both
async def test_nothing_of_a_turn_that_was_given_up_is_in_a_later_reply(kind: Kind, tmp_path: Path) -> None:
    async with running(screen_launch(tmp_path), kind) as (driver, _):
        turn = asyncio.create_task(driver.prompt("block"))
        await until(lambda: asked(tmp_path) == ["block"])
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn
        reply = await driver.prompt("echo next")
        assert (reply.text, reply.status) == ("● next", ReplyStatus.DONE)


async def test_an_interruption_of_which_no_hook_tells_is_seen_on_the_screen(tmp_path: Path) -> None:
    async with running(screen_launch(tmp_path, "--signals"), PtyPane) as (driver, heard):
        turn = asyncio.create_task(driver.prompt("block"))
        await until(lambda: heard.states[-1] is Observed.WORKING and asked(tmp_path) == ["block"])
        await driver._pane.press(Key.ESCAPE)
        reply = await turn
    assert reply.text == "  interrupted by you".strip("\n")


@both
async def test_a_program_that_ends_takes_its_turn_with_it(kind: Kind, tmp_path: Path) -> None:
    async with running(screen_launch(tmp_path), kind) as (driver, _):
        reply = await driver.prompt("die 3")
        assert reply.status is ReplyStatus.LOST
        assert await driver.wait() == "exit 3"
        assert (await driver.prompt("echo hello")).status is ReplyStatus.LOST


@needs_tmux
async def test_its_terminal_goes_with_it_though_whoever_sees_that_is_given_up(tmp_path: Path) -> None:
    async with running(screen_launch(tmp_path), TmuxPane) as (driver, _):
        await driver._watching.stop()
        await driver._pane.paste("die 3")
        await driver._pane.press(Key.ENTER)
        looking = asyncio.create_task(driver._watching.within(PATIENCE, lambda: False))
        await asyncio.shield(driver._watching.ended)
        looking.cancel()
        await asyncio.wait({looking})
        await driver.wait()
        assert isinstance(driver._pane, TmuxPane)
        assert not await driver._pane._server.is_alive()


@both
async def test_a_shell_whose_prompt_is_not_shown_is_at_work_however_quiet_and_can_be_interrupted(
    kind: Kind, tmp_path: Path
) -> None:
    shell = command_launch(tmp_path, ("sh", "-i"), quiet=0.05)
    async with running(replace(shell, environment={"PS1": "# ", "PATH": "/usr/bin:/bin"}), kind) as (driver, heard):
        turn = asyncio.create_task(driver.prompt("cat"))
        await until(lambda: heard.states[-1] is Observed.WORKING and driver._watching.quiet > 1)
        assert not turn.done()
        await driver.interrupt()
        assert (await turn).status is ReplyStatus.INTERRUPTED
        assert (await driver.prompt("echo next")).text == "next"


@both
async def test_stopping_ends_the_program_and_what_it_started_and_whoever_waits(kind: Kind, tmp_path: Path) -> None:
    async with running(screen_launch(tmp_path), kind) as (driver, heard):
        turn = asyncio.create_task(driver.prompt("block"))
        await until(lambda: heard.states[-1] is Observed.WORKING)
        assert await driver.stop(5.0) == "signal 15"
        assert (await turn).status is ReplyStatus.LOST
        assert await driver.wait() == "signal 15"


@both
async def test_what_does_not_want_to_end_is_made_to(kind: Kind, tmp_path: Path) -> None:
    script = "trap '' TERM HUP; printf '$ '; while :; do read -r line; done"
    async with running(command_launch(tmp_path, ("sh", "-c", script)), kind) as (driver, _):
        assert await driver.stop(0.2) == "signal 9"


# Starting


@both
async def test_what_cannot_start_says_why(kind: Kind, tmp_path: Path) -> None:
    at_home = command_launch(tmp_path, ("no-such-program",))
    elsewhere = replace(command_launch(tmp_path, ("sh", "-i")), folder=tmp_path / "gone")
    ends = command_launch(tmp_path, ("sh", "-c", "echo what is wrong; exit 7"))
    silent = screen_launch(tmp_path, ready=("never",), start_limit=0.5, quiet=50.0)
    for started, why in (
        (at_home, "there is no program no-such-program in PATH"),
        (elsewhere, "gone is no folder"),
        (ends, r"ended at its start \(exit 7\): what is wrong"),
        (silent, "shows no prompt within 0.5 s"),
    ):
        driver = TerminalDriver(started, Heard(), kind)
        with pytest.raises(DriverError, match=why):
            await driver.start()
        assert driver._watching.ended.done()


async def test_a_pattern_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(DriverError, match=r"'\(' in `busy` is no pattern"):
        TerminalDriver(screen_launch(tmp_path, busy=("(",)), Heard(), PtyPane)


async def test_who_may_only_look_is_not_started_without_such_a_mode(tmp_path: Path) -> None:
    with pytest.raises(DriverError, match="no mode in which it changes nothing"):
        await TerminalDriver(replace(screen_launch(tmp_path), is_read_only=True), Heard(), PtyPane).start()


async def test_without_tmux_it_runs_in_a_terminal_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tmux, "is_there", lambda _: False)
    async with running(screen_launch(tmp_path), terminal_pane) as (driver, _):
        assert (driver.handle, (await driver.prompt("echo hello")).text) == (None, "● hello")
        assert isinstance(driver, Lasting)
    with pytest.raises(LostError, match="ended with the monitor"):
        await PtyPane(screen_launch(tmp_path)).take_up({})


@pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")
async def test_a_terminal_of_ours_ends_with_us(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys; from pathlib import Path; "
        "from tests.sessions.drivers.terminals import *; from collab_tui.sessions.drivers.pty import PtyPane\n"
        "async def main():\n"
        "    async with running(screen_launch(Path(sys.argv[1])), PtyPane) as (driver, _):\n"
        "        print(driver.pid, flush=True); await asyncio.sleep(1000)\n"
        "asyncio.run(main())"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    pid = int(await asyncio.wait_for(process.stdout.readline(), PATIENCE))
    process.kill()
    await process.wait()
    await until(lambda: not Path(f"/proc/{pid}/cmdline").exists() or not Path(f"/proc/{pid}/cmdline").read_bytes())
