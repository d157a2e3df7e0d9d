"""Settings: where each came from, and what is said about a file that cannot be used."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from collab_tui.config import Config, ConfigError, load_config, project_config_file, user_config_file


@pytest.fixture(autouse=True)
def user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The user's config file, not yet there."""
    folder = tmp_path / "user"
    folder.mkdir()
    monkeypatch.setattr("platformdirs.user_config_dir", lambda name, appauthor: str(folder))
    return folder / "config.toml"


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / ".collab"
    folder.mkdir(parents=True)
    return folder / "registry.jsonl"


@pytest.fixture
def project(registry: Path) -> Path:
    """The project's config file, not yet there."""
    return registry.with_name("config.toml")


def test_without_files_all_are_defaults(registry: Path) -> None:
    config = load_config(registry)
    assert config == load_config() == Config()
    assert (config.person, config.order, config.ascii, config.sources) == ("human", "need", False, {})
    assert config.limits.stale_after == timedelta(minutes=30)
    assert config.limits.stale_after_working == timedelta(minutes=5)


def test_the_user_s_file(user: Path, registry: Path) -> None:
    text = (
        'person = "민수"\nstale_after = 12.5\nstale_after_working = 2\ntheme = "nord"\norder = "name"\nascii = true\n'
    )
    user.write_text(text, encoding="utf-8")
    config = load_config(registry)
    names = ("person", "stale_after", "stale_after_working", "theme", "order", "ascii")
    assert [getattr(config, name) for name in names] == ["민수", 12.5, 2, "nord", "name", True]
    assert config.sources == dict.fromkeys(names, str(user))
    assert config.limits.stale_after == timedelta(minutes=12.5)
    assert user_config_file() == user


def test_the_project_s_file_wins_value_by_value(user: Path, project: Path, registry: Path) -> None:
    user.write_text('theme = "nord"\nstale_after = 10\nperson = "minsu"\n', encoding="utf-8")
    project.write_text("stale_after = 60\nascii = true\n", encoding="utf-8")
    config = load_config(registry)
    assert (config.person, config.theme, config.stale_after, config.ascii) == ("minsu", "nord", 60, True)
    assert config.sources == {
        "person": str(user),
        "theme": str(user),
        "stale_after": str(project),
        "ascii": str(project),
    }
    assert load_config().stale_after == 10


def test_the_project_s_file_stands_in_the_folder_beside_the_registry(tmp_path: Path) -> None:
    expected = tmp_path / ".collab" / "config.toml"
    assert project_config_file(tmp_path / ".collab" / "registry.jsonl") == expected
    assert project_config_file(tmp_path / "COLLABORATION_STATE.jsonl") == expected


ERRORS = {
    "stale = 3": r"unknown setting 'stale'; known are person, stale_after, stale_after_working, theme, order, ascii",
    "[stale_after]\nminutes = 3": r"stale_after = \{'minutes': 3\} is of the wrong type",
    "theme = 3": r"theme = 3 is of the wrong type",
    "stale_after = true": r"stale_after = True is of the wrong type",
    "ascii = 1": r"ascii = 1 is of the wrong type",
    'stale_after = "3"': r"stale_after = '3' is of the wrong type",
    'order = "size"': r"order = 'size'; it is one of need, name, activity",
    "stale_after = 0": r"stale_after = 0 is out of range",
    "stale_after_working = -1.5": r"stale_after_working = -1\.5 is out of range",
    "stale_after = nan": r"stale_after = nan is out of range",
    "stale_after = inf": r"stale_after = inf is out of range",
    "theme = nord": r"Invalid value \(at line 1, column 9\)",
}


@pytest.mark.parametrize("text", ERRORS)
@pytest.mark.parametrize("whose", ["user", "project"])
def test_each_error_names_the_file_and_what_is_allowed(
    user: Path, project: Path, registry: Path, whose: str, text: str
) -> None:
    path = user if whose == "user" else project
    path.write_text(text + "\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=f"^{re.escape(str(path))}: {ERRORS[text]}$"):
        load_config(registry)


def test_only_the_user_names_the_person(user: Path, project: Path, registry: Path) -> None:
    project.write_text('person = "mallory"\n', encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(registry)
    assert str(caught.value) == f"{project}: 'person' is yours to set, in {user}, not a project's"


def test_a_file_that_is_not_utf_8(project: Path, registry: Path) -> None:
    project.write_bytes('person = "é"\n'.encode("latin-1"))
    with pytest.raises(ConfigError, match=re.escape(str(project)) + ": 'utf-8' codec can't decode"):
        load_config(registry)


def test_a_folder_in_its_place(user: Path) -> None:
    user.mkdir()
    with pytest.raises(ConfigError, match=re.escape(str(user))):
        load_config()


def test_a_registry_below_a_file(tmp_path: Path) -> None:
    """There is no config there, and looking for one is no error."""
    (tmp_path / "file").touch()
    assert load_config(tmp_path / "file" / "registry.jsonl") == Config()
