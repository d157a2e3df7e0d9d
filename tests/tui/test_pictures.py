"""Pictures of every screen at three sizes. A docstring says what one should see when a picture has changed.

`.venv/bin/python -m pytest tests/tui/test_pictures.py --snapshot-update` accepts the new ones; a failed run writes
`snapshot_report.html`, which shows both side by side.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from textual.pilot import Pilot

from collab_tui.config import Config
from collab_tui.tui.app import BoardApp
from tests.signing import OTHER_KEY, signed
from tests.tui import scenes
from tests.tui.scenes import NOW, Event
from tests.tui.seat import NAME, WIDE, Seat, write
from tests.tui.sizes import SIZES, Looks, Size, Steps


@pytest.fixture
def looks(snap_compare: Any) -> Looks:
    """Whether a scene looks as it did, after some steps."""

    def compare(
        scene: Iterable[Event | str | bytes] | None, size: Size, steps: Steps | None = None, **settings: Any
    ) -> bool:
        lines = list(scene or ())
        if scene is not None:
            write(lines)
        app = BoardApp(NAME, Config(**settings), clock=lambda: NOW)
        app.animation_level = "none"

        async def before(pilot: Pilot[None]) -> None:
            seat = Seat(app, pilot, NAME)
            await seat.until(lambda: app.live is not None, "a first look")
            await seat.read(len(lines))
            if steps is not None:
                await steps(seat)
            await pilot.pause()

        return bool(snap_compare(app, terminal_size=size, run_before=before))

    return compare


def pressing(pane: str, key: str | None, press: str, kind: str) -> Steps:
    """Go to a row, press a key, and wait for the dialog."""

    async def steps(seat: Seat) -> None:
        await (seat.go(pane, key) if pane == "log" else seat.go_and_look(pane, key))
        if pane == "needs":
            await seat.looked()
        await seat.press(press)
        await seat.dialog(kind)
        await seat.sees_no("reading the lines...", "folding...", "looking...")

    return steps


@SIZES
def test_board(looks: Looks, size: Size) -> None:
    """A good day: gitcode first, blocked and silent; three needs and, dimmed, what sena asks of lubit; the log's end.

    Wide: two columns, waits and log below. 60x40: one column, needs on top. 80x24: tabs, the needs alone.
    """
    assert looks(scenes.good_day(), size)


@SIZES
def test_deadlock(looks: Looks, size: Size) -> None:
    """The deadlock of three agents in red in the needs and on top of the waits, with the keys that break it."""
    assert looks(scenes.deadlock(), size)


@pytest.mark.parametrize("pane", ["agents", "waits", "log"])
def test_tabs(looks: Looks, pane: str) -> None:
    """80x24: one pane fills the screen, its tab is in brackets and every tab has a count."""
    assert looks(scenes.good_day(), (80, 24), lambda seat: seat.go(pane))


@SIZES
def test_two_hundred_agents(looks: Looks, size: Size) -> None:
    """One line an agent: glyph, name, word, per cent, what matters most. The seven that asks is first."""
    assert looks(scenes.many(), size)


@SIZES
def test_missing(looks: Looks, size: Size) -> None:
    """No registry: that it is waited for, the path, and the commands to begin with."""
    assert looks(None, size)


@SIZES
def test_empty(looks: Looks, size: Size) -> None:
    """An empty registry: that it is empty, not missing; the header says live."""
    assert looks([], size)


def test_unreadable(looks: Looks) -> None:
    """A folder in place of the registry: that it cannot be read, why, and what to do."""
    NAME.mkdir()
    assert looks(None, WIDE)


def test_deleted(looks: Looks) -> None:
    """The board as it was last, below a banner that says that the registry is gone."""

    async def steps(seat: Seat) -> None:
        NAME.unlink()
        await seat.sees("The registry is gone")

    assert looks(scenes.good_day(), WIDE, steps)


@SIZES
def test_request(looks: Looks, size: Size) -> None:
    """The approval whole: who, since when, who is held up, deadline; the asker's words and evidence in a frame of their
    own; a box for a comment; three buttons; the keys.
    """
    assert looks(scenes.good_day(), size, pressing("needs", "go-canary", "enter", "RequestScreen"))


@SIZES
def test_choice(looks: Looks, size: Size) -> None:
    """The three options with their numbers, Korean among them, below the asker's words."""
    assert looks(scenes.good_day(), size, pressing("needs", "tagger", "enter", "RequestScreen"))


@SIZES
def test_question(looks: Looks, size: Size) -> None:
    """The cursor in the box for the answer; Cancel and Send."""
    assert looks(scenes.good_day(), size, pressing("needs", "title", "enter", "RequestScreen"))


@SIZES
def test_confirmation(looks: Looks, size: Size) -> None:
    """A critical request asks once more; Cancel has the focus."""
    assert looks(scenes.critical(), size, pressing("needs", "wipe", "a", "ConfirmScreen"))


@SIZES
def test_choosing_a_blocker(looks: Looks, size: Size) -> None:
    """Both blockers of gitcode, the first one chosen."""
    assert looks(scenes.good_day(), size, pressing("agents", "gitcode", "u", "ChooseScreen"))


@SIZES
def test_message(looks: Looks, size: Size) -> None:
    """A message to lubit, the cursor in the box."""
    assert looks(scenes.good_day(), size, pressing("agents", "lubit", "m", "MessageScreen"))


@SIZES
def test_decision(looks: Looks, size: Size) -> None:
    """A decision for lubit that nobody asked for: about, decision, words."""
    assert looks(scenes.good_day(), size, pressing("agents", "lubit", "d", "DecideScreen"))


@SIZES
def test_event(looks: Looks, size: Size) -> None:
    """The last line of the log: its fields, that progress went from 40 to 72, the line as written."""
    assert looks(scenes.good_day(), size, pressing("log", None, "enter", "EventScreen"))


@SIZES
def test_explanation(looks: Looks, size: Size) -> None:
    """Every value of gitcode with line, writer, age and rule."""
    assert looks(scenes.good_day(), size, pressing("agents", "gitcode", "e", "ExplainScreen"))


@SIZES
def test_keys(looks: Looks, size: Size) -> None:
    """Every key with what it does, in groups."""
    assert looks(scenes.good_day(), size, pressing("agents", None, "question_mark", "KeysScreen"))


@SIZES
def test_filter(looks: Looks, size: Size) -> None:
    """Only sena's lines, the count in the frame of the log, the words in a box below."""

    async def steps(seat: Seat) -> None:
        await seat.press("slash")
        await seat.type("agent:sena")
        await seat.until(lambda: seat.log.rows == 5, "five lines")

    assert looks(scenes.good_day(), size, steps)


def test_answered(looks: Looks) -> None:
    """The selected request stays in its place and says in green that it was approved, with the next one's key."""

    async def steps(seat: Seat) -> None:
        await seat.go("needs", "go-canary")
        seat.decide_elsewhere(scenes.decides("human", "go-canary", "approved"))
        await seat.sees("✔ approved by human")

    assert looks(scenes.good_day(), WIDE, steps)


@SIZES
def test_first_key(looks: Looks, size: Size, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over the board, what signing is for, and where the key will lie; one key makes it, another sends nothing."""
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: "/home/hana/.config/collab-tui")
    assert looks(scenes.calm(), size, pressing("needs", "go", "a", "KeyScreen"))


@SIZES
def test_claimed(looks: Looks, size: Size) -> None:
    """Sena's choice was answered in your name, not signed: it still waits, with a warning. The log tells your signed
    approval from that claim, from one with a bad signature and one with an unknown key.
    """

    async def steps(seat: Seat) -> None:
        seat.decide_elsewhere(scenes.decides("human", "go-canary", "approved", comment="go on"))
        known = seat.path.read_bytes()
        claim = scenes.told("human", "decision", request_id="tagger", answer="both", comment="written by a model")
        changed = signed(scenes.decides("human", "metrics-v2", "rejected"), known) | {"verdict": "approved"}
        strange = signed(scenes.decides("human", "metrics-v2", "approved"), known, OTHER_KEY)
        seat.write(claim, changed, strange)
        await seat.go("needs", "tagger")
        await seat.sees("answered in your name, not signed: both")

    assert looks(scenes.good_day(), size, steps)


def test_frozen(looks: Looks) -> None:
    """The header says frozen and counts two new events; none of them is on the board."""

    async def steps(seat: Seat) -> None:
        await seat.press("space")
        seat.write(scenes.updates("sena", status="failed"), scenes.updates("orion", status="idle"))
        await seat.sees("frozen, 2 new")

    assert looks(scenes.good_day(), WIDE, steps)


@SIZES
def test_light(looks: Looks, size: Size) -> None:
    """The good day, dark on light; every text is legible."""
    assert looks(scenes.good_day(), size, theme="collab-light")


def test_ascii(looks: Looks) -> None:
    """The deadlock without any sign that a terminal could draw too wide; only what agents wrote is not ASCII."""
    assert looks(scenes.deadlock(), WIDE, ascii=True)


@SIZES
def test_ansi(looks: Looks, size: Size) -> None:
    """The terminal's own colours: muted text is dim, the frame with the keys is heavy, the selected row has an edge."""
    assert looks(scenes.good_day(), size, theme="ansi-dark")


@SIZES
def test_no_colour(looks: Looks, size: Size, monkeypatch: pytest.MonkeyPatch) -> None:
    """No colour at all: warnings are bold, what is muted is dim, the deadlock stands in reverse."""
    monkeypatch.setenv("NO_COLOR", "1")
    assert looks(scenes.deadlock(), size)


def test_few_columns(looks: Looks) -> None:
    """Of every agent its sign, name and task; of sena what it says; of gitcode that it is silent."""
    scene = [*scenes.good_day(), scenes.updates("sena", message="half of it is drafted")]
    assert looks(scene, WIDE, columns=("task", "message"))


def test_hostile(looks: Looks) -> None:
    """Markup is text: `[bold]loud[/bold]` stands as it is written, nothing is bold or red because of it."""
    assert looks(scenes.hostile(scenes.HOSTILE_TEXTS["bold"]), WIDE)
