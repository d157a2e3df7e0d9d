"""What nobody outside may ask for: what is started, where, and what that is told is the person's to say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

STARTED: Final = frozenset(("command", "cmd", "exec", "shell", "script", "argv", "args"))
"""Keys by which somebody would say what is to be started."""
FORBIDDEN: Final = STARTED | {"template", "prompt", "path", "cwd", "env", "environment", "tools", "mcp"}
"""The same, and where, with what, or what it is told."""


def asked_for(keys: Iterable[object], forbidden: frozenset[str] = FORBIDDEN) -> list[str]:
    """Those of the keys of a mapping that say what is not its to say."""
    return sorted(key for key in map(str, keys) if key.casefold() in forbidden)
