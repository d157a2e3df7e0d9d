"""A whole screen with its keys: which work now, which are shown, and those that are the same on every one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.screen import Screen

from collab_tui.tui.actions import BY_ID, Action, Page, actions_of
from collab_tui.tui.desk import Desk
from collab_tui.tui.keymap import Keymap
from collab_tui.tui.safe import toast
from collab_tui.tui.screens import dialogs
from collab_tui.tui.screens.replaying import Replaying
from collab_tui.tui.view import View
from collab_tui.tui.widgets.key_bar import KeyBar


class PageScreen(Replaying, Screen[None]):
    """Base of the whole screens."""

    page: ClassVar[Page]
    desk: Desk
    keymap: Keymap
    view: View | None

    # Keys

    def works(self, action: str) -> bool:
        """The action would do something now."""
        return self.is_there(action)

    def is_there(self, action: str) -> bool:
        """The action belongs to this screen, in the present or in the past."""
        return self.page in BY_ID[action].page and super().is_there(action)

    def says_why_not(self, action: str) -> bool:
        """It writes, which cannot be done in the past, and its key says so."""
        return self.page in BY_ID[action].page and super().says_why_not(action)

    def refresh_keys(self) -> None:
        """Show the keys that work now."""
        for bar in self.query(KeyBar):
            bar.show([self._in_footer(a) for a in actions_of(self.page) if a.label and self.works(a.id)])

    def _in_footer(self, action: Action) -> Action:
        """An action with the keys in force, those of its opposite before them."""
        if not action.beside:
            return self.keymap.of(action)
        return replace(action, shown_key=f"{self.keymap.text(action.beside)} {self.keymap.text(action.id)}")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing now do nothing, but for those that say why not."""
        return action not in BY_ID or self.works(action) or self.says_why_not(action)

    @property
    def chosen_name(self) -> str | None:
        """The agent that is selected, if one is."""
        return None

    # The same on every screen

    def action_sessions(self) -> None:
        """Show the sessions."""
        self._go_beside(Page.SESSIONS)

    def action_workers(self) -> None:
        """Show the streams and the workers."""
        self._go_beside(Page.WORKERS)

    def action_runs(self) -> None:
        """Show the runs."""
        self._go_beside(Page.RUNS)

    def action_to_runs(self) -> None:
        """Show the runs, where their key has another meaning."""
        self.action_runs()

    def _go_beside(self, page: Page) -> None:
        """To a screen beside the board: there is one at a time, and the board is below it."""
        if self.view is None:
            return
        screen = dialogs.beside(page, self.desk, self.keymap, self.view, self.chosen_name)
        if self.page is Page.BOARD:
            self.app.push_screen(screen)
        else:
            self.app.switch_screen(screen)

    def action_keys(self) -> None:
        """List the keys."""
        self.app.push_screen(dialogs.keys(self.keymap, self.page, self.replay is not None))

    def action_themes(self) -> None:
        """Choose a theme."""
        self.app.search_themes()

    def action_quit(self) -> None:
        """Leave."""
        self.app.exit()

    def action_save(self) -> None:
        """Ask whether as a picture or as text, then save what is shown in the folder the program was started in."""

        def save(place: int | None) -> None:
            if place is not None:
                self._save(place == 0)

        self.app.push_screen(dialogs.choose("Save what is shown", ["as a picture (SVG)", "as text"]), save)

    @work(group="save")
    async def _save(self, as_picture: bool) -> None:
        from collab_tui.tui import picture

        self.app.clear_notifications()  # neither they nor the dialog are part of the moment
        await self.query("Toast").remove()
        drawn = asyncio.Event()
        self.call_after_refresh(drawn.set)
        await drawn.wait()
        if self.view is None:
            return

        has_time = self.view.past is None or self.view.past.has_time
        stem = picture.stem_of(self.view.moment.now if has_time else None, self.view.moment.board.position)
        shown, suffix = (picture.svg_of(self.app), ".svg") if as_picture else (picture.text_of(self.app), ".txt")
        try:
            path = await asyncio.to_thread(picture.save, shown, Path.cwd(), stem, suffix)
        except OSError as error:
            toast(self.app, f"Nothing was saved in the folder you are in: {error.strerror or error}", "error")
        else:
            toast(self.app, f"Saved as {path.name}")
