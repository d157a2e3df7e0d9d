"""Told to end between writing and acknowledging: the exit code promises nothing, and a retry is one event."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from collab_tui.model.event import decode
from collab_tui.model.fold import Fold
from tests.program import PROGRAM, environment

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals are of Unix")
GIVEN = {"id": "f00dfeed00000001", "event": "decision_request", "agent": "sena", "request": "Approve?"}
SIGNALLED = """
import os, signal, sys

call, number = sys.argv[1], int(sys.argv[2])
genuine = getattr(os, call)

def signalled(descriptor, *arguments):
    is_line = call != "write" or arguments[0].startswith(b'{"id"')
    done = genuine(descriptor, *arguments)
    if is_line:
        setattr(os, call, genuine)
        os.kill(os.getpid(), number)
    return done

setattr(os, call, signalled)
del sys.argv[1:3]
from collab_tui.cli.main import run
run()
"""


def emit(path: Path, *before: str) -> subprocess.CompletedProcess[bytes]:
    program = [sys.executable, "-c", SIGNALLED, *before] if before else [PROGRAM]
    return subprocess.run(
        [*program, "emit", "--registry", str(path)],
        input=json.dumps(GIVEN).encode(),
        env=environment(path.parent),
        capture_output=True,
    )


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("call", ["write", "fdatasync"])
def test_a_retry_with_the_same_id_is_one_event(tmp_path: Path, call: str, name: str) -> None:
    path = tmp_path / "registry.jsonl"
    number = signal.Signals[name]
    done = emit(path, call, str(int(number)))
    assert done.returncode == (130 if name == "SIGINT" else -number)
    assert (done.stdout, done.stderr) == (b"", b"")
    assert path.read_bytes().count(b"\n") == 1
    assert json.loads(path.read_bytes())["request"] == "Approve?"

    again = emit(path)
    assert (again.returncode, again.stdout, again.stderr) == (0, b"", b"")
    fold = Fold()
    fold.extend(decode(path.read_bytes(), 0))
    assert [request.id for request in fold.board().requests] == [GIVEN["id"]]


def test_the_lock_is_free_after_any_end(tmp_path: Path) -> None:
    path = tmp_path / "registry.jsonl"
    emit(path, "write", str(int(signal.SIGKILL)))
    assert emit(path).returncode == 0
    assert path.read_bytes().count(b"\n") == 2
