"""What would be changed in a configuration file, to be shown before it is done."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from collab_tui.hooks.wiring.agents import Agent
from collab_tui.hooks.wiring.files import keep, kept
from collab_tui.hooks.wiring.json_text import JsonError, parse
from collab_tui.hooks.wiring.merging import EMPTY, connected, disconnected, ours
from collab_tui.protocol.hook_entries import Call, as_json, call_of
from collab_tui.protocol.whole_files import Found, look, put
from collab_tui.registry.append import UnusableError


class UnfitError(UnusableError):
    """The file cannot be changed as it is; `needed` is what would have to stand in it."""

    def __init__(self, found: Found, error: JsonError, needed: str | None) -> None:
        super().__init__(f"{found.path}:{error.line}: {error.what}")
        self.needed = needed


@dataclass(frozen=True, slots=True)
class Plan:
    """One file as it is and as it would be."""

    found: Found
    after: str | None
    """None: the file would be removed, or is not there and stays so."""
    before_ours: int
    """How many entries of ours it has."""
    after_ours: int

    @property
    def is_change(self) -> bool:
        """There is something to do."""
        return self.after != self.found.text

    def diff(self, name: str) -> Iterator[str]:
        """The change line by line, as `diff -u` has it, of a file called so."""
        before, after = self.found.text, self.after
        names = ["/dev/null" if text is None else name for text in (before, after)]
        yield from difflib.unified_diff(_lines(before), _lines(after), names[0], names[1], lineterm="")

    def summary(self) -> str:
        """What becomes of our entries, and of the rest."""
        if self.found.data is None:
            return f"A new file with {self.after_ours} entries of ours."
        if self.after is None:
            return f"It holds nothing but {self.before_ours} entries of ours, and was not there before: it is removed."
        if not self.before_ours or not self.after_ours:
            verb, count = ("removes", self.before_ours) if self.before_ours else ("adds", self.after_ours)
            return f"It {verb} {count} entries of ours; the rest stays as it is."
        return f"It brings our {self.before_ours} entries up to date, {self.after_ours} then; the rest stays as it is."

    def carry_out(self) -> Path | None:
        """Write the file; gives where it is kept as it was before our first change, if it was there then.

        Raises `RefusedError` where it was changed meanwhile, `NotWrittenError` where it cannot be written.
        """
        place = kept(self.found.path) if self.before_ours else keep(self.found)
        put(self.found, self.after)
        return place


def plan_connect(agent: Agent, path: Path, call: Call) -> tuple[Plan, Call]:
    """What `connect` would do to the file, and how our program is then run: a name and a registry that are not given
    stay as the entries have them. Raises `UnusableError`, of which `UnfitError` is one.
    """
    found = look(path)
    text = found.text
    try:
        present = ours(text if text is not None else EMPTY, agent.id)
        known = call_of(present[0].handler) if present else call
        call = replace(call, name=call.name or known.name, registry=call.registry or known.registry)
        wanted = agent.entries(call)
        after = connected(text if text is not None else EMPTY, agent.id, wanted, _before(path))
    except JsonError as error:
        raise UnfitError(found, error, json.dumps({"hooks": as_json(agent.entries(call))}, indent=2)) from error
    return Plan(found, after, len(present), len(ours(after, agent.id))), call


def plan_disconnect(agent: Agent, path: Path) -> Plan:
    """What `disconnect` would do to the file: one that held nothing but our entries, and was not there before, goes."""
    found = look(path)
    text = found.text
    if text is None:
        return Plan(found, None, 0, 0)
    before = _before(path)
    try:
        present = ours(text, agent.id)
        after = disconnected(text, agent.id, before)
        is_left_empty = bool(present) and before is None and parse(after).value == {}
    except JsonError as error:
        raise UnfitError(found, error, None) from error
    return Plan(found, None if is_left_empty else after, len(present), 0)


def _before(path: Path) -> str | None:
    place = kept(path)
    try:
        return place.read_text(encoding="utf-8") if place is not None else None
    except (OSError, ValueError):  # somebody changed what was kept: then it says nothing
        return None


def _lines(text: str | None) -> list[str]:
    if not text:
        return []
    lines = text.split("\n")
    if not lines[-1]:
        return lines[:-1]
    return [*lines[:-1], f"{lines[-1]}\n\\ No newline at end of file"]
