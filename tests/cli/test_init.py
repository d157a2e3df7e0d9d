"""`collab-tui init`."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Collab, last

_GO_ON = "Next: `collab-tui connect claude` (or codex) lets an agent take part; you watch with `collab-tui`.\n"
_IGNORED = Path(".collab/.gitignore")

_MADE = "made {}\nmade {}: git leaves the registry out, which may hold secrets\nmade {}\n"


def test_it_makes_a_registry_and_settings_here(collab: Collab) -> None:
    registry, config = Path(".collab/registry.jsonl"), Path(".collab/config.toml")
    code, out, err = collab("init")
    assert (code, out, err) == (0, _MADE.format(registry, _IGNORED, config) + _GO_ON, "")
    assert set(last(registry)) == {"agent", "event", "registry"}
    assert last(registry)["event"] == "registry_created"
    assert collab("emit", "session_start", "--agent", "sena")[0] == 0
    assert collab("status")[0] == 0


def test_again_it_changes_nothing(collab: Collab) -> None:
    collab("init")
    before = {path: path.read_bytes() for path in Path(".collab").iterdir()}
    assert collab("init") == (0, f"{Path('.collab')} is there already\n{_GO_ON}", "")
    assert {path: path.read_bytes() for path in Path(".collab").iterdir()} == before


def test_it_makes_what_is_missing(collab: Collab) -> None:
    collab("init")
    Path(".collab/config.toml").unlink()
    assert collab("init") == (0, f"made {Path('.collab/config.toml')}\n{_GO_ON}", "")


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_git_leaves_out_the_registry_and_what_stands_beside_it(collab: Collab, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    collab("init")
    assert collab("emit", "session_start", "--agent", "sena")[0] == 0
    assert Path(".collab/registry.jsonl.lock").exists()
    added = subprocess.run(["git", "add", "--dry-run", "."], check=True, capture_output=True, encoding="utf-8").stdout
    assert [line for line in added.splitlines() if ".collab" in line] == [
        "add '.collab/.gitignore'",
        "add '.collab/config.toml'",
    ]
    assert _IGNORED.read_text(encoding="utf-8").startswith("# What agents ran")


def test_in_another_folder(collab: Collab, tmp_path: Path) -> None:
    folder = tmp_path / "프로젝트"
    folder.mkdir()
    assert collab("init", str(folder))[0] == 0
    assert (folder / ".collab" / "registry.jsonl").exists()
    if os.name == "posix":
        assert (folder / ".collab" / "registry.jsonl").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("place", ["missing", "file"])
def test_where_it_cannot_it_says_so(collab: Collab, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    code, out, err = collab("init", str(tmp_path / place))
    assert (code, out) == (2, "")
    assert err.startswith(f"collab-tui: cannot make {tmp_path / place / '.collab'}: ")
    assert err.count("\n") == 1
