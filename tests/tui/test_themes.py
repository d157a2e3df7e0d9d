"""Every theme: text can be read, and what is selected, focused, muted or a warning can be told apart."""

from __future__ import annotations

import pytest
from rich.color import ColorType
from rich.segment import Segment
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from collab_tui.config import Config
from collab_tui.config.source import Source
from collab_tui.tui.safe import ROLES
from collab_tui.tui.theme import THEMES, theme_problems
from tests.tui import scenes
from tests.tui.seat import Seat, sitting

OWN = [theme.name for theme in THEMES]
ALL = [*OWN, *BUILTIN_THEMES]
LEAST_CONTRAST = 4.5
"""What WCAG asks for text; our own themes keep to it, muted text included."""


def segments(seat: Seat) -> list[Segment]:
    return [s for strip in seat.app.screen._compositor.render_strips() for s in strip if s.text.strip() and s.style]


def unreadable(seat: Seat) -> list[str]:
    """Text that has the colour of what is behind it."""
    return [
        segment.text
        for segment in segments(seat)
        if segment.style.color == segment.style.bgcolor
        and segment.style.color is not None
        and segment.style.color.type is not ColorType.DEFAULT
        and any(character.isalnum() for character in segment.text)
    ]


def look_of(seat: Seat, text: str) -> tuple[object, ...]:
    """How the segment that begins with a text is painted."""
    style = next(s.style for s in segments(seat) if s.text.strip().startswith(text))
    return (style.color, style.bgcolor, style.bold, style.dim, style.underline, style.reverse)


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of WCAG 2: 1 for the same colour, 21 for black on white."""

    def luminance(colour: Color) -> float:
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ALL)
async def test_everything_can_be_read_and_told_apart(theme: str) -> None:
    async with sitting(scenes.good_day(), config=Config(theme=theme)) as seat:
        await seat.go_and_look("needs", "go-canary")
        assert unreadable(seat) == []
        texts = {"strong": "gitcode", "muted": "13:03:30", "warning": "⋯ silent"}
        assert len({look_of(seat, text) for text in texts.values()}) == len(texts)
        focused, blurred = (seat.list_of(pane).styles.border_top for pane in ("needs", "agents"))
        assert focused != blurred
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        assert unreadable(seat) == []
        assert look_of(seat, "asked by") != look_of(seat, "Smoke test")
        await seat.press("escape", "ctrl+p")
        await seat.dialog("CommandPalette")
        await seat.sees("Choose a theme")
        assert unreadable(seat) == []


@pytest.mark.parametrize("scene", ["good_day", "deadlock"])
async def test_without_colour_shapes_and_weights_tell(monkeypatch: pytest.MonkeyPatch, scene: str) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with sitting(getattr(scenes, scene)(), config=Config(theme="nord")) as seat:
        await seat.looked()
        colours = {colour for s in segments(seat) for colour in (s.style.color, s.style.bgcolor)}
        assert all(colour is None or colour.type is ColorType.DEFAULT for colour in colours)
        looks = {role: seat.board.query_one("#log").role_style(role) for role in ROLES}
        told = {role: (style.bold, style.dim, style.reverse) for role, style in looks.items()}
        assert len({told["text"], told["muted"], told["warning"], told["error"]}) == 4
        assert seat.list_of("needs").styles.border_top[0] == "heavy"
        assert seat.list_of("agents").styles.border_top[0] == "round"


@pytest.mark.parametrize("theme", OWN)
@pytest.mark.parametrize("on", ["background", "surface", "row"])
async def test_our_own_themes_have_contrast(theme: str, on: str) -> None:
    async with sitting(scenes.good_day(), config=Config(theme=theme)) as seat:
        variables = seat.app.theme_variables
        behind = Color.parse(variables["background" if on == "row" else on])
        if on == "row":
            behind = behind.blend(Color.parse(variables["accent"]), 0.14)
        for role in ROLES:
            colour = behind + seat.board.get_component_styles(f"role--{role}").color
            assert contrast(behind, colour) >= LEAST_CONTRAST, (role, contrast(behind, colour))


def test_an_unknown_theme_is_told_with_what_was_perhaps_meant(tmp_path_factory: pytest.TempPathFactory) -> None:
    source = Source(tmp_path_factory.getbasetemp() / "config.toml", 3)
    config = Config(theme="draculla", sources={"theme": source})
    assert theme_problems(config) == [f"{source}: there is no theme 'draculla'; did you mean dracula?"]
    assert [theme for theme in ALL if theme_problems(Config(theme=theme))] == []
