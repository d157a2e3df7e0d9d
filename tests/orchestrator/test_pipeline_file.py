"""Pipelines as files: what is read, and what is said of each mistake, with its line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collab_tui.orchestrator.agents.commands import Command
from collab_tui.orchestrator.agents.sessions import Session
from collab_tui.orchestrator.pipeline_file import read_pipeline
from collab_tui.orchestrator.plan import OnError, Pipeline, PipelineError, Policy, ReplyKind

WHOLE = """\
name = "release"
goal = "ship {{it}}"

[vars]
version = "1.0"
count = 3
is_final = false

[policy]
on_error = "go on"
retries = 2
rounds = 1
timeout = "1h30m"
grace = "2s"
most_tasks = 50
most_depth = 2

[agent.script]
command = ["{python}", "{folder}/work.py", "{version}"]
worktree = true
environment = ["GH_TOKEN"]
folder = "src"
silence = "1m"

[agent.model]
session = "claude"
worktree = false

[role.executor]
agent = "script"
size = 2
prompt = "You work on {goal}, {version}.\\n{task}\\n{{}}"
reply = "json"
timeout = "10m"

[role.planner]
agent = "model"
prompt_file = "planner.md"
reply = "plan"
may_add = true

[[task]]
key = "plan"
role = "planner"
title = "plan {version}"
prompt = "{goal}: {count} times, {is_final}, {{kept}}"
priority = 5

[[task]]
key = "build"
role = "executor"
needs = ["plan", "plan/*", "version"]
gives = "app/bin"
timeout = "30s"
retries = 0
backoff = "2s"
on_error = "stop"
review = "planner"
rounds = 4
approval = "person"
expires = "2h"
data = { part = "{version}", list = [1, true, "{goal}"], deep = { text = "{{" } }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "planner.md").write_text("Plan {goal} for {version}: {inputs}", encoding="utf-8")
    return tmp_path


def read(folder: Path, text: str, **more: Any) -> Pipeline:
    file = folder / "pipeline.toml"
    file.write_text(text, encoding="utf-8")
    return read_pipeline(file, **more)


def mistakes(folder: Path, text: str, **more: Any) -> list[str]:
    """What is said, without the path of the file."""
    with pytest.raises(PipelineError) as caught:
        read(folder, text, **more)
    place = str(folder / "pipeline.toml")
    assert all(problem.startswith(f"{place}:") for problem in caught.value.problems)
    assert str(caught.value).splitlines() == list(caught.value.problems)
    return [problem.removeprefix(f"{place}:") for problem in caught.value.problems]


def test_all_that_a_file_says_is_in_the_pipeline(folder: Path) -> None:
    pipeline = read(folder, WHOLE)
    assert (pipeline.name, pipeline.goal, pipeline.path) == ("release", "ship {{it}}", str(folder / "pipeline.toml"))
    assert pipeline.policy == Policy(OnError.GO_ON, 2, 1, 5400.0, 2.0, 50, 2)
    assert pipeline.values == {"version": "1.0", "count": 3, "is_final": False}
    executor, planner = pipeline.roles.values()
    script = (sys.executable, f"{folder}/work.py", "1.0")
    assert executor.agent == Command(script, worktree=True, environment=("GH_TOKEN",), folder="src", silence=60.0)
    assert (executor.size, executor.reply, executor.timeout, executor.may_add) == (2, ReplyKind.JSON, 600.0, False)
    assert planner.agent == Session("claude", worktree=False)
    assert (planner.reply, planner.may_add, planner.source and planner.source.line) == (ReplyKind.PLAN, True, 36)
    plan, build = pipeline.tasks
    assert (plan.key, plan.role, plan.priority, plan.source and plan.source.line) == ("plan", "planner", 5, 42)
    assert (build.needs, build.gives, build.timeout) == (("plan", "plan/*", "version"), "app/bin", 30.0)
    assert (build.retries, build.backoff, build.on_error, build.rounds) == (0, 2.0, OnError.STOP, 4)
    assert (build.review, build.needs_approval, build.expires) == ("planner", True, 7200.0)


def test_names_in_braces_are_filled_in_where_they_stand(folder: Path) -> None:
    pipeline = read(folder, WHOLE, variables={"version": "2 {x}", "count": "7", "is_final": "true"}, goal="go")
    plan, build = pipeline.tasks
    assert (plan.title, plan.prompt) == ("plan 2 {x}", "go: 7 times, true, {kept}")
    assert build.data == {"part": "2 {x}", "list": [1, True, "go"], "deep": {"text": "{"}}
    assert pipeline.values == {"version": "2 {x}", "count": 7, "is_final": True}
    executor, planner = pipeline.roles.values()
    assert isinstance(executor.agent, Command)
    assert executor.agent.arguments[2] == "2 {x}"
    told = {"goal": "G", "task": "T", "inputs": "I"}
    assert (executor.prompt or "").format_map(told) == "You work on G, 2 {x}.\nT\n{}"
    assert (planner.prompt or "").format_map(told) == "Plan G for 2 {x}: I"


def test_without_a_goal_it_can_be_looked_at(folder: Path) -> None:
    pipeline = read(folder, WHOLE.replace('goal = "ship {{it}}"', ""))
    assert pipeline.goal is None
    assert pipeline.tasks[0].prompt == "{goal}: 3 times, false, {kept}"


def test_the_digest_is_of_what_the_file_says_and_of_its_prompts(folder: Path) -> None:
    first = read(folder, WHOLE).digest
    assert first is not None
    assert read(folder, f"# a comment\n{WHOLE}", variables={"version": "2.0"}, goal="other").digest == first
    assert read(folder, WHOLE.replace("size = 2", "size = 3")).digest != first
    (folder / "planner.md").write_text("Plan {goal}", encoding="utf-8")
    assert read(folder, WHOLE).digest != first


AGENT = '[agent.a]\ncommand = ["x"]\n[role.r]\nagent = "a"\n'
TASK = '[[task]]\nkey = "t"\nrole = "r"\n'
WRONG = [
    ('nme = "x"\n', "1: unknown key 'nme'; did you mean name?"),
    ('goal = "a"\nname = "a\\nb"\n', "2: name = 'a\\nb': it takes one line"),
    ("policy = 3\n", "1: policy = 3: it is a table, [policy]"),
    ('[policy]\non_error = "stop it"\n', "2: [policy]: on_error = 'stop it': it takes stop or go on"),
    ("[policy]\n\nretries = -1\n", "3: [policy]: retries = -1: it takes a whole number, 0 to 100"),
    ('[policy]\ntimeout = "5"\n', '2: [policy]: timeout = \'5\': it takes a time such as "30s", "5m" or "1h30m"'),
    ('[policy]\ntimout = "5m"\n', "2: [policy]: unknown key 'timout'; did you mean timeout?"),
    ("[vars]\nx = 1979-01-01\n", "2: [vars]: x = 1979-01-01: it takes a text, a number, true or false"),
    ("[vars]\nx = inf\n", "2: [vars]: x = inf: inf is nothing that JSON has"),
    ("[vars]\nX = 1\n", "2: [vars]: X = 1: the name of a variable has small letters, digits and _"),
    ("[vars]\ngoal = 1\n", "2: [vars]: goal = 1: {goal} stands for something already"),
    ("[vars]\ntask = 1\n", "2: [vars]: task = 1: {task} stands for something already"),
    ("[agent]\na = 1\n", "2: agent.a = 1: it is a table, [agent.a]"),
    ('[agent.A]\ncommand = ["x"]\n', "1: a name of an agent has small letters"),
    ("[agent.a]\n", '1: [agent.a]: it takes one of command = ["program", "argument"] or session = "claude"'),
    ('[agent.a]\ncommand = ["x"]\nsession = "y"\n', "1: [agent.a]: it takes one of command"),
    ("[agent.a]\ncommand = []\n", "2: [agent.a]: command = []: it takes the name of a program"),
    ('[agent.a]\ncommand = ["x", "{y}"]\n', "2: [agent.a]: command: there is no {y}; there are goal, python, folder"),
    ('[vars]\nx = ""\n[agent.a]\ncommand = ["{x}"]\n', "4: [agent.a]: command: it takes the name of a program"),
    ('[agent.a]\nsession = "c"\nsilence = "1m"\n', "3: [agent.a]: silence is of command, and this one has session"),
    ('[agent.a]\ncommand = ["x"]\nenvironment = ["A=1"]\n', "3: [agent.a]: environment = ['A=1']: it takes names of"),
    (f'{AGENT}[role.q]\nagent = "b"\n', "6: [role.q]: agent = 'b': there is no such agent; there are a"),
    ('[role.q]\nagent = "b"\n', "2: [role.q]: agent = 'b': there is no such agent; give [agent.b]"),
    ("[role.q]\nsize = 0\n", "2: [role.q]: size = 0: it takes a whole number, 1 to 200"),
    ('[role.q]\nprompt = "{tsk}"\n', "2: [role.q]: prompt: there is no {tsk}; did you mean task?"),
    ('[role.q]\nprompt = "a { b"\n', "2: [role.q]: prompt: braces hold a name, such as {goal}"),
    ('[role.q]\nprompt = "{goal!r}"\n', "2: [role.q]: prompt: braces hold a name, such as {goal}"),
    ('[role.q]\nprompt_file = "no.md"\n', "2: [role.q]: prompt_file: there is no file "),
    ('[role.q]\nprompt_file = "../x.md"\n', "2: [role.q]: prompt_file: '../x.md' leads out of the folder"),
    ('[role.q]\nprompt = "x"\nprompt_file = "planner.md"\n', "3: [role.q]: it takes prompt or prompt_file"),
    ("task = 3\n", "1: task = 3: each is a table of its own, [[task]]"),
    ('[[task]]\nrole = "r"\n', "1: task number 1: it needs key"),
    ('[[task]]\nkey = "A b"\n', "2: task A b: key = 'A b': a key has small letters"),
    (f'{AGENT}{TASK}neds = ["x"]\n', "8: task t: unknown key 'neds'; did you mean needs?"),
    (
        f'{AGENT}{TASK}prompt = """\none\nanswer {{"verdict": 1}}\n"""\n',
        "10: task t: prompt: braces hold a name, such as {goal}; a brace itself is written twice: "
        'answer {{"verdict": 1}}',
    ),
    (f'{AGENT}{TASK}prompt = """\none\ntwo {{nme}}"""\n', "10: task t: prompt: there is no {nme}"),
    (f'[vars]\nx = "a\\nb"\n{AGENT}{TASK}title = "{{x}}"\n', "10: task t: title: it takes one line"),
    (f'{AGENT}folder = "../.."\n', "5: [role.r]: unknown key 'folder'"),
    ('[agent.a]\ncommand = ["x"]\nfolder = "a/../.."\n', "3: [agent.a]: folder = 'a/../..': it takes a folder below"),
    ('[agent.a]\ncommand = ["x"]\nfolder = "/tmp"\n', "3: [agent.a]: folder = '/tmp': it takes a folder below"),
    ('[agent.a]\ncommand = ["x"]\nfolder = "C:\\\\x"\n', "3: [agent.a]: folder = "),
    ('[vars]\nx = "A b"\n[agent.a]\nsession = "{x}"\n', "4: [agent.a]: session: a session's agent has small letters"),
    ('[agent.a]\nsession = "{x}"\n', "2: [agent.a]: session: there is no {x}"),
    (f"{AGENT}{TASK}needs = 3\n", '8: task t: needs = 3: it takes a list of texts: ["plan"]'),
    (f'{AGENT}{TASK}approval = "me"\n', "8: task t: approval = 'me': it takes \"person\""),
    (f'{AGENT}{TASK}prompt = "{{nope}}"\n', "8: task t: prompt: there is no {nope}; there are goal"),
    (f"{AGENT}{TASK}data = {{ a = [1979-01-01] }}\n", "8: task t: data.a.1: a date or a time stands in quotes"),
    (f'{AGENT}{TASK}[task.data]\na = 1\nb = "{{"\n', "10: task t: data.b: braces hold a name"),
    (f"{AGENT}{TASK}data = {{ a = nan }}\n", "8: task t: data.a: nan is nothing that JSON has"),
    (f'{AGENT}[[task]]\nkey = "t"\nrole = "s"\n', "7: task t: there is no role 's'"),
    (f'{AGENT}{TASK}review = "s"\n', "8: task t: there is no role 's'"),
    (f'{AGENT}{TASK}needs = ["nobody"]\n', "8: task t: it needs nobody, which nothing gives"),
    (f"{AGENT}{TASK}{TASK}", "8: task t: there are two of that key"),
    (f'{AGENT}{TASK}needs = ["t"]\n', "8: task t: these wait for each other"),
    (f'{AGENT}{TASK}needs = ["u"]\n[[task]]\nkey = "u"\nrole = "r"\nneeds = ["t"]\n', "8: "),
    ('[[task]]\nkey = "t"\nrole = "r"\n[role.r]\n', '4: role r has no agent, and t needs it: give it one: agent = "NA'),
    ('goal = "x\nname = "y"\n', '1: it is not TOML: a text ends on the line on which it begins: its closing " is miss'),
]


@pytest.mark.parametrize(("text", "told"), WRONG, ids=[str(number) for number in range(len(WRONG))])
def test_a_mistake_is_told_with_its_line(folder: Path, text: str, told: str) -> None:
    assert any(problem.startswith(told) for problem in mistakes(folder, text)), mistakes(folder, text)


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines(folder: Path) -> None:
    text = f'nme = "x"\n[policy]\nretries = "many"\n{AGENT}{TASK}timeout = 3\n[[task]]\nkey = "u"\nneeds = ["nobody"]\n'
    lines = [int(problem.partition(":")[0]) for problem in mistakes(folder, text)]
    assert lines == sorted(lines)
    assert {1, 3, 11, 12} <= set(lines)


def test_what_only_follows_from_a_mistake_is_not_told_as_another(folder: Path) -> None:
    text = f'{AGENT}[[task]]\nkey = "T"\nrole = "r"\n[[task]]\nkey = "u"\nrole = "r"\nneeds = ["t"]\n'
    (only,) = mistakes(folder, text)
    assert only.startswith("6: task T: key = 'T': a key has small letters")
    assert only.count("'T'") == 1
    (only,) = mistakes(folder, f"vars = 3\n{AGENT}{TASK}")
    assert only == "1: vars = 3: it is a table, [vars]"
    (only,) = mistakes(folder, f'{AGENT}{TASK}needs = ["x"]\n[vars]\nx = inf\n')
    assert only.startswith("10: [vars]: x = inf")
    (only,) = mistakes(folder, f"{AGENT}{TASK}".replace('["x"]', "3"))
    assert only.startswith("2: [agent.a]: command = 3")


def test_a_mistake_keeps_no_other_from_being_told(folder: Path) -> None:
    other = '[[task]]\nkey = "u"\nrole = "nobody"\nneeds = ["w"]\n[[task]]\nkey = "w"\nrole = "r"\nneeds = ["u"]\n'
    for broken in ("[vars]\nx = inf\n", "[vars]\nX = 1\n", "[agent.A]\n", "[role.A]\n", '[[task]]\nkey = "T"\n'):
        first, *told = mistakes(folder, f"{broken}{AGENT}{TASK}{other}")
        assert first[0] in "12"
        assert any("there is no role 'nobody'" in problem for problem in told), broken
        assert any("these wait for each other: " in problem for problem in told), broken


def test_a_task_without_a_right_key_has_its_other_mistakes_told_too(folder: Path) -> None:
    for key in ('key = "One Two"', "title = 'no key'"):
        told = mistakes(folder, f'{AGENT}[[task]]\n{key}\nrole = "nobody"\nneeds = ["nothing"]\n')
        assert len(told) == 3
        assert "there is no role 'nobody'" in told[1].removeprefix("7: ")
        assert "it needs nothing, which nothing gives" in told[2].removeprefix("8: ")


def test_of_two_mistakes_of_one_task_or_role_both_are_told(folder: Path) -> None:
    told = mistakes(folder, f'{AGENT}size = 0\nreview = "boss"\n{TASK}rounds = -1\nreview = "nobody"\n')
    first, second, third, fourth = (problem.partition(": ")[2] for problem in told)
    assert first.startswith("role r: there is no role 'boss' to review")
    assert second.startswith("[role.r]: size = 0: ")
    assert third.startswith("task t: rounds = -1: ")
    assert fourth.startswith("task t: there is no role 'nobody'")


def test_what_a_session_is_called_is_filled_in(folder: Path) -> None:
    text = '[vars]\nwho = "claude"\n[agent.a]\nsession = "{who}"\n[role.r]\nagent = "a"\n'
    assert read(folder, f"{text}{TASK}", variables={"who": "codex"}).roles["r"].agent == Session("codex")


def test_of_thousands_of_mistakes_each_is_short(folder: Path) -> None:
    tasks = "".join(f'[[task]]\nkey = "t{n}"\nrole = "r"\nneeds = ["t{(n + 1) % 900}", "no{n}"]\n' for n in range(900))
    told = mistakes(folder, f"{AGENT}{tasks}")
    assert len(told) == 901
    assert max(map(len, told)) < 500


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"versoin": "2"}, " --var versoin: there is no such variable; did you mean version?"),
        ({"unused": "2"}, " --var unused: nothing uses it: no text has {unused}, and no task needs it"),
        ({"count": "many"}, "4: [vars]: count = 3: --var count takes a whole number, not 'many'"),
        ({"is_final": "yes"}, "5: [vars]: is_final = false: --var is_final takes true or false, not 'yes'"),
        ({"version": "a\udcff"}, "3: [vars]: version = '1': --var version is no text: 'a\\udcff'"),
        ({"count": "9" * 30}, "4: [vars]: count = 3: it is too large a number"),
        ({"share": "nan"}, "6: [vars]: share = 0.5: --var share takes a number, not 'nan'"),
    ],
)
def test_a_variable_that_is_given_wrongly_is_told(folder: Path, variables: dict[str, str], told: str) -> None:
    declared = '[vars]\nunused = "1"\nversion = "1"\ncount = 3\nis_final = false\nshare = 0.5\n'
    text = f'{declared}{AGENT}{TASK}prompt = "{{version}} {{count}} {{is_final}} {{share}}"\n'
    assert mistakes(folder, text, variables=variables)[0] == told


def test_a_goal_that_is_none_is_told(folder: Path) -> None:
    assert mistakes(folder, f"{AGENT}{TASK}", goal="a\x1b[2J")[0].startswith(
        " --goal: it has characters that cannot be"
    )


def test_a_variable_is_used_by_a_task_that_needs_it(folder: Path) -> None:
    text = f'[vars]\nversion = "1"\n{AGENT}{TASK}needs = ["version"]\n'
    assert read(folder, text, variables={"version": "2"}).values == {"version": "2"}


def test_what_is_no_toml_is_told_with_its_line(folder: Path) -> None:
    assert mistakes(folder, "goal = 'x'\na = b") == ["2: it is not TOML: Invalid value"]


@pytest.mark.parametrize("text", ["a = ", "a = 1\na = 2", "\x00", "a = {" * 3000, "a = " + "[" * 3000])
def test_what_is_no_toml_is_told(folder: Path, text: str) -> None:
    with pytest.raises(PipelineError):
        read(folder, text)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="there is no such file"):
        read_pipeline(tmp_path / "none.toml")


# Any document

_NAMES = (
    "name goal vars policy agent role task command session worktree silence environment size prompt prompt_file reply "
    "timeout may_add key needs gives priority retries backoff on_error review rounds approval expires data title a r t "
    "most_tasks most_depth grace planner.md x-y"
)
_KEYS = st.sampled_from(_NAMES.split()) | st.text(max_size=4)
_TEXTS = st.sampled_from(
    ["a", "r", "t", "t/*", "goal", "{goal}", "{", "{a}", "{python}", "5m", "stop", "person", "json"]
)
_VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats() | _TEXTS | st.text(max_size=6) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)
_TABLE = st.dictionaries(_KEYS, _VALUES, max_size=6)
_DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "name": _VALUES,
        "goal": _VALUES,
        "vars": _TABLE | _VALUES,
        "policy": _TABLE | _VALUES,
        "agent": st.dictionaries(_KEYS, _TABLE | _VALUES, max_size=2) | _VALUES,
        "role": st.dictionaries(_KEYS, _TABLE | _VALUES, max_size=2) | _VALUES,
        "task": st.lists(_TABLE, max_size=3) | _VALUES,
        "more": _VALUES,
    },
)


def written(value: Any) -> str:
    """A value as TOML has it."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case list():
            return f"[{', '.join(map(written, value))}]"
        case dict():
            return f"{{ {', '.join(f'{written(name)} = {written(item)}' for name, item in value.items())} }}"
    return str(value)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    (folder / "planner.md").write_text("{goal}", encoding="utf-8")
    return folder


@given(document=_DOCUMENTS, variables=st.dictionaries(_KEYS, st.text(max_size=4), max_size=1))
@settings(max_examples=150, deadline=None)
def test_any_document_is_a_pipeline_or_what_is_wrong_with_it(
    shared: Path, document: dict[str, Any], variables: dict[str, str]
) -> None:
    text = "".join(f"{name} = {written(value)}\n" for name, value in document.items())
    try:
        pipeline = read(shared, text, variables=variables)
    except PipelineError as wrong:
        told = wrong.problems
    else:
        told = tuple(task.key for task in pipeline.tasks)
    assert told


@given(text=st.text(max_size=40) | st.text("[]{}=\"'.\n\\ ab1#", max_size=40))
@settings(max_examples=100, deadline=None)
def test_so_is_any_text(shared: Path, text: str) -> None:
    with pytest.raises(PipelineError):
        read(shared, text.encode("utf-8", "replace").decode())
