"""What the scripted stand-ins of agents' programs have in common: they speak JSON-RPC over their pipes.

Run as files of their own, by the interpreter alone: nothing of the project is imported.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]


GO_ON = "go-on"
"""A file in its folder: what a test makes when the program is to go on."""


class Speaking:
    """One program. A subclass has a method for each request; `/` and capitals are `_` in its name."""

    version: dict[str, str] = {}  # noqa: RUF012  # what each message has beside

    def __init__(self) -> None:
        self._asked: dict[int, Callable[[Json], None]] = {}
        self._next = 0

    def send(self, message: Json) -> None:
        self.print(json.dumps({**self.version, **message}))

    def print(self, line: str) -> None:
        os.write(1, line.encode() + b"\n")

    def tell(self, method: str, params: Json) -> None:
        self.send({"method": method, "params": params})

    def ask(self, method: str, params: Json, then: Callable[[Json], None]) -> int:
        """`then` gets the whole answer: it has a `result` or an `error`."""
        number, self._next = self._next, self._next + 1
        self._asked[number] = then
        self.send({"id": number, "method": method, "params": params})
        return number

    def wait_for_test(self) -> None:
        while not os.path.exists(GO_ON):
            time.sleep(0.01)
        os.unlink(GO_ON)

    def run(self) -> None:
        for line in sys.stdin.buffer:
            message = json.loads(line)
            if "method" not in message:
                self._asked.pop(message["id"])(message)
                continue
            does = getattr(self, message["method"].replace("/", "_"), None)
            if does is None:
                self.send({"id": message["id"], "error": {"code": -32601, "message": f"no {message['method']}"}})
                continue
            result = does(message.get("params") or {}, message.get("id"))
            if result is not None:
                self.send({"id": message["id"], "result": result})
