"""How a program in a terminal is started: its words, and what it needs to tell us of its turns."""

from __future__ import annotations

from pathlib import Path

from collab_tui.processes.finding import find_program
from collab_tui.registry.append import UnusableError
from collab_tui.sessions.driver import DriverError, Launch


def arguments(launch: Launch) -> list[str]:
    """The program by its absolute path, and its arguments. Raises `DriverError`."""
    definition = launch.definition
    program = definition.command[0]
    if not launch.folder.is_dir():
        raise DriverError(f"{launch.folder} is no folder")
    path = find_program(program, launch.environment, launch.folder)
    if path is None:
        raise DriverError(f"{definition.name}: there is no program {program} in PATH")
    if launch.is_read_only and definition.read_only is None:
        raise DriverError(f"{definition.name} has no mode in which it changes nothing")
    resume: list[str] = []
    if launch.resume_id is not None and definition.resume is not None:
        resume = [word.replace("{id}", launch.resume_id) for word in definition.resume]
    match Path(path).stem:
        case "claude":
            from collab_tui.sessions.drivers.claude_arguments import claude_arguments

            words = [*claude_arguments(launch, None)[1:], *resume, *_hooks(launch)]
        case "codex":
            from collab_tui.sessions.drivers.codex_arguments import codex_settings_of

            words = [*_plain(launch), *codex_settings_of(definition), *resume]
        case _:
            words = [*_plain(launch), *resume]
    return [path, *words]


def _plain(launch: Launch) -> list[str]:
    definition = launch.definition
    read_only = (definition.read_only or ()) if launch.is_read_only else ()
    return [*definition.command[1:], *definition.model, *read_only]


def _hooks(launch: Launch) -> list[str]:
    """By which Claude Code runs our hooks in this session, connected or not."""
    from collab_tui.protocol.hook_entries import Call, as_json, claude_entries
    from collab_tui.protocol.installed import program
    from collab_tui.sessions.drivers.claude_arguments import written

    try:
        entries = claude_entries(Call(program(), is_session=True))
    except UnusableError as error:
        raise DriverError(f"cannot give {launch.definition.name} our hooks: {error}") from None
    return ["--settings", written(launch, "settings.json", {"hooks": as_json(entries)})]
