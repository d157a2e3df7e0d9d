"""`collab-tui start`: begin a session as an agent, and read what it has to know."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from collab_tui.cli.arguments import agent_name, complain, make_parser, registry_path, show_anything
from collab_tui.cli.settings import load_settings
from collab_tui.model.requests import is_person_writing
from collab_tui.model.text import one_line
from collab_tui.protocol.brief import brief_of
from collab_tui.protocol.brief.document import __doc__ as _document_help
from collab_tui.protocol.brief.next_action import __doc__ as _action_help
from collab_tui.protocol.session import start_session
from collab_tui.registry.append import UnusableError
from collab_tui.registry.jsonl import JsonlRegistry

_EXAMPLES = f"""\
  collab-tui start --agent sena
  collab-tui start --agent sena --role implement --task "metrics v2" --status in_progress
  collab-tui start --agent sena --json | jq .next_action
Start again whenever you forgot what happened: it tells the same, and what came since.

{_action_help}
{_document_help}"""


def main(arguments: list[str]) -> int:
    """Append the `session_start`, and print the brief as it was before that."""
    parser = make_parser(
        "start", "Begin a session as an agent: says that you are here, and prints what you have to know.", _EXAMPLES
    )
    parser.add_argument("--agent", metavar="NAME", help="who starts; else $COLLAB_AGENT, else $AGENT")
    parser.add_argument("--role", metavar="TEXT", help="what you do here: implement, validate, deploy, ...")
    parser.add_argument("--task", metavar="TEXT", help="what you work on; else what it was")
    parser.add_argument("--status", metavar="WORD", help="waiting, in_progress, blocked, idle; else what it was")
    parser.add_argument("--next", metavar="TEXT", help="what you will do next")
    parser.add_argument("--session", metavar="ID", help="the session's id in the agent's own program")
    parser.add_argument("--json", action="store_true", help="one JSON object, documented below")
    options = parser.parse_args(arguments)
    show_anything()

    path = Path(registry_path(options.registry))
    name = agent_name(options.agent)
    config = load_settings(path)
    if is_person_writing(name, config.person):
        raise UnusableError(one_line(f"{name} is the person here: an agent starts under a name of its own"))
    brief = brief_of(name, path, config=config)
    if brief.near_names:
        complain(f"there was no agent {name} before; did you mean {one_line(brief.near_names[0])}?")
    fields = {
        "role": options.role,
        "current_task": options.task,
        "status": options.status,
        "next_action": options.next,
        "session": options.session,
    }
    try:
        start_session(JsonlRegistry(path), name, **{field: text for field, text in fields.items() if text is not None})
    finally:  # what it has to know, it has to know also when nothing can be written
        if options.json:
            print(json.dumps(brief.document, indent=2))
        elif sys.stdout.isatty():
            _print_wrapped(brief.text)
        else:
            print(brief.text, end="")
    return 0


def _print_wrapped(text: str) -> None:
    """Each line wrapped below its own beginning, for a person who looks."""
    from rich.text import Text

    from collab_tui.cli.console import make_console

    console = make_console()
    for line in text.splitlines():
        bare = line.lstrip(" ").removeprefix("- ")
        lead = line.removesuffix(bare)
        style = "bold" if bare.startswith("NEXT:") else ""
        for number, piece in enumerate(Text(bare, style).wrap(console, max(1, console.width - len(lead)))):
            console.print(Text(" " * len(lead) if number else lead) + piece)
