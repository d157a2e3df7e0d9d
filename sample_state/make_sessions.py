"""Writes sessions.jsonl: sessions in every state, streams, and workers from the event to the execution.

.venv/bin/python -m sample_state.make_sessions

The same bytes every time. Its commands are signed with the key of the tests, which nobody trusts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from collab_tui.model.signature import Signed
from collab_tui.protocol.trust import seal_with
from tests.signing import KEY, signed

FILE = Path(__file__).with_name("sessions.jsonl")
HOST = "atlas"
REGISTRY = "7b1d9e04c2a85f36"
_MONITOR = "5d0c6a1e9f42"
_ON_NAS = "a2f7743b90e1"

_Event = dict[str, Any]
_Timed = tuple[str, _Event]
"""A time of day, and an event."""


def _starts(time: str, name: str, definition: str, driver: str, host: str = HOST, **fields: Any) -> _Timed:
    task = fields.get("current_task")
    branch = {"branch": f"collab/{definition}/{task}", "base": "main"} if task else {}
    folder = f"/work/app.worktrees/{definition}-{task}" if task else "/work/app"
    log = f"/home/kim/.local/state/collab-tui/monitor/9c41/sessions/{name}/output.log"
    told = {"run": _run(name), "definition": definition, "driver": driver, "host": host, "cwd": folder, "log": log}
    return time, {"agent": name, "event": "session_start", "monitor": _MONITOR, **told, **branch, **fields}


def _sees(time: str, name: str, observed: str | None = None, **fields: Any) -> _Timed:
    state = {"observed": observed} if observed else {}
    return time, {"agent": "monitor", "event": "session_observed", "target": name, "run": _run(name), **state, **fields}


def _does(time: str, name: str, **fields: Any) -> _Timed:
    return time, {"agent": name, "event": "status_update", **fields}


def _wants(time: str, command_id: str, kind: str, target: str, **payload: Any) -> _Timed:
    about = {"command_type": kind, "target": target, "payload": payload, "monitor": _MONITOR, "host": HOST}
    return time, {"id": command_id, "agent": "human", "event": "command", **about}


def _result(time: str, command_id: str, state: str, **fields: Any) -> _Timed:
    about = {"command_id": command_id, "monitor": _MONITOR, "state": state}
    return time, {"agent": "monitor", "event": "command_result", **about, **fields}


def _stream(time: str, name: str, state: str, **fields: Any) -> _Timed:
    about = {"stream": name, "state": state, "monitor": _MONITOR}
    return time, {"agent": "monitor", "event": "stream_state", **about, **fields}


def _came(time: str, event_id: str, task: str, status: str, priority: str, title: str, stream: str = "hub") -> _Timed:
    told = {"stream": stream, "event_id": event_id, "task": task, "status": status, "priority": priority}
    about = {"project": "app", "title": title, "outcome": "queued", "key": f"{stream} {event_id}"}
    return time, {"id": event_id, "agent": "monitor", "event": "stream_event", **told, **about}


def _worker(time: str, worker: str, kind: str, state: str, task: str, **fields: Any) -> _Timed:
    about = {"worker": worker, "kind": kind, "state": state, "task": task, "monitor": _MONITOR}
    return time, {"agent": "monitor", "event": "worker", **about, **fields}


def _run(name: str) -> str:
    return name.encode().hex()[:16].ljust(16, "0")


_BEGUN: tuple[_Timed, ...] = (
    ("13:20:00", {"agent": "human", "event": "registry_created", "registry": REGISTRY}),
    _stream("13:20:04", "hub", "connected"),
    _stream("13:20:05", "archive", "stopped", why="401 Unauthorized: it said that nobody is to try again"),
    _stream("13:20:05", "mirror", "connected"),
    _starts("13:21:10", "orion", "claude", "claude", pid=41021, current_task="changelog", role="document"),
    _sees("13:21:14", "orion", "working"),
    _sees("13:29:50", "orion", "idle", last_line="The changelog has the eleven changes since 2.3.", can_resume=True),
    _starts("13:22:30", "rigel", "codex", "codex", pid=41102, current_task="flaky-test"),
    _sees("13:22:41", "rigel", "working", changed=2, unpushed=1, can_resume=True),
    _starts("13:24:00", "vega", "opencode", "acp", pid=41177, current_task="search-box"),
    ("13:24:09", {"agent": "vega", "event": "session_end", "run": _run("vega"), "reason": "exit 1"}),
    _sees("13:24:09", "vega", "failed", why="exit 1 before it was ready: no model is set up"),
    ("13:30:02", {"agent": "orion", "event": "session_end", "run": _run("orion"), "reason": "stopped"}),
    _sees("13:30:02", "orion", "stopped", unpushed=1, can_resume=True),
    _sees("13:33:12", "rigel", "lost", why="the machine was restarted", can_resume=True),
)
_SESSIONS: tuple[_Timed, ...] = (
    _starts("13:34:00", "sena", "claude", "claude", pid=52310, current_task="log-parser", role="implement"),
    _sees("13:34:06", "sena", "idle", can_resume=True),
    _wants("13:34:20", "c0ffee0000000001", "send_prompt", "sena", prompt="Write the log parser.\nTests first."),
    _result("13:34:20", "c0ffee0000000001", "running"),
    _sees("13:34:20", "sena", "working"),
    _does("13:36:00", "sena", status="in_progress", progress=40, current_task="log parser"),
    _starts("13:35:10", "gitcode", "codex", "codex", pid=52377, current_task="deploy-5", role="deploy"),
    _sees("13:35:19", "gitcode", "working", can_resume=True),
    _does("13:37:00", "gitcode", status="in_progress", progress=85, current_task="deployment 5"),
    _starts("13:36:30", "lubit", "claude", "claude", pid=52440, current_task="metrics", role="validate"),
    _sees("13:36:38", "lubit", "working", can_resume=True),
    _does("13:52:00", "lubit", status="waiting_for_sena", progress=60),
    _sees("13:52:04", "lubit", "idle", last_line="I go on with the metrics when sena's draft is there.", changed=1),
    _starts("13:38:00", "probe", "htop-like", "terminal", pid=52501, current_task="profiling", can_resume=False),
    _sees("13:38:04", "probe", "waiting for input", last_line="Overwrite profile.json? [y/N]"),
    _starts("13:40:00", "maestro", "gemini", "acp", host="nas2", monitor=_ON_NAS, pid=911, current_task="release-4"),
    _sees("13:40:22", "maestro", "working", last_line="Reading the release plan", changed=4),
    _starts("13:44:00", "bot", "checker", "command"),
    _sees("13:44:00", "bot", "working", last_line="checked 310 of 900 files"),
    ("13:57:40", {"id": "a99b0e0000000001", "agent": "gitcode", "event": "decision_request", "target": "human"}
     | {"request": "May it run: git push origin collab/codex/deploy-5", "status": "waiting"}),
    _sees("13:57:40", "gitcode", "waiting for approval", changed=1, unpushed=3,
          last_line="git push origin collab/codex/deploy-5"),
    _sees("14:02:30", "sena", changed=3, unpushed=2, queued=1, last_line="12 of 14 tests of the parser pass"),
    _does("14:02:31", "sena", status="in_progress", progress=72, next_action="the two tests of torn lines"),
    _wants("14:02:40", "c0ffee0000000002", "send_prompt", "sena", prompt="Then write down what the parser drops."),
    _result("14:02:40", "c0ffee0000000002", "accepted"),
    _starts("14:02:58", "하나", "gemini", "acp", pid=52980, current_task="user-guide", role="document"),
)  # fmt: skip
_WORKERS: tuple[_Timed, ...] = (
    _came("13:41:00", "e100000000000001", "PAY-118", "done", "normal", "Receipts as PDF"),
    _worker("13:41:00", "d1a0000000000001", "decision", "queued", "PAY-118", title="Receipts as PDF", stream="hub",
            cause="e100000000000001", why="the task is done", priority="normal", project="app"),
    _worker("13:41:01", "d1a0000000000001", "decision", "running", "PAY-118", session="decide-pay-118"),
    _worker("13:42:10", "d1a0000000000001", "decision", "done", "PAY-118", took_ms=69400,
            outcome="PAY-121 needs the receipts and nothing else does",
            verdict={"why": "PAY-121 needs the receipts and nothing else does",
                     "next": [{"task": "PAY-121", "why": "needs the receipts", "priority": "high"},
                              {"task": "PAY-130", "why": "the receipts show the difference"}]},
            log="logs/decisions/20261120-134100-pay-118-d1a0000000000001.log"),
    _worker("13:42:10", "e2a0000000000001", "execution", "asked", "PAY-121", title="Mail the receipts",
            cause="d1a0000000000001", why="needs the receipts", priority="high", project="app",
            request="a99b0e0000000002"),
    ("13:42:10", {"id": "a99b0e0000000002", "agent": "monitor", "event": "decision_request", "target": "human"}
     | {"request": "Start a worker on PAY-121: Mail the receipts?"}),
    ("13:43:00", {"agent": "human", "event": "decision", "request_id": "a99b0e0000000002", "verdict": "approved"}),
    _worker("13:43:01", "e2a0000000000001", "execution", "running", "PAY-121", session="pay-121"),
    _worker("13:58:30", "e2a0000000000001", "execution", "done", "PAY-121", took_ms=929000,
            outcome="mails carry the receipt; 14 tests, one commit",
            log="logs/executions/20261120-134210-pay-121-e2a0000000000001.log"),
    _came("13:45:00", "e100000000000002", "OPS-7", "todo", "urgent", "Disk of the build machine is full", "mirror"),
    _worker("13:45:00", "d1a0000000000002", "decision", "queued", "OPS-7", title="Disk of the build machine is full",
            stream="mirror", cause="e100000000000002", why="a todo of urgent priority", priority="urgent"),
    _worker("13:45:01", "d1a0000000000002", "decision", "running", "OPS-7", session="decide-ops-7"),
    _worker("13:50:01", "d1a0000000000002", "decision", "failed", "OPS-7", took_ms=300000,
            outcome="it did not end within 5 min"),
    _worker("13:51:00", "d1a0000000000003", "decision", "refused", "OPS-9", title="Delete the backups", stream="hub",
            outcome="the event asks for a tool that no event may name", priority="high"),
    _worker("13:55:00", "d1a0000000000004", "decision", "dropped", "DOC-3", title="Typos", stream="hub",
            outcome="the same was decided 9 min before", priority="low"),
    _worker("13:59:00", "e2a0000000000002", "execution", "asked", "PAY-130", title="Round the fees as the bank does",
            cause="d1a0000000000001", why="the receipts show the difference", priority="normal",
            request="a99b0e0000000003"),
    ("13:59:00", {"id": "a99b0e0000000003", "agent": "monitor", "event": "decision_request", "target": "human"}
     | {"request": "Start a worker on PAY-130: Round the fees as the bank does?"}),
    _came("14:01:00", "e100000000000003", "APP-52", "todo", "high", "로그인 화면 login screen"),
    _worker("14:01:00", "d1a0000000000005", "decision", "queued", "APP-52", title="로그인 화면 login screen",
            stream="hub", cause="e100000000000003", why="a todo of high priority", priority="high", project="app"),
    _worker("14:01:01", "d1a0000000000005", "decision", "running", "APP-52", session="decide-app-52"),
    _worker("14:01:30", "d1a0000000000006", "decision", "queued", "DOC-4", title="The guide's second chapter",
            stream="hub", why="the task is done", priority="low"),
    _worker("14:01:40", "d1a0000000000007", "decision", "queued", "OPS-11", title="Certificates end on Sunday",
            stream="hub", why="a todo of urgent priority", priority="urgent"),
    _stream("14:02:12", "mirror", "retrying", why="connection refused; again in 12 s"),
)  # fmt: skip


def lines() -> Iterator[bytes]:
    """The registry, line by line."""
    seal = seal_with(KEY, REGISTRY, None, Signed.COMMAND)
    timed = sorted((*_BEGUN, *_SESSIONS, *_WORKERS), key=lambda one: one[0])
    written = b""
    for number, (time, told) in enumerate(timed):
        event = {"id": f"5e55{number:012x}", "timestamp": f"2026-11-20T{time}.000Z"} | told
        if event["event"] == "command":
            event |= seal(event)
        elif event["event"] == "decision":
            event = signed(event, written)
        line = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        written += line
        yield line


if __name__ == "__main__":
    FILE.write_bytes(b"".join(lines()))
