"""The workers screen: sources, queue, what runs, what was decided and done, and why."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from collab_tui.model.ages import age, seconds_between
from collab_tui.model.board import Request
from collab_tui.model.summary import Span
from collab_tui.model.workers import Stream, WorkerState
from collab_tui.tui.actions import Page, bindings
from collab_tui.tui.chain import chain
from collab_tui.tui.safe import MOST_ENTRIES, Line, words
from collab_tui.tui.screens.beside import BesideScreen
from collab_tui.tui.view import View
from collab_tui.tui.widgets.item_list import ItemList
from collab_tui.tui.widgets.text_lines import TextLines
from collab_tui.tui.widgets.workers import WorkerList, worker_line

_MARGIN = Span(" ")
_WIDTH = 70
"""Cells of a worker's line."""


class WorkersScreen(BesideScreen):
    """What the registry tells of streams and workers."""

    page = Page.WORKERS
    BINDINGS: ClassVar[list[BindingType]] = bindings(page)
    OPENED = "open_worker"

    def make_list(self) -> ItemList:
        """The sources and the workers."""
        return WorkerList()

    def make_side(self) -> Iterable[Widget]:
        """How the selected worker came about, and what came of it."""
        yield TextLines(id="chain")

    def show_side(self, view: View) -> None:
        """The chain of the selected worker."""
        side, listed = self.query_one(TextLines), self.query_one(WorkerList)
        if (worker := listed.worker) is not None:
            side.entitle("How it came about")
            side.tell([(_MARGIN, *step) for step in chain(worker, view)])
        elif (stream := listed.stream) is not None:
            side.entitle("Source")
            side.tell([(_MARGIN, *line) for line in _stream_told(view, stream)])
        else:
            side.entitle("")
            side.tell([])

    @property
    def chosen_name(self) -> str | None:
        """The session of the selected worker."""
        listed = next(iter(self.query(WorkerList)), None)
        return listed.worker.session if listed is not None and listed.worker is not None else None

    @property
    def request(self) -> Request | None:
        """What the person is asked before the selected worker starts."""
        listed, view = next(iter(self.query(WorkerList)), None), self.view
        worker = listed.worker if listed is not None else None
        if worker is None or view is None or worker.state is not WorkerState.ASKED or worker.request is None:
            return None
        request = view.moment.board.request(worker.request)
        return request if request is not None and view.moment.is_answerable(request) else None

    def works(self, action: str) -> bool:
        """The action would do something now."""
        if action == "open_worker":
            found = next(iter(self.query(WorkerList)), None)
            return found is not None and found.worker is not None
        return super().works(action)

    def action_open_worker(self) -> None:
        """The log of the selected worker."""
        worker = self.query_one(WorkerList).worker
        if worker is not None:
            from collab_tui.tui.screens.reading import ReadingScreen, log_role

            read = partial(self.desk.machine.log_of, worker)
            self.app.push_screen(ReadingScreen(f"Log of {worker.task}", read, log_role, "Its log is empty."))


def _stream_told(view: View, stream: Stream) -> Iterable[Line]:
    """How a source is, and what its last events started."""
    seconds = seconds_between(stream.since, view.moment.now)
    lasts = f" for {age(seconds)}" if seconds is not None else ""
    yield Span(words(stream.name), "strong"), Span(f"  {stream.state.value}{lasts}, {stream.events} events taken")
    yield (Span(words(stream.why), "warning"),)
    mine = [worker for worker in view.moment.board.workers if worker.stream == stream.name]
    if mine:
        yield (Span("its events started", "muted"),)
    for worker in reversed(mine[-MOST_ENTRIES:]):
        yield tuple(worker_line(view, worker, _WIDTH))
