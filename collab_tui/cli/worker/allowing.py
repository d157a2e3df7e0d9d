"""`collab-tui worker allow`: let workers be told what a template of the project says."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from collab_tui.cli.arguments import asked_yes, make_parser, registry_path, say, show_anything
from collab_tui.config import user_config_file
from collab_tui.config.reading import allow_project
from collab_tui.config.values import WrongError
from collab_tui.config.workers import template_name
from collab_tui.model.text import clean, one_line
from collab_tui.protocol.presence import why_not_the_person
from collab_tui.registry.append import RefusedError, UnusableError
from collab_tui.workers.templates import TemplateError, Templates, leave_for

_EXAMPLES: Final = """\
  collab-tui worker allow task_completed
It is allowed as it is: one that changes is asked about again. Your own templates need no leave; they stand in
templates/ beside your settings, and count before the project's."""


def allow_(arguments: list[str]) -> int:
    """Show a template of the project, and ask."""
    parser = make_parser("worker allow", "See a template of the project, and allow it.", _EXAMPLES)
    parser.add_argument("name", metavar="NAME", help="the name of its file in .collab/templates/, without .md")
    options = parser.parse_args(arguments)
    show_anything()
    try:
        template = Templates(Path(registry_path(options.registry))).of_project(template_name(options.name))
    except (TemplateError, WrongError) as error:
        raise UnusableError(one_line(str(error))) from error
    if template is None:
        raise UnusableError(f"the project has no template {options.name!r}")
    if (why := why_not_the_person(os.environ, sys.stdin)) is not None:
        raise RefusedError(f"only you can allow what a project sets: {why}")
    say(f"{one_line(str(template.path))} tells workers:\n")
    say(clean(template.text))
    if not asked_yes("Allow exactly this?"):
        print("Nothing was allowed.")
        return 1
    try:
        allow_project(leave_for(template))
    except OSError as error:
        raise UnusableError(f"cannot write beside {user_config_file()}: {error.strerror}") from error
    print("It is used from now on, until it says something else.")
    return 0
