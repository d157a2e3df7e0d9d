"""`collab-tui demo`: watch three agents work, on a registry of its own."""

from __future__ import annotations

import argparse
import sys

from collab_tui.cli.arguments import Parser
from collab_tui.registry.append import UnusableError

_DESCRIPTION = """\
Three agents work together before your eyes: Sena implements, Lubit validates while she works, GitCode waits to
deploy. They ask you, get stuck, and wait for each other; your answers change what they do. It goes on until you quit,
and leaves nothing behind."""

_EXAMPLES = """\
examples:
  collab-tui demo               then: a approve, x reject, 1-9 choose, u unblock, q quit
  collab-tui demo --as mina     under your own name"""


def main(arguments: list[str]) -> int:
    """Play the demo and show its board until the person quits."""
    parser = Parser(
        prog="collab-tui demo",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--as", dest="person", metavar="NAME", help="who you are; else the configured person")
    parser.add_argument("--speed", type=_speed, default=1.0, help=argparse.SUPPRESS)
    parser.add_argument("--registry", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.registry is not None:
        parser.error("it plays on a registry of its own: leave out --registry")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UnusableError("the demo is something to look at: run it in a terminal, with nothing redirected")

    from dataclasses import replace

    from collab_tui.cli.settings import load_screen_settings
    from collab_tui.demo.performance import performance
    from collab_tui.registry.seen import forget

    config = load_screen_settings()
    config = replace(config, person=options.person or config.person)
    with performance(config.person, options.speed) as show:
        from collab_tui.tui.app import run_board  # its import takes as long as the agents need to come

        show.wait_until_present()
        try:
            return run_board(show.registry, config, trust=show.trust)
        finally:
            forget(show.registry)


def _speed(text: str) -> float:
    speed = float(text)
    if not 0.01 <= speed <= 1000:
        raise argparse.ArgumentTypeError("from 0.01 to 1000")
    return speed
