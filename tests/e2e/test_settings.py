"""Settings as a person meets them: a bell, a notification, another key, a project's settings that wait for leave."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.e2e.terminal import TOKEN, Terminal, terminal
from tests.events import asks, lines, updates
from tests.program import PROGRAM, emit, environment, run

KEY = f"ed25519:{base64.b64encode(b'k' * 32).decode()}"
NOTICES = ("9", "99", "777")


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """An agent that asked something long ago."""
    path = tmp_path / "registry.jsonl"
    path.write_bytes(lines(updates("sena", status="in_progress"), asks("sena", "old1", request="The first?")))
    return path


@pytest.fixture
def user(tmp_path: Path) -> Path:
    """The user's config file, not yet there."""
    path = tmp_path / "config" / "collab-tui" / "config.toml"
    path.parent.mkdir(parents=True)
    return path


def ask(registry: Path, request: str) -> None:
    emit(registry, "sena", "decision_request", "--field", f"request={request}")


def bells(shown: Terminal) -> list[str]:
    """Bells and notifications, as they came."""
    told = TOKEN.finditer(shown.raw.decode(errors="replace"))
    return [found[0] for found in told if found["control"] == "\a" or (found["osc"] or "").split(";")[0] in NOTICES]


@pytest.mark.parametrize(
    ("settings", "env", "rung"),
    [
        ("", {}, ["\a"]),
        ('notifications = "off"\n', {}, []),
        ('notifications = "desktop"\n', {"TERM": "foot"}, ["\x1b]777;notify;collab-tui;2 questions for you\a"]),
        (
            'notifications = "desktop"\n',
            {"TERM": "xterm-kitty"},
            ["\x1b]99;i=collab-tui;collab-tui: 2 questions for you\x1b\\"],
        ),
    ],
    ids=["bell", "off", "foot", "kitty"],
)
def test_a_new_need_rings_and_an_old_one_does_not(
    registry: Path, user: Path, settings: str, env: dict[str, str], rung: list[str]
) -> None:
    user.write_text(settings, encoding="utf-8")
    with terminal(PROGRAM, str(registry), cwd=registry.parent, env=environment(registry.parent, **env)) as shown:
        shown.wait_for("The first?")
        ask(registry, "The second?")
        shown.wait_for("The second?")
        shown.wait_for("2 need you")
        emit(registry, "lubit", "status_update", "--status", "idle")
        shown.wait_for("lubit")
        shown.wait_for(lambda: len(bells(shown)) >= len(rung))
        assert bells(shown) == rung


def test_a_wrong_setting_is_told_before_the_screen_is_taken(registry: Path, user: Path) -> None:
    user.write_text('theme = "nord"\n\n[keys]\nquit = "escape"\n', encoding="utf-8")
    with terminal(PROGRAM, str(registry), cwd=registry.parent, env=environment(registry.parent), columns=240) as shown:
        assert shown.wait() == 2
        told = "quit = 'escape': that key cannot be given away: it closes every dialog"
        assert shown.text.strip() == f"collab-tui: {user}:4: {told}"
        assert shown.raw.count(b"\x1b") == 0


def test_a_project_s_keys_are_in_force_once_they_are_allowed(registry: Path, user: Path) -> None:
    project = registry.parent / ".collab" / "config.toml"
    project.parent.mkdir()
    project.write_text(f'[keys]\napprove = "f9"\n[approvers]\nlena = "{KEY}"\n', encoding="utf-8")
    env = environment(registry.parent, COLLAB_REGISTRY=str(registry))

    with terminal(PROGRAM, cwd=registry.parent, env=env) as shown:
        shown.wait_for("Not in force until `collab-tui config allow`: the project's keys and approvers")
        shown.wait_for("a approve")

    for answer, code in (("no", 1), ("yes", 0)):
        with terminal(PROGRAM, "config", "allow", cwd=registry.parent, env=env) as shown:
            shown.wait_for("Allow exactly this? Type yes:")
            assert "approve = 'f9'" in shown.text
            assert f"lena = '{KEY}'" in shown.text
            shown.send(f"{answer}\n")
            assert shown.wait() == code
        waiting = b"waits to be allowed" in run("config", cwd=registry.parent, env=env).stdout
        assert waiting is (answer == "no")

    with terminal(PROGRAM, cwd=registry.parent, env=env) as shown:
        shown.wait_for("f9 approve")
        assert "Not in force" not in shown.text


@pytest.mark.parametrize("mark", ["CLAUDECODE", "COLLAB_AGENT"])
def test_an_agent_cannot_allow_what_its_project_sets(registry: Path, user: Path, mark: str) -> None:
    project = registry.parent / ".collab" / "config.toml"
    project.parent.mkdir()
    project.write_text(f'[approvers]\nlena = "{KEY}"\n', encoding="utf-8")
    env = environment(registry.parent, COLLAB_REGISTRY=str(registry), **{mark: "1"})
    with terminal(PROGRAM, "config", "allow", cwd=registry.parent, env=env, columns=240) as shown:
        assert shown.wait() == 1
        assert "only you can allow what a project sets" in shown.text
    assert list(user.parent.iterdir()) == []
