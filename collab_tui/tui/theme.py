"""Our two themes; every other theme of Textual can be chosen as well."""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

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
        accent="#0f7d76",
        foreground="#20242c",
        background="#f6f5f1",
        surface="#fdfcf9",
        panel="#e7e5de",
        success="#3f7d2c",
        warning="#96610a",
        error="#b3303c",
        dark=False,
        variables={"border-blurred": "#c9c5ba", "footer-key-foreground": "#0f7d76"},
    ),
)
DEFAULT: Final = "collab-dark"
NO_COLOR: Final = "ansi-dark"
"""Without colour the terminal's own foreground and background are used: greyed colours would still be colours."""
