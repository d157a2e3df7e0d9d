"""The workers screen: sources, queue, what runs, what was decided and done, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial
from typing import ClassVar

from textual import work
from textual.binding import BindingType
from textual.widget import Widget

from collab_tui.model.ages import age, seconds_between
from collab_tui.model.board import Request
from collab_tui.model.summary import Span
from collab_tui.model.workers import Stream, Worker
from collab_tui.monitor.watching import Watch
from collab_tui.tui.actions import Page, bindings
from collab_tui.tui.desk import Desk
from collab_tui.tui.keymap import Keymap
from collab_tui.tui.safe import MOST_ENTRIES, Line, words
from collab_tui.tui.screens.answering import Answering
from collab_tui.tui.screens.beside import BesideScreen
from collab_tui.tui.view import View
from collab_tui.tui.widgets.item_list import ItemList
from collab_tui.tui.widgets.text_lines import BrokenLines
from collab_tui.tui.widgets.workers import WorkerList, answer_to, request_of, worker_line
from collab_tui.workers.chains import chain_of, counts, needs_tending, steps

_MARGIN = Span(" ")
_WIDTH = 70
"""Cells of a worker's line."""
_LOOK_AT_MONITOR = 2.0
"""Seconds between two looks whether the monitor is still there."""


class WorkersScreen(BesideScreen, Answering):
    """What the registry tells of streams and workers."""

    page = Page.WORKERS
    BINDINGS: ClassVar[list[BindingType]] = bindings(page)
    OPENED = "open_worker"

    _watches: Mapping[str, Watch] = {}
    """Id of a monitor -> whether it acts, as far as it was looked."""

    def __init__(self, desk: Desk, keymap: Keymap, view: View, chosen: str | None) -> None:
        """`chosen` is the session that was selected before."""
        super().__init__(desk, keymap, view)
        self._chosen = chosen

    def on_mount(self) -> None:
        """Show what the board showed, and see whether that is so."""
        super().on_mount()
        self._look()
        self.set_interval(_LOOK_AT_MONITOR, self._look)

    def _is_untended(self, one: Stream | Worker) -> bool:
        if self.view is None or self.view.past is not None or self._watches.get(one.monitor) is not Watch.GONE:
            return False
        return needs_tending(one) or (isinstance(one, Worker) and bool(answer_to(self.view, one)))

    @work(group="look", exclusive=True)
    async def _look(self) -> None:
        """See which monitors act."""
        view = self.view
        if view is None or view.past is not None or not self.is_active:
            return
        board = view.moment.board
        monitors = {one.monitor for one in board.streams} | {one.monitor for one in board.workers}
        found = await asyncio.to_thread(self.desk.machine.watch_monitors, monitors)
        if found != self._watches:
            self._watches = found
            if self.view is not None:
                self.follow(self.view)

    def make_list(self) -> ItemList:
        """The sources and the workers."""
        return WorkerList(self._is_untended)

    def make_side(self) -> Iterable[Widget]:
        """How the selected worker came about, and what came of it."""
        yield BrokenLines(id="chain")

    def show_side(self, view: View) -> None:
        """The chain of the selected worker."""
        side, listed = self.query_one(BrokenLines), self.query_one(WorkerList)
        if (worker := listed.worker) is not None:
            side.entitle("How it came about")
            moment = view.moment
            chain = chain_of(moment.board, worker)
            told = steps(chain, moment.board, moment.now, view.glyphs, worker, has_ids=False)
            side.tell_of(worker.id, [(_MARGIN, *step) for step in told])
        elif (stream := listed.stream) is not None:
            side.entitle("Source")
            side.tell_of(stream.name, [(_MARGIN, *line) for line in _stream_told(view, stream)])
        else:
            side.entitle("How it came about")
            side.tell_of("", [])

    @property
    def chosen_name(self) -> str | None:
        """The session of the selected worker, else the one that was selected before."""
        listed = next(iter(self.query(WorkerList)), None)
        worker = listed.worker if listed is not None else None
        return (worker.session if worker is not None else None) or self._chosen

    @property
    def request(self) -> Request | None:
        """What the person is asked before the selected worker starts."""
        listed, view = next(iter(self.query(WorkerList)), None), self.view
        worker = listed.worker if listed is not None else None
        return request_of(view, worker) if worker is not None and view is not None else None

    @property
    def pane(self) -> Widget | None:
        """The list: it alone has what can be answered."""
        return next(iter(self.query(WorkerList)), None)

    def selected_request(self) -> Request | None:
        """What the person is asked before the selected worker starts."""
        return self.request

    def why_not(self, action: str) -> str:
        """Why an action would do nothing with the selected row; empty where it would do something."""
        if action in ("approve", "reject") and not self.can_answer(action):
            return "Nothing is asked of you there"
        listed = next(iter(self.query(WorkerList)), None)
        if action == "open_worker" and (listed is None or listed.worker is None):
            return "No worker is selected: only they have logs"
        return super().why_not(action)

    def action_approve(self) -> None:
        """Let the selected worker start."""
        if not self.refuses("approve"):
            super().action_approve()

    def action_reject(self) -> None:
        """Refuse the selected worker."""
        if not self.refuses("reject"):
            super().action_reject()

    def action_open_worker(self) -> None:
        """The log of the selected worker."""
        worker = self.query_one(WorkerList).worker
        if not self.refuses("open_worker") and worker is not None:
            from collab_tui.tui.screens.reading import ReadingScreen, log_role

            read = partial(self.desk.machine.log_of, worker)
            title = f"Log of {worker.task}"
            self.app.push_screen(ReadingScreen(title, read, log_role, "Its log is empty.", is_prose=True))


def _stream_told(view: View, stream: Stream) -> Iterable[Line]:
    """How a source is, and what its last events started."""
    seconds = seconds_between(stream.since, view.moment.now)
    lasts = f" for {age(seconds)}" if seconds is not None else ""
    yield Span(words(stream.name), "strong"), Span(f"  {stream.state.value}{lasts}, {counts(stream)}")
    yield (Span(words(stream.why), "warning"),)
    mine = [worker for worker in view.moment.board.workers if worker.stream == stream.name]
    if mine:
        yield (Span("its events started", "muted"),)
    for worker in reversed(mine[-MOST_ENTRIES:]):
        yield tuple(worker_line(view, worker, _WIDTH))
