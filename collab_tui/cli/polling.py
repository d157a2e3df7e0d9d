"""`--poll`, of the commands that follow a registry."""

from __future__ import annotations

import argparse


def add_poll(parser: argparse.ArgumentParser) -> None:
    """Let a command take `--poll`; without it the settings decide."""
    parser.add_argument(
        "--poll", type=_seconds, metavar="SECONDS", help="look every so often instead of watching the folder"
    )


def _seconds(text: str) -> float:
    from collab_tui.config.values import POLL_LIMITS  # most starts have no such option

    least, most = POLL_LIMITS
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is not between {least:g} and {most:g} seconds")
    return value
