"""What the person does with runs: answer what they ask, cancel one, go on with one."""

from __future__ import annotations

import pytest

from collab_tui.tui.actions import SEEN_FOR
from collab_tui.tui.widgets.runs import row_key
from tests.tui.atlas import beside, choose
from tests.tui.giving import command, gave, result
from tests.tui.run_scenes import LEAD, LOGIN, REFINE, REVIEW, on_runs, screen
from tests.tui.scenes import told
from tests.tui.seat import WIDE

pytestmark = pytest.mark.usefixtures("atlas")


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
    monkeypatch.setattr("collab_tui.tui.app._TICK", 0.05)
    async with beside("r", size=WIDE) as (seat, machine):
        await seat.press("c")
        await seat.dialog("ConfirmScreen")
        machine.gone.add(LOGIN)
        await on_runs(seat)
        await seat.sees("⋯ gone")
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


async def test_a_run_whose_process_is_gone_is_told_and_can_be_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collab_tui.tui.app._TICK", 0.05)
    async with beside("r", size=WIDE) as (seat, machine):
        machine.gone.add(LOGIN)
        await seat.sees("⋯ gone", "its process is gone", "r goes on with it")
        await seat.sees("plan/links   was running", "plan/mail    was in review", "2 of 5 were at work", "min ago")
        assert "0 of 3 running" in seat.text
        assert "running for" not in seat.text
        await choose(seat, row_key(LOGIN, "plan/links"))
        await seat.sees("plan/links  ⋯ was running", "work    executor-1     cut off")
        await seat.press("c")
        await seat.until(lambda: "The process of login-page is gone" in seat.toasts, "why not")
        await seat.press("r")
        await seat.dialog("ConfirmScreen")
        await seat.sees("Go on with login-page?", "Waits for your answer as before: migrate")
        assert "first time: migrate" not in seat.text
