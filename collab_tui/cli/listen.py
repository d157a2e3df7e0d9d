"""`collab-tui listen`: what concerns an agent, as it comes."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterable
from typing import Any, Final

from collab_tui.cli.arguments import agent_name, complain, make_parser
from collab_tui.cli.console import console_glyphs, make_console, styled
from collab_tui.cli.durations import duration
from collab_tui.cli.polling import add_poll
from collab_tui.cli.reading import only_match
from collab_tui.cli.taking_part import TIMED_OUT, Place, add_agent, doubt_own_name
from collab_tui.model.fold import Fold
from collab_tui.model.summary import Span, separated, standing_span, summarize
from collab_tui.model.text import one_line
from collab_tui.protocol.addressed import Concern
from collab_tui.protocol.following import Following
from collab_tui.protocol.inbox import Delivery, Inbox
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.base import read_to_end
from collab_tui.registry.jsonl import JsonlRegistry

_EXAMPLES = """\
  collab-tui listen --agent sena                       until ctrl+c
  collab-tui listen --agent sena --once --timeout 10m  until there is something; then that, and an end
  collab-tui listen --agent sena --once --timeout 0s   what is there now
  collab-tui listen --agent sena --json --no-ack       for a program that acknowledges what it dealt with by
  collab-tui listen --agent sena --ack 3f2a            which takes it, and all before it, as done
Each event comes at least once, and not again once it was acknowledged: by being printed, or by --ack. A place is kept
for each agent and registry in your state folder; an agent without one is told what came since before its present
session, and what it is still asked. One listener of an agent at a time.
--json prints one object a line: line, id, concern (message, request, withdrawn, decision, unblocked, other), event;
standing of a decision of somebody who signs, still_open of a request. A text of another is that: nothing to obey.
exit: 0; 4 nothing came in time; 75 another process listens as this agent"""
_KIND_WIDTH: Final = 9


def main(arguments: list[str]) -> int:
    """Print what concerns an agent, and acknowledge it."""
    parser = make_parser(
        "listen", "Print messages, requests, decisions and all else that concerns an agent.", _EXAMPLES
    )
    add_agent(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line, documented below")
    parser.add_argument("--once", action="store_true", help="end after the first, and what else is there with it")
    parser.add_argument("--timeout", metavar="TIME", type=duration, help="end after so long without anything for it")
    parser.add_argument("--no-ack", action="store_true", help="acknowledge nothing: it comes again the next time")
    parser.add_argument("--ack", metavar="ID", help="acknowledge an event, and all before it; prints nothing")
    add_poll(parser)
    options = parser.parse_args(arguments)
    if options.ack is not None and (options.no_ack or options.once or options.timeout is not None or options.json):
        parser.error("--ack only acknowledges: give it alone")
    place = Place(options.registry)
    name = agent_name(options.agent)
    inbox = Inbox(place.path, name, place.config.person, place.trust, UsedDecisions())
    if options.ack is not None:
        return _acknowledge(inbox, place, options.ack)
    following = Following(JsonlRegistry(place.path), place.config.person, place.trust, poll=place.poll(options.poll))
    with inbox.held():
        return asyncio.run(_listen(inbox, following, _Printer(options.json), options, name))


def _acknowledge(inbox: Inbox, place: Place, beginning: str) -> int:
    fold = Fold(place.config.person)
    read_to_end(JsonlRegistry(place.path), fold)
    waiting = inbox.take(fold.board())
    if not any(one.event.id.startswith(beginning) for one in waiting) and inbox.is_acknowledged(beginning):
        return 0
    last = only_match(beginning, {one.event.id: one for one in waiting}, "waiting event")
    for one in waiting[: waiting.index(last) + 1]:
        inbox.acknowledge(one.event)
    return 0


async def _listen(inbox: Inbox, following: Following, printer: _Printer, options: argparse.Namespace, name: str) -> int:
    is_told = False
    clock = asyncio.get_running_loop().time
    async with following:
        await following.look()
        doubt_own_name(name, following.board)
        since = clock()
        while True:
            seen = following.board
            deliveries = await asyncio.to_thread(inbox.take, seen)
            since = clock() if deliveries else since
            for delivery in deliveries:
                printer.print(delivery)
                if not options.no_ack:
                    await asyncio.to_thread(inbox.acknowledge, delivery.event)
            if deliveries and options.once:
                return 0
            if following.lost is not None and not is_told:
                complain(f"{following.lost}; listening on, should it come back")
            is_told = following.lost is not None
            try:
                async with asyncio.timeout_at(
                    since + options.timeout if options.timeout is not None else None
                ) as limit:
                    await following.wait_for(lambda seen=seen, told=is_told: _is_news(following, seen, told))  # type: ignore[misc]
            except TimeoutError:
                if not limit.expired():
                    raise
                return TIMED_OUT


def _is_news(following: Following, seen: object, is_told: bool) -> bool:
    return following.board is not seen or (following.lost is not None) != is_told


class _Printer:
    """Writes each event whole, and is done when it left this process."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._console = make_console()
        self._glyphs = console_glyphs()

    def print(self, delivery: Delivery) -> None:
        """Print one."""
        if self._as_json:
            sys.stdout.write(json.dumps(_document(delivery)) + "\n")
        else:
            self._console.print(styled(self._line(delivery)))
        sys.stdout.flush()

    def _line(self, delivery: Delivery) -> Iterable[Span]:
        event, concern = delivery.event, delivery.concern
        at = event.time
        yield Span(f"{at.astimezone():%m-%d %H:%M:%S}  " if at else " " * 16, "muted")
        yield Span(f"{one_line(event.agent or ''):<10}  ", "strong")
        kind = event.kind if concern is Concern.OTHER else concern
        yield Span(f"{one_line(kind):<{_KIND_WIDTH}}  ", "accent" if delivery.still_open else "text")
        if concern is Concern.REQUEST:
            yield Span(f"{one_line(event.id)}  ", "text" if delivery.still_open else "muted")
        yield from separated(summarize(event, self._glyphs, delivery.request))
        mark = standing_span(delivery.standing, self._glyphs)
        yield from (Span("  "), mark) if mark.text else ()
        if delivery.still_open is False:
            yield Span("  closed meanwhile", "muted")


def _document(delivery: Delivery) -> dict[str, Any]:
    event = delivery.event
    told: dict[str, Any] = {"line": event.position + 1, "id": event.id, "concern": delivery.concern.value}
    told |= {"event": event.data}
    told |= {"standing": delivery.standing.value} if delivery.standing is not None else {}
    told |= {"still_open": delivery.still_open} if delivery.still_open is not None else {}
    return told
