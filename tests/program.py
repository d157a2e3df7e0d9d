"""Running the real program as a process of its own, away from the user's settings."""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PROGRAM = shutil.which("collab-tui", path=os.path.dirname(sys.executable)) or "collab-tui"
"""As it is installed beside the interpreter of the tests."""
PATIENCE = 60.0
"""Seconds until something that has to happen counts as not happening, on a machine that does much else."""
_PAUSE = 0.02


def environment(home: Path, **more: str) -> dict[str, str]:
    """What a process needs, with settings in `home`; nothing of ours, of an agent's or of the terminal around us."""
    kept = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "PYTHONWARNDEFAULTENCODING")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "LANG": "C.UTF-8",
        **more,
    }


def run(
    *arguments: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    stdout: int = subprocess.PIPE,
) -> subprocess.CompletedProcess[bytes]:
    """The program from start to end."""
    return subprocess.run(
        [PROGRAM, *arguments],
        cwd=cwd,
        env=environment(cwd) if env is None else env,
        input=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=PATIENCE,
    )


def emit(registry: Path, agent: str, event: str, *options: str) -> None:
    """Append one event by the real command."""
    done = run("emit", event, "--agent", agent, "--registry", str(registry), *options, cwd=registry.parent)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def eventually(holds: Callable[[], object], told: Callable[[], str] = str) -> None:
    """Look again and again until it holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"it never came about\n{told()}"
        time.sleep(_PAUSE)


class Running:
    """A process whose output is read while it runs."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.output = b""
        self.errors = b""
        self._streams = selectors.DefaultSelector()
        assert process.stdout is not None
        assert process.stderr is not None
        self._streams.register(process.stdout, selectors.EVENT_READ, "output")
        self._streams.register(process.stderr, selectors.EVENT_READ, "errors")

    def lines(self) -> list[bytes]:
        """Whole lines of its standard output so far."""
        return self.output.split(b"\n")[:-1]

    def wait_for(self, holds: Callable[[], object]) -> None:
        """Read on until it holds."""
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline, f"not within the time: {self.output!r} {self.errors!r}"
            assert self._streams.get_map(), f"it ended: {self.process.wait()} {self.output!r} {self.errors!r}"
            self._read()

    def stop_reading(self) -> None:
        """Close our end of its standard output."""
        assert self.process.stdout is not None
        self._streams.unregister(self.process.stdout)
        self.process.stdout.close()

    def interrupt(self) -> int:
        """Send what ctrl+c sends, and wait for the end."""
        self.process.send_signal(signal.SIGINT)
        return self.wait()

    def wait(self) -> int:
        """Read to the end; gives the exit code."""
        self.wait_for(lambda: not self._streams.get_map())
        return self.process.wait(PATIENCE)

    def _read(self) -> None:
        for key, _ in self._streams.select(1):
            data = os.read(key.fd, 1 << 16)
            if data:
                setattr(self, key.data, getattr(self, key.data) + data)
            else:
                self._streams.unregister(key.fileobj)

    def close(self) -> None:
        """End the process if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self._streams.close()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        self.process.wait(PATIENCE)


@contextmanager
def started(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> Iterator[Running]:
    """The program while it runs; ended afterwards whatever happens."""
    running = Running(
        subprocess.Popen(
            [PROGRAM, *arguments],
            cwd=cwd,
            env=environment(cwd) if env is None else env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    )
    try:
        yield running
    finally:
        running.close()
