"""`collab-tui log`: print the events, filtered, and go on printing if asked."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable
from contextlib import aclosing
from pathlib import Path
from typing import Any

from collab_tui.cli.arguments import complain, given_registry, make_parser, registry_path
from collab_tui.cli.console import console_glyphs, make_console, styled
from collab_tui.cli.polling import add_poll
from collab_tui.cli.reading import NotThereError, check
from collab_tui.cli.settings import load_settings
from collab_tui.model.event import Event, Item
from collab_tui.model.query import Predicate, doubts, parse_query
from collab_tui.model.signature import Standing
from collab_tui.model.summary import Span, separated, standing_span, summarize
from collab_tui.model.text import one_line
from collab_tui.protocol.trust import Onlooker, Trust
from collab_tui.registry.follow import Watch
from collab_tui.registry.jsonl import JsonlRegistry

_EXAMPLES = """\
  collab-tui log                                 every event, oldest first
  collab-tui log FILE.jsonl event:decision       of any registry
  collab-tui log event:decision agent:lubit
  collab-tui log 'time>14:00' 'progress<50' -event:progress
  collab-tui log --follow --json status:blocked
terms: text, "two words", field:value, field>value (>= < <= =), -term for not; all must hold
exit: 0, also when nothing passes; 2 usage, no such file, or nothing passes a filter that can hardly be meant;
130 --follow ended by Ctrl-C"""


def main(arguments: list[str]) -> int:
    """Print the events of a registry that pass the filter."""
    parser = make_parser("log", "Print the events that pass a filter, oldest first.", _EXAMPLES)
    parser.add_argument("filter", nargs="*", metavar="FILTER", help="the filter language of the board's log")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with new events until ctrl+c")
    parser.add_argument(
        "--json",
        action="store_true",
        help="one JSON object a line: line, the event or the reason and, of a decision in your name, its standing",
    )
    add_poll(parser)
    negated = [argument for argument in arguments if _is_negated(argument)]
    options = parser.parse_args([argument for argument in arguments if not _is_negated(argument)])
    # As with the other commands the registry may be named without `--registry`; no filter ends so and is a file.
    options.file = next((word for word in options.filter if word.endswith(".jsonl") and Path(word).is_file()), None)
    if options.file is None and (no_file := next((w for w in options.filter if w.endswith(".jsonl")), None)):
        raise NotThereError(f"there is no file {no_file}")
    path = Path(registry_path(given_registry(parser, options)))
    settings = load_settings(path)
    trust = Trust(settings.person, settings.approvers)
    query = " ".join((*(word for word in options.filter if word != options.file), *negated))
    doubted = doubts(query)
    for doubt in doubted:
        complain(one_line(doubt))
    printer = _Printer(parse_query(query), options.json, trust)
    registry = JsonlRegistry(path)
    if options.follow:
        poll = options.poll if options.poll is not None else settings.poll
        asyncio.run(_follow(registry, Watch(path, poll), printer))
        return 0
    while True:
        news = registry.read_next(final=True)
        check(news, path)
        printer.print(news.items)
        if not news.remaining:
            return 2 if doubted and not printer.has_printed else 0


def _is_negated(argument: str) -> bool:
    """A term such as `-failed`; argparse would read it as options."""
    return argument.startswith("-") and not argument.startswith("--") and argument not in ("-", "-f", "-h")


async def _follow(registry: JsonlRegistry, watch: Watch, printer: _Printer) -> None:
    async with aclosing(watch.wakeups()) as wakeups:
        async for _ in wakeups:
            something = True
            while something:
                news = await asyncio.to_thread(registry.read_next)
                if news.restarted is not None:
                    print(f"collab-tui: the registry was {news.restarted}: from its start again", file=sys.stderr)
                printed = printer.print(news.items)
                watch.found(printed)
                something = bool(news.remaining)


class _Printer:
    def __init__(self, matches: Predicate, as_json: bool, trust: Trust) -> None:
        self._matches = matches
        self._onlooker = Onlooker(trust)
        self._as_json = as_json
        self._console = make_console()
        self._glyphs = console_glyphs()
        self.has_printed = False

    def print(self, items: Iterable[Item]) -> bool:
        """Print those that pass; True when there was any item at all."""
        found = False
        for item in items:
            found = True
            judgement = self._onlooker.see(item)
            if self._matches(item):
                self.has_printed = True
                standing = judgement.standing if judgement is not None else None
                self._print_json(item, standing) if self._as_json else self._print_line(item, standing)
        if found:
            sys.stdout.flush()
        return found

    def _print_json(self, item: Item, standing: Standing | None) -> None:
        told: dict[str, Any] = {"line": item.position + 1}
        told |= {"id": item.id, "event": item.data} if isinstance(item, Event) else {"unreadable": item.reason}
        told |= {"standing": standing.value} if standing is not None else {}
        sys.stdout.write(json.dumps(told) + "\n")

    def _print_line(self, item: Item, standing: Standing | None) -> None:
        spans = [Span(f"{item.position + 1:>6}  ", "muted")]
        if isinstance(item, Event):
            at = item.time
            spans.append(Span(f"{at.astimezone():%Y-%m-%d %H:%M:%S}  " if at else " " * 21, "muted"))
            spans.append(Span(f"{one_line(item.agent or ''):<10}  ", "strong"))
            spans.append(Span(f"{one_line(item.kind):<17}  "))
        mark = standing_span(standing, self._glyphs)
        request = self._onlooker.request_of(item) if isinstance(item, Event) else None
        spans += separated([*summarize(item, self._glyphs, request), *([mark] if mark.text else [])])
        line = styled(spans)
        if sys.stdout.isatty():
            self._console.print(line, no_wrap=True, overflow="ellipsis")
        else:
            self._console.print(line)  # whole: it goes to a file, or to grep
