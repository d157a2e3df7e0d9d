"""The real Claude Code and Codex in tmux, with a stand-in for their models. Skipped where they are not installed."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from pathlib import Path

from collab_tui.model.sessions import Observed
from collab_tui.sessions.built_in import BUILT_IN
from collab_tui.sessions.driver import Delivery, Launch, ReplyStatus
from collab_tui.sessions.drivers.pane import Key
from collab_tui.sessions.drivers.tmux import TmuxPane
from tests.sessions.drivers.terminals import needs_tmux, running, until
from tests.stand_in.clis import Claude, Cli, Codex
from tests.stand_in.fixtures import claude, codex
from tests.stand_in.script import Call, Say
from tests.stand_in.server import StandIn

__all__ = ["claude", "codex"]

pytestmark = needs_tmux

PROMPTS = ["hello one", "two\nlines\n\twith a tab; and -x;", "long " * 400 + "end", "hello one"]


TOLD = 'Say "blue" and\nnothing more.'


def launch_of(cli: Cli, model: StandIn, folder: Path) -> Launch:
    """Told what to do, and given a server of tools, which notes that it was started."""
    server = {"command": "touch", "args": [str(folder / "SERVED")]}
    project, private = folder / "project", folder / "private"
    for path in (project, private):
        path.mkdir(mode=0o700)
    return Launch(
        cli.name,
        os.urandom(8).hex(),
        replace(
            BUILT_IN[f"{cli.name}-terminal"],
            command=cli.interactive(model, project),
            instructions=TOLD,
            mcp={"hub": server},
        ),
        project,
        cli.environment(model),
        private,
        folder / "log",
    )


def is_told(model: StandIn) -> bool:
    """What its definition tells it reached its model."""
    return json.dumps(TOLD)[1:-1] in json.dumps(list(model.requests), default=vars)


async def test_claude_code_tells_when_its_turns_are_over_and_a_person_answers_its_dialog(
    claude: Claude, tmp_path: Path
) -> None:
    model = StandIn(
        [
            *(Say(f"answer {number}\nand more") for number in range(4)),
            Call("Bash", {"command": "touch x"}),
            Say("did it"),
        ]
    )
    with model.serving():
        started = launch_of(claude, model, tmp_path)
        async with running(started, TmuxPane) as (driver, heard):
            replies = [await driver.prompt(prompt) for prompt in PROMPTS]
            turn = asyncio.create_task(driver.prompt("touch it"))
            await until(lambda: heard.states[-1] is Observed.APPROVAL)
            assert not (started.folder / "x").exists()
            while not turn.done():  # it takes no key while it draws the dialog
                if heard.states[-1] is Observed.APPROVAL:
                    await driver._pane.press(Key.ENTER)
                await asyncio.wait({turn}, timeout=1)
            reply = turn.result()
    assert [reply.text for reply in replies] == [f"answer {number}\nand more" for number in range(4)]
    assert {(reply.status, reply.delivery) for reply in replies} == {(ReplyStatus.DONE, Delivery.SUBMITTED)}
    assert (reply.text, (started.folder / "x").exists()) == ("did it", True)
    assert heard.resume_ids
    assert is_told(model)
    assert (tmp_path / "SERVED").exists()


async def test_codex_is_known_by_its_screen(codex: Codex, tmp_path: Path) -> None:
    model = StandIn([Say(f"answer {number}\nand more") for number in range(4)])
    with model.serving():
        async with running(launch_of(codex, model, tmp_path), TmuxPane) as (driver, _):
            replies = [await driver.prompt(prompt) for prompt in PROMPTS]
    assert is_told(model)
    assert (tmp_path / "SERVED").exists()
    for number, reply in enumerate(replies):
        assert reply.text.startswith(f"• answer {number}\n  and more")
        assert (reply.status, reply.delivery) == (ReplyStatus.DONE, Delivery.SUBMITTED)
