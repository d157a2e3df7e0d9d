"""`collab-tui key`: the key that signs the person's decisions, and whose keys are trusted."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys

from collab_tui.cli.arguments import Parser, say, show_anything
from collab_tui.cli.settings import load_settings
from collab_tui.config import user_config_file
from collab_tui.model.text import one_line
from collab_tui.protocol.keys import Keyring, PublicKey, public_key
from collab_tui.protocol.presence import why_not_the_person
from collab_tui.registry.append import UnusableError

_DESCRIPTION = """\
Your decisions are signed with a key that only you have: agents that check it take nothing else for your word. It stops
whoever can only write lines, such as a model that writes "agent":"human". It does not stop a program that runs as you
and sets out to: that can read the key, and press keys in your terminal."""

_EXAMPLES = """\
examples:
  collab-tui key            your key, where it lies, and whom else you trust
  collab-tui key make       make it, once"""


def main(arguments: list[str]) -> int:
    """Show the key, or make it."""
    parser = Parser(
        prog="collab-tui key",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="?", choices=["make"], help="make your key; one that is there is never replaced")
    parser.add_argument("--registry", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.registry is not None:
        parser.error("it is yours for every registry: leave out --registry")
    show_anything()
    config = load_settings()
    keyring = Keyring()
    if options.what == "make":
        if (why := why_not_the_person(os.environ, sys.stdin)) is not None:
            raise UnusableError(f"no key was made: {why}")
        public = keyring.make().public
        say(f"made {keyring.path}")
    else:
        public = keyring.signing_key().public
        say(str(keyring.path))
    _show(config.person, public)
    for name, text in config.approvers.items():
        key = public_key(text)
        say(one_line(f"you also trust {name}: key {key.id}, {key.text}"))
    return 0


def _show(person: str, public: PublicKey) -> None:
    """The key, and what another needs to trust it."""
    say(one_line(f"signs as {person}: key {public.id}"))
    say("Who is to take your decisions for yours adds this under [approvers] to their own config.toml")
    say(f"({user_config_file()} on this machine):")
    say(one_line(f'  {_toml_key(person)} = "{public.text}"'))


def _toml_key(name: str) -> str:
    """A name as it may stand before a TOML `=`."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)
