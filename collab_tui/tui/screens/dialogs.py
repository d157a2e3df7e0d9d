"""The dialogs, each imported when it is opened: the first paint need not wait for what is not on the screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from textual.screen import ModalScreen, Screen

from collab_tui.model.board import Request
from collab_tui.model.event import Item
from collab_tui.model.moment import Moment
from collab_tui.protocol.trust import Trust
from collab_tui.registry.base import Registry
from collab_tui.tui.actions import Page
from collab_tui.tui.desk import Desk
from collab_tui.tui.keymap import Keymap
from collab_tui.tui.view import View

if TYPE_CHECKING:
    from collab_tui.model.findings import Finding
    from collab_tui.model.places import Place
    from collab_tui.model.timeline import Timeline
    from collab_tui.tui.screens.explain import Explainer


def request(desk: Desk, of: Request, view: View) -> ModalScreen[None]:
    """The whole request, to be answered."""
    from collab_tui.tui.screens.request import RequestScreen

    return RequestScreen(desk, of, view)


def explain(
    title: str, positions: Iterable[int], explainer: Explainer, registry: Registry, moment: Moment
) -> ModalScreen[None]:
    """Where values come from."""
    from collab_tui.tui.screens.explain import ExplainScreen

    return ExplainScreen(title, positions, explainer, registry, moment)


def event(item: Item, registry: Registry, trust: Trust, timeline: Timeline | None) -> ModalScreen[None]:
    """One line of the registry."""
    from collab_tui.tui.screens.event import EventScreen

    return EventScreen(item, registry, trust, timeline)


def problems(desk: Desk, view: View) -> ModalScreen[None]:
    """What is wrong with the registry and around it; of a picture of an earlier moment, only what it shows."""
    from collab_tui.monitor.watching import unattended
    from collab_tui.protocol.checkup import check_moment, check_up
    from collab_tui.registry.jsonl import JsonlRegistry
    from collab_tui.tui.screens.problems import ProblemsScreen
    from collab_tui.tui.settings import screen_problems

    def look() -> Sequence[Finding]:
        is_present = view.frozen_at is None and view.past is None
        if is_present and isinstance(desk.registry, JsonlRegistry):
            now, path = view.moment.now, desk.registry.path
            return check_up(path, now, screen_problems, desk.person, desk.trust, unattended).findings
        return check_moment(view.moment)

    return ProblemsScreen(look, view.glyphs)


def keys(keymap: Keymap, page: Page, is_past: bool) -> ModalScreen[None]:
    """The keys of a screen."""
    from collab_tui.tui.screens.keys import KeysScreen

    return KeysScreen(keymap, page, is_past)


def beside(page: Page, desk: Desk, keymap: Keymap, view: View, chosen: str | None) -> Screen[None]:
    """A whole screen beside the board; `chosen` is the agent whose session or run is selected there."""
    if page is Page.SESSIONS:
        from collab_tui.tui.screens.sessions import SessionsScreen

        return SessionsScreen(desk, keymap, view, chosen)
    if page is Page.RUNS:
        from collab_tui.tui.screens.runs import RunsScreen

        return RunsScreen(desk, keymap, view, chosen)
    from collab_tui.tui.screens.workers import WorkersScreen

    return WorkersScreen(desk, keymap, view, chosen)


def choose(title: str, labels: Sequence[str]) -> ModalScreen[int]:
    """One of several."""
    from collab_tui.tui.screens.choose import ChooseScreen

    return ChooseScreen(title, labels)


def go_to(go: Callable[[Place], None]) -> ModalScreen[None]:
    """A place in the past."""
    from collab_tui.tui.screens.go_to import GoToScreen

    return GoToScreen(go)


def decide(desk: Desk, names: Sequence[str], chosen: str | None) -> ModalScreen[None]:
    """Writing a decision that nobody asked for."""
    from collab_tui.tui.screens.compose import DecideScreen

    return DecideScreen(desk, names, chosen)


def message(desk: Desk, names: Sequence[str], chosen: str | None) -> ModalScreen[None]:
    """Writing a message."""
    from collab_tui.tui.screens.compose import MessageScreen

    return MessageScreen(desk, names, chosen)
