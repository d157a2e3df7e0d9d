"""`collab-tui ask`: real processes that wait for an answer, and how each wait ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from collab_tui.model.event import Event, decode
from collab_tui.protocol import following
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import append, encode
from tests.cli.conftest import Collab, events, last
from tests.program import PROGRAM, Running, environment, eventually, run, started
from tests.signing import OTHER_KEY, install_key_at, signed, state_at

unix = pytest.mark.skipif(os.name == "nt", reason="signals are of Unix")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A registry of a project; the person has a key."""
    install_key_at(tmp_path)
    path = tmp_path / "registry.jsonl"
    append(str(path), {"agent": "system", "event": "registry_created", "registry": "abc"})
    append(str(path), {"agent": "lubit", "event": "session_start"})
    return path


def command(path: Path, *options: str) -> list[str]:
    return ["ask", "Deploy to 5 %?", "--agent", "sena", "--registry", str(path), *options]


def requests(path: Path) -> list[dict[str, Any]]:
    return [event for event in events(path) if event["event"] == "decision_request"]


@contextmanager
def waiting(path: Path, *options: str) -> Iterator[tuple[Running, str]]:
    """A process that asked and waits, and the id of its request."""
    with started(*command(path, "--wait", *options), cwd=path.parent) as asker:
        asker.wait_for(lambda: b"\n" in asker.errors)
        yield asker, requests(path)[-1]["id"]


def decide(path: Path, request_id: str, by: str = "lubit", **fields: Any) -> None:
    append(str(path), {"agent": by, "event": "decision", "request_id": request_id, **fields})


def sign(path: Path, request_id: str, **fields: Any) -> None:
    append(str(path), in_the_persons_hand(path, request_id, **fields))


def in_the_persons_hand(path: Path, request_id: str, **fields: Any) -> dict[str, Any]:
    decision = {"id": "d1", "timestamp": datetime.now(UTC).isoformat(), "agent": "human", "event": "decision"}
    return signed(decision | {"request_id": request_id, **fields}, path.read_bytes())


def told(asker: Running) -> dict[str, Any]:
    """The one object that was printed."""
    (line,) = asker.lines()
    found: dict[str, Any] = json.loads(line)
    return found


@pytest.mark.parametrize(
    ("options", "answer", "code", "expected"),
    [
        ((), {"verdict": "approved"}, 0, {"verdict": "approved", "answer": None, "comment": None}),
        ((), {"verdict": "rejected", "comment": "금요일"}, 1, {"verdict": "rejected", "comment": "금요일"}),
        (("--option", "a", "--option", "b"), {"answer": "b"}, 0, {"verdict": None, "answer": "b", "kind": "choice"}),
        (("--kind", "question"), {"answer": "no"}, 0, {"verdict": None, "answer": "no", "kind": "question"}),
    ],
    ids=["approved", "rejected", "chosen", "answered"],
)
def test_an_answer_of_an_agent_ends_it(
    path: Path, options: tuple[str, ...], answer: dict[str, str], code: int, expected: dict[str, Any]
) -> None:
    with waiting(path, "--target", "lubit", *options) as (asker, request_id):
        assert asker.errors == f"collab-tui: asked lubit, waiting: {request_id}\n".encode()
        decide(path, request_id, **answer)
        assert asker.wait() == code
        found = told(asker)
        always = {"id": request_id, "state": "answered", "by": "lubit", "standing": None, "key": None}
        assert found | expected | always == found
        assert found["at"].endswith("Z")


def test_only_the_signed_word_of_the_person_ends_what_they_were_asked(path: Path) -> None:
    with waiting(path) as (asker, request_id):
        decide(path, request_id, "human", verdict="approved")
        decide(path, request_id, "lubit", verdict="approved")
        sign(path, request_id, verdict="rejected")
        assert asker.wait() == 1
        assert (told(asker)["by"], told(asker)["standing"], told(asker)["verdict"]) == ("human", "signed", "rejected")


@pytest.mark.parametrize("end", ["expired", "withdrawn", "truncated"])
def test_what_will_not_be_answered_any_more(path: Path, end: str) -> None:
    before = path.stat().st_size
    with waiting(path, *(("--expires", "1s") if end == "expired" else ())) as (asker, request_id):
        if end == "withdrawn":
            append(str(path), {"agent": "sena", "event": "request_withdrawn", "request_id": request_id})
        if end == "truncated":
            os.truncate(path, before)
        assert asker.wait() == 3
        if end == "truncated":
            assert asker.lines() == []
            assert f"the request {request_id} is not in {path}".encode() in asker.errors
        else:
            assert told(asker)["state"] == end
            assert f"the request {request_id} was not answered".encode() in asker.errors


def test_a_registry_that_vanishes_while_we_wait(collab: Collab, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LOST_AFTER", 0.2)

    def vanish() -> None:
        eventually(lambda: requests(path))
        path.unlink()

    vanishing = Thread(target=vanish)
    vanishing.start()
    code, out, err = collab(*command(path, "--wait"))
    vanishing.join()
    assert (code, out) == (3, "")
    assert f"{path}: it is gone" in err
    assert not path.exists()


def test_a_time_limit_leaves_it_open_and_its_key_finds_it_and_then_its_answer(path: Path) -> None:
    options = ("--wait", "--timeout", "0s", "--key", "deploy-5", "--target", "lubit")
    done = run(*command(path, *options), cwd=path.parent)
    (request,) = requests(path)
    assert done.returncode == 4
    assert (json.loads(done.stdout)["state"], json.loads(done.stdout)["key"]) == ("open", "deploy-5")
    again = f"asking again with --key 'deploy-5' finds it, and so does `collab-tui wait decision {request['id']}`"
    assert again in done.stderr.decode()
    done = run(*command(path, *options), cwd=path.parent)
    assert (done.returncode, len(requests(path))) == (4, 1)
    assert b"it was asked before" in done.stderr
    decide(path, request["id"], verdict="approved")
    done = run(*command(path, *options), cwd=path.parent)
    assert (done.returncode, json.loads(done.stdout)["id"]) == (0, request["id"])
    done = run(*command(path, *options), cwd=path.parent)
    assert (done.returncode, len(requests(path))) == (4, 2)  # the answer was taken: this is another question


@unix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "SIGTERM"])
def test_told_to_end_it_withdraws_what_it_asked(path: Path, number: int, code: int) -> None:
    with waiting(path, "--key", "k") as (asker, request_id):
        asker.process.send_signal(number)
        assert asker.wait() == code
        assert f"collab-tui: withdrawn: {request_id}\n".encode() in asker.errors
    assert last(path) == {
        "agent": "sena",
        "event": "request_withdrawn",
        "request_id": request_id,
        "reason": "interrupted",
    }


@unix
def test_told_to_end_it_leaves_open_what_another_process_asked(path: Path) -> None:
    with waiting(path, "--key", "k", "--target", "lubit") as (first, request_id):
        with waiting(path, "--key", "k", "--target", "lubit") as (second, found):
            assert found == request_id
            assert second.interrupt() == 130
            assert b"another process opened it" in second.errors
        decide(path, request_id, verdict="approved")
        assert first.wait() == 0


@unix
def test_killed_it_leaves_the_request_and_the_key_finds_it(path: Path) -> None:
    with waiting(path, "--key", "k", "--target", "lubit") as (asker, request_id):
        asker.process.kill()
        asker.wait()
    with waiting(path, "--key", "k", "--target", "lubit") as (asker, found):
        assert found == request_id
        decide(path, request_id, verdict="approved")
        assert asker.wait() == 0
    assert len(requests(path)) == 1


@unix
def test_a_full_disk_while_asking(path: Path) -> None:
    before = path.read_bytes()
    blocks = 'ulimit -f 0; exec "$0" "$@"'
    done = subprocess.run(
        ["sh", "-c", blocks, PROGRAM, *command(path, "--wait", "--key", "k")],
        cwd=path.parent,
        env=environment(path.parent),
        capture_output=True,
    )
    assert (done.returncode, done.stdout) == (74, b"")
    assert b"nothing was written" in done.stderr
    assert path.read_bytes() == before


def test_two_persons_answer_at_once_and_the_second_is_told(path: Path) -> None:
    done = run(*command(path, "--target", "lubit"), cwd=path.parent)
    request_id = done.stdout.decode().strip()
    with (
        started("decide", request_id, "approve", "--agent", "lubit", "--registry", str(path), cwd=path.parent) as one,
        started("decide", request_id, "reject", "--agent", "gitcode", "--registry", str(path), cwd=path.parent) as two,
    ):
        codes = [one.wait(), two.wait()]
        assert sorted(codes) == [0, 1]
        loser = one if codes[0] else two
        assert b"is closed: answered by" in loser.errors or b"answered it meanwhile" in loser.errors
    assert len([event for event in events(path) if event["event"] == "decision"]) == 1


def test_without_wait_the_id_is_printed_and_everything_is_recorded(
    collab: Collab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "here"
    (project / ".collab").mkdir(parents=True)
    (project / "docs").mkdir()
    (project / "docs" / "metrics.md").write_text("secret words", encoding="utf-8")
    (tmp_path / "outside.log").touch()
    path = project / ".collab" / "registry.jsonl"
    append(str(path), {"agent": "lubit", "event": "session_start"})
    monkeypatch.chdir(project / "docs")
    monkeypatch.setenv("COLLAB_AGENT", "sena")
    code, out, err = collab(
        *("ask", "Which first?", "--option", "a", "--option", "b", "--default", "a", "--target", "lubit"),
        *("--details", "as below", "--urgency", "high", "--deadline", "10m", "--expires", "2030-01-31T18:00:00+09:00"),
        *("--evidence", "metrics.md", "--evidence", str(tmp_path / "outside.log"), "--key", "first"),
    )
    written = events(path)[-1]
    assert (code, out, err) == (0, f"{written['id']}\n", "")
    wanted = datetime.now(UTC) + timedelta(minutes=10)
    assert abs(datetime.fromisoformat(written.pop("deadline")) - wanted) < timedelta(minutes=1)
    assert last(path) | {"deadline": None} == {
        "agent": "sena",
        "event": "decision_request",
        "request": "Which first?",
        "options": ["a", "b"],
        "default": "a",
        "target": "lubit",
        "details": "as below",
        "evidence": ["docs/metrics.md", (tmp_path / "outside.log").resolve().as_posix()],
        "urgency": "high",
        "deadline": None,
        "expires": "2030-01-31T09:00:00.000Z",
        "key": "first",
    }
    assert b"secret words" not in path.read_bytes()
    assert collab("ask", "Another?", "--key", "first")[0] == 2
    assert collab("status")[0] == 0


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--timeout", "5m"), "--timeout is for --wait"),
        (("--kind", "choice"), "a choice needs its options"),
        (("--option", "a", "--default", "b"), "--default 'b' is none of the options"),
        (("--deadline", "tomorrow"), "'tomorrow': it takes a time"),
        (("--deadline", "2030-01-31T18:00:00"), "with its zone"),
        (("--wait", "--timeout", "soon"), "'soon': it takes a time"),
        (("--evidence", "none.md"), "--evidence none.md: there is no such file"),
        (("--key", " "), "a key is a name"),
        (("--target", "Sena"), "nobody answers their own request"),
        (("--target", ""), "--target needs a name"),
        (("--target", "  "), "--target needs a name"),
        (("--option", "a", "--option", " "), "--option needs words"),
        (("--option", "a", "--option", "A "), "an --option is given twice"),
        (("--option", "a", "--kind", "approval"), "--option makes it a choice, and --kind says approval"),
        (("--option", "a", "--kind", "question"), "--option makes it a choice, and --kind says question"),
        (("--expires", "2025-01-01T00:00:00Z"), "--expires 2025-01-01T00:00:00.000Z is past: nobody could answer"),
        (("--wait", "--timeout", "-5s"), "one that begins with - is given as --OPTION=VALUE"),
        (("--wait", "--timeout=-5s"), "a time is not negative; 0s looks once"),
        (("--wait", "--timeout", "-1"), "a time is not negative; 0s looks once"),
    ],
    ids=str,
)
def test_what_is_refused_writes_nothing(collab: Collab, path: Path, options: tuple[str, ...], why: str) -> None:
    before = path.read_bytes()
    code, out, err = collab(*command(path, *options))
    assert (code, out) == (2, "")
    assert why in err
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["human", "Human", "mina", "boss"])
def test_nobody_asks_in_the_name_of_somebody_who_decides(collab: Collab, path: Path, tmp_path: Path, name: str) -> None:
    config = tmp_path / "user-config" / "config.toml"
    config.parent.mkdir(exist_ok=True)
    config.write_text(f'person = "mina"\n[approvers]\nboss = "{OTHER_KEY.public.text}"\n', encoding="utf-8")
    before = path.read_bytes()
    code, out, err = collab("ask", "GO?", "--agent", name, "--registry", str(path))
    assert (code, out) == (2, "")
    assert err.endswith(f"{name} is a person here: an agent asks under a name of its own\n")
    assert path.read_bytes() == before


def test_whom_nobody_has_heard_of_is_asked_and_warned_of(collab: Collab, path: Path) -> None:
    code, out, err = collab(*command(path, "--target", "lubitt"))
    assert (code, out.strip()) == (0, requests(path)[-1]["id"])
    assert err.startswith("collab-tui: nobody has written as 'lubitt' yet; did you mean lubit?")
    assert collab(*command(path, "--target", "user"))[2] == ""


def test_there_has_to_be_a_registry(collab: Collab, tmp_path: Path) -> None:
    code, _, err = collab(*command(tmp_path / "none.jsonl"))
    assert (code, (tmp_path / "none.jsonl").exists()) == (2, False)
    assert "collab-tui init" in err


# An answer that the person signed is taken once, and not before it left this process.

KEYED = ("--key", "d", "--wait", "--timeout", "0s")


@pytest.fixture
def answered(path: Path) -> str:
    """The id of a request with a key, which the person approved meanwhile."""
    assert run(*command(path, *KEYED), cwd=path.parent).returncode == 4
    (request,) = requests(path)
    sign(path, request["id"], verdict="approved")
    return str(request["id"])


def takes_it_once(path: Path, request_id: str) -> None:
    """Asked again it is there, and then it is another question."""
    done = run(*command(path, *KEYED), cwd=path.parent)
    assert (done.returncode, json.loads(done.stdout)["id"]) == (0, request_id)
    assert json.loads(done.stdout)["verdict"] == "approved"
    assert run(*command(path, *KEYED), cwd=path.parent).returncode == 4
    assert len(requests(path)) == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_an_answer_that_does_not_fit_is_not_lost(path: Path, answered: str) -> None:
    with open("/dev/full", "wb") as full:
        done = run(*command(path, *KEYED), cwd=path.parent, stdout=full.fileno())
    assert done.returncode == 74
    takes_it_once(path, answered)


@unix
def test_an_answer_that_nobody_reads_is_not_lost_and_no_leave(path: Path, answered: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = run(*command(path, *KEYED), cwd=path.parent, stdout=writing)
    os.close(writing)
    assert done.returncode == 74
    assert b"nobody read the answer; it is there still: run it again" in done.stderr
    takes_it_once(path, answered)


@unix
def test_killed_while_it_prints_the_answer_it_takes_nothing(path: Path, answered: str) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writing, bytes(1 << 16))
    os.set_blocking(writing, True)
    places = state_at(path.parent) / "delivering"
    asker = subprocess.Popen(
        [PROGRAM, *command(path, *KEYED)], cwd=path.parent, env=environment(path.parent), stdout=writing
    )
    try:
        eventually(lambda: list(places.glob("*.lock")))
    finally:
        asker.kill()
        asker.wait()
        os.close(reading)
        os.close(writing)
    takes_it_once(path, answered)
    assert list(places.iterdir()) == []


@unix
def test_told_to_end_before_it_printed_the_answer_its_advice_leads_to_it(path: Path) -> None:
    with waiting(path, "--key", "d") as (asker, request_id):
        decision = in_the_persons_hand(path, request_id, verdict="approved")
        (line,) = decode(encode(decision), 0)
        assert isinstance(line, Event)
        other = UsedDecisions(state_at(path.parent)).reserve(line, "sena")  # so that it cannot go on
        assert other is not None
        with other:
            append(str(path), decision)
            asker.process.send_signal(signal.SIGTERM)
            assert asker.wait() == 143
        advice = f"the request {request_id} was closed meanwhile: `collab-tui wait decision {request_id}`"
        assert advice.encode() in asker.errors
        assert asker.lines() == []
    done = run("wait", "decision", request_id, "--registry", str(path), cwd=path.parent)
    assert (done.returncode, json.loads(done.stdout)["verdict"]) == (0, "approved")


def test_of_two_processes_that_wait_one_takes_the_answer_and_the_other_is_told(path: Path) -> None:
    with waiting(path, "--key", "d") as (one, request_id), waiting(path, "--key", "d") as (two, _):
        sign(path, request_id, verdict="approved")
        codes = [one.wait(), two.wait()]
        assert sorted(codes) == [0, 3]
        first, second = (one, two) if codes[0] == 0 else (two, one)
        assert (told(first)["state"], told(first)["verdict"]) == ("answered", "approved")
        assert (told(second)["id"], told(second)["state"], told(second)["verdict"]) == (request_id, "taken", None)
        assert b"was taken before, by another process of sena; that one acts on it" in second.errors


@unix
def test_a_terminal_that_is_closed_withdraws_the_request_and_nohup_keeps_it(path: Path) -> None:
    with waiting(path) as (asker, request_id):
        asker.process.send_signal(signal.SIGHUP)
        assert asker.wait() == 129
    assert (last(path)["event"], last(path)["request_id"]) == ("request_withdrawn", request_id)
    genuine = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # which a child inherits
    try:
        with waiting(path, "--target", "lubit") as (asker, request_id):
            asker.process.send_signal(signal.SIGHUP)
            decide(path, request_id, verdict="approved")
            assert asker.wait() == 0
    finally:
        signal.signal(signal.SIGHUP, genuine)


def test_who_answered_in_place_of_who_was_asked_is_told(path: Path) -> None:
    with waiting(path, "--target", "lubit") as (asker, request_id):
        decide(path, request_id, "gitcode", verdict="approved")
        assert asker.wait() == 0
        assert b"collab-tui: lubit was asked, and gitcode answered\n" in asker.errors


def test_a_name_of_its_own_that_is_nearly_another_is_doubted(collab: Collab, path: Path) -> None:
    append(str(path), {"agent": "sena", "event": "session_start"})
    err = collab("ask", "go?", "--agent", "seni", "--registry", str(path))[2]
    assert err == "collab-tui: there was no agent seni before; did you mean sena?\n"
    assert collab("ask", "go?", "--agent", "maestro", "--registry", str(path))[2] == ""


def test_a_deadline_that_is_past_is_doubted(collab: Collab, path: Path) -> None:
    code, _, err = collab(*command(path, "--deadline", "2025-01-01T00:00:00Z"))
    assert (code, err) == (0, "collab-tui: --deadline 2025-01-01T00:00:00.000Z is past: it is overdue at once\n")


def test_neither_the_monitor_nor_whoever_made_the_registry_is_offered(collab: Collab, path: Path) -> None:
    append(str(path), {"agent": "monitor", "event": "activation", "rule": "x"})
    err = collab(*command(path, "--target", "zzz"))[2]
    assert err == "collab-tui: nobody has written as 'zzz' yet; there is lubit\n"
