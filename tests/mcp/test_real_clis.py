"""The real Claude Code and Codex take part over MCP; only their model is a stand-in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.mcp.conftest import answer, of_kind
from tests.program import PROGRAM, eventually
from tests.signing import install_key_at
from tests.stand_in.clis import Claude, Cli
from tests.stand_in.fixtures import claude, codex, tmux
from tests.stand_in.script import Call, Say
from tests.stand_in.server import StandIn
from tests.tmux import Tmux

__all__ = ["claude", "codex", "tmux"]

_TOOLS = ("update_status", "request_decision", "wait_decision")


def options_of(cli: Cli, registry: Path, *more: str) -> list[str]:
    """How the CLI is told of our server, for one launch."""
    install_key_at(cli.home)
    env = cli.environment_of_servers()
    arguments = ["mcp", "--as", "sena", "--registry", str(registry), *more]
    if isinstance(cli, Claude):
        server = {"type": "stdio", "command": PROGRAM, "args": arguments, "env": env}
        allowed = ",".join(cli.tool("collab", name) for name in _TOOLS)
        return ["--mcp-config", json.dumps({"mcpServers": {"collab": server}}), "--allowedTools", allowed]
    inline = ", ".join(f"{name} = {json.dumps(value)}" for name, value in env.items())
    settings = {
        "command": json.dumps(PROGRAM),
        "args": json.dumps(arguments),
        "env": f"{{{inline}}}",
        "default_tools_approval_mode": '"approve"',
        "required": "true",  # else a first turn that begins before the server is up has none of its tools
    }
    return [part for name, value in settings.items() for part in ("-c", f"mcp_servers.collab.{name}={value}")]


def the_request(registry: Path) -> str:
    eventually(lambda: of_kind(registry, "decision_request"))
    (request,) = of_kind(registry, "decision_request")
    return request["id"]


@pytest.fixture(params=["claude", "codex"])
def cli(request: pytest.FixtureRequest) -> Cli:
    return request.getfixturevalue(request.param)


def test_an_agent_says_how_it_stands_and_gets_the_persons_decision(cli: Cli, registry: Path) -> None:
    asks = Call(cli.tool("collab", "request_decision"), {"question": "Deploy to 5 %?", "details": "make deploy"})
    says = Call(cli.tool("collab", "update_status"), {"status": "in_progress", "progress": 40})
    model = StandIn([says, asks, Say("deployed")])
    with model.serving(), cli.prompted("go", model, *options_of(cli, registry), cwd=registry.parent) as running:
        answer(registry, the_request(registry), verdict="approved", comment="only the canary")
        assert running.wait() == 0, (running.output, running.errors)
    assert b"deployed" in running.output
    (update,) = of_kind(registry, "status_update")
    assert (update["status"], update["progress"]) == ("in_progress", 40)
    told, decided = model.results
    assert "Written: status, progress." in told
    assert '"status": "approved"' in decided
    assert "only the canary" in decided
    assert "Before anything that needs leave" in json.dumps(model.requests[0])  # the instructions reached the model


def test_pending_comes_back_in_time_and_is_waited_for(cli: Cli, registry: Path) -> None:
    def waits(results: list[str]) -> Call:
        pending = results[-1]
        assert '"status": "pending"' in pending
        return Call(cli.tool("collab", "wait_decision"), {"id": the_request(registry)[:8]})

    asks = Call(cli.tool("collab", "request_decision"), {"question": "Deploy?"})
    model = StandIn([asks, waits, waits, Say("stopped")])
    options = options_of(cli, registry, "--wait", "1")
    with model.serving(), cli.prompted("go", model, *options, cwd=registry.parent) as running:
        request_id = the_request(registry)
        eventually(lambda: len(model.requests) > 2)
        answer(registry, request_id, verdict="rejected", comment="not today")
        assert running.wait() == 0, (running.output, running.errors)
    assert '"status": "rejected"' in model.results[-1]
    assert len(of_kind(registry, "decision_request")) == 1


def test_on_claudes_screen_the_answer_begins_a_new_turn(claude: Claude, registry: Path, tmux: Tmux) -> None:
    asks = Call(claude.tool("collab", "request_decision"), {"question": "Deploy?"})
    model = StandIn([asks, Say("I wait for the person"), Say("the person said it")])
    with model.serving():
        command = claude.interactive(model, registry.parent, *options_of(claude, registry), "--", "deploy it")
        env = claude.environment(model, CLAUDE_CODE_MCP_AUTO_BACKGROUND_MS="1000")
        tmux.start(command, cwd=registry.parent, columns=120, rows=40, env=env)
        tmux.wait_for("I wait for the person")
        answer(registry, the_request(registry), verdict="approved", comment="only the canary")
        tmux.wait_for("the person said it")
    assert "only the canary" in json.dumps(model.requests[-1]["messages"][-1])
