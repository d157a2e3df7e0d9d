"""Definitions of agents: whose file counts, what it may say, and what is said about one that cannot be used."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from collab_tui.config.source import Source
from collab_tui.sessions.built_in import BUILT_IN
from collab_tui.sessions.defining import load_definitions
from collab_tui.sessions.definitions import Definition, DefinitionError, DriverKind, Exchange

ALL = """\
driver = "terminal"
command = ["codex", "--no-daemon"]
role = "reviews"
instructions = \"\"\"
Read first.
Then say.\"\"\"
model = ["--model", "x"]
read_only = []
resume = ["--chat", "{id}"]
environment = ["GH_TOKEN"]
tools = ["Bash(git log:*)"]
ready = ['^> ']
busy = ['working']
dialog = ['\\(y/n\\)']
multiline = true
quiet = 0.5
start_limit = 10
worktree = false

[mcp.hub]
command = "hub-mcp"
args = ["--read"]
env = ["HUB_TOKEN"]

[mcp.docs]
url = "https://docs.example/mcp"
"""


@pytest.fixture(autouse=True)
def user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The user's own definitions, none yet."""
    folder = tmp_path / "user"
    monkeypatch.setattr("platformdirs.user_config_dir", lambda name, appauthor: str(folder))
    (folder / "agents").mkdir(parents=True)
    return folder / "agents"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project's, none yet."""
    folder = tmp_path / "project" / ".collab" / "agents"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def registry(project: Path) -> Path:
    return project.with_name("registry.jsonl")


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / f"{name}.toml"
    file.write_text(text, encoding="utf-8")
    return file


def refusal(registry: Path, name: str) -> str:
    with pytest.raises(DefinitionError) as refused:
        load_definitions(registry).of(name)
    return str(refused.value)


def test_without_files_there_are_the_built_in_ones(registry: Path) -> None:
    found = load_definitions(registry)
    assert dict(found.all) == BUILT_IN
    assert list(found.all) == sorted(BUILT_IN)
    assert (found.waiting, found.problems) == ({}, {})
    assert found.of("claude").driver is DriverKind.CLAUDE
    assert found.of("gemini").command == ("gemini", "--acp")


def test_everything_that_a_file_may_say(user: Path, registry: Path) -> None:
    file = write(user, "second", ALL)
    assert load_definitions(registry).of("second") == Definition(
        "second",
        DriverKind.TERMINAL,
        ("codex", "--no-daemon"),
        role="reviews",
        instructions="Read first.\nThen say.",
        model=("--model", "x"),
        read_only=(),
        resume=("--chat", "{id}"),
        environment=("GH_TOKEN",),
        tools=("Bash(git log:*)",),
        mcp={
            "hub": {"command": "hub-mcp", "args": ("--read",), "env": ("HUB_TOKEN",)},
            "docs": {"url": "https://docs.example/mcp"},
        },
        ready=("^> ",),
        busy=("working",),
        dialog=(r"\(y/n\)",),
        is_multiline=True,
        quiet=0.5,
        start_limit=10,
        is_worktree=False,
        source=Source(file, 1),
    )


def test_a_line_program(user: Path, registry: Path) -> None:
    write(user, "echo", 'driver = "command"\ncommand = ["cat"]\nexchange = "lines"\n')
    assert load_definitions(registry).of("echo").exchange is Exchange.LINES


def test_a_file_may_begin_as_a_built_in_one_is(user: Path, registry: Path) -> None:
    write(user, "reviewer", 'base = "claude"\ncommand = ["/opt/claude"]\nenvironment = ["GH_TOKEN"]\n')
    reviewer, claude = load_definitions(registry).of("reviewer"), BUILT_IN["claude"]
    assert (reviewer.driver, reviewer.read_only) == (claude.driver, claude.read_only)
    assert (reviewer.name, reviewer.command) == ("reviewer", ("/opt/claude",))
    assert reviewer.environment == (*claude.environment, "GH_TOKEN")


def test_a_base_is_the_built_in_one_not_what_the_user_made_of_its_name(
    user: Path, project: Path, registry: Path
) -> None:
    write(user, "claude", 'base = "claude"\nenvironment = ["MY_SECRET"]\ntools = ["Bash"]\n')
    write(project, "helper", 'base = "claude"\n')
    helper = load_definitions(registry).waiting["helper"].definition
    assert (helper.environment, helper.tools) == (BUILT_IN["claude"].environment, ())


# Whose file counts


def test_what_a_project_says_acts_only_once_that_very_content_is_allowed(project: Path, registry: Path) -> None:
    file = write(project, "builder", 'driver = "command"\ncommand = ["true"]\n')
    found = load_definitions(registry)
    assert "builder" not in found.all
    assert refusal(registry, "builder") == (
        f"{file} defines builder, and what a project says of agents acts only once you allowed it: "
        "`collab-tui session allow builder` shows it and asks"
    )
    assert found.to_allow("builder").part.content == {"builder": {"driver": "command", "command": ["true"]}}
    found.to_allow("builder").allow()
    builder = load_definitions(registry).of("builder")
    assert (builder.command, builder.is_project) == (("true",), True)
    write(project, "builder", 'driver = "command"\ncommand = ["rm"]\n')
    assert "builder" not in load_definitions(registry).all
    write(project, "builder", '# the same\ncommand = ["true"]\ndriver = "command"\n')
    assert load_definitions(registry).of("builder").command == ("true",)


def test_what_is_allowed_of_one_name_or_project_is_not_of_another(
    tmp_path: Path, project: Path, registry: Path
) -> None:
    text = 'driver = "command"\ncommand = ["true"]\n'
    write(project, "one", text)
    load_definitions(registry).to_allow("one").allow()
    write(project, "two", text)
    elsewhere = tmp_path / "elsewhere" / ".collab" / "agents"
    elsewhere.mkdir(parents=True)
    write(elsewhere, "one", text)
    assert list(load_definitions(registry).waiting) == ["two"]
    assert list(load_definitions(elsewhere.with_name("registry.jsonl")).waiting) == ["one"]


def test_a_project_s_file_of_a_built_in_name_neither_acts_nor_is_passed_over(project: Path, registry: Path) -> None:
    write(project, "claude", 'base = "claude"\ncommand = ["./evil"]\n')
    found = load_definitions(registry)
    assert "claude" not in found.all
    assert "acts only once you allowed it" in refusal(registry, "claude")
    assert found.of("codex") == BUILT_IN["codex"]
    found.to_allow("claude").allow()
    assert load_definitions(registry).of("claude").command == ("./evil",)


def test_a_project_says_nothing_of_a_name_that_is_the_user_s_own(user: Path, project: Path, registry: Path) -> None:
    write(user, "claude", 'base = "claude"\nrole = "mine"\n')
    write(project, "claude", 'base = "claude"\ncommand = ["./evil"]\ntools = ["Bash"]\n')
    found = load_definitions(registry)
    assert found.of("claude").command == ("claude",)
    assert found.of("claude").role == "mine"
    assert found.waiting == {}


def test_a_user_s_file_with_mistakes_does_not_give_way_to_another(user: Path, project: Path, registry: Path) -> None:
    write(user, "claude", 'base = "claud"\n')
    write(project, "claude", 'base = "claude"\n')
    assert "there is no built-in agent 'claud'; did you mean claude?" in refusal(registry, "claude")
    assert load_definitions(registry).waiting == {}


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_of_the_user_s_that_others_can_write_starts_nothing(user: Path, registry: Path, mode: int) -> None:
    file = write(user, "mine", 'base = "claude"\n')
    file.chmod(mode)
    assert refusal(registry, "mine") == (
        f"{file}: others can write this file, so nothing that it names is started: "
        f"`chmod go-w {file}`, and see that the file is yours"
    )
    file.chmod(0o644)
    assert load_definitions(registry).of("mine").command == ("claude",)


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
def test_what_was_allowed_counts_only_while_nobody_else_can_write_it(user: Path, project: Path, registry: Path) -> None:
    write(project, "builder", 'base = "claude"\n')
    load_definitions(registry).to_allow("builder").allow()
    (user.parent / "allowed.json").chmod(0o666)
    assert "others can write it, so it does not count" in refusal(registry, "builder")
    with pytest.raises(DefinitionError, match="others can write it"):
        load_definitions(registry).to_allow("builder")


def test_nothing_to_allow_is_told(user: Path, project: Path, registry: Path) -> None:
    file = write(project, "builder", 'base = "claude"\n')
    own = write(user, "mine", 'base = "claude"\n')
    load_definitions(registry).to_allow("builder").allow()
    found = load_definitions(registry)
    for name, told in (
        ("builder", f"builder is allowed: {file}"),
        ("mine", f"mine needs no leave: {own}"),
        ("codex", "codex needs no leave: built in"),
        ("bulider", "no agent is defined as 'bulider'; did you mean builder?"),
    ):
        with pytest.raises(DefinitionError) as refused:
            found.to_allow(name)
        assert str(refused.value) == told


# Mistakes


def test_an_unknown_name_is_told_with_what_there_is(registry: Path) -> None:
    assert refusal(registry, "cluade") == "no agent is defined as 'cluade'; did you mean claude?"
    assert refusal(registry, "\x1b[2J") == f"no agent is defined as '␛[2J'; there are {', '.join(sorted(BUILT_IN))}"


START = 'driver = "terminal"\ncommand = ["x"]\n'


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("", 1, 'it needs driver, or a built-in agent to begin with: base = "claude"'),
        ('driver = "acp"\n', 1, 'it needs command, or a built-in agent to begin with: base = "claude"'),
        ('drivr = "acp"\n', 1, "unknown key 'drivr'; did you mean driver?"),
        ('driver = "tmux"\n', 1, "driver = 'tmux': it takes claude, codex, acp, terminal or command"),
        ("base = 7\n", 1, "base = 7: it takes a text in quotes"),
        ('base = "gemni"\n', 1, "base = 'gemni': there is no built-in agent 'gemni'; did you mean gemini?"),
        ('base = "codex"\ncommand = "codex"\n', 2, "command = 'codex': it takes a list of texts, the program"),
        ('base = "codex"\nrole = "a\\nb"\n', 2, "role = 'a\\nb': it takes one line"),
        ('base = "codex"\nrole = "\\u001b[2J"\n', 2, "it has characters that cannot be seen, or that steer a terminal"),
        (f'base = "codex"\nrole = "{"x" * 121}"\n', 2, "it takes at most 120 characters"),
        (f'base = "codex"\ninstructions = "{"x" * 40_000}"\n', 2, "it takes at most 32,768 characters"),
        ('base = "codex"\nmodel = "opus"\n', 2, 'model = \'opus\': it takes a list of texts: ["--model", "opus"]'),
        (
            'base = "codex"\nread_only = true\n',
            2,
            'it takes a list of texts: ["--dry-run"], with which it changes nothing',
        ),
        ('base = "codex"\nmodel = [""]\n', 2, "none of its texts may be empty"),
        ('base = "codex"\nresume = ["resume"]\n', 2, 'one of its texts has "{id}"'),
        (
            'base = "codex"\nenvironment = ["A=b"]\n',
            2,
            "it takes names of variables, not what they hold: 'A=b' is none",
        ),
        (
            'driver = "terminal"\ncommand = ["aider"]\ntools = ["Read"]\n',
            3,
            "nobody can give tools to 'aider' in a terminal: leave it out",
        ),
        ('base = "codex"\nenvironment = ["COLLAB_AGENT"]\n', 2, "COLLAB_AGENT is ours to give: leave it out"),
        ('base = "codex"\nexchange = "lines"\n', 2, 'exchange is of driver = "command", and this one has "codex"'),
        ('base = "codex"\nready = ["x"]\n', 2, 'ready is of driver = "terminal", and this one has "codex"'),
        (f"{START}ready = ['(']\n", 3, "'(' is no regular expression: missing ), unterminated subpattern"),
        (f"{START}ready = ['{'x' * 501}']\n", 3, "a regular expression has at most 500 characters"),
        (f"{START}quiet = 0\n", 3, "quiet = 0: it takes more than 0 and at most 3600 seconds"),
        (f"{START}quiet = nan\n", 3, "quiet = nan: it takes more than 0"),
        (f'{START}worktree = "no"\n', 3, "worktree = 'no': it takes true or false"),
        (f"{START}mcp = 1\n", 3, "it is a table of servers"),
        (f"{START}[mcp.hub]\n", 3, "it takes command or url, one of them"),
        (f'{START}[mcp.hub]\ncomand = "x"\n', 4, "unknown key 'comand'; did you mean command?"),
        (f'{START}[mcp.hub]\nurl = "ftp://x"\n', 4, "url = 'ftp://x': it takes an address"),
        (f'{START}[mcp.hub]\nurl = "https://x"\nargs = ["y"]\n', 5, "args is of command, and this one has url"),
        (f'{START}[mcp."../x"]\nurl = "https://x"\n', 3, "a server has small letters, digits, - and _"),
    ],
)
def test_every_mistake_is_told_with_file_line_and_what_is_wanted(
    user: Path, registry: Path, text: str, line: int, told: str
) -> None:
    file = write(user, "mine", text)
    first = refusal(registry, "mine").splitlines()[0]
    assert first.startswith(f"{file}:{line}: ")
    assert told in first
    assert load_definitions(registry).of("codex") == BUILT_IN["codex"]


def test_all_mistakes_are_told_at_once(user: Path, registry: Path) -> None:
    file = write(user, "mine", 'worktree = 1\nbase = "x"\nquite = 2\n')
    assert [line.partition(": ")[0] for line in refusal(registry, "mine").splitlines()] == [
        f"{file}:{line}" for line in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"x = ", "it is not TOML"), (b"\xff", "it is not UTF-8"), (b"#" * (1 << 21), "it is no file of at most")],
)
def test_what_is_no_definition_at_all_is_told(user: Path, registry: Path, content: bytes, told: str) -> None:
    file = user / "mine.toml"
    file.write_bytes(content)
    assert refusal(registry, "mine").startswith(f"{file}: {told}")


@pytest.mark.parametrize("name", ["Lena", "a.b", "-x", "con", "민수"])
def test_a_file_whose_name_is_not_taken_is_told(project: Path, registry: Path, name: str) -> None:
    file = write(project, name, 'base = "claude"\n')
    assert refusal(registry, name).startswith(f"{file}: ")
    assert load_definitions(registry).waiting == {}


def test_what_is_allowed_is_kept_with_what_settings_may_say(user: Path, project: Path, registry: Path) -> None:
    file = write(project, "builder", 'base = "claude"\n')
    load_definitions(registry).to_allow("builder").allow()
    kept = user.parent / "allowed.json"
    assert list(json.loads(kept.read_text(encoding="utf-8"))) == [str(file.resolve())]
