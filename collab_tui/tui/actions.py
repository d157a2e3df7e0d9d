"""Everything the user can do, each declared once: key, footer text, palette title, help."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from textual.binding import Binding, BindingType

SEEN_FOR: Final = 0.3
"""Seconds for which something must have been on the screen before a key answers or removes it."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that the user can do on the board."""

    id: str
    """Names the method `action_<id>` and what the config remaps."""
    keys: str
    """Textual's key names, separated by commas; the first is shown."""
    label: str
    """In the footer; empty: not shown there."""
    title: str
    """In the palette and the list of keys."""
    group: str
    shown_key: str = ""
    """How the key is written, where Textual's name is not it."""
    weight: int = 50
    """Place in the footer: the lowest come first and stay longest when it is narrow."""

    @property
    def method(self) -> str:
        """The action that a click or the palette runs: for one with several keys, asking which."""
        return f"{self.id}_from_list" if "-" in self.shown_key else self.id

    @property
    def key_text(self) -> str:
        """The key as people write it."""
        return self.shown_key or self.keys.split(",")[0].replace("_", " ")


ACTIONS: Final = (
    Action("approve", "a", "approve", "Approve the selected request", "Answer", weight=1),
    Action("reject", "x", "reject", "Reject the selected request", "Answer", weight=2),
    Action("choose", "1,2,3,4,5,6,7,8,9", "choose", "Choose an option of the selected request", "Answer", "1-9", 3),
    Action("open", "enter", "open", "Open what is selected", "Answer", weight=4),
    Action("unblock", "u", "unblock", "Remove the selected blocker", "Answer", weight=5),
    Action("decide", "d", "decide", "Decide something that nobody asked for", "Answer", weight=40),
    Action("message", "m", "message", "Send a message to an agent", "Answer", weight=41),
    Action("next_need", "n", "next", "Go to the next thing that needs attention", "Move", weight=10),
    Action("previous_need", "N,shift+n", "", "Go to the previous thing that needs attention", "Move", "N"),
    Action("next_pane", "tab", "pane", "Go to the next pane", "Move", weight=30),
    Action("previous_pane", "shift+tab", "", "Go to the previous pane", "Move", "shift+tab"),
    Action("filter", "slash", "filter", "Filter the log", "Look", "/", 20),
    Action("usual", "1,2,3,4,5", "usual filters", "Filter the log in a usual way", "Look", "1-5", 6),
    Action("freeze", "space", "freeze", "Freeze the picture, or let it go on", "Look", weight=21),
    Action("explain", "e", "explain", "Explain where the selected values come from", "Look", weight=22),
    Action("order", "o", "order", "Order the agents by need, name or activity", "Look", weight=23),
    Action("problems", "p", "problems", "List what is odd about the registry", "Look", weight=42),
    Action("themes", "ctrl+t", "", "Choose a theme", "Look", "ctrl+t"),
    Action("keys", "question_mark", "keys", "List the keys", "Look", "?", 0),
    Action("quit", "q", "quit", "Leave the board", "Look", weight=60),
)

USUAL_FILTERS: Final = (
    ("1", "everything", ""),
    ("2", "requests and decisions", "event:decision_request,decision,request_withdrawn"),
    ("3", "blockers", "event:blocker,blocker_resolved"),
    ("4", "messages", "event:message"),
    ("5", "all but status updates", "-event:status_update,progress"),
)
"""Key while the log has the keys, what it shows, and the filter that it writes."""

BY_ID: Final = {action.id: action for action in ACTIONS}


def bindings(actions: Iterable[Action] = ACTIONS) -> list[BindingType]:
    """The key bindings of the board's screen. The footer is drawn from `ACTIONS`, not from them."""
    made: list[BindingType] = []
    for action in actions:
        if action.id == "usual":
            continue  # the log's own: elsewhere these keys choose an option
        if action.id == "choose":
            made += [Binding(key, f"choose({key})", action.title, show=False) for key in action.keys.split(",")]
        else:
            made.append(Binding(action.keys, action.id, action.title, show=False, id=action.id))
    return made
