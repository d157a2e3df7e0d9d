"""Four agents that build a tool which counts: planner, executor, validator, documenter. Scripts, no models.

What is to be done comes as JSON on standard input; what comes of it goes to standard output.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

FIRST = {"words": 'len(text.split(" "))', "lines": 'text.count("\\n")', "characters": "len(text.encode())"}
"""What comes to mind first. Each is wrong for some texts."""
BETTER = {"words": "len(text.split())", "lines": "len(text.splitlines())", "characters": "len(text)"}
EXAMPLES = {
    "words": {"one two": 2, "one\ntwo three": 3, "": 0},
    "lines": {"a\nb\n": 2, "a\nb": 2, "": 0},
    "characters": {"abc": 3, "déjà vu": 7, "": 0},
}
"""What is counted -> text -> what is right."""
MAIN = """
import sys

if __name__ == "__main__":
    text = sys.stdin.buffer.read().decode("utf-8").replace("\\r\\n", "\\n")
    for count in ({names},):
        print(f"{{count.__name__}}: {{count(text)}}")
"""


def plan(told: dict[str, Any]) -> str:
    """One task for each thing that the goal wants counted; all at the same time."""
    parts = [part for part in FIRST if part in told["goal"].lower()]
    if not parts:
        sys.exit(f"I can build what counts {', '.join(FIRST)}; the goal names none of these")
    tasks = [
        {"key": part, "role": "executor", "title": f"count {part}", "review": "validator", "data": {"part": part}}
        for part in parts
    ]
    return json.dumps({"plan": {"parts": parts}, "tasks": tasks})


def execute(told: dict[str, Any]) -> str:
    """A function that counts; or the program that all of them make."""
    part = told["data"].get("part")
    if part is None:
        functions = told["inputs"]["plan/*"].values()
        return "\n\n".join([*functions, MAIN.format(names=", ".join(told["inputs"]["plan"]["parts"])).lstrip()])
    is_told = any(f"{part}(" in comment for comment in told["comments"])
    return f"def {part}(text):\n    return {(BETTER if is_told else FIRST)[part]}\n"


def validate(told: dict[str, Any]) -> str:
    """The examples before there is anything to try; then whether what was built holds them."""
    if told["work"] == "review":
        part = told["data"]["part"]
        calls = "".join(f"print({part}({text!r}))\n" for text in EXAMPLES[part])
        given = run(f"{told['candidate']}\n{calls}").split()
        wrong = [
            f"{part}({text!r}) is {found}, and {right} is right"
            for (text, right), found in zip(EXAMPLES[part].items(), given, strict=True)
            if found != str(right)
        ]
        return json.dumps({"verdict": "rejected" if wrong else "approved", "reasons": wrong or ["all examples hold"]})
    if told["task"] == "checks":
        return json.dumps({part: EXAMPLES[part] for part in told["inputs"]["plan"]["parts"]})
    checks = [(part, *one) for part, examples in told["inputs"]["checks"].items() for one in examples.items()]
    wrong = [text for part, text, right in checks if f"{part}: {right}" not in lines(told, text)]
    if wrong:
        sys.exit(f"the program is wrong about {wrong[0]!r}")
    return json.dumps({"checks": len(checks), "wrong": 0})


def lines(told: dict[str, Any], text: str) -> list[str]:
    """What the built program prints of a text."""
    return run(told["inputs"]["tool"], text).splitlines()


def document(told: dict[str, Any]) -> str:
    """What it will do, while it is being built; then with what it really prints."""
    if told["task"] == "outline":
        parts = told["inputs"]["plan"]["parts"]
        does = f"It reads standard input and prints {len(parts)} lines: {', '.join(parts)}."
        return f"# Counting\n\n{told['goal']}\n\n{does}"
    text = "Two words,\nand a line without an end"
    shown = run(told["inputs"]["tool"], text)
    held = told["inputs"]["validation"]["checks"]
    tried = f"{held} examples were tried with it, and hold."
    return f"{told['inputs']['outline']}\n\nOf {text!r} it prints\n\n{shown}\n{tried}"


def run(program: str, text: str = "") -> str:
    """What a program prints, in an interpreter of its own."""
    command = [sys.executable, "-I", "-X", "utf8", "-c", program]
    done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=30, check=False)
    if done.returncode:
        sys.exit(f"it fails: {done.stderr.decode('utf-8', 'replace').strip().splitlines()[-1]}")
    return done.stdout.decode("utf-8").replace("\r\n", "\n")


if __name__ == "__main__":
    agents = {"planner": plan, "executor": execute, "validator": validate, "documenter": document}
    sys.stdout.buffer.write(agents[sys.argv[1]](json.load(sys.stdin.buffer)).encode())
