"""One agent of the demo as a process: `python -m collab_tui.demo.agent sena REGISTRY`.

It lives until it is told to end or its parent is gone; then it removes the demo's folder, since nobody else will.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from collab_tui.demo.actor import Actor, Pace
from collab_tui.demo.folder import remove
from collab_tui.demo.gitcode import GitCode
from collab_tui.demo.lubit import Lubit
from collab_tui.demo.parent import watch_parent
from collab_tui.demo.reacting import react
from collab_tui.demo.sena import Sena
from collab_tui.demo.story import StoryLubit, StorySena, sleep
from collab_tui.protocol import Participant
from collab_tui.protocol.keys import Keyring
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import RegistryError

STORY: Final = "story-"
MONITOR: Final = "monitor"
ACTORS: dict[str, type[Actor]] = {
    "sena": Sena,
    "lubit": Lubit,
    "gitcode": GitCode,
    f"{STORY}sena": StorySena,
    f"{STORY}lubit": StoryLubit,
}
"""Part -> who plays it. A part of the story is that of the agent whose name stands behind it."""


def main() -> int:
    """Live one agent's part."""
    parser = argparse.ArgumentParser(prog="python -m collab_tui.demo.agent")
    parser.add_argument("part", choices=(*ACTORS, MONITOR))
    parser.add_argument("registry", type=Path)
    parser.add_argument("--person", default="human")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--keys", type=Path, required=True, help="the folder of the key that signs for the person")
    options = parser.parse_args()
    process = _Process(options.registry.parent)
    try:
        asyncio.run(process.live(options.part, options.registry, options.person, options.speed, options.keys))
    except (asyncio.CancelledError, KeyboardInterrupt):
        pass
    except RegistryError:
        if not process.orphaned:  # else the folder is gone already
            raise
    finally:
        if process.orphaned:
            process.remove_folder()
    return 0


class _Process:
    """What ends this process, and what it leaves behind."""

    def __init__(self, folder: Path) -> None:
        self.orphaned = False
        self._folder = folder

    async def live(self, part: str, registry: Path, person: str, speed: float, keys: Path) -> None:
        """Take part until the part is over, or until cancelled."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task

        def orphan() -> None:
            self.orphaned = True
            loop.call_soon_threadsafe(task.cancel)

        watch_parent(orphan, self.remove_folder)
        with suppress(NotImplementedError):  # Windows ends the process without asking
            loop.add_signal_handler(signal.SIGTERM, task.cancel)
        present = partial(print, "present", flush=True)  # the demo opens its board when all have come
        if part == MONITOR:
            await react(registry, present)
            return
        actor, name = ACTORS[part], part.removeprefix(STORY)
        trust, used = Trust(person, keyring=Keyring(keys)), UsedDecisions(keys)
        take_part = partial(Participant, name, registry, person=person, trust=trust, used=used)
        if actor.woken_by is not None:
            async with take_part(announces=False) as me:
                await sleep(me, actor.woken_by, present)
        async with take_part(**actor.opening) as me:
            if actor.woken_by is None:
                present()
            await actor(me, Pace(speed, name)).live()

    def remove_folder(self) -> None:
        """Remove the demo's folder; no file in it is held open any more, which Windows would mind."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        remove(self._folder)


if __name__ == "__main__":
    sys.exit(main())
