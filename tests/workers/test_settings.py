"""`[workers]` is the user's alone: it starts programs; `[[decide]]` of a project waits for leave."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from collab_tui.config import ConfigError, load_config
from collab_tui.config.reading import allow_project
from collab_tui.config.workers import WorkerSettings


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(tmp_path / "config"))
    (tmp_path / "config").mkdir()
    return tmp_path / "config" / "config.toml"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".collab").mkdir()
    return tmp_path / ".collab" / "config.toml"


def test_what_is_not_set_is_as_it_was_and_the_rest_as_the_user_says(user: Path) -> None:
    user.write_text(
        '[workers]\nstart = "auto"\ncool_down = "90s"\nqueue = 9\nreport = ["tell-hub"]\n', encoding="utf-8"
    )
    expected = WorkerSettings(start="auto", cool_down=90.0, queue=9, report=("tell-hub",))
    assert load_config().workers == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('start = "now"', "ask or auto"),
        ("max_decisions = 0", "1 to 20"),
        ("per_hour = true", "a whole number"),
        ('cool_down = "soon"', "a time such as"),
        ('report = "sh -c x"', "a list of texts"),
        ('starts = "ask"', "did you mean start"),
    ],
)
def test_a_value_that_cannot_be_meant_is_told_with_its_line(user: Path, text: str, told: str) -> None:
    user.write_text(f"[workers]\n{text}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=told) as error:
        load_config()
    assert f"{user}:2" in str(error.value)


def test_no_project_says_who_works_or_whether_that_is_asked(project: Path) -> None:
    for line in ('start = "auto"', 'execution_agent = "x"', 'report = ["sh"]', "auto_limit = 9"):
        project.write_text(f"[workers]\n{line}\n", encoding="utf-8")
        with pytest.raises(ConfigError, match="yours to set"):
            load_config(project.with_name("registry.jsonl"))


def test_a_project_says_what_needs_a_decision_once_that_is_allowed(user: Path, project: Path) -> None:
    user.write_text('[[decide]]\nstatus = "review"\n', encoding="utf-8")
    project.write_text('[[decide]]\nstatus = "done"\nskip = true\n', encoding="utf-8")
    registry = project.with_name("registry.jsonl")
    config = load_config(registry)
    assert [str(rule) for rule in config.decide] == ["review -> a decision"]
    allow_project(config.waiting)
    assert [str(rule) for rule in load_config(registry).decide] == ["review -> a decision", "done -> none"]


@pytest.mark.skipif(os.name != "posix", reason="there others cannot be told from the user")
def test_a_file_that_others_can_write_names_no_program(user: Path) -> None:
    user.write_text('[workers]\nreport = ["tell-hub"]\n', encoding="utf-8")
    user.chmod(0o666)
    with pytest.raises(ConfigError, match="others can write this file"):
        load_config()
