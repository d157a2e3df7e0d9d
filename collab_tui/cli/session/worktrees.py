"""`collab-tui session worktrees`, and what the other commands have to know of a session's worktree."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from collab_tui.cli.arguments import asked_yes, make_parser, say, show_anything
from collab_tui.cli.reading import read
from collab_tui.model.text import one_line
from collab_tui.monitor.watching import Watch, known, watch
from collab_tui.protocol.presence import agent_mark
from collab_tui.registry.append import RefusedError, UnusableError
from collab_tui.sessions.leftovers import Leftover
from collab_tui.sessions.records import Record
from collab_tui.sessions.worktree_of import diff_of, ignored_of, losses_of
from collab_tui.sessions.worktrees import WorktreeError, Worktrees

_WORKTREES: Final = """\
  collab-tui session worktrees           what crashes and sessions that are no more left behind
  collab-tui session worktrees --prune   remove what holds nothing that stands nowhere else; asks
The worktree of a session that is over stays until `session stop NAME --remove-worktree` removes it.
exit: 0 listed, or removed; 1 you said no, or git could not; 2 usage, or not at a terminal"""


def worktrees_(arguments: list[str]) -> int:
    """List what is left over, and remove it on request."""
    parser = make_parser("session worktrees", "Worktrees that sessions left, and their removal.", _WORKTREES)
    parser.add_argument("--prune", action="store_true", help="remove those of which nothing would be lost")
    parser.add_argument("--yes", action="store_true", help="with --prune: do not ask")
    parser.add_argument(
        "--json", action="store_true", help="a JSON array: branch, folder, why, kept (null: nothing would be lost)"
    )
    options = parser.parse_args(arguments)
    if options.yes and not options.prune:
        parser.error("--yes is of --prune")
    if options.prune and options.json and not options.yes:
        parser.error("--json asks nothing: give --yes with it")
    show_anything()
    reading = read(options.registry)
    path = Path(reading.registry.name)
    sessions = known(path, reading.moment.board.sessions)
    watched = watch(path, sessions)
    in_use = {each.name for each in sessions if watched.get(each.run, Watch.GONE) is not Watch.GONE}
    worktrees = _worktrees(path)
    try:
        found = asyncio.run(worktrees.leftovers(in_use))
        if options.prune:
            if not _is_wanted(found, is_sure=options.yes):
                return 1
            found = asyncio.run(worktrees.prune(in_use))
    except WorktreeError as error:
        raise RefusedError(str(error)) from error
    if options.json:
        print(json.dumps([_document(each) for each in found]))
        return 0
    for each in found:
        did = f"kept: {each.kept}" if each.kept is not None else "removed" if options.prune else "may go"
        say(one_line(f"{_name(each)}  {each.why}; {did}"))
    if not found:
        say("Nothing is left over.")
    return 0


def losses(record: Record) -> Sequence[str]:
    """What is in a session's worktree and nowhere else. That the session itself is in it does not count."""
    return asyncio.run(losses_of(record))


def ignored(record: Record) -> Sequence[str]:
    """What git ignores in it, which goes with it."""
    return asyncio.run(ignored_of(record))


def diff(record: Record) -> str:
    """What it holds that its base does not. Raises `RefusedError` where git cannot tell."""
    try:
        return asyncio.run(diff_of(record))
    except WorktreeError as error:
        raise RefusedError(one_line(str(error))) from error


def _worktrees(registry: Path) -> Worktrees:
    folder = registry.absolute().parent
    return Worktrees(folder.parent if folder.name == ".collab" else folder)


def _is_wanted(found: Collection[Leftover], *, is_sure: bool) -> bool:
    """The person wants it, or there is nothing to be asked about."""
    if (mark := agent_mark(os.environ)) is not None:
        raise UnusableError(f"this runs inside an agent's process (${mark} is set): the person removes worktrees")
    going = [each for each in found if each.kept is None]
    if is_sure or not going:
        return True
    if not sys.stdin.isatty():
        raise UnusableError("nobody can be asked: --yes removes them all the same")
    for each in going:
        say(one_line(f"{_name(each)}  {each.why}"))
    if asked_yes(f"Remove {'it' if len(going) == 1 else 'these'}?"):
        return True
    say("Nothing was removed.")
    return False


def _name(leftover: Leftover) -> str:
    return str(leftover.folder or leftover.branch)


def _document(leftover: Leftover) -> dict[str, str | None]:
    folder = str(leftover.folder) if leftover.folder is not None else None
    return {"branch": leftover.branch, "folder": folder, "why": leftover.why, "kept": leftover.kept}
