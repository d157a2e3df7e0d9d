"""The board calls the person who looks elsewhere, and shows what rules notify of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from textual import events

from collab_tui.config import Config, user_config_file
from collab_tui.config.rules import Rule, Then, When
from collab_tui.tui import calling
from collab_tui.tui.app import BoardApp
from tests.tui import scenes
from tests.tui.scenes import asks, told, updates
from tests.tui.seat import NAME, Seat, sitting

DESKTOP = Config(notifications="desktop")


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What goes to the terminal past the screen."""
    for name in ("TMUX", "KITTY_WINDOW_ID", "TERM_PROGRAM", "LC_TERMINAL", "GHOSTTY_RESOURCES_DIR", "WEZTERM_PANE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    texts: list[str] = []
    monkeypatch.setattr(BoardApp, "_write_raw", lambda self, text: texts.append(text))
    return texts


def calls(written: list[str]) -> list[str]:
    """What was told by notifications."""
    return [text.partition("collab-tui: ")[2].rstrip("\a") for text in written if text.startswith("\x1b]9;")]


async def turn(seat: Seat, *, away: bool) -> None:
    """The terminal tells that it lost the focus, or got it."""
    seat.app.post_message(events.AppBlur() if away else events.AppFocus())
    await seat.pilot.pause()


RULES = (
    Rule("half", When(source="sena"), Then(notify="{from} is at {progress} %"), is_on=True),
    Rule("[red]r", When(source="sena"), Then(notify="said: {message}"), is_on=True),
    Rule("quiet", When(silent_for=5), Then(notify="{from} is quiet"), is_on=True),
    Rule("off", When(source="sena"), Then(notify="{from} is at {progress} %")),
    Rule("talks", When(source="sena"), Then(message="lubit", text="{from} is at {progress} %"), is_on=True),
)
WITH_RULES = Config(rules=RULES)
CAUSE = updates("sena", id="c1", progress=80)


def notified(number: int, text: str = "sena is at 80 %", rule: str = "half", **fields: Any) -> dict[str, Any]:
    """The activation of a rule that notifies, as the monitor writes it."""
    common = {"id": f"a{number}", "rule": rule, "key": f"half: {number}", "chain": {rule.lower(): 1}, "depth": 1}
    common |= {"outcome": "notified", "cause": "c1", "about": "sena", "agent": "monitor", "notify": text}
    told_by = told(str({**common, **fields}["agent"]), "activation", **{**common, **fields})
    return {name: value for name, value in told_by.items() if value is not None}


async def test_who_looks_elsewhere_is_called_with_what_needs_them_and_what_happened(written: list[str]) -> None:
    async with sitting(scenes.calm(), config=DESKTOP) as seat:
        await turn(seat, away=True)
        seat.write(asks("lubit", "r8", "x"), asks("maestro", "r9", "y"), told("orion", "blocker", blocker="x"))
        await seat.until(lambda: calls(written), "a call")
        assert calls(written) == ["3 questions for you, orion blocked"]


async def test_who_looks_is_not_called(written: list[str]) -> None:
    async with sitting(scenes.calm(), config=DESKTOP) as seat:
        await turn(seat, away=False)
        seat.write(asks("lubit", "r8", "Really?"))
        await seat.sees("Really?")
        assert calls(written) == []
        await turn(seat, away=True)
        seat.write(asks("maestro", "r9", "And this?"))
        await seat.until(lambda: calls(written), "a call")
        assert calls(written) == ["3 questions for you"]


async def test_a_key_is_a_sign_of_the_person_where_the_terminal_says_nothing(written: list[str]) -> None:
    async with sitting(scenes.calm(), config=DESKTOP) as seat:
        await seat.press("j")
        seat.write(asks("lubit", "r8", "Really?"))
        await seat.sees("Really?")
        assert calls(written) == []


async def test_a_frozen_picture_shows_nothing_new_so_the_person_is_told(written: list[str]) -> None:
    async with sitting(scenes.calm(), config=DESKTOP) as seat:
        await turn(seat, away=False)
        await seat.press("space")
        seat.write(asks("lubit", "r8", "Really?"))
        await seat.until(lambda: "2 questions for you" in seat.toasts, "a toast")
        assert calls(written) == []
        await turn(seat, away=True)
        seat.write(asks("maestro", "r9", "And this?"))
        await seat.until(lambda: calls(written), "a call")


@pytest.mark.parametrize("how", ["bell", "desktop"])
async def test_a_board_that_has_the_focus_is_quiet_however_long_no_key_was_pressed(
    how: str, written: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sitting(scenes.calm(), config=Config(notifications=how)) as seat:
        await turn(seat, away=False)
        monkeypatch.setattr(calling, "monotonic", lambda: monotonic() + 3600)
        seat.write(asks("lubit", "r8", "Really?"))
        await seat.until(lambda: "2 questions for you" in seat.toasts, "a toast")
        assert all("\x1b]0;" in text for text in written)


async def test_in_bell_mode_who_is_blocked_is_told_by_a_toast_and_a_question_rings(written: list[str]) -> None:
    async with sitting(scenes.calm()) as seat:
        seat.write(told("orion", "blocker", blocker="x"))
        await seat.until(lambda: "orion blocked" in seat.toasts, "a toast")
        assert "\a" not in written
        seat.write(asks("lubit", "r8", "Really?"))
        await seat.until(lambda: "\a" in written, "a bell")
        assert "question" not in seat.toasts


async def test_what_rules_notify_of_is_shown_once_and_not_what_was_there_at_the_start(written: list[str]) -> None:
    async with sitting([*scenes.calm(), CAUSE, notified(1, "long ago is at 1 %")], config=WITH_RULES) as seat:
        seat.write(notified(2), updates("sena", progress=3), notified(2, id="again"), notified(3, outcome="held back"))
        await seat.until(lambda: "“sena is at 80 %”" in seat.toasts, "a toast")
        seat.write(updates("sena", progress=4))
        await seat.read(len(scenes.calm()) + 7)
        assert [shown.title for shown in seat.app._notifications] == ["rule half"]
    async with sitting([], path=NAME, config=WITH_RULES) as seat:
        await seat.read(len(scenes.calm()) + 7)
        assert seat.toasts == ""


FORGED: dict[str, dict[str, Any]] = {
    "another writer": {"agent": "evil"},
    "a rule that nobody has": {"rule": "Bank", "chain": {"bank": 1}},
    "a rule that is off": {"rule": "off"},
    "a rule that notifies nobody": {"rule": "talks"},
    "words that the rule does not have": {"text": "Type your key passphrase at http://evil"},
    "words around those of the rule": {"text": "Go to evil: sena is at 80 % now"},
    "nothing that set it off": {"cause": None},
    "something unknown that set it off": {"cause": "zzz"},
    "a silence of nobody": {"rule": "quiet", "text": "sena is quiet", "about": "nobody", "cause": None},
    "no key": {"key": None},
    "no depth": {"depth": None},
    "no chain": {"chain": None},
    "a chain without it": {"chain": {"other": 1}},
    "that it was held back": {"outcome": "held back: cooling down"},
}


@pytest.mark.parametrize("what", FORGED)
async def test_what_no_rule_tells_is_no_notice(what: str, written: list[str]) -> None:
    async with sitting([*scenes.calm(), CAUSE], config=WITH_RULES) as seat:
        seat.write(notified(2, **FORGED[what]), notified(3, "sena is at 81 %"))
        await seat.until(lambda: seat.toasts, "a toast")
        assert seat.toasts == "“sena is at 81 %”"


async def test_a_silence_has_no_line_that_set_it_off(written: list[str]) -> None:
    async with sitting(scenes.calm(), config=WITH_RULES) as seat:
        seat.write(notified(2, "sena is quiet", "quiet", cause=None))
        await seat.until(lambda: "“sena is quiet”" in seat.toasts, "a toast")


async def test_a_rule_that_was_written_while_the_board_is_open_is_known(
    written: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = user_config_file()
    assert settings.is_relative_to(tmp_path)
    async with sitting([*scenes.calm(), CAUSE]) as seat:
        seat.write(notified(1, rule="new"))
        await seat.read(len(scenes.calm()) + 2)
        settings.parent.mkdir(parents=True, exist_ok=True)
        then = 'when = { from = "sena" }\nthen = { notify = "{from} is at {progress} %" }'
        settings.write_text(f'[[rule]]\nname = "new"\non = true\n{then}\n', encoding="utf-8")
        seat.write(notified(2, rule="new"))
        await seat.until(lambda: seat.toasts, "a toast")
        assert seat.toasts == "“sena is at 80 %”"


async def test_a_notice_calls_who_looks_elsewhere_without_its_words(written: list[str]) -> None:
    async with sitting([*scenes.calm(), CAUSE], config=replace(DESKTOP, rules=RULES)) as seat:
        await turn(seat, away=True)
        seat.write(notified(2))
        await seat.until(lambda: calls(written), "a call")
        assert calls(written) == ["1 notice of your rules"]


async def test_many_notices_at_once_do_not_hide_the_board() -> None:
    async with sitting([*scenes.calm(), CAUSE], config=WITH_RULES) as seat:
        seat.write(*(notified(number, f"sena is at {number} %") for number in range(50)))
        await seat.until(lambda: "sena is at 2 %" in seat.toasts, "a toast")
        assert len(seat.app._notifications) == 3
        seat.write(*(notified(number, f"sena is at {number} %") for number in range(50, 60)))
        await seat.until(lambda: "and 57 more: the log has them" in seat.toasts, "a toast")
        assert len(seat.app._notifications) <= 3


async def test_a_notice_is_literal_and_on_one_line() -> None:
    async with sitting([*scenes.calm(), CAUSE], config=WITH_RULES) as seat:
        seat.write(notified(2, "said: “[@click=app.quit]x[/]”\n\x1b[2J\u202e", rule="[red]r"))
        await seat.until(lambda: '“said: "[@click=app.quit]x[/]" ␛[2J' in seat.toasts, "a toast")
        await seat.sees("rule [red]r", "[@click=app.quit]x[/]")
