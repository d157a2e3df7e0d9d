"""A team of ours for tests: `team_agent.py plan|execute|validate|document FOLDER`, its assignment on standard input.

The two executors meet: each waits in FOLDER for the other, so neither gets done unless both work at the same time. One
of them writes a wrong greeting at first; the validator reads what stands on the branch, and finds that.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_NAMES = ("greet", "part")
_RIGHT = {"greet": "Hello, harbour!\n", "part": "Goodbye, harbour!\n"}


def plan(assignment: dict[str, Any], meeting: Path) -> str:
    """The goal in two parts, for two who work at the same time."""
    tasks = [
        {"key": name, "role": "executor", "title": f"write {name}.txt", "prompt": _RIGHT[name], "review": "validator"}
        for name in _NAMES
    ]
    return json.dumps({"plan": f"{assignment['goal']}, in {len(tasks)} files", "tasks": tasks})


def execute(assignment: dict[str, Any], meeting: Path) -> str:
    """One file, committed where the command was started."""
    name = assignment["task"].rpartition("/")[2]
    (meeting / name).touch()
    while not all((meeting / other).exists() for other in _NAMES):
        time.sleep(0.01)
    is_wrong = name == "part" and not assignment["comments"]
    Path(f"{name}.txt").write_text("Goodbye\n" if is_wrong else _RIGHT[name], encoding="utf-8")
    author = ["-c", "user.name=executor", "-c", "user.email=executor@example.org"]
    _git("add", f"{name}.txt")
    _git(*author, "commit", "-m", f"Write {name}.txt, round {assignment['round']}")
    return f"{name}.txt is written"


def validate(assignment: dict[str, Any], meeting: Path) -> str:
    """What stands on the branch, byte by byte."""
    name = assignment["task"].rpartition("/")[2]
    if _git("show", f"{assignment['branch']}:{name}.txt") == _RIGHT[name]:
        return json.dumps({"verdict": "approved", "reasons": ["it says what it should"]})
    return json.dumps({"verdict": "rejected", "reasons": [f"{name}.txt does not name the harbour"]})


def document(assignment: dict[str, Any], meeting: Path) -> str:
    """What was done, in one line."""
    return "; ".join(sorted(assignment["inputs"]["plan/*"].values()))


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True, encoding="utf-8").stdout


if __name__ == "__main__":
    part = {"plan": plan, "execute": execute, "validate": validate, "document": document}[sys.argv[1]]
    print(part(json.load(sys.stdin), Path(sys.argv[2])))
