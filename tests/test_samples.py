"""Each sample registry shows what its README says."""

import runpy
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collab_tui.cli.main import main
from collab_tui.model.board import Board, ProblemKind, Request, RequestKind
from collab_tui.model.event import MAX_LINE, Event
from collab_tui.model.fold import Fold
from collab_tui.model.moment import Moment
from collab_tui.model.text import clean
from collab_tui.model.words import Status
from collab_tui.protocol.trust import Trust
from collab_tui.registry.base import read_to_end
from collab_tui.registry.jsonl import JsonlRegistry
from tests.signing import install_key

FOLDER = Path(__file__).parent.parent / "sample_state"
NOW = datetime(2026, 11, 20, 14, 3, 10, tzinfo=UTC)
NAMES = sorted(path.name for path in FOLDER.glob("*.jsonl"))


def folded(name: str) -> Board:
    fold = Fold()
    read_to_end(JsonlRegistry(FOLDER / name), fold, final=True)
    return fold.board()


def items(name: str):
    registry = JsonlRegistry(FOLDER / name)
    read_to_end(registry, Fold(), final=True)
    return registry.items(0, 10_000)


def test_each_is_described() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert NAMES
    assert all(f"`{name}`" in readme for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_commands_read_it(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", str(FOLDER / name)]) == 0
    assert main(["log", "--registry", str(FOLDER / name)]) == 0
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["good_day.jsonl", "claimed.jsonl", "deadlock.jsonl", "many_agents.jsonl"])
def test_it_looks_live_at_the_frozen_time(name: str) -> None:
    board = folded(name)
    times = [item.time for item in items(name)]
    assert board.problem_count == 0
    assert datetime(2026, 11, 20, 13, tzinfo=UTC) <= times[0]
    assert times[-1] <= NOW
    assert (NOW - times[-1]).total_seconds() < 120


def test_good_day() -> None:
    board = folded("good_day.jsonl")
    moment = Moment(board, NOW)
    go, tagger = moment.needs
    assert isinstance(go, Request)
    assert isinstance(tagger, Request)
    assert (go.kind, go.asker, moment.held_up(go)) == (RequestKind.APPROVAL, "gitcode", ("gitcode", "maestro"))
    assert (tagger.kind, tagger.options) == (RequestKind.CHOICE, ("rules", "model", "both"))
    assert [request.request for request in moment.to_others] == ["Approve metrics v2?"]
    assert {agent.name for agent in board.agents} - {"human"} == {"maestro", "sena", "lubit", "gitcode"}
    assert not board.deadlocks
    assert not board.blockers
    assert not moment.silent
    assert board.agent("sena").progress == 72
    assert any(wait.waiter == "lubit" and wait.awaited == "sena" for wait in board.waits)


def test_claimed(tmp_path: Path) -> None:
    trust = Trust("human", keyring=install_key(tmp_path))
    moment = Moment(folded("claimed.jsonl"), NOW, judge=trust.judge_shown)
    decisions = [item for item in items("claimed.jsonl") if isinstance(item, Event) and item.kind == "decision"]
    assert [moment.judgement(decision).standing.value for decision in decisions] == [
        "signed", "claimed", "unknown_key", "bad",
    ]  # fmt: skip
    assert [need.request for need in moment.needs] == ["Drop the old reports table?", "Label 500 more texts?"]


def test_deadlock() -> None:
    board = folded("deadlock.jsonl")
    (found,) = board.deadlocks
    assert set(found.agents) == {"sena", "lubit", "gitcode"}
    assert board.request(found.request_id).request == "Sign the parser contract?"
    assert board.blockers[0].holds_up == ("maestro", "orion")


def test_wild() -> None:
    board = folded("wild.jsonl")
    assert {problem.kind for problem in board.problems} == set(ProblemKind)
    assert [agent.name for agent in board.agents] == [
        "system", "Sena", "lubit", "gitcode", "さくら", "maestro", "👩💻 하나",
    ]  # fmt: skip
    sena, gitcode = board.agent("sena"), board.agent("gitcode")
    assert (sena.status, sena.progress, sena.blockers) == (Status.COMPLETED, 100, ())
    assert (gitcode.status, gitcode.progress, gitcode.blockers) == (Status.IN_PROGRESS, 80, ())
    report, language = board.open_requests
    assert (report.urgency, report.answer.by) == ("CRITICAL", "lubit")
    assert language.options == ("한국어", "English", "日本語 🗾")
    assert len(items("wild.jsonl")) == 40


def test_many_agents() -> None:
    board = folded("many_agents.jsonl")
    moment = Moment(board, NOW)
    assert len(board.agents) == 200
    assert {agent.status for agent in board.agents} == {*Status, None}
    assert any(agent.gone for agent in board.agents)
    assert len(moment.needs) == 12
    assert moment.silent
    assert len(board.blockers) == 4
    assert {"세나", "さくら", "claude-01"} <= {agent.name for agent in board.agents}


def test_hostile() -> None:
    raw = (FOLDER / "hostile.jsonl").read_bytes()
    assert set(raw) <= {*range(32, 127), 10}
    assert max(map(len, raw.split(b"\n"))) > 900_000
    assert len(raw) < 1.25 * MAX_LINE
    found = items("hostile.jsonl")
    assert all(isinstance(item, Event) for item in found)
    assert all(clean(text) == text for item in found for text in texts(item.data))
    assert board_texts_are_clean(folded("hostile.jsonl"))
    assert found[-1].agent == "alice"


def texts(value: object) -> list[str]:
    found, pending = [], [value]
    while pending:
        match pending.pop():
            case str(text):
                found.append(text)
            case list(parts):
                pending += parts
            case dict(parts):
                pending += [*parts, *parts.values()]
    return found


def board_texts_are_clean(board: Board) -> bool:
    return clean(repr(board)) == repr(board)


@pytest.mark.parametrize("name", ["many_agents", "hostile"])
def test_the_script_writes_the_same_file(name: str) -> None:
    made = runpy.run_path(str(FOLDER / f"make_{name}.py"))["content"]()
    assert made == (FOLDER / f"{name}.jsonl").read_bytes()
