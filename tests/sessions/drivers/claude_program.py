"""A stand-in of Claude Code that speaks its stream-json: each prompt says what is to happen."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

Json = dict[str, Any]
SESSION = "5e551013-0000-4000-8000-000000000000"
OLD = "--old" in sys.argv
"""It tells less, as older versions do."""


class Claude:
    def __init__(self) -> None:
        self.prompt = ""
        """The id of the prompt that it works on."""
        self.waiting: list[Json] = []
        self.interrupted: list[str] = []
        self.asked = 0
        self.is_deaf = False

    def send(self, message: Json) -> None:
        os.write(1, json.dumps({**message, "session_id": SESSION}).encode() + b"\n")

    def run(self) -> None:
        for line in sys.stdin.buffer:
            message = json.loads(line)
            if message["type"] == "user":
                self.lifecycle("queued", message["uuid"])
                self.waiting.append(message)
            elif message["type"] == "control_request":
                self.control(message["request_id"], message["request"])
            else:
                self.answered(message["response"])
            self.go_on()

    def go_on(self) -> None:
        while self.waiting and not self.prompt:
            message = self.waiting.pop(0)
            if message["message"]["content"] == "others":
                self.other_turn()
            self.prompt = message["uuid"]
            self.state("running")
            self.lifecycle("started", self.prompt)
            self.send({"type": "system", "subtype": "init", "tools": []})
            what, _, rest = message["message"]["content"].partition(" ")
            getattr(self, f"do_{what}")(rest)

    def control(self, name: str, request: Json) -> None:
        said: Json = {"subtype": "success", "request_id": name, "response": {}}
        if request["subtype"] == "initialize" and "--refuses" in sys.argv:
            said = {"subtype": "error", "request_id": name, "error": "not logged in"}
        if request["subtype"] == "interrupt":
            said["response"] = {"still_queued": [each["uuid"] for each in self.waiting]}
            self.interrupted.append(self.prompt)
        self.send({"type": "control_response", "response": said})
        if request["subtype"] == "interrupt" and self.prompt and not self.is_deaf:
            self.say("these words come late")
            self.end(subtype="error_during_execution", is_error=True, terminal_reason="aborted_streaming")

    # What it tells

    def state(self, state: str) -> None:
        if not OLD:
            self.send({"type": "system", "subtype": "session_state_changed", "state": state})

    def lifecycle(self, state: str, prompt: str) -> None:
        if not OLD:
            self.send({"type": "command_lifecycle", "command_uuid": prompt, "state": state})

    def blocks(self, *blocks: Json, **more: Any) -> None:
        self.send({"type": "assistant", "message": {"content": blocks}, "parent_tool_use_id": None, **more})

    def say(self, text: str) -> None:
        self.blocks({"type": "text", "text": text})

    def use(self, tool: str, given: Json) -> None:
        self.blocks({"type": "tool_use", "id": "t", "name": tool, "input": given})

    def end(self, text: str = "", **more: Any) -> None:
        result = {"subtype": "success", "is_error": False, "terminal_reason": "completed", "result": text, **more}
        prompt, self.prompt = self.prompt, ""
        self.send({**result, "type": "result", **({} if OLD else {"user_message_uuids": [prompt]})})
        self.lifecycle("completed", prompt)
        self.state("idle")

    def reply(self, text: str) -> None:
        self.say(text)
        self.end(text)

    def ask(self, tool: str, given: Json) -> None:
        self.asked += 1
        self.state("requires_action")
        request = {"subtype": "can_use_tool", "tool_name": tool, "input": given, "tool_use_id": "t"}
        self.send({"type": "control_request", "request_id": f"ask-{self.asked}", "request": request})

    def answered(self, response: Json) -> None:
        if self.prompt:
            self.state("running")
            self.reply(json.dumps(response.get("response") or response))

    # What a prompt may ask for

    def do_echo(self, rest: str) -> None:
        self.reply(f"you said {rest}")

    def do_heard(self, rest: str) -> None:
        named = [part.partition("=")[2] for part in sys.argv if part.startswith("--mcp-config=")]
        servers = json.loads(Path(named[0]).read_text("utf-8")) if named else None
        self.reply(json.dumps({"arguments": sys.argv[1:], "environment": dict(os.environ), "servers": servers}))

    def do_steps(self, rest: str) -> None:
        self.say("first I look")
        self.use("Bash", {"command": "make test"})
        result = {"type": "tool_result", "content": [{"type": "text", "text": "12 passed"}]}
        self.send({"type": "user", "message": {"content": [result]}})
        self.blocks({"type": "text", "text": "words of a helper"}, parent_tool_use_id="t")
        self.reply("then I am done")

    def do_fail(self, rest: str) -> None:
        self.end(subtype="error_max_turns", is_error=True, terminal_reason="max_turns")

    def do_limit(self, rest: str) -> None:
        self.end("API Error: 429\nslow down", is_error=True)

    def do_hang(self, rest: str) -> None:
        self.say("I work")

    def do_deaf(self, rest: str) -> None:
        self.is_deaf = True
        self.say("I work")

    def do_crash(self, rest: str) -> None:
        self.say("half of a")
        os.write(2, b"out of memory\n")
        os._exit(3)

    def do_noise(self, rest: str) -> None:
        for line in (
            "not JSON",
            "[1, 2]",
            "null",
            '{"type": 5}',
            '{"type": "result", "result": 7}',
            '{"type": "user"}',
        ):
            os.write(1, line.encode() + b"\n")
        for kind in ("assistant", "control_request", "control_response", "control_cancel_request", "something_new"):
            self.send({"type": kind, "message": [], "request": 3, "response": "x"})
        os.write(1, b"\xff\xfe\n" + b"x" * 300_000 + b"\n")
        self.reply("through the noise")

    def do_huge(self, rest: str) -> None:
        """It asks for more than is read, and waits for the answer."""
        os.write(1, b"{" + b"x" * (17 << 20) + b"\n")

    def do_pieces(self, rest: str) -> None:
        """Its lines come in pieces, two in one."""
        self.say("안녕")
        self.prompt, prompt = "", self.prompt
        result = {"type": "result", "subtype": "success", "result": "안녕", "user_message_uuids": [prompt]}
        idle = {"type": "system", "subtype": "session_state_changed", "state": "idle"}
        both = "\n".join(json.dumps(each, ensure_ascii=False) for each in (result, idle)).encode() + b"\n"
        for at in range(0, len(both), 7):
            os.write(1, both[at : at + 7])

    def other_turn(self) -> None:
        """One that it begins by itself, before the prompt that waits."""
        self.state("running")
        self.send({"type": "system", "subtype": "init", "tools": []})
        for whose in (["other"], []):
            self.send({"type": "result", "subtype": "success", "result": "not yours", "user_message_uuids": whose})
        self.state("idle")

    def do_others(self, rest: str) -> None:
        self.reply("my own words")

    def do_silent(self, rest: str) -> None:
        """It ends without a word of how, or without saying whose end it is."""
        self.prompt = ""
        if rest:
            self.send({"type": "result", "subtype": "success", "result": rest, "user_message_uuids": []})
        self.state("idle")

    def do_half(self, rest: str) -> None:
        self.reply("half of \ud83d")

    def do_after(self, rest: str) -> None:
        """Something in the background goes on after the result."""
        prompt = self.prompt
        self.send({"type": "result", "subtype": "success", "result": "at first", "user_message_uuids": [prompt]})
        self.say("it came in")
        self.prompt = "its own"
        self.end("at last")

    def do_todos(self, rest: str) -> None:
        states = (("read", "completed"), ("write", "in_progress"), ("test", "pending"))
        self.use("TodoWrite", {"todos": [{"content": what, "status": state} for what, state in states]})
        self.reply("planned")

    def do_tasks(self, rest: str) -> None:
        for name, subject in (("1", "read"), ("2", "write")):
            self.send({"type": "user", "message": {}, "tool_use_result": {"task": {"id": name, "subject": subject}}})
        self.use("TaskUpdate", {"taskId": "1", "status": "completed"})
        self.use("TaskUpdate", {"taskId": "2", "status": "in_progress"})
        self.reply("planned")

    def do_run(self, rest: str) -> None:
        self.ask("Bash", {"command": rest, "description": "perfectly harmless"})

    def do_long(self, rest: str) -> None:
        self.ask("Bash", {"command": "x" * 200_000})

    def do_plan(self, rest: str) -> None:
        self.ask("ExitPlanMode", {"plan": "1. read\n2. write"})

    def do_cancelled(self, rest: str) -> None:
        self.ask("Bash", {"command": rest})
        self.send({"type": "control_cancel_request", "request_id": f"ask-{self.asked}"})
        self.reply("never mind")

    def do_choose(self, rest: str) -> None:
        options = [{"label": "red", "description": "warm"}, {"label": "blue", "description": "cold"}]
        one = {"question": "Which colour?", "options": options, "multiSelect": False}
        several = {"question": "Which sizes?", "options": [{"label": "S"}, {"label": "L"}], "multiSelect": True}
        self.ask("AskUserQuestion", {"questions": [one, several] if rest == "two" else [one]})

    def do_unknown(self, rest: str) -> None:
        self.send({"type": "control_request", "request_id": "u", "request": {"subtype": "attest"}})


Claude().run()
