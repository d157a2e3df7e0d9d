"""A run of callables in a process of its own: `team_of_callables REGISTRY FOLDER run|resume|stubborn RUN`.

Each call leaves a line in FOLDER/calls; the task in the middle goes on once FOLDER/go is there.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from collab_tui.orchestrator import Assignment, Orchestrator, Pipeline, Policy, Pool, Role, Task


def main(registry: Path, folder: Path, how: str, run: str) -> None:
    async def work(assignment: Assignment) -> str:
        with (folder / "calls").open("a", encoding="utf-8") as calls:
            calls.write(f"{assignment.task.key}\n")
        while assignment.task.key == "wait" and not (folder / "go").exists():
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                if how != "stubborn":
                    raise
        return f"{assignment.task.key} of {sorted(assignment.inputs)}"

    tasks = [
        Task("first", "worker"),
        Task("wait", "worker", needs=("first",)),
        Task("beside", "worker"),
        Task("last", "worker", needs=("wait", "beside")),
    ]
    pipeline = Pipeline("killed", tasks, {"worker": Role("worker")}, policy=Policy(grace=0.1))
    orchestrator = Orchestrator(registry, {"worker": Pool(work, 2)})
    is_new = how != "resume"
    result = orchestrator.run_all(pipeline, run_id=run) if is_new else asyncio.run(orchestrator.resume(run))
    print(result.state, result.results["last"])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4])
