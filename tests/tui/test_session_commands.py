"""The sessions screen: the keys and dialogs that prompt, start, interrupt, stop and restore."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.events import Key
from textual.widgets import Input, Select, TextArea

from collab_tui.config import user_config_file
from collab_tui.protocol.commands import CommandType
from collab_tui.protocol.keys import NAME
from collab_tui.registry.append import NotWrittenError
from tests.tui.atlas import Atlas, beside, choose, sample
from tests.tui.giving import command, dialog, gave, on_sessions, prompt, result
from tests.tui.scenes import told
from tests.tui.seat import Seat, sitting


@pytest.fixture(autouse=True)
def _atlas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collab_tui.tui.machine.Machine", Atlas)


# Prompting


async def test_a_prompt_is_a_signed_command_and_the_dialog_stays_until_it_is_taken() -> None:
    async with beside("s") as (seat, machine):
        await prompt(seat, "sena", "go on")
        await seat.press("enter")
        await seat.type("now")
        await seat.press("ctrl+s")
        (command_id,) = await gave(seat, command("send_prompt", "sena", prompt="go on\nnow"))
        assert machine.monitors == 1
        await seat.sees("sending...")
        assert seat.screen == "PromptScreen"
        seat.write(result(command_id, "running"))
        await on_sessions(seat)
        seat.write(result(command_id, "done"))
        await seat.press("p")
        await dialog(seat, "PromptScreen")
        assert seat.app.screen.query_one(TextArea).text == ""


async def test_a_prompt_that_fails_says_why_and_its_words_are_there() -> None:
    async with beside("s") as (seat, _):
        await prompt(seat, "sena", "go on")
        await seat.press("ctrl+s")
        (command_id,) = await gave(seat, command("send_prompt", "sena", prompt="go on"))
        seat.write(result(command_id, "failed", reason="its terminal shows a dialog"))
        await seat.sees("its terminal shows a dialog", "go on")
        assert seat.screen == "PromptScreen"
        await seat.press("ctrl+s")  # and it can be sent again
        await seat.until(lambda: len(seat.appended) == 1, "another command")


async def test_a_prompt_that_fails_after_it_was_taken_is_told_and_its_words_come_back() -> None:
    async with beside("s") as (seat, _):
        await prompt(seat, "sena", "go on")
        await seat.press("ctrl+s")
        (command_id,) = await gave(seat, command("send_prompt", "sena", prompt="go on"))
        seat.write(result(command_id, "accepted"))
        await on_sessions(seat)
        await seat.press("escape")
        await seat.closed()
        seat.write(result(command_id, "failed", reason="the session ended"))
        await seat.until(lambda: "Prompt was not sent: the session ended" in seat.toasts, "a toast")
        await seat.press("s")
        await on_sessions(seat)
        await choose(seat, "sena")
        await seat.sees("send prompt failed: the session ended")
        await seat.press("p")
        await dialog(seat, "PromptScreen")
        assert seat.app.screen.query_one(TextArea).text == "go on"


@pytest.mark.parametrize("is_read_at_once", [True, False])
async def test_a_prompt_that_was_given_and_ended_is_not_told_as_not_sent(is_read_at_once: bool) -> None:
    async with beside("s") as (seat, _):
        await prompt(seat, "sena", "go on")
        await seat.press("ctrl+s")
        (command_id,) = await gave(seat, command("send_prompt", "sena", prompt="go on"))
        running, ended = result(command_id, "running"), result(command_id, "failed", reason="its program ended")
        if not is_read_at_once:
            seat.write(running)
            await on_sessions(seat)
        seat.write(*([running] if is_read_at_once else []), ended)
        await seat.until(lambda: "sena: its prompt ended: its program ended" in seat.toasts, "a toast")
        await on_sessions(seat)
        await seat.sees("prompt ended: its program ended")
        assert "not sent" not in seat.toasts
        await seat.press("p")
        await dialog(seat, "PromptScreen")
        assert seat.app.screen.query_one(TextArea).text == ""


async def test_what_the_person_interrupted_is_not_told_by_a_toast() -> None:
    async with beside("s") as (seat, _):
        await prompt(seat, "sena", "go on")
        await seat.press("ctrl+s")
        (command_id,) = await gave(seat, command("send_prompt", "sena", prompt="go on"))
        seat.write(result(command_id, "running"))
        await on_sessions(seat)
        await seat.press("i")
        await seat.until(lambda: seat.appended, "an interrupt")
        seat.write(result(command_id, "failed", reason="interrupted"))
        orders = seat.app.desk.commander
        await seat.until(lambda: not orders.is_given(CommandType.SEND_PROMPT, "sena"), "its end")
        assert "its prompt ended" not in seat.toasts


@pytest.mark.parametrize("key", ["p", "m", "d"])
async def test_ctrl_s_comes_after_the_keys_that_were_typed_before_it(key: str) -> None:
    async with sitting(sample()) as seat:
        if key == "p":
            await seat.press("s")
            await on_sessions(seat)
        else:
            await seat.go("agents", "sena")
        if key == "p":
            await choose(seat, "sena")
        await seat.press(key)
        await seat.until(lambda: isinstance(seat.app.focused, (TextArea, Input)), "a field")
        field = seat.app.focused
        sent: list[str] = []
        seat.app.screen.action_send = lambda: sent.append(getattr(field, "text", None) or field.value)
        for char in "do not stop":
            seat.app.post_message(Key("space" if char == " " else char, char))
        seat.app.post_message(Key("ctrl+s", None))
        await seat.until(lambda: sent, "sending")
        assert sent == ["do not stop"]


async def test_words_that_were_not_sent_are_kept_for_that_session_alone() -> None:
    async with beside("s") as (seat, _):
        await prompt(seat, "sena", "half a thou")
        await seat.press("escape")
        await on_sessions(seat)
        await prompt(seat, "lubit", "")
        assert seat.app.screen.query_one(TextArea).text == ""
        await seat.press("escape")
        await on_sessions(seat)
        await prompt(seat, "sena", "ght")
        assert seat.app.screen.query_one(TextArea).text == "half a thought"


async def test_up_and_down_go_through_what_was_prompted_before() -> None:
    async with beside("s") as (seat, _):
        await prompt(seat, "sena", "mine")
        box = seat.app.screen.query_one(TextArea)
        await seat.until(lambda: seat.app.screen._history, "the history")
        await seat.press("up")
        await seat.until(lambda: box.text == "Then write down what the parser drops.", "the last one")
        await seat.press("up")
        await seat.until(lambda: box.text == "Write the log parser.\nTests first.", "the one before")
        await seat.press("up")  # within it: its other line
        assert box.cursor_location[0] == 0
        await seat.press("up", "up")
        assert box.text.startswith("Write the log parser.")  # there is none before
        await seat.press("down", "down")
        await seat.until(lambda: box.text.startswith("Then write"), "the last one again")
        await seat.press("down")
        await seat.until(lambda: box.text == "mine", "what was being written")


async def test_a_monitor_that_cannot_be_started_is_told_and_nothing_is_written() -> None:
    async with beside("s") as (seat, machine):
        machine.fault = NotWrittenError("the monitor could not start: no disk")
        await prompt(seat, "sena", "go on")
        await seat.press("ctrl+s")
        await seat.sees("the monitor could not start: no disk", "go on")
        assert seat.appended == []


async def test_a_session_of_another_machine_is_told_to_its_own_monitor() -> None:
    async with beside("s") as (seat, machine):
        await prompt(seat, "maestro", "go on")
        await seat.press("ctrl+s")
        await gave(seat, command("send_prompt", "maestro", host="nas2", monitor="a2f7743b90e1", prompt="go on"))
        assert machine.monitors == 0


async def test_without_a_key_it_is_offered_to_make_one_and_nothing_is_lost() -> None:
    (user_config_file().parent / NAME).unlink()
    async with beside("s") as (seat, _):
        await prompt(seat, "sena", "go on")
        await seat.press("ctrl+s")
        await seat.dialog("KeyScreen")
        await seat.press("escape")
        await dialog(seat, "PromptScreen")
        await seat.sees("go on")
        await seat.press("ctrl+s")
        await seat.dialog("KeyScreen")
        await seat.press("enter")
        await gave(seat, command("send_prompt", "sena", prompt="go on"))


async def test_nothing_is_sent_that_says_nothing() -> None:
    async with beside("s") as (seat, _):
        await prompt(seat, "sena", "")
        await seat.press("ctrl+s")
        await seat.sees("Write something first.")
        assert seat.appended == []


# Starting


async def start(seat: Seat, agent: str, **fields: str) -> None:
    await seat.press("n")
    await dialog(seat, "StartScreen")
    select = seat.app.screen.query_one("#agent", Select)
    await seat.until(lambda: select.prompt == "which agent", "the agents")
    if agent:
        select.value = agent
    for name, text in fields.items():
        field = seat.widget(f"#{name}")
        setattr(field, "text" if isinstance(field, TextArea) else "value", text)


async def test_a_session_is_started_with_what_was_said_and_selected_when_it_is_there() -> None:
    async with beside("s") as (seat, _):
        await start(seat, "claude", task="fix-2", name="nova", base="main", text="Go")
        await seat.press("ctrl+s")
        wanted = command("start", "nova", agent="claude", task="fix-2", base="main", prompt="Go")
        (command_id,) = await gave(seat, wanted)
        await seat.sees("sending...")
        seat.write(result(command_id, "accepted"))
        await on_sessions(seat)
        seat.write(told("nova", "session_start", run="n" * 16, host="atlas", definition="claude", driver="claude"))
        await seat.until(lambda: seat.app.screen.items.selected == "nova", "the new one selected")


async def test_only_the_agent_has_to_be_said() -> None:
    async with beside("s") as (seat, _):
        await start(seat, "codex")
        await seat.press("ctrl+s")
        await gave(seat, command("start", "codex", agent="codex"))


async def test_an_agent_is_chosen_by_typing() -> None:
    async with beside("s") as (seat, _):
        await start(seat, "")
        await seat.press("enter")
        await seat.type("codex")
        await seat.press("enter")
        await seat.until(lambda: seat.app.screen.query_one("#agent", Select).value == "codex", "codex")


async def test_what_cannot_be_started_is_said_before_it_is_sent() -> None:
    async with beside("s") as (seat, _):
        await start(seat, "", task="../etc")
        await seat.press("ctrl+s")
        await seat.sees("Choose an agent.")
        seat.app.screen.query_one("#agent", Select).value = "claude"
        await seat.press("ctrl+s")
        await seat.sees("a task has small letters, digits, - and _")
        seat.app.screen.query_one("#task", Input).value = "etc"
        seat.app.screen.query_one("#name", Input).value = "Nova X"
        await seat.press("ctrl+s")
        await seat.sees("a name has small letters, digits, - and _")
        assert seat.appended == []


async def test_a_start_that_fails_says_why_and_loses_nothing() -> None:
    async with beside("s") as (seat, _):
        await start(seat, "claude", task="fix-2", text="Go")
        await seat.press("ctrl+s")
        (command_id,) = await gave(seat, command("start", "claude", agent="claude", task="fix-2", prompt="Go"))
        seat.write(result(command_id, "failed", reason="there is no base branch main"))
        await seat.sees("there is no base branch main")
        assert seat.app.screen.query_one("#task", Input).value == "fix-2"
        assert seat.app.screen.query_one("#text", TextArea).text == "Go"


@pytest.fixture
def of_the_project() -> None:
    folder = Path(".collab/agents")
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text('driver = "command"\ncommand = ["cat"]\n', encoding="utf-8")


async def test_mistakes_in_files_of_agents_leave_the_keys_in_sight() -> None:
    folder = user_config_file().parent / "agents"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("one", "two"):
        (folder / f"{name}.toml").write_text("driver = 3\n", encoding="utf-8")
    async with beside("s", size=(80, 24)) as (seat, _):
        await start(seat, "claude")
        await seat.sees("wrong, as collab-tui session allow tells: one, two", "ctrl+s start")


@pytest.mark.usefixtures("of_the_project")
async def test_an_agent_of_the_project_that_waits_to_be_allowed_is_told() -> None:
    async with beside("s") as (seat, _):
        await start(seat, "")
        await seat.sees("mine waits to be allowed: collab-tui session allow mine")


# Interrupting, stopping, restoring


async def test_stop_asks_and_says_what_would_be_lost_and_enter_cancels() -> None:
    async with beside("s", size=(80, 24)) as (seat, _):
        await choose(seat, "sena")
        await seat.press("x")
        await dialog(seat, "StopScreen")
        await seat.sees(
            "1 queued prompt will not be given to it",
            "3 files are changed and not committed",
            "2 commits stand nowhere else",
            "It can be restored",
            "Its branch and worktree stay",
        )
        await seat.press("enter")
        await on_sessions(seat)
        assert seat.appended == []
        await seat.press("x")
        await dialog(seat, "StopScreen")
        await seat.press("tab", "enter")
        await gave(seat, command("stop", "sena"))


async def test_a_command_on_its_way_is_shown_and_not_given_twice() -> None:
    async with beside("s") as (seat, _):
        await choose(seat, "sena")
        await seat.press("i")
        (command_id,) = await gave(seat, command("interrupt", "sena"))
        await seat.sees("interrupt sent, not taken yet")
        await seat.press("i")
        await seat.until(lambda: "It is on its way" in seat.toasts, "why not")
        seat.write(result(command_id, "accepted"))
        await seat.sees("interrupt taken")
        seat.write(result(command_id, "running"))
        await seat.sees("interrupt under way")
        seat.write(result(command_id, "failed", reason="there is no turn to end"))
        await seat.until(lambda: "sena: interrupt failed: there is no turn to end" in seat.toasts, "a toast")
        await seat.sees("interrupt failed: there is no turn to end")


async def test_what_ended_and_can_go_on_is_restored() -> None:
    async with beside("s") as (seat, _):
        await choose(seat, "rigel")
        await seat.press("r")
        await gave(seat, command("restore", "rigel"))


KEYS = {
    "sena": ("p i x d e enter n", "r a"),
    "lubit": ("p x d e", "i r a"),
    "vega": ("d e", "p i x r a"),
    "rigel": ("r d e", "p i x a"),
    "maestro": ("p i x e", "d r a"),
    "probe": ("p i x a", "r"),
    "bot": ("e", "p i x d r a"),
}
"""Session -> keys that are there, and those that are not."""


async def test_only_keys_that_would_do_something_are_there() -> None:
    async with beside("s") as (seat, _):
        await seat.sees("gone with monitor")
        for name, (there, absent) in KEYS.items():
            await choose(seat, name)
            footer = seat.lines[-1]
            assert all(f" {key} " in footer for key in there.split()), footer
            assert not any(f" {key} " in footer for key in absent.split()), footer
            await seat.press(*absent.split())
            assert seat.screen == "SessionsScreen"
        assert seat.appended == []


WHY_NOT = {
    ("rigel", "p"): "rigel does not run: r restores it",
    ("vega", "r"): "vega cannot go on where it ended: n starts another",
    ("sena", "r"): "sena runs",
    ("sena", "a"): "sena has no terminal: enter shows what it puts out",
    ("sena", "o"): "Nothing is asked of you there",
    ("lubit", "i"): "lubit is idle: there is nothing to interrupt",
    ("maestro", "d"): "The worktree of maestro is on nas2",
}


async def test_a_key_that_would_do_nothing_says_why() -> None:
    async with beside("s") as (seat, _):
        await seat.sees("gone with monitor")
        for (name, key), why in WHY_NOT.items():
            await choose(seat, name)
            seat.app.clear_notifications()
            await seat.press(key)
            await seat.until(lambda why=why: why in seat.toasts, f"{name} {key}: {why}")
        assert seat.appended == []
