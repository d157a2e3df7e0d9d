"""A whole screen beside the board: a list, what is known of the selected row, and the bar of the past below."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widget import Widget

from collab_tui.model.board import Request
from collab_tui.tui.actions import BY_ID, Action, Where
from collab_tui.tui.desk import Desk
from collab_tui.tui.keymap import Keymap
from collab_tui.tui.messages import Opened, Selected
from collab_tui.tui.safe import ROLE_CLASSES, toast
from collab_tui.tui.screens import dialogs
from collab_tui.tui.screens.page import PageScreen
from collab_tui.tui.view import View
from collab_tui.tui.widgets.header import Banner, Header
from collab_tui.tui.widgets.item_list import ItemList
from collab_tui.tui.widgets.key_bar import KeyBar
from collab_tui.tui.widgets.replay_bar import ReplayBar

_WIDE: Final = 120
_LOW: Final = 30
"""Lines; a lower terminal has no room for two things below each other but the list and what is selected."""


class BesideScreen(PageScreen):
    """Follows what the board shows, in the present and in the past."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(ROLE_CLASSES)
    REFUSED = "done"
    OPENED: ClassVar[str]
    """The action of a row that is opened with the mouse."""
    _height: int | None = None
    """Lines that the list has, where it has not what is left."""

    def __init__(self, desk: Desk, keymap: Keymap, view: View) -> None:
        super().__init__()
        self.desk = desk
        self.keymap = keymap
        self.view: View | None = view

    def make_list(self) -> ItemList:
        """The list."""
        raise NotImplementedError

    def make_side(self) -> Iterable[Widget]:
        """What stands beside it, or below where the terminal is narrow."""
        raise NotImplementedError

    def show_side(self, view: View) -> None:
        """Show there what is selected."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """The list and what stands beside it."""
        yield Header(self.desk.registry.name)
        yield Banner()
        with Container(id="beside"):
            yield self.make_list()
            with Vertical(id="side"):
                yield from self.make_side()
        yield ReplayBar()
        yield KeyBar()

    def on_mount(self) -> None:
        """Show what the board showed."""
        self.items.focus()
        self._arrange()
        if self.view is not None:
            self.call_after_refresh(self.follow, self.view)  # the list has no size yet to make rows for

    @property
    def items(self) -> ItemList:
        """The list, which has the keys."""
        return self.query_one(ItemList)

    def follow(self, view: View) -> None:
        """The board went on."""
        if not self.is_mounted or not self.query(KeyBar):
            return
        self.view = view
        self.set_class(view.past is not None, "-past")
        self.query_one(Header).show(view)
        self.query_one(Banner).show(view)
        self.query_one(ReplayBar).show(view)
        self._arrange()
        self.items.show(view)
        self._fit()
        self.show_selected()

    def show_selected(self) -> None:
        """Show what is selected, and the keys that work with it."""
        if self.view is not None:
            self.show_side(self.view)
            self.refresh_keys()

    @on(Selected)
    def _selected(self) -> None:
        self.show_selected()

    @on(Opened)
    async def _opened(self) -> None:
        await self.run_action(BY_ID[self.OPENED].method)

    def on_resize(self) -> None:
        """Another size may be another arrangement."""
        self._arrange()
        if self.view is not None:
            self.call_after_refresh(self.follow, self.view)

    def _arrange(self) -> None:
        """Beside each other when wide, else below: the list as long as what it holds, up to half."""
        is_wide = self.size.width >= _WIDE
        self.set_class(is_wide, "-wide")
        self.set_class(not is_wide, "-narrow")
        self.set_class(self.size.height < _LOW, "-low")
        self.items.most_lines = None if is_wide else max(3, (self.size.height - 2) // 2 - 1)

    def _fit(self) -> None:
        most = self.items.most_lines
        height = 1 + min(most, max(3, self.items.wanted_height)) if most is not None else None
        if height != self._height:  # setting it lays everything out anew
            self._height = height
            self.items.styles.height = height  # clear_rule would not do that

    @property
    def request(self) -> Request | None:
        """What is asked of the person where the selected row stands, and can be answered."""
        raise NotImplementedError

    def _in_footer(self, action: Action) -> Action:
        """In the past what is asked can be read alone."""
        shown = super()._in_footer(action)
        is_past = self.view is not None and self.view.past is not None
        return replace(shown, label="read") if action.id == "answer" and is_past else shown

    def works(self, action: str) -> bool:
        """The action would do something now."""
        return super().works(action) and not self.why_not(action)

    def why_not(self, action: str) -> str:
        """Why an action of this screen would do nothing with what is selected; empty where it would do something."""
        return "Nothing is asked of you there" if action == "answer" and self.request is None else ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys of this screen do something, or say why not."""
        return super().check_action(action, parameters) or self.is_there(action)

    def refuses(self, action: str) -> bool:
        """Say why an action does nothing, in the past or with what is selected; False where it does something."""
        if BY_ID[action].where is Where.PRESENT and self.refuse_in_past():
            return True
        why_not = self.why_not(action)
        if why_not:
            toast(self.app, why_not, "warning")
        return bool(why_not)

    def action_answer(self) -> None:
        """Read what is asked, and answer."""
        if not self.refuses("answer") and self.request is not None and self.view is not None:
            self.app.push_screen(dialogs.request(self.desk, self.request, self.view))

    def action_back(self) -> None:
        """Show the board."""
        self.dismiss(None)
