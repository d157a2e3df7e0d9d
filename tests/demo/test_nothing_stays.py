"""However the demo ends, no process and no folder of it is left."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from collab_tui.cli.main import main
from collab_tui.demo import performance as playing
from collab_tui.demo.folder import PREFIX, demo_folder, remove, remove_stale
from collab_tui.demo.performance import Performance, performance
from tests.demo.person import Person
from tests.program import PATIENCE

_LAUNCHER = """
import json, sys
from collab_tui.demo import performance
with performance.performance("human", 20, getattr(performance, sys.argv[1])) as show:
    show.wait_until_present()
    pids = [agent.pid for agent in show._agents.values()]
    print(json.dumps({"registry": str(show.registry), "pids": pids}), flush=True)
    sys.stdin.read()
"""


class Launcher:
    """A process of its own that plays the demo, as `collab-tui demo` does."""

    def __init__(self, play: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _LAUNCHER, play], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )
        assert self.process.stdout is not None
        told = json.loads(self.process.stdout.readline())
        self.registry = Path(told["registry"])
        self.agents = [os.pidfd_open(pid) for pid in told["pids"]]
        assert len(self.agents) == 3

    def agents_end(self) -> bool:
        """Wait until every agent's process has ended, or for too long."""
        waiting = select.poll()
        for agent in self.agents:
            waiting.register(agent, select.POLLIN)
        deadline, left = time.monotonic() + PATIENCE, len(self.agents)
        while left and time.monotonic() < deadline:
            for agent, _ in waiting.poll(1000):
                waiting.unregister(agent)
                left -= 1
        return not left

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for agent in self.agents:
            os.close(agent)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


@pytest.fixture(params=["THREE", "STORY"])
def launcher(request):
    if not hasattr(os, "pidfd_open"):
        pytest.skip("waits for processes that are not its children, which only Linux can")
    started = Launcher(request.param)
    yield started
    started.close()


def test_killed_without_a_chance(launcher: Launcher, temporary_folder: Path) -> None:
    assert launcher.registry.exists()
    launcher.process.kill()
    assert launcher.agents_end()
    assert not any(temporary_folder.iterdir())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_told_to_end(launcher: Launcher, temporary_folder: Path, number: signal.Signals) -> None:
    launcher.process.send_signal(number)
    assert launcher.process.wait(PATIENCE) == 128 + number
    assert launcher.agents_end()
    assert not any(temporary_folder.iterdir())


def test_a_second_signal_does_not_interrupt_the_cleaning_up(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers = []
    monkeypatch.setattr(Performance, "start", lambda *_: None)
    monkeypatch.setattr(Performance, "stop", lambda _: handlers.append(signal.getsignal(signal.SIGTERM)))
    before = signal.getsignal(signal.SIGTERM)
    with performance("human"):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # as the board's loop does when it closes
    assert handlers == [signal.SIG_IGN]
    assert signal.getsignal(signal.SIGTERM) == before


def test_an_agent_that_hangs_does_not_hang_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playing, "_COMING", 0.2)
    show = Performance(tmp_path / "registry.jsonl", "human", play=())
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    show._agents["sena"] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    show._coming.append(show._agents["sena"])
    started = time.monotonic()
    show.wait_until_present()
    show.stop()
    assert time.monotonic() - started < 30


def test_an_agent_that_fails_is_told_of(tmp_path: Path) -> None:
    show = Performance(tmp_path / "registry.jsonl", "human", play=(("nobody", "sena"),))
    show.start()
    show.wait_until_present()
    show.stop()
    (complaint,) = show.complaints()
    assert complaint.startswith("nobody: ")
    assert "invalid choice: 'nobody'" in complaint


async def test_an_agent_that_ends_says_so(show: Performance) -> None:
    person = Person(show)
    board = await person.until(lambda board: len(board.agents) == 3)
    assert board.agents
    os.kill(json.loads(person.events("lubit")[0].line)["pid"], signal.SIGTERM)
    board = await person.until(lambda board: board.agent("lubit").gone)
    assert person.events("lubit", "session_end")[0].text("reason") == "stopped"
    assert not board.agent("sena").gone


def test_an_agent_removes_nothing_but_a_demo(tmp_path: Path) -> None:
    registry = tmp_path / "precious.jsonl"
    command = [sys.executable, "-m", "collab_tui.demo.agent", "sena", str(registry), "--speed", "100"]
    command += ["--keys", str(tmp_path / "keys")]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
    assert ended.returncode == 0
    assert registry.exists()


@pytest.fixture
def old_folder(temporary_folder: Path) -> Callable[[str], Path]:
    def make(name: str) -> Path:
        folder = temporary_folder / name
        folder.mkdir()
        (folder / "in-use").touch()
        (folder / "registry.jsonl").touch()
        os.utime(folder, (0, 0))
        return folder

    return make


def test_folders_of_dead_demos_are_removed(old_folder: Callable[[str], Path]) -> None:
    dead, other = old_folder(f"{PREFIX}dead"), old_folder("something-else")
    fcntl = pytest.importorskip("fcntl")
    with (held := old_folder(f"{PREFIX}held")).joinpath("in-use").open("rb+") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        (young := old_folder(f"{PREFIX}young")).touch()
        (link := dead.with_name(f"{PREFIX}link")).symlink_to(other)
        remove_stale()
        assert not dead.exists()
        assert held.exists()
        assert young.exists()
        assert other.joinpath("registry.jsonl").exists()
        assert link.is_symlink()


def test_a_folder_that_is_not_a_demos_is_not_removed(tmp_path: Path) -> None:
    remove(tmp_path)
    assert tmp_path.exists()


def test_a_running_demo_is_not_taken_for_stale(temporary_folder: Path) -> None:
    with demo_folder() as folder:
        os.utime(folder, (0, 0))
        remove_stale()
        assert folder.exists()
    assert not any(temporary_folder.iterdir())


def test_without_a_terminal(capsys: pytest.CaptureFixture[str], temporary_folder: Path) -> None:
    assert main(["demo"]) == 2
    error = capsys.readouterr().err
    assert "terminal" in error
    assert error.count("\n") == 1
    assert not any(temporary_folder.iterdir())


def test_the_command_shows_the_board_and_cleans_up(temporary_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []

    def run_board(path, config, *, trust):
        assert trust.keyring.signing_key().public
        assert trust.keyring.path.is_relative_to(temporary_folder)
        starts = [json.loads(line)["event"] for line in path.read_text(encoding="utf-8").splitlines()][:3]
        shown.append((config.person, starts))
        return 0

    class Board:
        pass

    board = Board()
    board.run_board = run_board
    monkeypatch.setitem(sys.modules, "collab_tui.tui.app", board)
    monkeypatch.setattr("sys.stdin", _Terminal(sys.stdin))
    monkeypatch.setattr("sys.stdout", _Terminal(sys.stdout))
    assert main(["demo", "--as", "mina"]) == 0
    assert shown == [("mina", ["session_start"] * 3)]
    assert not any(temporary_folder.iterdir())


class _Terminal:
    def __init__(self, stream) -> None:
        self._stream = stream

    def isatty(self) -> bool:
        return True

    def __getattr__(self, name: str):
        return getattr(self._stream, name)
