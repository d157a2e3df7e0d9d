"""The runs screen: runs and their tasks, graph, seats, blackboard, what went wrong, and how long it took."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Static

from collab_tui.orchestrator.pipeline_file import read_pipeline
from collab_tui.tui.actions import SEEN_FOR
from collab_tui.tui.screens.runs import RunsScreen
from collab_tui.tui.widgets.blackboard import Blackboard
from collab_tui.tui.widgets.runs import row_key
from tests.tui import scenes
from tests.tui.atlas import MONITOR_ID, RUNS, Atlas, beside, choose, sample
from tests.tui.giving import command, gave, result
from tests.tui.scenes import HOSTILE_TEXTS, told
from tests.tui.seat import WIDE, Seat, replaying, sitting
from tests.tui.test_hostile import STEERS

LOGIN, REVIEW, REFINE = "3f9a1c27", "b82d4e60", "71c0aa35"
LEAD = f"run-login-page-{LOGIN[:4]}"


@pytest.fixture(autouse=True)
def _atlas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collab_tui.tui.machine.Machine", Atlas)


def rows(seat: Seat) -> list[str]:
    """The lines of the list, without what stands beside it."""
    return [text[1:79].strip() for text in seat.lines]


def screen(seat: Seat) -> RunsScreen:
    assert isinstance(seat.app.screen, RunsScreen)
    return seat.app.screen


def keep(name: str, text: str) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


async def on_runs(seat: Seat) -> None:
    await seat.until(lambda: seat.screen == "RunsScreen", "the runs without a dialog")


def team(count: int, run: str = "0123abcd") -> list[dict[str, Any]]:
    """A run of so many tasks that need nothing but the first one."""
    pools = [{"role": "worker", "agent": "claude", "seats": [f"worker-1-{run[:4]}"]}]
    tasks = [{"key": f"t{n}", "role": "worker"} | ({"needs": ["t0"]} if n else {}) for n in range(count)]
    return [
        told("lead", "run_started", 9, run=run, name="large", goal="a lot", pools=pools),
        told("lead", "run_tasks", 9, run=run, tasks=tasks),
    ]


def task(key: str, state: str, run: str = "0123abcd", **fields: Any) -> dict[str, Any]:
    return told(f"worker-1-{run[:4]}", "run_task", 0, run=run, task=key, state=state, **fields)


# What is shown


async def test_who_waits_for_the_person_comes_first_and_tasks_stand_below_their_run() -> None:
    async with beside("r", size=WIDE) as (seat, _):
        await seat.sees("Runs · 1 of 3 running · 1 waits for you")
        shown = rows(seat)
        runs = [next(n for n, line in enumerate(shown) if name in line) for name in ("login-", "refine", "nightly-")]
        assert runs == sorted(runs)
        for text in (
            "▲ login-page  running  ████░░░░░░░░ 4 of 11",
            "✔ plan         done           planner-1      split the goal into ta",
            "▲ migrate      waits for you                 Start migrate: move the tab",
            "● plan/links   running        executor-1     round 2  links that w",
            "● plan/mail    in review      validator-1",
            "· plan/limits  pending                       waits for plan/links",
            "better: it did not end within 60 s",
            "took 4.7 min",
        ):
            assert any(text in line for line in shown), text


async def test_the_graph_the_seats_what_went_wrong_and_the_figures_stand_beside_it() -> None:
    async with beside("r", size=WIDE) as (seat, _):
        await seat.sees(
            "✔ plan ━┳ ✔ draft",
            "● links r2 ━━ · limits ━╋ · validate",
            "━━ critical path, as expected",
            "4 of 11 done · 1 waits for you · 1 in review · 1 running · 4",
            "asks you  migrate: Start migrate: move the table of sessions?",
            "Seats  2 of 5 at work",
            "executor      █░  1 of 2  executor-1 plan/links 6 min",
            "documenter    ░   0 of 1  gemini",
            "failed, attempt 1  exit 1: the stand-in for SMTP",
            "sent back by validator-1  A link that was used",
            "2.3 times as fast as one seat · 46 % of 5 seats",
            "13 min so far  plan → plan/links",
            "limits/per-hour r2   executor-1          1 B  3",
        )


async def test_a_selected_task_tells_its_needs_rounds_and_attempts() -> None:
    async with beside("r", size=WIDE) as (seat, _):
        await choose(seat, row_key(LOGIN, "plan/links"))
        await seat.sees(
            "plan/links  ● running  executor-1",
            "needs     ✔ plan",
            "reviewed  by validator",
            "added by  plan",
            "1  round 1  work    executor-2     worked",
            "2  round 1  review  validator-1    sent back",
            "3  round 2  work    executor-1     at work",
        )
        assert " needs " in seat.line_with("{"), "the value that it needs is marked"


async def test_what_a_task_waits_for_is_told() -> None:
    async with beside("r", size=WIDE) as (seat, _):
        await choose(seat, row_key(LOGIN, "validate"))
        await seat.sees(
            "waits for plan/links, plan/mail, plan/limits, migrate", "needs     – plan/*  ✔ checks  – migrate"
        )


async def test_a_run_that_is_over_is_folded_and_enter_unfolds_it() -> None:
    async with beside("r", size=WIDE) as (seat, _):
        await choose(seat, REVIEW)
        assert "enter unfold" in seat.lines[-1]
        await seat.press("enter")
        await seat.sees("✔ report", "writer-1", "times as fast as one seat")
        assert screen(seat).items.selected == REVIEW
        await seat.press("enter")
        await seat.until(lambda: row_key(REVIEW, "report") not in screen(seat).items.keys, "a folded run")


async def test_the_list_stays_as_it_is_when_a_run_ends() -> None:
    async with beside("r", size=WIDE) as (seat, _):
        await choose(seat, row_key(LOGIN, "plan/links"))
        seat.write(told(LEAD, "run_ended", 0, run=LOGIN, state="cancelled", reason="you cancelled it"))
        await seat.until(lambda: any("login-page  cancelled" in line for line in rows(seat)), "its end")
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
        await seat.sees("✔ t0 ━┳")
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


async def test_nothing_goes_on_in_a_run_whose_process_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its figures and the ages of its tasks stay what they were when it was told of last."""
    run = [*team(2), task("t0", "running")]
    run[2]["timestamp"] = run[0]["timestamp"]
    async with beside("r", [*scenes.calm(), *run], size=WIDE) as (seat, machine):
        await seat.sees("⋯ silent 9 min", "nothing was heard of it for 9 min", "wall      9.0 min")
        machine.gone.add("0123abcd")
        await seat.sees("ran 0 ms, 9 min ago", "t0 0 s", "1 of 1 were at work")
        assert "wall      9" not in seat.text


async def test_of_many_tasks_those_that_ask_and_those_at_work_come_first() -> None:
    asks = scenes.asks("lead", "r1", "Begin t700?", 0, target="human")
    asked = told("lead", "run_task", 0, run="0123abcd", task="t700", state="asked", request="r1")
    async with beside("r", [*scenes.calm(), *team(900), asks, asked, task("t800", "running")], size=WIDE) as (seat, _):
        await seat.sees("Begin t700?")
        assert screen(seat).items.keys[1:4] == [row_key("0123abcd", key) for key in ("t700", "t800", "t0")]


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


async def test_what_went_wrong_alike_is_told_once_and_with_you_for_the_person() -> None:
    again = {"state": "retrying", "error": "exit 1: no network", "took_ms": 5}
    fails = [task("t0", **state) for _ in range(3) for state in ({"state": "running"}, again)]  # type: ignore[arg-type]
    no = task("t0", "failed", error="human said no: too dear")
    async with beside("r", [*scenes.calm(), *team(3), *fails, no], size=WIDE) as (seat, _):
        await seat.sees("failed, 3 times  exit 1: no network", "you said no: too dear")
        assert seat.text.count("failed, 3 times") == 1


async def test_long_keys_that_differ_at_their_end_are_told_apart() -> None:
    names = [f"a-plan-with-a-long-name/part-of-the-page-{n}" for n in (1, 2)]
    tasks = told("lead", "run_tasks", 0, run="0123abcd", tasks=[{"key": name, "role": "worker"} for name in names])
    value = told("lead", "run_value", 0, run="0123abcd", key=f"{names[0]}/x1", revision=10**11, value=1)
    async with beside("r", [*scenes.calm(), *team(1), tasks, value], size=WIDE) as (seat, _):
        await seat.sees("part-of-the-page-1  pending", "part-of-the-page-2  pending", "-page-1/x1 r1…0 lead")


async def test_a_goal_of_pages_has_two_lines() -> None:
    scene = team(2)
    scene[0]["goal"] = "a long goal " * 100
    async with beside("r", [*scenes.calm(), *scene], size=WIDE) as (seat, _):
        await seat.sees("goal      a long", "0 of 2 done")
        lines = seat.lines
        assert lines.index(seat.line_with("tasks     0 of 2")) - lines.index(seat.line_with("goal      a long")) == 2


async def test_ids_with_strokes_can_be_selected() -> None:
    scene = [event | ({"run": "a/b"} if "run" in event else {}) for event in team(2)]
    async with beside("r", [*scenes.calm(), *scene], size=WIDE) as (seat, _):
        await choose(seat, row_key("a/b", "t1"))
        assert screen(seat).task_row is not None
        await choose(seat, "a/b")
        assert screen(seat).run_row is not None


async def test_a_reader_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> str:
        raise ValueError("Expecting value: line 1")

    async with beside("r", size=WIDE) as (seat, machine):
        monkeypatch.setattr(machine, "log_of_task", fail)
        await choose(seat, row_key(LOGIN, "plan/mail"))
        await seat.press("l")
        await seat.until(lambda: seat.screen == "ReadingScreen", "the log")
        await seat.sees("It cannot be read: ValueError: Expecting value: line 1")


async def test_without_any_it_is_said_how_to_begin() -> None:
    async with beside("r", scenes.calm()) as (seat, _):
        await seat.sees("No runs yet", "collab-tui run PIPELINE")
        await seat.press("enter", "c", "v")
        await seat.until(lambda: "No run is selected" in seat.toasts, "why not")


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


# Reading


async def test_v_goes_to_the_blackboard_and_enter_reads_the_whole_of_a_value() -> None:
    async with beside("r", size=(80, 24)) as (seat, _):
        await seat.press("v")
        await seat.sees("Blackboard", "draft", "# Sign in")
        assert "enter read" in seat.lines[-1]
        screen(seat).query_one(Blackboard).select("draft")
        await seat.press("enter")
        await seat.until(lambda: seat.screen == "ReadingScreen", "the value")
        await seat.sees("draft, revision 1, by documenter-1", "3. When a mail does not come")
        await seat.press("escape")
        await on_runs(seat)
        await seat.press("escape")
        await seat.sees("plan ━┳")
        assert seat.screen == "RunsScreen"


async def test_a_value_in_a_file_that_is_not_here_is_said_to_be_elsewhere() -> None:
    async with beside("r", size=WIDE) as (seat, _):
        await choose(seat, REVIEW)
        await seat.sees("report", "82 KiB")
        screen(seat).query_one(Blackboard).focus()
        screen(seat).query_one(Blackboard).select("report")
        await seat.press("enter")
        await seat.until(lambda: seat.screen == "ReadingScreen", "the value")
        await seat.sees_no("reading...")
        assert "Ten findings, one of them slow" not in seat.text


async def test_enter_on_a_task_reads_its_output() -> None:
    keep(f"logs/runs/{LOGIN}/plan-mail-2.log", "== prompt\nthe mail \x1b[2J with the link\n")
    async with beside("r", size=WIDE) as (seat, _):
        await choose(seat, row_key(LOGIN, "plan/mail"))
        await seat.press("enter")
        await seat.until(lambda: seat.screen == "ReadingScreen", "the log")
        await seat.sees("Output of plan/mail", "the mail ␛[2J with the link")


async def test_a_task_without_output_says_so() -> None:
    async with beside("r", size=WIDE) as (seat, _):
        await choose(seat, row_key(LOGIN, "validate"))
        await seat.press("l")
        await seat.until(lambda: "validate has no output yet" in seat.toasts, "why not")
        await choose(seat, LOGIN)
        await seat.press("l")
        await seat.until(lambda: "No task is selected" in seat.toasts, "why not")


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


# Answering


@pytest.mark.parametrize(("key", "verdict"), [("a", "approved"), ("x", "rejected")])
@pytest.mark.parametrize("row", [LOGIN, row_key(LOGIN, "migrate")])
async def test_what_a_run_asks_is_answered_from_here(key: str, verdict: str, row: str) -> None:
    async with beside("r", size=WIDE) as (seat, _):
        await choose(seat, row)
        items = screen(seat).items
        await seat.until(lambda: items.on_screen_for(row) >= SEEN_FOR, "time to look")
        await seat.press(key)
        await seat.until(lambda: len(seat.appended) == 1, "an answer")
        assert seat.appended[0]["verdict"] == verdict
        assert seat.appended[0]["request_id"] == "a99b0e0000000031"


async def test_enter_opens_the_whole_request() -> None:
    async with beside("r", size=WIDE) as (seat, _):
        await choose(seat, row_key(LOGIN, "migrate"))
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        await seat.sees("It changes the database of the stage.")


async def test_where_nothing_is_asked_the_keys_say_so() -> None:
    async with beside("r", size=WIDE) as (seat, _):
        await choose(seat, row_key(LOGIN, "plan/links"))
        await seat.press("a", "x", "o")
        await seat.until(lambda: seat.toasts.count("Nothing is asked of you there") == 3, "why not")
        await seat.wrote_nothing()


# Commands


async def test_cancelling_tells_what_ends_and_is_a_signed_command_to_its_carrier() -> None:
    async with beside("r", size=WIDE) as (seat, machine):
        await seat.press("c")
        await seat.dialog("ConfirmScreen")
        await seat.sees(
            "Cancel login-page?",
            "Ends now: plan/links (executor-1), plan/mail (validator-1)",
            "You are not asked any more about: migrate",
            "Never starts: 4 tasks",
            "what 4 of 11 tasks gave",
            "Keep it running",
        )
        await seat.press("enter")
        await on_runs(seat)
        await seat.wrote_nothing()
        await seat.press("c")
        await seat.dialog("ConfirmScreen")
        await seat.press("tab", "enter")
        (command_id,) = await gave(seat, command("cancel_run", LOGIN))
        assert machine.monitors == 1
        await seat.press("c", "tab", "enter")
        await seat.until(lambda: "It is on its way" in seat.toasts, "once")
        seat.write(result(command_id, "failed", reason="nobody has it"))
        await seat.until(lambda: "login-page: cancel run failed: nobody has it" in seat.toasts, "why it failed")


async def test_the_question_follows_the_run_and_is_not_asked_of_one_that_is_over() -> None:
    async with beside("r", size=WIDE) as (seat, _):
        await seat.press("c")
        await seat.dialog("ConfirmScreen")
        await seat.sees("Ends now: plan/links (executor-1), plan/mail (validator-1)")
        seat.write(told(f"executor-1-{LOGIN[:4]}", "run_task", 0, run=LOGIN, task="plan/links", state="done"))
        await seat.sees("Ends now: plan/mail (validator-1)", "what 5 of 11 tasks gave")
        seat.write(told(LEAD, "run_ended", 0, run=LOGIN, state="failed"))
        await on_runs(seat)
        await seat.until(lambda: "login-page is over: there is nothing to cancel" in seat.toasts, "why")
        await seat.wrote_nothing()


async def test_a_process_that_goes_while_a_dialog_is_open_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collab_tui.tui.screens.runs._LOOK_AT_PROCESSES", 0.05)
    async with beside("r", size=WIDE) as (seat, machine):
        await seat.press("c")
        await seat.dialog("ConfirmScreen")
        machine.gone.add(LOGIN)
        await on_runs(seat)
        await seat.sees("login-page  untended")
        await seat.press("n")
        await seat.dialog("StartRunScreen")
        machine.gone.clear()
        await seat.sees("1 of 3 running")


async def test_what_is_over_cannot_be_cancelled_and_what_is_done_cannot_be_resumed() -> None:
    async with beside("r", size=WIDE) as (seat, _):
        await choose(seat, REVIEW)
        await seat.press("c", "r")
        await seat.until(lambda: "nightly-review is done: n starts another" in seat.toasts, "why not")
        assert "nightly-review is over" in seat.toasts
        await choose(seat, LOGIN)
        await seat.press("r")
        await seat.until(lambda: "login-page runs" in seat.toasts, "why not")
        await seat.wrote_nothing()


async def test_resuming_tells_what_begins_anew() -> None:
    async with beside("r", size=WIDE) as (seat, _):
        await choose(seat, REFINE)
        await seat.press("r")
        await seat.dialog("ConfirmScreen")
        await seat.sees(
            "Go on with refine?",
            "Begins anew, or for the first time: better, print",
            "what 1 of 3 tasks gave",
            "Leave it",
        )
        await seat.press("tab", "enter")
        await gave(seat, command("resume_run", REFINE))


async def test_a_run_whose_process_is_gone_is_told_and_can_be_resumed() -> None:
    async with beside("r", size=WIDE) as (seat, machine):
        machine.gone.add(LOGIN)
        await seat.sees("login-page  untended", "its process is gone", "r goes on with it")
        await seat.sees("plan/links   was running", "plan/mail    was in review", "2 of 5 were at work", "min ago")
        assert "0 of 3 running" in seat.text
        assert "running for" not in seat.text
        await choose(seat, row_key(LOGIN, "plan/links"))
        await seat.sees("plan/links  ● was running", "work    executor-1     cut off")
        await seat.press("c")
        await seat.until(lambda: "The process of login-page is gone" in seat.toasts, "why not")
        await seat.press("r")
        await seat.dialog("ConfirmScreen")
        await seat.sees("Go on with login-page?", "Waits for your answer as before: migrate")
        assert "first time: migrate" not in seat.text


# The past


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


# On the board


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


# Starting

PIPELINE = """
name = "two"
{extra}
[policy]
on_error = "stop"

[agent.echo]
command = ["{{python}}", "-c", "print(1)"]

[role.worker]
agent = "echo"

[[task]]
key = "first"
role = "worker"

[[task]]
key = "second"
role = "worker"
needs = ["first"]
"""


async def start_dialog(seat: Seat, path: str, goal: str = "", variables: str = "") -> None:
    await seat.press("n")
    await seat.dialog("StartRunScreen")
    for selector, text in (("#path", path), ("#text", goal), ("#variables", variables)):
        await type_in(seat, selector, text)


async def type_in(seat: Seat, selector: str, text: str) -> None:
    seat.widget(selector).focus()
    await seat.pilot.press(*map(name_of, text))


def name_of(char: str) -> str:
    return {" ": "space", ".": "full_stop", "/": "slash", "=": "equals_sign", "-": "minus", "_": "underscore"}.get(
        char, char
    )


async def test_starting_shows_what_would_be_started_and_gives_just_that() -> None:
    keep("two.toml", PIPELINE.format(extra=""))
    async with beside("r", size=(120, 50)) as (seat, _):
        await start_dialog(seat, "two.toml", "a page")
        await seat.sees("step 1", "first", "step 2", "second")
        await seat.press("ctrl+s")
        await seat.until(lambda: len(seat.appended) == 1, "a command")
        (given,) = seat.appended
        assert (given["command_type"], given["target"]) == (
            "start_run",
            str(seat.path.absolute().with_name("two.toml")),
        )
        payload = given["payload"]
        assert payload["goal"] == "a page"
        assert payload["digest"] == read_pipeline(Path("two.toml"), {}, "a page").digest
        command_id = json.loads(seat.path.read_text(encoding="utf-8").splitlines()[-1])["id"]
        seat.write(result(command_id, "running"))
        await on_runs(seat)
        seat.write(*team(2, payload["run"]))
        await seat.until(lambda: screen(seat).items.selected == payload["run"], "the new run, selected")


async def test_a_pipeline_that_changed_or_was_not_looked_at_is_not_started() -> None:
    keep("two.toml", PIPELINE.format(extra=""))
    async with beside("r", size=(120, 50)) as (seat, _):
        await start_dialog(seat, "two.toml")
        await seat.sees("step 1")
        seat.widget("#text").focus()
        await seat.press("x", "ctrl+s")
        await seat.sees("Look first at what that would start")
        await seat.wrote_nothing()


async def test_what_is_wrong_with_a_pipeline_is_told_with_its_lines() -> None:
    keep("two.toml", PIPELINE.format(extra="colour = 1"))
    async with beside("r", size=(120, 50)) as (seat, _):
        await start_dialog(seat, "two.toml")
        await seat.sees("colour")
        await seat.press("ctrl+s")
        await seat.sees("It cannot start like that")
        await seat.press("escape")
        await on_runs(seat)
        await seat.press("n")
        await seat.sees("two.toml")  # what was typed is there again


async def test_variables_are_written_as_on_the_command_line() -> None:
    async with beside("r", size=(120, 50)) as (seat, _):
        await start_dialog(seat, "two.toml", "", "depth")
        await seat.sees("Variables: depth is no name=value")


async def test_what_is_typed_after_the_first_look_is_looked_at_and_started(monkeypatch: pytest.MonkeyPatch) -> None:
    keep("two.toml", PIPELINE.format(extra='[vars]\nname = "w"').replace("print(1)", "print('{name}')"))
    async with beside("r", size=(80, 24)) as (seat, _):
        await start_dialog(seat, "two.toml", "", "other=1 third=2 ")
        preview = seat.widget("#preview")
        assert isinstance(preview, Static)
        await seat.until(lambda: len(str(preview.content).splitlines()) == 2, "a line for each mistake")
        await seat.press("ctrl+s")
        await seat.sees("It cannot start like that")
        await seat.press("ctrl+u")
        await type_in(seat, "#variables", "name=x")
        await seat.sees("no goal yet")
        await seat.press("ctrl+s")
        await seat.sees("Give it a goal first")
        monkeypatch.setattr("collab_tui.tui.screens.start_run._RESTS_FOR", 600)
        await type_in(seat, "#text", "a page")
        await seat.press("ctrl+s")
        await seat.sees("Look first")
        await seat.sees("two: a page")
        assert seat.widget("#body").region.bottom - preview.region.y >= 5
        await seat.press("ctrl+s")
        await seat.until(lambda: len(seat.appended) == 1, "a command")
        payload = seat.appended[0]["payload"]
        assert (payload["goal"], payload["variables"]) == ("a page", '{"name": "x"}')
