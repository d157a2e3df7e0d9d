"""`collab-tui status`: print the board."""

from __future__ import annotations

import json
from dataclasses import replace

from rich.console import Console
from rich.table import Table
from rich.text import Text

from collab_tui.cli.arguments import given_registry, make_parser, show_anything
from collab_tui.cli.console import console_glyphs, make_console, styled
from collab_tui.cli.document import __doc__ as _document_help
from collab_tui.cli.document import document
from collab_tui.cli.reading import read
from collab_tui.model.ages import age, seconds_between
from collab_tui.model.asked import asker_gone, expiry
from collab_tui.model.board import Agent, Answer, Request
from collab_tui.model.glyphs import STATUS_WORDS, Glyphs
from collab_tui.model.moment import Moment, Order
from collab_tui.model.signature import Standing
from collab_tui.model.summary import STATUS_ROLES, Span, standing_span
from collab_tui.model.text import one_line

_EXAMPLES = f"""\
  collab-tui status
  collab-tui status --json | jq '.requests[] | select(.state == "open" and .to_person)'

{_document_help}"""


_DECIDED = 5
"""Decisions that are listed; the log has all."""


def main(arguments: list[str]) -> int:
    """Print the board as it is now."""
    parser = make_parser("status", "Print the board: agents, what needs you, waits, blockers, problems.", _EXAMPLES)
    parser.add_argument("file", nargs="?", metavar="REGISTRY", help="the registry, as with --registry")
    parser.add_argument("--json", action="store_true", help="one JSON object, documented below")
    parser.add_argument("--as", dest="person", metavar="NAME", help="who looks; else the configured person")
    options = parser.parse_args(arguments)
    reading = read(given_registry(parser, options), options.person)
    moment = reading.moment
    if moment.board.runs:
        from collab_tui.monitor.watching import gone_agents  # only who has runs pays for it

        moment = replace(moment, gone=gone_agents(reading.registry, moment.board.runs, moment.board.sessions))
    if options.json:
        show_anything()
        print(json.dumps(document(moment, reading.registry.name), indent=2))
        return 0
    _Report(moment, make_console(), console_glyphs()).print()
    return 0


class _Report:
    """The board in lines, in the order of need."""

    def __init__(self, moment: Moment, console: Console, glyphs: Glyphs) -> None:
        self._moment = moment
        self._board = moment.board
        self._console = console
        self._glyphs = glyphs

    def print(self) -> None:
        """Print every part that has something to say."""
        if not self._moment.agents:
            self._console.print("No agent has written yet.")
        for deadlock in self._moment.deadlocks:
            names = [one_line(name) for name in (*deadlock.agents, deadlock.agents[0])]
            cycle = f" {self._glyphs.arrow} ".join(names)
            self._line(Span(f"{self._glyphs.deadlock} deadlock  {cycle}", "error"))
        mine = [need for need in self._moment.needs if isinstance(need, Request)]
        for title, requests in (("Needs you", mine), ("To others", self._moment.to_others)):
            if requests:
                self._title(title, len(requests))
                for request in requests:
                    self._request(request)
        if decided := self._decided():
            self._title("Decided in your name", len(decided))
            for request, answer, standing in decided:
                self._decision(request, answer, standing)
        if self._moment.agents:
            self._title("Agents", len(self._moment.agents))
            self._agents()
        if self._board.blockers:
            self._title("Blockers", len(self._board.blockers))
            for blocker in self._board.blockers:
                self._line(
                    Span(f"{self._glyphs.blocker} {one_line(blocker.text)}", "warning"),
                    Span(f"  holds up {', '.join(map(one_line, blocker.holds_up))}", "muted"),
                )
        if self._board.problem_count:
            self._title("Problems", self._board.problem_count)
            for problem in self._board.problems[:10]:
                self._line(Span(f"line {problem.position + 1}: ", "muted"), Span(one_line(problem.text)))
            if self._board.problem_count > 10:
                self._line(Span(f"and {self._board.problem_count - 10} more", "muted"))

    def _title(self, text: str, count: int) -> None:
        self._console.print()
        self._line(Span(text, "strong"), Span(f"  {count}", "muted"))

    def _line(self, *spans: Span) -> None:
        self._console.print(styled(spans))

    def _request(self, request: Request) -> None:
        waited = seconds_between(request.asked_at, self._moment.now)
        facts = [f"{one_line(request.asker)} asks {'you' if request.to_person else one_line(request.target or '')}"]
        facts += [f"since {age(waited)}"] if waited is not None else []
        facts += ["overdue"] if self._moment.is_overdue(request) else []
        facts += filter(None, (expiry(request, self._moment).text, asker_gone(request, self._moment)))
        facts += [one_line(request.urgency)] if request.urgency else []
        facts += [f"perhaps answered by {one_line(request.answer.by)}"] if request.answer and request.is_open else []
        self._line(
            Span(
                f"{self._glyphs.needs_you} {one_line(self._short(request))}  ",
                "warning" if request.to_person else "muted",
            ),
            Span(one_line(request.request)),
            Span(f"  {f' {self._glyphs.separator} '.join(facts)}", "muted"),
        )
        if self._moment.is_only_claimed(request) and (answer := self._moment.answer(request)) is not None:
            standing = self._moment.standing(answer)
            said = f"      answered in your name: {one_line(answer.text or '')}  "
            self._line(Span(said, "warning"), standing_span(standing, self._glyphs))
        for number, option in enumerate(request.options, 1):
            self._line(Span(f"      {number} {one_line(option)}"))

    def _decided(self) -> list[tuple[Request, Answer, Standing]]:
        """The latest answers that somebody gave as the person, or as an approver, and that are not asked for again."""
        found = []
        for request in self._board.requests:
            answer = self._moment.answer(request)
            standing = self._moment.standing(answer) if answer is not None else None
            if answer is not None and standing is not None and not self._moment.is_answerable(request):
                found.append((request, answer, standing))
        return sorted(found, key=lambda one: one[1].position)[-_DECIDED:]

    def _decision(self, request: Request, answer: Answer, standing: Standing) -> None:
        said = f"{one_line(answer.text or '')} by {one_line(answer.by)}"
        glyph = self._glyphs.no if answer.verdict == "rejected" else self._glyphs.yes
        role = "error" if answer.verdict == "rejected" else "success"
        self._line(
            Span(f"{glyph} {said}  ", role) if standing is Standing.SIGNED else Span(f"  {said}  ", "muted"),
            Span(f"{one_line(request.request)}  "),
            standing_span(standing, self._glyphs),
        )

    def _short(self, request: Request) -> str:
        """As much of the id as `decide` needs, eight characters at least."""
        others = [other.id for other in self._board.requests if other.id != request.id]
        sizes = range(8, len(request.id))
        return next(
            (request.id[:n] for n in sizes if not any(o.startswith(request.id[:n]) for o in others)), request.id
        )

    def _agents(self) -> None:
        table = Table.grid(padding=(0, 2))
        for agent in self._moment.ordered(Order.NEED):
            table.add_row(*self._cells(agent))
        self._console.print(table)

    def _cells(self, agent: Agent) -> list[Text]:
        word = STATUS_WORDS.get(agent.status) or agent.raw_status or ""
        if agent.unblocked or self._moment.answered(agent) is not None:
            word = "not yet moving"
        glyph = self._glyphs.gone if agent.gone else self._glyphs.statuses[agent.status]
        role = STATUS_ROLES.get(agent.status, "text") if agent.status else "muted"
        silence = self._moment.silence(agent)
        seen = self._moment.age(agent)
        waits = [one_line(wait.awaited) for wait in self._moment.waits if wait.waiter == agent.name]
        last = (
            Span(f"silent {age(silence)}", "warning")
            if silence is not None
            else Span(age(seen) if seen is not None else "", "muted")
        )
        return [
            styled([Span(f"{glyph} {one_line(agent.name)}", role)]),
            styled([Span("gone" if agent.gone else one_line(word)[:40], role)]),
            styled([Span(f"{agent.progress:.0f} %" if agent.progress is not None else "")]),
            styled([last]),
            styled(
                [
                    Span(one_line(agent.current_task or "")),
                    Span(f"  waits for {', '.join(waits)}" if waits and not agent.gone else "", "warning"),
                ]
            ),
        ]
