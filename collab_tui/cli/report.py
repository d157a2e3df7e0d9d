"""`collab-tui report`: how the agents of a registry spent their time, and how fast they reacted."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from collab_tui.cli.arguments import given_registry, make_parser, registry_path, show_anything
from collab_tui.cli.console import console_glyphs, make_console, styled
from collab_tui.cli.reading import check
from collab_tui.cli.settings import load_settings
from collab_tui.model.ages import duration
from collab_tui.model.glyphs import Glyphs
from collab_tui.model.reaction_times import Reaction, Timing
from collab_tui.model.summary import Span
from collab_tui.model.teamwork import AgentTime, Doing, Teamwork, TeamworkRecorder
from collab_tui.model.text import one_line
from collab_tui.protocol.trust import Trust
from collab_tui.registry.base import looks
from collab_tui.registry.jsonl import JsonlRegistry

_EXAMPLES = """\
  collab-tui report
  collab-tui report old/COLLABORATION_STATE.jsonl
  collab-tui report --json | jq '.agents[] | {name, busy: .seconds.busy}'

It ends with the last line, not now. What counts as what:
  busy, waiting, blocked, idle   what the agent declared last (failed: blocked, completed: idle)
  silent     it declared to be busy, waiting or blocked, and gave no sign of life for as long as the settings
             stale_after_working and stale_after say; until then it counts as what it declared
  untold     it declared no status, or one that nobody knows
  present    from the agent's first line to the end of its session; the shares are of this time
  one after the other   the busy times added up: as if one worked at a time, with no moment lost between two
  how fast   from a cause to the agent's next event, whatever that was; of lines whose times fit exactly
  unverified   a decision in your name, or an approver's, without the signature: it counts as no answer

--json prints one object, stable; fields are added, never renamed. Times are RFC 3339 in UTC, durations seconds:
    registry     {name}
    lines, events, first_time, last_time, out_of_place, untimed (lines)
    doubt        why nothing can be told of time (then all below is null), or null
    total, at_work (somebody was busy), at_once (two or more were), one_after_the_other
    gain         one_after_the_other / total
    agents       name, present, seconds {busy, waiting, blocked, idle, silent, untold, absent}
    others       names of those that wrote and declared nothing of themselves
    reactions    {name: {count, median, p95, longest}}"""

_WORDS = {
    Reaction.FIRED: ("event", "rule fires"),
    Reaction.WOKEN: ("rule fires", "agent reacts"),
    Reaction.REACHED: ("event", "woken agent"),
    Reaction.TOLD: ("message", "agent reacts"),
    Reaction.ASKED: ("request", "agent reacts"),
    Reaction.UNBLOCKED: ("unblocked", "agent reacts"),
    Reaction.DECIDED_BY_AGENT: ("request", "agent decides"),
    Reaction.DECIDED_BY_PERSON: ("request", "person decides"),
    Reaction.DECIDED_UNVERIFIED: ("request", "unverified answer"),
    Reaction.WENT_ON: ("decision", "asker goes on"),
}


def main(arguments: list[str]) -> int:
    """Print the account of a registry."""
    parser = make_parser("report", "Tell how the agents spent their time, and how fast they reacted.", _EXAMPLES)
    parser.add_argument("file", nargs="?", metavar="REGISTRY", help="the registry, as with --registry")
    parser.add_argument("--json", action="store_true", help="one JSON object, documented below")
    options = parser.parse_args(arguments)
    path = Path(registry_path(given_registry(parser, options)))
    account = read_account(path)
    if options.json:
        show_anything()
        print(json.dumps(_document(account, path.name), indent=2))
    else:
        print_account(account, make_console(), console_glyphs())
    return 0


def read_account(path: Path) -> Teamwork:
    """Read a registry to its end. Raises `NotThereError` where there is nothing that can be read."""
    config = load_settings(path)
    trust = Trust(config.person, config.approvers)
    return account_of(path, partial(TeamworkRecorder, config.person, config.limits, trust.judge_shown))


def account_of(path: Path, recorder_of_it: Callable[[], TeamworkRecorder]) -> Teamwork:
    """Have a new recorder take the whole registry. Raises `NotThereError`."""
    recorder = recorder_of_it()
    for news in looks(JsonlRegistry(path), final=True):
        check(news, path)
        if news.restarted is not None:
            recorder = recorder_of_it()
        recorder.extend(news.items)
    return recorder.account()


def print_account(account: Teamwork, console: Console, glyphs: Glyphs) -> None:
    """Print it for people."""
    if account.doubt is not None:
        console.print(f"How the time was spent cannot be told: {account.doubt}.")
        if account.out_of_place or account.untimed:
            console.print("`collab-tui doctor` says which lines these are, and what to do.")
        return
    _print_whole(account, console)
    _print_agents(account, console)
    _print_reactions(account, console, glyphs)


def _print_whole(account: Teamwork, console: Console) -> None:
    if account.first_time is not None and account.last_time is not None:
        first, last = account.first_time.astimezone(), account.last_time.astimezone()
        same_day = first.date() == last.date()
        until = f"{last:%H:%M:%S}" if same_day else f"{last:%Y-%m-%d %H:%M:%S}"
        console.print(styled([Span(f"{first:%Y-%m-%d %H:%M:%S} to {until}, {account.lines} lines", "muted")]))
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    times = f"{account.gain:.1f} times as long" if account.gain is not None else ""
    table.add_row("from first to last line", duration(account.total))
    table.add_row("somebody was busy", duration(account.at_work), f"{_percent(account.at_work / account.total)} of it")
    table.add_row("two or more were", duration(account.at_once), _percent(account.at_once / account.total))
    table.add_row("one after the other", duration(account.one_after_the_other), times)
    console.print(table)


def _print_agents(account: Teamwork, console: Console) -> None:
    shown = [
        doing
        for doing in Doing
        if doing is not Doing.ABSENT and (doing is Doing.BUSY or any(agent.seconds[doing] for agent in account.agents))
    ]
    if account.agents:
        table = _table("agents", "present", *(doing.value for doing in shown))
        for agent in account.agents:
            table.add_row(one_line(agent.name), duration(agent.present), *(_share(agent, doing) for doing in shown))
        console.print()
        console.print(table)
    if account.others:
        names = ", ".join(map(one_line, account.others))
        console.print(styled([Span(f"not measured, for they declare nothing: {names}", "muted")]))


def _share(agent: AgentTime, doing: Doing) -> str:
    share = agent.share(doing)
    return _percent(share) if share else ""


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def _print_reactions(account: Teamwork, console: Console, glyphs: Glyphs) -> None:
    if not account.reactions:
        return
    table = _table("how fast", "times", "median", "p95", "longest")
    for reaction, timing in account.reactions.items():
        cause, effect = _WORDS[reaction]
        durations = (timing.median, timing.p95, timing.longest)
        table.add_row(f"{cause} {glyphs.arrow} {effect}", str(timing.count), *map(duration, durations))
    console.print()
    console.print(table)


def _table(*titles: str) -> Table:
    """The first column is text, the others are numbers."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    first, *others = titles
    table.add_column(first, overflow="fold")
    for title in others:
        table.add_column(title, justify="right", no_wrap=True)
    return table


def _document(account: Teamwork, name: str) -> dict[str, Any]:
    """The whole account as plain JSON values."""
    is_told = account.doubt is None
    times = {
        "total": account.total,
        "at_work": account.at_work,
        "at_once": account.at_once,
        "one_after_the_other": account.one_after_the_other,
        "gain": account.gain,
        "agents": [
            {
                "name": agent.name,
                "present": _seconds(agent.present),
                "seconds": {doing.value: _seconds(spent) for doing, spent in agent.seconds.items()},
            }
            for agent in account.agents
        ],
        "others": list(account.others),
        "reactions": {reaction.value: _timing(timing) for reaction, timing in account.reactions.items()},
    }
    return {
        "registry": {"name": name},
        "lines": account.lines,
        "events": account.events,
        "first_time": _time(account.first_time),
        "last_time": _time(account.last_time),
        "out_of_place": account.out_of_place,
        "untimed": account.untimed,
        "doubt": account.doubt,
        **{
            field: (_seconds(value) if isinstance(value, float) else value) if is_told else None
            for field, value in times.items()
        },
    }


def _timing(timing: Timing) -> dict[str, Any]:
    return {
        "count": timing.count,
        "median": _seconds(timing.median),
        "p95": _seconds(timing.p95),
        "longest": _seconds(timing.longest),
    }


def _seconds(value: float) -> float:
    """Milliseconds are what the registry has."""
    return round(value, 3)


def _time(time: datetime | None) -> str | None:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z") if time else None
