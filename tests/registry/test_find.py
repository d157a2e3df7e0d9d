"""Finding the registry without being told where it is, and making one."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from collab_tui.config import Config, load_config
from collab_tui.registry.append import UnusableError
from collab_tui.registry.create import make_registry
from collab_tui.registry.find import NAMES, NotFoundError, find_registry, main_checkout


def put(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"{}\n")
    return path


def find(folder: Path) -> Path:
    return Path(find_registry(folder, {}))


def git(folder: Path, *arguments: str) -> None:
    nothing = os.devnull
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "GIT_CONFIG_GLOBAL": nothing,
        "GIT_CONFIG_SYSTEM": nothing,
        "GIT_CEILING_DIRECTORIES": str(folder.parent),
        **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "test"),
        **dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "test@example.org"),
    }
    subprocess.run(["git", *arguments], cwd=folder, env=environment, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A main checkout with one commit."""
    folder = tmp_path / "main"
    folder.mkdir()
    git(folder, "init")
    git(folder, "commit", "--allow-empty", "--message=first")
    return folder


@pytest.fixture(autouse=True)
def no_user_config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(tmp_path / "user-config"))


def test_the_best_name_comes_first(tmp_path: Path) -> None:
    assert [Path(name).as_posix() for name in NAMES] == [
        ".collab/registry.jsonl",
        "COLLABORATION_STATE.jsonl",
        "session_memory/COLLABORATION_STATE.jsonl",
    ]
    for name in reversed(NAMES):
        expected = put(tmp_path, name)
        assert find(tmp_path) == expected


def test_the_nearest_folder_comes_first(tmp_path: Path) -> None:
    far = put(tmp_path, NAMES[0])
    inner = tmp_path / "a" / "b" / "c"
    inner.mkdir(parents=True)
    assert find(inner) == far
    near = put(tmp_path / "a", NAMES[2])
    assert find(inner) == near


def test_from_a_relative_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = put(tmp_path, NAMES[0])
    inner = tmp_path / "src"
    inner.mkdir()
    monkeypatch.chdir(inner)
    assert find(Path()) == expected


def test_a_folder_of_that_name_is_no_registry(tmp_path: Path) -> None:
    (tmp_path / NAMES[0]).mkdir(parents=True)
    expected = put(tmp_path, NAMES[1])
    assert find(tmp_path) == expected


def test_the_environment_goes_first(tmp_path: Path) -> None:
    put(tmp_path, NAMES[0])
    assert Path(find_registry(tmp_path, {"COLLAB_REGISTRY": "/else/where.jsonl"})) == Path("/else/where.jsonl")
    assert Path(find_registry(tmp_path, {"COLLAB_REGISTRY": ""})) == tmp_path / NAMES[0]


def test_a_git_worktree_finds_that_of_its_main_checkout(checkout: Path, tmp_path: Path) -> None:
    worktree = tmp_path / "elsewhere" / "agent-1"
    git(checkout, "worktree", "add", str(worktree))
    inner = worktree / "src" / "deep"
    inner.mkdir(parents=True)
    expected = put(checkout, NAMES[0])
    assert find(worktree) == expected
    assert find(inner) == expected
    assert main_checkout(worktree) == str(checkout.resolve())
    assert main_checkout(checkout) is None
    own = put(worktree, NAMES[1])
    assert find(inner) == own


def test_the_main_checkout_comes_before_what_lies_above_the_worktree(checkout: Path, tmp_path: Path) -> None:
    put(tmp_path, NAMES[0])
    expected = put(checkout, NAMES[1])
    worktree = tmp_path / "agent-2"
    git(checkout, "worktree", "add", str(worktree))
    assert find(worktree) == expected


@pytest.mark.parametrize(
    "marker",
    [b"", b"gitdir", b"gitdir: /nowhere", b"\xff\xfe", b"elsewhere: ../main/.git/worktrees/x", b"gitdir: ../main/.git"],
)
def test_a_broken_git_file_is_passed_over(checkout: Path, tmp_path: Path, marker: bytes) -> None:
    put(checkout, NAMES[0])
    expected = put(tmp_path, NAMES[0])
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / ".git").write_bytes(marker)
    assert main_checkout(folder) is None
    assert find(folder) == expected


def test_none_found_says_how_to_go_on(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        find(tmp_path)
    text = str(caught.value)
    assert str(tmp_path) in text
    for way in ("collab-tui init", "collab-tui FILE.jsonl", "collab-tui demo"):
        assert way in text
    assert isinstance(caught.value, UnusableError)
    assert caught.value.exit_code == 2


def test_making_one(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made = make_registry(tmp_path)
    finally:
        os.umask(before)
    home = tmp_path / ".collab"
    registry, ignored, config = home / "registry.jsonl", home / ".gitignore", home / "config.toml"
    assert made == [registry, ignored, config]
    assert find(tmp_path) == registry
    if os.name == "posix":
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        assert stat.S_IMODE(registry.stat().st_mode) == 0o600
    (event,) = map(json.loads, registry.read_bytes().splitlines())
    assert event["agent"] == "system"
    assert event["event"] == "registry_created"
    assert len(event["registry"]) == 32
    assert load_config(registry) == Config()


def test_making_one_again_changes_nothing(tmp_path: Path) -> None:
    made = make_registry(tmp_path)
    made[1].write_text("# committed on purpose\n", encoding="utf-8")
    made[2].write_text("ascii = true\n", encoding="utf-8")
    contents = [path.read_bytes() for path in made]
    assert make_registry(tmp_path) == []
    assert [path.read_bytes() for path in made] == contents
    made[2].unlink()
    assert make_registry(tmp_path) == [made[2]]
    assert made[0].read_bytes() == contents[0]


def test_each_registry_has_an_id_of_its_own(tmp_path: Path) -> None:
    ids = set()
    for name in "ab":
        (tmp_path / name).mkdir()
        registry, *_ = make_registry(tmp_path / name)
        ids.add(json.loads(registry.read_bytes())["registry"])
    assert len(ids) == 2
