"""Telling the session that an agent's program runs in what happened: see `model.signals`. Only where one listens."""

from __future__ import annotations

import json
import os

from collab_tui.hooks import happening as told
from collab_tui.hooks import places
from collab_tui.hooks.happening import text_of
from collab_tui.model import signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from collab_tui.hooks.happening import Happening

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_KINDS = {
    **dict.fromkeys(told.STARTS, signals.BEGAN),
    told.PROMPTED: signals.PROMPTED,
    told.ASKS: signals.ASKS,
    told.WAITS: signals.WAITS,
    **dict.fromkeys(told.OVER_KINDS, signals.WORKS),
    told.STOPPED: signals.STOPPED,
    told.BUSY: signals.STOPPED,
    told.BROKE: signals.BROKE,
    told.INTERRUPTED: signals.INTERRUPTED,
    told.ENDED: signals.ENDED,
}


def signal(path: str, happening: Happening, payload: Mapping[str, Any], at: float) -> None:
    """Append one line to the session's file; nothing for what says nothing of the agent's own turn.

    Never raises: the board is told all the same.
    """
    kind = _KINDS.get(happening.kind)
    if kind is None or happening.helper:
        return
    line = {"kind": kind, "at": at, "session": happening.session, "turn": happening.turn, "process": happening.process}
    if kind == signals.PROMPTED:
        line["digest"] = signals.digest(text_of(payload, "prompt"))
    elif kind == signals.STOPPED:
        line["text"] = _end_of(text_of(payload, "last_assistant_message"))
    elif happening.text:
        line["text"] = _end_of(happening.text)
    try:
        _append(path, json.dumps(line).encode() + b"\n")
    except OSError as error:
        places.log("hook", f"the session is not told: {error}")


def _end_of(text: str) -> str:
    """As much as a line may have, and how much that is not."""
    left = len(text) - signals.MAX_TEXT
    return text if left <= 0 else f"[{left:,} characters before this are left out]\n{text[left:]}"


def _append(path: str, line: bytes) -> None:
    descriptor = os.open(path, _FLAGS, 0o600)
    try:
        os.write(descriptor, line)
        size = os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)
    if size > signals.MAX_FILE:
        os.replace(path, f"{path}.1")
