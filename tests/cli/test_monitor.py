"""`collab-tui monitor` before anything happens: what would have been done, and what the options say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Collab
from tests.events import asks, lines, says, updates

RULES = """
[[rule]]
name = "wake"
when = { event = "status_update", from = "sena", progress_crosses = 80 }
then = { message = "lubit", text = "{from} is at {progress} %" }

[[rule]]
name = "mine"
on = true
when = { request_to = "human" }
then = { notify = "{from} asks: {request}" }
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    file = tmp_path / "user-config" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(RULES, encoding="utf-8")
    return file


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "saved.jsonl"
    path.write_bytes(
        lines(
            updates("sena", progress=70, timestamp="2026-03-01T09:00:00Z"),
            updates("sena", progress=85, timestamp="2026-03-01T09:01:00Z"),
            asks("sena", "r1", request="Deploy\x1b[2J?", target="human", timestamp="2026-03-01T09:02:00Z"),
            says("sena", "note", timestamp="2026-03-01T09:03:00Z"),
        )
    )
    return path


def test_a_dry_run_shows_what_would_have_been_done_by_rules_that_are_off_too(
    collab: Collab, rules: Path, saved: Path
) -> None:
    before = saved.read_bytes()
    code, out, err = collab("monitor", "--dry-run", str(saved))
    assert (code, err) == (0, "")
    assert "tell lubit: sena is at 85 %" in out
    assert "notify you: sena asks: " in out
    assert "\x1b" not in out
    assert "wake (off): would be done once" in out
    assert "mine: would be done once" in out
    assert saved.read_bytes() == before
    assert sorted(saved.parent.glob("saved*")) == [saved], "not even a lock was made"


def test_a_dry_run_is_of_the_own_registry_unless_another_is_named(collab: Collab, rules: Path, registry: Path) -> None:
    code, out, err = collab("monitor", "--dry-run")
    assert (code, err) == (0, "")
    assert "sena asks: “Approve metrics v2?”" in out


def test_a_dry_run_as_json_is_one_object_for_each(collab: Collab, rules: Path, saved: Path) -> None:
    code, out, _ = collab("monitor", "--dry-run", str(saved), "--json")
    found = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [(one["rule"], one["on"], one["line"]) for one in found] == [("wake", False, 2), ("mine", True, 3)]


def test_a_dry_run_without_rules_says_where_they_are_written(collab: Collab, saved: Path, tmp_path: Path) -> None:
    code, out, _ = collab("monitor", "--dry-run", str(saved))
    assert code == 0
    assert out == f"There are no rules. They are [[rule]] tables of {tmp_path / 'user-config' / 'config.toml'}.\n"


def test_rules_of_the_project_that_were_not_allowed_are_told(collab: Collab, registry: Path) -> None:
    project = registry.parent / ".collab" / "config.toml"
    project.parent.mkdir()
    project.write_text(RULES, encoding="utf-8")
    code, out, _ = collab("monitor", "--dry-run")
    assert code == 0
    assert f"held  mine  the project's, until you allow it: collab-tui config allow  ({project})" in out
    assert "would be done" not in out


@pytest.mark.parametrize("options", [(), ("--dry-run",)], ids=["acting", "dry run"])
def test_mistakes_in_the_settings_end_it(collab: Collab, rules: Path, registry: Path, options: tuple[str, ...]) -> None:
    rules.write_text(RULES + "nonsense = 1\n", encoding="utf-8")
    code, out, err = collab("monitor", *options)
    assert (code, out) == (2, "")
    assert err.startswith(f"collab-tui: {rules}:12: rule 2: ")


def test_one_registry_is_enough(collab: Collab, rules: Path) -> None:
    code, out, err = collab("monitor", "--dry-run", "a.jsonl", "--registry", "b.jsonl")
    assert (code, out) == (2, "")
    assert "give one registry" in err


def test_a_saved_registry_has_to_be_there(collab: Collab, rules: Path, tmp_path: Path) -> None:
    code, out, err = collab("monitor", "--dry-run", str(tmp_path / "none.jsonl"))
    assert (code, out) == (2, "")
    assert "there is no" in err
