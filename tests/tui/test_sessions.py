"""The sessions screen: what is seen of each program, its output, its changes, and its past."""

from __future__ import annotations

import json
from threading import Event as Held
from typing import Any

import pytest

from tests.tui import scenes
from tests.tui.atlas import OUTPUT, Atlas, beside, choose, sample
from tests.tui.giving import command, dialog, gave, on_sessions, prompt
from tests.tui.scenes import HOSTILE_TEXTS, line, told
from tests.tui.seat import WIDE, replaying, sitting
from tests.tui.test_hostile import STEERS


@pytest.fixture(autouse=True)
def _atlas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collab_tui.tui.machine.Machine", Atlas)


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
        await seat.sees("gone with monitor", "5 of 10 run here · 1 told from elsewhere")
        for name, told_so in STATES.items():
            row = seat.line_with(f" {name} ")
            assert all(words in row for words in told_so), row
        row = seat.line_with(" bot ")[1 : seat.app.screen.items.size.width]
        assert row.strip(" │").endswith("gone with monitor"), row  # since when is not told


async def test_what_needs_the_person_comes_first_then_what_runs_then_the_rest() -> None:
    async with beside("s") as (seat, _):
        await seat.sees("gone with monitor")
        keys = seat.app.screen.items.keys
        assert keys == ["gitcode", "probe", "sena", "lubit", "하나", "maestro", "bot", "rigel", "orion", "vega"]


async def test_one_whose_agent_asks_comes_first_with_the_sign_and_says_nothing_once_it_ended() -> None:
    request = told("lubit", "decision_request", 0, request="Which schema?", request_id="q1", target="human")
    async with beside("s", [*sample(), request], size=WIDE) as (seat, _):
        await seat.sees("gone with monitor")
        assert set(seat.app.screen.items.keys[:2]) == {"gitcode", "lubit"}
        assert "▲ lubit" in seat.line_with(" lubit ")
        run = next(s.run for s in seat.app.live.board.sessions if s.name == "lubit")
        seat.write(told("lubit", "session_end", 0, run=run))
        await seat.until(lambda: "∅ lubit" in seat.line_with(" lubit "), "a stopped lubit")
        assert "says" not in seat.line_with(" lubit ")[:80]
        assert set(seat.app.screen.items.keys[:2]) == {"gitcode", "probe"}


async def test_the_ended_sessions_of_decisions_come_last() -> None:
    decision = told("monitor", "worker", 2, worker="d9", kind="decision", state="done", task="T")
    start = told("judge", "session_start", 1, run="j" * 16, host="atlas", definition="d", driver="d", worker="d9")
    end = told("judge", "session_end", 0, run="j" * 16)
    async with beside("s", [*sample(), decision, start, end]) as (seat, _):
        await seat.sees("gone with monitor")
        assert seat.app.screen.items.keys[-1] == "judge"


@pytest.mark.parametrize("key", ["s", "w"])
async def test_the_keys_of_the_past_are_listed_only_there(key: str) -> None:
    async with beside(key) as (seat, _):
        await seat.press("question_mark")
        await seat.dialog("KeysScreen")
        assert not [text for text in seat.app.screen.query("Static") if "One event back" in str(text.render())]
    async with replaying(sample(), "30") as seat:
        await seat.press(key)
        await seat.until(lambda: seat.screen in ("SessionsScreen", "WorkersScreen"), "the screen")
        await seat.press("question_mark")
        await seat.dialog("KeysScreen")
        assert [text for text in seat.app.screen.query("Static") if "One event back" in str(text.render())]


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
        assert seat.widget("#output").region.y == seat.app.screen.items.region.y
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
        await seat.sees("signal 9", "4 of 10 run here")


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


async def test_a_line_that_says_it_stopped_hides_nothing_that_runs_here_and_takes_no_key_away() -> None:
    async with beside("s") as (seat, machine):
        await choose(seat, "sena")
        run = seat.app.screen.session.run
        machine.odd["sena"] = "an odd line tells that it is stopped"
        seat.write(told("sena", "session_end", 0, run=run))
        await seat.sees("● sena     working", "an odd line tells that it is stopped", "5 of 10 run here")
        assert all(f" {key} " in seat.lines[-1] for key in "pxi")
        machine.odd.clear()  # it ended after all
        seat.app.screen._look()
        await seat.sees("∅ sena     stopped")


async def test_the_rows_of_a_size_do_not_depend_on_the_sizes_before() -> None:
    async with beside("s", size=(100, 40)) as (seat, _):
        await seat.sees("gone with monitor", "Output of")
        rows = seat.app.screen.items
        before = (rows.room, rows.wanted_height, rows.size)
        for size in ((100, 20), (160, 48), (100, 40)):
            await seat.pilot.resize_terminal(*size)
            await seat.until(lambda size=size: seat.app.screen.size == size, f"{size}")
        await seat.until(lambda: (rows.room, rows.wanted_height, rows.size) == before, f"{before}")


@pytest.mark.parametrize("key", ["s", "w"])
async def test_a_terminal_that_becomes_wide_gives_the_list_its_whole_height(key: str) -> None:
    async with beside(key, size=WIDE) as (seat, _):
        await seat.until(lambda: seat.app.screen.items.keys, "rows")
        rows = seat.app.screen.items
        wide = rows.room, rows.wanted_height, rows.size
        await seat.pilot.resize_terminal(60, 40)
        await seat.until(lambda: rows.most_lines is not None and rows.size != wide[2], "the narrow arrangement")
        await seat.pilot.resize_terminal(*WIDE)
        await seat.until(lambda: (rows.room, rows.wanted_height, rows.size) == wide, f"{wide}")


@pytest.mark.parametrize("size", [WIDE, (100, 40)])
async def test_facts_have_their_height_whatever_they_say(size: tuple[int, int]) -> None:
    async with beside("s", size=size) as (seat, _):
        await choose(seat, "lubit")
        about = seat.widget("#about")
        height = about.size.height
        assert height
        run = seat.app.screen.session.run
        seat.write(
            told("monitor", "session_observed", 0, target="lubit", run=run, observed="idle", why="because " * 60)
        )
        await seat.sees("because because")
        assert about.size.height == height


async def test_the_selection_is_the_same_after_a_look_at_the_workers() -> None:
    async with beside("s") as (seat, _):
        await choose(seat, "rigel")
        await seat.press("w")
        await seat.until(lambda: seat.screen == "WorkersScreen", "the workers")
        await seat.press("s")
        await seat.until(lambda: seat.screen == "SessionsScreen" and seat.app.screen.items.selected == "rigel", "rigel")


# Output


async def test_the_output_is_drawn_by_the_terminal_model_and_again_when_there_is_more() -> None:
    async with beside("s") as (seat, machine):
        await choose(seat, "sena")
        await seat.sees("Write the log parser. Tests first.", "12 of 14 tests of the parser pass")
        machine.outputs["sena"] = OUTPUT + "\x1b[2J\x1b[31mall 14 pass now\x1b[0m\n"
        await seat.sees("all 14 pass now")


async def test_one_look_at_output_is_under_way_and_nothing_else_waits_for_it() -> None:
    async with beside("s") as (seat, machine):
        await choose(seat, "sena")
        looks = len(machine.peeked)
        machine.held = Held()
        try:
            await seat.until(lambda: len(machine.peeked) > looks, "a look")
            looks = len(machine.peeked)
            for _ in range(3):
                seat.app.screen._peek()  # what its timer does
            await prompt(seat, "sena", "go on")
            await seat.press("ctrl+s")
            await gave(seat, command("send_prompt", "sena", prompt="go on"))
            assert len(machine.peeked) == looks
        finally:
            machine.held.set()


async def test_output_is_not_looked_at_below_a_dialog() -> None:
    async with beside("s") as (seat, machine):
        await choose(seat, "sena")
        await seat.sees("Write the log parser. Tests first.")
        sessions = seat.app.screen
        await seat.press("question_mark")
        await seat.dialog("KeysScreen")
        await seat.until(lambda: not sessions._is_peeking, "the end of the look")
        looks = len(machine.peeked)
        sessions._peek()  # what its timer does
        await seat.until(lambda: not sessions._is_peeking, "the end of the look")
        assert len(machine.peeked) == looks
        await seat.press("escape")
        await seat.until(lambda: len(machine.peeked) > looks, "a look")


async def test_output_scrolls_to_what_is_above_and_to_what_is_cut_at_the_right() -> None:
    async with beside("s", size=(80, 24)) as (seat, machine):
        machine.outputs["sena"] = "".join(f"line {number} {'.' * 80} end of {number}\n" for number in range(60))
        await choose(seat, "sena")
        await seat.press("enter")
        await seat.sees("line 59", "esc list")
        assert seat.line_with("line 59").rstrip().endswith(">")
        await seat.press("end", *["right"] * 4)
        await seat.sees("end of 59")
        await seat.press("home")
        await seat.sees("line 0 ", "line 10 ")
        machine.outputs["sena"] += "one more\n"
        looks = len(machine.peeked)
        await seat.until(lambda: len(machine.peeked) > looks + 1, "another look")
        assert "line 0 " in seat.text  # it stays where one reads
        await seat.press("end")
        await seat.sees("one more")


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


# Looking


async def test_the_diff_is_shown_and_scrolls() -> None:
    async with beside("s", size=(80, 24)) as (seat, _):
        await choose(seat, "sena")
        await seat.press("d")
        await dialog(seat, "ReadingScreen")
        await seat.sees("collab/claude/log-parser since main", "+    if found and not found[-1]:", "-    return found")
        await seat.press("escape")
        await on_sessions(seat)


async def test_a_base_that_is_no_branch_is_told_in_ten_digits() -> None:
    base = "0123456789abcdef" * 2 + "01234567"
    start = told("nova", "session_start", 1, run="n" * 16, host="atlas", definition="claude", branch="b", base=base)
    async with beside("s", [*sample(), start], size=(80, 24)) as (seat, _):
        await choose(seat, "nova")
        await seat.press("d")
        await seat.sees("nova: b since 0123456789 ")


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
