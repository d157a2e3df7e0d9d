"""The list of runs and their tasks, in the present, in the past, and their agents on the board."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from collab_tui.tui.widgets.blackboard import Blackboard
from collab_tui.tui.widgets.runs import row_key
from tests.tui import scenes
from tests.tui.atlas import MONITOR_ID, RUNS, Atlas, beside, choose, sample
from tests.tui.run_scenes import LEAD, LOGIN, REVIEW, keep, on_runs, rows, screen, task, team
from tests.tui.scenes import HOSTILE_TEXTS, told
from tests.tui.seat import WIDE, replaying, sitting
from tests.tui.test_hostile import STEERS

pytestmark = pytest.mark.usefixtures("atlas")


async def test_who_waits_for_the_person_comes_first_and_tasks_stand_below_their_run() -> None:
    async with beside("r", size=WIDE) as (seat, _):
        await seat.sees("Runs · 1 of 3 running · 1 waits for you")
        shown = rows(seat)
        runs = [next(n for n, line in enumerate(shown) if name in line) for name in ("login-", "refine", "nightly-")]
        assert runs == sorted(runs)
        for text in (
            "▲ login-page      running    ████░░░░░░░░ 4 of 11",
            "✔ plan         done           planner-1      split the goal into ta",
            "▲ migrate      waits for you                 Start migrate: move the tab",
            "● plan/links   running        executor-1     round 2  links that w",
            "● plan/mail    in review      validator-1",
            "· plan/limits  pending                       waits for plan/links",
            "better: it did not end within 60 s",
            "took 4.7 min",
        ):
            assert any(text in line for line in shown), text


@pytest.mark.parametrize("size", [WIDE, (60, 40)])
async def test_the_bars_of_runs_are_a_column(size: tuple[int, int]) -> None:
    async with beside("r", size=size) as (seat, _):
        await seat.sees("4 of 11", "1 of 3", "5 of 5")
        lines = [seat.line_with(f" {counts} ") for counts in ("4 of 11", "1 of 3", "5 of 5")]
        bars = {(found.start(), found.end()) for line in lines if (found := re.search("█+░*", line[:79])) is not None}
        assert len(bars) == 1


async def test_a_run_that_is_over_is_folded_and_enter_unfolds_it() -> None:
    async with beside("r", size=WIDE) as (seat, _):
        await choose(seat, REVIEW)
        assert "enter unfold" in seat.lines[-1]
        await seat.press("enter")
        await seat.sees("✔ report", "writer-1", "times as fast as one seat")
        assert screen(seat).items.selected == REVIEW
        await seat.press("enter")
        await seat.until(lambda: row_key(REVIEW, "report") not in screen(seat).items.keys, "a folded run")


async def test_a_second_click_unfolds_a_run() -> None:
    async with beside("r", size=WIDE) as (seat, _):
        items = screen(seat).items
        folded = len(items.keys)
        place = next(y for y, line in enumerate(seat.lines) if "nightly-review" in line)
        await seat.pilot.click(offset=(5, place), times=2)
        await seat.until(lambda: len(items.keys) > folded, "its tasks")


async def test_the_list_stays_as_it_is_when_a_run_ends() -> None:
    async with beside("r", size=WIDE) as (seat, _):
        await choose(seat, row_key(LOGIN, "plan/links"))
        seat.write(told(LEAD, "run_ended", 0, run=LOGIN, state="cancelled", reason="you cancelled it"))
        await seat.until(lambda: any("login-page      cancelled" in line for line in rows(seat)), "its end")
        assert screen(seat).items.selected == row_key(LOGIN, "plan/links")


async def test_the_selection_survives_what_comes() -> None:
    async with beside("r", size=WIDE) as (seat, _):
        await choose(seat, row_key(LOGIN, "validate"))
        place = seat.lines.index(seat.line_with("validate     pending"))
        seat.write(*team(3))
        await seat.sees("large")
        assert screen(seat).items.selected == row_key(LOGIN, "validate")
        assert seat.lines.index(seat.line_with("validate     pending")) == place


async def test_a_run_that_vanishes_with_its_registry_leaves_the_screen_usable() -> None:
    async with beside("r", size=WIDE) as (seat, _):
        await choose(seat, row_key(LOGIN, "plan/links"))
        keep("other.jsonl", "".join(scenes.line(event) for event in scenes.calm())).replace(seat.path)
        await seat.sees("No runs yet")
        for key in ("enter", "c", "r", "v", "l", "a", "x", "o"):
            await seat.press(key)
        assert seat.screen == "RunsScreen"
        seat.write(*team(2))
        await seat.sees("large")


async def test_of_another_registry_the_first_run_is_selected() -> None:
    async with beside("r", size=WIDE) as (seat, _):
        await choose(seat, row_key(LOGIN, "plan/links"))
        scene = [*scenes.calm(), *team(2)]
        keep("other.jsonl", "".join(scenes.line(event) for event in scene)).replace(seat.path)
        await seat.sees("run 0123abcd", "0 of 2 done")
        assert screen(seat).items.selected == "0123abcd"


async def test_a_thousand_tasks_are_rows_of_which_only_those_in_sight_are_made() -> None:
    async with beside("r", [*scenes.calm(), *team(1000)], size=WIDE) as (seat, _):
        await seat.sees("0 of 1000", "986 more")
        items = screen(seat).items
        await seat.press("end")
        await seat.until(lambda: items.selected == row_key("0123abcd", "t999"), "the last")
        made = sum(row.lines._made is not None for row in items._rows if hasattr(row.lines, "_made"))
        assert made < 100
        seat.write(task("t0", "running"), task("t0", "done", revision=1, value=1, took_ms=5))
        await seat.sees("✔ t0 ━┯")
        assert items.selected == row_key("0123abcd", "t999")


async def test_only_lines_that_read_otherwise_are_painted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with beside("r", [*scenes.calm(), *team(30)], size=WIDE) as (seat, _):
        seat.write(task("t1", "running"))  # it had been silent
        await seat.sees("1 of 1 at work")
        items, painted = screen(seat).items, list[int]()
        monkeypatch.setattr(items, "refresh_line", painted.append)
        monkeypatch.setattr(items, "refresh", lambda *_, **__: painted.append(-1))
        seat.write(task("t0", "running"))
        await seat.until(lambda: painted, "a painted line")
        assert painted == [2], "that of the task"
        painted.clear()
        seat.app.draw()
        await seat.pilot.pause()
        assert painted == []


async def test_on_the_board_the_agents_of_a_run_whose_process_is_gone_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collab_tui.tui.app._TICK", 0.02)
    gone: set[str] = set()
    monkeypatch.setattr(Atlas, "gone_agents", lambda *_: frozenset(gone))
    works = task("t0", "running", status="in_progress")
    async with sitting([*scenes.calm(), *team(1), works], size=WIDE) as seat:
        await seat.sees("working", "· 1 run")
        worker = next(line for line in seat.lines if "worker-1" in line)
        assert "working" in worker
        gone.update(("lead", "worker-1-0123"))
        await seat.until(lambda: any("worker-1" in line and "gone" in line for line in seat.lines), "it is gone")
        assert "1 run" not in seat.text


async def test_of_many_tasks_those_that_ask_and_those_at_work_come_first() -> None:
    asks = scenes.asks("lead", "r1", "Begin t700?", 0, target="human")
    asked = told("lead", "run_task", 0, run="0123abcd", task="t700", state="asked", request="r1")
    async with beside("r", [*scenes.calm(), *team(900), asks, asked, task("t800", "running")], size=WIDE) as (seat, _):
        await seat.sees("Begin t700?")
        assert screen(seat).items.keys[1:4] == [row_key("0123abcd", key) for key in ("t700", "t800", "t0")]


async def test_of_many_tasks_those_that_went_wrong_come_before_those_at_work() -> None:
    scene = [*scenes.calm(), *team(100), task("t80", "running"), task("t90", "failed", error="no disk")]
    async with beside("r", scene, size=WIDE) as (seat, _):
        await seat.sees("no disk")
        assert screen(seat).items.keys[1:4] == [row_key("0123abcd", key) for key in ("t90", "t80", "t0")]


async def test_runs_keep_their_places_while_they_go_on() -> None:
    first, second = "0123abcd", "4567ef01"
    async with beside("r", [*team(2, first), *team(2, second)], size=WIDE) as (seat, _):
        await seat.sees("2 of 2 running")
        keys = screen(seat).items.keys
        assert keys[0] == second, "the latest first"
        for run in (first, second, first):
            seat.write(task("t0", "running", run, attempt=1))
            await seat.sees("running        worker-1")
            assert screen(seat).items.keys == keys


async def test_a_run_that_begins_above_what_is_in_sight_is_told_and_nothing_jumps() -> None:
    async with beside("r", [*scenes.calm(), *team(60)], size=WIDE) as (seat, _):
        await seat.press("end", "up", "up")
        place = seat.lines.index(seat.line_with("▌  · t57"))
        seat.write(*team(3, "4567ef01"))
        await seat.sees("Runs · 2 of 2 running, 1 above")
        assert seat.lines.index(seat.line_with("▌  · t57")) == place
        await seat.press("home")
        await seat.sees_no("above")


async def test_the_run_of_the_agent_that_was_selected_is_in_sight() -> None:
    works = task("t0", "running", "4567ef01")
    async with sitting([*team(2, "4567ef01"), *team(60), works], size=WIDE) as seat:
        await seat.go("agents", "worker-1-4567")
        await seat.press("r")
        await on_runs(seat)
        await seat.sees("run 4567ef01", "▌● large")


async def test_of_several_things_that_a_run_asks_a_key_answers_none() -> None:
    asks = [scenes.asks("lead", "r1", "Begin t1?", 0, target="human"), scenes.asks("lead", "r2", "Which?", 0)]
    async with beside("r", [*team(3), *asks], size=WIDE) as (seat, _):
        await seat.sees("2 wait for you")
        await seat.press("a")
        await seat.until(lambda: "2 things are asked of you there: g goes to the next" in seat.toasts, "why not")
        await seat.wrote_nothing()


async def test_a_question_is_answered_in_words() -> None:
    asked = [
        scenes.asks("lead", "r1", "Which?", 0, target="human", kind="question"),
        told("lead", "run_task", 0, run="0123abcd", task="t1", state="asked", request="r1"),
    ]
    async with beside("r", [*team(3), *asked], size=WIDE) as (seat, _):
        await seat.sees("1 waits for you")
        await seat.press("x")
        await seat.until(lambda: "Yes or no is no answer to that: o reads it" in seat.toasts, "why not")


async def test_a_key_goes_through_what_is_asked() -> None:
    asks = [scenes.asks("lead", "r1", "Begin t1?", 0, target="human"), scenes.asks("lead", "r2", "Which?", 0)]
    asked = told("lead", "run_task", 0, run="0123abcd", task="t1", state="asked", request="r1")
    async with beside("r", [*scenes.calm(), *team(3), *asks, asked], size=WIDE) as (seat, _):
        await seat.sees("Runs · 1 of 1 running · 2 wait for you", "Begin t1?")
        items = screen(seat).items
        await seat.press("g")
        assert items.selected == row_key("0123abcd", "t1")
        await seat.press("g")
        assert items.selected == "0123abcd", "what no task asks stands with the run"


async def test_where_nothing_is_asked_the_key_says_so() -> None:
    async with beside("r", [*scenes.calm(), *team(3)], size=WIDE) as (seat, _):
        await seat.press("g")
        await seat.until(lambda: "Nothing waits for you" in seat.toasts, "why not")


async def test_long_keys_that_differ_at_their_end_are_told_apart() -> None:
    names = [f"a-plan-with-a-long-name/part-of-the-page-{n}" for n in (1, 2)]
    tasks = told("lead", "run_tasks", 0, run="0123abcd", tasks=[{"key": name, "role": "worker"} for name in names])
    value = told("lead", "run_value", 0, run="0123abcd", key=f"{names[0]}/x1", revision=10**11, value=1)
    async with beside("r", [*scenes.calm(), *team(1), tasks, value], size=WIDE) as (seat, _):
        await seat.sees("part-of-the-page-1  pending", "part-of-the-page-2  pending", "-page-1/x1 r1…0 lead")


async def test_ids_with_strokes_can_be_selected() -> None:
    scene = [event | ({"run": "a/b"} if "run" in event else {}) for event in team(2)]
    async with beside("r", [*scenes.calm(), *scene], size=WIDE) as (seat, _):
        await choose(seat, row_key("a/b", "t1"))
        assert screen(seat).task_row is not None
        await choose(seat, "a/b")
        assert screen(seat).run_row is not None


async def test_without_any_it_is_said_how_to_begin() -> None:
    async with beside("r", scenes.calm()) as (seat, _):
        await seat.sees("No runs yet", "n  start one", "collab-tui run team")
        await seat.press("enter", "c", "v")
        await seat.until(lambda: "No run is selected" in seat.toasts, "why not")


async def test_the_first_line_of_a_registry_may_be_that_of_a_run() -> None:
    async with sitting([], size=(80, 24)) as seat:
        await seat.sees("The registry is empty")
        await seat.press("r")
        await on_runs(seat)
        await seat.sees("No runs yet", "n new")
        await seat.press("n")
        await seat.dialog("StartRunScreen")


def hostile(run: str, text: str) -> list[dict[str, Any]]:
    """A run of which every word is this text."""
    pools = [{"role": text, "agent": text, "seats": [text, "mallory"]}]
    tasks = [
        {"key": text, "role": text, "title": text, "needs": [text + "!"], "gives": text, "review": text},
        {"key": "own", "title": text, "needs": [text]},
    ]
    end = {"error": text, "comment": text, "branch": text, "log": text, "request": text, "key": text, "value": text}
    return [
        told("mallory", "run_started", 9, run=run, name=text, goal=text, pools=pools, host=text, pipeline=text),
        told("mallory", "run_tasks", 9, run=run, by=text, tasks=tasks),
        told("mallory", "run_task", 8, run=run, task=text, state="running"),
        told("mallory", "run_task", 7, run=run, task=text, state="rejected", work="review", **end),
        told("mallory", "run_task", 7, run=run, task="own", state="failed", **end),
        told("mallory", "run_value", 6, run=run, key=text, revision=1, value=text),
        told("mallory", "run_ended", 5, run=run, state="failed", reason=text),
    ]


async def test_hostile_words_are_shown_and_steer_nothing() -> None:
    scene = [event for number, text in enumerate(HOSTILE_TEXTS.values()) for event in hostile(f"h{number}", text)]
    async with beside("r", scene, size=(60, 40)) as (seat, _):
        seen = ""
        for number in range(len(HOSTILE_TEXTS)):
            await choose(seat, f"h{number}")
            seen += seat.text
            if row_key(f"h{number}", "own") not in screen(seat).items.keys:
                await seat.press("enter")
            await seat.press("down")
            seen += seat.text
            await seat.press("v", "enter")
            await seat.until(lambda: seat.screen == "ReadingScreen", "the value")
            seen += seat.text
            await seat.press("escape", "escape")
        assert "x [/] y [/bold] [/nope] [[" in seen
        assert not STEERS.search(seen.replace("\n", ""))


async def test_r_of_the_board_and_of_the_workers_goes_there_and_s_to_who_works_on_it() -> None:
    start = told(f"executor-1-{LOGIN[:4]}", "session_start", 1, run="p" * 16, host="atlas", definition="claude")
    async with sitting([*sample(RUNS), start], size=WIDE) as seat:
        await seat.press("w")
        await seat.until(lambda: seat.screen == "WorkersScreen", "the workers")
        await seat.press("r")
        await on_runs(seat)
        await choose(seat, row_key(LOGIN, "plan/links"))
        await seat.press("s")
        await seat.until(lambda: seat.screen == "SessionsScreen", "the sessions")
        assert seat.app.screen.items.selected == f"executor-1-{LOGIN[:4]}"
        await seat.press("escape")
        await seat.closed()
        await seat.go("agents", f"executor-1-{LOGIN[:4]}")
        await seat.press("r")
        await on_runs(seat)
        await seat.until(lambda: screen(seat).items.selected == LOGIN, "the run of the agent")


async def test_the_past_shows_what_stood_there_and_keys_say_why_nothing_is_done() -> None:
    lines = sample(RUNS)
    place = next(n for n, text in enumerate(lines, 1) if '"state":"rejected"' in text)
    async with replaying(lines, str(place), size=WIDE) as seat:
        await seat.press("r")
        await on_runs(seat)
        await seat.sees("plan/links   sent back", "A link that was used", f"event {place} of")
        assert "untended" not in seat.text
        for key in ("a", "x", "c", "n", "r"):
            seat.app.clear_notifications()
            await seat.press(key)
            await seat.until(lambda: "This is the past" in seat.toasts, f"why not, of {key}")
        await seat.press("right")
        await seat.at(place + 1)
        await seat.press("v")
        await seat.until(lambda: isinstance(seat.app.focused, Blackboard), "the blackboard")
        await seat.press("enter")
        await seat.until(lambda: seat.screen == "ReadingScreen", "a value of the past")
        await seat.press("escape", "escape", "escape")
        await seat.closed()


@pytest.mark.parametrize("size", [WIDE, (60, 40)], ids=str)
async def test_the_agents_of_a_run_stand_together_below_the_one_that_leads_it(size: tuple[int, int]) -> None:
    async with sitting(sample(RUNS), size=size) as seat:
        await seat.sees("run-login-page")
        keys = seat.list_of("agents").keys
        end = LOGIN[:4]
        seats = [f"{role}-{end}" for role in ("executor-1", "validator-1", "documenter-1", "executor-2", "planner-1")]
        assert keys[:6] == [LEAD, *seats]
        assert keys[6:8] == ["maestro", "sena"]
        assert "│ ● executor-1   " in seat.text
        assert "1 run" in seat.lines[0]
        assert "waits for" in seat.text


async def test_a_group_stands_where_the_most_urgent_of_it_would() -> None:
    asks = scenes.asks("maestro", "r1", "Release?", 0, target="human")
    done = scenes.decides("human", "a99b0e0000000031", "approved")
    async with sitting([*sample(RUNS), asks], size=WIDE) as seat:
        seat.decide_elsewhere(done)
        await seat.until(lambda: seat.list_of("agents").keys[0] == "maestro", "who asks first")
        assert seat.list_of("agents").keys[1] == LEAD


def test_the_sample_is_what_its_program_writes() -> None:
    from sample_state.make_runs import lines

    assert b"".join(lines()) == RUNS.read_bytes()
    assert all(json.loads(text)["id"] for text in RUNS.read_text(encoding="utf-8").splitlines())
    assert MONITOR_ID in RUNS.read_text(encoding="utf-8")
