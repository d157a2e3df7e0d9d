"""The agents: what each says it does, how far it is, whom it waits for, and since when nothing came from it."""

from __future__ import annotations

from collections import defaultdict
from time import monotonic

from collab_tui.model.ages import age
from collab_tui.model.board import Agent, Because, Request, Wait
from collab_tui.model.glyphs import STATUS_WORDS
from collab_tui.model.moment import Moment
from collab_tui.model.summary import STATUS_ROLES, Span
from collab_tui.model.words import Status, name_key
from collab_tui.tui.safe import Line, cut, cut_middle, fit, pad, width_of, words
from collab_tui.tui.view import View
from collab_tui.tui.widgets.item_list import ItemList, Row

_MAX_NAME = 16
_MAX_ROLE = 12
_WORD = 9
_BAR = 20
_LEAST_BAR = 6
_PERCENT = 6
_SEEN = 17
"""Cells kept for `⋯ silent 34 min` and the gap before it."""
_MARKED_FOR = 1.0
"""Seconds for which a changed value is marked."""


class AgentsPane(ItemList):
    """One item an agent, ordered by need; as many lines each as there is room for."""

    BORDER_TITLE = "Agents"

    def __init__(self) -> None:
        super().__init__(id="agents")
        self._known: dict[str, Agent] = {}
        self._marks: dict[tuple[str, str], float] = {}
        self._roles = 0
        self._ideal_height = 0
        self._waits: defaultdict[str, list[Wait]] = defaultdict(list)

    def show(self, view: View) -> None:
        """Mark what changed since the last view, for a second."""
        self._mark(view)
        super().show(view)
        count = len(view.moment.agents)
        self.entitle("Agents", f"{count} by {view.order.value}" if count else "")

    @property
    def wanted_height(self) -> int:
        """Lines that the agents would fill with all that is known of them."""
        return self._ideal_height

    def build(self, view: View, width: int) -> list[Row]:
        """The rows, in three densities: all that is known, two lines, one line."""
        agents = view.moment.ordered(view.order)
        self._waits.clear()
        self._roles = min(_MAX_ROLE, max((width_of([Span(words(agent.role))]) for agent in agents), default=0))
        for wait in view.moment.waits:
            self._waits[wait.waiter].append(wait)
        names = min(_MAX_NAME, max((width_of([Span(agent.name)]) for agent in agents), default=0))
        height = max(self.scrollable_content_region.height, 1)
        asked: defaultdict[str, str] = defaultdict(str)
        for need in view.moment.needs:
            if isinstance(need, Request):
                asked[name_key(need.asker)] += f"{need.id}\n"
        described = [(agent.key, self._lines(view, agent, names, width)) for agent in agents]
        self._ideal_height = sum(len(lines) for _, lines in described)
        for most in (5, 4, 3, 2):
            if sum(min(len(lines), most) for _, lines in described) <= height:
                return [Row(key, _most_important(lines, most), asked[key]) for key, lines in described]
        return [Row(agent.key, (self._compact(view, agent, names, width),), asked[agent.key]) for agent in agents]

    def _lines(self, view: View, agent: Agent, names: int, width: int) -> list[tuple[int, Line]]:
        """All that is known, each line with its importance: 0 is never left out."""
        head = [*self._head(view, agent, names)]
        if width >= 72 and self._roles:
            head.append(Span(pad(words(agent.role), self._roles) + "  ", "muted"))
        head.append(self._word(view, agent))
        room = width - width_of(head) - _PERCENT - _SEEN
        head += self._progress(view, agent, min(_BAR, room) if room >= _LEAST_BAR else 0)
        lines = [(0, fit(head, width, self._seen(view, agent)))]
        indent = Span(" " * (names + 3)) if width >= 70 else Span("  ")
        if agent.current_task:
            lines.append((2, fit([indent, self._value(agent, "current_task", words(agent.current_task))], width)))
        lines += [(1, fit([indent, *reason], width)) for reason in self._held_up(view, agent)]
        if agent.next_action and not agent.gone:
            value = self._value(agent, "next_action", words(agent.next_action))
            lines.append((3, fit([indent, Span("next  ", "muted"), value], width)))
        return lines

    def _compact(self, view: View, agent: Agent, names: int, width: int) -> Line:
        """One line: name, status, per cent, and the one thing that matters most."""
        percent = f"{agent.progress:3.0f} %  " if agent.progress is not None else "       "
        held_up = self._held_up(view, agent)
        matter = held_up[0] if held_up else (Span(words(agent.current_task)),)
        left = [*self._head(view, agent, names), self._word(view, agent), Span(percent), *matter]
        return fit(left, width, self._seen(view, agent))

    def _head(self, view: View, agent: Agent, names: int) -> tuple[Span, ...]:
        glyph = view.glyphs.gone if agent.gone else view.glyphs.statuses[agent.status]
        role = _role(agent)
        return Span(f"{glyph} ", role), Span(pad(words(agent.name), names) + "  ", "muted" if agent.gone else "strong")

    def _word(self, view: View, agent: Agent) -> Span:
        word = "gone" if agent.gone else STATUS_WORDS.get(agent.status) or words(agent.raw_status)
        if agent.unblocked and not agent.gone:
            return Span("unblocked, not yet moving  ", "warning")
        role = self._role_of(agent, "status", _role(agent))
        return Span(pad(cut(word, 24), max(_WORD, min(24, len(word)))) + "  ", role)

    def _progress(self, view: View, agent: Agent, bar: int) -> list[Span]:
        if agent.progress is None:
            return []
        full = round(bar * agent.progress / 100)
        old = agent.is_older_than_task("progress")
        role = "muted" if old or agent.status is Status.COMPLETED else "accent"
        return [
            Span(view.glyphs.bar_full * full, role),
            Span(view.glyphs.bar_empty * (bar - full), "muted"),
            Span(f" {agent.progress:3.0f} %", self._role_of(agent, "progress", "muted" if old else "text")),
        ]

    def _seen(self, view: View, agent: Agent) -> list[Span]:
        """The age of the last sign of life; silence is told apart from rest."""
        ahead = view.moment.clock_ahead(agent.last_event_at)
        if ahead is not None:
            return [Span(f"clock {age(ahead)} ahead", "warning")]
        silence = view.moment.silence(agent)
        if silence is not None:
            return [Span(f"{view.glyphs.silent} silent {age(silence)}", "warning")]
        seconds = view.moment.age(agent)
        return [Span(age(seconds), "muted")] if seconds is not None else []

    def _held_up(self, view: View, agent: Agent) -> list[tuple[Span, ...]]:
        """What keeps it: its blockers, and whom it waits for and why."""
        if agent.gone:
            return []
        found: list[tuple[Span, ...]] = []
        if agent.blockers:
            more = f" +{len(agent.blockers) - 1}" if len(agent.blockers) > 1 else ""
            found.append((Span("needs  ", "muted"), Span(f"{words(agent.blockers[0].text)}{more}", "warning")))
        if waits := self._waits.get(agent.name):
            told = [_wait_words(view.moment, wait, view.glyphs.separator) for wait in waits]
            found.append((Span("waits for  ", "muted"), Span(", ".join(told))))
        return found

    def _value(self, agent: Agent, name: str, text: str) -> Span:
        old = agent.is_older_than_task(name) or agent.gone or agent.status is Status.COMPLETED
        return Span(text, self._role_of(agent, name, "muted" if old else "text"))

    # Marking what changed

    def _mark(self, view: View) -> None:
        now = monotonic()
        known = {agent.key: agent for agent in view.moment.board.agents}
        if self._known:
            for key, agent in known.items():
                before = self._known.get(key)
                if before is not None and before is not agent:
                    for name in ("status", "progress", "current_task", "next_action"):
                        if getattr(before, name) != getattr(agent, name):
                            self._marks[key, name] = now + _MARKED_FOR
        self._known = known
        if self._marks:
            self._marks = {mark: until for mark, until in self._marks.items() if until > now}
            self.set_timer(_MARKED_FOR, self._unmark)

    def _unmark(self) -> None:
        """Let what was marked long enough rest."""
        now = monotonic()
        self._marks = {mark: until for mark, until in self._marks.items() if until > now}
        self._rebuild()

    def _role_of(self, agent: Agent, name: str, role: str) -> str:
        return "strong" if (agent.key, name) in self._marks else role


def _most_important(lines: list[tuple[int, Line]], most: int) -> tuple[Line, ...]:
    """The most important lines, in their own order."""
    kept = sorted(range(len(lines)), key=lambda number: (lines[number][0], number))[:most]
    return tuple(lines[number][1] for number in sorted(kept))


def _role(agent: Agent) -> str:
    return "muted" if agent.gone or agent.status is None else STATUS_ROLES.get(agent.status, "text")


def _wait_words(moment: Moment, wait: Wait, separator: str) -> str:
    """Whom an agent waits for and why, in a few words."""
    name = "you" if moment.is_me(wait.awaited) else cut_middle(words(wait.awaited), _MAX_NAME)
    why = next((words(reason.text) for reason in wait.reasons if reason.because is not Because.STATUS), "")
    answered = " (answered?)" if all(reason.answered for reason in wait.reasons) else ""
    return f"{name}{answered}" + (f" {separator} {why}" if why else "")
