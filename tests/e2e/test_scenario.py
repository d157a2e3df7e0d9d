"""The story of eight minutes, scaled down: Sena, Lubit and the real monitor, and nobody who carries a message."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collab_tui.cli.console import make_console
from collab_tui.cli.played import account_of_play, print_story
from collab_tui.demo.script import METRICS, PARSER
from collab_tui.demo.story import AT_80, AT_START, RULES
from collab_tui.model.board import RequestState
from collab_tui.model.event import Event, decode
from collab_tui.model.fold import Fold
from collab_tui.model.reaction_times import Reaction
from collab_tui.model.teamwork import Doing
from collab_tui.protocol.keys import Keyring
from collab_tui.protocol.trust import Trust
from tests.e2e.terminal import terminal
from tests.program import PATIENCE, PROGRAM, environment, run, started

SPEED = 10


@contextmanager
def agent(part: str, registry: Path, home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """An agent of the story, once it is present."""
    options = ["--speed", str(SPEED), "--keys", str(home / "keys")]
    process = subprocess.Popen(
        [sys.executable, "-m", "collab_tui.demo.agent", part, str(registry), *options],
        env=environment(home),
        stdin=subprocess.PIPE,  # as long as it is open the agent has a parent
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with process.stdin, process.stdout:
            assert process.stdout.readline() == b"present\n"
            yield process
            assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole story as it was played, with `collab-tui monitor` as a user has it."""
    home = tmp_path_factory.mktemp("story")
    path = home / "registry.jsonl"
    settings = home / "config" / "collab-tui" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(RULES, encoding="utf-8")
    Keyring(home / "keys").make()
    with started("monitor", "--registry", str(path), cwd=home) as monitor:
        monitor.wait_for(lambda: b"waiting for it" in monitor.output)  # from now on it misses nothing
        with agent("story-lubit", path, home), agent("story-sena", path, home):
            pass
        monitor.wait_for(lambda: monitor.output.count(b"notified") == 3)
        assert (monitor.interrupt(), monitor.errors) == (0, b"")
    return path


@pytest.fixture(scope="module")
def events(registry: Path) -> list[Event]:
    items = list(decode(registry.read_bytes(), 0))
    assert all(isinstance(item, Event) for item in items)
    return items


def of(events: list[Event], agent: str, kind: str | None = None, **fields: object) -> list[Event]:
    """The events of an agent, of a kind, with these fields."""
    return [
        event
        for event in events
        if event.agent == agent
        and kind in (None, event.kind)
        and all(event.data.get(name) == value for name, value in fields.items())
    ]


def test_lubit_is_woken_by_the_start_of_sena_and_by_nothing_else(events: list[Event]) -> None:
    (start,) = of(events, "sena", status="in_progress", current_task="information metrics")
    (call,) = of(events, "monitor", "message", rule=AT_START)
    assert (call.text("cause"), call.text("target")) == (start.id, "lubit")
    first = of(events, "lubit")[0]
    assert first.kind == "session_start"
    assert start.position < call.position < first.position


def test_he_validates_while_she_goes_on(events: list[Event]) -> None:
    (decision,) = of(events, "lubit", "decision")
    first = of(events, "lubit")[0]
    meanwhile = events[first.position : decision.position]
    assert len([event for event in of(meanwhile, "sena") if event.data.get("progress")]) >= 5
    assert len([event for event in of(meanwhile, "lubit") if event.data.get("progress")]) >= 5


def test_the_call_at_80_per_cent_comes_with_the_line_that_crosses_it(events: list[Event]) -> None:
    (call,) = of(events, "monitor", "message", rule=AT_80)
    progress = [(event.id, event.data["progress"]) for event in of(events, "sena") if "progress" in event.data]
    crossing = next(place for place, (_, percent) in enumerate(progress) if percent >= 80)
    assert progress[crossing][0] == call.text("cause")
    (decision,) = of(events, "lubit", "decision")
    assert call.position < decision.position


def test_there_is_one_approval_and_with_it_she_begins_her_next_task(events: list[Event]) -> None:
    decisions = [event for event in events if event.kind == "decision"]
    (request,) = [event for event in events if event.kind == "decision_request"]
    assert [(d.agent, d.text("request_id"), d.text("verdict")) for d in decisions] == [
        ("lubit", request.id, "approved")
    ]
    after = of(events[decisions[0].position :], "sena")
    assert (after[0].kind, after[1].text("current_task")) == ("completion", PARSER)
    assert not of(events[: decisions[0].position], "sena", current_task=PARSER)
    fold = Fold()
    fold.extend(events)
    (asked,) = fold.board().requests
    assert (asked.request, asked.state) == (METRICS, RequestState.ANSWERED)


def test_nothing_happens_twice(events: list[Event]) -> None:
    assert len({event.id for event in events}) == len(events)
    for name in ("sena", "lubit"):
        assert [len(of(events, name, kind)) for kind in ("session_start", "session_end")] == [1, 1]
        assert of(events, name)[-1].kind == "session_end"
    done = of(events, "monitor", "activation")
    assert [event.text("outcome") for event in done] == ["sent", "notified", "sent", "notified", "notified"]
    assert len({event.text("key") for event in done}) == 5
    assert len(of(events, "monitor", "message")) == 2
    assert {event.agent for event in events} == {"sena", "lubit", "monitor"}


def test_its_numbers_come_from_the_registry(registry: Path, capsys: pytest.CaptureFixture[str]) -> None:
    account = account_of_play(registry, Trust("human", keyring=Keyring(registry.parent / "keys")))
    assert (account.doubt, account.out_of_place) == (None, 0)
    assert account.one_after_the_other > account.total > account.at_work >= account.at_once > 0
    sena, lubit = account.agents
    for worker in (sena, lubit):
        assert worker.seconds[Doing.BUSY] > account.total / 2
        assert worker.seconds[Doing.WAITING] > 0
        assert worker.seconds[Doing.BLOCKED] == 0
    counts = {reaction: timing.count for reaction, timing in account.reactions.items()}
    assert counts == {
        Reaction.FIRED: 5,
        Reaction.WOKEN: 2,
        Reaction.REACHED: 2,
        Reaction.ASKED: 1,
        Reaction.DECIDED_BY_AGENT: 1,
        Reaction.WENT_ON: 1,
    }
    with capsys.disabled():
        print()
        print_story(account, SPEED, True, make_console())


def test_the_demo_plays_it_on_the_board_and_ends_with_its_numbers(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    env = environment(tmp_path, TMPDIR=str(temporary))
    with terminal(PROGRAM, "demo", "--story", "--speed", "12", cwd=tmp_path, env=env) as shown:
        shown.wait_for("begin with the metrics")
        shown.wait_for("woken by the monitor")
        shown.wait_for("Nobody called Lubit")
        shown.wait_for("Sena has her answer")
        shown.wait_for("Nobody carried a message")
        shown.send("q")
        assert shown.wait() == 0
        assert "72 times as fast. Its registry says" in shown.text
        assert re.search(r"event, woken agent +\d+ m?s +1-2 s", shown.text)
        assert 1049 not in shown.modes
    assert not any(temporary.iterdir())
    assert not (tmp_path / "config").exists()
    assert not list(tmp_path.rglob("monitor"))


def test_without_a_terminal_it_is_played_to_its_end(tmp_path: Path) -> None:
    """Whatever rules the user has are not the story's."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    settings = tmp_path / "config" / "collab-tui" / "config.toml"
    settings.parent.mkdir(parents=True)
    then = f'{{ run = ["touch", "{tmp_path}/ran"] }}'
    settings.write_text(
        f'[[rule]]\nname = "mine"\non = true\nwhen = {{ from = "sena" }}\nthen = {then}\n', encoding="utf-8"
    )
    done = run("demo", "--story", "--speed", "20", cwd=tmp_path, env=environment(tmp_path, TMPDIR=str(temporary)))
    assert (done.returncode, done.stderr) == (0, b"")
    told = done.stdout.decode()
    assert told.startswith("The story of 8 minutes, 120 times as fast. Its registry says:\n")
    assert "never" not in told
    assert not any(temporary.iterdir())
    assert not (tmp_path / "ran").exists()
