"""The sessions screen: what is seen of each program, its output, and the keys that give commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input, Select, TextArea

from collab_tui.config import user_config_file
from collab_tui.model.event import Event, decode
from collab_tui.model.signature import Standing, registry_id
from collab_tui.protocol.commands import judge
from collab_tui.protocol.keys import NAME
from collab_tui.protocol.trust import Trust
from collab_tui.registry.append import NotWrittenError
from tests.tui import scenes
from tests.tui.atlas import OUTPUT, Atlas, beside, choose, sample
from tests.tui.scenes import HOSTILE_TEXTS, line, told
from tests.tui.seat import WIDE, Seat, replaying, sitting
from tests.tui.test_hostile import STEERS


@pytest.fixture(autouse=True)
def _atlas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collab_tui.tui.machine.Machine", Atlas)


def command(kind: str, target: str, host: str = "atlas", **payload: Any) -> dict[str, Any]:
    return {
        "agent": "human",
        "event": "command",
        "command_type": kind,
        "target": target,
        "payload": payload,
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
    return told("monitor", "command_result", 0, command_id=command_id, state=state, **fields)


async def dialog(seat: Seat, kind: str) -> None:
    await seat.until(lambda: seat.screen == kind and seat.app.screen.is_mounted, kind)


async def on_sessions(seat: Seat) -> None:
    await seat.until(lambda: seat.screen == "SessionsScreen", "the sessions without a dialog")


# What is seen


STATES = {
    "sena": ["● sena", "working", "says working 72 %", "29 min"],
    "gitcode": ["▲ gitcode", "waiting for approval", "says waiting 85 %"],
    "lubit": ["· lubit", "idle", "says waiting 60 %"],
    "하나": ["◌ 하나", "starting", "32 s"],
    "orion": ["∅ orion", "stopped"],
    "vega": ["✖ vega", "failed"],
    "rigel": ["○ rigel", "lost"],
    "maestro": ["→ maestro", "working"],
    "probe": ["⋯ probe", "not watched"],
    "bot": ["∅ bot", "gone with monitor"],
}


async def test_every_state_looks_different_and_what_is_declared_stands_beside_it() -> None:
    async with beside("s", size=WIDE) as (seat, _):
        await seat.sees("gone with monitor", "6 of 10 run")
        for name, told_so in STATES.items():
            row = seat.line_with(f" {name} ")
            assert all(words in row for words in told_so), row


async def test_what_needs_the_person_comes_first_then_what_runs_then_the_rest() -> None:
    async with beside("s") as (seat, _):
        await seat.sees("gone with monitor")
        keys = seat.app.screen.items.keys
        assert keys == ["gitcode", "probe", "sena", "lubit", "maestro", "하나", "bot", "rigel", "orion", "vega"]


async def test_what_is_not_known_yet_is_not_shown_as_working(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Atlas, "watch", lambda self, sessions: {})
    async with beside("s", size=WIDE) as (seat, _):
        await seat.sees("sena")
        y = seat.lines.index(seat.line_with("● sena"))
        strip = seat.app.screen._compositor.render_strips()[y]
        (word,) = [segment for segment in strip if segment.text.strip() == "working"]
        (says,) = [segment for segment in strip if segment.text.strip() == "says"]
        assert word.style.color == says.style.color  # muted


async def test_the_selected_one_is_told_with_its_worktree_counts_and_last_line() -> None:
    async with beside("s", size=(80, 24)) as (seat, _):
        await choose(seat, "sena")
        await seat.sees("3 changed", "2 unpushed", "12 of 14 tests of the parser pass", "Output of sena")


async def test_the_session_of_the_agent_that_is_selected_on_the_board_is_selected() -> None:
    async with sitting(sample()) as seat:
        await seat.go("agents", "lubit")
        await seat.press("s")
        await seat.until(lambda: seat.screen == "SessionsScreen" and seat.app.screen.items.selected == "lubit", "lubit")


async def test_without_sessions_it_is_said_how_to_begin() -> None:
    async with beside("s", scenes.calm()) as (seat, _):
        await seat.sees("No sessions yet", "n  starts one", "collab-tui session start AGENT")
        await seat.press("p", "x", "d", "i", "e", "enter")
        assert seat.screen == "SessionsScreen"


async def test_escape_goes_back_and_w_goes_to_the_workers_and_one_screen_is_beside_the_board() -> None:
    async with beside("s") as (seat, _):
        await seat.press("w")
        await seat.until(lambda: seat.screen == "WorkersScreen", "the workers")
        await seat.press("s")
        await on_sessions(seat)
        assert len(seat.app.screen_stack) == 2
        await seat.press("escape")
        await seat.closed()


async def test_it_follows_the_registry() -> None:
    async with beside("s") as (seat, _):
        run = next(s.run for s in seat.app.live.board.sessions if s.name == "lubit")
        seat.write(told("monitor", "session_observed", target="lubit", run=run, observed="failed", why="signal 9"))
        await seat.until(lambda: "failed" in seat.line_with(" lubit "), "a failed lubit")
        await seat.sees("signal 9", "5 of 10 run")


async def test_everything_that_is_known_is_in_the_details() -> None:
    async with beside("s", size=(100, 40)) as (seat, _):
        await choose(seat, "gitcode")
        await seat.press("e")
        await dialog(seat, "SessionScreen")
        await seat.sees(
            "waiting for approval for 5 min",
            "waiting 85 %",
            "May it run: git push origin collab/codex/deploy-5",
            "codex, driven as codex",
            "atlas, process 52377",
            "/work/app.worktrees/codex-deploy-5",
            "1 changed, 3 unpushed",
        )


async def test_what_it_asks_can_be_answered_from_here() -> None:
    async with beside("s") as (seat, _):
        await choose(seat, "gitcode")
        await seat.press("o")
        await seat.dialog("RequestScreen")
        await seat.sees("May it run: git push")
        await seat.press("a")
        await seat.until(lambda: len(seat.appended) == 1, "an answer")
        assert seat.appended[0]["verdict"] == "approved"
        await on_sessions(seat)


# Output


async def test_the_output_is_drawn_by_the_terminal_model_and_again_when_there_is_more() -> None:
    async with beside("s") as (seat, machine):
        await choose(seat, "sena")
        await seat.sees("Write the log parser. Tests first.", "12 of 14 tests of the parser pass")
        machine.outputs["sena"] = OUTPUT + "\x1b[2J\x1b[31mall 14 pass now\x1b[0m\n"
        await seat.sees("all 14 pass now")


async def test_output_that_did_not_change_is_not_drawn_again() -> None:
    async with beside("s") as (seat, machine):
        await choose(seat, "sena")
        await seat.sees("Write the log parser. Tests first.")
        looks = machine.looks
        await seat.until(lambda: machine.looks >= looks + 2, "it has its size")
        drawn, looks = machine.peeked.count("sena"), machine.looks
        await seat.until(lambda: machine.looks >= looks + 2, "two more looks")
        assert machine.peeked.count("sena") == drawn


async def test_output_is_not_looked_at_below_a_dialog() -> None:
    async with beside("s") as (seat, machine):
        await choose(seat, "sena")
        await seat.sees("Write the log parser. Tests first.")
        sessions = seat.app.screen
        await seat.press("question_mark")
        await seat.dialog("KeysScreen")
        looks = machine.looks
        await sessions._peek().wait()  # what its timer does
        assert machine.looks == looks
        await seat.press("escape")
        await seat.until(lambda: machine.looks > looks, "a look")


async def test_output_of_another_machine_is_not_here_and_that_is_said() -> None:
    async with beside("s") as (seat, _):
        await choose(seat, "maestro")
        await seat.sees("it runs on nas2: look at it there")


async def test_enter_gives_the_output_the_whole_screen_and_escape_takes_it_back() -> None:
    async with beside("s", size=(80, 24)) as (seat, _):
        await choose(seat, "sena")
        await seat.press("enter")
        await seat.sees_no("Sessions")
        await seat.sees("> Write the log parser. Tests first.", "12 of 14 tests")
        await seat.press("escape", "down")
        await seat.sees("Sessions", "Output of lubit")
        assert seat.screen == "SessionsScreen"


def hostile(number: int, text: str) -> list[dict[str, Any]]:
    """A session, a command, a worker and a stream of which every word is this text."""
    name, run = f"{number} {text}", f"{number}" * 16
    start = {"run": run, "host": "atlas", "definition": text, "driver": text, "cwd": text, "branch": text, "base": text}
    seen = {"target": name, "run": run, "observed": "working", "why": text, "last_line": text}
    worker = {"worker": name, "kind": "decision", "state": "failed", "task": text, "title": text, "why": text}
    more = {"stream": text, "log": text, "verdict": {text: [text, {"task": text}]}, "priority": text, "session": name}
    return [
        told(name, "session_start", 9, **start, current_task=text, role=text, monitor=text, worker=text, log=text),
        told("monitor", "session_observed", 8, **seen),
        told("human", "command", 1, command_type=text, target=name, payload={"prompt": text}, host=text),
        told("monitor", "worker", 1, **worker, **more),
        told("monitor", "stream_state", 1, stream=text, state="retrying", why=text),
    ]


async def test_hostile_words_and_output_are_shown_and_nothing_else() -> None:
    scene = [event for number, text in enumerate(HOSTILE_TEXTS.values()) for event in hostile(number, text)]
    async with beside("s", [line(event, ascii_only=True) for event in scene], size=(80, 24)) as (seat, machine):
        for session, text in zip(seat.app.live.board.sessions, HOSTILE_TEXTS.values(), strict=True):
            machine.outputs[session.name] = text
        seen = ""
        for _ in HOSTILE_TEXTS:
            for key in ("e", "escape", "x", "escape", "down"):
                await seat.press(key)
                seen += seat.text
        assert "0 x [/] y [/bold] [/nope] [[" in seen
        for key in ("p", "escape", "d", "escape", "enter", "escape"):
            await seat.press(key)
            seen += seat.text
        await seat.press("w")
        await seat.until(lambda: seat.screen == "WorkersScreen", "the workers")
        for _ in HOSTILE_TEXTS:
            for key in ("down", "enter", "escape"):
                await seat.press(key)
                seen += seat.text
        assert not STEERS.search(seen.replace("\n", ""))
        assert not seat.app._exit


# Prompting


async def prompt(seat: Seat, name: str, words: str) -> None:
    await choose(seat, name)
    await seat.press("p")
    await dialog(seat, "PromptScreen")
    await seat.type(words)


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
        await gave(seat, command("send_prompt", "maestro", host="nas2", prompt="go on"))
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
        wanted = command("start", "nova", agent="claude", task="fix-2", name="nova", base="main", prompt="Go")
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


# Looking


async def test_the_diff_is_shown_and_scrolls() -> None:
    async with beside("s", size=(80, 24)) as (seat, _):
        await choose(seat, "sena")
        await seat.press("d")
        await dialog(seat, "ReadingScreen")
        await seat.sees("collab/claude/log-parser since main", "+    if found and not found[-1]:", "-    return found")
        await seat.press("escape")
        await on_sessions(seat)


async def test_a_terminal_that_cannot_be_handed_over_is_told() -> None:
    async with beside("s") as (seat, _):
        await choose(seat, "probe")
        await seat.press("a")
        await seat.until(lambda: "This terminal cannot be handed over" in seat.toasts, "why not")


# The past


async def test_the_past_shows_what_stood_in_the_registry_and_commands_say_why_not() -> None:
    async with replaying(sample(), "30") as seat:
        await seat.press("s")
        await on_sessions(seat)
        await seat.sees("replay", "event 30 of", "Output is kept as it is now")
        await choose(seat, "sena")
        assert "starting" not in seat.line_with(" sena ")
        for key in ("p", "n", "x", "i", "a", "d", "r"):
            seat.app.clear_notifications()
            await seat.press(key)
            await seat.until(lambda: "This is the past, event 30 of" in seat.toasts, f"why not {key}")
            assert seat.screen == "SessionsScreen"
        assert json.loads(seat.path.read_text(encoding="utf-8").splitlines()[0])["event"] == "registry_created"
        assert seat.appended == []


async def test_the_past_can_be_walked_through_here_too() -> None:
    async with replaying(sample(), "16") as seat:
        await seat.press("s")
        await on_sessions(seat)
        await seat.sees("event 16 of")
        before = seat.app.screen.items.keys
        await seat.press(*["right"] * 8)
        await seat.sees("event 24 of")
        assert len(seat.app.screen.items.keys) > len(before)
