"""A performance of the demo: its folder, its processes, and that nothing of them stays."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from collab_tui.demo.folder import demo_folder, remove_stale
from collab_tui.protocol.keys import Keyring
from collab_tui.protocol.trust import Trust

Play = Sequence[Sequence[str]]
"""Who plays, as `collab_tui.demo.agent` knows the parts: those of a group come once those before them are present."""
THREE: Final[Play] = (("sena", "lubit", "gitcode"),)
STORY: Final[Play] = (("monitor", "story-lubit"), ("story-sena",))
_COMING: Final = 10.0
"""Seconds that a group has to come before it goes on without the rest of it."""
_GRACE: Final = 2.0
"""Seconds that agents have to end by themselves."""
_KEYS: Final = "keys"
"""The folder of the person's key within the demo's own."""
_SIGNALS: Final = (signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))
"""What tells the demo to end."""


class Performance:
    """A play on a registry."""

    def __init__(self, registry: Path, person: str, speed: float = 1.0, play: Play = THREE) -> None:
        self.registry = registry
        self._speed = speed
        self.trust = Trust(person, keyring=Keyring(registry.parent / _KEYS))
        """Whom the agents trust: the person of this performance, with a key of its own."""
        self._to_come = list(play)
        self._agents: dict[str, subprocess.Popen[bytes]] = {}
        """Part -> process."""
        self._coming: list[subprocess.Popen[bytes]] = []
        self._last: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start those who come first, and make the key by which they know the person's word."""
        self.registry.touch(0o600)
        self._start_next()
        self.trust.keyring.make()  # while they start

    def _start_next(self) -> None:
        self._coming = self._last = [self._start(part) for part in self._to_come.pop(0)]

    def _start(self, part: str) -> subprocess.Popen[bytes]:
        keys = self.trust.keyring.path.parent
        options = ["--person", self.trust.person, "--speed", str(self._speed), "--keys", str(keys)]
        with (self.registry.parent / f"{part}.log").open("wb") as log:
            # A session of their own: keys and the hang-up of this terminal are not meant for them.
            agent = subprocess.Popen(
                # -P: no module is taken from the folder that the user happens to be in.
                [sys.executable, "-P", "-m", "collab_tui.demo.agent", part, str(self.registry), *options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        self._agents[part] = agent
        return agent

    def wait_until_present(self) -> None:
        """Wait until everybody has come, or has failed to, or takes too long."""
        while self._coming:
            # A thread for each: on Windows a pipe cannot be waited for with a time limit.
            readers = [
                threading.Thread(target=agent.stdout.readline, name="presence", daemon=True)
                for agent in self._coming
                if agent.stdout is not None
            ]
            for reader in readers:
                reader.start()
            deadline = time.monotonic() + _COMING
            for reader in readers:
                reader.join(max(0.0, deadline - time.monotonic()))
            self._coming = []
            if self._to_come:
                self._start_next()

    @property
    def is_over(self) -> bool:
        """Those who came last have played their parts to the end."""
        return not self._to_come and all(agent.poll() is not None for agent in self._last)

    def play_to_the_end(self) -> int:
        """Wait until it is over; gives 0 when those who came last ended in good order."""
        self.wait_until_present()
        return max(abs(agent.wait()) for agent in self._last)

    def complaints(self) -> list[str]:
        """The last words of each who failed."""
        logs = {part: self.registry.with_name(f"{part}.log") for part in self._agents}
        said = {part: log.read_text(encoding="utf-8", errors="replace").splitlines() for part, log in logs.items()}
        return [f"{part}: {lines[-1]}" for part, lines in said.items() if lines]

    def stop(self) -> None:
        """End the agents: asked first, then made to."""
        for agent in self._agents.values():
            agent.terminate()
        deadline = time.monotonic() + _GRACE
        for agent in self._agents.values():
            try:
                agent.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                agent.kill()
                agent.wait()
            for pipe in (agent.stdin, agent.stdout):
                if pipe is not None:
                    pipe.close()


@contextmanager
def performance(person: str, speed: float = 1.0, play: Play = THREE) -> Iterator[Performance]:
    """Play until the block ends, also if a signal ends it; afterwards nothing of it is left."""
    remove_stale()
    with ExitStack() as stack:
        stack.enter_context(_ended_by_signals())
        show = Performance(stack.enter_context(demo_folder()) / "registry.jsonl", person, speed, play)
        stack.callback(show.stop)
        stack.callback(_ignore_signals)  # the first thing on leaving: the board's loop has reset them by then
        show.start()
        yield show


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Leave the block in good order when the process is told to end or its terminal is closed."""

    def leave(number: int, _: FrameType | None) -> NoReturn:
        _ignore_signals()
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [signal.signal(number, leave) for number in _SIGNALS]
    try:
        yield
    finally:
        for number, handler in zip(_SIGNALS, before, strict=True):
            signal.signal(number, handler)


def _ignore_signals() -> None:
    """From here on no further signal interrupts the cleaning up."""
    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
