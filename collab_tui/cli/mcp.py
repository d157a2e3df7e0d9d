"""`collab-tui mcp`: an agent's tools, for an MCP client that starts this as a process."""

from __future__ import annotations

import os
from pathlib import Path

from collab_tui.cli.arguments import agent_name, make_parser
from collab_tui.model.requests import is_person
from collab_tui.model.text import one_line
from collab_tui.registry.append import UnusableError

_EXAMPLES = """\
  claude mcp add collab -- collab-tui mcp --as sena
  codex mcp add collab -- collab-tui mcp --as lubit
  collab-tui mcp --as sena --wait 50             for a client that gives a call up after a minute
Tools: update_status, request_decision, wait_decision, withdraw_request, report_blocker, resolve_blocker, decide,
send_message, read_board, read_inbox. Needs the extra: pip install 'collab-tui[mcp]'"""


def main(arguments: list[str]) -> int:
    """Serve on standard input and output until the client closes them."""
    parser = make_parser(
        "mcp", "Serve an agent's side of the registry as MCP tools, on standard input and output.", _EXAMPLES
    )
    parser.add_argument(
        "--as", dest="name", metavar="NAME", help="the agent that calls; else $COLLAB_AGENT, else $AGENT"
    )
    parser.add_argument(
        "--wait",
        metavar="SECONDS",
        type=float,
        help="how long request_decision may wait; else as long as the client is known to allow, or 50",
    )
    parser.add_argument(
        "--session", action="store_true", help="write session_start and session_end; leave it out where hooks do that"
    )
    options = parser.parse_args(arguments)
    if options.wait is not None and not 0 <= options.wait <= 86_400:
        parser.error("--wait: between 0 and 86400 seconds")
    name = agent_name(options.name)
    if is_person(name, "human"):
        raise UnusableError(one_line(f"not as {name}: that is the person; give an agent's name after --as"))
    try:
        from collab_tui.mcp.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types", "anyio", "pydantic"):
            raise
        raise UnusableError(
            f"the MCP server needs a package that is not installed ({error.name}): pip install 'collab-tui[mcp]'"
        ) from error
    registry = options.registry or os.environ.get("COLLAB_REGISTRY")
    serve(name, Path(os.path.abspath(registry)) if registry else None, announces=options.session, limit=options.wait)
    return 0
