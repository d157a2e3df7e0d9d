"""`collab-tui emit`: from options or standard input to one line, and every way in which it can fail."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from collab_tui.cli import emit
from collab_tui.model.fold import _HANDLERS
from collab_tui.model.words import _STATUS_BY_FIRST_WORD
from collab_tui.registry.append import append
from tests.cli.conftest import Collab, events, last
from tests.program import PROGRAM, environment

_NO_PER_CENT = ("140", "999", "-1", "abc", "much", "true", "NaN", "[1]", "")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry that comes with the first event."""
    monkeypatch.setenv("COLLAB_REGISTRY", str(tmp_path / "r.jsonl"))
    return tmp_path / "r.jsonl"


def test_one_line_and_not_a_word(collab: Collab, path: Path) -> None:
    assert collab("emit", "status_update", "--agent", "sena", "--status", "in_progress") == (0, "", "")
    (event,) = events(path)
    assert re.fullmatch("[0-9a-f]{16}", event["id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["timestamp"])
    assert list(event) == ["id", "timestamp", "agent", "event", "status"]


def test_every_option(collab: Collab, path: Path) -> None:
    options = "--status in_progress --progress 40 --task metrics --next test --message 안녕 --target lubit --no-sync"
    assert (
        collab("emit", "status_update", "--agent", "sena", *options.split(), "--blocker", "a b", "--blocker", "c")[0]
        == 0
    )
    assert last(path) == {
        "agent": "sena",
        "event": "status_update",
        "status": "in_progress",
        "progress": 40,
        "current_task": "metrics",
        "next_action": "test",
        "message": "안녕",
        "target": "lubit",
        "blockers": ["a b", "c"],
    }
    assert "안녕".encode() in path.read_bytes()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("40", 40),
        ("0.8", 0.8),
        ("80%", "80%"),
        ("much", "much"),
    ],
)
def test_progress_is_a_number_where_it_is_one(collab: Collab, path: Path, given: str, kept: object) -> None:
    assert collab("emit", "status_update", "--agent", "sena", "--progress", given)[0] == 0
    assert last(path)["progress"] == kept


@pytest.mark.parametrize(
    ("option", "given", "doubt"),
    [
        ("--status", "finishing", "no status is called 'finishing'; did you mean finished?"),
        ("--status", "Blokced", "no status is called 'Blokced'; did you mean blocked?"),
        ("--status", "waiting_for_lubit", ""),
        ("--status", "done", ""),
        ("--status", "in-progress", ""),
        ("--status", "In Progress", ""),
        ("--status", "in_progres", "no status is called 'in_progres'; did you mean in_progress?"),
        ("--status", "refactoring", ""),
        ("--status", "검토중", ""),
        *((("--progress", given, f"progress is a number from 0 to 100, not '{given}'")) for given in _NO_PER_CENT),
        *(("--progress", given, "") for given in ("0", "100", "0.8", "80%", " 80 %")),
    ],
)
def test_what_was_hardly_meant_is_written_and_doubted(
    collab: Collab, path: Path, option: str, given: str, doubt: str
) -> None:
    code, out, err = collab("emit", "status_update", "--agent", "sena", f"{option}={given}")
    assert (code, out) == (0, "")
    assert err == (f"collab-tui: written as it is, but {doubt}\n" if doubt else "")
    assert str(last(path)[option.removeprefix("--")]).casefold() == given.casefold()


def test_it_knows_the_words_for_a_status_without_reading_the_model() -> None:
    assert set(_STATUS_BY_FIRST_WORD) == emit.KNOWN_STATUSES


@pytest.mark.parametrize("event", ["blocker", "blocker_resolved"])
def test_a_blocker_event_has_one_blocker(collab: Collab, path: Path, event: str) -> None:
    assert collab("emit", event, "--agent", "sena", "--blocker", "no disk")[0] == 0
    assert last(path) == {"agent": "sena", "event": event, "blocker": "no disk"}


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("a=text", "text"),
        ("a=", ""),
        ("a=b=c", "b=c"),
        ("a=5", 5),
        ("a=true", True),
        ("a=null", None),
        ('a=["x", {"y": 1}]', ["x", {"y": 1}]),
        ('a="5"', "5"),
        ("a=NaN", "NaN"),
        ("a=-Infinity", "-Infinity"),
        ("a=[broken", "[broken"),
        ("a=" + "[" * 20_000, "[" * 20_000),
        ("a=" + "9" * 5_000, "9" * 5_000),
    ],
)
def test_field_values_are_json_where_they_are_json(collab: Collab, path: Path, given: str, value: object) -> None:
    assert collab("emit", "x", "--agent", "sena", "--field", given) == (0, "", "")
    assert last(path)["a"] == value


@pytest.mark.parametrize("bad", ["a", "=5", ""])
def test_a_field_needs_a_name_and_a_value(collab: Collab, path: Path, bad: str) -> None:
    code, out, err = collab("emit", "x", "--agent", "sena", "--field", bad)
    assert (code, out, err) == (2, "", f"collab-tui: --field {bad!r}: write it as key=value\n")
    assert not path.exists()


@pytest.mark.parametrize(
    ("field", "instead"),
    [
        ("agent=human", "give it as --agent NAME"),
        ("event=decision", "give it as EVENT, before the options"),
        ("id=5", "only an object on standard input may bring its own"),
        ("timestamp=yesterday", "only an object on standard input may bring its own"),
    ],
)
@pytest.mark.parametrize("stdin", [b"", b'{"event":"x"}'])
def test_what_has_an_option_of_its_own_is_no_field(
    collab: Collab, path: Path, field: str, instead: str, stdin: bytes
) -> None:
    code, out, err = collab("emit", *([] if stdin else ["x"]), "--agent", "sena", "--field", field, stdin=stdin)
    assert (code, out) == (2, "")
    assert err.startswith(f"collab-tui: --field cannot set {field.partition('=')[0]}: ")
    assert instead in err
    assert not path.exists()


def test_options_go_over_the_object_on_standard_input(collab: Collab, path: Path) -> None:
    given = {"event": "blocker", "id": "b1", "timestamp": "2026-01-05T08:00:00Z", "target": "lubit", "custom": 1}
    options = "--status blocked --task foo --target sena --blocker disk --field custom=2 --field other=[3]"
    assert collab("emit", "--agent", "sena", *options.split(), stdin=json.dumps(given)) == (0, "", "")
    assert events(path) == [
        {
            **given,
            "agent": "sena",
            "status": "blocked",
            "current_task": "foo",
            "target": "sena",
            "blocker": "disk",
            "custom": 2,
            "other": [3],
        }
    ]


@pytest.mark.parametrize(
    "bad", [{"id": 5}, {"id": ""}, {"id": None}, {"timestamp": "yesterday"}, {"timestamp": 1_760_000_000}], ids=str
)
def test_an_id_or_a_time_that_nobody_could_read_is_refused(collab: Collab, path: Path, bad: dict[str, object]) -> None:
    code, out, err = collab("emit", "--agent", "sena", stdin=json.dumps({"event": "x", **bad}))
    assert (code, out) == (2, "")
    assert err.startswith(f"collab-tui: the {next(iter(bad))} of an event is ")
    assert err.count("\n") == 1
    assert not path.exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_one_json_object_on_standard_input(collab: Collab, path: Path, encoding: str) -> None:
    event = {"event": "message", "target": "lubit", "message": "초안이 준비됐다", "custom": [1, 2]}
    given = json.dumps(event, ensure_ascii=False).encode(encoding)
    assert collab("emit", "--agent", "sena", stdin=given) == (0, "", "")
    assert last(path) == {"agent": "sena", **event}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (b"", "holds no JSON object"),
        (b"hello", "holds no JSON object"),
        (b'{"event":"x"} {"event":"y"}', "holds no JSON object"),
        (b"\xff\xfe\xfa", "holds no JSON object"),
        (b"[" * 50_000, "holds no JSON object"),
        (b"[1]", "not an object"),
        (b"{}", 'has no "event"'),
        (b'{"event":""}', 'has no "event"'),
        (b'{"event":"  "}', "Give the EVENT a name"),
        (b'{"event":{"a":1}}', "event is a name"),
        (b'{"event":"x","agent":5}', "agent is a name"),
        (b'{"event":"x","value":NaN}', "cannot be written as JSON"),
    ],
)
def test_anything_else_there_is_refused(collab: Collab, path: Path, given: bytes, why: str) -> None:
    code, out, err = collab("emit", *([] if b"agent" in given else ["--agent", "sena"]), stdin=given)
    assert (code, out) == (2, "")
    assert why in err
    assert err.count("\n") == 1
    assert not path.exists()


def test_an_event_without_a_name_is_refused(collab: Collab, path: Path) -> None:
    assert collab("emit", "", "--agent", "sena")[0] == 2
    assert not path.exists()


def test_who_writes(collab: Collab, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT", "from agent")
    assert collab("emit", "x")[0] == 0
    monkeypatch.setenv("COLLAB_AGENT", "from collab")
    assert collab("emit", "x")[0] == 0
    assert collab("emit", stdin='{"event":"x","agent":"from input"}')[0] == 0
    assert collab("emit", stdin='{"event":"x","agent":null}')[0] == 0
    assert collab("emit", "--agent", " from option ", stdin='{"event":"x","agent":"from input"}')[0] == 0
    assert [event["agent"] for event in events(path)] == [
        "from agent",
        "from collab",
        "from input",
        "from collab",
        "from option",
    ]


def test_nobody_writes_nothing(collab: Collab, path: Path) -> None:
    expected = (2, "", "collab-tui: who is writing? Give --agent NAME or set $COLLAB_AGENT\n")
    assert collab("emit", "x") == expected
    assert collab("emit", "x", "--agent", "  ") == expected
    assert not path.exists()


def test_what_could_steer_a_terminal_is_escaped(collab: Collab, path: Path) -> None:
    assert collab("emit", "message", "--agent", "sena", "--message", "\x1b[2J\u202e\u2028\x9b")[0] == 0
    assert b"\\u001b[2J\\u202e\\u2028\\u009b" in path.read_bytes()
    assert last(path)["message"] == "\x1b[2J\u202e\u2028\x9b"


def test_a_line_that_is_too_long_is_refused(collab: Collab, path: Path) -> None:
    code, _, err = collab("emit", "--agent", "sena", stdin=json.dumps({"event": "x", "text": "x" * (1 << 20)}))
    assert code == 2
    assert "a line may have 1,048,576" in err
    assert not path.exists()


def test_a_held_lock_means_try_again(collab: Collab, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setitem(append.__kwdefaults__, "timeout", 0.05)
    with open(f"{path}.lock", "w", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        code, out, err = collab("emit", "x", "--agent", "sena")
    assert (code, out) == (75, "")
    assert "is locked by another writer" in err
    assert err.endswith("try again\n")
    assert not path.exists()
    assert collab("emit", "x", "--agent", "sena")[0] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="limits are of Unix")
@pytest.mark.parametrize("room", [0, 30])
def test_a_full_disk_is_said_and_keeps_what_was_there(tmp_path: Path, room: int) -> None:
    path = tmp_path / "r.jsonl"
    before = b'{"agent":"lubit","event":"x","text":"' + b"x" * 5000 + b'"}\n'
    path.write_bytes(before)
    Path(f"{path}.lock").write_bytes(b" " * 63)
    limit = (
        "import os, resource, sys; size = int(sys.argv[1]);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)); os.execv(sys.argv[2], sys.argv[2:])"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            limit,
            str(len(before) + room),
            PROGRAM,
            *["emit", "x", "--agent", "sena", "--registry"],
            str(path),
        ],
        # The limit cuts off whatever the process writes: also the bytecode of a fresh checkout, for everybody after it.
        env=environment(tmp_path) | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
    )
    assert (done.returncode, done.stdout) == (74, b"")
    assert done.stderr.startswith(b"collab-tui: ")
    assert done.stderr.count(b"\n") == 1
    assert path.read_bytes().startswith(before)
    assert len(path.read_bytes()) == len(before) + room


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_registry_that_may_only_be_read(collab: Collab, path: Path) -> None:
    path.write_bytes(b"{}\n")
    path.chmod(0o400)
    code, _, err = collab("emit", "x", "--agent", "sena")
    assert code == 74
    assert "cannot open" in err


def test_what_cannot_be_appended_to(collab: Collab, tmp_path: Path) -> None:
    target = tmp_path / "target.jsonl"
    target.touch()
    (tmp_path / "link.jsonl").symlink_to(target)
    for place in (tmp_path, tmp_path / "link.jsonl", tmp_path / "no" / "folder.jsonl", target / "below.jsonl"):
        code, out, err = collab("emit", "x", "--agent", "sena", "--registry", str(place))
        assert (code, out) == (2, ""), err
        assert err.count("\n") == 1
    assert target.read_bytes() == b""


@pytest.mark.parametrize(
    ("given", "what"),
    [
        (("decision_request",), "request"),
        (("decision_request", "--field", "request= "), "request"),
        (("decision_request", "--field", "request=[]", "--field", "details=x"), "request"),
        (("decision", "--field", "request_id=r1"), "verdict=approved"),
        (("decision", "--field", "request_id=r1", "--field", "answer=null"), "verdict=approved"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_a_request_asks_and_a_decision_decides(collab: Collab, path: Path, given: tuple[str, ...], what: str) -> None:
    code, out, err = collab("emit", *given, "--agent", "sena")
    assert (code, out) == (2, "")
    assert f"a {given[0]} needs" in err
    assert what in err
    assert err.count("\n") == 1
    assert not path.exists()


@pytest.mark.parametrize(
    "given",
    [
        ("decision_request", "--field", "request=Well?"),
        ("decision_request", "--field", "request_type=approval of the plan"),
        ("decision", "--field", "answer=0"),
        ("decision", "--field", "verdict=approved"),
        ("validation_started",),
        ("세나",),
    ],
    ids=" ".join,
)
def test_whatever_else_is_written_without_a_word(collab: Collab, path: Path, given: tuple[str, ...]) -> None:
    assert collab("emit", *given, "--agent", "sena") == (0, "", "")
    assert last(path)["event"] == given[0]


@pytest.mark.parametrize(
    ("given", "meant"), [("decison", "decision"), ("Blocker", "blocker"), ("status-update", "status_update")]
)
def test_an_event_that_is_nearly_one_of_ours_is_written_and_doubted(
    collab: Collab, path: Path, given: str, meant: str
) -> None:
    code, out, err = collab("emit", given, "--agent", "sena")
    assert (code, out) == (0, "")
    assert last(path) == {"agent": "sena", "event": given}
    assert err.endswith(f"did you mean {meant}?\n")
    assert err.count("\n") == 1


def test_an_event_that_is_nearly_one_of_ours_cannot_steer_the_terminal(collab: Collab, path: Path) -> None:
    _, _, err = collab("emit", "decision\x1b", "--agent", "sena")
    assert "decision\\x1b" in err


def test_the_known_events_are_those_that_the_board_knows() -> None:
    assert set(_HANDLERS) | {"progress"} == emit.KNOWN_EVENTS
