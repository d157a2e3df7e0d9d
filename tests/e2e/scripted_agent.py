"""An agent of ours for tests: judges as a decision worker does, or builds and commits as an execution worker does.

Started as `scripted_agent.py judge` or `scripted_agent.py build`; the prompt is its standard input.
"""

import json
import re
import subprocess
import sys
from pathlib import Path


def judge(prompt: str) -> str:
    """After any task comes the next one by number."""
    done = re.search(r'- task: "?T-(\d+)', prompt)
    if done is None:
        return "no task is named"
    following = f"T-{int(done[1]) + 1}"
    named = {"task": following, "title": "write it down", "priority": "high", "why": f"T-{done[1]} makes it possible"}
    return "I looked.\n\n```json\n" + json.dumps({"next": [named], "why": f"T-{done[1]} is really done"}) + "\n```"


def build(prompt: str) -> str:
    """One file, committed."""
    Path("built.txt").write_text(prompt, encoding="utf-8")
    subprocess.run(["git", "add", "built.txt"], check=True, capture_output=True)
    author = ["-c", "user.name=builder", "-c", "user.email=builder@example.org"]
    subprocess.run(["git", *author, "commit", "-m", "Write it down"], check=True, capture_output=True)
    return "It is written down."


if __name__ == "__main__":
    print({"judge": judge, "build": build}[sys.argv[1]](sys.stdin.read()))
