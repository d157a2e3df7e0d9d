"""What the person looks up from the board: details, explanations, problems, the next need."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual.screen import Screen
from textual.widget import Widget

from collab_tui.model.board import Deadlock, Request
from collab_tui.model.explain import Explanation, explain_agent, explain_request, explain_session, explain_wait
from collab_tui.tui.actions import USUAL_FILTERS
from collab_tui.tui.desk import Desk
from collab_tui.tui.keymap import Keymap
from collab_tui.tui.screens import dialogs
from collab_tui.tui.view import View
from collab_tui.tui.widgets.agents import AgentsPane
from collab_tui.tui.widgets.item_list import ItemList
from collab_tui.tui.widgets.log import LogPane
from collab_tui.tui.widgets.needs import MAX_SHOWN, NeedsPane, need_key
from collab_tui.tui.widgets.waits import WaitsPane, blocker_key

if TYPE_CHECKING:
    from collab_tui.tui.screens.explain import Explainer


class Looking(Screen[None]):
    """The part of the board's screen that shows more."""

    view: View | None
    desk: Desk
    keymap: Keymap

    @property
    def pane(self) -> Widget | None:
        """The pane that has the keys."""
        raise NotImplementedError

    def focus_pane(self, pane: str) -> None:
        """Give the keys to a pane, showing it where panes are tabs."""
        raise NotImplementedError

    # Opening and explaining

    def action_open(self) -> None:
        """Show the selected thing whole."""
        pane, view = self.pane, self.view
        if view is None:
            return
        if isinstance(pane, NeedsPane | WaitsPane) and (request := pane.request) is not None:
            self.app.push_screen(dialogs.request(self.desk, request, view))
        else:
            self.action_explain()

    def action_explain(self) -> None:
        """Explain where the values of the selected thing come from."""
        pane, view = self.pane, self.view
        if view is None:
            return
        if isinstance(pane, LogPane):
            self._open_line(pane)
        elif isinstance(pane, AgentsPane) and pane.selected is not None:
            agent = view.moment.board.agent(pane.selected)
            if agent is not None:
                session = view.moment.board.session(agent.name)
                seen = explain_session(session) if session is not None else []
                positions = (*agent.set_at.values(), agent.last_position, *(one.position for one in seen))
                self._explain(agent.name, positions, lambda setters: [*explain_agent(agent, setters), *seen])
        elif isinstance(pane, NeedsPane) and isinstance(need := pane.need, Request):
            answer = view.moment.answer(need)
            positions = (need.position, *((answer.position,) if answer else ()))
            judgement = view.moment.judgement(answer.event) if answer else None
            self._explain(
                need.request,
                positions,
                lambda setters: explain_request(need, setters.get(need.position), answer, judgement),
            )
        elif isinstance(pane, NeedsPane) and isinstance(deadlock := pane.need, Deadlock):
            self._explain_reasons("deadlock", [r for wait in deadlock.waits for r in explain_wait(wait)])
        elif isinstance(pane, WaitsPane):
            self._explain_reasons("waits and blockers", pane.explanations())

    def _explain_reasons(self, title: str, found: list[Explanation]) -> None:
        if found:
            self._explain(title, [explanation.position for explanation in found], lambda _: found)

    def _explain(self, title: str, positions: Iterable[int], explain: Explainer) -> None:
        if self.view is not None:
            registry = self.desk.registry
            self.app.push_screen(dialogs.explain(title, positions, explain, registry, self.view.moment))

    def _open_line(self, log: LogPane) -> None:
        position = log.selected if log.selected is not None else log.last_position
        item = log.item(position) if position is not None else None
        if item is not None:
            past = self.view.past if self.view is not None else None
            timeline = past.timeline if past is not None else None
            self.app.push_screen(dialogs.event(item, log.registry, self.desk.trust, timeline))

    def action_usual_from_list(self) -> None:
        """Ask which of the usual filters, then filter the log by it."""
        labels = [what for _, what, _ in USUAL_FILTERS]
        log = self.query_one(LogPane)
        self.app.push_screen(
            dialogs.choose("Show in the log", labels),
            lambda place: log.action_usual(place + 1) if place is not None else None,
        )

    def action_problems(self) -> None:
        """List what is wrong with the registry and around it."""
        if self.view is not None:
            self.app.push_screen(dialogs.problems(self.desk, self.view))

    # The next thing that needs attention

    def action_next_need(self) -> None:
        """Go to the next thing that needs attention, whichever pane it is in."""
        self._step_need(1)

    def action_previous_need(self) -> None:
        """Go to the previous thing that needs attention."""
        self._step_need(-1)

    def _step_need(self, step: int) -> None:
        needs = self._attention()
        if not needs:
            return
        pane = self.pane
        here = (pane.id or "", pane.selected or "") if isinstance(pane, ItemList) else ("", "")
        place = needs.index(here) + step if here in needs else 0 if step > 0 else -1
        name, key = needs[place % len(needs)]
        self.focus_pane(name)
        self.query_one(f"#{name}", ItemList).select(key)

    def _attention(self) -> list[tuple[str, str]]:
        """Pane and key of everything that needs attention: deadlocks and requests, blockers, silent agents."""
        if self.view is None:
            return []
        moment = self.view.moment
        needs = [("needs", need_key(need)) for need in moment.needs[:MAX_SHOWN]]
        blockers = [("waits", blocker_key(obstacle)) for obstacle in moment.board.blockers[:MAX_SHOWN]]
        return [*needs, *blockers, *(("agents", agent.key) for agent in moment.silent)]

    def can_look(self, action: str) -> bool:
        """Whether a key that shows something has something to show."""
        if self.view is None:
            return action in ("quit", "keys", "themes")
        pane = self.pane
        match action:
            case "open" | "explain":
                is_log = isinstance(pane, LogPane)
                return is_log or (isinstance(pane, ItemList) and pane.selected is not None)
            case "usual":
                return isinstance(pane, LogPane)
            case "next_need" | "previous_need":
                return bool(self._attention())
        return True
