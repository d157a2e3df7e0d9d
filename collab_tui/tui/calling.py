"""Calls to the person: by the window's title and notifications, whatever the screen shows, and by toasts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from time import monotonic
from typing import TYPE_CHECKING, Final

from textual import events

from collab_tui.config import Config
from collab_tui.model.event import Event
from collab_tui.model.moment import Moment
from collab_tui.reactions.wording import quoted
from collab_tui.tui.crash import RaisingApp
from collab_tui.tui.messages import BoardRead
from collab_tui.tui.narrow import narrow_encoding
from collab_tui.tui.noticing import Kind, Thing, things_of
from collab_tui.tui.notifying import Attention, Notifier
from collab_tui.tui.rule_notices import RuleNotices
from collab_tui.tui.title import Title
from collab_tui.tui.toasting import Toasts

if TYPE_CHECKING:
    from collab_tui.config.rules import Rule

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
    """Calls the person. `toast` shows a text and its title on the screen, `write` writes to the terminal past it."""

    def __init__(
        self,
        config: Config,
        attention: Attention,
        toast: Callable[[str, str], object],
        write: Callable[[str], None],
        environ: Mapping[str, str],
        newer_rules: Callable[[], Sequence[Rule]],
    ) -> None:
        """`newer_rules` are those of settings that changed since it was asked last."""
        self._toasts = Toasts(toast)
        ascii_only = narrow_encoding() is not None
        self._notifier = Notifier(
            config.notifications, write, self._show_news, environ, attention, ascii_only=ascii_only
        )
        self._title = Title(write)
        self._began: tuple[int, int] | None = None
        """Generation and position of the first line that is new here; None while the backlog is read."""
        self._rule_notices = RuleNotices(config.rules, newer_rules)
        self._notices: deque[Thing] = deque(maxlen=_MOST_NOTICES)

    @property
    def has_titled(self) -> bool:
        """The terminal's title was set, and is to be given back."""
        return self._title.is_written

    def read(self, message: BoardRead) -> None:
        """Show what rules notify of in the lines that came; those that were there at the start are old."""
        generation, remaining = message.source.generation, message.source.remaining
        events = [item for item in message.latest if isinstance(item, Event)]
        if self._began is None or self._began[0] != generation:
            self._notices.clear()
            if self._began is not None:
                self._rule_notices.restart()
            self._rule_notices.see(events)
            self._began = None if remaining else (generation, message.lines)
            return
        came = [event for event in events if event.position >= self._began[1]]
        self._began = generation, max(self._began[1], message.board.position)
        for notice in self._rule_notices.among(came, message.board):
            self._toasts.offer(quoted(notice.text), f"rule {notice.rule}", monotonic())
            self._notices.append(Thing(notice.key, Kind.NOTICE))

    def look(self, live: BoardRead, moment: Moment, *, is_shown: bool) -> None:
        """Tell what needs the person now, and what happened; `is_shown`: the screen shows that very board."""
        self._title.show(len(moment.needs))
        self._toasts.settle(monotonic())
        self._notifier.look(
            chain(things_of(moment), self._notices),
            live.source.generation,
            monotonic(),
            is_backlog=bool(live.source.remaining),
            is_shown=is_shown,
        )

    def _show_news(self, text: str) -> None:
        self._toasts.offer(text, "", monotonic())
