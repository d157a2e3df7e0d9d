"""`collab-tui connect` and `disconnect`: the files of agents, as a person has them changed."""

from __future__ import annotations

import builtins
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import pytest

from tests.cli.conftest import Collab
from tests.program import PROGRAM, environment, run
from tests.signing import THIRD_KEY

SETTINGS = """\
{
  "permissions": {
    "allow": ["Bash(npm run lint)", "Bash(git log:*)"],
    "deny": []
  },
  "hooks": {
    "PostToolUse": [
      {
        "matcher": "Edit|Write",
        "hooks": [
          { "type": "command", "command": "npx prettier --write \\"$FILE\\"" }
        ]
      }
    ]
  },
  "env": { "제목": "한글" }
}
"""
"""As Claude Code and its users leave it."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder; the project in which the tests are has a registry."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(folder))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("XDG_STATE_HOME", "WIN_PD_OVERRIDE_LOCAL_APPDATA"):
        monkeypatch.setenv(name, str(folder / "state"))
    Path(".collab").mkdir()
    Path(".collab/registry.jsonl").touch()
    return folder


def kept(home: Path) -> list[Path]:
    """What is kept of files as they were."""
    return sorted((home / "state" / "collab-tui" / "hooks" / "kept").glob("*"))


@pytest.fixture
def claude() -> Path:
    """Claude Code's settings of this project, with something in them."""
    path = Path(".claude/settings.local.json")
    path.parent.mkdir()
    path.write_bytes(SETTINGS.encode())
    return path


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """What the person types when asked."""

    def answer(text: str) -> None:
        monkeypatch.setattr(builtins, "input", lambda prompt: print(prompt) or text)

    return answer


def handlers(path: Path) -> list[dict[str, Any]]:
    """All handlers in a file, of ours and of others."""
    hooks = json.loads(path.read_text("utf-8"))["hooks"]
    return [handler for groups in hooks.values() for group in groups for handler in group["hooks"]]


def test_a_person_sees_the_change_and_agrees(
    collab: Collab, claude: Path, home: Path, terminal: TextIO, says: Callable[[str], None]
) -> None:
    says("y")
    code, out, err = collab("connect", "claude", "--as", "sena", stdin=terminal)
    assert (code, err) == (0, "")
    assert out.startswith(f"--- {claude}\n+++ {claude}\n@@ ")
    assert f'+            "command": {json.dumps(PROGRAM)},' in out
    assert '+            "args": ["hook", "claude", "--as", "sena"],' in out
    assert "entries of ours; the rest stays as it is.\nWrite this? [y/N] " in out
    (before,) = kept(home)
    assert f"Wrote {claude}; as it was before: ~{os.sep}{before.relative_to(home)}" in out
    assert f"claude mcp add collab -- {PROGRAM} mcp --as sena" in out
    assert json.loads(claude.read_text("utf-8"))["permissions"] == json.loads(SETTINGS)["permissions"]
    assert {handler["command"] for handler in handlers(claude)} == {PROGRAM, 'npx prettier --write "$FILE"'}
    assert before.read_bytes() == SETTINGS.encode()
    assert list(claude.parent.iterdir()) == [claude], "git would find what is kept beside it, with its secrets"


def test_a_person_who_does_not_agree_changes_nothing(
    collab: Collab, claude: Path, terminal: TextIO, says: Callable[[str], None]
) -> None:
    for answer in ("", "n", "what?"):
        says(answer)
        code, out, _ = collab("connect", "claude", stdin=terminal)
        assert (code, out.splitlines()[-1]) == (1, "Nothing was written.")
    assert claude.read_bytes() == SETTINGS.encode()
    assert list(claude.parent.iterdir()) == [claude]


def test_ctrl_d_is_a_no(collab: Collab, claude: Path, terminal: TextIO, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr(builtins, "input", end)
    code, out, err = collab("connect", "claude", stdin=terminal)
    assert (code, err, out.splitlines()[-1]) == (1, "", "Nothing was written.")
    assert claude.read_bytes() == SETTINGS.encode()


def test_where_nobody_can_be_asked_it_needs_to_be_told(collab: Collab, claude: Path) -> None:
    code, out, err = collab("connect", "claude")
    assert code == 1
    assert out.startswith("--- ")
    assert err == ("collab-tui: nothing was written: nobody can be asked here; look at the change, then add --yes\n")
    assert claude.read_bytes() == SETTINGS.encode()
    assert collab("connect", "claude", "--yes")[0] == 0


def test_a_dry_run_only_shows(collab: Collab, claude: Path) -> None:
    code, out, err = collab("connect", "claude", "--dry-run", "--yes")
    assert (code, err) == (0, "")
    assert out.endswith("entries of ours; the rest stays as it is.\nNothing was written: --dry-run.\n")
    assert claude.read_bytes() == SETTINGS.encode()
    assert list(claude.parent.iterdir()) == [claude]


def test_the_diff_is_one_that_patch_takes(collab: Collab, claude: Path) -> None:
    out = collab("connect", "claude", "--dry-run")[1]
    diff = out[: out.rindex("\n\n") + 1]
    done = subprocess.run(["git", "apply", "-p0", "-"], input=diff.encode(), capture_output=True)
    assert done.returncode == 0, done.stderr
    patched = claude.read_bytes()
    claude.write_bytes(SETTINGS.encode())
    collab("connect", "claude", "--yes")
    assert claude.read_bytes() == patched


@pytest.mark.parametrize("agent", ["claude", "codex"])
def test_again_there_is_nothing_to_do(collab: Collab, agent: str) -> None:
    collab("connect", agent, "--as", "sena", "--yes")
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    code, out, _ = collab("connect", agent, "--as", "sena")
    assert code == 0
    assert "is connected already" in out
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before


def test_another_name_is_brought_up_to_date_in_its_place(collab: Collab, claude: Path, home: Path) -> None:
    collab("connect", "claude", "--as", "sena", "--yes")
    first = claude.read_text("utf-8")
    out = collab("connect", "claude", "--as", "lubit", "--yes")[1]
    assert "entries up to date" in out
    assert claude.read_text("utf-8") == first.replace('"sena"', '"lubit"')
    assert [path.read_bytes() for path in kept(home)] == [SETTINGS.encode()]


def test_a_name_and_a_registry_that_are_not_given_again_stay(collab: Collab, claude: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.touch()
    collab("connect", "claude", "--as", "sena", "--registry", str(other), "--yes")
    connected = claude.read_bytes()
    code, out, _ = collab("connect", "claude")
    assert code == 0
    assert "is connected already" in out
    assert f"mcp --as sena --registry {other}" in out
    assert claude.read_bytes() == connected


@pytest.mark.parametrize("agent", ["claude", "codex"])
@pytest.mark.parametrize("scope", ["--project", "--user"])
def test_disconnect_leaves_no_trace(collab: Collab, home: Path, agent: str, scope: str) -> None:
    assert collab("connect", agent, scope, "--yes")[0] == 0
    assert [path for folder in (home, Path()) for path in folder.rglob("*.json")] != []
    code, out, err = collab("disconnect", agent, scope, "--yes")
    assert (code, err) == (0, "")
    assert "was not there before: it is removed" in out
    assert [path for folder in (home, Path()) for path in folder.rglob("*.json*") if "registry" not in path.name] == []
    assert not (home / f".{agent}").exists()
    assert not Path(f".{agent}").exists()


def test_disconnect_leaves_a_folder_that_holds_something_else(collab: Collab) -> None:
    assert collab("connect", "claude", "--yes")[0] == 0
    Path(".claude/agents").mkdir()
    assert collab("disconnect", "claude", "--yes")[0] == 0
    assert list(Path(".claude").iterdir()) == [Path(".claude/agents")]


@pytest.mark.parametrize(
    "settings",
    [
        SETTINGS,
        SETTINGS.replace("\n", "\r\n"),
        "\ufeff" + SETTINGS,
        SETTINGS.removesuffix("\n"),
        "{}",
        "{ }\n",
        '{"hooks": {}}',
        '{"hooks":{"Stop":[],"SessionEnd":[ ]},"x":1}',
        '{\n\t"hooks": {\n\t}\n}\n',
    ],
)
def test_disconnect_gives_the_file_back_byte_for_byte(collab: Collab, claude: Path, home: Path, settings: str) -> None:
    claude.write_bytes(settings.encode())
    assert collab("connect", "claude", "--as", "세나", "--yes")[0] == 0
    assert claude.read_bytes() != settings.encode()
    assert collab("disconnect", "claude", "--yes")[0] == 0
    assert claude.read_bytes() == settings.encode()
    assert list(claude.parent.iterdir()) == [claude]
    assert kept(home) == []


def test_what_others_changed_meanwhile_stays(collab: Collab, claude: Path, home: Path) -> None:
    collab("connect", "claude", "--yes")
    claude.write_bytes(claude.read_bytes().replace(b'"deny": []', b'"deny": ["Bash(rm:*)"]'))
    out = collab("disconnect", "claude", "--yes")[1]
    assert claude.read_bytes() == SETTINGS.encode().replace(b'"deny": []', b'"deny": ["Bash(rm:*)"]')
    (before,) = kept(home)
    assert "It was changed since. As it was before connect it is still kept" in out
    assert f"~{os.sep}{before.relative_to(home)}\n" in out


def test_disconnect_asks_too(collab: Collab, claude: Path, terminal: TextIO, says: Callable[[str], None]) -> None:
    collab("connect", "claude", "--yes")
    connected = claude.read_bytes()
    says("n")
    assert collab("disconnect", "claude", stdin=terminal)[0] == 1
    assert collab("disconnect", "claude", "--dry-run")[0] == 0
    assert collab("disconnect", "claude")[0] == 1
    assert claude.read_bytes() == connected


def test_what_is_not_connected_is_not_disconnected(collab: Collab, claude: Path) -> None:
    for agent in ("claude", "codex"):
        code, out, err = collab("disconnect", agent)
        assert (code, err) == (0, "")
        assert "is not connected there" in out
    assert claude.read_bytes() == SETTINGS.encode()


def test_disconnect_works_where_the_registry_is_gone(collab: Collab, claude: Path) -> None:
    collab("connect", "claude", "--yes")
    Path(".collab/registry.jsonl").unlink()
    assert collab("disconnect", "claude", "--yes")[0] == 0
    assert claude.read_bytes() == SETTINGS.encode()


# Where


def test_the_user_s_files_are_where_the_programs_look_for_them(
    collab: Collab, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(".collab/registry.jsonl").unlink()
    assert collab("connect", "claude", "--user", "--yes")[0] == 0
    assert collab("connect", "codex", "--user", "--yes")[0] == 0
    assert (home / ".claude" / "settings.json").exists()
    assert (home / ".codex" / "hooks.json").exists()
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "c"))
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "x"))
    assert collab("connect", "claude", "--user", "--yes")[0] == 0
    assert collab("connect", "codex", "--user", "--yes")[0] == 0
    assert (tmp_path / "c" / "settings.json").exists()
    assert (tmp_path / "x" / "hooks.json").exists()


def test_below_the_project_it_is_the_project_that_is_connected(
    collab: Collab, claude: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (claude.parent / "deep").mkdir()
    path = claude.absolute()
    monkeypatch.chdir(claude.parent / "deep")
    assert collab("connect", "claude", "--yes")[0] == 0
    assert b"collab-tui" in path.read_bytes()
    assert b"--registry" not in path.read_bytes()


def test_a_registry_elsewhere_is_named_in_the_entries(collab: Collab, tmp_path: Path, claude: Path) -> None:
    other = tmp_path / "nas" / "COLLABORATION_STATE.jsonl"
    other.parent.mkdir()
    other.touch()
    assert collab("connect", "claude", "--registry", str(other), "--yes")[0] == 0
    ours = [handler for handler in handlers(claude) if "args" in handler]
    assert all(handler["args"][2:4] == ["--registry", str(other)] for handler in ours)


def test_without_a_registry_it_says_how_to_make_one(collab: Collab) -> None:
    Path(".collab/registry.jsonl").unlink()
    code, out, err = collab("connect", "claude")
    assert (code, out) == (2, "")
    assert "`collab-tui init` makes one for this project, and --user means every project that has one" in err
    code, out, err = collab("connect", "claude", "--registry", "none.jsonl")
    assert (code, out) == (2, "")
    assert "there is no " in err
    assert not Path(".claude").exists()


def test_what_is_connected_twice_is_told(collab: Collab) -> None:
    collab("connect", "claude", "--user", "--yes")
    out = collab("connect", "claude", "--yes")[1]
    assert "so everything would be told twice" in out
    assert "collab-tui disconnect claude --user" in out


def test_hooks_that_are_switched_off_are_told(collab: Collab, claude: Path) -> None:
    claude.write_text('{"disableAllHooks": true}', encoding="utf-8")
    assert "The file says disableAllHooks: none of its hooks runs" in collab("connect", "claude", "--yes")[1]


def test_what_git_would_take_in_is_told(collab: Collab, claude: Path) -> None:
    told = f"{claude} names a path of this machine: keep it out of git."
    assert told not in collab("connect", "claude", "--yes")[1]
    subprocess.run(["git", "init", "-q"], check=True)
    assert told in collab("connect", "claude", "--yes")[1]
    Path(".gitignore").write_text("*.local.json\n", encoding="utf-8")
    assert told not in collab("connect", "claude", "--yes")[1]


def program_that_says(folder: Path, name: str, text: str) -> Path:
    """A program in a folder of its own, which is given back."""
    folder.mkdir()
    (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    (folder / name).chmod(0o755)
    return folder


@pytest.mark.skipif(os.name == "nt", reason="programs are shell scripts here")
@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("echo '2.1.99 (Claude Code)'", "measured with Claude Code 2.1.328; here is 2.1.99. An older one may not know"),
        ("echo '2.1.328 (Claude Code)'", None),
        ("echo '2.2.0 (Claude Code)'", None),
        ("exit 1", "claude did not tell its version. This was measured with Claude Code 2.1.328."),
    ],
)
def test_a_program_that_is_older_than_what_was_measured_is_told(
    collab: Collab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, told: str | None
) -> None:
    monkeypatch.setenv("PATH", str(program_that_says(tmp_path / "bin", "claude", says)))
    code, out, _ = collab("connect", "claude", "--yes")
    assert code == 0
    out = " ".join(out.split())
    assert (told in out) if told is not None else ("measured with" not in out)


def test_a_program_that_is_not_here_is_told(collab: Collab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    out = " ".join(collab("connect", "codex", "--yes")[1].split())
    assert "codex is not in your PATH here. This was measured with Codex 0.169.0." in out


# What cannot be done


@pytest.mark.parametrize("name", ["human", "Person", "Lena", "mina"])
@pytest.mark.parametrize("agent", ["claude", "gemini"])
def test_no_agent_is_connected_as_a_person(collab: Collab, tmp_path: Path, agent: str, name: str) -> None:
    settings = tmp_path / "user-config" / "config.toml"
    settings.parent.mkdir()
    settings.write_text(f'person = "mina"\n[approvers]\nlena = "{THIRD_KEY.public.text}"\n', encoding="utf-8")
    code, out, err = collab("connect", agent, "--as", name, "--yes")
    assert (code, out) == (2, "")
    assert f"not as {name}: that is a person's name on the board" in err
    assert not Path(".claude").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{\n  "a": 1, // mine\n}\n', ":2: a comment: JSON has none"),
        ('{\n  "a": 1,\n}\n', ":2: a comma before }: JSON has none behind the last one"),
        ("", ":1: there is nothing in it; JSON has at least {}"),
        ('{"hooks": []}', ':1: "hooks" is a list, and an object is needed'),
    ],
)
def test_a_file_that_cannot_be_changed_is_left_and_what_to_paste_is_printed(
    collab: Collab, claude: Path, text: str, told: str
) -> None:
    claude.write_bytes(text.encode())
    code, out, err = collab("connect", "claude", "--yes")
    assert code == 2
    assert err == (f"collab-tui: {claude.absolute()}{told}. Nothing was written. Mend that, or put these in by hand:\n")
    assert json.loads(out)["hooks"]["SessionEnd"][0]["hooks"][0]["command"] == PROGRAM
    assert claude.read_bytes() == text.encode()
    assert collab("disconnect", "claude", "--yes")[0] == 2
    assert claude.read_bytes() == text.encode()


def test_a_file_that_is_no_text_is_left(collab: Collab, claude: Path) -> None:
    claude.write_bytes('{"a": 1}'.encode("utf-16"))
    code, out, err = collab("connect", "claude", "--yes")
    assert (code, out) == (2, "")
    assert "settings.local.json:1: it is not UTF-8" in err


def test_a_file_that_is_changed_while_the_person_reads_is_left(
    collab: Collab, claude: Path, terminal: TextIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def agree(prompt: str) -> str:
        claude.write_bytes(b'{"new": true}')
        return "y"

    monkeypatch.setattr(builtins, "input", agree)
    code, _, err = collab("connect", "claude", stdin=terminal)
    assert code == 1
    assert "was changed meanwhile, so nothing was written; look again" in err
    assert claude.read_bytes() == b'{"new": true}'
    assert list(claude.parent.iterdir()) == [claude]


@pytest.mark.parametrize("command", ["connect", "disconnect"])
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("cluade",), "no agent is called 'cluade' here; did you mean claude?"),
        (("opencode",), "no agent is called 'opencode' here; "),
        ((), "the following arguments are required: AGENT"),
        (("claude", "--user", "--project"), "not allowed with argument"),
    ],
)
def test_what_means_nothing_is_a_usage_error(
    collab: Collab, command: str, arguments: tuple[str, ...], told: str
) -> None:
    code, out, err = collab(command, *arguments)
    assert (code, out) == (2, "")
    assert told in err


@pytest.mark.parametrize("name", ["", " ", "-x", "a\nb", "\x1b[2J"])
def test_names_that_no_agent_has_are_refused(collab: Collab, name: str) -> None:
    code, out, err = collab("connect", "claude", f"--as={name}", "--yes")
    assert (code, out) == (2, "")
    assert "name" in err
    assert "\x1b" not in err
    assert not Path(".claude").exists()


@pytest.mark.skipif(os.name == "nt", reason="no folder of Windows has such a name")
@pytest.mark.parametrize("odd", ["my projects", "it's", 'say "hi"', "$HOME", "a`id`b", "한글"])
def test_folders_of_any_name(tmp_path: Path, odd: str) -> None:
    folder = tmp_path / odd
    folder.mkdir()
    env = environment(tmp_path)
    (folder / ".collab").mkdir()
    (folder / ".collab" / "registry.jsonl").touch()
    for agent in ("claude", "codex"):
        done = run(
            "connect", agent, "--yes", "--registry", str(folder / ".collab" / "registry.jsonl"), cwd=tmp_path, env=env
        )
        assert (done.returncode, done.stderr) == (0, b"")
    hooks = json.loads((tmp_path / ".codex" / "hooks.json").read_text("utf-8"))["hooks"]
    command = hooks["Stop"][0]["hooks"][0]["command"]
    told = subprocess.run(["sh", "-c", f"printf '%s\\n' {command}"], capture_output=True, check=True).stdout.decode()
    assert told.splitlines() == [PROGRAM, "hook", "codex", "--registry", str(folder / ".collab" / "registry.jsonl")]


# What is set up by hand


@pytest.mark.parametrize(
    ("agent", "cannot"),
    [
        ("gemini", "It cannot be approved from the board"),
        ("copilot", "after 30 s it goes on as if there were no hook (it fails open)"),
    ],
)
def test_what_is_to_be_pasted_is_printed_with_what_it_cannot_do(collab: Collab, agent: str, cannot: str) -> None:
    code, out, err = collab("connect", agent, "--as", "mina")
    assert (code, err) == (0, "")
    assert cannot in " ".join(out.split())
    pieces = [json.loads(part.partition("\n")[2]) for part in out.split("\n\nInto ")[1:]]
    hooks = next(piece["hooks"] for piece in pieces if "hooks" in piece)
    server = next(piece["mcpServers"]["collab"] for piece in pieces if "mcpServers" in piece)
    assert server["command"] == PROGRAM
    assert server["args"] == ["mcp", "--as", "mina"]
    assert f"{PROGRAM} hook {agent} --as mina" in json.dumps(hooks)
    assert collab("disconnect", agent)[0] == 0


def test_gemini_takes_milliseconds(collab: Collab) -> None:
    out = collab("connect", "gemini")[1]
    hooks = json.loads(out.split("\n\nInto ")[1].partition("\n")[2])["hooks"]
    assert {handler["timeout"] for groups in hooks.values() for group in groups for handler in group["hooks"]} == {
        30_000
    }


def test_codex_is_told_of_with_what_it_cannot_do(collab: Collab) -> None:
    out = " ".join(collab("connect", "codex", "--as", "lubit", "--yes")[1].split())
    assert '"Trust all and continue", then Enter' in out
    assert f"codex mcp add collab -- {PROGRAM} mcp --as lubit" in out
    assert "required = true" in out
    assert 'default_tools_approval_mode = "approve"' in out
