"""The dialogs, each imported when it is opened: the first paint need not wait for what is not on the screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from textual.screen import ModalScreen

from collab_tui.model.board import Board, Request
from collab_tui.model.event import Item
from collab_tui.model.moment import Moment
from collab_tui.registry.base import Registry
from collab_tui.tui.desk import Desk
from collab_tui.tui.view import View

if TYPE_CHECKING:
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


def event(item: Item, registry: Registry, person: str) -> ModalScreen[None]:
    """One line of the registry."""
    from collab_tui.tui.screens.event import EventScreen

    return EventScreen(item, registry, person)


def problems(board: Board) -> ModalScreen[None]:
    """What is odd about the registry."""
    from collab_tui.tui.screens.problems import ProblemsScreen

    return ProblemsScreen(board)


def keys() -> ModalScreen[None]:
    """The keys."""
    from collab_tui.tui.screens.keys import KeysScreen

    return KeysScreen()


def confirm(text: str, go_on: str) -> ModalScreen[bool]:
    """Asking once more."""
    from collab_tui.tui.screens.confirm import ConfirmScreen

    return ConfirmScreen(text, go_on)


def choose(title: str, labels: Sequence[str]) -> ModalScreen[int]:
    """One of several."""
    from collab_tui.tui.screens.choose import ChooseScreen

    return ChooseScreen(title, labels)


def decide(desk: Desk, names: Sequence[str], chosen: str | None) -> ModalScreen[None]:
    """Writing a decision that nobody asked for."""
    from collab_tui.tui.screens.compose import DecideScreen

    return DecideScreen(desk, names, chosen)


def message(desk: Desk, names: Sequence[str], chosen: str | None) -> ModalScreen[None]:
    """Writing a message."""
    from collab_tui.tui.screens.compose import MessageScreen

    return MessageScreen(desk, names, chosen)
