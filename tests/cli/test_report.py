"""`collab-tui report`: what it tells of a registry, and when it says that nothing can be told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collab_tui.cli import report
from collab_tui.config import user_config_file
from collab_tui.model.reaction_times import Reaction
from collab_tui.model.teamwork import Doing
from tests.cli.conftest import Collab
from tests.events import asks, at, decides, lines, says, updates
from tests.signing import install_key, signed

SAMPLES = Path(__file__).parents[2] / "sample_state"


@pytest.fixture
def played(tmp_path: Path) -> Path:
    """Two that work at once for half of the time; one asks the other and goes on 200 ms after the answer."""
    path = tmp_path / "project" / "COLLABORATION_STATE.jsonl"
    path.write_bytes(
        lines(
            updates("sena", status="in_progress", timestamp=at(0)),
            updates("루빗", status="in_progress", timestamp=at(40)),
            asks("sena", "r1", target="루빗", request="Approve?", status="in_progress", timestamp=at(60)),
            decides("루빗", "r1", verdict="approved", status="idle", timestamp=at(70)),
            updates("sena", status="in_progress", timestamp=at(70.2)),
            says("human", "message", target="all", message="thanks", timestamp=at(80)),
        )
    )
    return path


def test_what_people_read(collab: Collab, played: Path) -> None:
    code, out, err = collab("report")
    assert (code, err) == (0, "")
    told = [" ".join(line.split()) for line in out.splitlines()]
    assert told[0].endswith(", 6 lines")
    assert "somebody was busy 80 s 100 % of it" in told
    assert "two or more were 30 s 38 %" in told
    assert "one after the other 1.8 min 1.4 times as long" in told
    assert "agents present busy idle" in told
    assert "sena 80 s 100 %" in told
    assert "루빗 40 s 75 % 25 %" in told
    assert "not measured, for they declare nothing: human" in out
    assert "request → agent decides 1 10 s 10 s 10 s" in told
    assert "decision → asker goes on 1 200 ms 200 ms 200 ms" in told


@pytest.mark.parametrize("columns", [60, 80])
def test_it_fits_into_a_narrow_terminal(collab: Collab, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for sample in ("good_day", "claimed", "deadlock"):
        code, out, _ = collab("report", str(SAMPLES / f"{sample}.jsonl"))
        assert code == 0
        assert max(map(len, out.splitlines())) <= columns


def test_the_json_is_as_its_help_says(collab: Collab, played: Path) -> None:
    code, out, err = collab("report", "--json", str(played))
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert list(told) == [
        *("registry", "lines", "events", "first_time", "last_time", "out_of_place", "untimed", "doubt"),
        *("total", "at_work", "at_once", "one_after_the_other", "gain", "agents", "others", "reactions"),
    ]
    assert (told["total"], told["at_work"], told["at_once"], told["gain"]) == (80, 80, 30, 1.375)
    assert told["first_time"] == at(0)
    sena, lubit = told["agents"]
    assert (sena["name"], sena["present"], sena["seconds"]["busy"]) == ("sena", 80, 80)
    assert lubit["seconds"] == {doing.value: 0 for doing in Doing} | {"busy": 30, "idle": 10, "absent": 40}
    assert told["others"] == ["human"]
    assert told["reactions"] == {
        "request_to_agent": {"count": 1, "median": 10, "p95": 10, "longest": 10},
        "request_to_decision_by_agent": {"count": 1, "median": 10, "p95": 10, "longest": 10},
        "decision_to_asker": {"count": 1, "median": 0.2, "p95": 0.2, "longest": 0.2},
    }
    for word in (*told, *sena, *sena["seconds"]):
        assert word in report._EXAMPLES


def test_a_decision_that_nobody_signed_is_told_as_what_it_is(
    collab: Collab, played: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asks("sena", "r1", target="human", request="GO?", timestamp=at(0))
    yes = decides("human", "r1", verdict="approved", timestamp=at(2))
    played.write_bytes(lines(asked, yes))
    assert list(json.loads(collab("report", "--json")[1])["reactions"]) == ["request_to_unverified_decision"]
    assert "request → unverified answer" in collab("report")[1]
    install_key(user_config_file().parent)
    assert user_config_file().is_relative_to(tmp_path)
    played.write_bytes(lines(asked, yes, signed(yes, lines(asked)) | {"timestamp": at(9)}))
    told = json.loads(collab("report", "--json")[1])["reactions"]
    assert list(told) == ["request_to_unverified_decision"]  # its time was changed after it was signed
    played.write_bytes(lines(asked, signed(yes, lines(asked))))
    told = json.loads(collab("report", "--json")[1])["reactions"]
    assert told == {"request_to_decision_by_person": {"count": 1, "median": 2, "p95": 2, "longest": 2}}


def test_every_reaction_has_words() -> None:
    assert set(report._WORDS) == set(Reaction)


def test_the_settings_say_what_silence_is(collab: Collab, played: Path) -> None:
    settings = played.parent / ".collab" / "config.toml"
    settings.parent.mkdir()
    settings.write_text("stale_after_working = 0.5\n", encoding="utf-8")
    told = json.loads(collab("report", "--json")[1])
    assert told["agents"][0]["seconds"]["silent"] == 30


def test_what_cannot_be_told_is_said_plainly(collab: Collab, played: Path) -> None:
    backwards = [updates("sena", status="in_progress", timestamp=at(-10_000 * n)) for n in range(5)]
    played.write_bytes(lines(*backwards))
    code, out, err = collab("report")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "How the time was spent cannot be told: 4 of 5 times do not fit to the order of the lines.",
        "`collab-tui doctor` says which lines these are, and what to do.",
    ]
    told = json.loads(collab("report", "--json")[1])
    assert told["doubt"] == "4 of 5 times do not fit to the order of the lines"
    assert {told[name] for name in ("total", "at_work", "gain", "agents", "others", "reactions")} == {None}


def test_an_empty_registry(collab: Collab, played: Path) -> None:
    played.write_bytes(b"")
    assert collab("report") == (0, "How the time was spent cannot be told: no time passes in it.\n", "")


def test_names_cannot_steer_the_terminal(collab: Collab) -> None:
    out = collab("report", str(SAMPLES / "hostile.jsonl"))[1]
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in out.replace("\n", ""))


def test_no_registry(collab: Collab, tmp_path: Path) -> None:
    code, out, err = collab("report", "--registry", str(tmp_path / "none.jsonl"))
    assert (code, out) == (2, "")
    assert "there is no" in err
