"""`collab-tui mcp` as a process: what it says where, how it ends, and what it survives."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.mcp.clients import connected
from tests.mcp.conftest import events, of_kind
from tests.program import PATIENCE, PROGRAM, environment, run

_INITIALIZE = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "codex-mcp-client", "version": "1"},
}


class Wire:
    """A server whose lines a test writes and reads itself."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._number = 0

    def send(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def ask(self, method: str, **params: Any) -> Any:
        """The answer to a request; what comes before it has to be messages of the protocol too."""
        self._number += 1
        self.send(json.dumps({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}).encode())
        while True:
            assert self.process.stdout is not None
            message = json.loads(self.process.stdout.readline())
            assert message["jsonrpc"] == "2.0"
            if message.get("id") == self._number:
                return message

    def call(self, tool: str, **arguments: Any) -> str:
        """What a tool gives."""
        return self.ask("tools/call", name=tool, arguments=arguments)["result"]["content"][0]["text"]


@contextmanager
def wired(registry: Path, *options: str, cwd: Path | None = None, **env: str) -> Iterator[Wire]:
    process = subprocess.Popen(
        [PROGRAM, "mcp", "--as", "sena", *options],
        cwd=cwd or registry.parent,
        env=environment(registry.parent, **env),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        try:
            wire = Wire(process)
            assert "update_status" in wire.ask("initialize", **_INITIALIZE)["result"]["instructions"]
            wire.send(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')
            yield wire
        finally:
            process.kill()


def ended(wire: Wire) -> tuple[int, bytes, bytes]:
    """Exit code, and what was left on standard output and error."""
    output, errors = wire.process.communicate(timeout=PATIENCE)
    return wire.process.returncode, output, errors


def test_it_ends_when_its_input_does(registry: Path) -> None:
    with wired(registry, f"--registry={registry}") as wire:
        wire.call("update_status", progress=1)
        assert ended(wire) == (0, b"", b"")
    assert [event["event"] for event in events(registry) if event["agent"] == "sena"] == ["status_update"]


@pytest.mark.skipif(sys.platform == "win32", reason="a process gets no such signal there")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_while_a_call_waits(registry: Path, number: int) -> None:
    with wired(registry, f"--registry={registry}", "--session") as wire:
        ask = {"name": "request_decision", "arguments": {"question": "Deploy?"}, "_meta": {"progressToken": 1}}
        wire.send(json.dumps({"jsonrpc": "2.0", "id": 99, "method": "tools/call", "params": ask}).encode())
        assert wire.process.stdout is not None
        assert b"waits for its answer" in wire.process.stdout.readline()
        wire.process.send_signal(number)
        code, _, errors = ended(wire)
    assert (code, errors) == (0, b"")
    mine = [event["event"] for event in events(registry) if event["agent"] == "sena"]
    assert mine == ["session_start", "decision_request", "session_end"]


def test_a_client_that_reads_no_more_is_no_crash(registry: Path) -> None:
    with wired(registry, f"--registry={registry}") as wire:
        assert wire.process.stdin is not None
        assert wire.process.stdout is not None
        assert wire.process.stderr is not None
        wire.process.stdout.close()
        wire.send(b'{"jsonrpc":"2.0","id":97,"method":"tools/list","params":{}}')
        wire.process.stdin.close()
        assert wire.process.stderr.read() == b""
        assert wire.process.wait(PATIENCE) == 0


def test_garbage_is_survived(registry: Path) -> None:
    with wired(registry, f"--registry={registry}") as wire:
        for line in (b"{", b"", b"\xff\xfe\x00", b"[]", b"null", b'"x"', b'{"jsonrpc":"2.0"}', b"x" * (1 << 20)):
            wire.send(line)
        assert "error" in wire.ask("no/such/method")
        assert "error" in wire.ask("tools/call", nome="decide")
        assert "has no" in wire.call("read_board", evil="\x1b[2J")
        assert wire.call("update_status", progress=2).startswith("Written: progress.")
        wire.send(b'{"jsonrpc":"2.0","id":98,"method":"tools/call","params":{"name":"nobody","arguments":{}}}')
        assert wire.call("update_status", progress=3).startswith("Written: progress.")


def test_a_registry_that_goes_away_is_said_and_not_made_anew(registry: Path) -> None:
    with wired(registry, f"--registry={registry}") as wire:
        wire.call("update_status", progress=1)
        away = registry.rename(registry.with_suffix(".away"))
        for tool, arguments in (("update_status", {"progress": 2}), ("read_board", {}), ("read_inbox", {})):
            assert f"there is no registry {registry}. Tell the person" in wire.call(tool, **arguments)
        assert not registry.exists()
        away.rename(registry)
        assert wire.call("update_status", progress=3).startswith("Written: progress.")
    assert [event["progress"] for event in of_kind(registry, "status_update")] == [1, 3]


def test_a_registry_that_is_made_later_is_found(registry: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    with wired(registry, cwd=project) as wire:
        assert "collab-tui init" in wire.call("update_status", progress=1)
        (project / ".collab").mkdir()
        (project / ".collab" / "registry.jsonl").write_bytes(registry.read_bytes())
        assert wire.call("update_status", progress=2).startswith("Written: progress.")


def test_settings_that_cannot_be_used_are_told_by_the_tools(registry: Path, tmp_path: Path) -> None:
    settings = tmp_path / "config" / "collab-tui" / "config.toml"
    settings.write_text("person = 3\n", encoding="utf-8")
    with wired(registry, f"--registry={registry}") as wire:
        told = wire.call("update_status", progress=1)
        assert "config.toml" in told
        assert "person" in told
        assert "Tell the person" in told
        settings.write_text('person = "sena"\n', encoding="utf-8")
        assert "which is a person's name" in wire.call("update_status", progress=1)
        settings.write_text("", encoding="utf-8")
        assert wire.call("update_status", progress=2).startswith("Written")


def test_what_the_tools_print_goes_not_to_the_client(registry: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os\n"
        "import collab_tui.mcp.seat as seat\nkept = seat.Seat.board\n"
        "def board(self):\n    print('noise'); os.write(1, b'raw noise'); return kept(self)\n"
        "seat.Seat.board = board\n",
        encoding="utf-8",
    )
    with wired(registry, f"--registry={registry}", PYTHONPATH=str(tmp_path)) as wire:
        assert wire.call("update_status", progress=1).startswith("Written")
        code, output, errors = ended(wire)
    assert (code, output) == (0, b"")
    assert b"raw noise" in errors
    assert b"noise\n" in errors


async def test_the_person_is_nobody_an_agent_can_be(registry: Path) -> None:
    for name in ("human", "Person", " user "):
        done = run("mcp", "--as", name, "--registry", str(registry), cwd=registry.parent)
        assert (done.returncode, done.stdout) == (2, b"")
        assert b"that is the person; give an agent's name after --as" in done.stderr
    done = run("mcp", cwd=registry.parent)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"who is writing?" in done.stderr


def test_the_name_may_come_from_the_environment(registry: Path) -> None:
    with wired(registry, f"--registry={registry}", COLLAB_AGENT="lubit") as wire:
        wire.call("update_status", progress=1)
    assert events(registry)[-1]["agent"] == "sena"


@pytest.mark.parametrize("given", ["-1", "86401", "nan", "soon"])
def test_a_wait_that_is_none_is_a_usage_error(registry: Path, given: str) -> None:
    done = run("mcp", "--as", "sena", "--wait", given, cwd=registry.parent)
    assert done.returncode == 2
    assert b"--wait" in done.stderr


def test_without_the_extra_it_says_what_to_install(registry: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['mcp'] = None\n", encoding="utf-8")
    env = environment(tmp_path, PYTHONPATH=str(tmp_path))
    done = run("mcp", "--as", "sena", cwd=registry.parent, env=env)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"pip install 'collab-tui[mcp]'" in done.stderr
    assert os.linesep.encode() in done.stderr
    assert run("status", "--registry", str(registry), cwd=registry.parent, env=env).returncode == 0


async def test_no_session_is_told_unless_it_is_wanted(registry: Path) -> None:
    async with connected(registry) as sena:
        await sena("read_board")
    assert len(events(registry)) == 6
    async with connected(registry, "sena", "--session"):
        pass
    assert [event["event"] for event in events(registry)[6:]] == ["session_start", "session_end"]
