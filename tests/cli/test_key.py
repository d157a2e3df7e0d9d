"""`collab-tui key`: the person's key, shown and made; and that nobody but the person makes it."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import TextIO

import pytest

from collab_tui.protocol.keys import Keyring
from tests.cli.conftest import Collab
from tests.signing import KEY, OTHER_KEY, install_key


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "user-config"


def test_without_a_key_it_says_how_to_make_one(collab: Collab, folder: Path) -> None:
    why = f"there is no signing key {folder / 'signing_key'}; `collab-tui key make` makes it"
    assert collab("key") == (2, "", f"collab-tui: {why}\n")


def test_it_is_made_at_a_terminal_and_shown(collab: Collab, folder: Path, terminal: TextIO) -> None:
    code, made, err = collab("key", "make", stdin=terminal)
    assert (code, err) == (0, "")
    public = Keyring(folder).signing_key().public
    path, _, told = made.partition("\n")
    assert path == f"made {folder / 'signing_key'}"
    assert collab("key") == (0, f"{folder / 'signing_key'}\n{told}", "")
    assert f"signs as human: key {public.id}" in told


@pytest.mark.parametrize("name", ["human", "Mina Park", '미나 "x"', "a.b"])
def test_the_line_for_others_is_toml(collab: Collab, folder: Path, name: str) -> None:
    install_key(folder)
    (folder / "config.toml").write_text(f"person = {name!r}\n", encoding="utf-8")
    (line,) = [line for line in collab("key")[1].splitlines() if "ed25519:" in line]
    assert tomllib.loads(f"[approvers]\n{line}") == {"approvers": {name: KEY.public.text}}


def test_whom_else_the_person_trusts(collab: Collab, folder: Path) -> None:
    install_key(folder)
    (folder / "config.toml").write_text(f'[approvers]\nlena = "{OTHER_KEY.public.text}"\n', encoding="utf-8")
    last = collab("key")[1].splitlines()[-1]
    assert last == f"you also trust lena: key {OTHER_KEY.public.id}, {OTHER_KEY.public.text}"


def test_one_that_is_there_is_kept(collab: Collab, folder: Path, terminal: TextIO) -> None:
    before = install_key(folder).path.read_bytes()
    code, out, err = collab("key", "make", stdin=terminal)
    assert (code, out) == (2, "")
    assert "there is a signing key already" in err
    assert (folder / "signing_key").read_bytes() == before


def test_a_script_makes_none(collab: Collab, folder: Path) -> None:
    why = "no key was made: standard input is no terminal, and only a person at a terminal decides as the person"
    assert collab("key", "make", stdin="yes\n") == (2, "", f"collab-tui: {why}\n")
    assert not folder.exists()


def test_an_agent_makes_none(collab: Collab, folder: Path, terminal: TextIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDECODE", "1")
    code, out, err = collab("key", "make", stdin=terminal)
    assert (code, out) == (2, "")
    assert "this runs inside an agent's process ($CLAUDECODE is set)" in err
    assert not folder.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_one_that_others_can_read_is_not_shown_as_good(collab: Collab, folder: Path) -> None:
    install_key(folder).path.chmod(0o644)
    code, out, err = collab("key")
    assert (code, out) == (2, "")
    assert "can be read or written by others (mode 0644): whoever read it can sign as you" in err


def test_it_is_the_same_for_every_registry(collab: Collab) -> None:
    code, _, err = collab("key", "--registry", "x.jsonl")
    assert code == 2
    assert "leave out --registry" in err
