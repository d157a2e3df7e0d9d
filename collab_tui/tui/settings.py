"""What only the screen can judge of the settings: which themes, commands and keys there are."""

from __future__ import annotations

from collab_tui.config import Config
from collab_tui.tui.keymap import make_keymap
from collab_tui.tui.theme import theme_problems


def screen_problems(config: Config) -> tuple[str, ...]:
    """Everything that is wrong with the theme and the keys: file, line and mend."""
    return (*theme_problems(config), *make_keymap(config)[1])
