"""A registry is only ever appended to: no path of the program shortens, renames, deletes or rewrites one."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import collab_tui
from tests.events import asks, lines, updates
from tests.program import PROGRAM, environment

PACKAGE = Path(collab_tui.__file__).parent
CHANGING = {"truncate", "ftruncate", "unlink", "rename", "renames", "rmtree", "rmdir", "write_text", "write_bytes"}
CHANGING |= {"symlink_to", "hardlink_to", "touch", "copyfile", "copytree", "copy2"}
FLAGS = {"O_WRONLY", "O_RDWR", "O_TRUNC", "O_CREAT"}
WRITERS = {
    "registry/append.py": "appends to the registry, and notes who holds the lock beside it",
    "registry/create.py": "makes the commented settings of a new project",
    "registry/seen.py": "remembers in the user's cache what was seen of a registry",
    "config/allowed.py": "remembers which settings of projects the person allowed",
    "protocol/keys.py": "makes and deletes the person's signing keys",
    "protocol/kept_results.py": "keeps what became of the last commands, for their user",
    "protocol/used.py": "remembers which signed decisions were acted on",
    "protocol/acknowledged.py": "keeps what an agent has taken from its inbox",
    "hooks/opening.py": "keeps in the user's state who is at work under which name, and forgets old sessions",
    "hooks/permission.py": "takes away the mark of a request of which nothing is awaited any more",
    "hooks/places.py": "keeps the log of the hooks",
    "hooks/signals.py": "tells the session that it runs in what happens, in a file of that session",
    "hooks/session.py": "keeps what the hooks of one session have to know of each other",
    "hooks/wiring/files.py": "forgets backups of the configuration files of agents' programs",
    "registry/kept.py": "keeps how far rules and streams came, and what sessions there are",
    "protocol/whole_files.py": "writes the configuration files of agents' programs, and what they are told in projects",
    "sessions/making.py": "takes away a worktree that could not be made whole",
    "sessions/worktree_removal.py": "takes away the folder of an agent's worktrees when it is empty",
    "sessions/leftovers.py": "takes away the folder of worktrees of a run that was killed when it is empty",
    "sessions/worktree_state.py": "copies the index of a worktree to look, and makes folders that commits write",
    "processes/programs.py": "keeps what the programs of rules print",
    "processes/output.py": "keeps what programs print, within bounds",
    "processes/supervisor.py": "opens the null device, and the pipe on which it tells how its program ended",
    "sessions/log_folder.py": "keeps the latest logs beside the registry, each kind in a folder of its own",
    "sessions/records.py": "forgets old sessions, with what was kept of them",
    "sessions/drivers/claude_arguments.py": "tells its program its servers of tools, in the session's private folder",
    "sessions/drivers/turns.py": "forgets what a program printed in the run before",
    "monitor/acting.py": "takes away the note by which a monitor is found",
    "orchestrator/hosted.py": "forgets the runs that a monitor has no more",
    "workers/jobs.py": "forgets what workers of a monitor have done",
    "workers/logs.py": "keeps the latest logs of workers, in a folder of their own beside the registry",
    "orchestrator/kept.py": "forgets old runs, with what was kept of them",
    "orchestrator/values.py": "keeps large values of runs, in a folder of its own beside the registry",
    "sessions/drivers/terminal.py": "keeps the hooks of one session, and removes what they told when it is over",
    "sessions/drivers/tmux.py": "removes the sockets of servers of its own",
    "cli/crash.py": "keeps a few reports of errors",
    "cli/arguments.py": "opens the null device where nobody reads on",
    "tui/picture.py": "saves pictures and texts, never over a file that is there",
    "demo/folder.py": "makes and removes the temporary folder of the demo",
    "demo/performance.py": "keeps what the agents of the demo say",
    "demo/reacting.py": "makes the rules of the demo, in its own folder",
    "demo/agent.py": "opens the null device",
}
"""Every module that changes files -> which. Whoever adds one has to say that it is no registry."""
PERMANENT = re.compile(r"^\S*\s*(?:truncate|ftruncate|rename\w*|unlink\w*|link\w*|symlink\w*)\(")


def changes(tree: ast.AST) -> Iterator[str]:
    """Whatever in a module can change a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (node.attr in FLAGS or node.attr in CHANGING):
            yield node.attr
        elif isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            owner = getattr(getattr(called, "value", None), "id", "")
            if (name == "replace" and len(node.args) == 1 and not node.keywords) or (
                owner == "os" and name == "remove"
            ):
                yield name
            if name == "open":
                arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
                modes = [value.value for value in arguments if isinstance(value, ast.Constant)]
                yield from (
                    f"open {mode}"
                    for mode in modes
                    if isinstance(mode, str) and re.fullmatch(r"[rwxab+t]{1,3}", mode) and set(mode) & set("wxa+")
                )


def test_only_these_modules_change_files() -> None:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        if what := sorted(set(changes(ast.parse(path.read_text(encoding="utf-8"))))):
            found[path.relative_to(PACKAGE).as_posix()] = what
    assert found.keys() <= WRITERS.keys(), {name: found[name] for name in found.keys() - WRITERS.keys()}
    assert found["registry/append.py"] == ["O_CREAT", "O_RDWR"]


@pytest.mark.parametrize(
    "source",
    ["os.truncate(path)", "path.open('w')", "open(path, 'r+b')", "os.replace(a, b); a.replace(b)", "os.remove(a)"],
)
def test_what_changes_a_file_is_found(source: str) -> None:
    assert list(changes(ast.parse(source)))


def traced(*arguments: str) -> bool:
    """System calls can be looked at here."""
    strace = shutil.which("strace")
    return strace is not None and subprocess.run([strace, *arguments, "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not traced("-o", "/dev/null") if sys.platform == "linux" else True, reason="needs strace")
def test_the_system_is_only_asked_to_append(tmp_path: Path) -> None:
    path = tmp_path / "COLLABORATION_STATE.jsonl"
    path.write_bytes(
        lines(updates("sena", status="blocked", blockers=["disk"]), asks("sena", "r1", request="Well?", target="lubit"))
    )
    before = path.read_bytes()
    commands = (
        ("emit", "message", "--agent", "sena", "--message", "x"),
        ("decide", "r1", "approve", "--agent", "lubit"),
        ("unblock", "sena", "disk", "--agent", "lubit"),
        ("status",),
        ("log",),
        ("doctor",),
        ("init",),
    )
    script = "; ".join(shlex.join((PROGRAM, *command)) for command in commands)
    trace = tmp_path / "trace"
    calls = (
        "trace=open,openat,truncate,ftruncate,rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlink,symlinkat"
    )
    strace = ["strace", "-f", "-y", "-s", "300", "-e", calls, "-o", str(trace), "sh", "-c", script]
    subprocess.run(strace, cwd=tmp_path, env=environment(tmp_path), capture_output=True, check=False)
    assert path.read_bytes().startswith(before)
    assert path.read_bytes().count(b"\n") == 5
    told = [
        line
        for line in trace.read_text(encoding="utf-8").splitlines()
        if f'{path.name}"' in line or f"{path.name}>" in line
    ]
    opened = [line for line in told if "open" in line and "ENOENT" not in line]
    assert sum("O_APPEND" in line for line in opened) == 3
    for line in told:
        assert not PERMANENT.match(line), line
        assert "O_TRUNC" not in line, line
        assert "O_RDONLY" in line or "O_APPEND" in line, line
