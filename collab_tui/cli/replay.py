"""`collab-tui replay [REGISTRY]`: the board of any moment of a saved registry."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from collab_tui.cli.arguments import given_registry, make_parser, registry_path
from collab_tui.cli.board import check_terminal
from collab_tui.tui import garbage

if TYPE_CHECKING:
    from collab_tui.model.places import Place

_EXAMPLES = """\
  collab-tui replay FILE.jsonl                      play it from the first event
  collab-tui replay FILE.jsonl --at 16:31           stand at a time; also '10-19 16:31', 2025-10-19T16:31:30Z, 50%
  collab-tui replay FILE.jsonl --at 214 --speed 100 play from event 214, a hundred times faster than it was
  collab-tui replay --speed max                     the registry of this project, each event as fast as it draws
keys: space plays and pauses, left and right step, [ ] { } ( ) go to decisions, blockers and deadlocks, ? lists them"""
_MAX_SPEED = 1_000_000


def main(arguments: list[str]) -> int:
    """Replay a registry until the person leaves."""
    parser = make_parser("replay", "Show the board of any moment of a registry, and play it.", _EXAMPLES)
    parser.add_argument(
        "file", nargs="?", metavar="REGISTRY", help="the registry; else $COLLAB_REGISTRY, else found upward"
    )
    parser.add_argument(
        "--at", type=_place, metavar="TIME|N", help="stand at a time or event; without --speed it does not play"
    )
    parser.add_argument(
        "--speed",
        type=_speed,
        metavar="N|max",
        help="so many times faster than it was (30); max waits for nothing",
    )
    options = parser.parse_args(_with_value("--at", arguments))
    path = Path(registry_path(given_registry(parser, options)))
    check_terminal("`collab-tui log` prints the events instead")
    garbage.hold()  # until the board is on the screen
    from collab_tui.cli.reading import check
    from collab_tui.cli.settings import load_screen_settings
    from collab_tui.registry.jsonl import JsonlRegistry

    check(JsonlRegistry(path).read_next(final=True), path)
    settings = load_screen_settings(path)
    from collab_tui.model.player import USUAL_SPEED
    from collab_tui.tui.app import run_board
    from collab_tui.tui.visiting import Beginning

    plays = options.at is None or options.speed is not None
    speed = (options.speed or USUAL_SPEED) if plays else None
    return run_board(path, settings, beginning=Beginning(options.at, speed))


def _with_value(option: str, arguments: list[str]) -> list[str]:
    """Let an option take a value such as `-5m`, which argparse would read as options."""
    found = list(arguments)
    for place, argument in enumerate(found[:-1]):
        if argument == option and found[place + 1].startswith("-"):
            found[place : place + 2] = [f"{option}={found[place + 1]}"]
            break
    return found


def _place(text: str) -> Place:
    from collab_tui.model.places import parse_place

    try:
        return parse_place(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error


def _speed(text: str) -> float:
    """Times faster than it was; infinite for `max`."""
    if text == "max":
        return float("inf")
    try:
        value = float(text.removesuffix("x"))
    except ValueError:
        value = 0.0
    if not 0.01 <= value <= _MAX_SPEED:
        raise argparse.ArgumentTypeError(f"{text!r} is neither max nor a number from 0.01 to {_MAX_SPEED:,}")
    return value
