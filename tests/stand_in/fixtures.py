"""Fixtures of the real CLIs. A test module imports those that it uses.

`COLLAB_TEST_CLAUDE` and `COLLAB_TEST_CODEX` name the programs, else they are looked for in PATH; without them the tests
are skipped.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.program import environment
from tests.stand_in.clis import Claude, Codex
from tests.tmux import Tmux


def _program(name: str) -> str:
    found = shutil.which(os.environ.get(f"COLLAB_TEST_{name.upper()}") or name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.fixture
def claude(tmp_path: Path) -> Claude:
    """Claude Code of a user who never ran it."""
    program = _program("claude")
    home = tmp_path / "home-of-claude"
    home.mkdir()
    return Claude(program, home)


@pytest.fixture
def codex(tmp_path: Path) -> Codex:
    """Codex of a user who never ran it."""
    program = _program("codex")
    home = tmp_path / "home-of-codex"
    (home / ".codex").mkdir(parents=True)
    return Codex(program, home)


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    """A private server for what has a screen."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    with tempfile.TemporaryDirectory(prefix="collab-") as folder:  # a socket's path has to be short
        server = Tmux(environment(tmp_path, TMUX_TMPDIR=folder))
        try:
            yield server
        finally:
            server.end()
