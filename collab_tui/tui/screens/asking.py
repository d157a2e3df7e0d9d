"""What is asked before an answer is sent: whether the person is sure, and whether to make their key."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import App

from collab_tui.model.board import Request
from collab_tui.tui.desk import Desk
from collab_tui.tui.safe import cut, words


def once_sure(app: App[object], of: Request, given: str, send: Callable[[], None]) -> None:
    """Send an answer; of a request that its asker calls critical, only when the person says so once more."""
    if not of.is_critical:
        send()
        return
    text = f"{words(of.asker)} calls this critical: {words(of.request)}"
    from collab_tui.tui.screens.confirm import ConfirmScreen

    screen = ConfirmScreen(text, cut(f"Answer: {words(given)}", 60))
    app.push_screen(screen, lambda sure: send() if sure else None)


def once_signing(app: App[object], desk: Desk, send: Callable[[], None]) -> None:
    """Send a decision; where the person has no key yet, first ask to make it, and send nothing if they do not."""
    if not desk.needs_key:
        send()
        return
    from collab_tui.tui.screens.key import KeyScreen

    app.push_screen(KeyScreen(desk.trust.keyring), lambda made: send() if made else None)
