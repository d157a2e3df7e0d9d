"""An agent with a screen, for tests: a composer with a glyph and a frame, a spinner while it works, a dialog.

    python screen_program.py STATE [--signals]

It uses the other screen and asks for marked pastes, as such programs do. What it was asked stands in STATE, a line of
JSON each. A prompt says what it does:

    echo WORDS     it shows them
    ask WORDS      a dialog is open until a key is pressed
    block          it works until it is interrupted
    die CODE       it ends
    deaf           it takes no Enter after the next paste
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import select
import sys
import termios
import time
import tty

COLUMNS = 100
_SPINNER = "|/-\\"


class Agent:
    """What it shows and knows."""

    def __init__(self, state: str, *, tells: bool) -> None:
        self.state, self.tells = state, tells
        self.shown: list[str] = ["Welcome. This agent is played."]
        self.draft, self.footer, self.is_deaf, self.turn = "", "? for help", False, 0

    def tell(self, kind: str, **more: str) -> None:
        """As a hook of its would."""
        if self.tells:
            line = {"kind": kind, "session": "s", "turn": str(self.turn), "process": os.getpid(), **more}
            with open(os.environ["COLLAB_SIGNALS"], "a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

    def paint(self, composer: bool = True) -> None:
        rule = "─" * COLUMNS
        hint = "\x1b[7mt\x1b[27m\x1b[2mry: echo hello\x1b[22m"
        draft = "\\n ".join(self.draft.split("\n"))[-COLUMNS + 4 :]
        box = [rule, f"❯ {draft or hint}", rule] if composer else []
        rows = [*self.shown, "", *box, self.footer][-40:]
        sys.stdout.write("\x1b[H\x1b[J" + "\r\n".join(rows))
        sys.stdout.flush()

    def read(self, limit: float | None = None) -> str:
        if limit is not None and not select.select([0], [], [], limit)[0]:
            return ""
        return os.read(0, 1 << 16).decode("utf-8", "replace")

    def run(self) -> None:
        self.tell("began")
        waiting = ""
        while True:
            self.paint()
            waiting += self.read()
            while waiting:
                paste = re.match(r"\x1b\[200~(.*?)\x1b\[201~", waiting, re.DOTALL)
                if paste:
                    self.draft += paste[1]
                    waiting = waiting[paste.end() :]
                elif waiting.startswith("\x1b[200~"):
                    break
                elif waiting[0] == "\r":
                    waiting = waiting[1:]
                    self.paint()
                    self.submit()
                elif waiting[0] == "\x03":
                    sys.exit(0)
                else:
                    self.draft += waiting[0] if waiting[0] >= " " else ""
                    waiting = waiting[1:]

    def submit(self) -> None:
        prompt = self.draft
        if not prompt or self.is_deaf:
            return
        self.draft = ""
        self.turn += 1
        with open(self.state, "a", encoding="utf-8") as file:
            file.write(json.dumps(prompt) + "\n")
        words = hashlib.sha256(" ".join(prompt.split()).encode()).hexdigest()
        self.tell("prompted", digest=words)
        self.shown += [
            "",
            *(f"❯ {line}" if not number else f"  {line}" for number, line in enumerate(prompt.split("\n"))),
        ]
        verb, _, rest = prompt.partition(" ")
        said = f"● {rest}" if verb == "echo" else f"● {verb} done"
        if verb == "ask":
            self.ask(rest)
        elif verb == "block":
            if self.work(lambda: False):
                self.shown += ["  interrupted by you"]
                return
        elif verb == "die":
            sys.exit(int(rest))
        elif verb == "deaf":
            self.is_deaf = True
        until = time.monotonic() + 0.06
        self.work(lambda: time.monotonic() > until)
        self.shown += ["", *said.split("\n")]
        self.tell("stopped", text=said)

    def work(self, is_done) -> bool:
        """Whether Escape was pressed meanwhile."""
        number = 0
        while not is_done():
            number += 1
            self.footer = f"{_SPINNER[number % 4]} Working... (esc to interrupt)"
            self.paint()
            if "\x1b" in self.read(0.03):
                self.footer = "? for help"
                return True
        self.footer = "? for help"
        return False

    def ask(self, what: str) -> None:
        self.tell("asks")
        self.footer = f"Do you want to {what}?\r\n❯ 1. Yes\r\n  2. No"
        self.paint(composer=False)
        while "1" not in self.read():
            pass
        self.tell("works")
        self.footer = "? for help"


def main() -> None:
    kept = termios.tcgetattr(0)
    tty.setraw(0)
    sys.stdout.write("\x1b[?1049h\x1b[?2004h")
    try:
        Agent(sys.argv[1], tells="--signals" in sys.argv).run()
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, kept)
        sys.stdout.write("\x1b[?2004l\x1b[?1049l")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
