"""Waits and blockers: deadlocks first, then what holds up most, then who waits for whom and why."""

from __future__ import annotations

from rich.cells import cell_len

from collab_tui.model.ages import age, seconds_between
from collab_tui.model.board import Because, Obstacle, Request, Wait
from collab_tui.model.explain import Explanation, explain_obstacle, explain_wait
from collab_tui.model.summary import Span
from collab_tui.model.words import Status
from collab_tui.tui.desk import sending_key
from collab_tui.tui.safe import MOST_ENTRIES, Line, cut_agent, fit, pad, words
from collab_tui.tui.view import View
from collab_tui.tui.widgets.item_list import ItemList, Row, line_in_sight, lines_of

MAX_SHOWN = 200
"""Blockers, and waits, that have a row."""
_NAME = 16
_PAIR, _MOST_PAIR = 24, 35
"""Cells of who waits for whom: at least, and at most where there is room."""
_ROOMY = 90


class WaitsPane(ItemList):
    """One line an entry."""

    BORDER_TITLE = "Waits and blockers"

    def __init__(self) -> None:
        super().__init__(id="waits")

    def show(self, view: View) -> None:
        """Show the graph; the count stands in the title."""
        super().show(view)
        self.entitle("Waits and blockers", str(len(self.keys)) if self.keys else "")
        self.set_class(bool(view.moment.deadlocks), "-deadlock")

    @property
    def obstacle(self) -> Obstacle | None:
        """The selected blocker."""
        board = self.view.moment.board if self.view else None
        return next((o for o in board.blockers if blocker_key(o) == self.selected), None) if board else None

    @property
    def request(self) -> Request | None:
        """The request that the selected wait is about, or whose answer breaks the selected deadlock."""
        if self.view is None:
            return None
        moment = self.view.moment
        board = moment.board
        for deadlock in moment.deadlocks:
            if deadlock.id == self.selected and deadlock.request_id:
                return board.request(deadlock.request_id)
        wait = next((wait for wait in moment.waits if _wait_key(wait) == self.selected), None)
        request_id = _request_id(wait) if wait else None
        return board.request(request_id) if request_id else None

    def explanations(self) -> list[Explanation]:
        """Where the selected row comes from."""
        if self.view is None:
            return []
        moment = self.view.moment
        board = moment.board
        found = [e for o in board.blockers if blocker_key(o) == self.selected for e in explain_obstacle(o)]
        found += [e for wait in moment.waits if _wait_key(wait) == self.selected for e in explain_wait(wait)]
        cycles = (deadlock for deadlock in moment.deadlocks if deadlock.id == self.selected)
        return found + [e for deadlock in cycles for wait in deadlock.waits for e in explain_wait(wait)]

    def build(self, view: View, width: int) -> list[Row]:
        """The rows in the order of what needs attention first."""
        moment = view.moment
        board = moment.board
        rows = []
        arrow = f" {view.glyphs.arrow} "
        for deadlock in moment.deadlocks:
            cycle = arrow.join(words(name) for name in (*deadlock.agents, deadlock.agents[0]))
            why = f" {view.glyphs.separator} ".join(
                f"{words(wait.waiter)}: {words(wait.reasons[0].text)}" for wait in deadlock.waits
            )
            left = [Span(f"{view.glyphs.deadlock} deadlock  {cycle}  ", "error"), Span(why, "muted")]
            rows.append(Row(deadlock.id, (fit(left, width),), lines_of(moment, deadlock.request_id)))
        rows += [
            Row(blocker_key(obstacle), line_in_sight(self._obstacle, view, obstacle, width))
            for obstacle in board.blockers[:MAX_SHOWN]
        ]
        waits = moment.waits[:MAX_SHOWN]
        pairs = _MOST_PAIR if width >= _ROOMY else _PAIR
        pairs = min(pairs, max([_PAIR, *(cell_len(_pair(view, wait, _MOST_PAIR)) for wait in waits)]))
        for wait in waits:
            line = line_in_sight(self._wait, view, wait, pairs, width)
            rows.append(Row(_wait_key(wait), line, lines_of(moment, _request_id(wait))))
        if (more := len(moment.waits) - MAX_SHOWN) > 0:
            rows.append(Row(None, ((Span(f"and {more} more waits", "muted"),),)))
        return rows or [Row(None, ((Span("Nobody waits for anybody.", "muted"),),))]

    def _obstacle(self, view: View, obstacle: Obstacle, width: int) -> Line:
        left = [Span(f"{view.glyphs.blocker} {words(obstacle.text)}  ", "warning")]
        held = ", ".join(words(name) for name in obstacle.holds_up)
        left.append(Span(f"holds up {len(obstacle.holds_up)}: {held}", "muted"))
        if any(sending_key(name, obstacle.text) in view.sending for name in obstacle.holders):
            return fit(left, width, [Span("sending...", "accent")])
        if view.past is not None:
            return fit(left, width)
        return fit(left, width, [Span(f"{view.keymap.text('unblock')} ", "accent"), Span("unblock", "muted")])

    def _wait(self, view: View, wait: Wait, pairs: int, width: int) -> Line:
        reasons = (_because(reason.because, words(reason.text)) for reason in wait.reasons[:MOST_ENTRIES])
        why = f" {view.glyphs.separator} ".join(reasons)
        answered = "answered?  " if all(reason.answered for reason in wait.reasons) else ""
        asked = next((view.moment.board.request(r.request_id) for r in wait.reasons if r.request_id), None)
        seconds = seconds_between(asked.asked_at, view.moment.now) if asked else None
        right = [Span(f"since {age(seconds)}", "muted")] if seconds is not None else []
        return fit(
            [
                Span(f"{view.glyphs.statuses[Status.WAITING]} {pad(_pair(view, wait, pairs), pairs)}  "),
                Span(answered, "accent"),
                Span(why, "muted"),
            ],
            width,
            right,
        )


def _pair(view: View, wait: Wait, width: int) -> str:
    """Who waits for whom, in at most so many cells: the longer of the two names is cut first."""
    arrow = f" {view.glyphs.arrow} "
    waiter, awaited = words(wait.waiter), "you" if view.moment.is_me(wait.awaited) else words(wait.awaited)
    room = width - cell_len(arrow)
    left = max(room // 2, room - cell_len(awaited))
    waiter = cut_agent(waiter, min(_NAME, left))
    return f"{waiter}{arrow}{cut_agent(awaited, min(_NAME, room - cell_len(waiter)))}"


def _because(because: Because, text: str) -> str:
    how = {Because.REQUEST: "asks ", Because.TASK: "needs "}.get(because, "")
    return f"{how}{text}"


def blocker_key(obstacle: Obstacle) -> str:
    """The key of a blocker's row."""
    return f"blocker:{obstacle.text}"


def _request_id(wait: Wait) -> str | None:
    """The request that a wait is about, the oldest if there are several."""
    return next((reason.request_id for reason in wait.reasons if reason.request_id), None)


def _wait_key(wait: Wait) -> str:
    return f"wait:{wait.waiter}\n{wait.awaited}"
