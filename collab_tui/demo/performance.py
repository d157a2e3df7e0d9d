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

NAMES: Final = ("sena", "lubit", "gitcode")
_GRACE: Final = 2.0
"""Seconds that agents have to end by themselves."""


class Performance:
    """The story as it is played on a registry."""

    def __init__(self, registry: Path) -> None:
        self.registry = registry
        self._agents: list[subprocess.Popen[bytes]] = []

    def start(self, person: str, speed: float) -> None:
        """Start the three agents."""
        for name in NAMES:
            options = ["--person", person, "--speed", str(speed)]
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

    def wait_until_present(self) -> None:
        """Wait until every agent has started its session, or has failed to."""
        for agent in self._agents:
            if agent.stdout is not None:
                agent.stdout.readline()

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
        show = Performance(stack.enter_context(demo_folder()) / "registry.jsonl")
        stack.callback(show.stop)
        show.start(person, speed)
        yield show


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Leave the block in good order when the process is told to end or its terminal is closed."""

    def leave(number: int, _: FrameType | None) -> NoReturn:
        for other in numbers:
            signal.signal(other, signal.SIG_IGN)  # the second one must not interrupt the cleaning up
        raise SystemExit(128 + number)

    numbers = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [signal.signal(number, leave) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
