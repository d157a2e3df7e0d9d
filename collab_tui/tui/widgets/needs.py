"""What needs you: deadlocks and requests to the person, with the key that helps; below, what agents ask each other."""

from __future__ import annotations

from collab_tui.model.ages import age, seconds_between
from collab_tui.model.asked import asker_gone, expiry
from collab_tui.model.board import Deadlock, Request, RequestKind, RequestState
from collab_tui.model.moment import Need
from collab_tui.model.signature import Standing
from collab_tui.model.summary import Span, standing_span
from collab_tui.tui.safe import Line, fit, some, words
from collab_tui.tui.view import View
from collab_tui.tui.widgets.item_list import ItemList, LinesInSight, Row, lines_of

MAX_SHOWN = 200
"""Needs that have a row; nobody works through more, and each costs time at every update."""


class NeedsPane(ItemList):
    """One item a need, most agents held up first. A request that is selected stays when it is closed, and says so."""

    BORDER_TITLE = "▲ Needs you"

    def __init__(self) -> None:
        super().__init__(id="needs")

    def show(self, view: View) -> None:
        """Show the needs; the count stands in the title."""
        super().show(view)
        count = len(view.moment.needs)
        self.entitle(f"{view.glyphs.needs_you} Needs you" if count else "Needs you", str(count) if count else "")
        self.set_class(bool(count), "-needed")

    @property
    def request(self) -> Request | None:
        """The selected request, or the one whose answer breaks the selected deadlock."""
        need = self.need
        if isinstance(need, Deadlock):
            return self.view.moment.board.request(need.request_id) if self.view and need.request_id else None
        return need

    @property
    def need(self) -> Deadlock | Request | None:
        """What is selected."""
        if self.view is None or self.selected is None:
            return None
        board = self.view.moment.board
        found = next((deadlock for deadlock in self.view.moment.deadlocks if need_key(deadlock) == self.selected), None)
        return found or board.request(self.selected)

    def build(self, view: View, width: int) -> list[Row]:
        """Needs first, then what is asked of others, and the selected one wherever it ended."""
        moment = view.moment
        rows = [
            Row(need_key(need), self._deadlock(view, need, width), lines_of(moment, need.request_id))
            if isinstance(need, Deadlock)
            else self._row(view, need, width)
            for number, need in enumerate(moment.needs)
            if number < MAX_SHOWN or need_key(need) == self.selected
        ]
        kept = self.need
        if isinstance(kept, Request) and not moment.is_answerable(kept):
            place = self.keys.index(kept.id) if kept.id in self.keys else len(rows)
            rows.insert(place, Row(kept.id, self._end_of(view, kept, width), (kept.event.line,)))
        if (more := len(moment.needs) - MAX_SHOWN) > 0:
            rows.append(Row(None, ((Span(f"and {more} more, after these", "muted"),),)))
        if not rows:
            rows.append(Row(None, ((Span("Nothing waits for you.", "muted"),),)))
        if moment.to_others:
            rows.append(Row(None, ((), (Span("asked of others", "muted"),))))
            shown = moment.to_others[:MAX_SHOWN]
            rows += [self._row(view, request, width, dim=True) for request in shown]
        return rows

    def _row(self, view: View, request: Request, width: int, *, dim: bool = False) -> Row:
        chosen = request.id == self.selected
        count = 2 + (not request.is_open) + (chosen or not dim)
        lines = LinesInSight(count, lambda: self._request(view, request, width, dim=dim, chosen=chosen))
        return Row(request.id, lines, (request.event.line,))

    def _deadlock(self, view: View, deadlock: Deadlock, width: int) -> tuple[Line, ...]:
        arrow = f" {view.glyphs.arrow} "
        cycle = arrow.join(words(name) for name in (*deadlock.agents, deadlock.agents[0]))
        lines = [fit([Span(f"{view.glyphs.deadlock} deadlock  {cycle}", "error")], width)]
        request = view.moment.board.request(deadlock.request_id) if deadlock.request_id else None
        if request is None:
            why = "; ".join(f"{words(wait.waiter)}: {words(wait.reasons[0].text)}" for wait in deadlock.waits)
            return (*lines, fit([Span(f"  {why}", "muted")], width))
        asked = f"{words(request.asker)} asks {words(request.target)}: {words(request.request)}"
        lines.append(fit([Span(f"  {asked}")], width))
        lines.append(fit(self._hint(view, request, works=need_key(deadlock) == self.selected), width))
        return tuple(lines)

    def _request(self, view: View, request: Request, width: int, *, dim: bool, chosen: bool) -> tuple[Line, ...]:
        separator = f" {view.glyphs.separator} "
        title = Span(words(request.request), "muted" if dim else "strong")
        lines = [fit([title], width, self._waited(view, request))]
        if not request.is_open:
            lines.append(fit([Span(_claimed(view, request), "warning")], width))
        spans: list[Span] = []
        told = f"{words(request.asker)} asks {words(request.target) if not request.to_person else 'you'}"
        if (expires := expiry(request, view.moment)).text:
            spans, told = [Span(f"{told}{separator}", "muted"), expires], ""
        facts = [told]
        facts += [gone] if (gone := asker_gone(request, view.moment)) else []
        held_up = [words(name) for name in view.moment.held_up(request) if name != request.asker]
        facts += [f"holds up {', '.join(held_up)}"] if held_up else []
        facts += [f"perhaps answered by {words(request.answer.by)}"] if request.answer and request.is_open else []
        spans.append(Span(separator.join(facts), "muted"))
        if request.is_critical:
            spans.append(Span(f"{separator}critical", "error"))
        if (due := self._due(view, request)) is not None:
            spans += [Span(separator, "muted"), due]
        if request.evidence:
            spans.append(Span(f"{separator}evidence {', '.join(some(request.evidence))}", "muted"))
        lines.append(fit(spans, width))
        if chosen or not dim:
            lines.append(fit(self._hint(view, request, works=chosen), width))
        return tuple(lines)

    def _hint(self, view: View, request: Request, *, works: bool) -> list[Span]:
        """The keys that help, or that the answer is on its way. They work on the selected one, and none in the past."""
        key_role = "accent" if works and view.past is None else "muted"
        approve, reject, read = map(view.keymap.text, ("approve", "reject", "open"))
        if request.id in view.sending:
            return [Span("sending...", "accent")]
        match request.kind:
            case RequestKind.CHOICE if request.options:
                hint: list[Span] = []
                for number, option in enumerate(request.options[:9], 1):
                    hint += [Span(f"{number} ", key_role), Span(f"{words(option)}  ")]
                more = len(request.options) - 9
                return hint + ([Span(f"and {more} more: {read}", "muted")] if more > 0 else [])
            case _ if view.past is not None:
                return [Span(f"{read} read", "muted")]
            case RequestKind.QUESTION:
                return [Span(f"{read} ", key_role), Span("answer", "muted")]
            case _:
                keys = ((approve, "approve"), (reject, "reject"), (read, "read and answer"))
                return [span for key, what in keys for span in (Span(f"{key} ", key_role), Span(f"{what}  ", "muted"))]

    def _end_of(self, view: View, request: Request, width: int) -> tuple[Line, ...]:
        """What became of the selected request: it stays in its place until the selection leaves it."""
        glyphs = view.glyphs
        answer = view.moment.answer(request)
        said = words(answer.text) if answer else ""
        by = words(answer.by) if answer else ""
        mark = standing_span(view.moment.standing(answer) if answer else None, glyphs)
        match request.state:
            case RequestState.ANSWERED if answer and answer.verdict == "rejected":
                end = Span(f"{glyphs.no} {said} by {by}", "error")
            case RequestState.ANSWERED:
                end = Span(f"{glyphs.yes} {said} by {by}", "success")
            case RequestState.WITHDRAWN:
                end = Span(f"withdrawn by {words(request.asker)}", "muted")
            case RequestState.MOVED_ON:
                end = Span(f"{words(request.asker)} went on; perhaps answered by {by}", "muted")
            case _:
                end = Span("expired", "warning")
        told = [end]
        if view.moment.needs and view.past is None:
            told += [Span(f"  {view.keymap.text('next_need')} ", "accent"), Span("the next", "muted")]
        return fit([Span(words(request.request), "muted")], width), fit(told, width, [mark])

    def _due(self, view: View, request: Request) -> Span | None:
        """Its deadline, as time that is left or over."""
        if request.deadline is None:
            return None
        seconds = (request.deadline - view.moment.now).total_seconds()
        if seconds <= 0:
            return Span(f"overdue {age(-seconds)}", "warning")
        return Span(f"due in {age(seconds)}", "muted")

    def _waited(self, view: View, request: Request) -> list[Span]:
        seconds = seconds_between(request.asked_at, view.moment.now)
        return [Span(f"waits {age(seconds)}", "muted")] if seconds is not None else []


def _claimed(view: View, request: Request) -> str:
    """That somebody answered it as the person, and what."""
    answer = view.moment.answer(request)
    match view.moment.standing(answer) if answer else None:
        case Standing.UNKNOWN_KEY:
            how = "with an unknown key"
        case Standing.BAD:
            how = "with a bad signature"
        case _:
            how = "not signed"
    return f"answered in your name, {how}: {words(answer.text) if answer else ''}"


def need_key(need: Need) -> str:
    """The key of a need's row. A deadlock whose way out is another request is another row: a key that was meant for
    one request must not answer the next.
    """
    return f"{need.id}\n{need.request_id}" if isinstance(need, Deadlock) else need.id
