"""Going about the board: needs, panes, order, freezing, themes, the palette, leaving."""

from __future__ import annotations

import pytest

from collab_tui.tui.actions import ACTIONS, Page, Where, actions_of
from tests.tui import scenes
from tests.tui.scenes import told, updates
from tests.tui.seat import sitting

ATTENTION = [
    ("needs", "go-canary"),
    ("needs", "tagger"),
    ("needs", "title"),
    ("waits", "blocker:no credentials for staging"),
    ("waits", "blocker:quota of the build cache"),
    ("agents", "gitcode"),
]
"""The order of need in the good day: requests, most agents held up first; blockers; silent agents."""


@pytest.mark.parametrize("size", [(160, 48), (60, 40), (80, 24)])
async def test_n_goes_through_everything_that_needs_attention(size: tuple[int, int]) -> None:
    async with sitting(scenes.good_day(), size=size) as seat:
        await seat.go("log")
        for place in [*ATTENTION, ATTENTION[0]]:
            await seat.press("n")
            assert (seat.pane, seat.selected) == place
        for place in [*reversed(ATTENTION), ATTENTION[-1]]:
            await seat.press("N")
            assert (seat.pane, seat.selected) == place


async def test_deadlocks_come_first() -> None:
    async with sitting(scenes.deadlock()) as seat:
        await seat.go("log")
        await seat.press("n")
        assert (seat.pane, seat.selected) == ("needs", seat.list_of("needs").keys[0])
        assert (seat.selected or "").startswith("deadlock:")


async def test_n_has_nowhere_to_go() -> None:
    async with sitting([updates("sena", status="idle")]) as seat:
        await seat.press("n", "N")
        assert "next" not in seat.lines[-1]


@pytest.mark.parametrize(
    ("size", "order"),
    [((160, 48), ["agents", "needs", "waits", "log"]), ((60, 40), ["needs", "agents", "waits", "log"])],
)
async def test_tab_goes_from_pane_to_pane(size: tuple[int, int], order: list[str]) -> None:
    async with sitting(scenes.good_day(), size=size) as seat:
        await seat.go(order[0])
        for pane in [*order[1:], order[0]]:
            await seat.press("tab")
            assert seat.pane == pane
        for pane in [*reversed(order[1:]), order[0]]:
            await seat.press("shift+tab")
            assert seat.pane == pane


async def test_arrows_home_and_end_move_in_a_list() -> None:
    async with sitting(scenes.good_day()) as seat:
        keys = ["go-canary", "tagger", "title", "metrics-v2"]
        await seat.go("needs", "go-canary")
        for key, selected in [
            ("down", 1),
            ("j", 2),
            ("down", 3),
            ("down", 3),
            ("up", 2),
            ("k", 1),
            ("end", 3),
            ("home", 0),
        ]:
            await seat.press(key)
            assert seat.selected == keys[selected]


async def test_o_orders_the_agents() -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.go("agents", "lubit")
        for order, first in (("name", "gitcode"), ("activity", "sena"), ("need", "gitcode")):
            await seat.press("o")
            await seat.sees(f"5 by {order}")
            assert seat.list_of("agents").keys[0] == first
            assert seat.selected == "lubit"
        assert seat.list_of("agents").keys == ["gitcode", "sena", "하나", "lubit", "maestro"]


async def test_space_freezes_the_picture_while_events_are_counted() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.press("space")
        await seat.sees("frozen, 0 new")
        seat.write(updates("sena", status="failed"), updates("orion", status="idle"))
        await seat.sees("frozen, 2 new")
        assert "orion" not in seat.text
        assert "failed" not in seat.text
        await seat.press("space")
        await seat.sees("live", "orion", "✖ sena", "3 agents")
        seat.write(updates("vega", status="idle"))
        await seat.sees("vega", "4 agents")


async def test_a_replaced_registry_ends_the_freeze() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.press("space")
        await seat.sees("frozen, 0 new")
        seat.path.with_suffix(".new").write_text(scenes.line(updates("orion", status="idle")), encoding="utf-8")
        seat.path.with_suffix(".new").replace(seat.path)
        await seat.sees("orion", "live")
        await seat.sees_no("frozen", "GO for the canary?")
        assert "The registry was replaced" in seat.toasts


async def test_question_mark_lists_every_key() -> None:
    async with sitting(scenes.calm(), size=(160, 90)) as seat:
        await seat.press("question_mark")
        await seat.dialog("KeysScreen")
        for action in actions_of(Page.BOARD):
            assert any(action.key_text in line and action.title in line for line in seat.lines), action.id
        await seat.press("escape")
        await seat.closed()


async def test_ctrl_t_changes_the_theme_at_once() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.press("ctrl+t")
        await seat.dialog("CommandPalette")
        await seat.type("collab-light")
        await seat.sees("collab-light")
        await seat.until(lambda: seat.app.screen.query_one("OptionList").option_count, "a theme to choose")
        await seat.press("enter")
        await seat.until(lambda: seat.app.theme == "collab-light", "the light theme")
        await seat.closed()
        await seat.sees("GO for the canary?")


async def test_the_palette_lists_the_actions_that_work_now() -> None:
    async with sitting(scenes.calm(), size=(120, 80)) as seat:
        shown = {command.title for command in seat.app.get_system_commands(seat.board)}
        present = {action.title for action in actions_of(Page.BOARD) if action.where is not Where.PAST}
        works = present - {BY_TITLE[name] for name in ("choose", "unblock", "usual")}
        assert works - {BY_TITLE["themes"]} <= shown
        assert not shown & {action.title for action in ACTIONS if action.where is Where.PAST}
        assert BY_TITLE["unblock"] not in shown
        await seat.press("ctrl+p")
        await seat.dialog("CommandPalette")
        await seat.sees("Approve the selected request", "Send a message to an agent", "Choose a theme")


async def test_the_palette_runs_an_action() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.looked()
        await seat.press("ctrl+p")
        await seat.dialog("CommandPalette")
        await seat.type("approve the sel")
        await seat.until(lambda: seat.app.screen.query_one("OptionList").option_count == 1, "one command")
        await seat.press("enter")
        await seat.closed()
        await seat.wrote({"agent": "human", "event": "decision", "request_id": "go", "verdict": "approved"})


BY_TITLE = {action.id: action.title for action in ACTIONS}


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_q_leaves(key: str) -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.press(key)
        await seat.until(lambda: seat.app._exit, "the end")


async def test_every_action_has_its_method_and_its_key() -> None:
    async with sitting(scenes.calm()) as seat:
        bound = {binding.action.partition("(")[0] for _, binding in seat.board._bindings}
        for action in actions_of(Page.BOARD):
            if action.id != "usual":  # the log's own
                assert callable(getattr(seat.board, f"action_{action.id}"))
                assert action.id in bound


async def test_a_session_that_declares_nothing_shows_what_is_seen_of_it() -> None:
    start = told("nova", "session_start", 3, run="n" * 16, host="atlas", definition="claude", driver="claude")
    seen = told("monitor", "session_observed", 2, target="nova", run="n" * 16, observed="working")
    async with sitting([*scenes.calm(), start, seen]) as seat:
        assert "working, seen" in seat.line_with(" nova ")
        seat.write(updates("nova", status="waiting"))
        await seat.until(lambda: "waiting" in seat.line_with(" nova "), "what it declares")
        assert "seen" not in seat.line_with(" nova ")


async def test_workers_that_are_gone_are_no_agents_and_the_monitor_has_not_to_move() -> None:
    run = {"run": "w" * 16, "host": "atlas", "definition": "judge", "driver": "command"}
    ask = {"id": "start", "request": "Start a worker?", "request_type": "approval", "target_agent": "human"}
    scene = [
        *scenes.calm(),
        told("decide-1", "session_start", 9, **run, worker="d1"),
        told("monitor", "decision_request", 8, **ask),
    ]
    async with sitting(scene) as seat:
        assert "decide-1" in seat.list_of("agents").keys
        seat.write(told("decide-1", "session_end", 0, run="w" * 16))
        await seat.until(lambda: "decide-1" not in seat.list_of("agents").keys, "no worker that is gone")
        seat.decide_elsewhere(told("human", "decision", 0, request_id="start", verdict="approved"))
        await seat.until(lambda: "start" not in seat.list_of("needs").keys, "an answer")
        assert "not yet moving" not in seat.text
