"""`collab-tui start` and `end`: who is here, and what it is told."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from collab_tui.cli import start as module
from collab_tui.protocol.whereabouts import branch_of
from tests.cli.conftest import Collab, events, last
from tests.events import asks, decides, lines, says, updates
from tests.program import PROGRAM, environment, run


def test_it_says_that_the_agent_is_here_and_where(collab: Collab, registry: Path) -> None:
    before = registry.read_bytes()
    code, out, err = collab(
        "start", "--agent", "sena", "--role", "implement", "--task", "v3", "--status", "in_progress",
        "--next", "샘플", "--session", "6667cf90",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert registry.read_bytes().startswith(before)
    assert last(registry) == {
        "agent": "sena", "event": "session_start", "role": "implement", "current_task": "v3", "status": "in_progress",
        "next_action": "샘플", "session": "6667cf90", "host": socket.gethostname(), "cwd": str(Path.cwd()),
    }  # fmt: skip
    assert out.startswith('NEXT: wait. Your request "Approve metrics v2?" waits for human.\n')


def test_the_brief_is_what_was_there_before(collab: Collab, registry: Path) -> None:
    out = collab("start", "--agent", "lubit", "--status", "in_progress")[1]
    assert out.startswith('NEXT: answer first. gitcode is held up by its blocker "lubit_decision"')
    assert "You are lubit, waiting (line 5)." in out
    assert 'collab-tui decide bbbb0001 VERDICT --agent lubit -m "WHY"' in out


def test_as_json(collab: Collab, registry: Path) -> None:
    code, out, _ = collab("start", "--agent", "lubit", "--json")
    document = json.loads(out)
    assert (code, document["next_action"]["kind"], document["position"]) == (0, "answer_first", 7)
    assert document["registry"] == {"name": str(registry), "id": "abcdef"}
    assert last(registry)["event"] == "session_start"


def test_its_environment_names_the_agent(collab: Collab, registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert collab("start") == (2, "", "collab-tui: who is writing? Give --agent NAME or set $COLLAB_AGENT\n")
    monkeypatch.setenv("COLLAB_AGENT", "sena")
    assert collab("start")[0] == 0
    assert last(registry)["agent"] == "sena"


def test_a_new_agent_is_welcome_and_a_slip_is_told(collab: Collab, registry: Path) -> None:
    code, out, err = collab("start", "--agent", "sean")
    assert (code, err) == (0, "collab-tui: there was no agent sean before; did you mean sena?\n")
    assert "You are sean, and new here." in out
    assert collab("start", "--agent", "maestro")[2] == ""


@pytest.mark.parametrize("name", ["human", "Human", "mina"])
def test_no_agent_starts_as_the_person(collab: Collab, registry: Path, tmp_path: Path, name: str) -> None:
    config = tmp_path / "user-config" / "config.toml"
    config.parent.mkdir(exist_ok=True)
    config.write_text('person = "mina"\n', encoding="utf-8")
    before = registry.read_bytes()
    code, out, err = collab("start", "--agent", name)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "is the person here: an agent starts under a name of its own" in err
    assert registry.read_bytes() == before


@pytest.mark.parametrize("name", ["a\nb", "x" * 81, "\x1b[2J", "a  b", "se\u202ena", "ALL", "ａｌｌ"])
@pytest.mark.parametrize(
    "command",
    [
        ["start"],
        ["emit", "status_update"],
        ["ask", "go?"],
        ["send", "lubit", "hi"],
        ["listen", "--once"],
        ["decide", "bbbb0001", "approve"],
    ],
    ids=lambda words: words[0],
)
def test_a_name_is_one_line_and_not_everybody(
    collab: Collab, registry: Path, command: list[str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = registry.read_bytes()
    code, out, err = collab(*command, "--agent", name)
    assert (code, out) == (2, "")
    wanted = "is everybody" if name in ("ALL", "ａｌｌ") else "a name is one line of at most 80 characters: "
    assert wanted in err
    monkeypatch.setenv("COLLAB_AGENT", name)
    assert collab(*command) == (2, "", err)
    assert registry.read_bytes() == before


def test_a_registry_that_vanishes_is_not_made_anew(
    collab: Collab, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief_of = module.brief_of

    def then_gone(*given: object, **named: object) -> object:
        found = brief_of(*given, **named)  # type: ignore[arg-type]
        registry.unlink()
        return found

    monkeypatch.setattr(module, "brief_of", then_gone)
    code, out, err = collab("start", "--agent", "sena")
    assert (code, err) == (2, f"collab-tui: there is no {registry} any more. Nothing was written\n")
    assert out.startswith("NEXT:")  # it is told what was there
    assert not registry.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="limits are of Unix")
def test_on_a_full_disk_it_is_told_all_the_same(registry: Path) -> None:
    before = registry.read_bytes()
    Path(f"{registry}.lock").write_bytes(b" " * 63)
    limit = (
        "import os, resource, signal, sys; size = int(sys.argv[1]); signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)); os.execv(sys.argv[2], sys.argv[2:])"
    )
    command = [sys.executable, "-c", limit, str(len(before)), PROGRAM, "start", "--agent", "lubit"]
    # The limit would cut off the bytecode of a fresh checkout as well, for everybody after it.
    env = environment(registry.parent, PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run(command, cwd=registry.parent, env=env, capture_output=True)
    assert done.returncode == 74
    assert done.stderr.startswith(b"collab-tui: nothing was written to ")
    assert done.stderr.count(b"\n") == 1
    assert done.stdout.startswith(b"NEXT: answer first. ")
    assert registry.read_bytes() == before


def test_without_a_registry_there_are_three_ways_to_go_on(collab: Collab) -> None:
    for command in (("start", "--agent", "a"), ("end", "--agent", "a"), ("memory", "show", "a")):
        code, out, err = collab(*command)
        assert (code, out) == (2, "")
        assert err.startswith("collab-tui: no registry here or above")
        assert "collab-tui init" in err


@pytest.mark.parametrize("command", ["start", "end"])
def test_a_registry_that_cannot_be_read(collab: Collab, tmp_path: Path, command: str) -> None:
    missing = tmp_path / "none.jsonl"
    code, out, err = collab(command, "--agent", "sena", "--registry", str(missing))
    assert (code, out, err) == (
        2, "", f"collab-tui: there is no {missing}; `collab-tui init` makes a registry for a project\n",
    )  # fmt: skip
    assert collab(command, "--agent", "sena", "--registry", str(tmp_path))[::2] == (
        2, f"collab-tui: cannot read {tmp_path}: it is a folder\n",
    )  # fmt: skip
    assert not missing.exists()


@pytest.mark.parametrize("command", ["start", "end"])
def test_settings_with_a_mistake_name_file_line_key_and_mend(collab: Collab, registry: Path, command: str) -> None:
    config = registry.parent / ".collab" / "config.toml"
    config.parent.mkdir()
    config.write_text('\n[agents.sena]\nmemry = "x.md"\n', encoding="utf-8")
    before = registry.read_bytes()
    code, out, err = collab(command, "--agent", "sena")
    assert (code, out) == (2, "")
    assert err.startswith(f"collab-tui: {config}:3: ")
    assert "memry" in err
    assert "did you mean memory?" in err
    assert registry.read_bytes() == before


# Where it runs


def make_repository(folder: Path, head: str) -> Path:
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "HEAD").write_text(head, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("head", "branch"),
    [
        ("ref: refs/heads/main\n", "main"),
        ("ref: refs/heads/feat/세나\n", "feat/세나"),
        ("4f2a" * 10 + "\n", None),
        ("", None),
    ],
)
def test_the_branch_of_a_checkout(tmp_path: Path, head: str, branch: str | None) -> None:
    folder = make_repository(tmp_path / "p", head) / "deep" / "inside"
    folder.mkdir(parents=True)
    assert branch_of(folder) == branch


def test_the_branch_of_a_worktree(tmp_path: Path) -> None:
    private = make_repository(tmp_path / "p", "ref: refs/heads/main\n") / ".git" / "worktrees" / "w"
    private.mkdir(parents=True)
    (private / "HEAD").write_text("ref: refs/heads/metrics\n", encoding="utf-8")
    worktree = tmp_path / "w"
    worktree.mkdir()
    for location in (str(private), "../p/.git/worktrees/w"):
        (worktree / ".git").write_text(f"gitdir: {location}\n", encoding="utf-8")
        assert branch_of(worktree) == "metrics"
    (worktree / ".git").write_bytes(b"\xff\xfe")
    assert branch_of(worktree) is None


def test_the_branch_is_told(collab: Collab, registry: Path) -> None:
    make_repository(registry.parent, "ref: refs/heads/metrics\n")
    collab("start", "--agent", "sena")
    assert last(registry)["branch"] == "metrics"


# The end


def test_it_says_that_the_agent_is_gone_and_who_is_left_waiting(collab: Collab, registry: Path) -> None:
    code, out, err = collab("end", "--agent", "Lubit", "--status", "idle", "--reason", "tea")
    assert (code, out, err) == (0, "lubit is gone. gitcode still waits for it. 1 of its requests stays open.\n", "")
    assert last(registry) == {"agent": "lubit", "event": "session_end", "status": "idle", "reason": "tea"}
    assert collab("end", "--agent", "sena")[1] == "sena is gone. 1 of its requests stays open.\n"  # the other expired


def test_what_was_only_claimed_to_be_answered_stays_open(collab: Collab, registry: Path) -> None:
    with registry.open("ab") as file:
        file.write(lines(says("human", "decision", request_id="aaaa0001", verdict="approved")))
    assert collab("end", "--agent", "sena")[1] == "sena is gone. 1 of its requests stays open.\n"


def test_who_is_gone_already_is_told_so(collab: Collab, registry: Path) -> None:
    collab("end", "--agent", "sena")
    before = registry.read_bytes()
    assert collab("end", "--agent", "sena") == (0, "sena is gone already; nothing was written.\n", "")
    assert registry.read_bytes() == before


def test_nobody_ends_who_never_was_there(collab: Collab, registry: Path) -> None:
    before = registry.read_bytes()
    assert collab("end", "--agent", "sean") == (2, "", "collab-tui: there is no agent 'sean'; did you mean sena?\n")
    code, out, err = collab("end", "--agent", "zzz")
    assert (code, out) == (2, "")
    assert err == "collab-tui: there is no agent 'zzz'; there are sena, gitcode, lubit\n"
    assert registry.read_bytes() == before


def test_what_was_decided_while_it_was_gone_is_told_at_the_next_start(collab: Collab, registry: Path) -> None:
    collab("end", "--agent", "gitcode")
    collab("decide", "bbbb0001", "reject", "--agent", "lubit", "-m", "not on a Friday")
    with registry.open("ab") as file:
        file.write(lines(updates("gitcode", blockers=[])))
    out = collab("start", "--agent", "gitcode")[1]
    assert out.startswith('NEXT: redesign. lubit rejected "Ready to deploy?": "not on a Friday".')


def test_any_console_can_show_it(tmp_path: Path) -> None:
    path = tmp_path / "COLLABORATION_STATE.jsonl"
    path.write_bytes(lines(updates("세나", status="idle"), says("a", "message", target="all", message="안녕 ✔ “ok”")))
    env = environment(tmp_path, PYTHONIOENCODING="ascii:strict")
    done = run("start", "--agent", "lubit", cwd=tmp_path, env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\uc138\\ub098: idle" in done.stdout
    assert (
        json.loads(run("start", "--agent", "lubit", "--json", cwd=tmp_path, env=env).stdout)["agent"]["name"] == "lubit"
    )


def test_a_claim_is_told_as_one(collab: Collab, registry: Path) -> None:
    with registry.open("ab") as file:
        file.write(lines(decides("human", "aaaa0001", verdict="approved"), asks("x", "r9", request="?", target="sena")))
    assert (
        "does not count: somebody wrote, as human and without a signature that is theirs"
        in (collab("start", "--agent", "sena")[1])
    )
    assert [event["event"] for event in events(registry)][-1] == "session_start"
