"""The monitor of the story: the one that `collab-tui monitor` runs, with settings and a state of the demo's own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from collab_tui.config import user_config_file
from collab_tui.demo.story import RULES
from collab_tui.monitor.host import Monitor
from collab_tui.registry.append import UnusableError

_USERS_FOLDERS: Final = (
    *("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"),
    *("WIN_PD_OVERRIDE_LOCAL_APPDATA", "WIN_PD_OVERRIDE_APPDATA"),
)
"""What says, on one system or another, where the settings and the state of a user are."""


async def react(registry: Path, present: Callable[[], None]) -> None:
    """Do by itself what the rules of the story say, until cancelled. This process has the user's settings no more.

    Raises `UnusableError` where they cannot be kept away from it.
    """
    folder = registry.parent / "monitor"
    os.environ.update(dict.fromkeys(_USERS_FOLDERS, str(folder)))
    settings = user_config_file()
    if not settings.is_relative_to(folder):
        raise UnusableError(f"the monitor of the demo would go by your own settings, in {settings.parent}")
    settings.parent.mkdir(parents=True)
    settings.write_text(RULES, encoding="utf-8")
    await Monitor(
        registry, poll=None, tell=lambda _: None, notice=lambda text: print(text, file=sys.stderr), began=present
    ).run()
