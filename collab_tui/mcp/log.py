"""The end of the log, for a model: bounded, one line an event."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from collab_tui.model.event import Event, Item
from collab_tui.model.summary import separated, summarize
from collab_tui.protocol.wording import cut, named, quoted

EVENTS: Final = 100
"""The newest."""
_LONGEST: Final = 300
"""Characters of what one event says."""
_LARGEST: Final = 1000
"""Bytes of an event that is given whole."""


def as_text(items: Sequence[Item]) -> str:
    """One line an event, oldest first: its line number, time, writer, name, and in quotes what it says."""
    return "\n".join(map(_line, items[-EVENTS:])) or "The log is empty."


def _line(item: Item) -> str:
    said = quoted("".join(span.text for span in separated(summarize(item))), _LONGEST)
    if not isinstance(item, Event):
        return f"{item.position + 1}  {said}"
    when = f"{item.time:%Y-%m-%d %H:%M:%S}" if item.time is not None else "no time"
    return f"{item.position + 1}  {when}  {named(item.agent or '?')}  {cut(item.kind or 'no event name', 40)}  {said}"


def as_json(items: Sequence[Item]) -> str:
    """A list of objects, oldest first: `line`, and `event` whole, or `cut` with the beginning of one that is long."""
    return json.dumps([_object(item) for item in items[-EVENTS:]], ensure_ascii=False)


def _object(item: Item) -> dict[str, Any]:
    number = {"line": item.position + 1}
    if not isinstance(item, Event):
        return {**number, "unreadable": cut(item.reason, _LONGEST)}
    if len(item.line) <= _LARGEST:
        return {**number, "event": item.data}
    return {**number, "cut": cut(json.dumps(item.data, ensure_ascii=False), _LONGEST), "bytes": len(item.line)}
