"""`collab-tui wait`: until something comes true."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any, Final

from collab_tui import cli
from collab_tui.cli.arguments import complain, decider_name, make_parser, show_anything
from collab_tui.cli.durations import duration
from collab_tui.cli.emit import KNOWN_EVENTS
from collab_tui.cli.polling import add_poll
from collab_tui.cli.reading import find_request, read
from collab_tui.cli.taking_part import ANSWER_HELP, OVER, TIMED_OUT, Place, known_agents, wait_for_answer
from collab_tui.model.event import Event, Item
from collab_tui.model.signature import Standing
from collab_tui.protocol.conditions import (
    Decided,
    Happens,
    HasStatus,
    IsMet,
    IsResolved,
    held_blockers,
    only_blocker,
    parse_condition,
    unknown_names,
    words_of,
)
from collab_tui.protocol.following import Following
from collab_tui.protocol.participation import Participant
from collab_tui.protocol.trust import Onlooker
from collab_tui.registry.jsonl import JsonlRegistry

_EXAMPLES = f"""\
  collab-tui wait decision 3f2a                     as `ask --wait` does, and with its exit codes
  collab-tui wait agent lubit status completed --timeout 10m
  collab-tui wait blocker "no credentials" resolved
  collab-tui wait event decision from lubit --since 5m
  collab-tui wait dependency gitcode_ready
What is true already ends it at once; events count from the start of the command, or from --since. What made it true is
printed as one JSON object. A decision in the name of somebody who signs counts if they signed it, and a blocker that
starts with their name is resolved by what they signed, or by its holder.
{ANSWER_HELP}"""
_NEAR: Final = 0.8


def main(arguments: list[str]) -> int:
    """Wait, and print what made it true."""
    parser = make_parser("wait", "Wait until something comes true.", _EXAMPLES)
    parser.add_argument("words", nargs="*", metavar="CONDITION", help="see the examples")
    parser.add_argument("--timeout", metavar="TIME", type=duration, help="at most so long, such as 90s or 10m")
    parser.add_argument(
        "--since", metavar="TIME", type=duration, help="with event: one of so long ago counts too, such as 5m"
    )
    parser.add_argument(
        "--agent", metavar="NAME", help="with decision: who takes it; else $COLLAB_AGENT, else $AGENT, else who asked"
    )
    add_poll(parser)
    options = parser.parse_args(arguments)
    show_anything()
    condition = parse_condition(options.words)
    if options.since is not None and not isinstance(condition, Happens):
        parser.error("--since is for event")
    place = Place(options.registry)
    if isinstance(condition, Decided):
        request = find_request(read(options.registry).moment, condition.request_id)
        me = place.participant(decider_name(options.agent, None, request.asker), options.poll)
        return asyncio.run(_decision(me, place, request.id, options.timeout))
    return asyncio.run(_Waiting(place, options).until(condition))


async def _decision(me: Participant, place: Place, request_id: str, within: float | None) -> int:
    async with me:
        return await wait_for_answer(me, place.trust, request_id, within)


class _Waiting:
    def __init__(self, place: Place, options: argparse.Namespace) -> None:
        self._timeout = options.timeout
        self._person = place.config.person
        self._since = datetime.fromtimestamp(cli.STARTED, UTC) - timedelta(seconds=options.since or 0)
        self._is_since_given = options.since is not None
        registry = JsonlRegistry(place.path)
        self._following = Following(registry, place.config.person, place.trust, poll=place.poll(options.poll))
        self._lines = JsonlRegistry(place.path)
        self._onlooker = Onlooker(place.trust)

    async def until(self, condition: HasStatus | IsMet | IsResolved | Happens) -> int:
        """Follow the registry until the condition holds; gives the exit code."""
        async with self._following:
            await self._following.look()
            if isinstance(condition, IsResolved):
                ever = await asyncio.to_thread(self._blockers_ever)
                condition = only_blocker(condition.text, held_blockers(self._following.board), ever)
            for doubt in self._doubts(condition):
                complain(f"{doubt}; waiting all the same")
            try:
                async with asyncio.timeout(self._timeout) as limit:
                    proof = await self._proof(condition)
            except TimeoutError:
                if not limit.expired():
                    raise
                complain(f"not within the time: {words_of(condition)}")
                return TIMED_OUT
        if proof is None:
            complain(f"it cannot come true any more: {self._following.lost}")
            return OVER
        print(json.dumps({"condition": words_of(condition), **proof}), flush=True)
        return 0

    def _doubts(self, condition: HasStatus | IsMet | IsResolved | Happens) -> Iterable[str]:
        """Why it may wait for ever."""
        yield from unknown_names(condition, [*known_agents(self._following.board), self._person])
        kind = condition.event.casefold() if isinstance(condition, Happens) else None
        if kind is not None and kind not in KNOWN_EVENTS and (near := get_close_matches(kind, KNOWN_EVENTS, 1, _NEAR)):
            yield f"no event that has a meaning is called {kind!r} (did you mean {near[0]}?)"

    async def _proof(self, condition: HasStatus | IsMet | IsResolved | Happens) -> dict[str, Any] | None:
        """What makes it true; None when the registry is lost."""
        is_first = True
        while True:
            seen = self._following.board
            if isinstance(condition, Happens):
                proof = await asyncio.to_thread(self._event, condition, is_first)
            else:
                proof = condition.proof(seen)
            if proof is not None or self._following.lost is not None:
                return proof
            is_first = False
            await self._following.wait_for(
                lambda seen=seen: self._following.board is not seen or self._following.lost is not None  # type: ignore[misc]
            )

    def _event(self, condition: Happens, is_first: bool) -> dict[str, Any] | None:
        """The first of the lines that are new that is such an event."""
        is_old = is_first
        while True:
            news = self._lines.read_next()
            is_old = is_old or news.restarted is not None  # what another registry held before is no news
            items = [(item, self._onlooker.see(item)) for item in news.items]
            for item, judged in items:
                if not isinstance(item, Event) or not condition.is_shown_by(item):
                    continue
                standing = judged.standing if judged is not None else None
                if standing in (None, Standing.SIGNED) and (not is_old or self._is_recent(item)):
                    told = {"standing": standing.value} if standing is not None else {}
                    return {"line": item.position + 1, "id": item.id, "event": item.data, **told}
            if not news.remaining:
                return None

    def _is_recent(self, event: Event) -> bool:
        """A line that was there already counts by its time: one that came while we started, or since `--since`.

        One from a clock that is ahead may be of long before that.
        """
        if event.time is None or event.time < self._since:
            return False
        return self._is_since_given or event.time <= datetime.now(UTC)

    def _blockers_ever(self) -> set[str]:
        return _named(self._following.registry.items(0, self._following.board.position))


def _named(items: Iterable[Item]) -> set[str]:
    """The texts of all blockers that these lines name."""
    events = [item for item in items if isinstance(item, Event)]
    return {text for event in events for name in ("blocker", "blockers") for text in event.texts(name)}
