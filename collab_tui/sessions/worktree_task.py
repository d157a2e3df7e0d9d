"""Which task a branch of ours is for: names are made of the words of tasks, and several tasks may make the same.

Each branch has a note of it, in its own section of the repository's configuration, which git removes with the branch.
"""

from __future__ import annotations

from itertools import count
from typing import Final

from collab_tui.sessions.names import known_by, numbered, task_name
from collab_tui.sessions.repository import Repository, WorktreeError

_NOTE: Final = "collabtask"


async def name_for(repository: Repository, agent: str, task: str | None) -> str:
    """The last part of the branch that an agent has for this very task; else of one that there is not yet.

    A branch without a note is for the task that is called as it is. Raises `WorktreeError`.
    """
    beginning = f"collab/{agent}/"
    told = await repository.do("for-each-ref", "--format=%(refname)", f"refs/heads/{beginning}")
    taken = {line.removeprefix(f"refs/heads/{beginning}") for line in told.split("\n")}
    notes = await _notes(repository, beginning)
    wanted = known_by(task)
    for name in sorted(taken - {""}):
        if notes.get(name, name) == wanted:
            return name
    first = task_name(task)
    return next(name for name in (numbered(first, number) for number in count(1)) if name not in taken)


async def note(repository: Repository, branch: str, task: str | None) -> None:
    """Keep which task a new branch is for. Raises `WorktreeError`."""
    await repository.do("config", "--local", f"branch.{branch}.{_NOTE}", known_by(task))


async def forget(repository: Repository, branch: str) -> None:
    """The branch is gone."""
    await repository.git.run("config", "--local", "--remove-section", f"branch.{branch}")


async def _notes(repository: Repository, beginning: str) -> dict[str, str]:
    """Last part of a branch -> what the task is known by that it is for."""
    found = await repository.git.run("config", "--local", "-z", "--get-regexp", rf"^branch\.{beginning}.*\.{_NOTE}$")
    if found.code not in (0, 1):
        raise WorktreeError(f"the configuration of {repository.home} cannot be read")
    settings = (setting.partition("\n") for setting in found.text.split("\0") if setting)
    return {key.removeprefix(f"branch.{beginning}").removesuffix(f".{_NOTE}"): value for key, _, value in settings}
