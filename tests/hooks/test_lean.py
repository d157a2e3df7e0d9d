"""What a hook costs on every use of a tool: what it imports, and where it keeps what it has to know."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from collab_tui.hooks import places
from tests.cli.test_processes import HEAVY
from tests.hooks.conftest import SESSION, payload
from tests.hooks.running import Session, session
from tests.program import PATIENCE, PROGRAM, environment

_COMMAND = "import sys; from collab_tui.cli.main import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
_NOT_LEAN = {"platformdirs", "hashlib", "socket", "subprocess"}


def modules(opened: Session, code: str, name: str) -> set[str]:
    """What is imported at the end."""
    done = subprocess.run(
        [sys.executable, "-c", code, "hook", "claude"],
        cwd=opened.project.folder,
        env=environment(opened.home, CLAUDECODE="1", CLAUDE_CODE_SESSION_ID=SESSION),
        input=json.dumps(payload("claude", name)).encode(),
        capture_output=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stdout) == (0, b""), done.stderr
    return set(done.stderr.decode().split())


@pytest.mark.parametrize(
    "name",
    ["user_prompt_submit", "pre_tool_use_bash", "post_tool_use_bash", "post_tool_use_todowrite", "stop", "session_end"],
)
def test_telling_a_status_imports_nothing_heavy(tmp_path: Path, name: str) -> None:
    with session(tmp_path) as opened:
        bare = modules(opened, "import sys; print(*sys.modules, file=sys.stderr)", name)
        before = len(opened.project.events())
        found = modules(opened, _COMMAND, name) - bare
        assert len(opened.project.events()) == before + 1
    assert sorted(found & {*HEAVY, *_NOT_LEAN}) == []
    ours = {module.removeprefix("collab_tui.") for module in found if module.startswith("collab_tui.")}
    lean = {"claude", "happening", "places", "session", "status"}
    assert ours <= {"cli", "cli.arguments", "cli.hook", "cli.main", "hooks", "registry", "registry.append"} | {
        *("model", "model.masking", "model.ours", "model.tool_lines", "registry.find", "registry.timestamps"),
        *(f"hooks.{module}" for module in lean),
    }


@pytest.mark.parametrize("state", ["/some/where", "relative/path", "", None])
def test_its_folder_is_the_users_state(state: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if state is None:
        monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    else:
        monkeypatch.setenv("XDG_STATE_HOME", state)
    assert places.folder() == str(Path(platformdirs.user_state_dir("collab-tui", appauthor=False)) / "hooks")


def test_a_full_disk_fails_nobody(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    no_room = "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))"
    limit = f"import os, resource, sys; {no_room}; os.execv(sys.argv[1], sys.argv[1:])"
    with session(tmp_path) as opened:
        before = opened.project.registry.read_bytes()
        for name in ("user_prompt_submit", "pre_tool_use_bash", "permission_request_bash", "session_start"):
            done = subprocess.run(
                [sys.executable, "-c", limit, PROGRAM, "hook", "claude"],
                cwd=opened.project.folder,
                env=environment(opened.home, CLAUDECODE="1", CLAUDE_CODE_SESSION_ID=SESSION),
                input=json.dumps(payload("claude", name, cwd=str(opened.project.folder))).encode(),
                capture_output=True,
                timeout=PATIENCE,
            )
            assert (done.returncode, done.stderr) == (0, b"")
        assert opened.project.registry.read_bytes() == before


def test_at_a_terminal_it_says_who_runs_it(tmp_path: Path) -> None:
    done = subprocess.run([PROGRAM, "hook", "--help"], env=environment(tmp_path), capture_output=True, timeout=PATIENCE)
    assert done.returncode == 0
    assert b"run by that program" in done.stdout


@pytest.mark.parametrize("arguments", [[], ["emacs"], ["claude", "--wrong"], ["claude", "--as"]])
def test_arguments_that_mean_nothing_block_no_agent(tmp_path: Path, arguments: list[str]) -> None:
    """To Claude Code the code of a usage error means: stop the agent."""
    env = environment(tmp_path, XDG_STATE_HOME=str(tmp_path / "state"))
    done = subprocess.run([PROGRAM, "hook", *arguments], env=env, input=b"{}", capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (0, b"")
    assert "mean nothing" in (tmp_path / "state" / "collab-tui" / "hooks" / "log").read_text("utf-8")
