"""Rules as the config files have them: what is read, and what is said of each that is wrong."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from collab_tui.config import ConfigError, load_config, project_config_file
from collab_tui.config.reading import allow_project
from collab_tui.config.rules import Kind, Rule, Then, When, placeholders, read_project_rule, read_rule
from collab_tui.config.settings import SETTINGS
from collab_tui.config.source import Source
from collab_tui.config.values import WrongError
from tests.signing import KEY

WAKE = """
[[rule]]
name = "wake lubit at 80 %"
on = true
when = { event = "status_update", from = "sena", progress_crosses = 80 }
then = { message = "lubit", text = "{from} is at {progress} %: {task}" }
"""
RUN = """
[[rule]]
name = "ring"
when = { deadlock = true }
then = { run = ["ring", "--loud"], time_limit = "5s" }
cool_down = "1h30m"
per_hour = 3
depth = 2
"""


PROMPT = """
[[rule]]
name = "go on"
when = { event = "message", from = "sena" }
then = { prompt = "lubit", text = "{from} says {message}" }
"""


@pytest.fixture(autouse=True)
def user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The user's config file, not yet there."""
    folder = tmp_path / "user"
    folder.mkdir()
    monkeypatch.setattr("platformdirs.user_config_dir", lambda name, appauthor: str(folder))
    return folder / "config.toml"


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / ".collab"
    folder.mkdir(parents=True)
    return folder / "registry.jsonl"


@pytest.fixture
def project(registry: Path) -> Path:
    return project_config_file(registry)


def rule(text: str) -> Rule:
    """The one rule of a file's text."""
    (given,) = tomllib.loads(text)["rule"]
    return read_rule(given)


def test_a_rule_is_off_until_it_is_switched_on_and_has_limits_without_being_asked() -> None:
    assert rule(WAKE.replace("on = true", "")) == Rule(
        "wake lubit at 80 %",
        When(event="status_update", source="sena", progress_crosses=80),
        Then(message="lubit", text="{from} is at {progress} %: {task}"),
        is_on=False,
        cool_down=0,
        per_hour=10,
        depth=1,
        is_users=True,
    )


@pytest.mark.parametrize(
    ("when", "cool_down"),
    [
        ('request_to = "lubit"', 0),
        ('verdict = "approved"', 0),
        ("deadlock = true", 0),
        ("progress_crosses = 80", 0),
        ('event = "decision_request"', 0),
        ('event = "decision"', 0),
        ('event = "completion"', 60),
        ('status = "blocked"', 60),
        ("silent_for = 5", 60),
    ],
)
def test_without_a_word_on_it_no_second_request_is_lost_to_a_cool_down(when: str, cool_down: float) -> None:
    assert rule(f'[[rule]]\nname = "r"\nwhen = {{ {when} }}\nthen = {{ notify = "n" }}').cool_down == cool_down


WORD = """
[[rule]]
name = "deploy"
when = {{ {when} }}
then = {{ {then} }}
"""


@pytest.mark.parametrize("does", ["run", "prompt"])
@pytest.mark.parametrize("who", ["human", "Ada", "ROB"])
def test_a_word_that_anybody_may_write_in_the_person_s_name_sets_nothing_to_work(
    user: Path, who: str, does: str
) -> None:
    works = {"run": 'run = ["deploy"]', "prompt": 'prompt = "lubit", text = "deploy"'}[does]
    settings = f'person = "ada"\n[approvers]\nrob = "{KEY.public.text}"\n'
    words = f'event = "message", from = "{who}"'
    user.write_text(settings + WORD.format(when=words, then=works), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config()
    assert str(caught.value) == (
        f"{user}:5: {does} with from = '{who}': messages are not signed, anybody can write one in that name; "
        'give event = "decision", or a verdict'
    )
    for when, then in (
        (words, 'notify = "n"'),
        (f'verdict = "approved", from = "{who}"', works),
        (f'event = "decision", from = "{who}"', works),
        ('event = "message", from = "sena"', works),
    ):
        user.write_text(settings + WORD.format(when=when, then=then), encoding="utf-8")
        assert len(load_config().rules) == 1


def test_rules_of_both_files_know_whose_they_are_and_where_they_stand(
    user: Path, project: Path, registry: Path
) -> None:
    user.write_text(RUN, encoding="utf-8")
    project.write_text(WAKE, encoding="utf-8")
    waiting = load_config(registry).waiting
    assert waiting is not None
    allow_project(waiting)
    first, second = load_config(registry).rules
    assert first == Rule(
        "ring",
        When(deadlock=True),
        Then(run=("ring", "--loud"), time_limit=5),
        cool_down=5400,
        per_hour=3,
        depth=2,
        is_users=True,
        source=Source(user, 2),
    )
    assert (second.name, second.is_on, second.is_users, second.source) == (
        "wake lubit at 80 %",
        True,
        False,
        Source(project, 2),
    )


def test_a_project_s_rules_are_not_in_force_until_the_person_allowed_them(project: Path, registry: Path) -> None:
    project.write_text(WAKE, encoding="utf-8")
    config = load_config(registry)
    assert config.rules == ()
    assert config.waiting is not None
    assert list(config.waiting.content) == ["rule"]


def test_a_project_runs_no_programs(project: Path, registry: Path) -> None:
    project.write_text(RUN, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(registry)
    assert str(caught.value) == (
        f"{project}:5: rule 1: run is for your own file alone: a project's rules start no programs"
    )


def test_the_program_that_notifies_is_the_user_s_own(user: Path, project: Path, registry: Path) -> None:
    user.write_text('notify_command = ["say", "it"]\n', encoding="utf-8")
    assert load_config().notify_command == ("say", "it")
    project.write_text('notify_command = ["say"]\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"config\.toml:1: 'notify_command' is yours to set"):
        load_config(registry)


@pytest.mark.skipif(os.name != "posix", reason="needs the modes of files")
@pytest.mark.parametrize("text", [RUN, PROMPT, '\nnotify_command = ["say"]\n'])
def test_nothing_is_set_to_work_that_others_could_have_named(user: Path, text: str) -> None:
    user.write_text(text, encoding="utf-8")
    user.chmod(0o620)
    with pytest.raises(ConfigError) as caught:
        load_config()
    assert str(caught.value) == (
        f"{user}:2: others can write this file, so it starts no programs and prompts no sessions: "
        f"`chmod go-w {user}`, and see that the file is yours"
    )
    user.write_text(WAKE, encoding="utf-8")
    assert len(load_config().rules) == 1


def test_a_prompt_waits_ten_minutes_for_its_session_unless_told_otherwise(user: Path) -> None:
    user.write_text(PROMPT, encoding="utf-8")
    (rule,) = load_config().rules
    assert rule.then == Then(prompt="lubit", text="{from} says {message}", time_limit=600)
    assert rule.is_personal
    user.write_text(PROMPT.replace('{message}"', '{message}", time_limit = "30s"'), encoding="utf-8")
    assert load_config().rules[0].then.time_limit == 30


def test_a_project_s_rule_prompts_no_session(project: Path, registry: Path) -> None:
    project.write_text(PROMPT, encoding="utf-8")
    with pytest.raises(ConfigError, match="prompt is for your own file alone: a project's rules set none of your"):
        load_config(registry)


def test_names_are_unique_over_both_files(user: Path, project: Path, registry: Path) -> None:
    user.write_text(WAKE, encoding="utf-8")
    project.write_text(WAKE.replace("wake lubit", "Wake Lubit"), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(registry)
    assert str(caught.value) == (
        f"{project}:2: 'Wake Lubit at 80 %' is the rule at {user}:2, too: give one of them another name"
    )


def test_the_example_of_the_commented_config_is_a_rule() -> None:
    example = next(setting.example for setting in SETTINGS if setting.name == "rule")
    assert rule(f"[[rule]]\n{example}") == rule(WAKE)


WHEN = 'name = "x"\nthen = { notify = "y" }\nwhen = '
THEN = 'name = "x"\nwhen = { event = "completion" }\nthen = '
REST = 'name = "x"\nwhen = { event = "completion" }\nthen = { notify = "y" }\n'
WRONG = {
    'name = "x"': "it needs when",
    'name = "x"\nwhen = { event = "completion" }': "it needs then",
    REST.replace('name = "x"', ""): "it needs name",
    REST.replace('"x"', '"x\\ny"'): "name = 'x\\ny': it takes one line of at most 80 characters",
    REST.replace('"x"', f'"{"x" * 81}"'): "it takes one line of at most 80 characters",
    f"{REST}cooldown = 1": "unknown key 'cooldown'; did you mean cool_down?",
    f"{REST}on = 1": "on = 1: it takes true or false",
    f"{REST}cool_down = 60": "cool_down = 60: it takes a time such as \"30s\", \"5m\" or \"1h30m\"",
    f'{REST}cool_down = ""': "cool_down = '': it takes a time such as",
    f'{REST}cool_down = "25h"': "cool_down = '25h': it takes 0 to 86400 seconds",
    f"{REST}per_hour = 0": "per_hour = 0: it takes a whole number, 1 to 1000",
    f"{REST}per_hour = true": "per_hour = true: it takes a whole number, 1 to 1000",
    f"{REST}depth = 1.5": "depth = 1.5: it takes a whole number, 1 to 100",
    f"{WHEN}{{}}": "it looks for nothing: give event, from, status,",
    f"{WHEN}3": "when = 3: it takes a table with event, from,",
    f'{WHEN}{{ form = "sena" }}': "unknown key 'form'; did you mean from?",
    f"{WHEN}{{ from = 3 }}": "from = 3: it takes a text in quotes",
    f'{WHEN}{{ event = "status-update" }}': "event = 'status-update': did you mean status_update?",
    f'{WHEN}{{ event = "activation" }}': "event = 'activation': what rules did sets off no rule",
    f"{WHEN}{{ deadlock = false }}": "deadlock = false: it takes true, or is left out",
    f'{WHEN}{{ deadlock = true, event = "blocker" }}': "deadlock and event contradict each other: make a rule of each",
    f'{WHEN}{{ silent_for = 5, event = "blocker" }}': "silent_for and event contradict each other",
    f"{WHEN}{{ silent_for = 5, progress_crosses = 5 }}": "silent_for and progress_crosses contradict each other",
    f"{WHEN}{{ silent_for = 0 }}": "silent_for = 0: it takes more than 0",
    f'{WHEN}{{ verdict = "maybe" }}': "verdict = 'maybe': it takes approved or rejected",
    f'{WHEN}{{ verdict = "approved", request_to = "lubit" }}': "verdict and request_to contradict each other",
    f'{WHEN}{{ verdict = "approved", event = "blocker" }}': "verdict is of decision, not of blocker: leave event out",
    f'{WHEN}{{ request_to = "x", event = "decision" }}': "request_to is of decision_request, not of decision",
    f'{WHEN}{{ progress_crosses = 50, event = "message" }}': "message says nothing of progress: leave event out",
    f"{WHEN}{{ progress_crosses = 101 }}": "progress_crosses = 101: it takes more than 0 and at most 100 per cent",
    f"{THEN}{{}}": "it does nothing: give notify, message, prompt or run",
    f'{THEN}{{ notify = "x", run = ["y"] }}': "notify and run are two things: make a rule of each",
    f'{THEN}{{ message = "lubit" }}': "message needs text: what the agent is told",
    f'{THEN}{{ prompt = "lubit" }}': "prompt needs text: what the agent is told",
    f'{THEN}{{ prompt = "lubit", text = "x", message = "lubit" }}': "message and prompt are two things",
    f'{THEN}{{ prompt = "all {{task}}", text = "y" }}': "it takes the name of an agent, or \"{from}\" for the one that",
    f'{THEN}{{ notify = "x", text = "y" }}': "text is of message or prompt: there is none",
    f'{THEN}{{ notify = "x", time_limit = "1s" }}': "time_limit is of run or prompt: there is none",
    f'{THEN}{{ message = "{{task}}", text = "y" }}': "it takes the name of an agent, or \"{from}\" for the one that",
    f"{THEN}{{ run = \"ring\" }}": "it takes a list of texts, the program and its arguments",
    f"{THEN}{{ run = [] }}": "it takes the name of a program, then its arguments",
    f'{THEN}{{ run = ["ring", "\\u0000"] }}': "it takes the name of a program, then its arguments",
    f'{THEN}{{ run = ["ring", "to {{from}}"] }}': "nothing is filled in for {from}: the event is on the program's",
    f'{THEN}{{ notify = "{{who}}" }}': "there is no {who} here; there are blocker, comment,",
    f'{THEN}{{ notify = "{{form}}" }}': "there is no {form} here; did you mean from?",
    f'{THEN}{{ notify = "{{agents}}" }}': "there is no {agents} here",
    f'{THEN}{{ notify = "{{" }}': 'braces hold a name, such as "{from}"; a brace itself is written twice, "{{"',
    f'{THEN}{{ notify = "{{from.__class__}}" }}': "braces hold a name",
    f'{THEN}{{ notify = "{{from[0]}}" }}': "braces hold a name",
    f'{THEN}{{ notify = "{{from:>99999999}}" }}': "braces hold a name",
    f'{THEN}{{ notify = "{{from!r}}" }}': "braces hold a name",
    f'{THEN}{{ notify = "{{}}" }}': "braces hold a name",
    f'{THEN}{{ notify = "{"x" * 1001}" }}': "it takes at most 1,000 characters",
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_with_a_rule_is_told(text: str) -> None:
    with pytest.raises(WrongError) as caught:
        read_rule(tomllib.loads(text))
    assert WRONG[text] in str(caught.value)


@pytest.mark.parametrize("value", [3, "x", [], None, {}, {"name": {}, "when": [], "then": 3}])
def test_what_is_no_rule_at_all_is_told(value: object) -> None:
    for read in (read_rule, read_project_rule):
        with pytest.raises(WrongError):
            read(value)


def test_an_error_in_a_rule_names_the_line_of_the_key(user: Path) -> None:
    user.write_text(f'{WAKE}\n[[rule]]\nname = "x"\n[rule.when]\nevent = "blocker"\nstatsu = "x"\n', encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config()
    assert str(caught.value) == f"{user}:12: rule 2: unknown key 'statsu'; did you mean status?"


@pytest.mark.parametrize(
    ("when", "kind", "named"),
    [
        ({"event": "x"}, Kind.LINE, "comment"),
        ({"silent_for": 3}, Kind.SILENCE, "minutes"),
        ({"deadlock": True}, Kind.DEADLOCK, "agents"),
    ],
)
def test_texts_name_what_there_is_for_what_is_looked_at(when: dict[str, object], kind: Kind, named: str) -> None:
    text = f"{{{{{{from}}}}}} {{{named}}}"
    found = read_rule({"name": "x", "when": when, "then": {"notify": text}})
    assert found.when.kind is kind
    assert placeholders(found.then.notify or "") == ("from", named)


def test_agents_have_events_of_their_own() -> None:
    found = read_rule({"name": "x", "when": {"event": "validation_started"}, "then": {"notify": "y"}})
    assert found.when.event == "validation_started"
