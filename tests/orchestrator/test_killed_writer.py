"""A run whose process is killed at any moment: what it told of stands whole, large values too, and it goes on."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from collab_tui.orchestrator.ledger import read_back
from collab_tui.orchestrator.values import IN_LINE
from tests.orchestrator.ground import KEY, RUN, new_registry
from tests.program import environment

ROOT = Path(__file__).parent.parent.parent
KILLS = 4


def test_killed_at_any_moment_every_value_that_was_told_of_is_there_and_none_is_torn(tmp_path: Path) -> None:
    path, chance, told = new_registry(tmp_path), random.Random(6), {"small": 0, "large": 0}
    for _ in range(KILLS):
        command = [sys.executable, "-m", "tests.orchestrator.killed_writer", str(path)]
        with subprocess.Popen(command, cwd=ROOT, env=environment(tmp_path), stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            heard = [process.stdout.readline().split() for _ in range(chance.randint(5, 40))]
            process.kill()
            heard += [line.split() for line in process.stdout if line.endswith(b"\n")]
        for key, revision in heard:
            assert int(revision) == told[key.decode()] + 1
            told[key.decode()] += 1
        ledger = read_back(path, RUN, KEY)
        assert ledger.problems == ()
        for key, times in (("small", 1), ("large", IN_LINE)):
            entry = ledger.entries[key]
            assert entry.revision in (told[key], told[key] + 1)
            assert entry.value == f"{entry.revision} " * times
            told[key] = entry.revision
