"""A project whose runs are processes of their own, and what is told of them."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.program import PROGRAM, environment, run

WAITS = """\
import pathlib, sys, threading
pathlib.Path(sys.argv[1]).write_text("here", encoding="utf-8")
threading.Event().wait()
"""


def lines(project: Path) -> list[dict[str, Any]]:
    registry = project / ".collab" / "registry.jsonl"
    return [json.loads(line) for line in registry.read_bytes().split(b"\n")[:-1]]


def told(project: Path, *arguments: str, **more: str) -> tuple[int, str]:
    """Exit code, and what is printed; nothing is said on standard error."""
    done = run(*arguments, cwd=project, env=environment(project, **more))
    assert done.stderr == b"", done.stderr.decode()
    return done.returncode, done.stdout.decode()


def registry_of(project: Path) -> str:
    return str(project / ".collab" / "registry.jsonl")


def run_of(project: Path) -> str:
    return str(next(line["run"] for line in lines(project) if line["event"] == "run_started"))


def value(project: Path, key: str) -> str:
    code, text = told(project, "runs", run_of(project), "--value", key)
    assert code == 0
    return text


def on_terminal(project: Path, *arguments: str, **more: str) -> bytes:
    """What is written to a terminal."""
    master, slave = os.openpty()
    with subprocess.Popen(
        [PROGRAM, *arguments], cwd=project, env=environment(project, TERM="dumb", **more), stdout=slave
    ) as shown:
        os.close(slave)
        said = b""
        with suppress(OSError):  # Linux says so at the end of a terminal
            while piece := os.read(master, 1 << 16):
                said += piece
    os.close(master)
    assert shown.returncode == 0
    return said


def pipeline(project: Path, text: str, **scripts: str) -> str:
    """A pipeline file, with the scripts of its agents beside it."""
    for name, script in scripts.items():
        (project / f"{name}.py").write_text(script, encoding="utf-8")
    agents = "".join(
        f'[agent.{name}]\ncommand = ["{{python}}", "{{folder}}/{name}.py", "{{folder}}/{name}.here"]\n'
        f'[role.{name}]\nagent = "{name}"\n'
        for name in scripts
    )
    file = project / "pipeline.toml"
    file.write_text(f'goal = "go"\n{text}\n{agents}', encoding="utf-8")
    return str(file)
