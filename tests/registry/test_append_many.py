"""Many writers at once, and writers killed in the middle: what was acknowledged is there, whole, once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random
from typing import IO

import pytest

from collab_tui.registry import append as appending

ROOT = Path(appending.__file__).parents[2]
WRITERS = 64
LINES = 5
KILLS = 32
TURN = """
import os, sys
sys.path.insert(0, sys.argv[1])
from collab_tui.registry.append import append
path, writer, count = sys.argv[2], sys.argv[3], int(sys.argv[4])
os.write(1, b"ready\\n")
sys.stdin.buffer.read()
for number in range(count):
    written = append(path, {"agent": writer, "event": "message", "number": number})
    os.write(1, written["id"].encode() + b"\\n")
"""
# As fast as it can, without encoding or waiting for the disk, which no kill can hurt: so many die while they write.
BUSY = """
import os, sys
sys.path.insert(0, sys.argv[1])
from collab_tui.registry.append import append_line
rest = b'","agent":"busy","event":"message","message":"%s"}\\n' % (b"m" * int(sys.argv[3]))
os.write(1, b"ready\\n")
sys.stdin.buffer.read(1)
while True:
    id = os.urandom(8).hex().encode()
    append_line(sys.argv[2], lambda _: b'{"id":"' + id + rest, durable=False)
    os.write(1, id.ljust(4095) + b"\\n")  # fills the pipe: who is not read from does not fill the disk
"""


def start(script: str, *options: object, gate: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """A writer that says each id that was acknowledged to it."""
    command = [sys.executable, "-I", "-S", "-c", script, str(ROOT), *map(str, options)]
    # Unbuffered: reading on after a line must not miss what a buffer took.
    return subprocess.Popen(command, bufsize=0, stdin=gate, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def output(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdout is not None
    return process.stdout


def go(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.write(b"!")


def complete_ids(output: bytes) -> list[str]:
    """The ids that were said to their end."""
    return [line.strip() for line in output.decode().split("\n")[:-1]]


def test_many_writers_at_once(tmp_path: Path) -> None:
    path = tmp_path / "registry.jsonl"
    gate, opener = os.pipe()
    writers = [start(TURN, path, f"writer-{writer}", LINES, gate=gate) for writer in range(WRITERS)]
    os.close(gate)
    for writer in writers:
        assert output(writer).readline() == b"ready\n"
    os.close(opener)
    acknowledged: list[str] = []
    for writer in writers:
        said, errors = writer.communicate()
        assert writer.returncode == 0, errors.decode()
        assert len(complete_ids(said)) == LINES, "starved"
        acknowledged += complete_ids(said)
    content = path.read_bytes()
    assert content.endswith(b"\n")
    events = [json.loads(line) for line in content.splitlines()]
    assert Counter(event["id"] for event in events) == Counter(acknowledged)
    assert len(acknowledged) == WRITERS * LINES
    for writer in range(WRITERS):  # each in its own order
        mine = [event["number"] for event in events if event["agent"] == f"writer-{writer}"]
        assert mine == list(range(LINES))
    times = [event["timestamp"] for event in events]
    assert times == sorted(times)


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
@pytest.mark.parametrize("size", [20, 100_000])
def test_writers_killed_at_random(tmp_path: Path, size: int) -> None:
    """Four write at a time; one is killed after some acknowledgements, and another takes its place."""
    random = Random(size)
    path = tmp_path / "registry.jsonl"
    acknowledged: list[str] = []
    writers = [start(BUSY, path, size, gate=subprocess.PIPE) for _ in range(KILLS)]
    for writer in writers:
        assert output(writer).readline() == b"ready\n"
    running: list[subprocess.Popen[bytes]] = []
    while writers or running:
        while writers and len(running) < 4:
            running.append(writers.pop())
            go(running[-1])
        victim = running.pop(random.randrange(len(running)))
        said = b"".join(output(victim).read(4096) for _ in range(random.randrange(30)))
        victim.kill()
        rest, errors = victim.communicate()
        assert errors == b""
        acknowledged += complete_ids(said + rest)
    events, bad = [], 0
    for line in path.read_bytes().split(b"\n")[:-1]:
        try:
            events.append(json.loads(line))
        except ValueError:
            bad += 1
    found = Counter(event["id"] for event in events)
    assert acknowledged
    assert set(acknowledged) <= set(found)
    assert set(found.values()) == {1}
    assert bad <= KILLS
    assert all(event["message"] == "m" * size for event in events)


@pytest.mark.parametrize("flags", [["-I"], ["-I", "-S"]])
def test_appending_imports_nothing_heavy(flags: list[str]) -> None:
    """It runs inside other programs' hooks on every tool call."""
    show = "print(*sorted(sys.modules))"
    load = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import collab_tui.registry.append; {show}"

    def modules(script: str) -> set[str]:
        done = subprocess.run([sys.executable, *flags, "-c", script], capture_output=True, check=True)
        return set(done.stdout.decode().split())

    added = modules(load) - modules(f"import sys; {show}")
    assert "collab_tui.registry.append" in added
    heavy = {"typing", "dataclasses", "pathlib", "asyncio", "secrets", "orjson", "rich", "textual", "watchdog"}
    assert {name.partition(".")[0] for name in added} & heavy == set()
