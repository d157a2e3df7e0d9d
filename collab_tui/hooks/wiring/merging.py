"""Our entries in the text of an agent's configuration: found, put in, brought up to date, taken out."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from collab_tui.hooks.wiring import json_edit
from collab_tui.hooks.wiring.json_text import JsonError, Node, member, parse
from collab_tui.protocol.hook_entries import Entries, is_inbox, is_ours

EMPTY: Final = "{}\n"
"""The text of a configuration that is not there yet."""
_HOOKS: Final = "hooks"
_KINDS: Final = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}


@dataclass(frozen=True, slots=True)
class Ours:
    """One of our handlers, and where it stands."""

    event: str
    group: int
    place: int
    """In its group."""
    handler: Mapping[str, Any]
    is_narrowed: bool
    """Its group is for some of the event's tools or sources alone."""
    hooks: Node
    groups: Node
    """Those of its event."""
    handlers: Node
    """Those of its group."""


def ours(text: str, agent: str) -> list[Ours]:
    """Our handlers, in the order of the text. Raises `JsonError` where the text has not the shape that agents read."""
    hooks = _hooks(text)
    if hooks is None:
        return []
    return [
        Ours(groups.key or "", number, place, handler.value, "matcher" in group.value, hooks, groups, handlers)
        for groups in hooks.items
        if isinstance(groups.value, list)
        for number, group in enumerate(groups.items)
        if (handlers := _handlers(text, group)) is not None
        for place, handler in enumerate(handlers.items)
        if is_ours(handler.value, agent)
    ]


def connected(text: str, agent: str, wanted: Entries, before: str | None = None) -> str:
    """The text with exactly the wanted entries of ours in it, each where an older one of it stands already.

    `before` is the text from before we first changed it, where that is known.
    """
    present = ours(text, agent)
    stale = dict(enumerate(present))
    missing: dict[str, list[Mapping[str, Any]]] = {}
    for event, handlers in wanted.items():
        for handler in handlers:
            same = _same(stale.values(), event, handler)
            if same is None:
                missing.setdefault(event, []).append(handler)
                continue
            number = present.index(same)
            del stale[number]
            if same.handler != handler:
                now = ours(text, agent)[number]
                text = json_edit.replace(text, now.handlers.items[now.place], handler)
    text = _without(text, agent, stale, before)
    for event, new in missing.items():
        text = _added(text, event, {_HOOKS: new})
    return text


def disconnected(text: str, agent: str, before: str | None = None) -> str:
    """The text without any entry of ours.

    A container that held nothing else goes too, unless it stood in the text before we first changed it.
    """
    return _without(text, agent, range(len(ours(text, agent))), before)


def differences(text: str, agent: str, wanted: Entries) -> list[str]:
    """What `connected` would change, in words; nothing where it would change nothing."""
    told = []
    left = ours(text, agent)
    for event, handlers in wanted.items():
        for handler in handlers:
            same = _same(left, event, handler)
            if same is None:
                told.append(f"{event}: not there")
                continue
            left.remove(same)
            names = dict.fromkeys([*handler, *same.handler])
            if others := [name for name in names if same.handler.get(name) != handler.get(name)]:
                told.append(f"{event}: another {' and '.join(others)}")
    extra = [f"{each.event}: {'narrowed by a matcher' if each.is_narrowed else 'one too many'}" for each in left]
    return told + extra


def _same(candidates: Iterable[Ours], event: str, handler: Mapping[str, Any]) -> Ours | None:
    """The one that is for the same purpose as a wanted handler, and runs whenever that would."""
    for each in candidates:
        if each.event == event and not each.is_narrowed and is_inbox(each.handler) == is_inbox(handler):
            return each
    return None


def _without(text: str, agent: str, numbers: Collection[int], before: str | None) -> str:
    """Without those of our handlers, counted in the order of the text."""
    stood = set(_containers(before)) if before is not None else set()
    for number in sorted(numbers, reverse=True):
        text = _removed(text, ours(text, agent)[number], stood)
    return text


def _removed(text: str, each: Ours, stood: set[str]) -> str:
    """Without one handler, and without what held only it."""
    if len(each.handlers.items) > 1:
        return json_edit.remove(text, each.handlers, each.place)
    if len(each.groups.items) > 1 or each.event in stood:
        return json_edit.remove(text, each.groups, each.group)
    if len(each.hooks.items) > 1 or _HOOKS in stood:
        return json_edit.remove(text, each.hooks, each.hooks.items.index(each.groups))
    root = parse(text)
    return json_edit.remove(text, root, [item.key for item in root.items].index(_HOOKS))


def _added(text: str, event: str, group: Mapping[str, Any]) -> str:
    """With one more group of handlers, at the end of those of its event."""
    hooks = _hooks(text)
    if hooks is None:
        return json_edit.append(text, parse(text), {event: [group]}, _HOOKS)
    groups = member(text, hooks, event)
    if groups is None:
        return json_edit.append(text, hooks, [group], event)
    if not isinstance(groups.value, list):
        raise JsonError(text, groups.start, f"{json.dumps(event)} is {_kind(groups)}, and a list is needed")
    return json_edit.append(text, groups, group)


def _containers(text: str) -> Iterator[str]:
    """The containers that we put something into: `hooks`, and the lists of its events."""
    try:
        hooks = _hooks(text)
    except JsonError:  # somebody changed what was kept: then it says nothing
        return
    if hooks is not None:
        yield _HOOKS
        yield from (event.key or "" for event in hooks.items)


def _hooks(text: str) -> Node | None:
    root = parse(text)
    if not isinstance(root.value, dict):
        raise JsonError(text, root.start, f"it holds {_kind(root)}, and an object is needed")
    hooks = member(text, root, _HOOKS)
    if hooks is None:
        return None
    if not isinstance(hooks.value, dict):
        raise JsonError(text, hooks.start, f'"hooks" is {_kind(hooks)}, and an object is needed')
    for event in hooks.items:
        member(text, hooks, event.key or "")  # two of one name: an agent reads one of them, and who knows which
    return hooks


def _handlers(text: str, group: Node) -> Node | None:
    """The handlers of a group; None where it is something else, which is not ours to judge."""
    found = member(text, group, _HOOKS) if isinstance(group.value, dict) else None
    return found if found is not None and isinstance(found.value, list) else None


def _kind(node: Node) -> str:
    return _KINDS.get(type(node.value), "a number")
