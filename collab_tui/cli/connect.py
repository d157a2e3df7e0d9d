"""`collab-tui connect`: put our entries into an agent's configuration."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from collab_tui.cli.arguments import complain, make_parser, registry_path, say, show_anything
from collab_tui.cli.wired import add_options, agent_of, agreed, here, note, project_here, scope_of, told
from collab_tui.config import load_config
from collab_tui.hooks.wiring.agents import Agent, Scope
from collab_tui.hooks.wiring.merging import ours
from collab_tui.hooks.wiring.pasting import PASTED
from collab_tui.hooks.wiring.plan import Plan, UnfitError, plan_connect
from collab_tui.processes.finding import find_program
from collab_tui.protocol.hook_entries import Call, shown
from collab_tui.protocol.installed import fit, program
from collab_tui.protocol.surroundings import version_told
from collab_tui.registry.append import UnusableError
from collab_tui.registry.find import NotFoundError

_EXAMPLES = """\
  collab-tui connect claude --as sena      its sessions in this project are sena on the board
  collab-tui connect codex --user          in all your projects that have a registry
  collab-tui connect claude --dry-run      only show what would be changed
  collab-tui connect gemini                what to paste, and what it cannot do
It shows the change and asks. What else stands in the file stays as it is, byte for byte; the file as it was before the
first change is kept in your own state folder, where only you read it. Again it does nothing, or brings older entries up
to date; a name that is not given stays.
Entries are known by their command, `collab-tui hook AGENT`. Exit code: 0 done, or nothing to do; 1 not done; 2 the
file cannot be changed as it is."""

_PATIENCE = 5.0
"""Seconds for git to answer."""


def main(arguments: list[str]) -> int:
    """Show the change, ask, and make it."""
    parser = make_parser("connect", "Make an agent's program tell this board what it does, and ask here.", _EXAMPLES)
    add_options(parser)
    parser.add_argument("--as", dest="name", metavar="NAME", help="its name on the board; else that of its program")
    options = parser.parse_args(arguments)
    agent = agent_of(parser, options.agent)
    if options.name is not None and (not options.name.strip() or options.name.startswith("-")):
        parser.error("--as needs a name")
    show_anything()
    scope = scope_of(options)
    name = fit("the name", options.name.strip()) if options.name is not None else None
    call, folder = _call(scope, name, options.registry)
    if agent is None:
        _refuse_person(call)
        _tell_what_to_paste(options.agent, call)
        return 0
    path = agent.file(scope, folder, os.environ)
    try:
        plan, call = plan_connect(agent, path, call)
        _refuse_person(call)
    except UnfitError as error:
        complain(f"{error}. Nothing was written. Mend that, or put these in by hand:")
        print(error.needed)
        return error.exit_code
    if not plan.is_change:
        say(f"{agent.title} is connected already: {told(path)}")
    elif agreed(plan, options):
        kept = plan.carry_out()
        say(f"Wrote {told(path)}" + (f"; as it was before: {told(kept)}" if kept is not None else ""))
    else:
        return 0 if options.dry_run else 1
    print()
    _tell_more(agent, scope, call, plan, folder)
    return 0


def _call(scope: Scope, name: str | None, given: str | None) -> tuple[Call, Path]:
    """How our program is to be run, and the project's folder."""
    if scope is Scope.USER and given is None:
        return Call(program(), name), here()
    registry, folder, is_found = project_here(given)
    if is_found and scope is Scope.PROJECT:
        return Call(program(), name), folder
    return Call(program(), name, fit("the path of the registry", str(registry))), folder


def _refuse_person(call: Call) -> None:
    """An agent under a person's name would be taken for them. Raises `UnusableError`, `ConfigError`."""
    if call.name is not None and load_config(_registry_of(call)).is_a_persons(call.name):
        raise UnusableError(f"not as {call.name}: that is a person's name on the board; give an agent's after --as")


def _registry_of(call: Call) -> Path | None:
    """The registry whose settings hold for it; None where it is found only once the agent runs, or is not there."""
    try:
        return Path(os.path.abspath(registry_path(call.registry)))
    except NotFoundError:
        return None


def _tell_what_to_paste(name: str, call: Call) -> None:
    pasted = PASTED[name]
    say(f"{pasted.title} is set up by hand. It cannot do everything:")
    for limit in pasted.limits:
        note(limit)
    for place, text in pasted.texts(call):
        print()
        say(f"Into {place}:")
        print(text)


def _tell_more(agent: Agent, scope: Scope, call: Call, plan: Plan, folder: Path) -> None:
    """What is good to know once it is connected."""
    note(f"It holds for sessions of {agent.title} that begin from now on. Whether one spoke:", "collab-tui connections")
    for text, command in agent.notes:
        note(text, command)
    if doubt := _doubt_of_version(agent):
        note(doubt)
    note(
        "Tools of its own, to ask and to answer:", f"{agent.id} mcp add collab -- {shown(call.server_words(agent.id))}"
    )
    for text, command in agent.tool_notes:
        note(text, command)
    guide = shown(["collab-tui", "guide", "--agent", call.name or agent.id])
    note("What it has to know to take part, for its instructions:", f"{guide} >> {agent.instructions}")
    other = Scope.USER if scope is Scope.PROJECT else Scope.PROJECT
    elsewhere = agent.file(other, folder, os.environ)
    if _is_wired(agent, elsewhere):
        text = f"It is connected in {told(elsewhere)} too, so everything would be told twice; one of them is enough:"
        note(text, f"collab-tui disconnect {agent.id} --{other}")
    if plan.after is not None and agent.is_switched_off(plan.after):
        note(f"The file says {agent.off_switch}: none of its hooks runs until that is gone.")
    if scope is Scope.PROJECT and _may_be_committed(plan.found.path):
        note(f"{told(plan.found.path)} names a path of this machine: keep it out of git.")


def _doubt_of_version(agent: Agent) -> str:
    """What is to be said of the agent's program as it is here; nothing of one that is as new as the one we measured."""
    path = find_program(agent.id, os.environ)
    if path is None:
        return f"{agent.id} is not in your PATH here. This was measured with {agent.title} {agent.measured}."
    told = version_told(path)
    if told is None:
        return f"{agent.id} did not tell its version. This was measured with {agent.title} {agent.measured}."
    if _numbers(told) >= _numbers(agent.measured):
        return ""
    return f"This was measured with {agent.title} {agent.measured}; here is {told}. {agent.if_older}"


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


def _is_wired(agent: Agent, path: Path) -> bool:
    try:
        return bool(ours(path.read_text(encoding="utf-8"), agent.id))
    except (OSError, ValueError):  # not there, or nothing that the agent could read either
        return False


def _may_be_committed(path: Path) -> bool:
    """Git would take the file in with the next `git add`; or has it already."""
    git = find_program("git", os.environ)
    if git is None:
        return False
    try:
        done = subprocess.run(
            [git, "check-ignore", path.name], cwd=path.parent, capture_output=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 1
