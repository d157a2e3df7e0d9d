"""A monitor's workers as a process of their own, to be killed: `killed REGISTRY NOTES`; events come on standard input.

Its agents are played: a decision names one task and takes a moment, work takes for ever. What is started is noted.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from collab_tui.config import Config
from collab_tui.config.workers import WorkerSettings
from collab_tui.workers.service import WorkerService
from collab_tui.workers.stream_event import StreamEvent
from tests.workers.stage import PlayedSession, PlayedSessions, for_ever, verdict


class NotedSessions(PlayedSessions):
    def __init__(self, notes: Path) -> None:
        async def decides(prompt: str):
            await asyncio.sleep(0.05)
            return verdict(f"next-{prompt.partition('- task: ')[2].splitlines()[0][1:-1]}")

        super().__init__(decides, for_ever)
        self.notes = notes

    async def create_session(self, agent: str, **given: Any) -> PlayedSession:
        line = f"{agent} {given['worker']}\n".encode()
        descriptor = os.open(self.notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(descriptor, line)
        os.close(descriptor)
        return await super().create_session(agent, **given)


async def main(registry: Path, notes: Path) -> None:
    service = WorkerService(registry, lambda text: print(text, file=sys.stderr), {})
    settings = WorkerSettings("judge", "doer", start="auto", auto_limit=1000, max_executions=20, cool_down=0.0)
    await service.start(NotedSessions(notes), Config(workers=settings))
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        await service.take(StreamEvent("hub", **json.loads(line)))
        print("taken", flush=True)
    await asyncio.Event().wait()


asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
