"""The one way in which git is run: no shell, no hook, no network, no prompt, within bounds of time and of output.

What is asked of git may stand in a folder where an agent worked, and git runs what the configuration there names. So
hooks, the file system monitor and programs for differences are switched off, and nothing is fetched from anywhere.
Filters cannot be: their names come from files of the project. `git_programs` looks for those before.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from collab_tui.model.text import clean, one_line
from collab_tui.processes.finding import find_program
from collab_tui.processes.programs import allowed_environment

OLDEST: Final = (2, 39)
"""The oldest git with which all this was seen to work."""
TIME_LIMIT: Final = 60.0
"""Seconds for what only looks."""
LONG_TIME_LIMIT: Final = 600.0
"""Seconds for what writes a whole tree of files."""
MAX_OUTPUT: Final = 1 << 22
"""Bytes."""
_MAX_ERRORS: Final = 1 << 16
_GRACE: Final = 3.0
"""Seconds from being asked to end, in which git takes away its locks, until being made to."""
_CHUNK: Final = 1 << 16
_SAFE: Final = (
    "--no-pager",
    "--no-optional-locks",
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.splitIndex=false"),
    *("-c", "core.untrackedCache=false"),
    *("-c", "diff.external="),
    *("-c", "gc.auto=0"),
    *("-c", "maintenance.auto=false"),
    *("-c", "protocol.ext.allow=never"),
    *("-c", "status.submoduleSummary=false"),
    *("-c", "submodule.recurse=false"),
)
_ENVIRONMENT: Final = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C.UTF-8",
    "LANGUAGE": "",
}
_EXPLAINED: Final = (
    (
        r"Unable to create '(.+\.lock)': File exists",
        "{0} is there: another git is at work in this repository, or was killed. If none is, remove that file",
    ),
    (
        r"could not lock config file (.+): File exists",
        "{0}.lock is there: another git is at work in this repository, or was killed. If none is, remove that file",
    ),
    (
        r"detected dubious ownership in repository at '(.+)'",
        "{0} is another user's, so git does not trust it; if you do: `git config --global --add safe.directory {0}`",
    ),
    (r"No space left on device", "the disk is full"),
    (r"not a git repository: (.+)", "{0} is gone: the repository was moved. In it, `git worktree repair FOLDER`"),
    (r"not a git repository", "it is not in a git repository"),
    (r"promisor remote|could not fetch", "parts of the repository were never fetched, and we fetch nothing"),
)
"""What git says -> what it means, and what to do."""


_HALF_MADE: Final = re.compile(r"failed to read .*worktrees/.+/commondir")
"""Git says so, and does nothing, while another git makes or removes a worktree of the repository."""
_PAUSES: Final = (0.02, 0.1, 0.4, 1.0)
"""Seconds until it is tried again then."""
_running: Final[set[int]] = set()


def running() -> frozenset[int]:
    """The processes of git that this one started and waits for."""
    return frozenset(_running)


class GitError(Exception):
    """Git did not do it; the text says why, in one line."""


@dataclass(frozen=True, slots=True)
class Output:
    """What one run of git gave."""

    code: int
    data: bytes
    is_cut: bool
    """There was more, and git was ended."""
    errors: str

    @property
    def text(self) -> str:
        """As text, without the last end of a line."""
        return self.data.decode("utf-8", "surrogateescape").removesuffix("\n")


@dataclass(frozen=True, slots=True)
class Git:
    """Git in one folder."""

    folder: Path
    environment: Mapping[str, str]
    """Of which it gets where things are, and nothing that steers git."""
    git_dir: Path | None = None
    """The worktree's own part of the repository, where what the folder says of it is not to be trusted."""
    common: Path | None = None
    """What it shares with the others, where what that part says of it is not to be trusted."""

    async def text(self, *arguments: str, time_limit: float = TIME_LIMIT) -> str:
        """What it prints. Raises `GitError`, also for a code that is not 0 and for more than `MAX_OUTPUT` bytes."""
        output = await self.run(*arguments, time_limit=time_limit)
        if output.is_cut:
            raise GitError(f"git {arguments[0]} said more than {MAX_OUTPUT:,} bytes")
        if output.code:
            raise GitError(explained(arguments[0], output))
        return output.text

    async def says(self, *arguments: str) -> str | None:
        """The same; None for a code of 1, by which git says no."""
        output = await self.run(*arguments)
        if output.code == 1:
            return None
        if output.code:
            raise GitError(explained(arguments[0], output))
        return output.text

    async def run(
        self,
        *arguments: str,
        at_most: int = MAX_OUTPUT,
        time_limit: float = TIME_LIMIT,
        more: Mapping[str, str] | None = None,
    ) -> Output:
        """Run it to its end, the time limit, or the most bytes of output. Cancelled, it is ended first.

        `more` is added to its environment. Raises `GitError` where it cannot be run or takes too long.
        """
        for pause in _PAUSES:
            output = await self._run(*arguments, at_most=at_most, time_limit=time_limit, more=more)
            if not output.code or _HALF_MADE.search(output.errors) is None:
                return output
            await asyncio.sleep(pause)
        return await self._run(*arguments, at_most=at_most, time_limit=time_limit, more=more)

    async def _run(self, *arguments: str, at_most: int, time_limit: float, more: Mapping[str, str] | None) -> Output:
        program = find_program("git", self.environment)
        if program is None:
            raise GitError("git is not in your PATH: install it first")
        if not self.folder.is_dir():
            raise GitError(f"there is no folder {self.folder}")
        known = {} if self.common is None else {"GIT_COMMON_DIR": str(self.common)}
        place = () if self.git_dir is None else (f"--git-dir={self.git_dir}", f"--work-tree={self.folder}")
        try:
            process = await asyncio.create_subprocess_exec(
                program,
                *_SAFE,
                *place,
                *arguments,
                cwd=self.folder,
                env={**allowed_environment(self.environment), **_ENVIRONMENT, **known, **(more or {})},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=os.name == "posix",
            )
        except OSError as error:
            raise GitError(f"git cannot be run in {self.folder}: {error.strerror}") from error
        _running.add(process.pid)
        try:
            async with asyncio.timeout(time_limit):
                (data, is_cut), (errors, _) = await asyncio.gather(
                    _read(process.stdout, at_most, lambda: _signal(process, hard=False)),
                    _read(process.stderr, _MAX_ERRORS),
                )
                code = await process.wait()
        except TimeoutError:
            raise GitError(f"git {arguments[0]} took longer than {time_limit:g} s") from None
        finally:
            try:
                await _end(process)
            finally:
                _running.discard(process.pid)
        return Output(0 if is_cut else code, data, is_cut, errors.decode("utf-8", "replace"))


def explained(command: str, output: Output) -> str:
    """Why git failed, in one line, and what to do where that is known."""
    for pattern, meaning in _EXPLAINED:
        if match := re.search(pattern, output.errors):
            return meaning.format(*(one_line(clean(group)) for group in match.groups()))
    lines = [
        line for line in output.errors.splitlines() if line.strip() and not line.startswith(("hint:", "Preparing"))
    ]
    said = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else "")
    told = one_line(clean(said.removeprefix("fatal:").removeprefix("error:").strip()))
    return f"git {command}: {told or f'it failed with code {output.code}'}"


async def _read(
    stream: asyncio.StreamReader | None, most: int, at_more: Callable[[], None] | None = None
) -> tuple[bytes, bool]:
    """So many bytes, and whether there were more; those are read, too, so that nobody waits to write them."""
    data = b""
    is_cut = False
    while stream is not None and (chunk := await stream.read(_CHUNK)):
        if not is_cut and len(data) + len(chunk) > most:
            is_cut = True
            if at_more is not None:
                at_more()
        data += chunk[: most - len(data)]
    return data, is_cut


async def _end(process: asyncio.subprocess.Process) -> None:
    """End git and what it started, if it runs, and wait until it is gone."""
    if process.returncode is not None:
        return
    gone = asyncio.ensure_future(_gone(process))
    try:
        _signal(process, hard=False)
        await asyncio.wait({gone}, timeout=_GRACE)
    finally:
        if process.returncode is None:
            _signal(process, hard=True)
            await asyncio.wait({gone}, timeout=_GRACE)
        gone.cancel()


async def _gone(process: asyncio.subprocess.Process) -> None:
    """It ended; what it still said is read, for its pipes are waited for as well."""
    await asyncio.gather(_read(process.stdout, 0), _read(process.stderr, 0))
    await process.wait()


def _signal(process: asyncio.subprocess.Process, *, hard: bool) -> None:
    with suppress(ProcessLookupError, PermissionError):  # it ended just now
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL if hard else signal.SIGTERM)


async def check_version(git: Git) -> None:
    """Raises `GitError` for a git that is too old for us."""
    told = await git.text("version")
    match = re.search(r"(\d+)\.(\d+)", told)
    if match is None or (int(match[1]), int(match[2])) < OLDEST:
        raise GitError(f"this is {one_line(clean(told))}, and worktrees need git {OLDEST[0]}.{OLDEST[1]} or newer")
