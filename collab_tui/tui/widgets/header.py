"""The header: which registry, how fresh, how many of what, the time. And the tabs of a low terminal."""

from __future__ import annotations

from textual import events
from textual.app import RenderResult
from textual.reactive import reactive
from textual.strip import Strip

from collab_tui.model.ages import age, seconds_between
from collab_tui.model.summary import Span
from collab_tui.model.words import name_key
from collab_tui.model.workers import StreamState
from collab_tui.registry.base import State
from collab_tui.tui.messages import PaneChosen
from collab_tui.tui.safe import cut_middle, fit, width_of
from collab_tui.tui.view import View
from collab_tui.tui.widgets.painter import Painter


class OneLine(Painter):
    """A widget of one line that is painted again only when it reads differently."""

    line: reactive[tuple[Span, ...]] = reactive(())

    def render_line(self, y: int) -> Strip:
        """The line, cut or filled to the width."""
        return self.paint(fit(self.line, self.size.width), self.size.width)

    def render(self) -> RenderResult:
        """Not used: the widget draws lines."""
        return ""


class Header(OneLine):
    """What the whole board comes down to in one line."""

    def __init__(self, name: str) -> None:
        super().__init__(id="header")
        self._registry = name
        self._problems = range(0)
        """The cells in which the number of problems stands."""

    def show(self, view: View) -> None:
        """Tell the counts of a view."""
        wide = self.size.width >= 100
        counts = self._counts(view, wide)
        has_time = view.past is None or view.past.has_time
        clock = [Span(f"   {view.moment.now.astimezone():%H:%M} " if has_time else " ", "muted")]
        left = [Span(" collab-tui  ", "strong")]
        state = self._state(view, wide)
        room = self.size.width - width_of([*left, *state, *counts, *clock]) - 4
        if room >= 12:
            left.append(Span(cut_middle(self._registry, room) + "  ", "muted"))
        self.line = fit([*left, *state], self.size.width, [*counts, *clock])
        self._problems = range(0)
        if (told := self._problem_count(view, wide)) in self.line:
            start = width_of(self.line[: self.line.index(told)])
            self._problems = range(start, start + width_of([told]))

    async def on_click(self, event: events.Click) -> None:
        """The number of problems lists them."""
        if event.x in self._problems:
            await self.screen.run_action("problems")

    @staticmethod
    def _problem_count(view: View, wide: bool) -> Span:
        problems = view.moment.board.problem_count
        return Span(f"{problems} problem{'' if problems == 1 else 's'}" if wide else f"!{problems}", "warning")

    def _state(self, view: View, wide: bool) -> list[Span]:
        """Live, past, frozen or without a source; and how fresh."""
        if view.frozen_at is not None:
            return [Span(f"{view.glyphs.paused} frozen, {view.latest - view.frozen_at} new", "warning")]
        if view.past is not None and view.source.state is State.READY:
            return [Span(f"{view.glyphs.past} replay", "accent")]
        if view.source.state is not State.READY:
            return [Span(f"{view.glyphs.unreadable} {view.source.state.value}", "error")]
        if view.source.remaining:
            done = 100 * (view.source.total - view.source.remaining) // max(1, view.source.total)
            return [Span(f"reading {done} %", "accent")]
        seconds = seconds_between(view.moment.board.last_time, view.moment.now)
        ahead = view.moment.clock_ahead(view.moment.board.last_time)
        if ahead is not None:
            return [Span(f"{view.glyphs.live} live", "success"), Span(f"  clocks {age(ahead)} ahead", "warning")]
        fresh = f"  last event {age(seconds)} ago" if wide and seconds is not None else ""
        method = "" if not wide or self.size.width < 140 else f"  {view.source.method}"
        return [Span(f"{view.glyphs.live} live", "success"), Span(fresh + method, "muted")]

    def _counts(self, view: View, wide: bool) -> list[Span]:
        moment, glyphs = view.moment, view.glyphs
        agents, blocked, deadlocks = len(moment.agents), len(moment.blocked), len(moment.deadlocks)
        needs, problems = len(moment.needs), moment.board.problem_count
        words = {
            "agents": f"{agents} agent{'' if agents == 1 else 's'}",
            "blocked": f"{blocked} blocked" if wide else f"{glyphs.blocker}{blocked}",
            "deadlocks": f"{deadlocks} deadlock{'' if deadlocks == 1 else 's'}"
            if wide
            else f"{glyphs.deadlock}{deadlocks}",
            "needs": f"{glyphs.needs_you} {needs} need{'s' if needs == 1 else ''} you"
            if wide
            else f"{glyphs.needs_you}{needs}",
        }
        told = [Span(words["agents"], "muted")]
        runs = (run for run in moment.board.runs if not run.state.is_over)
        going = sum(name_key(run.agent) not in moment.gone for run in runs)
        told += [Span(f"{going} run{'' if going == 1 else 's'}", "muted")] if going else []
        told += [Span(words["blocked"], "warning")] if blocked else []
        told += [Span(words["deadlocks"], "error")] if deadlocks else []
        told += [self._problem_count(view, wide)] if problems else []
        told += [Span("no monitor", "error")] if view.is_unattended and view.past is None else []
        told += _stream_trouble(view, wide)
        told += [Span(words["needs"], "accent")] if needs else []
        gap = Span(f" {glyphs.separator} " if wide else "  ", "muted")
        return [span for number, count in enumerate(told) for span in ((gap, count) if number else (count,))]


def _stream_trouble(view: View, wide: bool) -> list[Span]:
    """How many sources of events are not read now: given up, or tried again."""
    states = [stream.state for stream in view.moment.board.streams]
    told = ((StreamState.STOPPED, "error"), (StreamState.RETRYING, "warning"))
    counts = [(count, state, role) for state, role in told if (count := states.count(state))]
    if not wide and counts:
        total = sum(count for count, *_ in counts)
        return [Span(f"{view.glyphs.unreadable}{total} stream{'' if total == 1 else 's'}", counts[0][2])]
    return [Span(f"{count} stream{'' if count == 1 else 's'} {state}", role) for count, state, role in counts]


class Banner(OneLine):
    """One line that is there only while there is something to say of the source."""

    def __init__(self) -> None:
        super().__init__(id="banner")

    def show(self, view: View) -> None:
        """Tell what is unusual about the source; hidden when nothing is."""
        text = banner_text(view)
        self.display = bool(text)
        self.line = (Span(f" {text}", "warning"),)


def banner_text(view: View) -> str:
    """What is unusual about the source, the most serious first; empty when nothing is."""
    source = view.source
    if source.state is not State.READY and not view.moment.board.position:
        return ""  # the whole screen says it
    if source.state is State.MISSING and view.moment.board.position:
        return "The registry is gone. This is what it said last; a new one at the same path is read at once."
    if source.state is State.UNREADABLE and view.moment.board.position:
        return f"The registry cannot be read: {source.detail}. This is what it said last."
    if source.restarted is not None:
        return f"The registry was {source.restarted}: another one is shown, from its start."
    if source.was_changed:
        return f"What was read of this registry earlier was changed since: {view.keymap.text('problems')} says where."
    if source.network is not None:
        method = source.method.partition(" (")[0]
        return f"Network file system ({source.network}): {method}; appends made by hand on two machines can be lost."
    if view.config.waiting is not None:
        tables = " and ".join(view.config.waiting.content)
        return f"Not in force until `collab-tui config allow`: the project's {tables}"
    if source.method.startswith("looking"):
        return source.method.capitalize()
    return ""


class PaneTabs(OneLine):
    """The panes of a low terminal, with their counts; a click shows one."""

    def __init__(self) -> None:
        super().__init__(id="tabs")
        self._places: list[tuple[int, int, str]] = []

    def show(self, view: View, active: str) -> None:
        """Tell the counts and which pane is shown."""
        moment = view.moment
        waits = len(moment.waits) + len(moment.board.blockers) + len(moment.deadlocks)
        tabs = [
            ("needs", f"{view.glyphs.needs_you} Needs you" if moment.needs else "Needs you", len(moment.needs)),
            ("agents", "Agents", len(moment.agents)),
            ("waits", "Waits", waits),
            ("log", "Log", moment.board.position),
        ]
        spans: list[Span] = [Span(" ")]
        self._places = []
        for pane, title, count in tabs:
            start = width_of(spans)
            text = f" {title} {count:,} ".replace(",", " ")
            needed = pane == "needs" and count > 0
            role = "strong" if pane == active else "warning" if needed else "muted"
            spans.append(Span(f"[{text}]" if pane == active else f" {text} ", role))
            self._places.append((start, width_of(spans), pane))
        self.line = tuple(spans)

    def on_click(self, event: events.Click) -> None:
        """Show the pane whose tab was clicked."""
        for start, end, pane in self._places:
            if start <= event.x < end:
                self.post_message(PaneChosen(pane))
