"""Help, version, and how errors end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from collab_tui import __version__
from collab_tui.cli.arguments import make_parser
from collab_tui.cli.main import COMMANDS
from tests.cli.conftest import Collab
from tests.program import environment, run


def test_version(collab: Collab) -> None:
    assert collab("--version") == (0, f"collab-tui {__version__}\n", "")


def test_help_lists_every_command_with_examples(collab: Collab) -> None:
    code, out, err = collab("--help")
    assert (code, err) == (0, "")
    assert "examples:" in out
    for name, text in COMMANDS.items():
        assert name in out
        assert text in out


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_examples(collab: Collab, command: str) -> None:
    code, out, err = collab(command, "--help")
    assert (code, err) == (0, "")
    assert "examples:" in out
    assert f"  collab-tui {command}" in out
    assert all(len(line) <= 120 for line in out.splitlines())


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_can_be_shown_on_any_console(tmp_path: Path, command: str) -> None:
    env = environment(tmp_path, PYTHONIOENCODING="ascii:strict")
    done = run(*command.split(), "--help", cwd=tmp_path, env=env)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("command", ["emit", "decide", "unblock", "status", "log"])
def test_every_command_takes_the_registry(collab: Collab, command: str) -> None:
    assert "--registry FILE" in collab(command, "--help")[1]


@pytest.mark.parametrize(
    "arguments",
    [("status",), ("log",), ("emit", "x", "--agent", "a"), ("decide", "a", "approve"), ("unblock", "a", "b"), ()],
    ids=" ".join,
)
def test_without_a_registry_there_are_three_ways_to_go_on(collab: Collab, arguments: tuple[str, ...]) -> None:
    code, out, err = collab(*arguments)
    assert (code, out) == (2, "")
    first, *ways = err.splitlines()
    assert first.startswith("collab-tui: no registry here or above")
    assert [way.split()[:2] for way in ways] == [
        ["collab-tui", "init"],
        ["collab-tui", "FILE.jsonl"],
        ["collab-tui", "demo"],
    ]


@pytest.mark.parametrize(
    "arguments", [("status",), ("log",), ("decide", "a", "approve"), ("unblock", "a", "b")], ids=" ".join
)
def test_a_registry_that_is_not_there(collab: Collab, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    code, out, err = collab(*arguments, "--registry", str(tmp_path / "none.jsonl"))
    assert (code, out) == (2, "")
    assert (
        err == f"collab-tui: there is no {tmp_path / 'none.jsonl'}; `collab-tui init` makes a registry for a project\n"
    )


@pytest.mark.parametrize("command", ["status", "log"])
def test_a_registry_that_cannot_be_read(collab: Collab, tmp_path: Path, command: str) -> None:
    code, out, err = collab(command, "--registry", str(tmp_path))
    assert (code, out) == (2, "")
    assert err.startswith(f"collab-tui: cannot read {tmp_path}: ")
    assert err.count("\n") == 1


def test_the_registry_is_found_from_a_folder_below(
    collab: Collab, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = registry.parent / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert collab("emit", "message", "--agent", "sena") == (0, "", "")
    assert registry.read_bytes().count(b"\n") == 8


def test_the_environment_names_the_registry(collab: Collab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLAB_REGISTRY", str(tmp_path / "other.jsonl"))
    assert collab("emit", "message", "--agent", "sena")[0] == 0
    assert (tmp_path / "other.jsonl").exists()
    assert collab("emit", "message", "--agent", "sena", "--registry", str(tmp_path / "third.jsonl"))[0] == 0
    assert (tmp_path / "third.jsonl").exists()


@pytest.mark.parametrize("spelling", [("--registry", "{}"), ("--registry={}",)], ids=["two words", "one"])
def test_the_registry_may_stand_before_the_command(
    collab: Collab, registry: Path, tmp_path: Path, spelling: tuple[str, ...]
) -> None:
    other = tmp_path / "other.jsonl"
    first = [part.format(other) for part in spelling]
    assert collab(*first, "emit", "x", "--agent", "lena") == (0, "", "")
    assert b'"lena"' in other.read_bytes()
    code, out, _ = collab(*first, "status")
    assert (code, "lena" in out, "sena" in out) == (0, True, False)
    assert collab(*first, "log", "-lena") == (0, "", "")


@pytest.mark.parametrize("command", [(), ("status",)], ids=["board", "status"])
def test_one_registry_is_enough(collab: Collab, registry: Path, command: tuple[str, ...]) -> None:
    code, out, err = collab(*command, "a.jsonl", "--registry", "b.jsonl")
    assert (code, out) == (2, "")
    assert "'a.jsonl' and --registry 'b.jsonl': give one registry" in err


@pytest.mark.parametrize("command", ["init", "demo"])
def test_what_makes_its_own_registry_takes_none(collab: Collab, registry: Path, command: str) -> None:
    for arguments in ((command, "--registry", "a.jsonl"), ("--registry", "a.jsonl", command)):
        code, out, err = collab(*arguments)
        assert (code, out) == (2, "")
        assert f"usage: collab-tui {command}" in err
        assert "--registry" in err.splitlines()[-1]
    assert not (registry.parent / ".collab").exists()


@pytest.mark.parametrize(
    ("given", "near"),
    [
        (("statsu",), "did you mean `collab-tui status`?"),
        (("statsu", "--json"), "did you mean `collab-tui status`?"),
        (("decdie", "3f2a", "approve"), "did you mean `collab-tui decide`?"),
        (("--poll", "1", "log"), "did you mean `collab-tui log`?"),
        (("xyzzy",), "`collab-tui --help` lists the commands."),
    ],
    ids=str,
)
def test_a_mistyped_command_is_no_registry(collab: Collab, given: tuple[str, ...], near: str) -> None:
    code, out, err = collab(*given)
    assert (code, out) == (2, "")
    assert near in err
    assert err.count("\n") == 1


def test_a_registry_that_will_come_may_have_any_name(collab: Collab, tmp_path: Path) -> None:
    (tmp_path / "project" / "here").touch()
    for given in (("statsu.jsonl",), ("./statsu",), ("--registry", "statsu"), ("here",)):
        assert "the board needs a terminal" in collab(*given)[2]


def test_bad_settings_are_one_line(collab: Collab, registry: Path) -> None:
    config = registry.parent / ".collab" / "config.toml"
    config.parent.mkdir()
    config.write_text("thme = 1\n", encoding="utf-8")
    for command in ("status", "status --json", "decide aaaa0001 approve", "unblock gitcode no"):
        code, out, err = collab(*command.split())
        assert (code, out) == (2, "")
        assert err.startswith(f"collab-tui: {config}:1: unknown setting 'thme'")
        assert err.count("\n") == 1
    assert collab("emit", "message", "--agent", "sena")[0] == 0  # a hook must not stop at them


@pytest.mark.parametrize(
    "bad", [("status", "--nonsense"), ("log", "--nonsense"), ("emit", "x", "--nonsense"), ("--nonsense",)]
)
def test_unknown_options_are_usage_errors(collab: Collab, bad: tuple[str, ...]) -> None:
    code, out, err = collab(*bad)
    assert (code, out) == (2, "")
    assert "--nonsense" in err


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "often", "4000"])
@pytest.mark.parametrize("command", [("log", "--follow"), ()], ids=["log", "board"])
def test_how_often_to_look_has_limits(collab: Collab, registry: Path, command: tuple[str, ...], seconds: str) -> None:
    code, _, err = collab(*command, f"--poll={seconds}")
    assert code == 2
    assert "between 0.05 and 3600 seconds" in err


def test_the_demo_and_the_board_need_a_terminal(collab: Collab, registry: Path) -> None:
    for command in (("demo",), (), (str(registry),)):
        code, out, err = collab(*command)
        assert (code, out) == (2, "")
        assert "terminal" in err
        assert err.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps such folders")
def test_a_working_directory_that_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    program = 'import os, sys; from collab_tui.cli.main import main; os.rmdir(os.getcwd()); sys.exit(main(["status"]))'
    env, command = environment(tmp_path), [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == b"collab-tui: the folder you are in is gone; give --registry FILE\n"
    folder.mkdir()
    (tmp_path / "r.jsonl").touch()
    env["COLLAB_REGISTRY"] = str(tmp_path / "r.jsonl")
    assert subprocess.run(command, cwd=folder, env=env, capture_output=True).returncode == 0


def test_long_lines_of_a_help_are_broken_between_words_and_examples_keep_their_columns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "42")
    example = (
        "  run --now   do it at once, or as soon as that is possible\n  run | another --option --option --option x\n"
    )
    text = make_parser(
        "x", "", f"{example}Prose that is too long for one line\nis filled anew.\nexit: 0 done"
    ).format_help()
    assert text.partition("examples:\n")[2].splitlines() == [
        "  run --now   do it at once, or as soon",
        "              as that is possible",
        "  run | another --option --option --option x",
        "Prose that is too long for one line is",
        "filled anew.",
        "exit: 0 done",
    ]
