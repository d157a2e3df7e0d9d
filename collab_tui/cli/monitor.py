"""`collab-tui monitor`: do by itself what the rules say, own sessions, workers and runs, and print what happens."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from collab_tui.cli.arguments import make_parser, registry_path, say, show_anything
from collab_tui.cli.polling import add_poll
from collab_tui.cli.reading import check
from collab_tui.cli.settings import load_settings
from collab_tui.config import Config, ConfigError, user_config_file
from collab_tui.config.rules import WHOEVER, Rule
from collab_tui.model.event import Item
from collab_tui.model.text import clean, one_line
from collab_tui.monitor.host import Monitor
from collab_tui.monitor.log import LOG, SaidInLog
from collab_tui.protocol.trust import Trust
from collab_tui.reactions.actions.message import SENT
from collab_tui.reactions.dry_run import dry_run, lines_of
from collab_tui.reactions.happening import Happening
from collab_tui.registry.append import UnusableError
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.registry.kept import kept_for

_EXAMPLES = """\
  collab-tui monitor                      do what the rules that are on say, until ctrl+c or SIGTERM
  collab-tui monitor --dry-run            what the rules would have done so far, each that is off as if it were on too
  collab-tui monitor --dry-run OLD.jsonl  the same for any saved registry
  collab-tui monitor --json | jq .        one JSON object for each thing that happens
  collab-tui monitor --status             which process acts here, since when, and what it has in hand; 1: none
  collab-tui monitor --stop               end it: sessions end with it, but for those in tmux

Rules are [[rule]] tables of your own config.toml or the project's: `collab-tui config` tells where those are. A rule is
off until it says `on = true`. Only rules of your own file run programs. Settings that change are read at once; while
there is a mistake in them, the rules stay as they were.

What happened before a rule was switched on is old, and so is what happened more than 10 minutes ago while no monitor
ran, or waited so long for a program before it or for room on the disk: that is counted, not acted on. Nothing is done
twice, however the monitor ends. A program ends with the monitor that runs it, also when that is killed. How far it came
then nobody knows: it is written down as interrupted, and not run again.

A rule has a cool-down of a minute, unless it waits for what is one of its own each time: a request, a decision, a
deadlock, a threshold that is crossed. What it leads to does not set it off again for 6 hours, or until the agent is
done and has another task, or you turn to it: `depth` lets it more often.

Sessions, workers and runs that are handed to it run in the monitor. `collab-tui session start` and `collab-tui run
--detach` start one that runs by itself, if none acts yet. When it ends its runs stop, and the next one goes on.

One monitor acts on a registry. A second one says whose turn it is, tells what the first does, and takes its place when
it ends. Of several people on one registry each has their own notifications and programs; a message is sent once."""


def main(arguments: list[str]) -> int:
    """Act, or show what would have been done."""
    parser = make_parser("monitor", "Do by itself what your rules say, and print what happens.", _EXAMPLES)
    parser.add_argument(
        "--dry-run",
        nargs="?",
        const="",
        metavar="FILE",
        help="do nothing: print what the rules would have done on this registry, those that are off too",
    )
    parser.add_argument("--status", action="store_true", help="tell who acts here, and what it has in hand")
    parser.add_argument("--stop", action="store_true", help="end the one that acts here")
    parser.add_argument("--yes", action="store_true", help="with --stop: do not ask, whatever ends with it")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--detached", action="store_true", help=argparse.SUPPRESS)  # how one starts that runs by itself
    add_poll(parser)
    options = parser.parse_args(arguments)
    show_anything()
    if (options.dry_run is not None) + options.status + options.stop > 1:
        parser.error("--dry-run, --status and --stop: give one of them")
    if options.yes and not options.stop:
        parser.error("--yes is of --stop")
    if options.status or options.stop:
        from collab_tui.cli.monitor_state import status, stop  # a monitor that starts need not pay for it

        path = Path(registry_path(options.registry))
        return stop(path, is_sure=options.yes) if options.stop else status(path, options.json)
    if options.dry_run is not None:
        if options.dry_run and options.registry:
            parser.error(f"{options.dry_run!r} and --registry {options.registry!r}: give one registry")
        return _dry_run(Path(registry_path(options.dry_run or options.registry)), options.json)
    return asyncio.run(
        _monitor(Path(registry_path(options.registry)), options.poll, options.json, is_detached=options.detached)
    )


def _dry_run(path: Path, as_json: bool) -> int:
    config = load_settings(path)
    trust = Trust(config.person, config.approvers)
    found = dry_run(_items(path), config.rules, config.person, config.limits, trust)
    if as_json:
        for would_be in found:
            print(json.dumps(would_be.document()))
        return 0
    for line in lines_of(found, config.rules):
        say(line)
    for line in _held(config):
        say(line)
    if not config.rules:
        say(f"There are no rules. They are [[rule]] tables of {user_config_file()}.")
    return 0


def _items(path: Path) -> list[Item]:
    """All lines of a registry."""
    registry, items = JsonlRegistry(path), list[Item]()
    while True:
        news = registry.read_next(final=True)
        check(news, path)
        items += news.items
        if not news.remaining:
            return items


async def _monitor(path: Path, poll: float | None, as_json: bool, *, is_detached: bool) -> int:
    log = kept_for(path) / LOG if is_detached else None
    if log is not None:
        sys.stdout = SaidInLog(log)
    teller = (_JsonTeller if as_json else _LogTeller if is_detached else _Teller)(path)
    try:
        monitor = Monitor(
            path,
            poll=poll,
            tell=teller.tell,
            notice=teller.notice,
            began=lambda: teller.start(monitor.config, monitor.method),
            settings_changed=teller.settings_changed,
            acts=lambda: _tell_only_log(log),
            waits=not is_detached,
            log=log,
        )
    except ConfigError as error:
        raise UnusableError(str(error)) from error
    await monitor.run()
    if is_detached:
        teller.notice("this monitor ended")
    return 0


def _tell_only_log(log: Path | None) -> None:
    """It is ready: from now on its errors concern nobody who waits for its start."""
    if log is not None:
        sys.stderr = SaidInLog(log)


class _Teller:
    """Prints lines for people."""

    def __init__(self, registry: Path) -> None:
        self._registry = registry

    def start(self, config: Config, method: str) -> None:
        """What there is to be done."""
        self._print(f"{self._registry}: {method}, process {os.getpid()}")
        self.settings_changed(config, "")

    def settings_changed(self, config: Config, why: str = "the settings changed: ") -> None:
        """Every rule, and whether it is on."""
        on = sum(rule.is_on for rule in config.rules)
        waiting = list(_held(config))
        counts = [f"{on} on", f"{len(config.rules) - on} off", *([f"{len(waiting)} held"] if waiting else [])]
        self._print(f"{why}rules: {', '.join(counts)}")
        for place, rules in groupby(config.rules, lambda rule: rule.source and rule.source.path):
            self._print(f"  {place}")
            for rule in rules:
                line = f"line {rule.source.line}" if rule.source else ""
                self._print(f"    {'on ' if rule.is_on else 'off'}  {line:<8}  {rule.name}: {_in_words(rule)}")
        for line in waiting:
            self._print(f"  {line}")
        for stream in config.streams:
            self._print(f"stream {one_line(stream.name)}: {config.workers.decision_agent} decides on its events")
        if not on:
            so = "" if config.streams else ", so nothing is done by itself"
            self._print(
                f"No rule is on{so}. Rules are [[rule]] tables of "
                f"{user_config_file()}, and `on = true` switches one on; it is read at once."
            )
            self._print("What waits for you, the board itself tells you: for that no monitor has to run.")

    def tell(self, happening: Happening) -> None:
        """One line: time, rule, outcome."""
        whom = f" to {happening.target}" if happening.target and happening.outcome == SENT else ""
        took = f" ({happening.took_ms} ms)" if happening.took_ms is not None else ""
        facts = [happening.rule, f"{happening.outcome}{whom}{took}"]
        facts += [f"about {happening.about}"] if happening.about else []
        facts += [happening.text] if happening.text else []
        facts += [f"held back {happening.held_back} times before"] if happening.held_back else []
        facts += [f"output in {happening.log}"] if happening.log else []
        facts += [f"by {happening.by}"] if happening.by else []
        self._print("  ".join(map(one_line, facts)), happening.at)

    def notice(self, text: str) -> None:
        """What concerns no single rule."""
        self._print(one_line(text), datetime.now(UTC))

    def _print(self, text: str, at: datetime | None = None) -> None:
        say(f"{at.astimezone():%H:%M:%S}  {text}" if at is not None else text)
        sys.stdout.flush()


class _LogTeller(_Teller):
    """Prints the same for whoever reads it another day."""

    def _print(self, text: str, at: datetime | None = None) -> None:
        super()._print(f"{(at or datetime.now(UTC)).astimezone():%Y-%m-%d %H:%M:%S}  {text}")


class _JsonTeller(_Teller):
    """Prints one JSON object a line."""

    def start(self, config: Config, method: str) -> None:
        """What there is to be done."""
        self._dump({"monitor": os.getpid(), "registry": str(self._registry), "method": method, **_rules(config)})

    def settings_changed(self, config: Config, why: str = "") -> None:
        """Every rule, and whether it is on."""
        self._dump(_rules(config))

    def tell(self, happening: Happening) -> None:
        """What became of something that a rule waits for."""
        self._dump(happening.document())

    def notice(self, text: str) -> None:
        """What concerns no single rule."""
        self._dump({"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "notice": text})

    def _dump(self, told: Mapping[str, Any]) -> None:
        print(json.dumps(told), flush=True)


def _rules(config: Config) -> Mapping[str, Any]:
    told = [
        {"name": rule.name, "state": "on" if rule.is_on else "off", "source": str(rule.source)} for rule in config.rules
    ]
    held = [{"name": name, "state": "held", "source": place} for name, place in _waiting(config)]
    return {"rules": [*told, *held], "streams": [stream.name for stream in config.streams]}


def _waiting(config: Config) -> list[tuple[str, str]]:
    """Name and file of each rule of the project's file that the person did not allow."""
    if config.waiting is None:
        return []
    rules = config.waiting.content.get("rule", {}).values()
    return [(str(rule.get("name", "")), str(config.waiting.path)) for rule in rules]


def _held(config: Config) -> Iterator[str]:
    for name, place in _waiting(config):
        yield f"held  {one_line(clean(name))}  the project's, until you allow it: collab-tui config allow  ({place})"


def _in_words(rule: Rule) -> str:
    """What a rule waits for, and what it does then."""
    when, then = rule.when, rule.then
    waits = [
        "a deadlock" if when.deadlock else "",
        f"silent for {when.silent_for:g} min" if when.silent_for is not None else "",
        when.event or "",
        f"verdict {when.verdict}" if when.verdict else "",
        f"request to {when.request_to}" if when.request_to else "",
        f"from {when.source}" if when.source else "",
        f"status {when.status}" if when.status else "",
        f"progress crosses {when.progress_crosses:g} %" if when.progress_crosses is not None else "",
    ]
    if then.run is not None:
        does = f"run {shlex.join(then.run)}"
    elif then.prompt is not None:
        does = f"prompt {'its writer' if then.prompt == WHOEVER else then.prompt}"
    elif then.message is not None:
        does = f"tell {'its writer' if then.message == WHOEVER else then.message}"
    else:
        does = "notify you"
    return f"{', '.join(filter(None, waits))} -> {does}"
