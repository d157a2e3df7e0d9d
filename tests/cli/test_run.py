"""`collab-tui run`, as a process of its own: the samples to their end, ended, killed, gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from collab_tui.cli.running import Running
from collab_tui.config import Config
from collab_tui.model.fold import Fold
from collab_tui.registry.append import append
from collab_tui.registry.base import read_to_end
from collab_tui.registry.jsonl import JsonlRegistry
from tests.cli.conftest import Collab
from tests.cli.runs import WAITS, lines, pipeline, registry_of, run_of, told, value
from tests.program import PATIENCE, PROGRAM, environment, eventually, run, started

SAMPLES = Path(__file__).parents[2] / "sample_state" / "pipelines"


def is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


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


def test_of_a_run_whose_end_could_not_be_written_nothing_is_said_to_run(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    registry, told = JsonlRegistry(Path(registry_of(project))), {"agent": "lead", "run": "0a1b2c3d"}
    append(registry_of(project), {**told, "event": "run_started", "name": "n", "goal": "g"})
    append(registry_of(project), {**told, "event": "run_tasks", "tasks": [{"key": "t"}]})
    append(registry_of(project), {**told, "event": "run_task", "task": "t", "state": "running"})
    fold = Fold()
    read_to_end(registry, fold)
    (run_,) = fold.board().runs
    assert Running(registry.path, Config(), run_.id, None, as_json=False).over(run_) == 3
    shown = capsys.readouterr().out
    assert "was running when its process went, 0 of 1 tasks done" in shown
    assert "is running" not in shown
    assert Running(registry.path, Config(), run_.id, None, as_json=True).over(run_) == 3
    assert json.loads(capsys.readouterr().out)["state"] == "gone"


@pytest.mark.skipif(sys.platform == "win32", reason="pipes with names are of Unix")
@pytest.mark.parametrize(("says", "state", "code"), [("print('said')", "done", 0), ("1 / 0", "failed", 1)])
def test_a_run_of_which_nobody_reads_any_more_goes_on_and_its_code_tells_how_it_came_out(
    project: Path, says: str, state: str, code: int
) -> None:
    (project / ".collab" / "logs").symlink_to(project)  # which is complained of with every attempt
    os.mkfifo(project / "waits.here")
    may_go_on = os.open(project / "waits.here", os.O_RDWR)
    text = '[[task]]\nkey = "t"\nrole = "waits"\n[[task]]\nkey = "u"\nrole = "says"\nneeds = ["t"]\n'
    waits = "import sys\nopen(sys.argv[1], encoding='utf-8').readline()"
    file = pipeline(project, text, waits=waits, says=says)
    arguments = [PROGRAM, "run", file]
    with subprocess.Popen(
        arguments, cwd=project, env=environment(project), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline()
        running.stdout.close()
        os.write(may_go_on, b"now\n")
        assert running.wait(PATIENCE) == code
    os.close(may_go_on)
    assert [line["state"] for line in lines(project) if line["event"] == "run_ended"] == [state]
    assert "u" in {line.get("task") for line in lines(project) if line.get("state") == state}


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
