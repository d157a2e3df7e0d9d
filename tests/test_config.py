"""Settings: where each came from, and what is said about a file that cannot be used."""

from __future__ import annotations

import base64
import json
import os
import re
import tomllib
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collab_tui.config import (
    COMMENTED_CONFIG,
    Config,
    ConfigError,
    load_config,
    load_harmless,
    project_config_file,
    user_config_file,
)
from collab_tui.config.lines import line_numbers
from collab_tui.config.reading import allow_project
from collab_tui.config.settings import SETTINGS, AgentSettings, HookSettings, Scope, SessionSettings, Shape
from collab_tui.config.source import Source

KEY, OTHER_KEY = (f"ed25519:{base64.b64encode(byte * 32).decode()}" for byte in (b"k", b"o"))


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
    """The project's config file, not yet there."""
    return registry.with_name("config.toml")


def test_without_files_all_are_defaults(registry: Path) -> None:
    config = load_config(registry)
    assert config == load_config() == Config()
    assert (config.person, config.order, config.ascii, config.sources) == ("human", "need", False, {})
    assert config.limits.stale_after == timedelta(minutes=30)
    assert config.limits.stale_after_working == timedelta(minutes=5)


def test_the_user_s_file(user: Path, registry: Path) -> None:
    values = {
        "person": ('"민수"', "민수"),
        "stale_after": ("12.5", 12.5),
        "stale_after_working": ("2", 2),
        "theme": ('"nord"', "nord"),
        "order": ('"name"', "name"),
        "columns": ('["task", "age"]', ("task", "age")),
        "poll": ("0.5", 0.5),
        "notifications": ('"desktop"', "desktop"),
        "ascii": ("true", True),
        "reduced_motion": ("true", True),
        "notify_command": ('["notify-send", "collab"]', ("notify-send", "collab")),
    }
    user.write_text("".join(f"{name} = {text}\n" for name, (text, _) in values.items()), encoding="utf-8")
    config = load_config(registry)
    assert {name: getattr(config, name) for name in values} == {name: value for name, (_, value) in values.items()}
    assert config.sources == {name: Source(user, line) for line, name in enumerate(values, 1)}
    assert config.limits.stale_after == timedelta(minutes=12.5)
    assert user_config_file() == user
    others = {setting.name for setting in SETTINGS if "." in setting.name or setting.shape is not Shape.VALUE}
    assert set(values) == {setting.name for setting in SETTINGS} - others


def test_a_table_of_fixed_names(user: Path, project: Path, registry: Path) -> None:
    user.write_text('[hooks]\nprompts = false\ntool_input = "off"\n', encoding="utf-8")
    project.write_text('hooks.tool_input = "name"\n', encoding="utf-8")
    config = load_config(registry)
    assert config.hooks == HookSettings(prompts=False, tool_input="name")
    assert config.sources == {"hooks.prompts": Source(user, 2), "hooks.tool_input": Source(project, 1)}


def test_where_sessions_work(user: Path, project: Path, registry: Path) -> None:
    assert load_config(registry).sessions == SessionSettings(worktrees=None, base=None)
    user.write_text('[sessions]\nworktrees = "~/trees"\nbase = "main"\n', encoding="utf-8")
    project.write_text('sessions.base = "origin/next"\n', encoding="utf-8")
    assert load_config(registry).sessions == SessionSettings(worktrees="~/trees", base="origin/next")
    project.write_text('sessions.worktrees = "/home/somebody/.ssh"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"config.toml:1: 'sessions.worktrees' is yours to set, in {user}"):
        load_config(registry)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('worktrees = "trees"', 'it takes an absolute path, or one that begins with "~/"'),
        ("worktrees = 1", "it takes a text in quotes"),
        ('base = "--all"', 'it takes the name of a branch: "main"'),
        ('base = "a b"', 'it takes the name of a branch: "main"'),
        ('bases = "main"', "unknown setting 'bases' in [sessions]; did you mean base?"),
    ],
)
def test_where_no_session_works(user: Path, line: str, told: str) -> None:
    user.write_text(f"[sessions]\n{line}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(told)) as error:
        load_config()
    assert str(error.value).startswith(f"{user}:2: ")


def test_what_is_set_for_agents(user: Path, project: Path, registry: Path) -> None:
    user.write_text('[agents]\nsena = { memory = "s.md" }\n[agents.lubit]\nmemory = "l.md"\n', encoding="utf-8")
    project.write_text('[agents."세나"]\nfolder = "notes"\n', encoding="utf-8")
    config = load_config(registry)
    assert config.agents == {
        "sena": AgentSettings(memory="s.md"),
        "lubit": AgentSettings(memory="l.md"),
        "세나": AgentSettings(folder="notes"),
    }
    assert config.sources["agents.lubit"] == Source(user, 3)


def test_tables_of_the_user_s_file(user: Path) -> None:
    user.write_text(f'[keys]\napprove = "y"\nreject = ["n", "f8"]\n\n[approvers]\n"Lena M." = "{KEY}"\n', "utf-8")
    config = load_config()
    assert config.keys == {"approve": ("y",), "reject": ("n", "f8")}
    assert config.approvers == {"Lena M.": KEY}
    assert {name: source.line for name, source in config.sources.items()} == {
        "keys.approve": 2,
        "keys.reject": 3,
        "approvers.Lena M.": 6,
    }


def test_the_project_s_file_wins_value_by_value(user: Path, project: Path, registry: Path) -> None:
    user.write_text('theme = "nord"\nstale_after = 10\nperson = "minsu"\n', encoding="utf-8")
    project.write_text("stale_after = 60\n\nascii = true\n", encoding="utf-8")
    config = load_config(registry)
    assert (config.person, config.theme, config.stale_after, config.ascii) == ("minsu", "nord", 60, True)
    assert config.sources == {
        "person": Source(user, 3),
        "theme": Source(user, 1),
        "stale_after": Source(project, 1),
        "ascii": Source(project, 3),
    }
    assert load_config().stale_after == 10


def test_the_project_s_file_stands_in_the_folder_beside_the_registry(tmp_path: Path) -> None:
    expected = tmp_path / ".collab" / "config.toml"
    assert project_config_file(tmp_path / ".collab" / "registry.jsonl") == expected
    assert project_config_file(tmp_path / "COLLABORATION_STATE.jsonl") == expected


def test_the_commented_config_names_every_setting_of_a_project_with_its_default(project: Path, registry: Path) -> None:
    project.write_text(COMMENTED_CONFIG, encoding="utf-8")
    assert load_config(registry) == Config()
    uncommented = "\n".join(re.findall(r"^# ([\w.]+ = .+|\[.+)$", COMMENTED_CONFIG, re.MULTILINE))
    told = tomllib.loads(uncommented)
    assert set(told) == {setting.name.partition(".")[0] for setting in SETTINGS if setting.scope is not Scope.USER}
    default = Config()
    assert told.pop("hooks") == asdict(default.hooks)
    without_default = {"poll", "keys", "approvers", "agents", "rule", "decide", "sessions", "stream"}
    for name in set(told) - without_default:
        assert told[name] == (list(default.columns) if name == "columns" else getattr(default, name))


NEAR = {
    "stale = 3": "1: unknown setting 'stale'; did you mean stale_after?",
    "\n\nThemes = 3": "3: unknown setting 'Themes'; did you mean theme?",
    "qqq = 3": "1: unknown setting 'qqq'; there are person, stale_after, stale_after_working, theme, order, columns, "
    "poll, notifications, ascii, reduced_motion, keys, approvers",
    "[stale_after]\nminutes = 3": "1: stale_after = a table: it takes a number of minutes",
    "[hooks]\nprompt = true": "2: unknown setting 'prompt' in [hooks]; did you mean prompts?",
    "hooks = 3": "1: hooks = 3: it is a table, [hooks]",
    "[hooks]\n\nheartbeat = 0": "3: heartbeat = 0: it takes more than 0 and at most 3600 seconds",
    "[agents.sena]\n\nmemori = 'x'": "3: agents.sena: unknown key 'memori'; did you mean memory?",
    "[agents.sena]\nfolder = 3": "2: agents.sena: folder = 3: it takes a text in quotes",
    "agents.sena = 3": "1: sena = 3: it takes a table with memory or folder",
    "theme = 3": "1: theme = 3: it takes a text in quotes",
    'theme = " "': "1: theme = ' ': it must not be empty",
    "stale_after = true": "1: stale_after = true: it takes a number of minutes",
    'stale_after = "3"': "1: stale_after = '3': it takes a number of minutes",
    "stale_after = 0": "1: stale_after = 0: it takes more than 0 and at most 1000000 minutes",
    "stale_after_working = -1.5": "1: stale_after_working = -1.5: it takes more than 0 and at most 1000000 minutes",
    "stale_after = nan": "1: stale_after = nan: it takes more than 0 and at most 1000000 minutes",
    "stale_after = inf": "1: stale_after = inf: it takes more than 0 and at most 1000000 minutes",
    f"stale_after = 0x{'f' * 9000}": "1: stale_after = a huge number: it takes more than 0 and at most 1000000 minutes",
    "ascii = 1": "1: ascii = 1: it takes true or false",
    'order = "size"': "1: order = 'size': it takes need, name or activity",
    "order = 1": "1: order = 1: it takes need, name or activity, in quotes",
    'notifications = "loud"': "1: notifications = 'loud': it takes off, bell or desktop",
    "poll = 0": "1: poll = 0: it takes 0.05 to 3600 seconds",
    "poll = true": "1: poll = true: it takes 0.05 to 3600 seconds",
    'columns = "task"': "1: columns = 'task': it takes a list of texts, such as [\"role\"]",
    'columns = [\n"task",\n"statsu"]': "1: columns = ['task', 'statsu']: there is no 'statsu'; did you mean status?",
    'columns = ["task", "task"]': "1: columns = ['task', 'task']: 'task' is there twice",
    'keys = "a"': '1: keys = \'a\': it is a table, [keys] and below it next_need = ["n", "f8"]',
    "[keys]\napprove = 1": '2: approve = 1: it takes a key such as "f8", or a list of keys',
    "[keys]\napprove = []": '2: approve = []: it takes a key such as "f8", or a list of keys',
    "keys.approve = 1": '1: approve = 1: it takes a key such as "f8", or a list of keys',
    '[approvers]\n"lena m" = "ssh-rsa x"': "2: 'lena m' = 'ssh-rsa x': it takes a public key, \"ed25519:\" and 44 "
    "characters of base64",
    '[approvers]\n"" = "x"': "2: a name in [approvers] must not be empty",
    'x = "\\u001b[2J\\u202e"': "1: unknown setting 'x'; there are",
    '"\\u001b[2J" = 1': "1: unknown setting '\\x1b[2J'; there are",
}
UNREADABLE = {
    "theme = nord": "1: it is not TOML: Invalid value",
    "theme = 'a'\ntheme = 'b'": "2: it is not TOML: Cannot overwrite a value",
    f"a = {'[' * 5000}{']' * 5000}": " its values stand too deep in each other",
}


@pytest.mark.parametrize("text", NEAR)
@pytest.mark.parametrize("whose", ["user", "project"])
def test_each_error_names_file_line_and_what_is_allowed(
    user: Path, project: Path, registry: Path, whose: str, text: str
) -> None:
    path = user if whose == "user" else project
    path.write_text(text + "\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(registry)
    assert str(caught.value).startswith(f"{path}:{NEAR[text]}")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("text", UNREADABLE)
def test_a_file_that_is_not_toml(user: Path, text: str) -> None:
    user.write_text(text + "\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=f"^{re.escape(f'{user}:{UNREADABLE[text]}')}$"):
        load_config()


def test_of_several_errors_the_first_is_told_and_all_are_kept(user: Path, project: Path, registry: Path) -> None:
    user.write_text("[keys]\napprove = 1\n", encoding="utf-8")
    project.write_text('ascii = 1\nperson = "x"\n\nsize = 1\n', encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(registry)
    first, *others = caught.value.problems
    assert str(caught.value) == f"{first} (and 3 more: `collab-tui config` lists them)"
    places = [f"{user}:2", f"{project}:1", f"{project}:2", f"{project}:4"]
    assert [problem.split(": ")[0] for problem in (first, *others)] == places


def test_what_ends_sessions_goes_on_without_what_is_wrong_and_starts_nothing(
    user: Path, project: Path, registry: Path
) -> None:
    rule = '[[rule]]\nname = "r"\non = true\nwhen = { event = "ready" }\nthen = { run = ["true"] }\n'
    mine = f'person = "mira"\npoll = 2\nnotify_command = ["true"]\n[workers]\noops = 1\n{rule}'
    user.write_text(mine, encoding="utf-8")
    project.write_text(f'ascii = true\n[approvers]\nlena = "{KEY}"\n', encoding="utf-8")
    config, problems = load_harmless(registry)
    assert [problem.partition(": ")[0] for problem in problems] == [f"{user}:5"]
    assert (config.person, config.poll, config.ascii) == ("mira", 2, True)
    assert (config.notify_command, config.rules, config.approvers) == (None, (), {})
    user.write_text('person = "mira"\n', encoding="utf-8")
    assert load_harmless(registry) == (load_config(registry), ())


def test_only_the_user_names_the_person(user: Path, project: Path, registry: Path) -> None:
    project.write_text('person = "mallory"\n', encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(registry)
    assert str(caught.value) == f"{project}:1: 'person' is yours to set, in {user}, not a project's"


def test_a_file_that_is_not_utf_8(project: Path, registry: Path) -> None:
    project.write_bytes('person = "é"\n'.encode("latin-1"))
    with pytest.raises(ConfigError, match=re.escape(str(project)) + ": it is not UTF-8 .*; save it as UTF-8"):
        load_config(registry)


def test_a_folder_in_its_place(user: Path) -> None:
    user.mkdir()
    with pytest.raises(ConfigError, match=re.escape(f"{user}: it is no file")):
        load_config()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_a_pipe_in_its_place_does_not_hold_us_up(project: Path, registry: Path) -> None:
    os.mkfifo(project)
    with pytest.raises(ConfigError, match=re.escape(f"{project}: it is no file")):
        load_config(registry)


def test_a_registry_below_a_file(tmp_path: Path) -> None:
    """There is no config there, and looking for one is no error."""
    (tmp_path / "file").touch()
    assert load_config(tmp_path / "file" / "registry.jsonl") == Config()


TOML = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "keys", "x y"]), inner, max_size=2)
    ),
    max_leaves=4,
)
SETTING_NAMES = st.sampled_from([setting.name for setting in SETTINGS] + ["stale", "x y", "", "é"])


def as_toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {as_toml(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(as_toml, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(SETTING_NAMES, TOML, max_size=4))
def test_any_file_is_settings_or_an_error_with_its_line(user: Path, values: dict[str, object]) -> None:
    user.write_text("".join(f"{json.dumps(n)} = {as_toml(v)}\n" for n, v in values.items()), encoding="utf-8")
    try:
        config = load_config()
    except ConfigError as error:
        told = error.problems
        assert all(
            re.match(rf"{re.escape(str(user))}:[1-9]\d*: |{re.escape(str(user))}: it is not TOML", p) for p in told
        )
        assert all(problem.isprintable() for problem in told)
    else:
        assert {name.partition(".")[0] for name in config.sources} <= set(values)
        assert all(source.line <= len(values) for source in config.sources.values())


# What a project may set only with the person's leave

RESTRICTED = f'order = "name"\n[keys]\napprove = "n"\n[approvers]\nlena = "{KEY}"\n'


def allow(registry: Path) -> None:
    waiting = load_config(registry).waiting
    assert waiting is not None
    allow_project(waiting)


def test_what_was_not_allowed_is_not_in_force_and_the_rest_is(project: Path, registry: Path) -> None:
    project.write_text(RESTRICTED, encoding="utf-8")
    config = load_config(registry)
    assert (config.order, config.keys, config.approvers) == ("name", {}, {})
    assert config.sources == {"order": Source(project, 1)}
    assert config.waiting is not None
    assert config.waiting.path == project
    assert config.waiting.content == {"keys": {"approve": "n"}, "approvers": {"lena": KEY}}


def test_what_was_allowed_is_in_force(project: Path, registry: Path) -> None:
    project.write_text(RESTRICTED, encoding="utf-8")
    allow(registry)
    config = load_config(registry)
    assert config.waiting is None
    assert (config.keys, config.approvers) == ({"approve": ("n",)}, {"lena": KEY})
    assert config.sources["approvers.lena"] == Source(project, 5)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("approve =", "unblock ="),
        ('"n"', '"z"'),
        ("lena", "mallory"),
        (KEY, OTHER_KEY),
        ("[approvers]", "x = 'f9'\n[approvers]"),
    ],
)
def test_other_content_needs_another_leave(project: Path, registry: Path, old: str, new: str) -> None:
    project.write_text(RESTRICTED, encoding="utf-8")
    allow(registry)
    project.write_text(RESTRICTED.replace(old, new), encoding="utf-8")
    config = load_config(registry)
    assert (config.keys, config.approvers) == ({}, {})
    assert config.waiting is not None


def test_what_is_not_restricted_may_change_without_leave(project: Path, registry: Path) -> None:
    project.write_text(RESTRICTED, encoding="utf-8")
    allow(registry)
    project.write_text(f"# read this\nascii = true\n{RESTRICTED}", encoding="utf-8")
    config = load_config(registry)
    assert (config.waiting, config.ascii, config.approvers) == (None, True, {"lena": KEY})


def test_going_back_to_what_was_allowed_once_needs_leave_again(project: Path, registry: Path) -> None:
    project.write_text(RESTRICTED, encoding="utf-8")
    allow(registry)
    project.write_text(RESTRICTED.replace(KEY, OTHER_KEY), encoding="utf-8")
    allow(registry)
    assert load_config(registry).approvers == {"lena": OTHER_KEY}
    project.write_text(RESTRICTED, encoding="utf-8")
    assert load_config(registry).waiting is not None


def test_the_same_content_in_another_project_is_not_allowed(project: Path, registry: Path, tmp_path: Path) -> None:
    project.write_text(RESTRICTED, encoding="utf-8")
    allow(registry)
    other = tmp_path / "other" / ".collab" / "registry.jsonl"
    other.parent.mkdir(parents=True)
    project_config_file(other).write_text(RESTRICTED, encoding="utf-8")
    assert load_config(other).waiting is not None
    allow(other)
    assert load_config(other).waiting is load_config(registry).waiting is None


@pytest.mark.parametrize("name", ["human", "Mina", '" HUMAN "'])
def test_no_project_says_which_key_is_the_persons_own(name: str, user: Path, project: Path, registry: Path) -> None:
    user.write_text('person = "mina"\n', encoding="utf-8")
    project.write_text(f'[approvers]\nlena = "{KEY}"\n{name} = "{KEY}"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"config\.toml:3: .* is you: your own key is in") as refused:
        load_config(registry)
    assert len(refused.value.problems) == 1


def test_no_project_gives_somebody_the_user_knows_another_key(user: Path, project: Path, registry: Path) -> None:
    user.write_text(f'[approvers]\nLena = "{OTHER_KEY}"\n', encoding="utf-8")
    project.write_text(f'[approvers]\nlena = "{KEY}"\nhana = "{KEY}"\n', encoding="utf-8")
    allow(registry)
    assert load_config(registry).approvers == {"Lena": OTHER_KEY, "hana": KEY}


def test_what_was_allowed_can_be_read_and_written_by_the_user_alone(user: Path, project: Path, registry: Path) -> None:
    project.write_text(RESTRICTED, encoding="utf-8")
    user.parent.rmdir()  # as it is before the first setting
    allow(registry)
    allowed = user.with_name("allowed.json")
    assert list(user.parent.iterdir()) == [allowed]
    assert list(json.loads(allowed.read_bytes())) == [str(project)]
    if os.name == "posix":
        assert allowed.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name != "posix", reason="needs the modes of files")
def test_a_list_of_what_was_allowed_that_others_can_write_does_not_count(
    user: Path, project: Path, registry: Path
) -> None:
    project.write_text(RESTRICTED, encoding="utf-8")
    allow(registry)
    user.with_name("allowed.json").chmod(0o622)
    with pytest.raises(ConfigError, match=r"allowed\.json: others can write it, so it does not count; `rm "):
        load_config(registry)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"a":'])
def test_a_damaged_list_of_what_was_allowed_is_told(user: Path, project: Path, registry: Path, content: bytes) -> None:
    allowed = user.with_name("allowed.json")
    allowed.write_bytes(content)
    allowed.chmod(0o600)
    assert load_config(registry) == Config()  # nothing has to be looked up
    project.write_text(RESTRICTED, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"allowed\.json: .*; `rm "):
        load_config(registry)


# Line numbers

BARE = st.text("abc_-19", min_size=1, max_size=4)
NAMES = BARE | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=5)
VALUES = st.sampled_from(
    [
        "1",
        "'it # [ is'",
        '"a \\" ] b"',
        '"""one\n"two"\n# three"""',
        "'''[\n]'''",
        "[1, # x ]\n 2]",
        "[[1], ['}']]",
        '""""q""""',
    ]
)
GAPS = st.sampled_from(["", "\n", "# [no] = 1\n", "  \n\t# x\n"])


def quoted(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


@given(st.dictionaries(NAMES, st.dictionaries(NAMES, st.tuples(GAPS, VALUES), max_size=4), max_size=4), st.booleans())
def test_every_setting_is_found_on_its_line(tables: dict[str, dict[str, tuple[str, str]]], dotted: bool) -> None:
    text, expected = "", {}
    for table, values in tables.items():
        for number, (name, (gap, value)) in enumerate(values.items()):
            text += gap
            if number == 0 and not dotted:
                text += f" [ {quoted(table)} ] # x\n"
            line = text.count("\n") + 1
            text += f"{quoted(table)} . {quoted(name)}={value}\n" if dotted else f"  {quoted(name)} = {value} # x\n"
            expected[table, name] = line
    found = line_numbers(text)
    assert {path: line for path, line in found.items() if len(path) == 2} == expected
    assert {path for path in found if len(path) == 1} == {(table,) for table, _ in expected}


def test_inline_and_repeated_tables_are_found_where_they_begin() -> None:
    text = "keys = {approve = 'a', reject = {x = 1}}\n\n[[rules]]\nname = 1\n[[rules]]\nname = 2\n[rules.on]\n"
    assert line_numbers(text) == {
        ("keys",): 1,
        ("keys", "approve"): 1,
        ("keys", "reject"): 1,
        ("keys", "reject", "x"): 1,
        ("rules",): 3,
        ("rules", "1"): 3,
        ("rules", "1", "name"): 4,
        ("rules", "2"): 5,
        ("rules", "2", "name"): 6,
        ("rules", "2", "on"): 7,
    }
