"""The command line: which command runs, and how every error ends.

Only `sys` is imported here: `emit` runs in other programs' hooks and pays for every import.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

GROUPS = {
    "watch and answer": {
        "demo": "watch three agents work, on a registry of its own",
        "decide": "answer a request",
        "unblock": "remove a blocker",
        "replay": "play a registry from its beginning, or from any moment",
        "status": "print the board",
        "log": "print the events",
        "monitor": "do by itself what your rules say, and have sessions and workers; --status, --stop",
        "session": "start agents as sessions, prompt them, look at them, end them",
        "worker": "have agents decide what is next, and do it; what they decided and why",
        "run": "have a team of agents work on one goal, as a pipeline says",
        "runs": "tell of runs: how far each is, what came of it, how fast it was",
        "report": "tell how the agents spent their time, and how fast they reacted",
        "doctor": "look for what is wrong, and say what to do",
    },
    "take part, as an agent or a script": {
        "start": "begin a session as an agent, and read what it has to know",
        "end": "end a session as an agent",
        "memory": "show an agent's memory file, or add to one's own",
        "emit": "append one event",
        "hook": "take an event of an agent's program, as connect wires it",
        "ask": "ask for a decision, and wait for the answer",
        "wait": "wait until something comes true: a decision, a status, an event",
        "send": "say something to an agent, or to all",
        "listen": "print what concerns an agent, as it comes",
        "mcp": "offer an agent's side as MCP tools",
    },
    "set up": {
        "init": "make .collab/ with a registry and a commented config",
        "connect": "make an agent's program tell this board what it does, and ask here",
        "disconnect": "take out of an agent's configuration what connect put in",
        "connections": "print which agents are connected, and whether one ever spoke",
        "guide": "print what an agent has to know to take part, for its instructions",
        "key": "show or make the key that signs your decisions",
        "config": "print the settings in force, and where each was set",
    },
}
"""What people come for -> command -> what it does."""
COMMANDS = {name: text for commands in GROUPS.values() for name, text in commands.items()}
"""Command -> what it does. Each is `collab_tui.cli.<command>` with a `main(arguments) -> exit code`."""


def run() -> None:
    """The entry point of the program."""
    _open_closed_streams()
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
        from collab_tui.cli.arguments import complain

        code = getattr(error, "exit_code", None)
        if code is not None:
            complain(str(error))
            return int(code)
        if isinstance(error, OSError) and _is_about_output(error):
            complain(f"the output could not be written: {error.strerror}")
            _quietly()
            return 74
        from collab_tui.cli.crash import EXIT_CODE, tell

        complain(tell(error, name))
        return EXIT_CODE


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


def _open_closed_streams() -> None:
    """Put the null device where a stream is closed: the registry would be opened under its number instead, and
    whatever is said by anybody would be written into it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open("/dev/null" if sys.platform != "win32" else "nul", mode, encoding="utf-8"))  # noqa: SIM115  # for good


def _is_about_output(error: OSError) -> bool:
    """What was printed did not fit; errors of files have their names."""
    import errno

    return error.filename is None and error.errno in (errno.ENOSPC, errno.EFBIG, errno.EIO)


def _quietly() -> int:
    """Whoever read our output has seen enough."""
    from collab_tui.cli.arguments import drop_output

    drop_output()
    return 0
