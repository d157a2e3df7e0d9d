"""What would become of events, one after the other, without anything being started."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from collab_tui.config.workers import DecideRule, WorkerSettings
from collab_tui.workers.job import Job, job_for
from collab_tui.workers.needs_decision import needs_decision
from collab_tui.workers.queue import Queue
from collab_tui.workers.screening import why_refused
from collab_tui.workers.stream_event import StreamEvent

IGNORED: Final = "ignored"
REFUSED: Final = "refused"
DROPPED: Final = "dropped"
QUEUED: Final = "queued"


class WouldBe(NamedTuple):
    """What would become of one event."""

    event: StreamEvent
    outcome: str
    """`ignored`, `refused`, `dropped` or `queued`."""
    why: str
    job: Job | None = None
    """The decision worker that would wait."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        told: dict[str, Any] = {"stream": self.event.stream, "event_id": self.event.event_id, "task": self.event.task}
        told |= {"status": self.event.status, "priority": self.event.priority, "outcome": self.outcome, "why": self.why}
        return told | {"template": self.job.template if self.job is not None else None}


def dry_run(
    events: Iterable[StreamEvent], rules: Sequence[DecideRule], settings: WorkerSettings, taken: Collection[str]
) -> tuple[list[WouldBe], list[Job]]:
    """What each would come to if nothing started meanwhile, and the queue afterwards, the next first.

    `taken` are the keys of events that were taken before.
    """
    queue, known = Queue(settings), set(taken)
    found = list(_each(events, rules, queue, known))
    left = {job.id for job in queue.jobs()}
    for place, one in enumerate(found):
        if one.job is not None and one.job.id not in left:
            found[place] = one._replace(outcome=DROPPED, why="a more urgent one took its place", job=None)
    return found, queue.jobs()


def _each(
    events: Iterable[StreamEvent], rules: Sequence[DecideRule], queue: Queue, known: set[str]
) -> Iterator[WouldBe]:
    for number, event in enumerate(events):
        need = needs_decision(event, rules)
        if need is None:
            yield WouldBe(event, IGNORED, "no decision is needed")
            continue
        job = job_for(event, need.template, need.why, float(number))
        if event.key in known:
            yield WouldBe(event, IGNORED, "it was taken before")
        elif (why := why_refused(event)) is not None:
            yield WouldBe(event, REFUSED, why)
        elif (same := queue.same_as(job)) is not None:
            yield WouldBe(event, DROPPED, f"{same.id} waits for the same")
        elif (full := queue.why_no_room(job)) is not None:
            yield WouldBe(event, DROPPED, full)
        else:
            known.add(event.key)
            queue.put(job)
            yield WouldBe(event, QUEUED, need.why, job)
