"""The board: header, panes, keys; where each pane stands at every size, and which view they draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.css.query import NoMatches
from textual.widget import Widget
from textual.widgets import Input, Static

from collab_tui.model.event import Item
from collab_tui.model.moment import Order
from collab_tui.model.query import doubts, parse_query
from collab_tui.tui.actions import Page, bindings
from collab_tui.tui.desk import Desk
from collab_tui.tui.keymap import Keymap
from collab_tui.tui.messages import FilterChanged, FreezeToggled, Opened, OrderChosen, PaneChosen, ScreenMade, Selected
from collab_tui.tui.safe import ROLE_CLASSES
from collab_tui.tui.screens.answering import Answering
from collab_tui.tui.screens.looking import Looking
from collab_tui.tui.screens.page import PageScreen
from collab_tui.tui.view import View
from collab_tui.tui.widgets.agents import AgentsPane
from collab_tui.tui.widgets.empty import empty_text
from collab_tui.tui.widgets.header import Banner, Header, PaneTabs
from collab_tui.tui.widgets.item_list import ItemList
from collab_tui.tui.widgets.key_bar import KeyBar
from collab_tui.tui.widgets.log import LogPane
from collab_tui.tui.widgets.needs import NeedsPane
from collab_tui.tui.widgets.replay_bar import ReplayBar
from collab_tui.tui.widgets.waits import WaitsPane

_PANES: Final = ("needs", "agents", "waits", "log")
"""In the order of need."""
_WIDE: Final = 120
_LOW: Final = 30
_LOWEST_WIDE: Final = 20


class BoardScreen(PageScreen, Answering, Looking):
    """The one screen that a person looks at."""

    page = Page.BOARD
    BINDINGS: ClassVar[list[BindingType]] = bindings(page)
    COMPONENT_CLASSES: ClassVar[set[str]] = set(ROLE_CLASSES)
    AUTO_FOCUS = ""

    def __init__(self, desk: Desk, keymap: Keymap) -> None:
        super().__init__(id="board")
        self.desk = desk
        self.keymap = keymap
        self.view: View | None = None
        self._shape = ""
        self._active = ""
        self._grown: dict[str, int] = {}

    def compose(self) -> ComposeResult:
        """Every pane once; `_arrange` decides where each stands."""
        yield Header(self.desk.registry.name)
        yield Banner()
        yield PaneTabs()
        with Container(id="panes"):
            with Container(id="top"):
                yield AgentsPane()
                yield NeedsPane()
            yield WaitsPane()
            yield LogPane(self.desk.registry)
        yield Input(placeholder="text  agent:sena  event:decision  progress>50  time>14:00  -not", id="filter")
        yield Static(id="empty")
        yield ReplayBar()
        yield KeyBar()

    def on_mount(self) -> None:
        """Nothing is known yet: say so until the first board comes."""
        for shown_when_needed in ("#banner", "#filter", "#empty", "#replay"):
            self.query_one(shown_when_needed).display = False
        self._arrange()
        self.post_message(ScreenMade())

    # Showing

    def show(self, view: View, latest: Sequence[Item] = ()) -> None:
        """Draw a view in every pane; when only the time went on, only what tells the time."""
        before, self.view = self.view, view
        self.set_class(view.past is not None, "-past")
        for pane in self.query(ItemList):
            pane.show(view)
        if before is not None and not latest and before.differs_only_in_time(view):
            self.query_one(Header).show(view)
            self.query_one(PaneTabs).show(view, self._active)
            self.query_one(ReplayBar).show(view)
            return
        self.query_one(Banner).show(view)
        log = self.query_one(LogPane)
        log.glyphs = view.glyphs
        log.judge(view.moment)
        if view.frozen_at is None:
            log.extend(view.latest, view.readable, latest, view.source.generation, view.moment.now)
            log.limit(view.past.position if view.past is not None else None)
        empty = empty_text(view, self.desk.registry.name)
        panes = self.query_one("#panes")
        if empty is None and not panes.display:
            self.call_after_refresh(self._show_panes)  # they have no size yet to make rows for
        panes.display = empty is None
        self.query_one("#empty").display = empty is not None
        if empty is not None:
            self.query_one("#empty", Static).update(empty)
        self._arrange()
        self._show_chrome()
        if self.focused is None and empty is None:
            self.focus_pane(self._active or ("agents" if self._shape == "low" and not view.moment.needs else "needs"))

    def _show_panes(self) -> None:
        if not self.query_one("#panes").size.width:
            self.call_after_refresh(self._show_panes)  # it is laid out only after the next one
        elif self.view is not None:
            for pane in self.query(ItemList):
                pane.show(self.view)
            self._arrange()

    def _show_chrome(self) -> None:
        if self.view is None:
            return
        self.query_one(Header).show(self.view)
        self.query_one(PaneTabs).show(self.view, self._active)
        self.query_one(ReplayBar).show(self.view)
        self.refresh_keys()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing now do nothing, but for those that say why not."""
        return super().check_action(action, parameters) or self.says_closed(action)

    @property
    def chosen_name(self) -> str | None:
        """The agent that is selected, if one is."""
        return self.selected_name()

    def works(self, action: str) -> bool:
        """The action would do something now."""
        if not self.is_there(action):
            return False
        answers = self.can_answer(action)
        return answers if answers is not None else self.can_look(action)

    @on(Selected)
    def _selected(self) -> None:
        self.refresh_keys()

    @on(Opened)
    def _opened(self) -> None:
        self.action_open()

    @on(PaneChosen)
    def _pane_chosen(self, message: PaneChosen) -> None:
        self.focus_pane(message.pane)

    # Panes

    @property
    def pane(self) -> Widget | None:
        """The pane that has the keys."""
        focused = self.focused
        return focused if isinstance(focused, ItemList | LogPane) else None

    def focus_pane(self, pane: str) -> None:
        """Give the keys to a pane, showing it where panes are tabs."""
        self._active = pane
        if self._shape == "low":
            for name in _PANES:
                self.query_one(f"#{name}").display = name == pane
            self.query_one("#top").display = pane in ("needs", "agents")
        self.set_focus(self.query_one(f"#{pane}"))
        self._show_chrome()

    def on_descendant_focus(self) -> None:
        """The keys that work depend on the pane."""
        if (pane := self.pane) is not None and pane.id is not None:
            self._active = pane.id
            self._show_chrome()

    def action_next_pane(self) -> None:
        """Give the keys to the next pane."""
        self._step_pane(1)

    def action_previous_pane(self) -> None:
        """Give the keys to the previous pane."""
        self._step_pane(-1)

    def _step_pane(self, step: int) -> None:
        order = ("agents", "needs", "waits", "log") if self._shape == "wide" else _PANES
        place = order.index(self._active) if self._active in order else 0
        self.focus_pane(order[(place + step) % len(order)])

    # Arranging

    def on_resize(self) -> None:
        """Another size may be another arrangement."""
        self._grown.clear()
        self._arrange()
        self._show_chrome()

    def _arrange(self) -> None:
        """Two columns when wide, one in the order of need when narrow, tabs when low.

        Panes grow with what they hold, and do not shrink until the terminal is resized: nothing else moves then.
        """
        try:
            panes, top = self.query_one("#panes"), self.query_one("#top")
        except NoMatches:
            return  # not composed yet
        width, height = self.app.size
        wide = width >= _WIDE
        shape = "low" if height < (_LOWEST_WIDE if wide else _LOW) else "wide" if wide else "narrow"
        if shape != self._shape:
            self._reshape(shape, top)
        room = panes.size.height or height - 2
        if shape == "wide":
            self._heights({"top": (8, room // 2), "waits": (3, max(3, room // 5))}, self._frame(2))
        elif shape == "narrow":
            self._heights({"needs": (4, room // 3), "agents": (5, room // 3), "waits": (2, room // 6)}, self._frame(1))

    def _frame(self, lines: int) -> dict[str, int]:
        """Lines that each pane wants, with its frame."""
        wanted = {pane.id or "": pane.wanted_height + lines for pane in self.query(ItemList)}
        return {**wanted, "top": max(wanted["agents"], wanted["needs"])}

    def _heights(self, limits: dict[str, tuple[int, int]], wanted: dict[str, int]) -> None:
        for name, (least, most) in limits.items():
            height = max(self._grown.get(name, 0), min(max(wanted[name], least), most))
            if self._grown.get(name) != height:
                self._grown[name] = height
                self.query_one(f"#{name}").styles.height = height

    def _reshape(self, shape: str, top: Widget) -> None:
        self._shape = shape
        self._grown.clear()
        for name in ("wide", "narrow", "low"):
            self.set_class(name == shape, f"-{name}", update=self.is_mounted)
        agents, needs = self.query_one("#agents"), self.query_one("#needs")
        if shape == "wide":
            top.move_child(agents, before=needs)
        else:
            top.move_child(needs, before=agents)
        self.query_one(PaneTabs).display = shape == "low"
        for name in (*_PANES, "top"):
            widget = self.query_one(f"#{name}")
            widget.display = shape != "low"
            widget.styles.clear_rule("height")
        if shape == "low":
            pane = self._active or "needs"
            self.query_one(f"#{pane}").display = True
            self.query_one("#top").display = pane in ("needs", "agents")

    # The filter of the log

    def action_filter(self) -> None:
        """Open the filter."""
        if self._shape == "low":
            self.focus_pane("log")
        box = self.query_one("#filter", Input)
        box.display = True
        self.set_focus(box)  # at once: keys that came together with this one must not go on to the board

    @on(Input.Changed, "#filter")
    def _filter_changed(self, event: Input.Changed) -> None:
        query = event.value.strip()
        log = self.query_one(LogPane)
        doubt = "  ".join(doubts(query))
        log.filter(f"{query}  ({doubt})" if doubt else query, parse_query(query) if query else None)

    @on(FilterChanged)
    def _filter_chosen(self, message: FilterChanged) -> None:
        box = self.query_one("#filter", Input)
        box.value = message.query
        box.display = bool(message.query)

    @on(Input.Submitted, "#filter")
    def _filter_submitted(self, event: Input.Submitted) -> None:
        event.input.display = bool(event.value.strip())
        self.focus_pane("log")

    def key_escape(self, event: events.Key) -> None:
        """Leave the filter and empty it, else give up a search; in the past, the next one returns to live."""
        box = self.query_one("#filter", Input)
        if box.display:
            box.value = ""
            box.display = False
            self.focus_pane("log")
            event.stop()
        elif self.replay is not None and self.replay.stop_search():
            event.stop()

    # Settings of the picture

    def action_order(self) -> None:
        """Order the agents in the next way."""
        if self.view is not None:
            orders = list(Order)
            self.post_message(OrderChosen(orders[(orders.index(self.view.order) + 1) % len(orders)]))

    def action_freeze(self) -> None:
        """Freeze the picture, or let it go on."""
        self.post_message(FreezeToggled())
