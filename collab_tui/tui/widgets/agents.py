"""The agents: what each says it does, how far it is, whom it waits for, and since when nothing came from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from time import monotonic

from rich.cells import cell_len

from collab_tui.config import Column
from collab_tui.model.ages import age
from collab_tui.model.board import Agent, Because, Request, Wait
from collab_tui.model.glyphs import STATUS_WORDS
from collab_tui.model.moment import Moment
from collab_tui.model.sessions import Session
from collab_tui.model.summary import STATUS_ROLES, Span
from collab_tui.model.words import Status, name_key
from collab_tui.tui.safe import MOST_ENTRIES, Line, cut, cut_agent, fit, pad, pad_agent, width_of, words
from collab_tui.tui.view import View
from collab_tui.tui.widgets.empty import BEGINNINGS, TO_BEGIN
from collab_tui.tui.widgets.item_list import ItemList, LinesInSight, Row

_MAX_NAME = 16
_MAX_ROLE = 12
_WORD = 9
_LONGEST_WORD = 26
"""Cells of `waiting for approval, seen`."""
_BELOW = Span("│ ", "muted")
"""Before every line of an agent that stands below the one that leads its run."""
_BAR = 20
_LEAST_BAR = 6
_PERCENT = 6
_SEEN = 17
"""Cells kept for `⋯ silent 34 min` and the gap before it."""
_MARKED_FOR = 1.0
"""Seconds for which a changed value is marked."""
_UNMARKED_WITHIN = 0.1
"""Seconds that it may be marked longer, and for which another view may be about to come."""


class AgentsPane(ItemList):
    """One item an agent, ordered by need; as many lines each as there is room for."""

    BORDER_TITLE = "Agents"

    def __init__(self) -> None:
        super().__init__(id="agents")
        self._known: dict[str, Agent] = {}
        self._marks: dict[tuple[str, str], float] = {}
        self._is_unmarking = False
        self._viewed_at = 0.0
        """When the last view was shown."""
        self._shown: frozenset[str] = frozenset()
        """The columns."""
        self._roles = 0
        self._ideal_height = 0
        self._waits: defaultdict[str, list[Wait]] = defaultdict(list)
        self._sessions: dict[str, Session] = {}
        """Those that run, as far as they are told to."""
        self._names: Mapping[str, str] = {}
        """Key of an agent of a run -> its name in the group."""
        self._below: frozenset[str] = frozenset()
        """Keys of the agents that stand below the one that leads their run."""

    def show(self, view: View) -> None:
        """Mark what changed since the last view, for a second."""
        if not view.config.reduced_motion:
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
        self._names, self._below = {}, frozenset()
        if runs := view.moment.board.runs:
            from collab_tui.tui.run_groups import grouped  # the first paint need not wait for it

            agents, self._names, self._below = grouped(agents, runs)
        if not agents and view.past is None:
            lines = _how_to_begin(view, width)
            self._ideal_height = len(lines)
            return [Row(None, lines)]
        self._shown = frozenset(view.config.columns)
        self._waits.clear()
        running = (session for session in view.moment.board.sessions if session.observed.is_running)
        self._sessions = {name_key(session.name): session for session in running}
        self._roles = min(_MAX_ROLE, max((_width(agent.role or "") for agent in agents), default=0))
        for wait in view.moment.waits:
            self._waits[wait.waiter].append(wait)
        names = min(_MAX_NAME, max((self._name_width(agent) for agent in agents), default=0))
        height = max(self.scrollable_content_region.height, 1)
        asked: defaultdict[str, tuple[bytes, ...]] = defaultdict(tuple)
        for need in view.moment.needs:
            if isinstance(need, Request):
                asked[name_key(need.asker)] += (need.event.line,)
        counts = [self._line_count(agent) for agent in agents]
        self._ideal_height = sum(counts)
        most = next((most for most in (5, 4, 3, 2) if sum(min(count, most) for count in counts) <= height), 1)

        def lines_of(agent: Agent, count: int) -> LinesInSight:
            def lines() -> Sequence[Line]:
                if agent.key not in self._below:
                    return told(names, width)
                below = len(_BELOW.text)
                return [(_BELOW, *line) for line in told(max(1, names - below), width - below)]

            def told(names: int, width: int) -> Sequence[Line]:
                if most == 1:
                    return (self._compact(view, agent, names, width),)
                return _most_important(self._lines(view, agent, names, width), most)

            return LinesInSight(min(count, most), lines)

        return [
            Row(agent.key, lines_of(agent, count), asked[agent.key])
            for agent, count in zip(agents, counts, strict=True)
        ]

    def _called(self, agent: Agent) -> str:
        return words(self._names.get(agent.key, agent.name))

    def _name_width(self, agent: Agent) -> int:
        below = len(_BELOW.text) if agent.key in self._below else 0
        return width_of([Span(self._called(agent))]) + below

    def _line_count(self, agent: Agent) -> int:
        """How many lines `_lines` gives."""
        held_up = not agent.gone and Column.NEEDS in self._shown
        return (
            1
            + bool(agent.current_task and Column.TASK in self._shown)
            + bool(held_up and agent.blockers)
            + bool(held_up and self._waits.get(agent.name))
            + bool(agent.next_action and not agent.gone and Column.NEXT in self._shown)
            + bool(agent.message and Column.MESSAGE in self._shown)
        )

    def _lines(self, view: View, agent: Agent, names: int, width: int) -> list[tuple[int, Line]]:
        """All that is known, each line with its importance: 0 is never left out."""
        head = [*self._head(view, agent, names)]
        if width >= 72 and self._roles and Column.ROLE in self._shown:
            head.append(Span(pad(words(agent.role), self._roles) + "  ", "muted"))
        head += self._word(view, agent)
        room = width - width_of(head) - _PERCENT - _SEEN
        head += self._progress(view, agent, min(_BAR, room) if room >= _LEAST_BAR else 0)
        lines = [(0, fit(head, width, self._seen(view, agent)))]
        indent = Span(" " * (names + 3)) if width >= 70 else Span("  ")
        if agent.current_task and Column.TASK in self._shown:
            lines.append((2, fit([indent, self._value(agent, "current_task", words(agent.current_task))], width)))
        lines += [(1, fit([indent, *reason], width)) for reason in self._held_up(view, agent)]
        if agent.next_action and not agent.gone and Column.NEXT in self._shown:
            value = self._value(agent, "next_action", words(agent.next_action))
            lines.append((3, fit([indent, Span("next  ", "muted"), value], width)))
        if agent.message and Column.MESSAGE in self._shown:
            value = self._value(agent, "message", words(agent.message))
            lines.append((4, fit([indent, Span("says  ", "muted"), value], width)))
        return lines

    def _compact(self, view: View, agent: Agent, names: int, width: int) -> Line:
        """One line: name, status, per cent, and the one thing that matters most."""
        percent = f"{agent.progress:3.0f} %  " if agent.progress is not None else "       "
        held_up = self._held_up(view, agent)
        task = agent.current_task if Column.TASK in self._shown else None
        matter = held_up[0] if held_up else (Span(words(task)),)
        left = [*self._head(view, agent, names), *self._word(view, agent)]
        left += [Span(percent), *matter] if Column.PROGRESS in self._shown else matter
        return fit(left, width, self._seen(view, agent))

    def _head(self, view: View, agent: Agent, names: int) -> tuple[Span, ...]:
        glyph = view.glyphs.gone if agent.gone else view.glyphs.statuses[agent.status]
        role = _role(agent)
        name = pad_agent(self._called(agent), names)
        return Span(f"{glyph} ", role), Span(name + "  ", "muted" if agent.gone else "strong")

    def _word(self, view: View, agent: Agent) -> list[Span]:
        word = "gone" if agent.gone else STATUS_WORDS.get(agent.status) or words(agent.raw_status)
        session = self._sessions.get(agent.key)
        if agent.status is None and not agent.gone and session is not None:
            word = f"{session.observed.value}, seen"
        if agent.unblocked and not agent.gone:
            return [Span("unblocked, not yet moving  ", "warning")]
        if view.moment.answered(agent) is not None:
            return [Span("answered, not yet moving  ", "warning")]
        if Column.STATUS not in self._shown:
            return []
        role = self._role_of(agent, "status", _role(agent))
        return [Span(pad(cut(word, _LONGEST_WORD), max(_WORD, min(_LONGEST_WORD, len(word)))) + "  ", role)]

    def _progress(self, view: View, agent: Agent, bar: int) -> list[Span]:
        if agent.progress is None or Column.PROGRESS not in self._shown:
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
        seconds = view.moment.age(agent) if Column.AGE in self._shown else None
        return [Span(age(seconds), "muted")] if seconds is not None else []

    def _held_up(self, view: View, agent: Agent) -> list[tuple[Span, ...]]:
        """What keeps it: its blockers, and whom it waits for and why."""
        if agent.gone or Column.NEEDS not in self._shown:
            return []
        found: list[tuple[Span, ...]] = []
        if agent.blockers:
            more = f" +{len(agent.blockers) - 1}" if len(agent.blockers) > 1 else ""
            found.append((Span("needs  ", "muted"), Span(f"{words(agent.blockers[0].text)}{more}", "warning")))
        if waits := self._waits.get(agent.name):
            told = [_wait_words(view.moment, wait, view.glyphs.separator) for wait in waits[:MOST_ENTRIES]]
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
                    for name in ("status", "progress", "current_task", "next_action", "message"):
                        if getattr(before, name) != getattr(agent, name):
                            self._marks[key, name] = now + _MARKED_FOR
        self._known = known
        self._viewed_at = now
        self._forget_marks(now)

    def _forget_marks(self, now: float) -> None:
        """Let what was marked long enough rest, and look again when the next mark is due: one timer for all."""
        self._marks = {mark: until for mark, until in self._marks.items() if until > now}
        if self._marks and not self._is_unmarking:
            self._unmark_in(min(self._marks.values()) - now + _UNMARKED_WITHIN)

    def _unmark_in(self, seconds: float) -> None:
        self._is_unmarking = True
        self.set_timer(seconds, self._unmark)

    def _unmark(self) -> None:
        """Draw what rests by now; in a stream of events the next view does that, and costs nothing more."""
        self._is_unmarking = False
        now = monotonic()
        if now - self._viewed_at < _UNMARKED_WITHIN:
            self._unmark_in(_UNMARKED_WITHIN)
            return
        self._forget_marks(now)
        self._rebuild()

    def _role_of(self, agent: Agent, name: str, role: str) -> str:
        return "strong" if (agent.key, name) in self._marks else role


def _how_to_begin(view: View, width: int) -> tuple[Line, ...]:
    """Nobody takes part: what to do about it."""
    if runs := len(view.moment.board.runs):
        there = "there was a run" if runs == 1 else f"there were {runs} runs"
        key = Span(view.keymap.text("runs"), "accent")
        return (fit([Span("No agents now. ", "muted"), key, Span(f"  {there}", "muted")], width),)
    told = (fit([Span(f"  {command}", "accent"), Span(f"  {what}", "muted")], width) for command, what in BEGINNINGS)
    return (fit([Span(f"No agents yet. {TO_BEGIN}", "muted")], width), *told)


def _most_important(lines: list[tuple[int, Line]], most: int) -> tuple[Line, ...]:
    """The most important lines, in their own order."""
    kept = sorted(range(len(lines)), key=lambda number: (lines[number][0], number))[:most]
    return tuple(lines[number][1] for number in sorted(kept))


@lru_cache(maxsize=2048)
def _width(text: str) -> int:
    """Cells that a name or role takes in a line."""
    return cell_len(words(text))


def _role(agent: Agent) -> str:
    return "muted" if agent.gone or agent.status is None else STATUS_ROLES.get(agent.status, "text")


def _wait_words(moment: Moment, wait: Wait, separator: str) -> str:
    """Whom an agent waits for and why, in a few words."""
    name = "you" if moment.is_me(wait.awaited) else cut_agent(words(wait.awaited), _MAX_NAME)
    why = next((words(reason.text) for reason in wait.reasons if reason.because is not Because.STATUS), "")
    answered = " (answered?)" if all(reason.answered for reason in wait.reasons) else ""
    return f"{name}{answered}" + (f" {separator} {why}" if why else "")
