"""What there is to know of a run: its graph, seats, blackboard, what went wrong, how long it took."""

from __future__ import annotations

import pytest

from collab_tui.tui.widgets.blackboard import Blackboard
from collab_tui.tui.widgets.runs import row_key
from tests.tui import scenes
from tests.tui.atlas import beside, choose
from tests.tui.run_scenes import LOGIN, REVIEW, keep, on_runs, screen, task, team
from tests.tui.scenes import told
from tests.tui.seat import WIDE

pytestmark = pytest.mark.usefixtures("atlas")


async def test_the_graph_the_seats_what_went_wrong_and_the_figures_stand_beside_it() -> None:
    async with beside("r", size=WIDE) as (seat, _):
        await seat.sees(
            "✔ plan ━┱ ✔ draft",
            "● links r2 ━━ · limits ━┿ · validate",
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


async def test_nothing_goes_on_in_a_run_whose_process_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its figures and the ages of its tasks stay what they were when it was told of last."""
    monkeypatch.setattr("collab_tui.tui.app._TICK", 0.05)
    run = [*team(2), task("t0", "running")]
    run[2]["timestamp"] = run[0]["timestamp"]
    async with beside("r", [*scenes.calm(), *run], size=WIDE) as (seat, machine):
        await seat.sees("⋯ silent 9 min", "nothing was heard of it for 9 min", "wall      9.0 min")
        machine.gone.add("0123abcd")
        await seat.sees("ran 0 ms, 9 min ago", "t0 0 s", "1 of 1 were at work", "1 was running")
        await seat.sees("⋯ t0 ── · t1", "its process is gone: r goes on with it")
        assert "wall      9" not in seat.text


async def test_of_a_long_run_that_was_cancelled_the_graph_shows_where_it_stopped() -> None:
    tasks = [{"key": f"t{n}", "role": "worker", "needs": [f"t{n - 1}"] if n else []} for n in range(40)]
    scene = [team(0)[0], told("lead", "run_tasks", 0, run="0123abcd", tasks=tasks)]
    scene += [task(f"t{n}", state) for n in range(20) for state in ("running", "done")]
    scene += [told("lead", "run_task", 0, run="0123abcd", task=f"t{n}", state="cancelled") for n in range(20, 40)]
    end = told("lead", "run_ended", 0, run="0123abcd", state="cancelled", reason="you cancelled it")
    async with beside("r", [*scene, end], size=WIDE) as (seat, _):
        await seat.sees("✔ t19 ── ∅ t20", "steps 20 to")


async def test_of_what_sits_in_a_pool_beginning_and_end_are_told() -> None:
    scene = team(2)
    scene[0]["pools"][0]["agent"] = "python " + "/a/long/way" * 9 + "/count.py executor"
    async with beside("r", [*scenes.calm(), *scene], size=WIDE) as (seat, _):
        await seat.sees("0 of 1  python /a/long", "/count.py executor")


async def test_a_task_of_nobody_waits_for_a_yes_alone() -> None:
    yes = {"key": "yes", "approval": True}
    tasks = told("lead", "run_tasks", 0, run="0123abcd", tasks=[yes, yes | {"key": "no", "role": "worker"}])
    async with beside("r", [*team(1), tasks], size=WIDE) as (seat, _):
        await choose(seat, row_key("0123abcd", "yes"))
        await seat.sees("nobody: your yes is all that it needs")
        assert "approval" not in seat.text
        await choose(seat, row_key("0123abcd", "no"))
        await seat.sees("approval  you are asked before it starts")


async def test_what_went_wrong_alike_is_told_once_and_with_you_for_the_person() -> None:
    again = {"state": "retrying", "error": "exit 1: no network", "took_ms": 5}
    fails = [task("t0", **state) for _ in range(3) for state in ({"state": "running"}, again)]  # type: ignore[arg-type]
    no = task("t0", "failed", error="human said no: too dear")
    async with beside("r", [*scenes.calm(), *team(3), *fails, no], size=WIDE) as (seat, _):
        await seat.sees("failed, 3 times  exit 1: no network", "you said no: too dear")
        assert seat.text.count("failed, 3 times") == 1


async def test_a_goal_of_pages_has_two_lines() -> None:
    scene = team(2)
    scene[0]["goal"] = "a long goal " * 100
    async with beside("r", [*scenes.calm(), *scene], size=WIDE) as (seat, _):
        await seat.sees("goal      a long", "0 of 2 done")
        lines = seat.lines
        assert lines.index(seat.line_with("tasks     0 of 2")) - lines.index(seat.line_with("goal      a long")) == 2


async def test_a_reader_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> str:
        raise ValueError("Expecting value: line 1")

    async with beside("r", size=WIDE) as (seat, machine):
        monkeypatch.setattr(machine, "log_of_task", fail)
        await choose(seat, row_key(LOGIN, "plan/mail"))
        await seat.press("l")
        await seat.until(lambda: seat.screen == "ReadingScreen", "the log")
        await seat.sees("It cannot be read: ValueError: Expecting value: line 1")


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
        await seat.sees("plan ━┱")
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
