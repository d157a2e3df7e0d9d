"""`collab-tui run` and `runs`, as processes of their own: the samples to their end, ended, killed, gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from collab_tui.model.fold import Fold
from collab_tui.model.requests import Request
from collab_tui.protocol.answers import answer
from collab_tui.protocol.trust import Trust
from collab_tui.registry.append import append
from collab_tui.registry.base import read_to_end
from collab_tui.registry.create import make_registry
from collab_tui.registry.jsonl import JsonlRegistry
from tests.cli.conftest import Collab
from tests.program import PROGRAM, environment, eventually, run, started
from tests.signing import install_key_at

SAMPLES = Path(__file__).parents[2] / "sample_state" / "pipelines"
WAITS = """\
import pathlib, sys, threading
pathlib.Path(sys.argv[1]).write_text("here", encoding="utf-8")
threading.Event().wait()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    make_registry(folder)
    return folder


def lines(project: Path) -> list[dict[str, Any]]:
    registry = project / ".collab" / "registry.jsonl"
    return [json.loads(line) for line in registry.read_bytes().split(b"\n")[:-1]]


def told(project: Path, *arguments: str, **more: str) -> tuple[int, str]:
    """Exit code, and what is printed; nothing is said on standard error."""
    done = run(*arguments, cwd=project, env=environment(project, **more))
    assert done.stderr == b"", done.stderr.decode()
    return done.returncode, done.stdout.decode()


def registry_of(project: Path) -> str:
    return str(project / ".collab" / "registry.jsonl")


def run_of(project: Path) -> str:
    return str(next(line["run"] for line in lines(project) if line["event"] == "run_started"))


def value(project: Path, key: str) -> str:
    code, text = told(project, "runs", run_of(project), "--value", key)
    assert code == 0
    return text


def is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def pipeline(project: Path, text: str, **scripts: str) -> str:
    """A pipeline file, with the scripts of its agents beside it."""
    for name, script in scripts.items():
        (project / f"{name}.py").write_text(script, encoding="utf-8")
    agents = "".join(
        f'[agent.{name}]\ncommand = ["{{python}}", "{{folder}}/{name}.py", "{{folder}}/{name}.here"]\n'
        f'[role.{name}]\nagent = "{name}"\n'
        for name in scripts
    )
    file = project / "pipeline.toml"
    file.write_text(f'goal = "go"\n{text}\n{agents}', encoding="utf-8")
    return str(file)


# The samples


@pytest.mark.parametrize("file", sorted(SAMPLES.glob("*.toml")), ids=lambda file: file.stem)
def test_each_sample_is_described_and_could_start(file: Path, collab: Collab) -> None:
    assert f"`pipelines/{file.name}`" in (SAMPLES.parent / "README.md").read_text(encoding="utf-8")
    assert collab("run", str(file), "--dry-run")[0] == 0


def test_the_team_of_four_builds_a_program_that_works_once_its_fault_is_found(project: Path) -> None:
    code, text = told(project, "run", str(SAMPLES / "four_roles.toml"), "--goal", "Count words and lines")
    assert code == 0, text
    assert "validator-1 sends it back: words(" in text or "validator-2 sends it back: words(" in text
    assert "round 2, executor-" in text
    assert "of work: speed-up " in text
    assert "is done, 8 of 8 tasks done" in text
    built = value(project, "tool")
    tried = subprocess.run([sys.executable, "-c", built], input="a  b\nç".encode(), capture_output=True, check=True)
    assert tried.stdout.decode().splitlines() == ["words: 3", "lines: 2"]
    assert "examples were tried with it, and hold" in value(project, "docs")


def test_what_the_team_cannot_build_fails_with_its_reason(project: Path) -> None:
    code, text = told(project, "run", str(SAMPLES / "four_roles.toml"), "--goal", "Count sheep")
    assert code == 1, text
    assert "the goal names none of these" in text
    assert f"collab-tui run --resume {run_of(project)}" in text


def test_eight_sub_tasks_are_counted_reviewed_and_added_up(project: Path) -> None:
    code, text = told(project, "run", str(SAMPLES / "fan_out.toml"), "--var", "below=20000")
    assert code == 0, text
    assert json.loads(value(project, "total")) == {"below": 20000, "primes": 2262, "parts": 8}
    reviewed = {line["task"] for line in lines(project) if line.get("state") == "reviewing"}
    assert reviewed == {f"plan/part-{number}" for number in range(1, 9)}


def test_refining_ends_where_it_is_good_enough_or_too_deep(project: Path) -> None:
    code, text = told(project, "run", str(SAMPLES / "refine.toml"))
    assert code == 0, text
    total = json.loads(value(project, "total"))
    assert total["area"] == pytest.approx(2 / 3, abs=1e-3)
    added = [task["key"] for line in lines(project) if line["event"] == "run_tasks" for task in line["tasks"]]
    assert max(key.count("/") for key in added) == 5
    assert total["pieces"] > 5


def test_after_a_kill_what_is_done_stays_done_and_the_rest_goes_on(project: Path) -> None:
    arguments = ("run", str(SAMPLES / "fan_out.toml"), "--var", "below=1000000")

    def done() -> set[str]:
        return {line["task"] for line in lines(project) if line.get("state") == "done"}

    with started(*arguments, cwd=project, env=environment(project)) as running:
        running.wait_for(lambda: any("part" in task for task in done()))
        running.process.kill()
        running.wait()
    before, position = done(), len(lines(project))
    assert "total" not in before
    code, text = told(project, "runs")
    assert (code, "its process is gone" in text, "collab-tui run --resume" in text) == (0, True, True)
    code, text = told(project, "run", "--resume", run_of(project)[:6])
    assert code == 0, text
    assert json.loads(value(project, "total"))["primes"] == 78498
    later = [line for line in lines(project)[position:] if line["event"] == "run_task"]
    assert before.isdisjoint(line["task"] for line in later)
    finished = [line["task"] for line in lines(project) if line.get("state") == "done" and "task" in line]
    assert len(finished) == len(set(finished)) == 10


# Ended


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_asked_to_end_it_leaves_nothing_running_and_says_how_to_go_on(project: Path, name: str) -> None:
    if sys.platform == "win32":
        pytest.skip("a process cannot be sent these there")
    file = pipeline(project, '[policy]\ngrace = "5s"\n[[task]]\nkey = "t"\nrole = "waits"\n', waits=WAITS)
    with started("run", file, cwd=project, env=environment(project)) as running:
        running.wait_for((project / "waits.here").exists)
        running.process.send_signal(getattr(signal, name))
        assert running.wait() == 130
        assert b"ending what runs, within 5 s" in running.errors
        assert f"collab-tui run --resume {run_of(project)}".encode() in running.output
    assert [line["state"] for line in lines(project) if line["event"] == "run_ended"] == ["cancelled"]
    assert "t" in {line.get("task") for line in lines(project) if line.get("state") == "cancelled"}


@pytest.mark.skipif(sys.platform == "win32", reason="what ignores a signal is of Unix")
def test_asked_twice_it_ends_at_once(project: Path) -> None:
    stubborn = f"import os, signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{WAITS}".replace(
        '"here"', "str(os.getpid())"
    )
    file = pipeline(project, '[policy]\ngrace = "10m"\n[[task]]\nkey = "t"\nrole = "waits"\n', waits=stubborn)
    with started("run", file, cwd=project, env=environment(project)) as running:
        running.wait_for(lambda: (project / "waits.here").exists() and (project / "waits.here").read_bytes())
        program = int((project / "waits.here").read_bytes())
        running.process.send_signal(signal.SIGINT)
        running.wait_for(lambda: b"once more ends it at once" in running.errors)
        running.process.send_signal(signal.SIGINT)
        assert running.wait() == 130
        assert f"collab-tui run --resume {run_of(project)}".encode() in running.errors
    eventually(lambda: not is_there(program))
    (project / "waits.py").write_text("print('there')", encoding="utf-8")
    code, text = told(project, "run", "--resume", run_of(project))
    assert code == 0, text
    assert value(project, "t") == "there\n"


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
    master, slave = os.openpty()
    with subprocess.Popen(
        [PROGRAM, "runs", run_of(project), "--value", "t"], cwd=project, env=environment(project), stdout=slave
    ) as shown:
        os.close(slave)
        said = b""
        with suppress(OSError):  # Linux says so at the end of a terminal
            while piece := os.read(master, 1 << 16):
                said += piece
    os.close(master)
    assert b"a" in said
    assert b"\x1b[31m" not in said
    assert shown.returncode == 0


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
    assert "cancelled: t failed\n" in said


def test_what_waits_for_the_person_is_told_and_goes_on_when_they_answer(project: Path) -> None:
    keyring = install_key_at(project)
    text = '[[task]]\nkey = "t"\nrole = "says"\ntitle = "Say it"\napproval = "person"\nexpires = "1h"\n'
    with started(
        "run", pipeline(project, text, says="print('said')"), cwd=project, env=environment(project)
    ) as running:
        running.wait_for(lambda: b"collab-tui decide" in running.output)
        assert b"waits for you, until 2" in running.output
        assert "Begin “Say it”? (run pipeline)".encode() in running.output
        registry, fold = JsonlRegistry(project / ".collab" / "registry.jsonl"), Fold()
        read_to_end(registry, fold)
        board = fold.board()
        (request,) = board.requests
        assert isinstance(request, Request)
        assert f"collab-tui decide {request.id[:8]} approve".encode() in running.output
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
    done = run("runs", run_of(project), "--value", "tt", cwd=project)
    assert (done.returncode, b"nothing stands under 'tt'; did you mean t?" in done.stderr) == (2, True)
    code, text = told(project, "runs", "--json")
    assert [(each["run"], each["state"]) for each in json.loads(text)] == [(run_of(project), "done")]


# Usage


def test_mistakes_are_all_told_and_nothing_starts(project: Path, collab: Collab) -> None:
    file = pipeline(project, '[[task]]\nkey = "t"\nrole = "syas"\n[[task]]\nkey = "t"\nneeds = ["x"]\n', says="")
    for more in ((), ("--dry-run",)):
        code, out, said = collab("run", file, *more, "--registry", registry_of(project))
        assert (code, out) == (2, "")
        problems = said.removeprefix("collab-tui: ").splitlines()
        assert len(problems) >= 3
        assert all(line.startswith(f"{file}:") for line in problems)
    assert [line["event"] for line in lines(project)] == ["registry_created"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "which pipeline?"),
        (("x", "--resume", "3f2a"), "give one of them"),
        (("--resume", "3f2a", "--goal", "x"), "a run keeps its own"),
        (("x.toml", "--var", "y"), "it takes NAME=VALUE"),
        (("x.toml", "--var", "y=1", "--var", "y=2"), "is given twice"),
        (("x.toml",), "there is no such file"),
        (("nothing",), "there is no pipeline 'nothing'"),
        (("--goal", "x"), 'which pipeline? `collab-tui run team --goal "..."`'),
    ],
)
def test_wrong_use_is_told(project: Path, collab: Collab, arguments: tuple[str, ...], told: str) -> None:
    code, _, said = collab("run", *arguments, "--registry", registry_of(project))
    assert (code, told in said) == (2, True)


def test_a_run_that_is_not_here_is_told_and_one_that_is_kept_elsewhere_as_such(project: Path, collab: Collab) -> None:
    registry = registry_of(project)
    for option in ("--resume", "--cancel"):
        code, _, said = collab("run", option, "3f2a", "--registry", registry)
        assert (code, "there is no run '3f2a'" in said) == (3, True)
    append(registry, {"agent": "run-x-3f2a", "event": "run_started", "run": "3f2a0000", "name": "x", "goal": "g"})
    code, _, said = collab("run", "--resume", "3f2a", "--registry", registry)
    assert (code, "the run '3f2a' is told of here, but kept elsewhere" in said) == (3, True)


def test_the_team_that_comes_along_has_a_goal_and_an_agent_of_ones_choice(project: Path, collab: Collab) -> None:
    registry = ("--registry", registry_of(project), "--dry-run", "--json")
    _, out, _ = collab("run", "team", "--goal", "Count words", "--var", "agent=codex", *registry)
    told = json.loads(out)
    assert (told["name"], told["goal"]) == ("team", "Count words")
    assert {role["agent"] for role in told["roles"]} == {"codex, a session"}
    assert {role["role"] for role in told["roles"]} == {"planner", "executor", "validator", "documenter"}
    code, _, said = collab("run", "team", "--goal", "x", "--var", "agent=My Agent", *registry)
    assert (code, "session: a session's agent has small letters" in said) == (2, True)


def test_a_goal_is_needed_to_start_but_not_to_look(project: Path, collab: Collab) -> None:
    file = Path(pipeline(project, '[[task]]\nkey = "t"\nrole = "says"\n', says="print(1)"))
    file.write_text(file.read_text(encoding="utf-8").replace('goal = "go"', ""), encoding="utf-8")
    assert collab("run", str(file), "--dry-run", "--registry", registry_of(project))[0] == 0
    code, _, said = collab("run", str(file), "--registry", registry_of(project))
    assert (code, 'give --goal "..."' in said) == (2, True)


def test_a_dry_run_fails_where_the_run_could_not_start(project: Path, collab: Collab) -> None:
    text = '[agent.no]\ncommand = ["no-such-program"]\n[role.no]\nagent = "no"\n[[task]]\nkey = "t"\nrole = "no"\n'
    code, out, _ = collab("run", pipeline(project, text), "--dry-run", "--registry", registry_of(project))
    assert (code, "there is no program no-such-program" in out) == (1, True)


def test_a_dry_run_needs_no_registry(tmp_path: Path, collab: Collab) -> None:
    code, out, _ = collab("run", str(SAMPLES / "fan_out.toml"), "--dry-run", "--json")
    assert (code, json.loads(out)["may_add_tasks"]) == (0, ["plan"])
    assert [path.name for path in tmp_path.rglob("*")] == ["project"]


def test_a_run_of_python_functions_is_gone_on_with_by_their_program_alone(project: Path) -> None:
    program = project / "team.py"
    program.write_text(
        "from collab_tui.orchestrator import Orchestrator, Pipeline, Task\n"
        "team = Orchestrator('.collab/registry.jsonl', {'worker': lambda: 1 / 0})\n"
        "team.run_all(Pipeline('trial', (Task('build', 'worker'),)), run_id='0a1b2c3d')\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, program], cwd=project, env=environment(project), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert "ZeroDivisionError: division by zero (team.py:2)" in told(project, "runs")[1]
    assert "resume it from that program" in told(project, "runs", "0a1b2c3d")[1]
    refused = run("run", "--resume", "0a1b2c3d", cwd=project, env=environment(project))
    assert (refused.returncode, b"resume it from that program" in refused.stderr) == (3, True)


def test_what_it_says_to_type_next_names_the_registry_that_was_given(project: Path, tmp_path: Path) -> None:
    given = ("--registry", str(project / ".collab" / "registry.jsonl"))
    text = '[policy]\non_error = "go on"\n[[task]]\nkey = "t"\nrole = "fails"\n[[task]]\nkey = "u"\nrole = "says"\n'
    file = pipeline(project, text, fails="import sys\nsys.exit(1)", says="print('said')")
    done = run("run", file, *given, cwd=tmp_path, env=environment(project))
    assert done.returncode == 1
    named = " ".join(given)
    assert f"--resume {run_of(project)} {named}` goes on with it" in done.stdout.decode()
    assert f"--value u {named}`" in done.stdout.decode()
    listed = run("runs", run_of(project), *given, cwd=tmp_path, env=environment(project))
    assert f"--resume {run_of(project)} {named}`" in listed.stdout.decode()


def test_a_dry_run_without_a_registry_says_what_makes_one(project: Path) -> None:
    file = pipeline(project, '[[task]]\nkey = "t"\nrole = "says"\n', says="print('said')")
    (project / ".collab" / "registry.jsonl").unlink()
    assert "`collab-tui init` makes one" in told(project, "run", file, "--dry-run")[1]
