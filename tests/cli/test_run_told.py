"""What `collab-tui run` and `runs` say: of failures, of what others write, of what waits for the person."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from collab_tui.cli.run_lines import summary_lines
from collab_tui.model.fold import Fold
from collab_tui.model.glyphs import ASCII
from collab_tui.model.requests import Request
from collab_tui.model.run_timing import Timing
from collab_tui.protocol.answers import answer
from collab_tui.protocol.trust import Trust
from collab_tui.registry.append import append
from collab_tui.registry.base import read_to_end
from collab_tui.registry.jsonl import JsonlRegistry
from tests.cli.conftest import Collab
from tests.cli.runs import WAITS, lines, on_terminal, pipeline, registry_of, run_of, told, value
from tests.program import environment, run, started
from tests.signing import install_key_at

# What others write


def test_lines_that_others_write_end_no_run_and_give_no_result(project: Path) -> None:
    text = '[[task]]\nkey = "t"\nrole = "says"\n[[task]]\nkey = "u"\nrole = "waits"\nneeds = ["t"]\n'
    file = pipeline(project, text, says="print('ours\\x1b[2J')", waits=WAITS)
    with started("run", file, cwd=project, env=environment(project)) as running:
        running.wait_for((project / "waits.here").exists)
        first = next(line for line in lines(project) if line["event"] == "run_started")
        forged = {"agent": first["agent"], "run": first["run"]}
        append(registry_of(project), {**forged, "event": "run_value", "key": "t", "revision": 2, "value": "theirs"})
        append(registry_of(project), {**forged, "event": "run_resumed", "carrier": "ffffffffffff", "host": "nowhere"})
        append(registry_of(project), {**forged, "event": "run_ended", "state": "done"})
        code, listed = told(project, "runs", "--json")
        assert [(each["state"], each["watched_by"]) for each in json.loads(listed)] == [("running", "process")]
        assert value(project, "t") == "ours\x1b[2J\n", "whole, as it was given: nothing shows it here"
        running.process.kill()
        running.wait()
        assert b"is done" not in running.output
    code, text = told(project, "runs")
    assert (code, f"{run_of(project)}  gone" in text, "its process is gone" in text) == (0, True, True)
    append(registry_of(project), {**forged, "event": "status_update", "status": "in_progress"})
    agents = json.loads(told(project, "status", "--json")[1])["agents"]
    assert {each["name"] for each in agents if each["gone"]} >= {first["agent"], *first["pools"][0]["seats"]}
    assert " working " not in told(project, "status")[1]
    code, text = told(project, "runs", run_of(project))
    assert (code, "was running when its process went, 1 of 2 tasks done" in text) == (0, True)
    assert "was running" in next(line for line in text.splitlines() if " u " in line)
    copied = project.parent / "copy.jsonl"
    copied.write_bytes(Path(registry_of(project)).read_bytes())
    found = run("runs", run_of(project), "--value", "t", "--registry", str(copied), cwd=project)
    assert (found.returncode, found.stdout, b"nothing proves" in found.stderr) == (1, b"theirs\n", True)


@pytest.mark.skipif(os.name == "nt", reason="needs a terminal that a program can make, as only Unix has")
def test_a_value_steers_no_terminal(project: Path) -> None:
    large = "print('a' + '\\x1b[31m' * 30_000 + 'b')"
    assert told(project, "run", pipeline(project, '[[task]]\nkey = "t"\nrole = "says"\n', says=large))[0] == 0
    said = on_terminal(project, "runs", run_of(project), "--value", "t")
    assert b"a" in said
    assert b"\x1b[31m" not in said


def test_a_run_that_is_done_is_not_gone_on_with(project: Path) -> None:
    assert told(project, "run", pipeline(project, '[[task]]\nkey = "t"\nrole = "says"\n', says="print(1)"))[0] == 0
    before = lines(project)
    code, text = told(project, "run", "--resume", run_of(project))
    assert (code, "is done, 1 of 1 tasks done" in text) == (0, True)
    assert lines(project) == before


def test_who_comes_second_to_resume_a_run_tells_nothing_of_it(project: Path) -> None:
    file = pipeline(project, '[[task]]\nkey = "u"\nrole = "waits"\n', waits=WAITS)
    with started("run", file, cwd=project, env=environment(project)) as running:
        running.wait_for((project / "waits.here").exists)
        second = run("run", "--resume", run_of(project), cwd=project, env=environment(project))
        assert (second.returncode, second.stdout) == (3, b"")
        assert b"goes on already, in process" in second.stderr


# What it says

AFTER: Final = {"t": [], "u": ["t"], "v": ["t"]}


def test_a_failure_is_told_with_its_error_and_what_it_keeps_from_going_on(project: Path) -> None:
    text = '[policy]\non_error = "go on"\nretries = 1\n[[task]]\nkey = "t"\nrole = "fails"\nbackoff = "0s"\n'
    text += '[[task]]\nkey = "u"\nrole = "fails"\nneeds = ["t"]\n'
    code, said = told(project, "run", pipeline(project, text, fails="import sys\nsys.exit('no disk left')"))
    assert code == 1
    assert said.count("no disk left") == 3, "as it is tried again, as it fails, and in the summary"
    assert "skipped" in said
    assert " failed, 0 of 2 tasks done" in said


def test_an_error_stands_where_it_came_up_and_once_in_the_summary_not_with_all_that_it_ended(project: Path) -> None:
    text = "".join(f'[[task]]\nkey = "{key}"\nrole = "fails"\nneeds = {needs}\n' for key, needs in AFTER.items())
    _, said = told(project, "run", pipeline(project, text, fails="import sys\nsys.exit('no disk left')"))
    assert said.count("no disk left") == 2
    log = re.search(r"output: (logs/runs/.+\.log) beside the registry\n", said)
    assert log is not None
    assert "no disk left" in (project / ".collab" / log[1]).read_text(encoding="utf-8")
    assert "cancelled: t failed\n" in said


def test_what_waits_for_the_person_is_told_and_goes_on_when_they_answer(project: Path) -> None:
    keyring = install_key_at(project)
    text = '[[task]]\nkey = "t"\nrole = "says"\ntitle = "Say it"\napproval = "person"\nexpires = "1h"\n'
    file, given = pipeline(project, text, says="print('said')"), ("--registry", registry_of(project))
    with started("run", file, *given, cwd=project, env=environment(project)) as running:
        running.wait_for(lambda: b"collab-tui decide" in running.output)
        assert b"waits for you, until 2" in running.output
        assert "Begin “Say it”? (run pipeline)".encode() in running.output
        registry, fold = JsonlRegistry(project / ".collab" / "registry.jsonl"), Fold()
        read_to_end(registry, fold)
        board = fold.board()
        (request,) = board.requests
        assert isinstance(request, Request)
        assert f"collab-tui decide {request.id[:8]} approve {' '.join(given)} (or reject)".encode() in running.output
        answer(
            registry,
            request,
            "human",
            "approved",
            known=board.position,
            person="human",
            clock=lambda: datetime.now(UTC),
            trust=Trust("human", keyring=keyring),
        )
        assert running.wait() == 0, running.errors
        assert b"you said yes: it may start" in running.output
    assert value(project, "t") == "said\n"


def test_what_never_began_is_told_in_one_line(project: Path) -> None:
    tasks = "".join(f'[[task]]\nkey = "t{n}"\nrole = "fails"\nneeds = ["t"]\n' for n in range(300))
    text = f'[[task]]\nkey = "t"\nrole = "fails"\n{tasks}'
    code, said = told(project, "run", pipeline(project, text, fails="raise SystemExit('no')"))
    assert (code, "300 tasks cancelled" in said) == (1, True)
    assert len(said.splitlines()) < 20
    text = "".join(f'[[task]]\nkey = "t{n}"\nrole = "says"\ngives = "k{n % 7}"\n' for n in range(7))
    (project / ".collab" / "registry.jsonl").write_bytes(b"")
    code, said = told(project, "run", pipeline(project, text, says="print(1)"))
    assert (code, "results: `collab-tui runs" in said, "and 1 more" in said) == (0, True, True)


def test_every_console_can_show_it(project: Path) -> None:
    text = '[[task]]\nkey = "t"\nrole = "fails"\ntitle = "배포 ✔ — 日本語 👍"\n'
    file = pipeline(project, text, fails="import sys\nsys.stderr.buffer.write('끝 👍 \\x1b[2J'.encode()); sys.exit(3)")
    cp949, ascii_only = {"PYTHONIOENCODING": "cp949"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for console, arguments, code in (
        (ascii_only, ("run", file, "--dry-run"), 0),
        (cp949, ("run", file), 1),
        (ascii_only, ("runs",), 0),
    ):
        done = run(*arguments, cwd=project, env=environment(project, **console))
        assert (done.returncode, done.stderr) == (code, b"")
        assert b"\x1b" not in done.stdout
    for console in (cp949, ascii_only):
        done = run("runs", run_of(project), cwd=project, env=environment(project, **console))
        assert (done.returncode, done.stderr) == (0, b"")


def test_as_json_each_change_is_an_object_and_the_last_one_has_all(project: Path) -> None:
    file = pipeline(project, '[[task]]\nkey = "t"\nrole = "says"\n', says="print('said')")
    code, text = told(project, "run", file, "--json")
    assert code == 0
    began, *changes, last = map(json.loads, text.splitlines())
    assert (began["run"], began["state"]) == (run_of(project), "running")
    assert [(change["task"], change["state"]) for change in changes] == [("t", "running"), ("t", "done")]
    assert (last["state"], last["tasks"][0]["state"], last["timing"]["seats"]) == ("done", "done", 1)
    assert last["pools"][0]["agent"].endswith(f" {project / 'says.py'} {project / 'says.here'}"), "whole"
    done = run("runs", run_of(project), "--value", "tt", cwd=project)
    assert (done.returncode, b"nothing stands under 'tt'; did you mean t?" in done.stderr) == (2, True)
    code, text = told(project, "runs", "--json")
    assert [(each["run"], each["state"]) for each in json.loads(text)] == [(run_of(project), "done")]


@pytest.mark.skipif(os.name == "nt", reason="needs a terminal that a program can make, as only Unix has")
def test_on_a_narrow_terminal_each_run_is_one_line(project: Path) -> None:
    told = {"agent": "run-x-3f2a", "run": "3f2a0000", "name": "a rather long name", "goal": "g"}
    append(registry_of(project), {**told, "event": "run_started"})
    append(registry_of(project), {**told, "event": "run_ended", "state": "failed", "reason": "two\nlines"})
    for columns in (40, 43, 60, 80):
        (line,) = on_terminal(project, "runs", COLUMNS=str(columns)).decode().splitlines()
        assert line.startswith("3f2a0000  failed")
        assert len(line) <= columns


def test_a_key_stands_whole_and_a_goal_of_a_thousand_words_takes_a_line_of_the_list(
    project: Path, collab: Collab
) -> None:
    key, given = "with-a-long-name-" * 2 + "that-is-whole", ("--registry", registry_of(project))
    for run_id in ("aaaa0000", "bbbb0000"):
        told = {"agent": "run-x", "run": run_id}
        append(registry_of(project), {**told, "event": "run_started", "name": "x", "goal": "word " * 1000})
        append(registry_of(project), {**told, "event": "run_tasks", "tasks": [{"key": key, "role": "r"}]})
        append(registry_of(project), {**told, "event": "run_value", "key": key, "revision": 1, "value": "v"})
        append(registry_of(project), {**told, "event": "run_ended", "state": "failed", "reason": "why " * 1000})
    assert collab("runs", "aaaa", *given)[1].count(f" {key}\n") == 2
    assert max(map(len, collab("runs", *given)[1].splitlines())) <= 200
    assert "there is no run 'zz'; the latest are bbbb0000, aaaa0000\n" in collab("runs", "zz", *given)[2]


def test_what_is_to_be_accepted_can_be_read_before(project: Path, collab: Collab) -> None:
    told = {"agent": "run-x-3f2a", "run": "3f2a0000"}
    append(registry_of(project), {**told, "event": "run_started", "name": "x", "goal": "g"})
    append(registry_of(project), {**told, "event": "run_tasks", "tasks": [{"key": "t", "role": "r"}]})
    work = {"task": "t", "attempt": 1, "work": "work", "round": 1, "event": "run_task"}
    append(registry_of(project), {**told, **work, "state": "running"})
    append(registry_of(project), {**told, **work, "state": "worked", "key": "t", "value": "the draft"})
    _, out, said = collab("runs", "3f2a", "--value", "t", "--registry", registry_of(project))
    assert (out, "it is not accepted yet: t gave it last" in said) == ("the draft\n", True)


def test_a_file_that_is_no_registry_is_told_as_such(project: Path, collab: Collab) -> None:
    (project / "notes.txt").write_text("hello\nthere\n", encoding="utf-8")
    code, out, said = collab("runs", "--registry", str(project / "notes.txt"))
    assert (code, out, "notes.txt is no registry" in said) == (2, "", True)


def test_it_tells_on_which_branch_work_stands(project: Path, collab: Collab) -> None:
    told = {"agent": "run-x-3f2a", "run": "3f2a0000"}
    append(registry_of(project), {**told, "event": "run_started", "name": "x", "goal": "g"})
    append(registry_of(project), {**told, "event": "run_tasks", "tasks": [{"key": "t", "role": "r"}]})
    work = {"task": "t", "attempt": 1, "work": "work", "round": 1}
    append(registry_of(project), {**told, **work, "event": "run_task", "state": "running"})
    append(registry_of(project), {**told, **work, "event": "run_task", "state": "done", "branch": "collab/run-x/t"})
    assert "  on collab/run-x/t\n" in collab("runs", "3f2a", "--registry", registry_of(project))[1]


def test_a_run_that_only_waited_is_told_of_in_a_whole_sentence() -> None:
    waited = Timing(1.0, 60.0, 0.0, None, None, (), 0.0, None, 0)
    assert list(summary_lines(waited, ASCII)) == ["took 1.0 s, beside 60 s in which it waited for you alone"]
    (told, *_) = summary_lines(replace(waited, work=2.0), ASCII)
    assert told.endswith("in which it waited for you alone, for 2.0 s of work")
