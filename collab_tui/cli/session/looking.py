"""`collab-tui session peek`, `attach` and `diff`: what can be seen of a session of this machine."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from collab_tui.cli.arguments import make_parser, say, show_anything
from collab_tui.cli.reading import NotThereError, read
from collab_tui.cli.session.giving import find_session
from collab_tui.cli.session.worktrees import diff
from collab_tui.model.text import clean, one_line
from collab_tui.monitor.watching import record_of
from collab_tui.protocol.commands import is_same_host
from collab_tui.registry.append import RefusedError, UnusableError
from collab_tui.sessions.driver import DriverError
from collab_tui.sessions.peeking import attach_command, peek
from collab_tui.sessions.records import Record, Records

_PAUSE: Final = 0.5
"""Seconds between two looks with `--follow`."""
_HOME: Final = "\x1b[H\x1b[J"
"""Begins the screen anew."""
_EXITS: Final = """\
exit: 0 it was shown; 1 there is nothing to see; 2 usage, no such session, or it is another machine's"""

_PEEK: Final = f"""\
  collab-tui session peek sena
  collab-tui session peek sena --follow     until ctrl+c
Of a session in a terminal the screen is shown, of another what it printed last. Nothing of it is touched.
{_EXITS}"""

_ATTACH: Final = f"""\
  collab-tui session attach sena     and back with ctrl+b d
Only a session in tmux has a terminal that you can type in.
{_EXITS}"""

_DIFF: Final = f"""\
  collab-tui session diff sena | less
What its worktree holds that its base does not: committed, changed and new files.
{_EXITS}"""


def peek_(arguments: list[str]) -> int:
    """Show what a session shows."""
    parser = make_parser("session peek", "See what a session shows now.", _PEEK)
    parser.add_argument("name", metavar="NAME", help="the session")
    parser.add_argument("--follow", action="store_true", help="show it again whenever it changes")
    parser.add_argument("--json", action="store_true", help="one JSON object: session, rows (texts)")
    options = parser.parse_args(arguments)
    if options.follow and options.json:
        parser.error("--follow draws on a terminal: leave out --json")
    if options.follow and not sys.stdout.isatty():
        raise UnusableError("--follow draws on a terminal, and standard output is none")
    show_anything()
    path, record = _kept(options.registry, options.name)
    if options.follow:
        _follow(path, record)
    rows = _rows(record)
    if options.json:
        print(json.dumps({"session": record.name, "rows": rows}))
        return 0
    for row in rows:
        say(row)
    return 0


def attach_(arguments: list[str]) -> int:
    """Hand the terminal over to that of a session."""
    parser = make_parser("session attach", "Type in a session's terminal yourself.", _ATTACH)
    parser.add_argument("name", metavar="NAME", help="the session")
    options = parser.parse_args(arguments)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UnusableError("attaching needs a terminal")
    _, record = _kept(options.registry, options.name)
    if record.ended is not None:
        raise RefusedError(one_line(f"{record.name} is over: {record.ended}; `collab-tui session list` tells of it"))
    try:
        words = attach_command(record)
    except DriverError as error:
        raise RefusedError(str(error)) from error
    try:
        return subprocess.run(words, check=False, env={**os.environ, "TMUX": ""}).returncode
    except OSError as error:
        raise RefusedError(f"{words[0]}: {error.strerror}") from error


def diff_(arguments: list[str]) -> int:
    """Print what a session changed."""
    parser = make_parser("session diff", "What a session changed, against its base.", _DIFF)
    parser.add_argument("name", metavar="NAME", help="the session")
    parser.add_argument("--json", action="store_true", help="one JSON object: session, branch, base, diff")
    options = parser.parse_args(arguments)
    show_anything()
    _, record = _kept(options.registry, options.name)
    if record.branch is None:
        raise RefusedError(
            one_line(f"{record.name} works in no worktree of its own: see `git diff` in {record.folder}")
        )
    text = diff(record)
    if options.json:
        print(json.dumps({"session": record.name, "branch": record.branch, "base": record.base, "diff": text}))
    elif text:
        say(text.rstrip("\n"))
    return 0


def _kept(registry: str | None, name: str) -> tuple[Path, Record]:
    """The registry, and what is kept here of a session. Raises `NotThereError` where that is elsewhere."""
    reading = read(registry)
    session, path = find_session(reading, name), Path(reading.registry.name)
    record = record_of(path, session)
    if record is not None:
        return path, record
    import socket

    if not is_same_host(session.host, socket.gethostname()):
        raise NotThereError(f"{session.name} is a session of {session.host or 'another machine'}: look at it there")
    raise NotThereError(f"{session.name} was started by another user of this machine, or nothing is kept of it")


def _rows(record: Record) -> list[str]:
    size = shutil.get_terminal_size()
    try:
        picture = asyncio.run(peek(record, size.columns, max(1, size.lines - 1)))
    except DriverError as error:
        raise RefusedError(str(error)) from error
    return [clean(line) for line in picture.lines]


def _follow(registry: Path, record: Record) -> None:
    """Draw it until ctrl+c, in its next starts too; what a program printed comes as plain text."""
    drawn: list[str] | None = None
    records = Records(registry)
    while True:
        record = records.load(record.name) or record
        try:
            rows = _rows(record)
        except RefusedError as error:  # it has just been started
            rows = [str(error)]
        if rows != drawn:
            drawn = rows
            sys.stdout.write(_HOME + "\r\n".join(rows) + "\r\n")
            sys.stdout.flush()
        time.sleep(_PAUSE)
