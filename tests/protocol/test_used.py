"""Every decision is acted on once, by whichever process, and also after the registry was put back."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from collab_tui.model.event import Event
from collab_tui.protocol import used as module
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import LockedError, NotWrittenError
from tests.events import decides, event


def yes(number: int = 1, position: int = 2) -> Event:
    return event(position, **decides("human", "r1", id=f"d{number}", verdict="approved", signature="s"))


@pytest.fixture
def used(tmp_path: Path) -> UsedDecisions:
    return UsedDecisions(tmp_path / "state")


def test_a_decision_is_used_once(used: UsedDecisions) -> None:
    assert used.use_once(yes(), "sena")
    assert not used.use_once(yes(), "sena")
    assert used.use_once(yes(2), "sena")


def test_it_is_the_same_wherever_it_stands_and_however_it_is_written(used: UsedDecisions) -> None:
    assert used.use_once(yes(), "sena")
    assert not used.use_once(yes(position=700), "Sena")
    spelled = json.dumps(yes().data, indent=1).replace("human", "\\u0068uman").encode()
    assert not used.use_once(yes()._replace(line=spelled), "sena")
    assert not used.use_once(event(2, **yes().data | {"signature": "another"}), "sena")


def test_each_agent_it_is_meant_for_may_use_it(used: UsedDecisions) -> None:
    assert used.use_once(yes(), "sena")
    assert used.use_once(yes(), "lubit")


def test_it_is_remembered_by_the_user_and_nobody_elses_business(used: UsedDecisions) -> None:
    assert used.use_once(yes(), "sena")
    assert not UsedDecisions(used.path.parent).use_once(yes(), "sena")
    if sys.platform != "win32":
        assert stat.S_IMODE(used.path.stat().st_mode) == 0o600
        assert stat.S_IMODE(used.path.parent.stat().st_mode) == 0o700


def test_the_users_state_folder_is_where_it_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, **__: str(tmp_path / "mine"))
    assert UsedDecisions().path == tmp_path / "mine" / "used_decisions"


def test_the_oldest_are_forgotten(used: UsedDecisions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_USED", 10)
    for number in range(25):
        assert used.use_once(yes(number), "sena")
    assert len(used.path.read_text(encoding="ascii").splitlines()) <= 10
    assert [file.name for file in used.path.parent.iterdir() if "lock" not in file.name] == [used.path.name]
    assert not used.use_once(yes(24), "sena")
    assert not used.use_once(yes(22), "sena")


def test_what_cannot_be_remembered_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file in the way", encoding="utf-8")
    with pytest.raises(NotWrittenError):
        UsedDecisions(tmp_path / "state").use_once(yes(), "sena")


_RACE = """
import sys
from pathlib import Path
from collab_tui.model.event import decode
from collab_tui.protocol.used import UsedDecisions
sys.stdin.read(1)
(decision,) = decode(sys.argv[2].encode(), 2)
print(UsedDecisions(Path(sys.argv[1])).use_once(decision, "sena"))
"""


def test_of_many_processes_at_once_one_may_use_it(used: UsedDecisions) -> None:
    command = [sys.executable, "-c", _RACE, str(used.path.parent), yes().line.decode()]
    racing = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        for _ in range(6)
    ]
    told = [process.communicate("x", timeout=60)[0].strip() for process in racing]
    assert sorted(told) == ["False"] * 5 + ["True"]


def test_what_is_reserved_is_nobody_elses_until_it_is_released_and_used_once_it_was_delivered(
    used: UsedDecisions,
) -> None:
    other = UsedDecisions(used.folder)
    first = used.reserve(yes(), "sena")
    assert first is not None
    with first:
        with pytest.raises(LockedError):
            other.reserve(yes(), "Sena")
        theirs = other.reserve(yes(), "lubit")
        assert theirs is not None
        theirs.release()
        assert used.unused([yes()], "sena") == [yes()]
    second = other.reserve(yes(), "sena")
    assert second is not None
    with second:
        second.commit()
    assert used.reserve(yes(position=700), "sena") is None  # a copy of it is the same
    assert used.reserve(yes(2), "sena") is not None
    assert used.unused([yes()], "sena") == []


def test_what_was_not_used_yet_is_told_without_using_it(used: UsedDecisions) -> None:
    assert used.unused([yes(1), yes(2)], "sena") == [yes(1), yes(2)]
    assert used.use_once(yes(1), "sena")
    assert used.unused([yes(1), yes(2)], "Sena") == [yes(2)]
    assert used.unused([yes(1)], "lubit") == [yes(1)]


def test_decisions_of_agents_are_kept_apart(used: UsedDecisions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_USED", 4)
    assert used.use_once(yes(), "sena")
    for number in range(9):
        assert used.of_agents.use_once(event(2, **decides("lubit", "r1", id=f"a{number}", answer="b")), "sena")
    assert not used.use_once(yes(), "sena")


def test_a_line_that_can_be_read_in_two_ways_is_used_as_it_stands(used: UsedDecisions) -> None:
    twice = event(2, **decides("lubit", "r1", answer="b"))._replace(line=b'{"answer":"a","answer":"b"}')
    assert used.of_agents.use_once(twice, "sena")
    assert used.of_agents.unused([twice], "sena") == []
