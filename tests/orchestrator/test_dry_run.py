"""What a dry run tells: the order, who works where, limits, what the person is asked, what is open."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from rich.cells import cell_len

from collab_tui.model.glyphs import ASCII, UNICODE
from collab_tui.orchestrator.dry_run import DryRun, lines_of, looked_at
from collab_tui.orchestrator.pipeline_file import read_pipeline
from collab_tui.orchestrator.pipelines import BUILT_IN, find_pipeline, pipelines
from collab_tui.orchestrator.plan import PipelineError

TEXT = """\
goal = "ship it"
[policy]
retries = 1
timeout = "1h30m"
[agent.script]
command = ["{python}", "{folder}/work.py"]
[agent.gone]
command = ["no-such-program-anywhere"]
[agent.model]
session = "nobody"
[role.planner]
agent = "script"
may_add = true
timeout = "10m"
[role.executor]
agent = "gone"
size = 2
timeout = "20m"
[role.validator]
agent = "model"
timeout = "90s"
[[task]]
key = "plan"
role = "planner"
title = "plan it"
[[task]]
key = "build"
role = "executor"
needs = ["plan", "plan/*"]
review = "validator"
rounds = 1
[[task]]
key = "look"
role = "validator"
needs = ["plan"]
timeout = "30s"
[[task]]
key = "go"
needs = ["build", "look"]
approval = "person"
expires = "1h"
"""


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings and no state from around the tests."""
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(tmp_path / "user-config"))
    monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, **__: str(tmp_path / "user-state"))


async def looked(folder: Path, text: str = TEXT) -> DryRun:
    file = folder / "p.toml"
    file.write_text(text, encoding="utf-8")
    return await looked_at(folder / ".collab" / "registry.jsonl", read_pipeline(file), os.environ)


async def test_tasks_stand_in_the_step_in_which_they_can_begin(tmp_path: Path) -> None:
    told = await looked(tmp_path)
    steps = {task["task"]: task["step"] for task in told.document()["tasks"]}
    assert steps == {"plan": 1, "build": 2, "look": 2, "go": 3}
    text = "\n".join(lines_of(told, 120, UNICODE))
    assert text.index("step 1") < text.index("  plan") < text.index("step 2") < text.index("  build")


async def test_the_longest_chain_goes_by_time_limits_where_every_task_has_one(tmp_path: Path) -> None:
    told = await looked(tmp_path)
    review = 90.0
    assert told.critical_path == (("plan", "build"), 600.0 + 1200.0 + review)
    assert told.document()["critical_path"]["by"] == "timeouts"
    text = "\n".join(lines_of(told, 120, UNICODE))
    assert "  plan → build\n" in text
    assert "at most 31 min 30 s by their time limits" in text
    by_number = await looked(tmp_path, TEXT.replace('timeout = "20m"', ""))
    assert by_number.critical_path[1] == 3
    assert "by their number, as not every task has a time limit" in "\n".join(lines_of(by_number, 120, UNICODE))


async def test_many_tasks_cost_what_each_costs_and_of_a_long_chain_the_middle_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adders, asked = vars(DryRun)["adders"].fget, list[DryRun]()
    monkeypatch.setattr(DryRun, "adders", property(lambda run: asked.append(run) or adders(run)))
    needs = [f'needs = ["t{number - 1}"]' if number else "" for number in range(30)]
    tasks = "".join(f'[[task]]\nkey = "t{number}"\nrole = "r"\n{need}\n' for number, need in enumerate(needs))
    run = await looked(tmp_path, f'[agent.x]\ncommand = ["{{python}}"]\n[role.r]\nagent = "x"\n{tasks}')
    text = "\n".join(lines_of(run, 400, UNICODE))
    assert " t8 → t9 → 19 more → t29\n" in text
    assert len(asked) < 10


async def test_of_chains_that_are_as_long_that_counts_which_waits_for_what_is_added(tmp_path: Path) -> None:
    tasks = '[[task]]\nkey = "plan"\nrole = "r"\n[[task]]\nkey = "a"\nrole = "r"\nneeds = ["plan"]\n'
    tasks += '[[task]]\nkey = "b"\nrole = "r"\nneeds = ["plan/*"]\n'
    agent = '[agent.x]\ncommand = ["{python}"]\n[role.r]\nagent = "x"\nmay_add = true\n'
    assert (await looked(tmp_path, f'goal = "g"\n{agent}{tasks}')).critical_path == (("plan", "b"), 2.0)


async def test_what_cannot_work_here_is_told_before_anything_starts(tmp_path: Path) -> None:
    told = await looked(tmp_path)
    assert [problem.partition(":")[0] for problem in told.problems] == ["executor", "validator"]
    text = "\n".join(lines_of(told, 120, UNICODE))
    assert "there is no program no-such-program-anywhere" in text
    assert "no agent is defined as 'nobody'" in text


async def test_before_a_start_what_matters_comes_first_and_four_equal_problems_are_one(tmp_path: Path) -> None:
    told = await looked(tmp_path, TEXT.replace('agent = "script"', 'agent = "gone"'))
    assert [problem.partition(":")[0] for problem in told.problems] == ["planner, executor", "validator"]
    text = "\n".join(lines_of(told, 120, UNICODE, before_start=True))
    assert text.index("cannot start") < text.index("asks you") < text.index("step 1") < text.index("who works")
    assert "dry run" not in text


async def test_variables_and_commands_are_told_for_people_and_whole_as_json(tmp_path: Path) -> None:
    script = f"print('{'ok' * 60}')"
    text = f'[vars]\nlanguage = "go"\n[agent.x]\ncommand = ["x", "-c", "{script}"]\n[role.r]\nagent = "x"\n'
    told = await looked(tmp_path, f'{text}[[task]]\nkey = "t"\nrole = "r"\n')
    said = "\n".join(lines_of(told, 400, UNICODE))
    assert "variables\n  language = 'go'\n" in said
    assert "r, 1 seat: x -c 'print('okok" in said
    assert "okok..., in " in said
    assert script in told.document()["roles"][0]["agent"].replace("'\"'\"'", "'")


async def test_it_tells_what_the_person_is_asked_and_what_is_open(tmp_path: Path) -> None:
    text = "\n".join(lines_of(await looked(tmp_path), 120, UNICODE))
    assert "go: before it starts, within 1 h" in text
    assert "build: when it is rejected after one more round" in text
    assert "plan may add tasks; build waits for those too" in text
    assert "1 h 30 min for all of it" in text


@pytest.mark.parametrize("width", [40, 60, 80, 160])
async def test_it_fits_a_narrow_terminal_that_knows_ascii_only(tmp_path: Path, width: int) -> None:
    text = TEXT.replace("plan it", "계획 " * 20).replace("ship it", "ship it, and more of it")
    lines = list(lines_of(await looked(tmp_path, text), width, ASCII))
    assert all(cell_len(line) <= width or len(line.split()) == 1 for line in lines)
    told = "".join(line for line in lines if "계획" not in line)
    assert told.isascii()
    assert "plan -> build" in told


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    asyncio.run(looked(tmp_path))
    assert [path.name for path in tmp_path.rglob("*")] == ["p.toml"]


def test_a_pipeline_is_found_by_its_name_and_the_users_own_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = tmp_path / ".collab" / "registry.jsonl"
    for folder in (registry.with_name("pipelines"), tmp_path / "user-config" / "pipelines"):
        folder.mkdir(parents=True)
        (folder / "release.toml").write_text("", encoding="utf-8")
    for name in ("nightly", "team"):
        (registry.with_name("pipelines") / f"{name}.toml").write_text("", encoding="utf-8")
    whose = [(each.name, each.is_project, each.is_built_in) for each in pipelines(registry)]
    assert whose == [("nightly", True, False), ("release", False, False), ("team", False, True)]
    assert find_pipeline("release", registry) == tmp_path / "user-config" / "pipelines" / "release.toml"
    assert find_pipeline("nightly", registry) == registry.with_name("pipelines") / "nightly.toml"
    assert find_pipeline("team", registry) == BUILT_IN / "team.toml", "what comes with a project takes no other's place"
    assert find_pipeline("some/where.toml", registry) == Path("some/where.toml").absolute()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nightly").write_text("", encoding="utf-8")
    assert find_pipeline("nightly", registry) == registry.with_name("pipelines") / "nightly.toml"
    with pytest.raises(PipelineError, match=r"there is no pipeline 'nightli'; did you mean nightly\?"):
        find_pipeline("nightli", registry)


async def test_what_is_perhaps_not_meant_is_told(tmp_path: Path) -> None:
    tasks = '[[task]]\nkey = "plan"\nrole = "r"\nreview = "r"\n[[task]]\nkey = "a"\nrole = "r"\nneeds = ["plan/*"]\n'
    agent = '[agent.x]\ncommand = ["{python}"]\n[role.r]\nagent = "x"\n'
    text = "\n".join(lines_of(await looked(tmp_path, f'goal = "g"\n{agent}{tasks}'), 120, UNICODE))
    assert "plan: r reviews its own work" in text
    assert "a needs plan/*, and plan adds no tasks" in text
    told = "\n".join(lines_of(await looked(tmp_path, f'goal = "g"\n{agent}may_add = true\n{tasks}'), 120, UNICODE))
    assert "adds no tasks" not in told
