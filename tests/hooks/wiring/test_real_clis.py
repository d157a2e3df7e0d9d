"""The real CLIs run what `connect` wrote. Skipped where they are not installed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.program import PATIENCE, eventually, run
from tests.program import environment as environment_in
from tests.stand_in.clis import Claude, Cli, Codex
from tests.stand_in.fixtures import claude, codex
from tests.stand_in.script import Say
from tests.stand_in.server import StandIn

__all__ = ["claude", "codex"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a registry, and with hooks of its own."""
    folder = tmp_path / "our project"
    (folder / ".claude").mkdir(parents=True)
    (folder / ".codex").mkdir()
    own = {"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "true"}]}]}}
    for name in (".claude/settings.local.json", ".codex/hooks.json"):
        (folder / name).write_text(json.dumps(own, indent=2), encoding="utf-8")
    assert run("init", cwd=folder, env=environment_in(tmp_path)).returncode == 0
    return folder


def connect(cli: Cli, project: Path) -> None:
    done = run("connect", cli.name, "--as", "sena kim", "--yes", cwd=project, env=environment_in(cli.home))
    assert done.returncode == 0, done


def connection(cli: Cli, project: Path) -> dict[str, Any]:
    """What `connections` tells of it."""
    done = run("connections", "--json", cwd=project, env=environment_in(cli.home))
    (agent,) = (each for each in json.loads(done.stdout)["agents"] if each["agent"] == cli.name)
    return dict(agent)


def was_heard(cli: Cli, project: Path) -> bool:
    heard = connection(cli, project)["heard"]
    return heard is not None and heard["agent"] == "sena kim"


def test_claude_is_heard_from(claude: Claude, project: Path) -> None:
    connect(claude, project)
    assert not was_heard(claude, project)
    model = StandIn([Say("that was all")])
    with model.serving():
        done = claude.run("go", model, cwd=project)
    assert (done.returncode, done.stdout) == (0, b"that was all\n"), done
    eventually(lambda: was_heard(claude, project))


def test_codex_is_heard_from(codex: Codex, project: Path) -> None:
    connect(codex, project)
    assert not was_heard(codex, project)
    model = StandIn([Say("that was all")])
    with model.serving():
        done = codex.run("go", model, "--dangerously-bypass-hook-trust", cwd=project)
    assert done.returncode == 0, done
    eventually(lambda: was_heard(codex, project))


def test_codex_takes_every_entry_and_its_trust_is_told_as_it_sees_it(codex: Codex, project: Path) -> None:
    connect(codex, project)
    config = codex.home / ".codex" / "config.toml"
    config.write_text(f"[projects.{json.dumps(str(project))}]\ntrust_level = 'trusted'\n", encoding="utf-8")
    listed = hooks_of(codex, project)
    ours = [hook for hook in listed["hooks"] if "collab-tui" in hook["command"]]
    assert listed["warnings"] == listed["errors"] == []
    assert {hook["trustStatus"] for hook in ours} == {"untrusted"}
    assert connection(codex, project)["files"][0]["trust"] == "not trusted yet"

    states = [f"[hooks.state.{json.dumps(hook['key'])}]\ntrusted_hash = '{hook['currentHash']}'\n" for hook in ours]
    config.write_text(config.read_text("utf-8") + "".join(states), encoding="utf-8")
    again = [hook for hook in hooks_of(codex, project)["hooks"] if "collab-tui" in hook["command"]]
    assert {hook["trustStatus"] for hook in again} == {"trusted"}
    assert connection(codex, project)["files"][0]["trust"] == "trusted"


def hooks_of(codex: Codex, project: Path) -> dict[str, Any]:
    """The hooks that Codex itself tells of a project."""
    asked: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize", "params": {"clientInfo": {"name": "t", "title": "t", "version": "1"}}},
        {"method": "initialized"},
        {"id": 2, "method": "hooks/list", "params": {"cwds": [str(project)]}},
    ]
    command = [codex.program, "app-server"]
    env = environment_in(codex.home, HTTPS_PROXY="http://127.0.0.1:9", HTTP_PROXY="http://127.0.0.1:9")
    with subprocess.Popen(
        command, cwd=project, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        for message in asked:
            server.stdin.write(json.dumps(message).encode() + b"\n")
            server.stdin.flush()
        answers = (json.loads(line) for line in server.stdout)
        found = next(answer["result"]["data"][0] for answer in answers if answer.get("id") == 2)
        server.kill()
        server.wait(PATIENCE)
    return dict(found)
