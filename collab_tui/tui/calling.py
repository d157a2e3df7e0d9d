"""Calls to the person: by the window's title and notifications, whatever the screen shows, and by toasts of rules."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Final

from textual import events

from collab_tui.config import Config
from collab_tui.config.settings import Notifications
from collab_tui.model.event import Event
from collab_tui.model.moment import Moment
from collab_tui.tui.crash import RaisingApp
from collab_tui.tui.messages import BoardRead
from collab_tui.tui.narrow import narrow_encoding
from collab_tui.tui.noticing import Kind, Thing, things_of
from collab_tui.tui.notifying import Attention, Notifier
from collab_tui.tui.safe import words
from collab_tui.tui.title import Title

_MOST_TOASTS: Final = 3
"""Of what came at once; more would hide the board."""
_MOST_NOTICES: Final = 100


class Attentive(RaisingApp):
    """The part of the app that knows whether somebody sits there."""

    attention: Attention

    async def on_event(self, event: events.Event) -> None:
        """Keys and the mouse are signs of the person."""
        if isinstance(event, events.InputEvent):
            self.attention.acted(monotonic())
        await super().on_event(event)

    def on_app_focus(self) -> None:
        """The terminal got the focus."""
        self.attention.told(True, monotonic())

    def on_app_blur(self) -> None:
        """The terminal lost it."""
        self.attention.told(False, monotonic())


class Caller:
    """Calls the person. `toast` shows a text on the screen, `write` writes to the terminal past it."""

    def __init__(
        self,
        config: Config,
        attention: Attention,
        toast: Callable[[str], object],
        write: Callable[[str], None],
        environ: Mapping[str, str],
    ) -> None:
        self._toast = toast
        self._is_on = config.notifications != Notifications.OFF
        ascii_only = narrow_encoding() is not None
        self._notifier = Notifier(config.notifications, write, environ, attention, ascii_only=ascii_only)
        self._title = Title(write)
        self._began: tuple[int, int] | None = None
        """Generation and position of the first line that is new here; None while the backlog is read."""
        self._notices: deque[Thing] = deque(maxlen=_MOST_NOTICES)

    @property
    def has_titled(self) -> bool:
        """The terminal's title was set, and is to be given back."""
        return self._title.is_written

    def read(self, message: BoardRead) -> None:
        """Show what rules notify of in the lines that came; those that were there at the start are old."""
        generation, remaining = message.source.generation, message.source.remaining
        if self._began is None or self._began[0] != generation:
            self._notices.clear()
            self._began = None if remaining else (generation, message.lines)
            return
        came = [item for item in message.latest if item.position >= self._began[1] and isinstance(item, Event)]
        self._began = generation, max(self._began[1], message.board.position)
        notices = [event for event in came if _is_notice(event)]
        for event in notices[:_MOST_TOASTS]:
            self._toast(f"{words(event.text('rule'))}: {words(event.text('notify'))}")
        if (more := len(notices) - _MOST_TOASTS) > 0:
            self._toast(f"and {more} more notices of your rules: the log has them")
        self._notices.extend(Thing(("notice", event.id), Kind.NOTICE) for event in notices)

    def look(self, live: BoardRead, moment: Moment, *, is_shown: bool) -> None:
        """Tell what needs the person now, and what happened; `is_shown`: the screen shows that very board."""
        self._title.show(len(moment.needs))
        if self._is_on:
            source = live.source
            self._notifier.look(
                (*things_of(moment), *self._notices),
                source.generation,
                monotonic(),
                is_backlog=bool(source.remaining),
                is_shown=is_shown,
            )


def _is_notice(event: Event) -> bool:
    """A rule's notification, as the monitor writes it when it was made; not that one was held back."""
    data: Mapping[str, Any] = event.data
    return event.kind == "activation" and isinstance(data.get("chain"), dict) and event.text("notify") is not None
