"""An agent for tests: `noting_agent.py FOLDER`, its assignment on standard input.

It notes each attempt; a task that is called `wait` is done once FOLDER has a file `go`.
"""

import json
import sys
import time
from pathlib import Path

folder = Path(sys.argv[1])
task = json.load(sys.stdin)["task"]
with (folder / "notes").open("a", encoding="utf-8") as file:
    file.write(f"{task}\n")
while task == "wait" and not (folder / "go").exists():
    time.sleep(0.01)
print(f"{task} is done")
