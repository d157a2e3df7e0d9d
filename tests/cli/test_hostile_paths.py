"""Folders, names and notes that others made: nothing of them steers the terminal, whatever a command says of them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Collab
from tests.events import asks, lines, updates
from tests.signing import install_key

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no folder of Windows has such a name")

ODD = "x\x1b]0;pwn\x07\x1b[2J\x9b31m\u202ex"
"""Sets the title, clears the screen, colours and turns around what follows."""
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")

TELLS_ITS_PATH = {
    "healthy": [("init",), ("config",), ("doctor",), ("key",)],
    "no registry": [
        ("status",),
        ("log",),
        ("doctor",),
        ("decide", "r1", "approve", "--agent", "sena"),
        ("connect", "claude"),
        ("connections",),
    ],
    "no folder": [("emit", "x", "--agent", "sena")],
    "no file": [("emit", "x", "--agent", "sena"), ("status",), ("log",), ("doctor",)],
    "wrong settings": [
        ("status",),
        ("log",),
        ("config",),
        ("doctor",),
        ("decide", "r1", "approve", "--agent", "sena"),
        ("unblock", "lubit", "disk", "--agent", "sena"),
    ],
    "waiting settings": [("config",), ("doctor",)],
    "wrong settings of the user": [("key",), ("config",), ("status",)],
}
"""How the project is -> commands that then name a path of it."""


@pytest.fixture
def odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in such a folder, and settings of the user's in such a folder too."""
    folder = tmp_path / ODD
    project = folder / ".collab"
    project.mkdir(parents=True)
    (project / "registry.jsonl").write_bytes(
        lines(updates("lubit", status="blocked", blockers=["disk"]), asks("sena", "r1", target="lubit"))
    )
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(folder / "user-config"))
    install_key(folder / "user-config")
    monkeypatch.chdir(folder)
    return folder


def spoil(folder: Path, how: str) -> tuple[str, ...]:
    """Bring the project into that state; gives the options with which it is then named."""
    registry = folder / ".collab" / "registry.jsonl"
    if how == "wrong settings":
        (folder / ".collab" / "config.toml").write_text("nonsense = 1\n", encoding="utf-8")
    elif how == "wrong settings of the user":
        (folder / "user-config" / "config.toml").write_text("nonsense = 1\n", encoding="utf-8")
    elif how == "waiting settings":
        (folder / ".collab" / "config.toml").write_text('[keys]\napprove = "f8"\n', encoding="utf-8")
    elif how == "no registry":
        registry.unlink()
    elif how == "no folder":
        return "--registry", str(folder / "gone" / "registry.jsonl")
    elif how == "no file":
        registry.unlink()
        registry.mkdir()
    return "--registry", str(registry)


@pytest.mark.parametrize(
    ("how", "command"), [(how, command) for how, commands in TELLS_ITS_PATH.items() for command in commands]
)
def test_a_folder_of_any_name_is_told_and_never_obeyed(
    collab: Collab, odd: Path, how: str, command: tuple[str, ...]
) -> None:
    named = spoil(odd, how)
    if command[0] == "init":
        named = (str(odd),)
    elif command[0] == "key":
        named = ()
    _, out, err = collab(*command, *named)
    assert "x␛]0;pwn␇␛[2J⟦9B⟧31m⟦U+202E⟧x" in out + err
    assert not STEERS.search(out + err)


def test_a_folder_is_told_when_it_is_made(collab: Collab, odd: Path) -> None:
    (odd / "new").mkdir()
    code, out, _ = collab("init", str(odd / "new"))
    assert code == 0
    assert "made " in out
    assert not STEERS.search(out)


@pytest.mark.parametrize(
    "arguments",
    [
        ("emit", ODD, "--agent", "sena", "--" + ODD),
        ("status", "--" + ODD),
        ("config", ODD),
        ("key", ODD),
        ("init", ".", ODD),
        ("replay", "--speed", ODD),
        ("replay", "--at", ODD),
        ("demo", "--speed", ODD),
        ("--" + ODD,),
        (ODD, "--registry", ODD),
        ("decide", ODD, "approve", "--agent", "sena"),
        ("unblock", ODD, "disk", "--agent", "sena"),
        ("connect", ODD),
        ("connect", "claude", "--as", ODD),
        ("disconnect", ODD),
        ("connections", ODD),
        ("guide", ODD),
        ("emit", "x", "--agent", "sena", "--field", ODD),
    ],
    ids=lambda arguments: arguments[0].replace(ODD, "ODD") if isinstance(arguments, tuple) else None,
)
def test_an_argument_that_a_shell_made_of_file_names_is_refused_in_plain_text(
    collab: Collab, odd: Path, arguments: tuple[str, ...]
) -> None:
    code, out, err = collab(*arguments)
    assert code == 2
    assert "pwn" in err
    assert not STEERS.search(out + err)


def test_a_name_given_as_an_option_is_told_in_plain_text(collab: Collab, odd: Path) -> None:
    code, out, err = collab("unblock", "lubit", "disk", "--agent", ODD)
    assert (code, out) == (2, "")
    assert "pwn" in err
    assert not STEERS.search(err)
    code, out, _ = collab("decide", "r1", "approve", "--agent", "lubit", "--comment", ODD)
    assert code == 0
    assert not STEERS.search(out)
