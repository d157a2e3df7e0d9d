"""What the registry tells of streams and workers, line by line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from collab_tui.model.event import Event, as_id, parse_time
from collab_tui.model.session_book import count_of, is_monitors, word_of
from collab_tui.model.workers import Stream, StreamState, Worker, WorkerKind, WorkerState

MAX_WORKERS: Final = 1000
"""Workers that are remembered; of more, those that were over first are forgotten. The log has them all."""
MAX_STREAMS: Final = 100
_TEXTS: Final = ("title", "priority", "project", "stream", "cause", "why", "outcome", "request", "session", "log")


class WorkerBook:
    """The streams of a registry and the workers of their events."""

    def __init__(self) -> None:
        self._streams: dict[str, Stream] = {}
        self._workers: dict[str, Worker] = {}

    def streams(self) -> tuple[Stream, ...]:
        """In the order in which they were first told of."""
        return tuple(self._streams.values())

    def workers(self) -> tuple[Worker, ...]:
        """In the order in which they were queued."""
        return tuple(self._workers.values())

    def copy(self) -> WorkerBook:
        """An independent copy."""
        twin = WorkerBook()
        twin._streams, twin._workers = self._streams.copy(), self._workers.copy()
        return twin

    def stream_state(self, event: Event) -> None:
        """How a source is doing."""
        state = word_of(StreamState, event.data.get("state"))
        stream = self._stream(event)
        if stream is None or state is None:
            return
        since = stream.since if state is stream.state else parse_time(event.field("timestamp"))
        told: dict[str, Any] = {"state": state, "why": event.text("why"), "position": event.position, "since": since}
        told["monitor"] = event.text("monitor") or stream.monitor
        self._streams[stream.name] = replace(stream, **told)

    def stream_event(self, event: Event) -> None:
        """An event of a source was taken, or several started nothing."""
        if (stream := self._stream(event)) is None:
            return
        counted = {"dropped": "dropped", "refused": "refused"}.get(event.text("outcome") or "", "events")
        more = count_of(event, "count") or 1
        self._streams[stream.name] = replace(stream, **{counted: getattr(stream, counted) + more})

    def worker(self, event: Event) -> None:
        """How far a worker is; what the line does not say stays as it was.

        The last line counts, also after one that says that it is over: a line that another wrote hides nothing.
        """
        worker_id, state = as_id(event.data.get("worker")), word_of(WorkerState, event.data.get("state"))
        if not worker_id or state is None or not is_monitors(event):
            return
        known = self._workers.get(worker_id)
        if known is None:
            kind = word_of(WorkerKind, event.data.get("kind"))
            if kind is None:
                return
            known = _new(worker_id, kind, state, event)
        given: dict[str, Any] = {name: text for name in _TEXTS if (text := event.text(name)) is not None}
        if isinstance(verdict := event.data.get("verdict"), dict):
            given["verdict"] = verdict
        if (took := count_of(event, "took_ms")) is not None:
            given["took_ms"] = took
        time = parse_time(event.field("timestamp"))
        if state is WorkerState.RUNNING and known.started_at is None:
            given["started_at"] = time
        given["ended_at"] = time if state.is_over else None
        self._workers[worker_id] = replace(known, state=state, position=event.position, **given)
        if len(self._workers) > MAX_WORKERS:
            over = (worker_id for worker_id, worker in self._workers.items() if worker.state.is_over)
            del self._workers[next(over, next(iter(self._workers)))]

    def _stream(self, event: Event) -> Stream | None:
        name = event.text("stream")
        if name is None or not is_monitors(event):
            return None
        if name not in self._streams and len(self._streams) >= MAX_STREAMS:
            return None
        new = Stream(name, event.text("monitor") or "", StreamState.CONNECTING, None, event.position, None, 0)
        return self._streams.setdefault(name, new)


def _new(worker_id: str, kind: WorkerKind, state: WorkerState, event: Event) -> Worker:
    return Worker(
        id=worker_id,
        kind=kind,
        state=state,
        monitor=event.text("monitor") or "",
        task=event.text("task") or "",
        title=None,
        priority="normal",
        project=None,
        stream=None,
        cause=None,
        why=None,
        outcome=None,
        request=None,
        session=None,
        verdict=None,
        log=None,
        queued_at=parse_time(event.field("timestamp")),
        started_at=None,
        ended_at=None,
        took_ms=None,
        position=event.position,
    )
