"""`collab-tui listen`: real processes that listen, are killed, and lose nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from collab_tui.registry.append import append
from tests.cli.conftest import Collab
from tests.events import asks, lines, says
from tests.program import environment, eventually, run, started
from tests.signing import install_key_at

unix = pytest.mark.skipif(os.name == "nt", reason="signals are of Unix")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    install_key_at(tmp_path)
    path = tmp_path / "registry.jsonl"
    append(str(path), {"agent": "system", "event": "registry_created", "registry": "abc"})
    return path


def tell(path: Path, *numbers: int) -> None:
    for number in numbers:
        append(str(path), says("lubit", "message", id=f"m{number}", target="sena", message=f"message {number}"))


def listen(path: Path, *options: str) -> tuple[str, ...]:
    return ("listen", "--agent", "sena", "--registry", str(path), *options)


def heard(output: bytes) -> list[str]:
    return [json.loads(line)["id"] for line in output.splitlines()]


def now(path: Path, *options: str) -> tuple[int, list[str]]:
    """What waits now; acknowledged by that, unless the options say otherwise."""
    done = run(*listen(path, "--json", "--once", "--timeout", "0s", *options), cwd=path.parent)
    assert done.stderr == b""
    return done.returncode, heard(done.stdout)


def test_what_was_printed_is_not_printed_again(path: Path) -> None:
    tell(path, 1, 2)
    assert now(path) == (0, ["m1", "m2"])
    assert now(path) == (4, [])
    tell(path, 3)
    assert now(path) == (0, ["m3"])


def test_it_goes_on_with_what_comes_until_ctrl_c(path: Path) -> None:
    tell(path, 1)
    with started(*listen(path, "--json"), cwd=path.parent) as listener:
        listener.wait_for(lambda: len(listener.lines()) == 1)
        tell(path, 2)
        append(str(path), asks("gitcode", "r1", request="go?", target="sena"))
        listener.wait_for(lambda: len(listener.lines()) == 3)
        assert listener.interrupt() == 130
        told = list(map(json.loads, listener.lines()))
    assert [(one["id"], one["concern"], one["line"]) for one in told] == [
        ("m1", "message", 2),
        ("m2", "message", 3),
        ("r1", "request", 4),
    ]
    assert told[0]["event"]["message"] == "message 1"
    assert told[2]["still_open"] is True


@unix
@pytest.mark.parametrize("count", [0, 1, 4])
def test_killed_at_any_point_it_loses_nothing(path: Path, count: int) -> None:
    """Killed after so many lines were read of it: all others come, and perhaps the last one again."""
    tell(path, *range(6))
    with started(*listen(path, "--json"), cwd=path.parent) as listener:
        listener.wait_for(lambda: len(listener.lines()) >= count)
        listener.process.kill()
        listener.wait()
        before = heard(listener.output)
    _, after = now(path)
    assert set(before + after) == {f"m{number}" for number in range(6)}
    assert len(set(before) & set(after)) <= 1


def test_what_could_not_be_printed_comes_again(path: Path) -> None:
    tell(path, 1, 2)
    if not Path("/dev/full").exists():
        pytest.skip("needs a device that is full")
    with open("/dev/full", "wb") as full:
        done = run(*listen(path, "--once", "--json"), cwd=path.parent, stdout=full.fileno())
    assert done.returncode == 74
    assert now(path) == (0, ["m1", "m2"])


@unix
def test_what_nobody_reads_any_more_comes_again(path: Path) -> None:
    tell(path, 1)
    with started(*listen(path, "--json"), cwd=path.parent) as listener:
        listener.wait_for(listener.lines)
        listener.stop_reading()
        tell(path, 2)
        assert listener.wait() == 0
    assert "m2" in now(path)[1]


def test_a_second_listener_says_so_and_gets_nothing(path: Path) -> None:
    tell(path, 1)
    with started(*listen(path, "--json"), cwd=path.parent) as first:
        first.wait_for(first.lines)
        done = run(*listen(path, "--json"), cwd=path.parent)
        assert (done.returncode, done.stdout) == (75, b"")
        assert f"sena is listening already, in process {first.process.pid}".encode() in done.stderr
        done = run(
            "listen", "--agent", "gitcode", "--once", "--timeout", "0s", "--registry", str(path), cwd=path.parent
        )
        assert done.returncode == 4


def test_a_program_may_acknowledge_what_it_dealt_with(path: Path) -> None:
    tell(path, 1, 2, 3)
    with started(*listen(path, "--json", "--no-ack"), cwd=path.parent) as listener:
        listener.wait_for(lambda: len(listener.lines()) == 3)
        assert run(*listen(path, "--ack", "m2"), cwd=path.parent).returncode == 0
    assert now(path, "--no-ack") == (0, ["m3"])
    assert run(*listen(path, "--ack", "m1"), cwd=path.parent).returncode == 0  # it is already
    done = run(*listen(path, "--ack", "zz"), cwd=path.parent)
    assert (done.returncode, done.stderr) == (2, b"collab-tui: there is no waiting event 'zz'; there are m3\n")
    assert now(path) == (0, ["m3"])
    assert now(path) == (4, [])


def test_a_registry_that_is_replaced_or_cut_while_it_listens(path: Path) -> None:
    tell(path, 1, 2)
    kept = path.read_bytes()
    with started(*listen(path, "--json", "--poll", "0.05"), cwd=path.parent) as listener:
        listener.wait_for(lambda: len(listener.lines()) == 2)
        os.truncate(path, len(kept) - 1)
        tell(path, 3)
        listener.wait_for(lambda: len(listener.lines()) == 3)
        fresh = path.with_suffix(".new")
        fresh.write_bytes(kept + lines(says("lubit", "message", id="m4", target="all", message="x")))
        fresh.replace(path)
        listener.wait_for(lambda: len(listener.lines()) == 4)
        path.unlink()
        other = says("system", "registry_created", registry="def")
        fresh.write_bytes(lines(other, says("lubit", "message", id="m5", target="sena", message="x")))
        fresh.replace(path)
        listener.wait_for(lambda: len(listener.lines()) == 5)
        assert heard(listener.output) == ["m1", "m2", "m3", "m4", "m5"]


def test_deleting_the_place_loses_nothing_but_the_place(path: Path) -> None:
    tell(path, 1)
    append(str(path), says("sena", "session_start"))
    append(str(path), asks("lubit", "r1", request="go?", target="sena"))
    assert now(path) == (0, ["m1", "r1"])
    (state,) = path.parent.rglob("inbox")
    for place in state.iterdir():
        place.unlink()
    append(str(path), says("sena", "session_start"))
    tell(path, 2)
    assert now(path) == (0, ["r1", "m2"])


def test_a_listener_is_woken_by_a_message_and_not_kept_by_a_time_limit(path: Path) -> None:
    with started(*listen(path, "--once", "--timeout", "1h"), cwd=path.parent) as listener:
        tell(path, 1)
        assert listener.wait() == 0
        assert listener.lines()[0].endswith(b"lubit       message    \xe2\x86\x92 sena  message 1")


def test_what_is_said_to_others_prolongs_no_time_limit(path: Path) -> None:
    options = ("--json", "--timeout", "0.5s", "--poll", "0.05")
    with started(*listen(path, *options), cwd=path.parent) as listener:
        tell(path, 1)
        listener.wait_for(listener.lines)
        eventually(
            lambda: (
                append(str(path), says("lubit", "message", target="gitcode", message="x"))
                and listener.process.poll() is not None
            )
        )
        assert listener.wait() == 4


def test_a_name_that_is_nearly_another_is_doubted(collab: Collab, path: Path) -> None:
    append(str(path), says("sena", "session_start"))
    err = collab("listen", "--agent", "seni", "--once", "--timeout", "0s", "--registry", str(path))[2]
    assert err == "collab-tui: there was no agent seni before; did you mean sena?\n"


def test_what_others_wrote_steers_no_terminal(path: Path) -> None:
    hostile = says("lu\u202ebit", "message", target="sena", message="a\x1b[2Jb\nc\u2028d", id="m\x1b1")
    append(str(path), hostile)
    done = run(*listen(path, "--once"), cwd=path.parent)
    assert b"\x1b" not in done.stdout
    assert done.stdout.count(b"\n") == 1
    assert "\u202e" not in done.stdout.decode()
    done = run(*listen(path, "--ack", "m"), cwd=path.parent)
    assert done.returncode == 0


def test_a_narrow_console_is_no_reason_to_fail(path: Path) -> None:
    append(str(path), says("루빗", "message", target="sena", message="좋아요 ✔"))
    env = environment(path.parent, PYTHONIOENCODING="cp949")
    assert run(*listen(path, "--once"), cwd=path.parent, env=env).returncode == 0


@pytest.mark.parametrize("option", [["--once"], ["--no-ack"], ["--json"], ["--timeout", "1s"]], ids=str)
def test_acknowledging_is_all_that_ack_does(collab: Collab, path: Path, option: list[str]) -> None:
    code, _, err = collab(*listen(path, "--ack", "m1", *option))
    assert code == 2
    assert "--ack only acknowledges" in err


def test_lost_for_long_it_says_so_and_hears_on(path: Path, collab: Collab, monkeypatch: pytest.MonkeyPatch) -> None:
    from threading import Thread

    from collab_tui.cli.arguments import complain
    from collab_tui.protocol import following

    monkeypatch.setattr(following, "LOST_AFTER", 0.1)
    kept = path.with_suffix(".kept")
    told: list[str] = []

    def note(text: str) -> None:
        complain(text)
        told.append(text)

    monkeypatch.setattr("collab_tui.cli.listen.complain", note)
    monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, **__: str(path.parent / "state"))

    def go_and_return() -> None:
        eventually((path.parent / "state" / "inbox").exists)
        path.rename(kept)
        eventually(lambda: told)
        kept.rename(path)
        tell(path, 1)

    thread = Thread(target=go_and_return)
    thread.start()
    code, out, err = collab(*listen(path, "--once", "--json", "--poll", "0.05"))
    thread.join()
    assert (code, heard(out.encode())) == (0, ["m1"])
    assert "it is gone; listening on, should it come back" in err
