"""A stand-in of `codex app-server`: each prompt says what is to happen."""

from __future__ import annotations

import json
import os
import sys

from speaking import Json, Speaking

FLAG = sys.argv[1] if len(sys.argv) > 2 else ""


class Codex(Speaking):
    def __init__(self) -> None:
        super().__init__()
        self.thread = "thread-1"
        self.turn = 0
        self.heard: Json = {}
        self.said: list[str] = []

    def initialize(self, params: Json, _: int) -> Json | None:
        if FLAG == "refuses":
            os.write(2, b"\x1b[31mError\x1b[0m: no such setting\n")
            os._exit(2)
        self.heard["initialize"] = params
        return None if FLAG == "silent" else {"userAgent": "stand-in"}

    def initialized(self, params: Json, _: None) -> None:
        self.heard["initialized"] = params

    def thread_start(self, params: Json, _: int) -> Json:
        self.heard["thread"] = params
        return {"thread": {"id": self.thread, "status": {"type": "idle"}}}

    def thread_resume(self, params: Json, number: int) -> Json | None:
        if params["threadId"] != self.thread:
            self.send({"id": number, "error": {"code": -32600, "message": "no rollout found"}})
            return None
        return self.thread_start(params, number)

    def turn_start(self, params: Json, number: int) -> None:
        (block,) = params["input"]
        what, _, rest = block["text"].partition(" ")
        self.turn += 1
        answer = {"id": number, "result": {"turn": {"id": f"turn-{self.turn}", "items": [], "status": "inProgress"}}}
        if what == "refused":
            self.send({"id": number, "error": {"code": -32600, "message": "the conversation is full"}})
            return
        if what == "mute":
            return
        if what != "early":
            self.send(answer)
        self.status("active")
        self.told("turn/started", turn={"id": f"turn-{self.turn}", "items": [], "status": "inProgress"})
        getattr(self, f"do_{what}")(rest)
        if what == "early":
            self.send(answer)

    def turn_steer(self, params: Json, _: int) -> Json:
        self.said.append(params["input"][0]["text"])
        return {"turnId": params["expectedTurnId"]}

    def turn_interrupt(self, params: Json, _: int) -> Json:
        if params["turnId"] == f"turn-{self.turn}" and self.heard.get("listens", True):
            self.say("these words come late")
            self.end("interrupted")
        return {}

    # What it tells

    def told(self, method: str, **params: object) -> None:
        self.tell(method, {"threadId": self.thread, **params})

    def status(self, kind: str, *flags: str) -> None:
        self.told(
            "thread/status/changed", status={"type": kind, **({"activeFlags": flags} if kind == "active" else {})}
        )

    def item(self, kind: str, item: Json, turn: str = "") -> None:
        self.told(f"item/{kind}", item={"id": "item", **item}, turnId=turn or f"turn-{self.turn}")

    def say(self, text: str, turn: str = "") -> None:
        self.item("completed", {"type": "agentMessage", "text": text}, turn)

    def end(self, status: str = "completed", error: str = "", turn: str = "") -> None:
        self.status("systemError" if status == "failed" else "idle")
        told = {"error": {"message": error}} if error else {}
        self.told("turn/completed", turn={"id": turn or f"turn-{self.turn}", "items": [], "status": status, **told})

    def reply(self, text: str) -> None:
        self.say(text)
        self.end()

    # What a prompt may ask for

    def do_echo(self, rest: str) -> None:
        self.reply(f"you said {rest}")

    do_early = do_echo

    def do_heard(self, rest: str) -> None:
        self.reply(json.dumps({**self.heard, "arguments": sys.argv}))

    def do_steps(self, rest: str) -> None:
        self.say("first I look")
        self.item("started", {"type": "commandExecution", "command": "make test"})
        self.reply("then I am done")

    def do_fail(self, rest: str) -> None:
        self.end("failed", "the model is\nover its limit")

    def do_hang(self, rest: str) -> None:
        self.say("I work")

    def do_deaf(self, rest: str) -> None:
        self.heard["listens"] = False

    def do_crash(self, rest: str) -> None:
        self.say("half of a")
        os.write(2, b"out of memory\n")
        os._exit(3)

    def do_closes(self, rest: str) -> None:
        os.close(1)

    def do_noise(self, rest: str) -> None:
        for line in (
            "not JSON",
            "[1, 2]",
            "null",
            '{"id": 77, "result": {}}',
            '{"id": [], "error": 3}',
            '{"method": 5}',
        ):
            self.print(line)
        self.print('{"method": "turn/completed", "params": 7}')
        self.told("turn/completed", turn=None)
        self.told("item/completed", item="x", turnId=[])
        self.told("something/new", anything=[1])
        os.write(1, b"\xff\xfe\n" + b"x" * 30_000 + b"\n")
        self.reply("through the noise")

    def do_half(self, rest: str) -> None:
        self.reply("half of \ud83d")

    def do_huge(self, rest: str) -> None:
        """It asks for more than is read, and waits for the answer."""
        os.write(1, b"{" + b"x" * 300_000 + b"\n")

    def do_helpers(self, rest: str) -> None:
        """Its helpers change many files in threads of their own."""
        for number in range(100):
            item = {"type": "fileChange", "id": "c", "changes": []}
            self.tell("item/started", {"threadId": "helper", "turnId": f"helper-{number}", "item": item})
        self.wait_for_test()
        self.reply("all done")

    def do_secret(self, rest: str) -> None:
        self.item("started", {"type": "commandExecution", "command": f"/bin/bash -lc 'curl -H \"{rest}\" x.org'"})
        self.item("started", {"type": "mcpToolCall", "server": "hub", "tool": "take"})
        self.reply("then I am done")

    def do_others(self, rest: str) -> None:
        self.say("another turn's words", "turn-99")
        self.end(turn="turn-99")
        self.tell(
            "turn/completed", {"threadId": "thread-9", "turn": {"id": f"turn-{self.turn}", "status": "completed"}}
        )
        self.reply("my own words")

    def do_plan(self, rest: str) -> None:
        steps = [("read", "completed"), ("write", "inProgress"), ("test", "pending")]
        self.told("turn/plan/updated", plan=[{"step": step, "status": status} for step, status in steps])
        self.reply("planned")

    def _answered(self, answer: Json) -> None:
        self.status("active")
        self.reply(" | ".join([str(answer.get("result") or answer.get("error")), *self.said]))

    def do_run(self, rest: str) -> None:
        self.status("active", "waitingOnApproval")
        params = {"turnId": f"turn-{self.turn}", "itemId": "i", "command": f"/bin/bash -lc '{rest}'", "cwd": "/w"}
        params |= {"threadId": self.thread, "reason": "it has to", "availableDecisions": ["accept", "cancel"]}
        self.ask("item/commandExecution/requestApproval", params, self._answered)

    def do_resolved(self, rest: str) -> None:
        """Its question is answered at another screen, and it goes on."""
        params = {"threadId": self.thread, "turnId": f"turn-{self.turn}", "itemId": "i", "command": "ls"}
        number = self.ask("item/commandExecution/requestApproval", params, self._answered)
        self.wait_for_test()
        self.told("serverRequest/resolved", requestId=number)
        self.wait_for_test()
        self.reply("it was answered elsewhere")

    def do_dies(self, rest: str) -> None:
        """It asks after its turn, and then it is gone."""
        self.reply("that was all")
        params = {"threadId": self.thread, "turnId": f"turn-{self.turn}", "itemId": "i", "command": "ls"}
        self.ask("item/commandExecution/requestApproval", params, self._answered)
        self.wait_for_test()
        os._exit(3)

    def do_change(self, rest: str) -> None:
        changes = [{"path": "/w/a.py", "kind": {"type": "update"}, "diff": "@@ -1 +1 @@\n-old\n+new"}]
        if rest != "unseen":
            self.item("started", {"type": "fileChange", "id": "c", "changes": changes})
        params = {"threadId": self.thread, "turnId": f"turn-{self.turn}", "itemId": "c"}
        self.ask("item/fileChange/requestApproval", params, self._answered)

    def do_more(self, rest: str) -> None:
        params = {
            "threadId": self.thread,
            "turnId": f"turn-{self.turn}",
            "itemId": "p",
            "cwd": "/w",
            "reason": "to fetch",
        }
        wanted = {"network": {"enabled": True}, "fileSystem": None, "other": 1}
        self.ask("item/permissions/requestApproval", {**params, "permissions": wanted}, self._answered)

    def do_question(self, rest: str) -> None:
        options = [{"label": "red", "description": "warm"}, {"label": "blue", "description": "cold"}]
        asked = [
            {"id": "colour", "header": "Colour", "question": "Which colour?", "options": options},
            {"id": "key", "header": "Key", "question": "Your key?", "isSecret": True},
            {"id": "why", "header": "Why", "question": "And why?"},
        ]
        params = {"threadId": self.thread, "turnId": f"turn-{self.turn}", "itemId": "q", "questions": asked}
        self.ask("item/tool/requestUserInput", {**params, "isBlocking": True}, self._answered)

    def do_elicit(self, rest: str) -> None:
        kinds = {
            "text": {"name": {"type": "string"}},
            "choice": {"size": {"type": "string", "enum": ["S", "L"]}},
            "yes": {"sure": {"type": "boolean"}},
            "two": {"a": {"type": "string"}, "b": {"type": "string"}},
        }
        params = {"threadId": self.thread, "serverName": "shop", "mode": "form", "message": f"Say {rest}"}
        params["requestedSchema"] = {"type": "object", "properties": kinds.get(rest, {})}
        if rest == "tool":
            params["_meta"] = {"tool_name": "paint", "tool_params": {"colour": "red"}}
        self.ask("mcpServer/elicitation/request", params, self._answered)

    def do_long(self, rest: str) -> None:
        params = {"threadId": self.thread, "turnId": f"turn-{self.turn}", "itemId": "i", "command": "x" * 200_000}
        self.ask("item/commandExecution/requestApproval", params, self._answered)

    def do_unknown(self, rest: str) -> None:
        self.ask("attestation/generate", {}, self._answered)


Codex().run()
