"""`collab-tui connections`: which agents are connected, and whether they were ever heard from."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.padding import Padding

from collab_tui.cli.arguments import make_parser, show_anything
from collab_tui.cli.console import make_console, styled
from collab_tui.cli.reading import check, now
from collab_tui.cli.wired import here, project_here, told
from collab_tui.hooks.wiring.agents import AGENTS, Agent, Scope
from collab_tui.hooks.wiring.codex_trust import Trust
from collab_tui.hooks.wiring.heard import Heard, heard
from collab_tui.hooks.wiring.pasting import PASTED
from collab_tui.hooks.wiring.standing import Standing, State, standing
from collab_tui.model.ages import age, seconds_between
from collab_tui.model.event import Item
from collab_tui.model.summary import Span
from collab_tui.model.text import clean, one_line
from collab_tui.processes.finding import find_program
from collab_tui.protocol.installed import program
from collab_tui.registry.append import UnusableError
from collab_tui.registry.base import looks
from collab_tui.registry.jsonl import JsonlRegistry

_EXAMPLES = """\
  collab-tui connections
  collab-tui connections --json | jq -r '.agents[] | select(.heard == null) | .agent'
Exit code: 0, whatever is connected; 2 when the registry cannot be read.

--json prints one object, stable; fields are added, never renamed:
    registry   its path; null: there is none here
    agents     agent, title, is_installed, heard {agent, event, at} (null: never, or there is no registry), files
    files      scope (project, user), path, state (not connected, connected, outdated, switched off, unreadable),
               why [what is outdated or wrong], name, registry, program, is_program_there, trust (of Codex: trusted,
               changed since it was trusted, not trusted yet, switched off, unknown)"""

_ROLES = {
    State.NONE: "muted",
    State.COMPLETE: "success",
    State.OUTDATED: "warning",
    State.OFF: "warning",
    State.UNREADABLE: "error",
}
_MOST = 3
"""Differences that are told; the rest is counted."""


def main(arguments: list[str]) -> int:
    """Print one part for each agent."""
    parser = make_parser("connections", "Print which agents are connected, and whether one ever spoke.", _EXAMPLES)
    parser.add_argument("--json", action="store_true", help="one JSON object, documented below")
    options = parser.parse_args(arguments)
    show_anything()
    try:
        registry, folder, _ = project_here(options.registry)
    except UnusableError:
        if options.registry is not None:
            raise
        registry, folder = None, here()
    spoke = _heard(registry) if registry is not None else {}
    ours = program()
    found = {agent: [standing(agent, scope, folder, ours, os.environ) for scope in Scope] for agent in AGENTS.values()}
    if options.json:
        print(json.dumps(_document(registry, found, spoke), indent=2))
        return 0
    console = make_console()
    for indent, spans in _lines(registry, found, spoke):
        if console.soft_wrap:
            console.print(styled([Span(" " * indent), *spans]))
        else:
            console.print(Padding(styled(spans), (0, 0, 0, indent)))
    return 0


def _heard(registry: Path) -> dict[str, Heard]:
    def items() -> Iterator[Item]:
        for news in looks(JsonlRegistry(registry), final=True):
            check(news, registry)
            yield from news.items

    return heard(items())


def _lines(
    registry: Path | None, found: dict[Agent, list[Standing]], spoke: dict[str, Heard]
) -> Iterator[tuple[int, list[Span]]]:
    """How far each line is indented, and what it says."""
    if registry is None:
        yield 0, [Span("No registry here or above: ", "warning"), Span("`collab-tui init` makes one. Your own files:")]
        yield 0, []
    for agent, standings in found.items():
        yield 0, [Span(agent.title, "strong"), Span("" if _is_installed(agent.id) else "  not in your PATH", "muted")]
        for each in standings:
            yield from _of_file(each)
        if registry is not None:
            yield 2, _of_heard(spoke.get(agent.title), now())
        yield 0, []
    for pasted in PASTED.values():
        last = spoke.get(pasted.title)
        yield 0, [Span(pasted.title, "strong"), Span(f"  set up by hand: collab-tui connect {pasted.id}", "muted")]
        if last is not None:
            yield 2, _of_heard(last, now())


def _of_file(each: Standing) -> Iterator[tuple[int, list[Span]]]:
    name = f" as {each.name}" if each.name is not None else ""
    yield (
        2,
        [
            Span(f"{each.scope:<8} ", "muted"),
            Span(one_line(clean(f"{each.state}{name}")), _ROLES[each.state]),
            Span(f"  {one_line(clean(told(each.path)))}", "muted"),
        ],
    )
    for text, role in _remarks(each):
        yield 11, [Span(one_line(clean(text)), role)]


def _remarks(each: Standing) -> Iterator[tuple[str, str]]:
    if each.state is State.UNREADABLE:
        yield each.why[0], "error"
        return
    if each.state is State.NONE:
        return
    if each.state is State.OFF:
        yield "the file switches all hooks off", "warning"
    if each.program is not None and not each.is_program_there:
        yield f"it runs {each.program}, which is not there: connect again", "error"
    elif each.why:
        more = f"; and {len(each.why) - _MOST} more" if len(each.why) > _MOST else ""
        yield f"{'; '.join(each.why[:_MOST])}{more}: connect again", "warning"
    if each.registry is not None:
        yield f"writes to {each.registry}", "muted"
    if each.trust is Trust.TRUSTED:
        yield "Codex trusts it", "muted"
    elif each.trust is not None:
        yield f"Codex: {each.trust}; it runs none that it does not trust. Start it, and choose Trust all", "warning"


def _of_heard(last: Heard | None, at: datetime) -> list[Span]:
    label = Span("heard    ", "muted")
    if last is None:
        return [label, Span("never", "warning")]
    seconds = seconds_between(last.at, at)
    ago = f"{age(seconds)} ago" if seconds is not None else "at an unknown time"
    return [label, Span(one_line(f"{last.agent} {last.event} {ago}"))]


def _is_installed(name: str) -> bool:
    return find_program(name, os.environ) is not None


def _document(registry: Path | None, found: dict[Agent, list[Standing]], spoke: dict[str, Heard]) -> dict[str, Any]:
    known = [(agent.id, agent.title, standings) for agent, standings in found.items()]
    pasted: list[tuple[str, str, list[Standing]]] = [(each.id, each.title, []) for each in PASTED.values()]
    return {
        "registry": str(registry) if registry is not None else None,
        "agents": [
            {
                "agent": name,
                "title": title,
                "is_installed": _is_installed(name),
                "heard": _heard_document(spoke.get(title)),
                "files": [_file_document(each) for each in standings],
            }
            for name, title, standings in (*known, *pasted)
        ],
    }


def _heard_document(last: Heard | None) -> dict[str, Any] | None:
    if last is None:
        return None
    at = last.at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if last.at is not None else None
    return {"agent": last.agent, "event": last.event, "at": at}


def _file_document(each: Standing) -> dict[str, Any]:
    return {
        "scope": each.scope.value,
        "path": str(each.path),
        "state": each.state.value,
        "why": list(each.why),
        "name": each.name,
        "registry": each.registry,
        "program": each.program,
        "is_program_there": each.is_program_there if each.program is not None else None,
        "trust": each.trust.value if each.trust is not None else None,
    }
