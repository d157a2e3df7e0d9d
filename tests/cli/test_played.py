"""What a demo tells when its board is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from collab_tui.cli.console import make_console
from collab_tui.cli.played import account_of_play, print_demo, print_story
from collab_tui.cli.reading import NotThereError
from collab_tui.model.teamwork import Teamwork
from collab_tui.protocol.trust import Trust
from tests.events import Object, asks, at, decides, lines, says, updates
from tests.signing import install_key, signed

_SENA = [updates("sena", id=f"s{n}", status="in_progress", progress=n, timestamp=at(n)) for n in range(0, 41, 10)]
_CALL = {"rule": "r", "key": "k", "cause": "s10", "target": "lubit"}
_LUBIT = [
    says("monitor", "message", timestamp=at(10.004), **_CALL),
    says("lubit", "session_start", status="in_progress", timestamp=at(10.012)),
    updates("lubit", timestamp=at(40)),
]


def account(tmp_path: Path, *events: Object) -> Teamwork:
    path = tmp_path / "registry.jsonl"
    path.write_bytes(lines(*sorted(events, key=lambda event: event["timestamp"])))
    return account_of_play(path, Trust("human", keyring=install_key(tmp_path / "keys")))


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_a_demo_ends_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = asks("sena", "r1", target="human", status="in_progress", timestamp=at(20))
    yes = decides("human", "r1", verdict="approved", timestamp=at(23))
    answer = signed(yes, lines(_SENA[0], asked))
    went_on = updates("sena", timestamp=at(23.05))
    claimed = [asked, yes | {"timestamp": at(21)}, went_on | {"timestamp": at(21.5)}]
    print_demo(account(tmp_path, *_SENA, *_LUBIT, *claimed), make_console())
    assert told(capsys) == ["In 40 s they did what takes 70 s one after the other."]
    print_demo(account(tmp_path, *_SENA, *_LUBIT, *claimed[:2], answer, went_on), make_console())
    assert told(capsys) == [
        "In 40 s they did what takes 70 s one after the other. You answered once after 3.0 s. "
        "With an answer they went on after 50 ms."
    ]


def test_a_demo_that_was_hardly_seen_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    short = account(tmp_path, updates("sena", status="in_progress", timestamp=at(0)), updates("sena", timestamp=at(3)))
    print_demo(short, make_console())
    print_story(short, 1, False, make_console())
    assert told(capsys) == []


def test_the_story_stands_beside_what_was_claimed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_story(account(tmp_path, *_SENA, *_LUBIT), 2, True, make_console())
    shown = told(capsys)
    assert shown[0] == "The story of 8 minutes, 12 times as fast. Its registry says:"
    assert shown[1] == "here x 12 claimed by hand"
    assert "together 40 s 8.0 min 8 min" in shown
    assert "one after the other 70 s 14 min 25 min" in shown
    assert "sena busy 100 % ~100 % 50 %" in shown
    assert "lubit busy 75 % ~100 % 50 %" in shown
    assert "event, woken agent 12 ms 1-2 s 5-10 min" in shown
    assert "answer, asker goes on never 1-2 s 5-10 min" in shown
    assert "scripted" in " ".join(shown[-3:])


def test_the_numbers_of_a_story_whose_calls_come_late_are_worse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same work, and one minute in which both wait for a message."""
    late = [
        *_SENA,
        updates("sena", id="waits", status="waiting", timestamp=at(40)),
        *[event | {"timestamp": at(70 + 10 * n)} for n, event in enumerate(_LUBIT[:1])],
        says("lubit", "session_start", status="in_progress", timestamp=at(70)),
        updates("lubit", status="idle", timestamp=at(100)),
    ]
    print_story(account(tmp_path, *late), 2, True, make_console())
    shown = told(capsys)
    assert "together 100 s 20 min 8 min" in [line.replace("1.7 min", "100 s") for line in shown]
    assert "one after the other 70 s 14 min 25 min" in shown
    assert "sena busy 40 % ~100 % 50 %" in shown
    assert "lubit busy 30 % ~100 % 50 %" in shown


def test_a_registry_that_is_gone_has_no_account(tmp_path: Path) -> None:
    with pytest.raises(NotThereError, match="there is no"):
        account_of_play(tmp_path / "none.jsonl", Trust("human", keyring=install_key(tmp_path / "keys")))


def test_a_story_that_was_left_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_story(account(tmp_path, *_SENA), 1, False, make_console())
    assert told(capsys)[0] == "The story of 8 minutes, 6 times as fast; you left before its end. Its registry says:"


@pytest.mark.parametrize("columns", [60, 80])
def test_it_fits_into_a_narrow_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    console = make_console()
    console.soft_wrap = False  # as on a terminal
    print_story(account(tmp_path, *_SENA, *_LUBIT), 0.25, False, console)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= columns
