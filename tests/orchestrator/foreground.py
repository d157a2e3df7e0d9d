"""A run in a process of its own, as `collab-tui run` has it: `foreground REGISTRY run PIPELINE ID`, `... resume ID`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from collab_tui.orchestrator.orchestrator import Orchestrator
from collab_tui.orchestrator.pipeline_file import read_pipeline
from collab_tui.orchestrator.result import RunResult


async def main(registry: Path, how: str, *rest: str) -> RunResult:
    orchestrator = Orchestrator(registry)
    if how == "resume":
        return await orchestrator.resume(rest[0])
    return await orchestrator.run(read_pipeline(Path(rest[0])), run_id=rest[1])


if __name__ == "__main__":
    print(asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:])).state.value)
