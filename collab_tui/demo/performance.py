"""A performance of the demo: its folder, its three processes, and that nothing of them stays."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from collab_tui.demo.folder import demo_folder, remove_stale
from collab_tui.protocol.keys import Keyring
from collab_tui.protocol.trust import Trust

NAMES: Final = ("sena", "lubit", "gitcode")
_COMING: Final = 10.0
"""Seconds that agents have to come before the story is shown without them."""
_GRACE: Final = 2.0
"""Seconds that agents have to end by themselves."""
_KEYS: Final = "keys"
"""The folder of the person's key within the demo's own."""
_SIGNALS: Final = (signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))
"""What tells the demo to end."""


class Performance:
    """The story as it is played on a registry."""

    def __init__(self, registry: Path, person: str) -> None:
        self.registry = registry
        self.trust = Trust(person, keyring=Keyring(registry.parent / _KEYS))
        """Whom the agents trust: the person of this performance, with a key of its own."""
        self._agents: list[subprocess.Popen[bytes]] = []

    def start(self, speed: float) -> None:
        """Start the three agents, and make the key by which they know the person's word."""
        keys = self.trust.keyring.path.parent
        for name in NAMES:
            options = ["--person", self.trust.person, "--speed", str(speed), "--keys", str(keys)]
            with (self.registry.parent / f"{name}.log").open("wb") as log:
                # A session of their own: keys and the hang-up of this terminal are not meant for them.
                agent = subprocess.Popen(
                    # -P: no module is taken from the folder that the user happens to be in.
                    [sys.executable, "-P", "-m", "collab_tui.demo.agent", name, str(self.registry), *options],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    start_new_session=True,
                )
            self._agents.append(agent)
        self.trust.keyring.make()  # while they start

    def wait_until_present(self) -> None:
        """Wait until every agent has started its session, or has failed to, or takes too long."""
        # A thread for each: on Windows a pipe cannot be waited for with a time limit.
        readers = [
            threading.Thread(target=agent.stdout.readline, name="presence", daemon=True)
            for agent in self._agents
            if agent.stdout is not None
        ]
        for reader in readers:
            reader.start()
        deadline = time.monotonic() + _COMING
        for reader in readers:
            reader.join(max(0.0, deadline - time.monotonic()))

    def stop(self) -> None:
        """End the agents: asked first, then made to."""
        for agent in self._agents:
            agent.terminate()
        deadline = time.monotonic() + _GRACE
        for agent in self._agents:
            try:
                agent.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                agent.kill()
                agent.wait()
            for pipe in (agent.stdin, agent.stdout):
                if pipe is not None:
                    pipe.close()


@contextmanager
def performance(person: str, speed: float = 1.0) -> Iterator[Performance]:
    """Play the story until the block ends, also if a signal ends it; afterwards nothing of it is left."""
    remove_stale()
    with ExitStack() as stack:
        stack.enter_context(_ended_by_signals())
        show = Performance(stack.enter_context(demo_folder()) / "registry.jsonl", person)
        stack.callback(show.stop)
        stack.callback(_ignore_signals)  # the first thing on leaving: the board's loop has reset them by then
        show.start(speed)
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
