"""Everything the user can do, each declared once: key, footer text, palette title, help."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, auto
from typing import Final

from textual.binding import Binding, BindingType

SEEN_FOR: Final = 0.3
"""Seconds for which something must have been on the screen before a key answers or removes it."""


class Where(Enum):
    """On which board an action is there."""

    EVERYWHERE = "everywhere"
    PRESENT = "present"
    """Not in the past."""
    PAST = "past"


class Page(Flag):
    """On which whole screen an action is there."""

    BOARD = auto()
    SESSIONS = auto()
    WORKERS = auto()
    RUNS = auto()
    ALL = BOARD | SESSIONS | WORKERS | RUNS


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that the user can do on the board, or on one of the screens beside it."""

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
    where: Where = Where.EVERYWHERE
    beside: str = ""
    """The id of its opposite, which stands before it in the footer."""
    page: Page = Page.BOARD

    @property
    def method(self) -> str:
        """The action that a click or the palette runs: for one with several keys, asking which."""
        return f"{self.id}_from_list" if self.shown_key[1:2] == "-" else self.id

    @property
    def key_text(self) -> str:
        """The key as people write it."""
        return self.shown_key or self.keys.split(",")[0].replace("_", " ")


def _past(
    name: str, keys: str, label: str, title: str, shown_key: str = "", weight: int = 50, beside: str = ""
) -> Action:
    page = Page.BOARD if name == "return" else Page.ALL
    return Action(name, keys, label, title, "Past", shown_key, weight, Where.PAST, beside, page)


def _answer(name: str, keys: str, label: str, title: str, weight: int) -> Action:
    page = Page.BOARD | Page.WORKERS | Page.RUNS
    return Action(name, keys, label, title, "Answer", weight=weight, where=Where.PRESENT, page=page)


def _session(name: str, keys: str, label: str, title: str, weight: int, where: Where = Where.PRESENT) -> Action:
    return Action(name, keys, label, title, "Sessions", weight=weight, where=where, page=Page.SESSIONS)


def _run(name: str, keys: str, label: str, title: str, weight: int, where: Where = Where.EVERYWHERE) -> Action:
    return Action(name, keys, label, title, "Runs", weight=weight, where=where, page=Page.RUNS)


ACTIONS: Final = (
    _answer("approve", "a", "approve", "Approve the selected request", 1),
    _answer("reject", "x", "reject", "Reject the selected request", 2),
    Action(
        "choose",
        "1,2,3,4,5,6,7,8,9",
        "choose",
        "Choose an option of the selected request",
        "Answer",
        "1-9",
        3,
        where=Where.PRESENT,
    ),
    Action("open", "enter", "open", "Open what is selected", "Answer", weight=4),
    Action("unblock", "u", "unblock", "Remove the selected blocker", "Answer", weight=5, where=Where.PRESENT),
    Action("decide", "d", "decide", "Decide something that nobody asked for", "Answer", weight=40, where=Where.PRESENT),
    Action("message", "m", "message", "Send a message to an agent", "Answer", weight=41, where=Where.PRESENT),
    Action("next_need", "n", "next", "Go to the next thing that needs attention", "Move", weight=10),
    Action("previous_need", "N,shift+n", "", "Go to the previous thing that needs attention", "Move", "N"),
    Action("next_pane", "tab", "pane", "Go to the next pane", "Move", weight=30),
    Action("previous_pane", "shift+tab", "", "Go to the previous pane", "Move", "shift+tab"),
    Action("filter", "slash", "filter", "Filter the log", "Look", "/", 20),
    Action("usual", "1,2,3,4,5", "usual filters", "Filter the log in a usual way", "Look", "1-5", 6),
    Action("freeze", "space", "freeze", "Freeze the picture, or let it go on", "Look", weight=21, where=Where.PRESENT),
    Action("explain", "e", "explain", "Explain where the selected values come from", "Look", weight=22),
    Action("order", "o", "order", "Order the agents by need, name or activity", "Look", weight=23),
    Action("back_in_time", "t", "back in time", "Go back in time", "Look", weight=24, where=Where.PRESENT),
    Action(
        "sessions",
        "s",
        "sessions",
        "Agents' sessions: start, prompt, watch, stop",
        "Look",
        weight=25,
        page=~Page.SESSIONS,
    ),
    Action(
        "workers",
        "w",
        "workers",
        "Streams of events, and the workers they start",
        "Look",
        weight=26,
        page=~Page.WORKERS,
    ),
    Action(
        "runs",
        "r",
        "runs",
        "Runs of teams of agents: tasks, blackboard, timing",
        "Look",
        weight=27,
        page=Page.BOARD | Page.WORKERS,
    ),
    Action("save", "y", "save", "Save a picture of this moment, or its text", "Look", weight=43, page=Page.ALL),
    Action("problems", "p", "problems", "List what is wrong, and what to do about it", "Look", weight=42),
    Action("themes", "ctrl+t", "", "Choose a theme", "Look", "ctrl+t", page=Page.ALL),
    Action("keys", "question_mark", "keys", "List the keys", "Look", "?", 0, page=Page.ALL),
    Action("quit", "q", "quit", "Leave the board", "Look", weight=60, page=Page.ALL),
    Action(
        "answer", "o", "answer", "Read what is asked of you there, and answer", "Answer", weight=1, page=~Page.BOARD
    ),
    _session("prompt", "p", "prompt", "Prompt the selected session", 2),
    Action("to_runs", "R,shift+r", "", "Runs of teams of agents", "Look", "R", page=Page.SESSIONS),
    _session("restore", "r", "restore", "Start it again where it ended", 2),
    _session("start_session", "n", "new", "Start a session", 3),
    _session("output", "enter", "output", "Its output on the whole screen, and back", 4, Where.EVERYWHERE),
    Action("open_worker", "enter", "log", "Its log", "Workers", weight=4, page=Page.WORKERS),
    _run("open_run", "enter", "open", "What it asks, its output, its value; or fold its tasks", 4),
    _run("start_run", "n", "new", "Start a run", 3, Where.PRESENT),
    _run("cancel_run", "c", "cancel", "Cancel the selected run", 6, Where.PRESENT),
    _run("resume_run", "r", "resume", "Go on with a run that ended before it was done", 2, Where.PRESENT),
    _run("next_asked", "g", "next asked", "Go to the next thing that you are asked", 5),
    _run("values", "v", "values", "The values on its blackboard", 7),
    _run("task_log", "l", "", "The output of the selected task", 8),
    Action("back", "escape", "board", "Back to the board", "Look", "esc", 5, page=~Page.BOARD),
    _session("stop", "x", "stop", "Stop it", 6),
    _session("diff", "d", "diff", "What it changed since its base", 7),
    _session("attach", "a", "attach", "Attach to its terminal", 8),
    _session("interrupt", "i", "interrupt", "Interrupt what it does now", 9),
    _session("details", "e", "details", "Everything that is known of it", 10, Where.EVERYWHERE),
    _past("play", "space", "play", "Play, or pause", weight=1),
    _past("step_back", "left", "", "One event back", "←"),
    _past("step_on", "right", "step", "One event on", "→", 2, "step_back"),
    _past("previous_decision", "left_square_bracket", "", "The previous decision", "["),
    _past("next_decision", "right_square_bracket", "decision", "The next decision", "]", 5, "previous_decision"),
    _past("previous_blocker", "left_curly_bracket", "", "The previous blocker", "{"),
    _past("next_blocker", "right_curly_bracket", "blocker", "The next blocker", "}", 8, "previous_blocker"),
    _past("previous_deadlock", "left_parenthesis", "", "The previous deadlock", "("),
    _past("next_deadlock", "right_parenthesis", "deadlock", "The next deadlock", ")", 9, "previous_deadlock"),
    _past("go_to", "colon", "go to", "Go to an event by its number, or to a time", ":", 6),
    _past("slower", "minus", "", "Play slower", "-"),
    _past("faster", "plus,equals_sign", "speed", "Play faster", "+", 7, "slower"),
    _past("first", "home", "", "The first event"),
    _past("last", "end", "first, last", "The last event", weight=10, beside="first"),
    _past("return", "escape", "back to live", "Return to the live board", "esc", 3),
)
"""Two that share a key on one screen are never there at the same time, or the pane that has the keys decides."""

USUAL_FILTERS: Final = (
    ("1", "everything", ""),
    ("2", "requests and decisions", "event:decision_request,decision,request_withdrawn"),
    ("3", "blockers", "event:blocker,blocker_resolved"),
    ("4", "messages", "event:message"),
    ("5", "all but status updates", "-event:status_update,progress"),
)
"""Key while the log has the keys, what it shows, and the filter that it writes."""

BY_ID: Final = {action.id: action for action in ACTIONS}


def actions_of(page: Page) -> list[Action]:
    """What can be done on a whole screen."""
    return [action for action in ACTIONS if page in action.page]


def bindings(page: Page) -> list[BindingType]:
    """The key bindings of a whole screen. The footer is drawn from `ACTIONS`, not from them."""
    made: list[BindingType] = []
    for action in actions_of(page):
        if action.id == "usual":
            continue  # the log's own: elsewhere these keys choose an option
        if action.id == "choose":
            made += [Binding(key, f"choose({key})", action.title, show=False) for key in action.keys.split(",")]
        else:
            made.append(Binding(action.keys, action.id, action.title, show=False, id=action.id))
    return made
