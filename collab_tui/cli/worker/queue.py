"""`collab-tui worker queue`: which wait, in order; with `--dry-run` what would become of events."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any, Final

from collab_tui.cli.arguments import complain, make_parser, registry_path, say, show_anything
from collab_tui.cli.console import make_console, styled
from collab_tui.cli.reading import now, read
from collab_tui.cli.settings import load_settings
from collab_tui.cli.standard_input import read_text
from collab_tui.cli.worker.workers import TASK, cut, document, head, why
from collab_tui.config import Config
from collab_tui.config.streams import DEFAULT_FIELDS
from collab_tui.config.workers import Priority
from collab_tui.model.summary import Span
from collab_tui.model.text import one_line
from collab_tui.model.workers import Worker, WorkerState
from collab_tui.monitor.acting import who_acts
from collab_tui.protocol.persistence import Persistence
from collab_tui.registry.append import UnusableError
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.registry.kept import kept_for
from collab_tui.workers.dry_run import DROPPED, IGNORED, QUEUED, REFUSED, dry_run
from collab_tui.workers.queue import MOST_ASKED
from collab_tui.workers.record import Record
from collab_tui.workers.stream_event import StreamEvent, event_of

_LONGEST: Final = 1 << 24
"""Bytes of events."""
_MOST_ODD: Final = 20
"""Lines that are no events of which each is told."""
_ROLES: Final = {QUEUED: "success", DROPPED: "warning", REFUSED: "error", IGNORED: "muted"}
_PLACES: Final = {priority.value: priority.rank for priority in Priority}
_EXAMPLES: Final = """\
  collab-tui worker queue
  collab-tui worker queue --dry-run events.jsonl
  echo '{"task_id": "T-1", "status": "done"}' | collab-tui worker queue --dry-run -

Events are JSON objects, one a line, as the stream sends them; `id`, if there is one, is the event's. Nothing is started
and nothing written. A line that is no event is told on standard error, and the exit code is 2 then. Which fields tell
what, a [[stream]] of your settings says: --stream names it."""


def queue_(arguments: list[str]) -> int:
    """Print what waits, or what would."""
    parser = make_parser("worker queue", "Print which workers wait, the next one first.", _EXAMPLES)
    parser.add_argument("--dry-run", metavar="FILE", help="what would become of these events; - reads standard input")
    parser.add_argument("--stream", metavar="NAME", help="with --dry-run: of which stream they are")
    parser.add_argument("--json", action="store_true", help="one JSON object: queue, and with --dry-run events")
    options = parser.parse_args(arguments)
    if options.stream is not None and options.dry_run is None:
        parser.error("--stream goes with --dry-run")
    show_anything()
    if options.dry_run is not None:
        return _dry_run(Path(registry_path(options.registry)), options.dry_run, options.stream, options.json)
    reading = read(options.registry)
    board = reading.moment.board
    waiting = [one for one in board.workers if one.state in (WorkerState.QUEUED, WorkerState.ASKED)]
    waiting.sort(key=_place)
    if options.json:
        print(json.dumps({"queue": [document(worker) for worker in waiting]}, indent=2))
        return 0
    console = make_console()
    if waiting and who_acts(kept_for(Path(reading.registry.name))) is None:
        console.print("No monitor acts here: they wait for the next one.")
    if sum(one.state is WorkerState.ASKED for one in waiting) >= MOST_ASKED:
        console.print(f"{MOST_ASKED} questions wait for you: no decision on an event starts until there are fewer.")
    for worker in waiting:
        console.print(styled(head(worker, now())))
        if worker.why:
            console.print(styled([Span(" " * 10), why(worker)]))
    if not waiting:
        console.print("No worker waits.")
    return 0


def _place(worker: Worker) -> tuple[bool, int, int]:
    return worker.state is WorkerState.ASKED, _PLACES.get(worker.priority, Priority.NORMAL.rank), worker.position


def _dry_run(registry: Path, given: str, stream: str | None, as_json: bool) -> int:
    config = load_settings(registry)
    events, odd = _events(given, config, stream)
    for wrong in odd[:_MOST_ODD]:
        complain(wrong)
    if len(odd) > _MOST_ODD:
        complain(f"and {len(odd) - _MOST_ODD} more lines are no events")
    record = Record(JsonlRegistry(registry), "", Persistence(lambda _: None))
    asyncio.run(record.read())
    found, waiting = dry_run(events, config.decide, config.workers, record.taken)
    code = 2 if odd else 0
    if as_json:
        queue = [job.id for job in waiting]
        print(json.dumps({"events": [one.document() for one in found], "queue": queue}, indent=2))
        return code
    console = make_console()
    for one in found:
        about = f"{one.event.status or ''} {one.event.priority}"
        console.print(
            styled(
                [
                    Span(f"{one.outcome:<8}  ", _ROLES[one.outcome]),
                    Span(f"{cut(one.event.task):<{TASK}}  ", "strong"),
                    Span(one_line(about)),
                    Span(f"  {one.job.template}" if one.job is not None else ""),
                ]
            )
        )
        console.print(styled([Span(" " * 10), Span(one_line(one.why), "muted")]))
    told = [
        f"{sum(one.outcome == outcome for one in found)} {outcome}"
        for outcome in dict.fromkeys(o.outcome for o in found)
    ]
    say(", ".join(told) if told else "There are no events.")
    if waiting and any(one.outcome == QUEUED for one in found):
        say(f"In order: {', '.join(job.task for job in waiting[:20])}")
    return code


def _events(given: str, config: Config, stream: str | None) -> tuple[list[StreamEvent], list[str]]:
    """The events, and what is wrong with each line that is none. Raises `UnusableError`."""
    known = next((one for one in config.streams if one.name == stream), None)
    if stream is not None and known is None:
        names = ", ".join(one.name for one in config.streams)
        raise UnusableError(
            f"there is no stream {stream!r} in your settings" + (f"; there are {names}" if names else "")
        )
    fields = known.fields if known is not None else DEFAULT_FIELDS
    events, odd = [], []
    for number, line in enumerate(_text(given).splitlines(), 1):
        if not line.strip():
            continue
        try:
            data: Any = json.loads(line)
        except (ValueError, RecursionError) as error:
            odd.append(f"line {number} is no JSON: {error}")
            continue
        told = data.get("id") if isinstance(data, dict) else None
        event_id = str(told) if told else hashlib.sha256(line.encode()).hexdigest()[:12]
        event = event_of(stream or "dry-run", event_id, data, fields)
        if event is None:
            odd.append(f"line {number} names no task: {fields['task']} is missing")
        else:
            events.append(event)
    return events, odd


def _text(given: str) -> str:
    if given == "-":
        return read_text(_LONGEST)
    try:
        with open(given, encoding="utf-8-sig") as file:
            return file.read(_LONGEST)
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableError(f"{given}: it cannot be read: {error}") from error
