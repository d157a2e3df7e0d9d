"""`collab-tui worker logs`: what was decided and why, how long it took, what failed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from collab_tui.cli.arguments import make_parser, say, show_anything
from collab_tui.cli.console import console_glyphs, make_console, styled
from collab_tui.cli.durations import duration
from collab_tui.cli.reading import NotThereError, now, read
from collab_tui.cli.worker.workers import document, find_worker, head, since_of, why
from collab_tui.model.ages import duration as how_long
from collab_tui.model.board import Board
from collab_tui.model.summary import Span
from collab_tui.model.text import clean, one_line
from collab_tui.model.workers import Stream, Worker
from collab_tui.workers.chains import Chain, Execution, Statistics, chains, counts, statistics, steps
from collab_tui.workers.logs import read_log

_MOST: Final = 20
_EXAMPLES: Final = """\
  collab-tui worker logs                 the latest, each with its why
  collab-tui worker logs 3f2a            all that one was told, said and found
  collab-tui worker logs --why T-13      from which event and decision it came
  collab-tui worker logs --stats --since 24h

--json prints one object: with ID worker and log, with --why chains (decision, executions), with --stats statistics
(kind, states, took_ms, failures) and streams, else workers as `worker list --json`."""


def logs_(arguments: list[str]) -> int:
    """Print a log, a chain, numbers, or the latest workers."""
    parser = make_parser("worker logs", "Print what was decided and why, how long it took, what failed.", _EXAMPLES)
    parser.add_argument("id", metavar="ID", nargs="?", help="the log of this worker: its id, or a beginning of it")
    parser.add_argument("--why", metavar="TASK", help="how work on this task came about")
    parser.add_argument("--stats", action="store_true", help="outcomes, times, and failures by their reason")
    parser.add_argument("--since", type=duration, metavar="TIME", help="of the last 2h, for instance")
    parser.add_argument("--json", action="store_true", help="one JSON object, documented below")
    options = parser.parse_args(arguments)
    if sum((options.id is not None, options.why is not None, options.stats)) > 1:
        parser.error("give one of ID, --why and --stats")
    if options.since is not None and (options.id is not None or options.why is not None):
        parser.error("--since goes with --stats, or alone")
    show_anything()
    reading = read(options.registry)
    board = reading.moment.board
    since = now() - timedelta(seconds=options.since) if options.since is not None else None
    if options.id is not None:
        return _log(find_worker(board, options.id), Path(reading.registry.name), options.json)
    if options.why is not None:
        return _why(board, options.why, options.json)
    workers = since_of(board.workers, since)
    if options.stats:
        return _stats(statistics(workers), board.streams if since is None else (), options.json)
    if options.json:
        print(json.dumps({"workers": [document(worker) for worker in workers]}, indent=2))
        return 0
    _print(line for worker in workers[-_MOST:] for line in _in_short(worker, now()))
    if not workers:
        print("No worker yet.")
    return 0


def _in_short(worker: Worker, at: datetime) -> Iterator[list[Span]]:
    yield list(head(worker, at))
    if worker.outcome or worker.why:
        yield [Span(" " * 10), why(worker)]
    tasks = (worker.verdict or {}).get("next")
    for task in tasks if isinstance(tasks, list) else ():
        if isinstance(task, dict):
            yield [Span(" " * 10 + one_line(f"next: {task.get('task')}  {task.get('why')}"))]


# One log


def _log(worker: Worker, registry: Path, as_json: bool) -> int:
    text = read_log(registry, worker.log) if worker.log is not None else None
    if as_json:
        print(json.dumps({"worker": document(worker), "log": text}, indent=2))
        return 0
    _print(_in_short(worker, now()))
    if text is None:
        told = f"it was on another machine, or is one of those before: {one_line(worker.log)}" if worker.log else "none"
        raise NotThereError(f"there is no log of it beside {registry}: {told}")
    say("")
    say(clean(text).rstrip())
    return 0


# A chain


def _why(board: Board, task: str, as_json: bool) -> int:
    found = chains(board, task)
    if as_json:
        print(json.dumps({"chains": [_chain_document(chain) for chain in found]}, indent=2))
        return 0
    if not found:
        raise NotThereError(f"no worker decided on {task!r} or worked on it")
    for place, chain in enumerate(found):
        _print([*([()] if place else []), *steps(chain, board, now(), console_glyphs())])
    return 0


def _chain_document(chain: Chain) -> dict[str, Any]:
    return {
        "decision": document(chain.decision) if chain.decision is not None else None,
        "executions": [_execution(one) for one in chain.executions],
    }


def _execution(execution: Execution) -> dict[str, Any]:
    request = execution.request
    answered = request.answer.verdict if request is not None and request.answer is not None else None
    told = {"id": request.id, "state": request.state.value, "verdict": answered} if request is not None else None
    return {"worker": document(execution.worker), "request": told}


# Numbers


def _stats(found: Sequence[Statistics], streams: Sequence[Stream], as_json: bool) -> int:
    """Of streams there are numbers only since the registry began."""
    if as_json:
        told = [
            {"kind": one.kind.value, "states": dict(one.states), "took_ms": list(one.took_ms), "failures": one.failures}
            for one in found
        ]
        came = [
            {"name": one.name, "events": one.events, "dropped": one.dropped, "refused": one.refused} for one in streams
        ]
        print(json.dumps({"statistics": told, "streams": came}, indent=2))
        return 0
    for stream in streams:
        say(f"stream {one_line(stream.name)}: {counts(stream)}")
    if not found:
        print("No worker yet.")
    for one in found:
        states = ", ".join(f"{count} {state}" for state, count in one.states.most_common())
        say(f"{one.kind}s: {sum(one.states.values())} ({states})")
        if one.took_ms:
            middle, longest = one.took_ms[len(one.took_ms) // 2], one.took_ms[-1]
            say(f"  took {how_long(middle / 1000)} in the middle, {how_long(longest / 1000)} at most")
        for reason, count in one.failures.most_common(_MOST):
            say(f"  {count} x {one_line(reason)}")
    return 0


def _print(lines: Iterable[Iterable[Span]]) -> None:
    console = make_console()
    for line in lines:
        console.print(styled(line))
