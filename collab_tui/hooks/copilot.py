"""Copilot CLI: what its hooks tell, where they are wired under PascalCase names. It is not answered.

From its documentation, not measured: it needs a login. Its time limit is 30 s, and then it goes on as if there were no
hook.
"""

from __future__ import annotations

from collab_tui.hooks.claude import read_claude_like
from collab_tui.hooks.happening import Happening, parent_process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

DRIVER = "Copilot"


def read(payload: Mapping[str, Any], environment: Mapping[str, str]) -> Happening | None:
    """What happened; None for what says nothing to us."""
    return read_claude_like(payload, process=parent_process())
