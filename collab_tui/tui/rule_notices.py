"""Which lines are notices of rules: what the monitor writes when a rule of the person's settings tells them something.

Any writer may write as the monitor. So a line counts only where all that it says holds: the rule is there, is on and
notifies, could say these very words, and was set off by something that is known. What agents wrote may still stand in
them: they are shown as somebody else's words.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Final

from collab_tui.config import ConfigError
from collab_tui.model.board import Board
from collab_tui.model.event import Event
from collab_tui.model.text import clean
from collab_tui.model.words import MONITOR, name_key

if TYPE_CHECKING:
    from collab_tui.config.rules import Rule
    from collab_tui.monitor.settings import SettingsFiles

_REMEMBERED: Final = 5000
"""Lines that may still be the cause of a notice, the newest; and notices that are not shown again."""


@dataclass(frozen=True, slots=True)
class RuleNotice:
    """What a rule tells."""

    rule: str
    text: str
    key: Hashable
    """The same for the same notice, however often it is written."""


class NewerRules:
    """The rules of the settings of a registry, whenever they are not those that were given before."""

    def __init__(self, registry: Path) -> None:
        self._registry = registry
        self._files: SettingsFiles | None = None

    def __call__(self) -> Sequence[Rule]:
        """All of them; none when nothing changed since the last call, or the settings cannot be used."""
        from collab_tui.monitor.settings import SettingsFiles  # the first paint need not wait for it

        if self._files is None:
            self._files = SettingsFiles(self._registry)
        elif not self._files.have_changed():
            return ()
        try:
            return self._files.read().rules
        except ConfigError:
            return ()


class RuleNotices:
    """Finds notices among the lines as they come."""

    def __init__(self, rules: Sequence[Rule], newer: Callable[[], Sequence[Rule]]) -> None:
        """`newer` gives the rules of settings that changed since it was asked last: see `NewerRules`."""
        self._rules = tuple(rules)
        self._newer = newer
        self._ids: OrderedDict[Hashable, None] = OrderedDict()
        self._found: OrderedDict[Hashable, None] = OrderedDict()

    def restart(self) -> None:
        """The registry is another."""
        self._ids.clear()
        self._found.clear()

    def see(self, events: Iterable[Event]) -> None:
        """Remember lines of which nothing is to be told."""
        for event in events:
            _remember(self._ids, event.id)

    def among(self, events: Iterable[Event], board: Board) -> list[RuleNotice]:
        """The notices among the next lines; `board` is as after them."""
        found = []
        for event in events:
            notice = self._notice(event, board) if event.kind == "activation" else None
            if notice is not None and notice.key not in self._found:
                _remember(self._found, notice.key)
                found.append(notice)
            _remember(self._ids, event.id)
        return found

    def _notice(self, event: Event, board: Board) -> RuleNotice | None:
        data = event.data
        name, key, text = data.get("rule"), data.get("key"), event.text("notify")
        if name_key(event.agent or "") != MONITOR or data.get("outcome") != "notified" or text is None:
            return None
        if not isinstance(name, str) or not isinstance(key, str) or not isinstance(data.get("depth"), int):
            return None
        chain = data.get("chain")
        if not isinstance(chain, dict) or name_key(name) not in chain or not self._is_of_a_rule(event, text, board):
            return None
        return RuleNotice(name, text, ("notice", name, key))

    def _is_of_a_rule(self, event: Event, text: str, board: Board) -> bool:
        if any(self._is_of(rule, event, text, board) for rule in self._rules):
            return True
        newer = tuple(self._newer())
        names = {rule.name for rule in newer}
        self._rules = (*newer, *(rule for rule in self._rules if rule.name not in names))
        return any(self._is_of(rule, event, text, board) for rule in newer)

    def _is_of(self, rule: Rule, event: Event, text: str, board: Board) -> bool:
        if rule.name != event.data["rule"] or not rule.is_on or not could_say(rule.then.notify, text):
            return False
        from collab_tui.config.rules import Kind  # a board without rules need not load them

        if rule.when.kind is Kind.SILENCE:
            return board.agent(event.text("about") or "") is not None
        return event.text("cause") in self._ids


def could_say(template: str | None, text: str) -> bool:
    """The text is what a rule of this template tells, whatever is filled in; spaces do not matter."""
    if template is None:
        return False
    fixed, has_names = [""], False
    for literal, name, *_ in Formatter().parse(template):
        fixed[-1] += _solid(literal)
        if name is not None:
            fixed.append("")
            has_names = True
    text = _solid(text)
    if not has_names:
        return text == fixed[0]
    start, *between, end = fixed
    if not text.startswith(start) or not text.endswith(end):
        return False
    at, last = len(start), len(text) - len(end)
    for piece in between:
        if (at := text.find(piece, at, max(at, last))) < 0:
            return False
        at += len(piece)
    return at <= last


def _solid(text: str) -> str:
    return "".join(clean(text).split())


def _remember(book: OrderedDict[Hashable, None], key: Hashable) -> None:
    book[key] = None
    if len(book) > _REMEMBERED:
        book.popitem(last=False)
