"""A run that writes one value after the other, to be killed: `killed_writer REGISTRY`; it tells of each that stands."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from collab_tui.orchestrator.blackboard import Blackboard
from collab_tui.orchestrator.ledger import NothingToldError, read_back
from collab_tui.orchestrator.values import IN_LINE, ValueFiles
from tests.orchestrator.ground import AGENT, KEY, RUN, SEAT, begun, journal_on


async def main(registry: Path) -> None:
    files = ValueFiles(registry, RUN)
    try:
        ledger = read_back(registry, RUN, KEY)
    except NothingToldError:
        journal = journal_on(registry)
        board = Blackboard(journal, files)
        await begun(journal, {"key": "a"})
    else:
        journal = journal_on(registry, after=ledger.number)
        board = Blackboard(journal, files, ledger.entries.values())
        await journal.write(AGENT, "run_resumed", host="h", pid=1)

    async def write(key: str, size: int) -> None:
        while True:
            entry = await board.put(key, f"{board.revision(key) + 1} " * size, by=SEAT)
            print(key, entry.revision, flush=True)

    await asyncio.gather(write("small", 1), write("large", IN_LINE))


asyncio.run(main(Path(sys.argv[1])))
