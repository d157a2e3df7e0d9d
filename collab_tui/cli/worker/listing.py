"""`collab-tui worker list`."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Final

from collab_tui.cli.arguments import make_parser, show_anything
from collab_tui.cli.console import make_console, styled
from collab_tui.cli.durations import duration
from collab_tui.cli.reading import now, read
from collab_tui.cli.settings import load_to_brake
from collab_tui.cli.worker.workers import Watches, document, head, since_of, why
from collab_tui.model.summary import Span
from collab_tui.model.text import one_line
from collab_tui.workers.chains import NOBODY, UNTENDED, counts

_MOST: Final = 30
_EXAMPLES: Final = """\
  collab-tui worker list
  collab-tui worker list --since 2h
  collab-tui worker list --json | jq '.workers[] | select(.state == "failed")'

--json prints one object, stable; fields are added, never renamed:
    streams   name, state (connecting, connected, retrying, stopped), why, since, events, dropped, refused, watched_by
    workers   id, kind (decision, execution), state (queued, asked, running, done, failed, dropped, refused, stopped),
              task, title, priority, project, stream, cause, why, request, session, verdict, log (from the folder of
              the registry), queued_at, started_at, ended_at, took_ms, monitor, line, watched_by
watched_by tells who sees to a stream that is not stopped, or to a worker that runs: monitor, gone (what is told of it
is what was so when its monitor ended), elsewhere (on another machine)"""


def list_(arguments: list[str]) -> int:
    """Print the sources and the workers, the latest last."""
    parser = make_parser("worker list", "Print the workers there are and were, the latest last.", _EXAMPLES)
    parser.add_argument("--since", type=duration, metavar="TIME", help="those of the last 2h, for instance")
    parser.add_argument("--json", action="store_true", help="one JSON object, documented below")
    options = parser.parse_args(arguments)
    reading = read(options.registry, settings=load_to_brake)
    board = reading.moment.board
    watches = Watches(Path(reading.registry.name), board)
    since = now() - timedelta(seconds=options.since) if options.since is not None else None
    workers = since_of(board.workers, since)
    if options.json:
        show_anything()
        streams = [
            {"name": one.name, "state": one.state.value, "why": one.why, "events": one.events}
            | {"dropped": one.dropped, "refused": one.refused}
            | {"since": one.since.isoformat() if one.since else None, **watches.document(one)}
            for one in board.streams
        ]
        print(json.dumps({"streams": streams, "workers": [document(worker, watches) for worker in workers]}, indent=2))
        return 0
    console = make_console()
    for stream in board.streams:
        is_untended = watches.is_untended(stream)
        why_so = NOBODY if is_untended else one_line(stream.why) if stream.why else ""
        state = Span(UNTENDED, "warning") if is_untended else Span(stream.state.value)
        told = Span("".join(f"  {text}" for text in (counts(stream), why_so) if text), "muted")
        console.print(styled([Span(f"stream {one_line(stream.name)}  "), state, told]))
    if len(workers) > _MOST:
        console.print(f"{len(workers) - _MOST} before these: --json has them all")
    for worker in workers[-_MOST:]:
        console.print(styled(head(worker, now(), watches)))
        if watches.is_untended(worker):
            console.print(styled([Span(" " * 10), Span(NOBODY, "muted")]))
        elif worker.outcome or worker.why:
            console.print(styled([Span(" " * 10), why(worker)]))
    if not workers:
        console.print(
            "No worker yet. `collab-tui worker decision` starts one, and so does a [[stream]] of your settings."
        )
    return 0
