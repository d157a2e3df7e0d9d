"""A stand-in of an agent that speaks ACP: each prompt says what is to happen."""

from __future__ import annotations

import json
import os
import sys

from speaking import Json, Speaking

FLAG = sys.argv[1] if len(sys.argv) > 1 else ""
MODES = {
    "modes": {
        "currentModeId": "default",
        "availableModes": [{"id": "default", "name": "Default"}, {"id": "https://x.org/modes#plan", "name": "Plan"}],
    },
    "option": {
        "id": "mode",
        "name": "Mode",
        "category": "mode",
        "type": "select",
        "currentValue": "build",
        "options": [{"value": "build", "name": "Build"}, {"value": "read-only", "name": "Look"}],
    },
}
OPTIONS = {
    "plain": [("yes", "Allow", "allow_once"), ("no", "Reject", "reject_once")],
    "many": [("yes", "Allow", "allow_once"), ("all", "Always", "allow_always"), ("no", "Reject", "reject_once")],
    "never": [("all", "Always", "allow_always"), ("never", "Never", "reject_always")],
}


class Agent(Speaking):
    version = {"jsonrpc": "2.0"}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.heard: Json = {}
        self.prompted: int | None = None
        """The prompt that has no answer yet."""

    def initialize(self, params: Json, _: int) -> Json | None:
        if FLAG == "refuses":
            self.print("Please install a newer runtime")
            os._exit(1)
        self.heard["initialize"] = params
        able = {"loadSession": FLAG != "forgets", "mcpCapabilities": {"http": FLAG == "http"}}
        if FLAG == "resumes":
            able["sessionCapabilities"] = {"resume": {}}
        version = 2 if FLAG == "newer" else 1
        return None if FLAG == "silent" else {"protocolVersion": version, "agentCapabilities": able}

    def session_new(self, params: Json, number: int) -> Json | None:
        self.heard["session"] = params
        if FLAG == "login":
            details = {"details": "no API key is set"}
            self.send({"id": number, "error": {"code": -32000, "message": "Authentication required", "data": details}})
            return None
        if FLAG == "wrong":
            return {"session": 5}
        how = {"modes": MODES["modes"]} if FLAG in ("modes", "leaves") else {}
        how |= {"configOptions": [MODES["option"]]} if FLAG == "option" else {}
        return {"sessionId": "session-1", **how}

    def session_load(self, params: Json, _: int) -> Json:
        self.heard["load"] = params
        self.update("agent_message_chunk", content={"type": "text", "text": "words of an old turn"})
        return {}

    def session_resume(self, params: Json, _: int) -> Json:
        self.heard["resume"] = params
        return {}

    def session_set_mode(self, params: Json, _: int) -> Json:
        self.heard["mode"] = params["modeId"]
        return {}

    def session_set_config_option(self, params: Json, _: int) -> Json:
        self.heard["option"] = [params["configId"], params["value"]]
        return {"configOptions": []}

    def session_prompt(self, params: Json, number: int) -> None:
        self.heard["prompt"] = [block["text"] for block in params["prompt"]]
        self.prompted = number
        what, _, rest = self.heard["prompt"][-1].partition(" ")
        getattr(self, f"do_{what}")(rest)

    def session_cancel(self, params: Json, _: None) -> None:
        self.heard["cancelled"] = True
        if self.prompted is not None and self.heard.get("listens", True) and not self._asked:
            self.say("these words come late")
            self.end("cancelled")

    # What it tells

    def update(self, kind: str, /, **fields: object) -> None:
        self.tell("session/update", {"sessionId": "session-1", "update": {"sessionUpdate": kind, **fields}})

    def say(self, text: str) -> None:
        self.update("agent_message_chunk", content={"type": "text", "text": text})

    def end(self, reason: str = "end_turn") -> None:
        self.send({"id": self.prompted, "result": {"stopReason": reason}})
        self.prompted = None

    def reply(self, text: str) -> None:
        self.say(text[:3])
        self.say(text[3:])
        self.end()

    # What a prompt may ask for

    def do_echo(self, rest: str) -> None:
        self.reply(f"you said {rest}")

    def do_heard(self, rest: str) -> None:
        self.reply(json.dumps({**self.heard, "arguments": sys.argv[1:]}))

    def do_steps(self, rest: str) -> None:
        self.say("first I look")
        self.update("tool_call", toolCallId="t", title="Read a.py", kind="read", status="pending")
        self.update("tool_call_update", toolCallId="t", status="completed")
        self.reply("then I am done")

    def do_half(self, rest: str) -> None:
        self.say("half of \ud83d")
        self.say("\ude00, and of \ud83d")
        self.reply(" it")

    def do_huge(self, rest: str) -> None:
        """It asks for more than is read, and waits for the answer."""
        os.write(1, b"{" + b"x" * (17 << 20) + b"\n")

    def do_secret(self, rest: str) -> None:
        self.update("tool_call", toolCallId="t", title=f"curl -H '{rest}' x.org", kind="execute", status="pending")
        self.reply("then I am done")

    def do_fetch(self, rest: str) -> None:
        self._leave("plain", {"title": "Fetch https://x.org/?all=my+secrets", "kind": "fetch"})

    def do_ends(self, rest: str) -> None:
        self.say("so far")
        self.end(rest)

    def do_fail(self, rest: str) -> None:
        self.send(
            {"id": self.prompted, "error": {"code": -32603, "message": "Internal\nerror", "data": {"details": "no"}}}
        )

    def do_hang(self, rest: str) -> None:
        self.say("I work")

    def do_deaf(self, rest: str) -> None:
        self.heard["listens"] = False
        self.say("I work")

    def do_crash(self, rest: str) -> None:
        self.say("half of a")
        os.write(2, b"out of memory\n")
        os._exit(3)

    def do_noise(self, rest: str) -> None:
        for line in (
            "not JSON",
            "[1]",
            '{"id": [], "error": 3}',
            '{"id": 77, "result": 1}',
            '{"method": 5}',
            '{"a": 1}',
        ):
            self.print(line)
        self.tell("session/new_thing", {})
        self.tell("session/update", {"sessionId": 5, "update": {"sessionUpdate": "agent_message_chunk"}})
        self.update("of a later version", anything=1)
        self.update("plan", entries="none")
        self.tell(
            "session/update",
            {
                "sessionId": "another",
                "update": {
                    "sessionUpdate": "agent_message_chunk",
                    "content": {"type": "text", "text": "of another session"},
                },
            },
        )
        os.write(1, b"\xff\n" + b"x" * 300_000 + b"\n")
        self.reply("through the noise")

    def do_plan(self, rest: str) -> None:
        steps = [("read", "completed"), ("write", "in_progress"), ("test", "pending")]
        entries = [{"content": step, "status": status, "priority": "high"} for step, status in steps]
        self.update("plan", entries=entries)
        self.reply("planned")

    def _leave(self, options: str, call: Json) -> None:
        offered = [{"optionId": number, "name": name, "kind": kind} for number, name, kind in OPTIONS[options]]
        params = {"sessionId": "session-1", "toolCall": {"toolCallId": "t", **call}, "options": offered}
        self.ask("session/request_permission", params, self._answered)

    def _answered(self, answer: Json) -> None:
        if self.heard.get("cancelled"):  # the protocol has what it asked answered all the same
            self.heard["after"] = answer["result"]["outcome"]
            self.end("cancelled")
            return
        self.reply(str(answer["result"]["outcome"] if "result" in answer else answer["error"]))

    def do_run(self, rest: str) -> None:
        self._leave(
            rest, {"title": "make install", "kind": "execute", "rawInput": {"command": "make\ninstall", "n": 1}}
        )

    def do_dies(self, rest: str) -> None:
        """It asks after its turn, and then it is gone."""
        self.reply("that was all")
        self.do_look(rest)
        self.wait_for_test()
        os._exit(3)

    def do_look(self, rest: str) -> None:
        self._leave("plain", {"title": "Read /etc/hosts", "kind": "read"})

    def do_edit(self, rest: str) -> None:
        """What it does was told before; the request only names it."""
        diff = {"type": "diff", "path": "/w/a.py", "oldText": "one\ntwo\n", "newText": "one\n2\n"}
        self.update("tool_call", toolCallId="t", title="Edit a.py", kind="edit", status="pending", content=[diff])
        self._leave("plain", {})

    def do_long(self, rest: str) -> None:
        self._leave("plain", {"title": "run", "kind": "execute", "rawInput": {"command": "x" * 200_000}})

    def do_unknown(self, rest: str) -> None:
        self.ask("fs/read_text_file", {"sessionId": "session-1", "path": "/etc/hosts"}, self._answered)

    def do_leave(self, rest: str) -> None:
        """It leaves its mode by itself."""
        if FLAG == "option":
            self.update("config_option_update", configOptions=[MODES["option"]])
        else:
            self.update("current_mode_update", currentModeId="default")


Agent().run()
