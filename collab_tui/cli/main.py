"""The command line: which command runs, and how every error ends.

Only `sys` is imported here: `emit` runs in other programs' hooks and pays for every import.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

COMMANDS = {
    "demo": "watch three agents work, on a registry of its own",
    "init": "make .collab/ with a registry and a commented config",
    "emit": "append one event",
    "decide": "answer a request",
    "unblock": "remove a blocker",
    "status": "print the board",
    "log": "print the events",
}
"""Command -> what it does. Each is `collab_tui.cli.<command>` with a `main(arguments) -> exit code`."""


def run() -> None:
    """The entry point of the program."""
    sys.exit(main(sys.argv[1:]))


def main(arguments: list[str]) -> int:
    """Run one command; without one, show the board."""
    name, rest = _split(arguments)
    try:
        try:
            return _command(name)(rest)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()  # here, where a broken pipe can still be told from an error
    except BrokenPipeError:
        return _quietly()
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        code = getattr(error, "exit_code", None)
        if code is None:
            raise
        _complain(str(error))
        return int(code)


def _split(arguments: list[str]) -> tuple[str, list[str]]:
    """The command and its arguments; `--registry` may stand before it."""
    place = 0
    while place < len(arguments) and arguments[place].partition("=")[0] == "--registry":
        place += 1 if "=" in arguments[place] else 2
    if place < len(arguments) and arguments[place] in COMMANDS:
        return arguments[place], arguments[:place] + arguments[place + 1 :]
    return "board", arguments


def _command(name: str) -> Callable[[list[str]], int]:
    module = __import__(f"collab_tui.cli.{name}", fromlist=["main"])
    command: Callable[[list[str]], int] = module.main
    return command


def _complain(text: str) -> None:
    """One line on standard error, in whatever its encoding can show."""
    encoding = sys.stderr.encoding or "ascii"
    print("collab-tui:", text.encode(encoding, "backslashreplace").decode(encoding), file=sys.stderr)


def _quietly() -> int:
    """Whoever read our output has seen enough: no error, and none at exit either."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
