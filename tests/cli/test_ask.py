"""`collab-tui ask`: real processes that wait for an answer, and how each wait ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from collab_tui.protocol import following
from collab_tui.registry.append import append
from tests.cli.conftest import Collab, events, last
from tests.program import PROGRAM, Running, environment, eventually, run, started
from tests.signing import install_key_at, signed

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
    decision = {"id": "d1", "timestamp": datetime.now(UTC).isoformat(), "agent": "human", "event": "decision"}
    append(str(path), signed(decision | {"request_id": request_id, **fields}, path.read_bytes()))


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
    ],
    ids=str,
)
def test_what_is_refused_writes_nothing(collab: Collab, path: Path, options: tuple[str, ...], why: str) -> None:
    before = path.read_bytes()
    code, out, err = collab(*command(path, *options))
    assert (code, out) == (2, "")
    assert why in err
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
