"""A scripted agent: reads a prompt, and judges (`judge`) or does (`do`) what it says, or never ends (`hang`).

Judging, it names one task after the one it is asked about. Doing, it commits a file in the folder it is in, and tells
the registry that it is done.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path


def judge(task: str, arguments: list[str]) -> None:
    assert "--only-look" in arguments
    named = {"task": f"{task}-tests", "title": f"Tests for {task}", "priority": "high", "why": f"{task} has none"}
    print(f"I looked at {task}.\n\n```json\n{json.dumps({'next': [named], 'why': f'{task} is done'})}\n```")


def do(task: str) -> None:
    Path("done.txt").write_text(f"{task}\n", encoding="utf-8")
    git = ["git", "-c", "user.name=doer", "-c", "user.email=doer@example.org"]
    subprocess.run([*git, "add", "done.txt"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*git, "commit", "-q", "-m", f"Do {task}"], check=True, stdout=subprocess.DEVNULL)
    told = {"agent": os.environ["COLLAB_AGENT"], "event": "completion", "result": f"did {task}"}
    with open(os.environ["COLLAB_REGISTRY"], "a", encoding="utf-8") as registry:
        registry.write(json.dumps(told) + "\n")
    print(f"I did {task}.")


def main(what: str, *arguments: str) -> None:
    prompt = sys.stdin.read()
    found = re.search(r'- task: "(.+)"', prompt)
    task = found[1] if found else "unknown"
    if what == "hang":
        threading.Event().wait()
    elif what == "judge":
        judge(task, list(arguments))
    else:
        do(task)


main(*sys.argv[1:])
