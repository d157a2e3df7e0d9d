"""Our two themes; every other theme of Textual can be chosen as well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from textual.theme import BUILTIN_THEMES, Theme

from collab_tui.config import Config
from collab_tui.config.values import instead_of, shown

THEMES: Final = (
    Theme(
        name="collab-dark",
        primary="#7aa2d8",
        secondary="#8a9bb5",
        accent="#5fc9c0",
        foreground="#d5dae3",
        background="#12151c",
        surface="#171b24",
        panel="#232936",
        success="#8fbf7f",
        warning="#e5b567",
        error="#e8737d",
        dark=True,
        variables={"border-blurred": "#333b4c", "footer-key-foreground": "#5fc9c0"},
    ),
    Theme(
        name="collab-light",
        primary="#2f5d9b",
        secondary="#5b6b85",
        accent="#0a6660",
        foreground="#20242c",
        background="#f6f5f1",
        surface="#fdfcf9",
        panel="#e7e5de",
        success="#2f671f",
        warning="#7f5207",
        error="#ab2935",
        dark=False,
        variables={"border-blurred": "#c9c5ba", "footer-key-foreground": "#0a6660"},
    ),
)
NO_COLOR: Final = "ansi-dark"
"""Without colour the terminal's own foreground and background are used: greyed colours would still be colours."""


def theme_in_force(config: Config, environ: Mapping[str, str]) -> str:
    """The theme that the board starts with."""
    return NO_COLOR if environ.get("NO_COLOR") else config.theme


def theme_problems(config: Config) -> list[str]:
    """What is wrong with the configured theme: file, line and mend."""
    known = [*(theme.name for theme in THEMES), *BUILTIN_THEMES]
    if config.theme in known:
        return []
    where = config.sources.get("theme", "theme")
    return [f"{where}: there is no theme {shown(config.theme)}; {instead_of(config.theme, known)}"]
