"""`collab-tui memory`: show or add to an agent's memory file."""

from __future__ import annotations

from pathlib import Path

from collab_tui.cli.arguments import (
    agent_here,
    agent_name,
    complain,
    make_parser,
    registry_path,
    say,
    show_anything,
)
from collab_tui.cli.reading import NotThereError, now
from collab_tui.cli.settings import load_settings
from collab_tui.cli.standard_input import read_text
from collab_tui.protocol import memory

_EXAMPLES = """\
  collab-tui memory add --agent sena "Entropy is in nats, as lubit wants it."
  git log -3 | collab-tui memory add --agent sena -      from standard input
  collab-tui memory show --agent sena                    its own
  collab-tui memory show lubit                           that of another, which anybody may read
Each addition is a section with its date; nothing is ever removed. The file is AGENT_session_memory.md beside the
registry, unless the settings have another under [agents.NAME]: memory = "NAME.md", folder = "FOLDER"."""


def main(arguments: list[str]) -> int:
    """Print a memory file, or add a section to one's own."""
    parser = make_parser("memory", "Show an agent's memory file, or add to your own.", _EXAMPLES)
    parser.add_argument("action", choices=["show", "add"])
    parser.add_argument(
        "words", nargs="?", metavar="NAME|TEXT", help="show: whose, else your own; add: what, - from standard input"
    )
    parser.add_argument("--agent", metavar="NAME", help="who you are; else $COLLAB_AGENT, else $AGENT")
    options = parser.parse_intermixed_args(arguments)
    show_anything()
    path = Path(registry_path(options.registry))
    if not path.exists():
        raise NotThereError(f"there is no {path}; `collab-tui init` makes a registry for a project")
    if options.action == "show":
        return _show(options.words or agent_name(options.agent), path)
    text = read_text(memory.MAX_SECTION) if options.words == "-" else options.words or ""
    return _add(agent_name(options.agent), text, path)


def _show(name: str, registry: Path) -> int:
    file = memory.memory_file(name, registry, load_settings(registry))
    kept = memory.whole(file)
    if kept is None:
        raise NotThereError(f"{name} has no memory yet: there is no {file}")
    if kept.is_cut:
        complain(f"only the end of {file}: it is longer")
    print(kept.text, end="" if kept.text.endswith("\n") else "\n")
    return 0


def _add(name: str, text: str, registry: Path) -> int:
    """The environment says in whose process we are: `--agent` does not make another of it."""
    by = agent_here().strip() or name
    file = memory.add(name, by, text, registry, load_settings(registry), now())
    say(f"added to {file}")
    return 0
