"""Who decides, with the real program on real terminals: the key, the first answer, an agent that tries, the demo."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collab_tui.model.signature import Standing
from collab_tui.protocol.keys import NAME, Keyring
from collab_tui.protocol.trust import Onlooker, Trust
from collab_tui.registry.jsonl import JsonlRegistry
from tests.e2e.terminal import Terminal, terminal
from tests.events import asks, lines, updates
from tests.program import PROGRAM, environment, eventually, run


@contextmanager
def at_terminal(home: Path, *arguments: str, **more: str) -> Iterator[Terminal]:
    with terminal(PROGRAM, *arguments, cwd=home, env=environment(home, **more)) as shown:
        yield shown


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    path = tmp_path / "COLLABORATION_STATE.jsonl"
    path.write_bytes(
        lines(updates("sena", status="in_progress"), asks("sena", "r1", request="GO for the canary?", target="human"))
    )
    return path


def keys(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.name in (NAME, "used_decisions")]


def standing(registry: Path, home: Path) -> Standing | None:
    """Of the last line, to whoever has the key that lies in this home."""
    (key,) = keys(home)
    onlooker = Onlooker(Trust("human", keyring=Keyring(key.parent)))
    judged = list(map(onlooker.see, JsonlRegistry(registry).read_next().items))
    return judged[-1].standing if judged[-1] is not None else None


def test_the_key_is_made_and_the_person_decides_with_it(registry: Path) -> None:
    home = registry.parent
    with at_terminal(home, "decide", "r1", "approve") as shown:
        assert shown.wait() == 2
        assert "`collab-tui key make` makes it" in shown.text.replace("\n", "")
    with at_terminal(home, "key", "make") as shown:
        assert shown.wait() == 0
        assert "signs as human: key" in shown.text
    (key,) = keys(home)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    with at_terminal(home, "decide", "r1", "approve") as shown:
        assert shown.wait() == 0
        assert "human -> sena: approved (GO for the canary?)" in shown.text
    assert standing(registry, home) is Standing.SIGNED
    assert "⚿ signed" in run("log", cwd=home).stdout.decode()


def test_neither_a_pipe_nor_an_agent_decides_as_the_person(registry: Path) -> None:
    home, before = registry.parent, registry.read_bytes()
    with at_terminal(home, "key", "make") as shown:
        assert shown.wait() == 0
    piped = run("decide", "r1", "approve", cwd=home, stdin=b"yes\n")
    assert piped.returncode == 2
    assert b"standard input is no terminal" in piped.stderr
    with at_terminal(home, "decide", "r1", "approve", CLAUDECODE="1") as shown:
        assert shown.wait() == 2
        assert "this runs inside an agent's process ($CLAUDECODE is set)" in shown.text.replace("\n", "")
    assert registry.read_bytes() == before


def test_the_first_answer_on_the_board_makes_the_key(registry: Path) -> None:
    with at_terminal(registry.parent, str(registry)) as shown:
        shown.wait_for("GO for the canary?")
        shown.wait_for("Your signing key", press="a")
        shown.send("\r")
        shown.wait_for("✔ approved by human")
        shown.wait_for("⚿ signed")
        shown.send("q")
        assert shown.wait() == 0
    assert standing(registry, registry.parent) is Standing.SIGNED


def test_a_board_that_an_agent_runs_shows_and_does_not_decide(registry: Path) -> None:
    before = registry.read_bytes()
    with at_terminal(registry.parent, str(registry), GEMINI_CLI="1") as shown:
        shown.wait_for("GO for the canary?")
        shown.wait_for("($GEMINI_CLI is set)", press="a")
        shown.send("q")
        assert shown.wait() == 0
    assert registry.read_bytes() == before
    assert keys(registry.parent) == []


def test_the_demo_asks_for_no_key_and_leaves_none_behind(tmp_path: Path) -> None:
    """On a machine that never saw us: its agents take the word of whoever sits there, signed with a key of its own."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with at_terminal(tmp_path, "demo", "--speed", "4", TMPDIR=str(temporary)) as shown:
        shown.wait_for("Which tagger first?")
        shown.wait_for(lambda: "chose" in shown.text or "✔ rules by human" in shown.text, press="1")
        shown.wait_for("rules it is")
        shown.wait_for("⚿ signed")
        assert "Your signing key" not in shown.text
        (key,) = keys(tmp_path / "tmp")[:1]
        assert key.is_relative_to(temporary)
        shown.send("q")
        assert shown.wait() == 0
    eventually(lambda: not any(temporary.iterdir()), lambda: str(list(temporary.rglob("*"))))
    assert keys(tmp_path) == []


@pytest.mark.parametrize("words", ["not on main, please", "approve only staging", "a b"])
def test_words_typed_or_pasted_into_an_open_request_answer_nothing(registry: Path, words: str) -> None:
    before = registry.read_bytes()
    for sent in (
        words,
        f"\x1b[200~{words}\x1b[201~",
    ):  # at once, as a terminal without bracketed paste pastes; and with
        with at_terminal(registry.parent, str(registry)) as shown:
            shown.wait_for("GO for the canary?")
            shown.wait_for("comment (optional)", press="\r")
            shown.send(sent)
            shown.wait_for(words)
            shown.wait_for("shift+tab, then a approve")
            shown.send("\x11")
            assert shown.wait() == 0
    assert registry.read_bytes() == before
    assert keys(registry.parent) == []
