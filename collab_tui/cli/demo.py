"""`collab-tui demo`: watch three agents work, on a registry of its own."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from collab_tui.cli.arguments import Parser
from collab_tui.registry.append import UnusableError

if TYPE_CHECKING:
    from collab_tui.config import Config
    from collab_tui.demo.performance import Performance

_DESCRIPTION = """\
Three agents work together before your eyes: Sena implements, Lubit validates while she works, GitCode waits to
deploy. They ask you, get stuck, and wait for each other; your answers change what they do. It goes on until you quit,
and leaves nothing behind.

With --story nobody asks you: Sena starts, the monitor wakes Lubit by its rules, he validates while she works, and
approves. It takes 80 seconds, and ends with its numbers. Without a terminal it is played without a board."""

_EXAMPLES = """\
examples:
  collab-tui demo               then: a approve, x reject, 1-9 choose, u unblock, q quit
  collab-tui demo --as mina     under your own name
  collab-tui demo --story       two agents and the monitor, and how much faster that is"""


def main(arguments: list[str]) -> int:
    """Play the demo and show its board until the person quits."""
    parser = Parser(
        prog="collab-tui demo",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--as", dest="person", metavar="NAME", help="who you are; else the configured person")
    parser.add_argument("--story", action="store_true", help="the story that needs nobody, and its numbers")
    parser.add_argument("--speed", type=_speed, default=1.0, metavar="N", help="so many times as fast")
    parser.add_argument("--registry", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.registry is not None:
        parser.error("it plays on a registry of its own: leave out --registry")
    is_seen = sys.stdin.isatty() and sys.stdout.isatty()
    if not is_seen and not options.story:
        raise UnusableError("the demo is something to look at: run it in a terminal, with nothing redirected")

    from dataclasses import replace

    from collab_tui.cli.settings import load_screen_settings
    from collab_tui.demo.performance import STORY, THREE, performance
    from collab_tui.demo.story import rules

    config = load_screen_settings()
    config = replace(config, person=options.person or config.person, rules=rules() if options.story else ())
    with performance(config.person, options.speed, STORY if options.story else THREE) as show:
        code = _show(show, config) if is_seen else show.play_to_the_end()
        if code == 0:
            _tell(show, options.speed, is_story=options.story)
    return code


def _show(show: Performance, config: Config) -> int:
    from collab_tui.registry.seen import forget
    from collab_tui.tui.app import run_board  # its import takes as long as the agents need to come

    show.wait_until_present()
    try:
        return run_board(show.registry, config, trust=show.trust)
    finally:
        forget(show.registry)


def _tell(show: Performance, speed: float, *, is_story: bool) -> None:
    from collab_tui.cli.arguments import complain
    from collab_tui.cli.console import make_console
    from collab_tui.cli.played import account_of_play, print_demo, print_story

    account, console = account_of_play(show.registry, show.trust), make_console()
    for complaint in show.complaints():
        complain(complaint)
    if is_story:
        print_story(account, speed, show.is_over, console)
    else:
        print_demo(account, console)


def _speed(text: str) -> float:
    speed = float(text)
    if not 0.01 <= speed <= 1000:
        raise argparse.ArgumentTypeError("from 0.01 to 1000")
    return speed
