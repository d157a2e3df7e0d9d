"""A stand-in of a program that takes prompts: the first word says what is to happen, on one prompt or on lines."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any


def leave_one_behind(*, is_elsewhere: bool = False) -> int:
    """A child that holds the pipes, in the same group or in a session of its own."""
    command = [sys.executable, "-S", "-c", "import time; time.sleep(1000)"]
    return subprocess.Popen(command, start_new_session=is_elsewhere).pid


def on_prompt() -> None:
    what, _, rest = sys.stdin.read().partition(" ")
    if what == "echo":
        print(f"you said {rest}")
    elif what == "fail":
        print("half of a reply")
        print("it does not work", file=sys.stderr)
        sys.exit(3)
    elif what == "arguments":
        print(json.dumps(sys.argv[1:]))
    elif what == "flood":
        sys.stdout.write("o" * (8 << 20) + "the end")
        sys.stdout.flush()
        sys.stderr.write("e" * (8 << 20))
    elif what == "daemon":
        print(leave_one_behind(is_elsewhere=rest == "elsewhere"))
    elif what == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print(os.getpid(), leave_one_behind(), flush=True)
        time.sleep(1000)
    elif what == "hang":
        print("I work", flush=True)
        time.sleep(1000)


def say(message: Any) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


def on_lines() -> None:
    late = None
    for line in sys.stdin.buffer:
        prompt = json.loads(line)
        what, _, rest = prompt["prompt"].partition(" ")
        if what == "late":
            late = prompt["id"]
            continue
        if what == "crash":
            os.write(2, b"out of memory\n")
            os._exit(3)
        if what == "fail":
            say({"id": prompt["id"], "reply": "half", "status": "failed", "reason": "it does not work"})
            continue
        if what == "half":
            say({"id": prompt["id"], "reply": "half of \ud83d"})
            continue
        if what == "steers":
            say({"id": prompt["id"], "reply": "\x1b[2Jclear"})
            continue
        if what == "huge":
            say({"id": prompt["id"], "reply": "x" * (17 << 20)})
            continue
        if what == "noise":
            for each in ([], 7, {"id": []}, {"id": "nobody's", "reply": "no"}, {"reply": "no"}):
                say(each)
            os.write(1, b"\xff not JSON\n")
        if late is not None:
            say({"id": late, "reply": "this comes late"})
        say({"id": prompt["id"], "reply": f"you said {rest}"})


on_lines() if "--lines" in sys.argv else on_prompt()
