"""`collab-tui session allow`: an agent that the project defines may be started."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from collab_tui.cli.arguments import asked_yes, make_parser, registry_path, say, show_anything
from collab_tui.config.values import key, shown
from collab_tui.model.text import clean, one_line
from collab_tui.protocol.presence import why_not_the_person
from collab_tui.registry.append import RefusedError, UnusableError
from collab_tui.sessions.defining import Definitions, load_definitions
from collab_tui.sessions.definitions import DefinitionError

_ALLOW: Final = """\
  collab-tui session allow             which agents there are, and which wait for your leave
  collab-tui session allow reviewer    see what the project's file says of it, and allow exactly that
A file of .collab/agents/ comes with the project, and says which program is started. What it says is in force only once
you allowed it, until it says something else.
exit: 0 it is allowed, or listed; 1 you said no, or cannot be asked; 2 usage, or no such agent"""


def allow_(arguments: list[str]) -> int:
    """Show what waits, and allow one."""
    parser = make_parser("session allow", "Allow an agent that the project defines.", _ALLOW)
    parser.add_argument("name", metavar="AGENT", nargs="?", help="the agent; without one, all are listed")
    parser.add_argument("--json", action="store_true", help="without AGENT: one JSON object, name -> state, source")
    options = parser.parse_args(arguments)
    if options.json and options.name:
        parser.error("allowing asks, and has nothing to say in JSON")
    show_anything()
    definitions = load_definitions(Path(registry_path(options.registry)))
    if options.name is None:
        return _list(definitions, as_json=options.json)
    try:
        waiting = definitions.to_allow(options.name)
        if (why := why_not_the_person(os.environ, sys.stdin)) is not None:
            raise RefusedError(f"only you can allow what a project sets: {why}")
        say(f"{one_line(str(waiting.part.path))} says of {one_line(options.name)}:\n")
        _show(waiting.part.content)
        if not asked_yes("Allow exactly this?"):
            say("Nothing was allowed.")
            return 1
        waiting.allow()
    except DefinitionError as error:
        raise UnusableError(str(error)) from error
    say("It is in force from now on, until the file says something else.")
    return 0


def _list(definitions: Definitions, *, as_json: bool) -> int:
    states = {name: ("allowed", definition.source) for name, definition in definitions.all.items()}
    told: dict[str, dict[str, str]] = {
        name: {"state": state, "source": str(source.path) if source is not None else "built in"}
        for name, (state, source) in states.items()
    }
    told |= {name: {"state": "waiting", "source": str(one.part.path)} for name, one in definitions.waiting.items()}
    told |= {name: {"state": "wrong", "source": problem} for name, problem in definitions.problems.items()}
    if as_json:
        print(json.dumps(told))
        return 0
    width = max(map(len, told), default=0)
    for name, about in sorted(told.items()):
        say(f"{one_line(name):<{width}}  {about['state']:<7}  {one_line(about['source'])}")
    if definitions.waiting:
        say(f"See one and allow it: collab-tui session allow {one_line(next(iter(definitions.waiting)))}")
    return 0


def _show(content: Mapping[str, Any]) -> None:
    """All that the file says, as it says it; nothing that could steer the terminal."""
    for table, values in content.items():
        if not isinstance(values, Mapping):
            say(f"  {key(table)} = {shown(values, None)}")
            continue
        for name, value in values.items():
            lines = clean(value).splitlines() if isinstance(value, str) and "\n" in value else []
            say(f"  {key(name)} = {shown(value, None)}" if not lines else f"  {key(name)} =")
            for line in lines:
                say(f"    {line}")
    say("")
