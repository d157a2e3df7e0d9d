"""The real CLIs, each with a HOME of its own, a key that opens nothing, and nobody to talk to but a stand-in."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar

from collab_tui.hooks.alive import is_alive
from collab_tui.hooks.wiring.codex_trust import digest, key
from collab_tui.hooks.wiring.merging import ours
from tests.program import PATIENCE, PROGRAM, Running, eventually
from tests.stand_in.server import StandIn

_KEY = "stand-in-key-that-opens-nothing"


class Cli(ABC):
    """One installed CLI."""

    name: ClassVar[str]

    def __init__(self, program: str, home: Path) -> None:
        self.program = program
        self.home = home
        """Its settings lie in here, as in a user's; a test may write them before it starts the CLI."""

    def environment(self, model: StandIn, **more: str) -> dict[str, str]:
        """All that its process sees of this machine. Whoever else it wants to reach, it gets the stand-in as proxy."""
        return {
            "PATH": os.pathsep.join([os.path.dirname(PROGRAM), os.environ["PATH"]]),
            **self.environment_of_servers(),
            "HTTPS_PROXY": model.url,
            "HTTP_PROXY": model.url,
            "NO_PROXY": "127.0.0.1,localhost",
            **self._keys(model),
            **more,
        }

    def environment_of_servers(self) -> dict[str, str]:
        """What a process needs that the CLI starts: some hand on only a part of their own environment."""
        return {"HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config"), "LANG": "C.UTF-8"}

    @abstractmethod
    def _keys(self, model: StandIn) -> dict[str, str]:
        """Where its model is, as its environment tells it."""

    @abstractmethod
    def headless(self, prompt: str, model: StandIn, cwd: Path, *options: str) -> list[str]:
        """The command that carries out one prompt and ends."""

    @abstractmethod
    def interactive(self, model: StandIn, cwd: Path, *options: str) -> list[str]:
        """The command of its screen, for a terminal; it asks nothing at its start."""

    @abstractmethod
    def tool(self, server: str, name: str) -> str:
        """What its model calls a tool of an MCP server."""

    @contextmanager
    def prompted(self, prompt: str, model: StandIn, *options: str, cwd: Path, **env: str) -> Iterator[Running]:
        """The CLI while it carries out one prompt; ended afterwards whatever happens."""
        running = Running(
            subprocess.Popen(
                self.headless(prompt, model, cwd, *options),
                cwd=cwd,
                env=self.environment(model, **env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        )
        try:
            yield running
        finally:
            running.close()

    def run(
        self, prompt: str, model: StandIn, *options: str, cwd: Path, **env: str
    ) -> subprocess.CompletedProcess[bytes]:
        """One prompt from start to end."""
        return subprocess.run(
            self.headless(prompt, model, cwd, *options),
            cwd=cwd,
            env=self.environment(model, **env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
        )


class Claude(Cli):
    """Claude Code. Its settings are in `home/.claude` and `home/.claude.json`."""

    name = "claude"

    def _keys(self, model: StandIn) -> dict[str, str]:
        return {
            "ANTHROPIC_BASE_URL": model.url,
            "ANTHROPIC_API_KEY": _KEY,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
        }

    def headless(self, prompt: str, model: StandIn, cwd: Path, *options: str) -> list[str]:
        return [self.program, "-p", prompt, *options]

    def interactive(self, model: StandIn, cwd: Path, *options: str) -> list[str]:
        self._answer_what_a_new_user_is_asked(cwd)
        return [self.program, "--permission-mode", "manual", *options]

    def tool(self, server: str, name: str) -> str:
        return f"mcp__{server}__{name}"

    def _answer_what_a_new_user_is_asked(self, cwd: Path) -> None:
        path = self.home / ".claude.json"
        told = json.loads(path.read_text("utf-8")) if path.exists() else {}
        told |= {
            "hasCompletedOnboarding": True,
            "theme": "dark",
            "customApiKeyResponses": {"approved": [_KEY[-20:]], "rejected": []},
        }
        project = told.setdefault("projects", {}).setdefault(os.path.realpath(cwd), {})
        project |= {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}
        path.write_text(json.dumps(told), "utf-8")


class Codex(Cli):
    """Codex. Its settings are in `home/.codex`; the stand-in is told to it on the command line, beside them."""

    name = "codex"

    def _keys(self, model: StandIn) -> dict[str, str]:
        return {"STAND_IN_KEY": _KEY}

    def headless(self, prompt: str, model: StandIn, cwd: Path, *options: str) -> list[str]:
        return [self.program, "exec", *self.settings(model, cwd), "--json", "--skip-git-repo-check", *options, prompt]

    def interactive(self, model: StandIn, cwd: Path, *options: str) -> list[str]:
        return [self.program, "--no-daemon", *self.settings(model, cwd), *options]

    @contextmanager
    def plain(self, model: StandIn, cwd: Path) -> Iterator[list[str]]:
        """A `codex` as a user starts it who chose "Trust all": its sessions live in an app server, which every start of
        the command shares, and which is ended afterwards.
        """
        folder = self.home / ".codex"
        hooks = folder / "hooks.json"
        lines = [f"{name} = {value}" for name, value in self._values(model, cwd).items()]
        for each in ours(hooks.read_text("utf-8"), "codex"):
            lines += [f"[hooks.state.{json.dumps(key(hooks, each))}]", f"trusted_hash = {json.dumps(digest(each))}"]
        (folder / "config.toml").write_text("\n".join(lines) + "\n", "utf-8")
        try:
            yield [self.program]
        finally:
            for file in (folder / "app-server-daemon").glob("*.pid"):
                _end(json.loads(file.read_text("utf-8"))["pid"])
            shutil.rmtree(folder / "packages", ignore_errors=True)  # it copied itself there

    def tool(self, server: str, name: str) -> str:
        return f"mcp__{server}__{name}"

    def settings(self, model: StandIn, cwd: Path) -> list[str]:
        """Arguments by which it finds the stand-in, and asks nothing at its start."""
        return [part for name, value in self._values(model, cwd).items() for part in ("-c", f"{name}={value}")]

    def _values(self, model: StandIn, cwd: Path) -> dict[str, str]:
        provider = {
            "name": "stand-in",
            "base_url": f"{model.url}/v1",
            "wire_api": "responses",
            "env_key": "STAND_IN_KEY",
            "request_max_retries": 0,
            "stream_max_retries": 0,
            "supports_websockets": False,
        }
        inline = ", ".join(f"{name} = {json.dumps(value)}" for name, value in provider.items())
        return {
            "model": '"stand-in"',
            "model_provider": '"stand_in"',
            "model_providers.stand_in": f"{{{inline}}}",
            "projects": f'{{{json.dumps(os.path.realpath(cwd))} = {{trust_level = "trusted"}}}}',
            "check_for_update_on_startup": "false",
            "analytics.enabled": "false",
        }


def _end(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)
    eventually(lambda: not is_alive(process))
