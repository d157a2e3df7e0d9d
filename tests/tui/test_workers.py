"""The workers screen: sources, queue, what runs, what was decided and done, and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from collab_tui.model.summary import Span
from collab_tui.monitor.watching import Watch, own_carrier
from collab_tui.tui.actions import SEEN_FOR
from collab_tui.tui.widgets.text_lines import broken
from tests.tui import scenes
from tests.tui.atlas import Atlas, beside, choose, sample
from tests.tui.scenes import told
from tests.tui.seat import NAME, WIDE, Seat, replaying, sitting


@pytest.fixture(autouse=True)
def _atlas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collab_tui.tui.machine.Machine", Atlas)


def rows(seat: Seat) -> list[str]:
    """The lines of the list, without what stands beside it."""
    return [text[1:79].strip() for text in seat.lines]


async def test_sources_queue_and_workers_stand_in_groups_with_their_reasons() -> None:
    async with beside("w", size=WIDE) as (seat, _):
        await seat.sees("Executions")
        shown = rows(seat)
        groups = ["Waits for you", "Sources", "Running", "Queue", "Decisions", "Executions"]
        places = [shown.index(group) for group in groups]
        assert places == sorted(places)
        for text in (
            "connected   2 events",
            "! archive           stopped",
            "401 Unauthorized: it said that nobody is to try again",
            "! mirror            retrying",
            "connection refused; again in 12 s",
            "▲ PAY-130           asked",
            "● APP-52            running   high",
            "✖ OPS-7             failed",
            "it did not end within 5 min",
            "■ OPS-9             refused",
            "the event asks for a tool that no event may name",
            "✔ PAY-118           done",
            "PAY-121 needs the receipts and nothing else does",
            "took 69 s",
            "mails carry the receipt; 14 tests, one commit",
        ):
            assert any(text in line for line in shown), text


async def test_the_most_urgent_is_the_next_of_the_queue() -> None:
    async with beside("w", size=WIDE) as (seat, _):
        await seat.sees("Queue")
        shown = rows(seat)
        first, second = (next(n for n, line in enumerate(shown) if task in line) for task in ("OPS-11", "DOC-4"))
        assert first < second


@pytest.mark.parametrize("key", ["worker:e2a0000000000001", "worker:d1a0000000000001"])
async def test_the_chain_goes_from_the_event_to_the_execution(key: str) -> None:
    async with beside("w", size=WIDE) as (seat, _):
        await choose(seat, key)
        await seat.sees(
            "event      hub: PAY-118",
            "decision   ✔ done  PAY-118",
            "request    approved by human  Start a worker on PAY-121",
            "execution  ✔ done  PAY-121  took 15 min",
            "mails carry the receipt",
            "pay-121",
        )


async def test_what_a_decision_found_is_told() -> None:
    async with beside("w", size=WIDE) as (seat, _):
        await choose(seat, "worker:d1a0000000000001")
        await seat.sees("next     PAY-121, high, needs the receipts", "next     PAY-130, the receipts show")


async def test_a_source_tells_what_its_events_started() -> None:
    async with beside("w", size=WIDE) as (seat, _):
        await choose(seat, "stream:mirror")
        await seat.sees("mirror  retrying for 1 min, 1 event", "its events started")
        assert "OPS-7" in seat.lines[seat.lines.index(seat.line_with("its events started")) + 1][80:]


async def test_what_a_monitor_told_that_is_gone_is_not_shown_as_so(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = dict.fromkeys(("5d0c6a1e9f42",), Watch.GONE)
    monkeypatch.setattr(Atlas, "watch_monitors", lambda _, monitors: {one: gone.get(one) for one in monitors})
    async with beside("w", size=WIDE) as (seat, _):
        await seat.sees("APP-52            untended  high")
        shown = rows(seat)
        assert any("hub" in line and "untended" in line for line in shown)
        assert any("archive" in line and "stopped" in line for line in shown)
        assert any("OPS-11" in line and "queued" in line for line in shown)


@pytest.mark.parametrize("size", [WIDE, (80, 24), (60, 40)])
async def test_that_no_monitor_acts_stands_in_the_head_line_of_every_screen_until_one_does(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    acting: list[object] = []
    monkeypatch.setattr("collab_tui.monitor.watching.who_acts", lambda folder: acting[0] if acting else None)
    ours = {"monitor": own_carrier(NAME).monitor}
    scene = [*scenes.calm(), told("monitor", "stream_state", 1, stream="hub", state="connected", **ours)]
    async with sitting(scene, size=size) as seat:
        await seat.until(lambda: "no monitor" in seat.lines[0], "no monitor in the head line")
        await seat.press("w")
        await seat.until(lambda: "Sources" in seat.text and "no monitor" in seat.lines[0], "the same beside")
        acting.append(object())
        await seat.until(lambda: "no monitor" not in seat.lines[0], "a monitor")


async def test_what_waits_for_the_person_is_answered_from_here() -> None:
    async with beside("w") as (seat, _):
        await choose(seat, "worker:e2a0000000000002")
        await seat.press("o")
        await seat.dialog("RequestScreen")
        await seat.sees("Start a worker on PAY-130")
        await seat.press("x")
        await seat.until(lambda: len(seat.appended) == 1, "an answer")
        assert seat.appended[0]["verdict"] == "rejected"


async def test_a_approves_the_selected_one_which_then_waits_for_a_monitor() -> None:
    async with beside("w", size=WIDE) as (seat, _):
        await choose(seat, "worker:e2a0000000000002")
        rows_of = seat.app.screen.items
        await seat.until(lambda: rows_of.on_screen_for("worker:e2a0000000000002") >= SEEN_FOR, "time to look")
        await seat.press("a")
        await seat.until(lambda: len(seat.appended) == 1, "an answer")
        assert seat.appended[0]["verdict"] == "approved"
        await seat.sees("Answered, and waits for a monitor", "◌ PAY-130           approved")
        assert "asked" not in seat.line_with("Workers")
        seat.app.clear_notifications()
        await seat.press("a")
        await seat.until(lambda: "Nothing is asked of you there" in seat.toasts, "why not")
        assert len(seat.appended) == 1


async def test_what_was_approved_is_untended_without_its_monitor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Atlas, "watch_monitors", lambda _, monitors: dict.fromkeys(monitors, Watch.GONE))
    async with beside("w", size=WIDE) as (seat, _):
        seat.decide_elsewhere(scenes.decides("human", "a99b0e0000000003", "approved"))
        await seat.sees("Answered, and waits for a monitor", "PAY-130           untended")


@pytest.fixture
def log() -> Path:
    path = Path("logs/executions/20261120-134210-pay-121-e2a0000000000001.log")
    path.parent.mkdir(parents=True)
    lines = [f"line {number} of what it said" for number in range(300)]
    path.write_text(
        "\n".join(["== prompt  2026-11-20", "mail \x1b[2Jthe receipts", "so " * 40 + "the end of a long line", *lines]),
        encoding="utf-8",
    )
    return path


@pytest.mark.usefixtures("log")
async def test_its_log_is_shown_and_scrolls_and_steers_nothing() -> None:
    async with beside("w", size=(80, 24)) as (seat, _):
        await choose(seat, "worker:e2a0000000000001")
        await seat.press("enter")
        await seat.until(lambda: seat.screen == "ReadingScreen", "the log")
        assert "sideways" not in seat.text
        await seat.sees(
            "Log of PAY-121", "the end of a long line", "== prompt", "mail ␛[2Jthe receipts", "line 3 of what it said"
        )
        await seat.press("end")
        await seat.sees("line 299 of what it said")
        await seat.press("home")
        await seat.sees("== prompt")
        await seat.press("escape")
        await seat.until(lambda: seat.screen == "WorkersScreen", "the workers")


async def test_a_log_that_is_not_here_is_said_to_be_elsewhere() -> None:
    async with beside("w", size=(80, 24)) as (seat, _):
        await choose(seat, "worker:d1a0000000000001")
        await seat.press("enter")
        await seat.sees("its log is not here")


async def test_a_line_cannot_have_another_file_shown() -> None:
    secret = told(
        "monitor", "worker", 1, worker="w1", kind="execution", state="done", task="T", log="../registry.jsonl"
    )
    async with beside("w", [*scenes.calm(), secret]) as (seat, _):
        await choose(seat, "worker:w1")
        await seat.press("enter")
        await seat.sees("its log is not here")


async def test_without_any_it_is_said_how_to_begin() -> None:
    async with beside("w", scenes.calm()) as (seat, _):
        await seat.sees("No stream of events, and no workers.", "[[stream]]")
        await seat.press("enter", "o")
        assert seat.screen == "WorkersScreen"


async def test_s_goes_to_the_session_of_the_selected_worker() -> None:
    start = told("pay-121", "session_start", 1, run="p" * 16, host="atlas", definition="claude", driver="claude")
    async with beside("w", [*sample(), start]) as (seat, _):
        await choose(seat, "worker:e2a0000000000001")
        await seat.press("s")
        await seat.until(lambda: seat.screen == "SessionsScreen" and seat.app.screen.items.selected == "pay-121", "it")


async def test_only_what_can_be_answered_waits_for_the_person() -> None:
    odd = told("monitor", "worker", 1, worker="w9", kind="execution", state="asked", task="ODD-1", request="none")
    async with beside("w", [*sample(), odd], size=WIDE) as (seat, _):
        await seat.sees("Executions")
        shown = rows(seat)
        waits, sources, others = (
            shown.index(t) for t in ("Waits for you", "Sources", "Told as asked, with nothing to answer")
        )
        places = {task: next(n for n, line in enumerate(shown) if task in line) for task in ("PAY-130", "ODD-1")}
        assert waits < places["PAY-130"] < sources < others < places["ODD-1"]


async def test_a_long_chain_is_broken_and_the_next_one_is_seen_from_its_beginning() -> None:
    why = "because " + " ".join(f"word{number}" for number in range(150)) + " at last"
    many = [
        told("monitor", "worker", 1, worker=f"w{n}", kind="decision", state="done", task=f"T-{n}", why=why)
        for n in range(2)
    ]
    async with beside("w", [*scenes.calm(), *many], size=(120, 40)) as (seat, _):
        await choose(seat, "worker:w0")
        await seat.sees("by hand    T-0", "word0 ")
        side = seat.widget("#chain")
        assert side.max_scroll_x == 0
        side.focus()
        await seat.press("end")
        await seat.sees("at last")
        await choose(seat, "worker:w1")
        await seat.sees("by hand    T-1")


@given(
    st.lists(st.tuples(st.text("ab 漢e\u0301", max_size=30), st.sampled_from(["muted", "text"])), max_size=5),
    st.integers(8, 30),
)
def test_a_broken_line_fits_and_keeps_every_letter(spans: list[tuple[str, str]], width: int) -> None:
    parts = list(broken(tuple(Span(*span) for span in spans), width))
    assert all(cell_len("".join(span.text for span in part).rstrip()) <= width for part in parts)
    told = "".join(span.text for part in parts for span in part)
    assert "".join(told.split()) == "".join("".join(text for text, _ in spans).split())


@pytest.mark.parametrize(
    ("size", "words"), [((160, 48), "1 stream stopped · 1 stream retrying"), ((80, 24), "!2 streams")]
)
async def test_trouble_of_a_stream_stands_in_the_header_of_the_board(size: tuple[int, int], words: str) -> None:
    async with sitting(sample(), size=size) as seat:
        assert words in seat.lines[0]
        seat.write(told("monitor", "stream_state", 0, stream="mirror", state="connected"))
        seat.write(told("monitor", "stream_state", 0, stream="archive", state="connected"))
        await seat.until(lambda: "stream" not in seat.lines[0], "no trouble")


async def test_it_follows_the_registry() -> None:
    async with beside("w", size=WIDE) as (seat, _):
        seat.write(
            told("monitor", "worker", 0, worker="d1a0000000000005", kind="decision", state="failed", task="APP-52")
        )
        await seat.until(lambda: "failed" in seat.line_with(" APP-52 "), "a failed worker")


async def test_the_past_shows_what_stood_in_the_registry() -> None:
    async with replaying(sample(), "34") as seat:
        await seat.press("w")
        await seat.until(lambda: seat.screen == "WorkersScreen", "the workers")
        await seat.sees("event 34 of", "PAY-118")
        assert "OPS-11" not in seat.text
        await seat.press("end")
        await seat.sees("OPS-11")
        await seat.press("escape")
        await seat.closed()
        assert seat.past is not None


async def test_one_that_waits_for_the_person_has_no_log_yet_and_that_is_said() -> None:
    async with beside("w", size=(80, 24)) as (seat, _):
        await choose(seat, "worker:e2a0000000000002")
        await seat.press("enter")
        await seat.sees("it was not started, and waits for your answer")
