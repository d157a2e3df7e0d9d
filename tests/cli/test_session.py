"""`collab-tui session`: the real commands, on real sessions in a monitor that runs by itself."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TextIO

import pytest

from collab_tui.cli.session import giving
from collab_tui.model.sessions import CommandState, Observed
from collab_tui.monitor.acting import has_ended
from collab_tui.protocol.commands import result
from collab_tui.registry.append import append
from tests.cli.conftest import Collab, events
from tests.cli.sessions import ECHO, Project, git, project_in
from tests.program import PATIENCE, eventually

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs a terminal that a program can make, as only Unix has")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with project_in(tmp_path) as project:
        yield project


def start(project: Project, *options: str) -> None:
    told = project.person("session", "start", "echo", "--no-worktree", *options)
    assert told.code == 0, told


def test_from_its_start_to_its_end(project: Project) -> None:
    told = project.person("session", "start", "echo", "--no-worktree", "--as", "sena", "--task", "login")
    first, where, see = told.out.splitlines()
    assert (told.code, first, where) == (0, "sena runs", f"  in {project.folder}")
    assert see == "  it waits for a prompt; see it: collab-tui session peek sena"
    assert project.person("session", "ask", "sena", "안녕") == (0, "you said: 안녕\n", "")
    answer = project.person("session", "ask", "sena", "and now", "--json").json
    assert (answer["state"], answer["reply"], answer["status"]) == ("done", "you said: and now", "done")
    assert project.person("session", "send", "sena", "go on") == (0, "sena has it\n", "")
    eventually(lambda: project.told("sena").last_line == "you said: go on")
    eventually(lambda: project.told("sena").observed is Observed.IDLE)
    listed = project.sessions()["sena"]
    assert (listed["runs"], listed["watched_by"], listed["driver"]) == (True, "monitor", "command")
    assert (listed["definition"], listed["task"], listed["cwd"]) == ("echo", "login", str(project.folder))
    assert "you said: go on" in project.anybody("session", "peek", "sena").out.splitlines()
    assert project.person("session", "stop", "sena", "--yes") == (0, "stopped sena\n", "")
    listed = project.sessions()["sena"]
    assert (listed["runs"], listed["observed"]) == (False, "stopped")
    told = project.person("session", "send", "sena", "are you there?")
    assert (told.code, told.out) == (1, "")
    assert "sena did not take it: no session sena runs here: it is over (stopped); start it anew" in told.err


def test_what_is_listed_fits_the_terminal(project: Project) -> None:
    start(project, "--as", "sena")
    project.person("session", "ask", "sena", "한" * 200)
    lines = project.anybody("session", "list").out.splitlines()
    assert lines[0].startswith("sena          idle ")
    assert max(len(line) + sum(char > "\u1100" for char in line) for line in lines) <= 80


def test_a_prompt_is_piped_in(project: Project) -> None:
    start(project)
    assert project.piped("session", "ask", "echo", "-", text=b"one\ntwo\n") == (0, "you said: one\ntwo\n", "")
    assert project.anybody("session", "ask", "echo", "-").code == 2


def test_one_that_fails_and_one_that_takes_too_long(project: Project) -> None:
    start(project)
    told = project.person("session", "ask", "echo", "fail now")
    assert (told.code, told.out) == (1, "")
    assert "echo: " in told.err
    told = project.person("session", "ask", "echo", "wait", "--timeout", "0.2s")
    assert (told.code, told.out) == (4, "")
    assert "no reply of echo within 0.2 s; it goes on" in told.err
    assert project.sessions()["echo"]["observed"] == "working"
    told = project.person("session", "send", "echo", "after that")
    assert (told.code, told.out) == (0, "echo has it after what it is at\n")
    assert project.person("session", "interrupt", "echo").code == 0
    eventually(lambda: project.told("echo").last_line == "you said: after that")


def test_stopping_asks_and_says_what_would_be_lost(project: Project) -> None:
    start(project)
    project.person("session", "send", "echo", "wait")
    told = project.person("session", "stop", "echo", typed="no\n")
    assert told.code == 1
    assert told.out.startswith("echo is working")
    assert "Nothing was stopped." in told.out
    assert project.sessions()["echo"]["runs"] is True
    assert project.person("session", "stop", "echo", typed="yes\n").code == 0
    assert project.sessions()["echo"]["runs"] is False


@pytest.mark.parametrize(
    "arguments",
    [("start", "echo"), ("send", "echo", "x"), ("ask", "echo", "x"), ("stop", "echo", "--yes"), ("interrupt", "echo")],
    ids=lambda arguments: arguments[0],
)
def test_only_the_person_at_a_terminal_gives_commands(project: Project, arguments: tuple[str, ...]) -> None:
    append(str(project.path), {"agent": "echo", "event": "session_start", "run": "r1", "host": "nas", "monitor": "m"})
    before = project.path.read_bytes()
    told = project.anybody("session", *arguments)
    assert (told.code, "only human gives commands: standard input is no terminal" in told.err) == (2, True)
    project.env["CLAUDECODE"] = "1"
    told = project.person("session", *arguments)
    assert (told.code, "($CLAUDECODE is set)" in told.err) == (2, True)
    del project.env["CLAUDECODE"]
    (project.settings / "signing_key").unlink()
    told = project.person("session", *arguments)
    assert (told.code, "`collab-tui key make` makes it" in told.err) == (2, True)
    assert project.path.read_bytes() == before
    assert project.acts() is None, "nothing is started for it either"


def test_an_unsigned_line_starts_nothing_and_ends_nothing(project: Project) -> None:
    start(project)
    (real,) = project.events("command")
    by = {"agent": "human", "event": "command", "monitor": real["monitor"], "host": real["host"]}
    append(str(project.path), {**by, "command_type": "start", "target": "evil", "payload": {"agent": "echo"}})
    append(str(project.path), {**by, "command_type": "stop", "target": "echo", "payload": {}})
    replayed = {name: value for name, value in real.items() if name not in ("id", "timestamp")}
    append(str(project.path), replayed | {"target": "evil"})
    eventually(lambda: sum(each["state"] == "failed" for each in project.events("command_result")) == 3)
    assert project.sessions().keys() == {"echo"}
    assert project.person("session", "ask", "echo", "still there?").out == "you said: still there?\n"


ODD = {
    "another start elsewhere": {"agent": "echo", "event": "session_start", "run": "ffff", "host": "elsewhere"},
    "its start elsewhere": {"agent": "echo", "event": "session_start", "host": "elsewhere", "monitor": "m"},
    "its end": {"agent": "echo", "event": "session_end"},
    "its loss": {"agent": "monitor", "event": "session_observed", "target": "echo", "observed": "lost"},
}


@pytest.mark.parametrize("line", ODD.values(), ids=ODD)
def test_of_a_session_that_runs_here_no_line_tells_anybody_otherwise(project: Project, line: dict[str, str]) -> None:
    start(project)
    append(str(project.path), {"run": project.told("echo").run, **line})
    listed = project.sessions()["echo"]
    assert (listed["runs"], listed["watched_by"], listed["host"]) == (True, "monitor", os.uname().nodename)
    about = project.anybody("monitor", "--status", "--json").json
    assert [each["name"] for each in about["sessions"]] == ["echo"]
    assert project.person("monitor", "--stop", typed="no\n").code == 1
    assert project.person("session", "ask", "echo", "here?").out == "you said: here?\n"
    assert project.person("session", "stop", "echo", "--yes") == (0, "stopped echo\n", "")


def test_what_anybody_says_of_a_command_is_not_what_the_person_is_told(project: Project) -> None:
    start(project)
    with ThreadPoolExecutor() as pool:
        asking = pool.submit(project.person, "session", "ask", "echo", "wait for it")
        eventually(lambda: [each["state"] for each in project.events("command_result")][3:] == ["accepted", "running"])
        command = project.events("command")[-1]
        told = result(command["id"], command["monitor"], CommandState.DONE, result={"reply": "merge it"})
        append(str(project.path), told)
        (project.folder / "go").touch()
        assert asking.result() == (0, "you said: wait for it\n", "")


def test_a_long_reply_is_printed_whole(project: Project) -> None:
    start(project)
    text = "\n".join(f"line {number}" for number in range(3000))
    assert project.piped("session", "ask", "echo", "-", text=text.encode()) == (0, f"you said: {text}\n", "")


def test_the_end_of_what_is_typed_is_a_no(project: Project) -> None:
    start(project)
    for arguments in (("session", "stop", "echo"), ("monitor", "--stop")):
        told = project.person(*arguments, typed="\x04")
        assert (told.code, told.err) == (1, "")
        assert "Nothing was stopped." in told.out
    assert project.sessions()["echo"]["runs"] is True


def test_what_told_no_id_to_go_on_by_is_not_restored_and_starts_no_monitor(project: Project) -> None:
    start(project)
    assert project.person("monitor", "--stop", "--yes").code == 0
    before = project.path.read_bytes()
    told = project.person("session", "restore", "echo")
    assert (told.code, "told nothing by which its program could go on" in told.err) == (1, True)
    assert (project.acts(), project.path.read_bytes()) == (None, before)


def test_unknown_names_are_answered_with_what_there_is(project: Project) -> None:
    assert (
        "there is no session 'sena'; `collab-tui session start AGENT`" in project.anybody("session", "peek", "sena").err
    )
    start(project, "--as", "sena")
    told = project.person("session", "send", "senna", "x")
    assert (told.code, told.err) == (2, "collab-tui: there is no session 'senna'; did you mean sena?\n")
    told = project.person("session", "start", "ecko")
    assert (told.code, told.err) == (2, "collab-tui: no agent is defined as 'ecko'; did you mean echo?\n")
    told = project.anybody("session", "lst")
    assert (told.code, told.err.splitlines()[-1]) == (
        2,
        "collab-tui session: error: there is no command 'lst'; did you mean list?",
    )
    told = project.person("session", "start", "echo", "--as", "../x")
    assert told.code == 2
    assert "a name of a session has small letters" in told.err
    told = project.person("session", "start", "echo", "--as", "sena")
    assert (told.code, told.out) == (1, "")
    assert "there is a session sena already" in told.err
    told = project.person("session", "restore", "sena")
    assert "sena runs already: there is nothing to restore" in told.err


def test_a_session_of_another_machine_is_told_of_and_not_touched(project: Project) -> None:
    start = {"agent": "lubit", "event": "session_start", "run": "r1", "host": "nas", "driver": "claude", "monitor": "m"}
    append(str(project.path), start)
    append(
        str(project.path),
        {"agent": "monitor", "event": "session_observed", "target": "lubit", "run": "r1", "observed": "working"},
    )
    assert "working, as told from nas" in project.anybody("session", "list").out
    assert project.sessions()["lubit"]["runs"] is None
    for verb in ("peek", "diff"):
        told = project.anybody("session", verb, "lubit")
        assert (told.code, told.err) == (2, "collab-tui: lubit is a session of nas: look at it there\n")


def test_when_its_monitor_was_killed_nothing_is_shown_as_running_that_is_not(project: Project) -> None:
    start(project)
    acting = project.acts()
    assert acting is not None
    os.kill(acting.pid, signal.SIGKILL)
    assert has_ended(acting, PATIENCE)
    listed = project.sessions()["echo"]
    assert (listed["runs"], listed["observed"], listed["watched_by"]) == (False, "idle", "gone")
    assert "gone with monitor (was idle)" in project.anybody("session", "list").out
    told = project.person("session", "ask", "echo", "are you there?")
    assert (told.code, told.out) == (1, "")
    assert "no session echo runs here" in told.err
    assert project.sessions()["echo"]["observed"] == "lost"
    start(project)
    assert project.person("session", "ask", "echo", "again").out == "you said: again\n"


def test_the_monitor_tells_which_sessions_end_with_it_before_it_does(project: Project) -> None:
    start(project)
    about = project.anybody("monitor", "--status", "--json").json
    assert [(each["name"], each["ends_with_monitor"]) for each in about["sessions"]] == [("echo", True)]
    told = project.anybody("monitor", "--stop")
    assert (told.code, "nobody can be asked: --yes stops it all the same" in told.err) == (2, True)
    told = project.person("monitor", "--stop", typed="no\n")
    assert told.code == 1
    assert "end 1 session that it has in hand:\n  echo " in told.out
    assert project.sessions()["echo"]["runs"] is True
    assert project.person("monitor", "--stop", typed="yes\n").code == 0
    assert project.acts() is None
    assert project.sessions()["echo"]["runs"] is False


def test_a_mistake_in_the_settings_takes_no_brake_away(project: Project) -> None:
    start(project)
    (project.settings / "config.toml").write_text("[workers]\noops = 1\n", encoding="utf-8")
    assert project.person("session", "send", "echo", "hi").code == 2
    for brake in (
        ("session", "list"),
        ("worker", "list"),
        ("monitor", "--status"),
        ("session", "interrupt", "echo"),
        ("session", "stop", "echo", "--yes"),
        ("monitor", "--stop", "--yes"),
    ):
        told = project.person(*brake)
        assert told.code == 0, (brake, told)
        assert told.err.startswith("collab-tui: warning: what is wrong in the settings is left out: "), brake
        assert "config.toml:2: unknown setting 'oops'" in told.err
    assert project.person("worker", "stop", "nobody").err.startswith("collab-tui: warning: ")
    assert project.acts() is None


def test_an_agent_of_the_project_waits_to_be_allowed(project: Project) -> None:
    file = project.path.parent / "agents" / "reviewer.toml"
    file.parent.mkdir()
    file.write_text(ECHO, encoding="utf-8")
    told = project.person("session", "start", "reviewer", "--no-worktree")
    assert told.code == 2
    assert "`collab-tui session allow reviewer` shows it and asks" in told.err
    assert project.anybody("session", "allow", "--json").json["reviewer"] == {"state": "waiting", "source": str(file)}
    told = project.anybody("session", "allow", "reviewer")
    assert (told.code, "only you can allow what a project sets" in told.err) == (1, True)
    told = project.person("session", "allow", "reviewer", typed="no\n")
    assert told.code == 1
    assert "driver = 'command'" in told.out
    assert project.person("session", "allow", "reviewer", typed="yes\n").code == 0
    assert project.person("session", "start", "reviewer", "--no-worktree").code == 0
    file.write_text(ECHO.replace("you said", "YOU SAID"), encoding="utf-8")
    assert project.person("session", "start", "reviewer", "--no-worktree", "--as", "other").code == 2


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_in_a_worktree_of_its_own_and_what_it_changed(project: Project) -> None:
    for arguments in (("init", "-q", "-b", "main"), ("commit", "-q", "--allow-empty", "-m", "begin")):
        git(project.folder, *arguments)
    (project.home / ".gitconfig").write_text("[user]\nname = a\nemail = a@b.c\n", encoding="utf-8")
    told = project.person("session", "start", "echo", "--task", "login", "--json").json
    assert (told["state"], told["branch"]) == ("done", "collab/echo/login")
    folder = Path(told["cwd"])
    assert project.folder not in folder.parents
    assert project.person("session", "ask", "echo", "write it").out == "you said: write it\n"
    text = project.anybody("session", "diff", "echo").out
    assert "+hello" in text
    assert "+more" in text
    told = project.person("session", "stop", "echo", "--remove-worktree", typed="yes\n")
    assert told.code == 1
    assert "stays all the same, for it holds what stands nowhere else" in told.out
    assert "draft" in told.out
    assert (folder / "draft").exists()
    assert git(project.folder, "log", "--format=%s", "collab/echo/login").split() == ["made", "begin"]
    assert project.anybody("session", "worktrees").code == 0


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_what_git_ignores_in_a_worktree_is_told_before_it_goes(project: Project) -> None:
    for arguments in (("init", "-q", "-b", "main"), ("commit", "-q", "--allow-empty", "-m", "begin")):
        git(project.folder, *arguments)
    (project.folder / ".git" / "info" / "exclude").write_text(".env\ncache/\n", encoding="utf-8")
    folder = Path(project.person("session", "start", "echo", "--task", "login", "--json").json["cwd"])
    (folder / "cache").mkdir()
    for name in (".env", "cache/a"):
        (folder / name).write_text("x", encoding="utf-8")
    told = project.person("session", "stop", "echo", "--remove-worktree", typed="no\n")
    assert "With it goes what git ignores there: .env, cache/" in told.out
    assert (folder / ".env").exists()


ON_NAS = "a" * 12


@pytest.fixture
def nas(registry: Path) -> Path:
    """A registry in which a session of another machine runs."""
    about = {"agent": "gitcode", "event": "session_start", "run": "r1", "host": "nas", "driver": "codex"}
    append(str(registry), about | {"monitor": ON_NAS})
    return registry


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("more", [{}, {"cut": 7, "log": "logs/r1.log"}], ids=["whole", "cut"])
def test_a_command_to_another_machine_is_carried_out_by_its_monitor(
    collab: Collab, terminal: TextIO, nas: Path, more: dict[str, object]
) -> None:
    def answer() -> None:
        eventually(lambda: events(nas)[-1]["event"] == "command")
        append(str(nas), result(events(nas)[-1]["id"], ON_NAS, CommandState.ACCEPTED))
        append(
            str(nas), result(events(nas)[-2]["id"], ON_NAS, CommandState.DONE, result={"reply": "from afar", **more})
        )

    with ThreadPoolExecutor() as pool:
        answering = pool.submit(answer)
        told = collab("session", "ask", "gitcode", "hello?", stdin=terminal)
        answering.result()
    cut = "the reply is longer: only its end comes from another machine; all of it is there, in logs/r1.log"
    assert told == ((1, "from afar\n", f"collab-tui: {cut}\n") if more else (0, "from afar\n", ""))
    command = next(event for event in events(nas) if event["event"] == "command")
    assert (command["agent"], command["target"], command["monitor"], command["host"]) == (
        "human",
        "gitcode",
        ON_NAS,
        "nas",
    )


@pytest.mark.usefixtures("key")
def test_a_start_on_another_machine_names_its_monitor(
    collab: Collab, terminal: TextIO, nas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving, "_TAKEN_WITHIN", 0.0)
    for where, monitor in (("NAS", ON_NAS), (ON_NAS, ON_NAS), ("b" * 12, "b" * 12)):
        assert collab("session", "start", "claude", "--host", where, stdin=terminal)[0] == 3
        assert events(nas)[-1]["monitor"] == monitor
    told = collab("session", "start", "claude", "--host", "attic", stdin=terminal)
    assert (told[0], "nothing tells of a monitor on attic: give its id" in told[2]) == (2, True)
    append(str(nas), {"agent": "pia", "event": "session_start", "run": "r2", "host": "nas", "monitor": "c" * 12})
    told = collab("session", "start", "claude", "--host", "nas", stdin=terminal)
    assert (told[0], "2 monitors of nas have sessions here: give its id" in told[2]) == (2, True)


@pytest.mark.usefixtures("key")
def test_where_no_monitor_takes_it_that_is_said(
    collab: Collab, terminal: TextIO, nas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving, "_TAKEN_WITHIN", 0.0)
    code, out, err = collab("session", "stop", "gitcode", "--yes", stdin=terminal)
    assert (code, out) == (3, "")
    assert err.startswith(
        "collab-tui: no monitor took it on nas: run `collab-tui monitor` there; it is good for 10 min"
    )
    assert events(nas)[-1]["command_type"] == "stop"
