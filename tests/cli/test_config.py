"""`collab-tui config`: what is in force, from where, what is wrong, and allowing a project's settings."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from collab_tui.config import Config
from collab_tui.config.settings import SETTINGS, Shape
from collab_tui.tui.actions import ACTIONS
from tests.cli.conftest import Collab

KEY = f"ed25519:{base64.b64encode(b'k' * 32).decode()}"


@pytest.fixture
def user(tmp_path: Path) -> Path:
    """The user's config file, not yet there."""
    folder = tmp_path / "user-config"
    folder.mkdir()
    return folder / "config.toml"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The config file of a project that has a registry."""
    folder = tmp_path / "project" / ".collab"
    folder.mkdir()
    (folder / "registry.jsonl").touch()
    return folder / "config.toml"


def row(out: str, name: str) -> list[str]:
    """The words of the line about a setting."""
    return next(line.split() for line in out.splitlines() if line.split()[:1] == [name])


def test_without_files_everything_is_a_default(collab: Collab, user: Path, project: Path) -> None:
    code, out, err = collab("config")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[:2] == [f"user      {user}  (there is none)", f"project   {project}  (there is none)"]
    names = [setting.name for setting in SETTINGS if setting.shape is Shape.VALUE] + [action.id for action in ACTIONS]
    assert all(row(out, name)[-1] == "default" for name in names)
    assert row(out, "stale_after") == ["stale_after", "30", "default"]
    assert row(out, "approve") == ["approve", "a", "default"]


def test_each_value_says_where_it_was_set(collab: Collab, user: Path, project: Path) -> None:
    user.write_text('person = "Mina"\ntheme = "nord"\n[keys]\nnext_need = ["f8", "N"]\nprevious_need = "F7"\n', "utf-8")
    project.write_text("\nstale_after = 60\n", "utf-8")
    _, out, _ = collab("config")
    assert row(out, "person") == ["person", "'Mina'", f"{user}:1", "instead", "of", "'human'"]
    assert row(out, "stale_after") == ["stale_after", "60", f"{project}:2", "instead", "of", "30"]
    assert row(out, "next_need") == ["next_need", "f8", "N", f"{user}:4", "instead", "of", "n"]
    assert row(out, "previous_need") == ["previous_need", "f7", f"{user}:5", "instead", "of", "N"]


def test_no_colour_is_the_environment_s_to_choose(
    collab: Collab, user: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user.write_text('theme = "nord"\n', "utf-8")
    monkeypatch.setenv("NO_COLOR", "1")
    assert row(collab("config")[1], "theme") == ["theme", "'ansi-dark'", "$NO_COLOR", "instead", "of", "'nord'"]
    theme = json.loads(collab("config", "--json")[1])["settings"]["theme"]
    assert theme == {"value": "ansi-dark", "default": "nord", "from": "environment", "place": "$NO_COLOR"}


def test_without_a_project_the_user_s_file_alone_counts(collab: Collab, user: Path) -> None:
    user.write_text("ascii = true\n", "utf-8")
    code, out, err = collab("config")
    assert (code, err) == (0, "")
    assert "project   no registry here or above: your own settings alone" in out.splitlines()
    assert row(out, "ascii") == ["ascii", "true", f"{user}:1", "instead", "of", "false"]


def test_json_has_every_setting_with_its_place(collab: Collab, user: Path, project: Path) -> None:
    user.write_text(f'order = "name"\n[approvers]\nlena = "{KEY}"\n[keys]\nquit = "f10"\n', "utf-8")
    code, out, err = collab("config", "--json")
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert set(told) == {"registry", "files", "settings", "keys", "waiting"}
    assert told["registry"] == str(project.with_name("registry.jsonl"))
    assert told["files"] == {
        "user": {"path": str(user), "exists": True},
        "project": {"path": str(project), "exists": False},
    }
    settings = told["settings"]
    assert set(settings) == {setting.name for setting in SETTINGS if setting.shape is Shape.VALUE} | {"approvers.lena"}
    assert settings["order"] == {"value": "name", "default": "need", "from": "file", "place": f"{user}:1"}
    assert settings["approvers.lena"] == {"value": KEY, "default": None, "from": "file", "place": f"{user}:3"}
    assert settings["poll"] == {"value": None, "default": None, "from": "default", "place": None}
    assert settings["columns"]["value"] == list(Config().columns)
    assert told["keys"]["quit"] == {"value": "f10", "default": "q", "from": "file", "place": f"{user}:5"}
    assert set(told["keys"]) == {action.id for action in ACTIONS}


def test_every_error_is_told_on_a_line_of_its_own(collab: Collab, user: Path, project: Path) -> None:
    user.write_text("asci = true\n\n[keys]\napprove = 1\n", "utf-8")
    project.write_text('person = "x"\n', "utf-8")
    code, out, err = collab("config", "--json")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        f"collab-tui: {user}:1: unknown setting 'asci'; did you mean ascii?",
        f'{user}:4: approve = 1: it takes a key such as "f8", or a list of keys',
        f"{project}:1: 'person' is yours to set, in {user}, not a project's",
    ]


def test_themes_and_keys_are_checked_as_the_board_does(collab: Collab, user: Path, project: Path) -> None:
    user.write_text('theme = "nrod"\n[keys]\napprov = "y"\nquit = "esc"\n', "utf-8")
    code, out, err = collab("config")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        f"collab-tui: {user}:1: there is no theme 'nrod'; did you mean nord?",
        f"{user}:3: there is no command 'approv'; did you mean approve?",
        f"{user}:4: quit = 'esc': that key cannot be given away: it closes every dialog",
    ]


@pytest.mark.parametrize("command", [("status",), ("log", "--follow"), ("decide", "x", "approve")], ids=" ".join)
def test_other_commands_tell_the_first_error(
    collab: Collab, user: Path, project: Path, command: tuple[str, ...]
) -> None:
    user.write_text("asci = true\npoll = 0\n", "utf-8")
    code, out, err = collab(*command)
    assert (code, out) == (2, "")
    more = "(and 1 more: `collab-tui config` lists it)"
    assert err == f"collab-tui: {user}:1: unknown setting 'asci'; did you mean ascii? {more}\n"


# Allowing


@pytest.fixture
def restricted(project: Path) -> Path:
    project.write_text(f'[keys]\napprove = ["y", "f9"]\n[approvers]\n"le\\u202ena" = "{KEY}"\n', "utf-8")
    return project


def test_what_waits_is_told(collab: Collab, user: Path, restricted: Path) -> None:
    _, out, _ = collab("config")
    told = f"waits to be allowed: keys.approve, approvers.'le\\u202ena' in {restricted}"
    assert out.splitlines()[-2:] == [told, "See it and allow it: collab-tui config allow"]
    assert row(out, "approve") == ["approve", "a", "default"]
    assert json.loads(collab("config", "--json")[1])["waiting"] == {
        "path": str(restricted),
        "content": {"keys": {"approve": ["y", "f9"]}, "approvers": {"le\u202ena": KEY}},
    }


def test_where_nothing_waits_nothing_is_asked(collab: Collab, user: Path, project: Path) -> None:
    assert collab("config", "allow") == (0, "Nothing waits to be allowed.\n", "")


def test_a_program_cannot_allow_anything(collab: Collab, user: Path, restricted: Path) -> None:
    code, out, err = collab("config", "allow", stdin="yes\n")
    assert (code, out) == (1, "")
    assert err.startswith("collab-tui: only you can allow what a project sets: ")
    assert list(user.parent.iterdir()) == []


def test_allowing_has_nothing_to_say_in_json(collab: Collab, user: Path, restricted: Path) -> None:
    assert collab("config", "allow", "--json")[0] == 2
