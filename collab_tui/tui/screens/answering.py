"""What the person does from the board: approve, reject, choose, unblock, decide, send a message.

A key never changes the picture. It appends an event; the event comes back through the registry and the board changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.screen import Screen
from textual.widget import Widget

from collab_tui.model.board import Blocker, Deadlock, Request, RequestKind
from collab_tui.model.words import name_key
from collab_tui.tui.actions import SEEN_FOR
from collab_tui.tui.desk import Desk, Told
from collab_tui.tui.safe import toast, words
from collab_tui.tui.screens import dialogs
from collab_tui.tui.screens.asking import once_signing, once_sure
from collab_tui.tui.view import View
from collab_tui.tui.widgets.agents import AgentsPane
from collab_tui.tui.widgets.item_list import ItemList
from collab_tui.tui.widgets.needs import NeedsPane
from collab_tui.tui.widgets.waits import WaitsPane

_JUST_APPEARED = "It only just appeared: look at it, then press again"


class Answering(Screen[None]):
    """The part of the board's screen that writes."""

    view: View | None
    desk: Desk
    NEXT: ClassVar[str] = "next_need"
    """The action that goes on from what is closed."""
    _said_closed: str | None = None
    """The request of which was said last that it is closed."""

    @property
    def pane(self) -> Widget | None:
        """The pane that has the keys."""
        raise NotImplementedError

    def refuse_in_past(self) -> bool:
        """Say that nothing can be answered in the past; False in the present."""
        raise NotImplementedError

    # What is selected

    def selected_request(self) -> Request | None:
        """The request that the keys act on: the selected one, or that of the selected agent, wait or deadlock."""
        pane, view = self.pane, self.view
        if view is None:
            return None
        if isinstance(pane, NeedsPane | WaitsPane):
            return pane.request
        if isinstance(pane, AgentsPane):
            mine = [n for n in view.moment.needs if isinstance(n, Request) and name_key(n.asker) == pane.selected]
            return mine[0] if len(mine) == 1 else None
        return None

    def selected_blockers(self) -> list[tuple[str, Blocker]]:
        """Agent and blocker that `u` acts on."""
        pane, view = self.pane, self.view
        if view is None:
            return []
        names: Sequence[str] = ()
        obstacle = pane.obstacle if isinstance(pane, WaitsPane) else None
        if obstacle is not None:
            names = obstacle.holders
        elif isinstance(pane, AgentsPane) and pane.selected is not None:
            names = (pane.selected,)
        elif isinstance(pane, NeedsPane):
            need = pane.need
            names = need.agents if isinstance(need, Deadlock) else (need.asker,) if need else ()
        agents = [agent for name in names if (agent := view.moment.board.agent(name)) is not None]
        found = [(agent.name, blocker) for agent in agents for blocker in agent.blockers]
        return [one for one in found if obstacle is None or one[1].text == obstacle.text]

    # Answering

    def action_approve(self) -> None:
        """Approve the selected request."""
        self._answer("approved")

    def action_reject(self) -> None:
        """Reject the selected request."""
        self._answer("rejected")

    def action_choose(self, number: str) -> None:
        """Answer with the option of that number."""
        if self.refuse_in_past():
            return
        request = self.selected_request()
        if request is not None and int(number) <= len(request.options):
            self._answer(request.options[int(number) - 1])

    def action_choose_from_list(self) -> None:
        """Ask which option, then answer with it."""
        request = self.selected_request()
        if request is not None:
            labels = [words(option) for option in request.options]
            self.app.push_screen(
                dialogs.choose("Which option?", labels),
                lambda place: self._answer(request.options[place]) if place is not None else None,
            )

    def _answer(self, given: str) -> None:
        if self.refuse_in_past():
            return
        request, pane, view = self.selected_request(), self.pane, self.view
        if request is None or view is None or not isinstance(pane, ItemList) or pane.selected is None:
            return
        if request.id in view.sending:
            toast(self.app, "Its answer is on its way")
        elif not view.moment.is_answerable(request):
            self._say_closed(request, view)
        elif pane.on_screen_for(pane.selected) < SEEN_FOR:
            toast(self.app, _JUST_APPEARED, "warning")
        else:
            known = view.moment.board.position
            once_sure(self.app, request, given, lambda: self._send_answer(request, given, known))

    def _say_closed(self, request: Request, view: View) -> None:
        """Say once why the key does nothing, and which one goes on."""
        if self._said_closed != request.id:
            self._said_closed = request.id
            next_key = view.keymap.text(self.NEXT)
            more = f"{next_key}: the next" if view.moment.needs else "nothing else waits for you"
            toast(self.app, f"It is closed; {more}", "warning")

    def _send_answer(self, request: Request, given: str, known: int) -> None:
        """Send it, and say so if it could not be: a quick answer has no words that could be lost.

        `known` is the position of the board that the person saw: it may be a frozen one, or older than a question.
        """
        told = self._unless(f"“{words(request.request)}” was not answered")
        once_signing(self.app, self.desk, lambda: self.desk.answer(request, given, None, known, told))

    # Unblocking

    def action_unblock(self) -> None:
        """Remove the selected blocker; when there are several, ask which."""
        if self.refuse_in_past():
            return
        found = self.selected_blockers()
        pane, view = self.pane, self.view
        if not found or view is None:
            return
        known = view.moment.board.position
        if isinstance(pane, ItemList) and pane.on_screen_for(pane.selected or "") < SEEN_FOR:
            toast(self.app, _JUST_APPEARED, "warning")
            return
        if len(found) == 1 or isinstance(pane, WaitsPane):
            for name, blocker in found:
                self._send_resolution(name, blocker, known)
            return
        labels = [f"{words(name)}: {words(blocker.text)}" for name, blocker in found]
        self.app.push_screen(
            dialogs.choose("Which blocker?", labels),
            lambda place: self._send_resolution(*found[place], known) if place is not None else None,
        )

    def _send_resolution(self, name: str, blocker: Blocker, known: int) -> None:
        told = self._unless(f"{words(name)} was not unblocked")
        if self.desk.is_awaited(blocker):
            once_signing(self.app, self.desk, lambda: self.desk.unblock(name, blocker, known, told))
        else:
            self.desk.unblock(name, blocker, known, told)

    def _unless(self, failed: str) -> Told:
        """Says that something failed, and why; nothing when it did not."""
        return lambda error: toast(self.app, f"{failed}: {error}", "error") if error is not None else None

    # Writing

    def action_decide(self) -> None:
        """Write a decision that nobody asked for."""
        if self.view is not None and not self.refuse_in_past():
            self.app.push_screen(dialogs.decide(self.desk, self._names(), self.selected_name()))

    def action_message(self) -> None:
        """Write a message to an agent or to all."""
        if self.view is not None and not self.refuse_in_past():
            self.app.push_screen(dialogs.message(self.desk, ["all", *self._names()], self.selected_name() or "all"))

    def _names(self) -> list[str]:
        return [agent.name for agent in self.view.moment.agents] if self.view else []

    def selected_name(self) -> str | None:
        """The agent that is selected, or that asks what is."""
        pane, view = self.pane, self.view
        if view is None:
            return None
        if isinstance(pane, AgentsPane) and pane.selected is not None:
            agent = view.moment.board.agent(pane.selected)
            return agent.name if agent else None
        request = self.selected_request()
        return request.asker if request else None

    def can_answer(self, action: str) -> bool | None:
        """Whether the key would do something with what is selected; None for an action that is not about that."""
        if self.view is None:
            return False
        match action:
            case "approve" | "reject":
                request = self.selected_request()
                return request is not None and self._is_open(request) and request.kind is RequestKind.APPROVAL
            case "choose":
                request = self.selected_request()
                return request is not None and self._is_open(request) and bool(request.options)
            case "unblock":
                return bool(self.selected_blockers())
            case "decide" | "message":
                return True
        return None

    def says_closed(self, action: str) -> bool:
        """It would answer what is selected and closed by now, and its key says so."""
        request = self.selected_request() if action in ("approve", "reject", "choose") else None
        return request is not None and not self._is_open(request)

    def _is_open(self, request: Request) -> bool:
        return self.view is not None and self.view.moment.is_answerable(request)
