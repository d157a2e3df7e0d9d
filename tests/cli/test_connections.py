"""`collab-tui connections`: what is wired, and whether it ever spoke."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from collab_tui.registry.base import News, State
from collab_tui.registry.jsonl import JsonlRegistry
from tests.cli.conftest import Collab
from tests.program import PROGRAM


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(folder))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    Path(".collab").mkdir()
    Path(".collab/registry.jsonl").touch()
    return folder


def document(collab: Collab) -> dict[str, dict[str, Any]]:
    code, out, err = collab("connections", "--json")
    assert (code, err) == (0, "")
    return {agent["agent"]: agent for agent in json.loads(out)["agents"]}


def file(collab: Collab, agent: str, scope: str) -> dict[str, Any]:
    (found,) = (each for each in document(collab)[agent]["files"] if each["scope"] == scope)
    return found


def test_nothing_is_connected(collab: Collab) -> None:
    assert {name: [each["state"] for each in agent["files"]] for name, agent in document(collab).items()} == {
        "claude": ["not connected", "not connected"],
        "codex": ["not connected", "not connected"],
        "gemini": [],
        "copilot": [],
    }
    out = collab("connections")[1]
    assert out.count("not connected") == 4
    assert out.count("  heard    never\n") == 2


def test_what_is_connected_is_told_with_its_name(collab: Collab) -> None:
    collab("connect", "claude", "--as", "sena", "--yes")
    found = file(collab, "claude", "project")
    assert found["state"] == "connected"
    assert (found["name"], found["program"], found["is_program_there"]) == ("sena", PROGRAM, True)
    assert (found["why"], found["trust"]) == ([], None)
    assert "  project  connected as sena  .claude/settings.local.json\n" in collab("connections")[1].replace("\\", "/")
    assert file(collab, "claude", "user")["state"] == "not connected"


def test_what_is_outdated_is_told_with_what_differs(collab: Collab) -> None:
    collab("connect", "claude", "--yes")
    path = Path(".claude/settings.local.json")
    settings = json.loads(path.read_text("utf-8"))
    del settings["hooks"]["Stop"]
    settings["hooks"]["PermissionRequest"][0]["hooks"][0]["timeout"] = 5
    path.write_text(json.dumps(settings), encoding="utf-8")
    found = file(collab, "claude", "project")
    assert found["state"] == "outdated"
    assert found["why"] == ["PermissionRequest: another timeout", "Stop: not there", "Stop: not there"]
    assert (
        "PermissionRequest: another timeout; Stop: not there; Stop: not there: connect again"
        in collab("connections")[1]
    )


def test_a_program_that_is_gone_is_told(collab: Collab, tmp_path: Path) -> None:
    collab("connect", "codex", "--yes")
    path = Path(".codex/hooks.json")
    path.write_text(path.read_text("utf-8").replace(PROGRAM, f"{tmp_path}/gone/collab-tui"), encoding="utf-8")
    found = file(collab, "codex", "project")
    assert (found["state"], found["is_program_there"]) == ("outdated", False)
    assert f"it runs {tmp_path}/gone/collab-tui, which is not there: connect again" in collab("connections")[1]


def test_hooks_that_are_switched_off_are_told(collab: Collab, home: Path) -> None:
    (home / ".claude").mkdir()
    (home / ".claude" / "settings.json").write_text('{"disableAllHooks": true}', encoding="utf-8")
    collab("connect", "claude", "--user", "--yes")
    assert file(collab, "claude", "user")["state"] == "switched off"
    assert "the file switches all hooks off" in collab("connections")[1]


@pytest.mark.parametrize("text", ["{,}", '{"hooks": 3}', "\xe9"])
def test_a_file_that_cannot_be_read_is_told_and_the_rest_too(collab: Collab, text: str) -> None:
    path = Path(".codex/hooks.json")
    path.parent.mkdir()
    path.write_bytes(text.encode("latin-1"))
    found = file(collab, "codex", "project")
    assert found["state"] == "unreadable"
    assert f"{path}:1: " in found["why"][0]
    assert f"{path}:1: " in collab("connections")[1]


def test_whether_codex_trusts_it_is_told(collab: Collab) -> None:
    collab("connect", "codex", "--yes")
    assert file(collab, "codex", "project")["trust"] == "not trusted yet"
    assert "Codex: not trusted yet; it runs none that it does not trust" in collab("connections")[1]


def test_who_was_heard_from_is_told(collab: Collab) -> None:
    start = ("--field", "driver=Claude Code", "--field", "session=s1")
    assert collab("emit", "session_start", "--agent", "sena", *start)[0] == 0
    assert collab("emit", "status_update", "--agent", "sena", "--status", "idle")[0] == 0
    heard = document(collab)["claude"]["heard"]
    assert (heard["agent"], heard["event"]) == ("sena", "status_update")
    assert document(collab)["codex"]["heard"] is None
    assert "  heard    sena status_update 0 s ago\n" in collab("connections")[1]


def test_without_a_registry_the_files_are_told_alone(collab: Collab) -> None:
    Path(".collab/registry.jsonl").unlink()
    code, out, err = collab("connections")
    assert (code, err) == (0, "")
    assert out.startswith("No registry here or above: `collab-tui init` makes one. ")
    assert "heard" not in out
    assert json.loads(collab("connections", "--json")[1])["registry"] is None
    assert collab("connections", "--registry", "none.jsonl")[0] == 2


def test_names_of_others_steer_no_terminal(collab: Collab) -> None:
    collab("connect", "claude", "--as", "sena", "--yes")
    path = Path(".claude/settings.local.json")
    path.write_text(path.read_text("utf-8").replace('"sena"', '"\\u001b[2Jsena"'), encoding="utf-8")
    collab("emit", "session_start", "--agent", "\x1b[2Jx", "--field", "driver=Claude Code")
    assert "\x1b" not in collab("connections")[1]
    assert "\x1b" not in collab("connect", "claude", "--dry-run")[1]


def test_a_registry_that_cannot_be_read_is_not_one_that_never_heard(
    collab: Collab, monkeypatch: pytest.MonkeyPatch
) -> None:
    unreadable = News(state=State.UNREADABLE, detail="Permission denied")
    monkeypatch.setattr(JsonlRegistry, "read_next", lambda self, *, final=False: unreadable)
    code, out, err = collab("connections")
    assert (code, out) == (2, "")
    assert "Permission denied" in err
