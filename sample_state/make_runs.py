"""Writes runs.jsonl: a team at work on a login page, a run that is done, one that failed, and two agents beside them.

.venv/bin/python -m sample_state.make_runs

The same bytes every time, each line as the orchestrator writes it; the key of their proofs is nobody's.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from collab_tui.orchestrator.journal import NUMBER, proof_of

FILE = Path(__file__).with_name("runs.jsonl")
HOST: Final = "atlas"
MONITOR: Final = "5d0c6a1e9f42"
LOGIN: Final = "3f9a1c27"
REVIEW: Final = "b82d4e60"
REFINE: Final = "71c0aa35"
_DAY: Final = "2026-11-20T"
_KEY: Final = sha256(b"sample_state/runs.jsonl").digest()

_Event = dict[str, Any]
_Timed = tuple[str, _Event]
"""A time of day, and an event."""


class _Team:
    """The lines of one run."""

    def __init__(self, run: str, name: str, pools: dict[str, tuple[str, int]]) -> None:
        self.run = run
        self.agent = f"run-{name}-{run[:4]}"
        self._name = name
        self._began: dict[tuple[str, int], str] = {}
        self._pools = [
            {"role": role, "agent": agent, "seats": [self.seat(role, number) for number in range(1, size + 1)]}
            for role, (agent, size) in pools.items()
        ]

    def seat(self, role: str, number: int = 1) -> str:
        return f"{role}-{number}-{self.run[:4]}"

    def starts(self, time: str, goal: str, pid: int, tasks: list[_Event], pipeline: str) -> Iterator[_Timed]:
        about = {"name": self._name, "goal": goal, "pipeline": pipeline, "host": HOST, "pid": pid, "carrier": MONITOR}
        policy = {"on_error": "stop", "retries": 1, "rounds": 2, "grace": 5.0}
        state = {"role": "orchestrator", "status": "in_progress", "progress": 0, "current_task": goal}
        yield time, self._line(self.agent, "run_started", **about, policy=policy, pools=self._pools, **state)
        yield time, self._line(self.agent, "run_tasks", tasks=tasks)
        for pool in self._pools:
            for seat in pool["seats"]:
                yield time, {"agent": seat, "event": "session_start", "role": pool["role"], "status": "idle"}

    def adds(self, time: str, by: str, *tasks: _Event) -> _Timed:
        return time, self._line(self.agent, "run_tasks", by=by, tasks=list(tasks))

    def begins(self, time: str, seat: str, task: str, attempt: int, round_: int = 1, **fields: Any) -> _Timed:
        self._began[task, attempt] = time
        state = {"status": "in_progress", "current_task": fields.pop("title", task), "progress": 0}
        about = {"task": task, "state": "running", "attempt": attempt, "work": "work", "round": round_}
        return time, self._line(seat, "run_task", **about, **state, **fields)

    def reviews(self, time: str, task: str, attempt: int, round_: int = 1) -> _Timed:
        self._began[task, attempt] = time
        about = {"task": task, "state": "reviewing", "attempt": attempt, "work": "review", "round": round_}
        state = {"status": "in_progress", "current_task": f"review of {task}", "progress": 0}
        return time, self._line(self.seat("validator"), "run_task", **about, **state)

    def tells(self, time: str, seat: str, task: str, state: str, attempt: int, **fields: Any) -> _Timed:
        """What an attempt came to; its agent had it but for a millisecond or two."""
        took = datetime.fromisoformat(f"{_DAY}{time}Z") - datetime.fromisoformat(f"{_DAY}{self._began[task, attempt]}Z")
        about = {"task": task, "state": state, "attempt": attempt, "work": "work", "round": 1, "status": "idle"}
        return time, self._line(seat, "run_task", **about | fields, took_ms=took // timedelta(milliseconds=1) - 2)

    def gives(self, time: str, seat: str, task: str, attempt: int, value: object, **fields: Any) -> _Timed:
        result = {"key": task, "revision": 1, "value": value}
        return self.tells(time, seat, task, "done", attempt, **result | fields)

    def steps(self, time: str, done: int, of: int) -> _Timed:
        return time, {"agent": self.agent, "event": "status_update", "progress": 100 * done // of, "run": self.run}

    def ends(self, time: str, state: str, progress: int, reason: str | None = None) -> Iterator[_Timed]:
        for pool in self._pools:
            for seat in pool["seats"]:
                yield time, {"agent": seat, "event": "session_end", "reason": "the run is over"}
        word = {"done": "completed"}.get(state, state)
        about = {"reason": reason} if reason else {}
        yield time, self._line(self.agent, "run_ended", state=state, status=word, progress=progress, **about)

    def _line(self, agent: str, event: str, **fields: Any) -> _Event:
        return {"agent": agent, "event": event, "run": self.run, **fields}


def _task(key: str, role: str | None, title: str, *needs: str, **more: Any) -> _Event:
    return {"key": key, "title": title, "gives": key} | ({"role": role} if role else {}) | (
        {"needs": list(needs)} if needs else {}
    ) | more  # fmt: skip


def _login() -> Iterator[_Timed]:
    """Two executors in parallel, one sent back, one that was tried again, and a question to the person."""
    team = _Team(
        LOGIN,
        "login-page",
        {"planner": ("claude", 1), "executor": ("claude", 2), "validator": ("codex", 1), "documenter": ("gemini", 1)},
    )
    planner, validator, documenter = team.seat("planner"), team.seat("validator"), team.seat("documenter")
    one, two = team.seat("executor", 1), team.seat("executor", 2)
    reviewed = {"review": "validator", "rounds": 2}
    yield from team.starts(
        "13:49:02", "Sign in by a link in a mail, without a password", 61044,
        [
            _task("plan", "planner", "split the goal into tasks"),
            _task("checks", "validator", "lint, types and what tests there are", "plan"),
            _task("draft", "documenter", "an outline of the guide", "plan"),
            _task("migrate", "executor", "move the table of sessions", "plan", approval=True),
            _task("validate", "validator", "everything together, against the goal", "plan/*", "checks", "migrate"),
            _task("guide", "documenter", "the guide, as it was built", "validate", "draft"),
            _task("release", None, "your yes to the release", "validate"),
        ],
        ".collab/pipelines/login-page.toml",
    )  # fmt: skip
    yield team.begins("13:49:03", planner, "plan", 1, title="split the goal into tasks")
    plan = {"plan": "A table of links, a form, a mail; limits last, as they need the links.", "tasks": 4}
    yield team.gives("13:49:44", planner, "plan", 1, plan, progress=100)
    yield team.adds(
        "13:49:44", "plan",
        _task("plan/links", "executor", "links that work once and for ten minutes", "plan", **reviewed),
        _task("plan/form", "executor", "the form, 로그인 and English", "plan", priority=1, **reviewed),
        _task("plan/mail", "executor", "the mail with the link", "plan", **reviewed),
        _task("plan/limits", "executor", "how often one may ask for a link", "plan/links", **reviewed),
    )  # fmt: skip
    yield team.steps("13:49:45", 1, 11)
    yield team.begins("13:49:45", one, "plan/form", 1, title="the form, 로그인 and English", branch="collab/run/form")
    yield team.begins("13:49:45", two, "plan/links", 1, title="links that work once and for ten minutes")
    yield team.begins("13:49:45", validator, "checks", 1, title="lint, types and what tests there are")
    yield team.begins("13:49:46", documenter, "draft", 1, title="an outline of the guide")
    request = "a99b0e0000000031"
    yield "13:49:46", {
        "id": request, "agent": team.agent, "event": "decision_request", "target": "human", "run": LOGIN,
        "request": "Start migrate: move the table of sessions?", "key": f"{LOGIN} migrate start",
        "details": "It changes the database of the stage. Its result is needed by validate.", "status": "in_progress",
    }  # fmt: skip
    asked = {"task": "migrate", "state": "asked", "request": request, "why": "the pipeline says that you are asked"}
    yield "13:49:46", {"agent": team.agent, "event": "run_task", "run": LOGIN, **asked}
    found = {"errors": 0, "warnings": 3, "where": ["auth/views.py:41", "auth/views.py:77", "mail/send.py:12"]}
    yield team.gives("13:50:31", validator, "checks", 1, found, progress=100)
    outline = "# Sign in\n\n1. What the person sees\n2. What a link is good for\n3. When a mail does not come\n"
    yield team.gives("13:51:20", documenter, "draft", 1, outline, progress=100)
    yield team.steps("13:51:20", 3, 11)
    log = "logs/runs/3f9a1c27"
    links = {"branch": "collab/run/links", "log": f"{log}/plan-links-1.log"}
    yield team.tells("13:54:02", two, "plan/links", "worked", 1, value={"files": 4, "tests": 9}, **links)
    yield team.reviews("13:54:02", "plan/links", 2)
    yield team.begins("13:54:03", two, "plan/mail", 1, title="the mail with the link", log=f"{log}/plan-mail-1.log")
    yield "13:54:11", {
        "agent": two, "event": "run_task", "run": LOGIN, "task": "plan/mail", "state": "retrying", "attempt": 1,
        "work": "work", "round": 1, "took_ms": 7998, "error": "exit 1: the stand-in for SMTP did not answer on 1025",
        "retry_in": 2, "status": "waiting",
    }  # fmt: skip
    yield team.begins("13:54:13", two, "plan/mail", 2, title="the mail with the link", log=f"{log}/plan-mail-2.log")
    comment = "A link that was used is accepted again within its ten minutes: no test covers that."
    yield team.tells("13:55:30", validator, "plan/links", "rejected", 2, work="review", comment=comment, error=comment)
    form = {"branch": "collab/run/form", "log": f"{log}/plan-form-1.log", "value": {"files": 3, "tests": 6}}
    yield team.tells("13:56:48", one, "plan/form", "worked", 1, **form)
    yield team.reviews("13:56:48", "plan/form", 2)
    yield team.begins("13:56:49", one, "plan/links", 3, 2, title="links that work once and for ten minutes")
    yield team.gives("13:58:10", validator, "plan/form", 2, {"files": 3, "tests": 6}, work="review")
    yield team.steps("13:58:10", 4, 11)
    rate = {"key": "limits/per-hour", "revision": 1, "value": 5, "task": "plan/links", "run": LOGIN}
    yield "13:59:20", {"agent": one, "event": "run_value", **rate}
    yield "14:00:41", {"agent": one, "event": "run_value", **rate, "revision": 2, "value": 3}
    yield "14:01:30", {"agent": one, "event": "status_update", "progress": 64, "next_action": "the test of a used link"}
    mail = {"branch": "collab/run/mail", "log": f"{log}/plan-mail-2.log", "value": {"files": 2, "tests": 4}}
    yield team.tells("14:02:09", two, "plan/mail", "worked", 2, **mail)
    yield team.reviews("14:02:10", "plan/mail", 3)


def _review() -> Iterator[_Timed]:
    """A fan-out that is done, about three times as fast as one seat."""
    team = _Team(REVIEW, "nightly-review", {"reader": ("codex", 4), "writer": ("claude", 1)})
    parts = ("auth", "mail", "pages", "tasks")
    titles = [_task(part, "reader", f"read what changed in {part}") for part in parts]
    end = _task("report", "writer", "one report of all", *parts)
    yield from team.starts("13:20:00", "Review what changed yesterday", 60112, [*titles, end], "nightly.toml")
    ended = ("13:23:05", "13:22:20", "13:23:41", "13:22:58")
    for number, part in enumerate(parts, 1):
        yield team.begins("13:20:00", team.seat("reader", number), part, 1, title=f"read what changed in {part}")
    for number, (part, time) in enumerate(zip(parts, ended, strict=True), 1):
        value = {"findings": number, "worst": "a query in a loop" if part == "tasks" else "names"}
        yield team.gives(time, team.seat("reader", number), part, 1, value)
    yield team.begins("13:23:41", team.seat("writer"), "report", 1, title="one report of all")
    text = "Ten findings, one of them slow: tasks/list.py asks the database once for every row.\n" * 12
    digest = sha256(json.dumps(text).encode()).hexdigest()
    value = {"file": f"runs/{REVIEW}/{digest}.json", "digest": digest, "size": 84_221, "begins": text[:400]}
    about = {"key": "report", "revision": 1, **value}
    yield team.tells("13:24:39", team.seat("writer"), "report", "done", 1, **about)
    yield from team.ends("13:24:39", "done", 100)


def _refine() -> Iterator[_Timed]:
    """A loop that failed."""
    team = _Team(REFINE, "refine", {"writer": ("python write.py", 1), "critic": ("python judge.py", 1)})
    tasks = [
        _task("text", "writer", "the first version"),
        _task("better", "writer", "a better one", "text"),
        _task("print", "writer", "as a page", "better"),
    ]
    goal = "A page about cookies that lawyers and people understand"
    yield from team.starts("13:31:00", goal, 60590, tasks, "refine.toml")
    yield team.begins("13:31:00", team.seat("writer"), "text", 1, title="the first version")
    yield team.gives("13:31:09", team.seat("writer"), "text", 1, "Cookies are small notes that a page leaves.")
    yield team.begins("13:31:09", team.seat("writer"), "better", 1, title="a better one")
    error = "it did not end within 60 s"
    yield team.tells("13:32:09", team.seat("writer"), "better", "timed_out", 1, error=error)
    skipped = {"task": "print", "state": "cancelled", "why": "better did not get done"}
    yield "13:32:09", {"agent": team.agent, "event": "run_task", "run": REFINE, **skipped}
    yield from team.ends("13:32:09", "failed", 33, "better: it did not end within 60 s")


_OTHERS: Final[tuple[_Timed, ...]] = (
    ("13:19:00", {"agent": "human", "event": "registry_created", "registry": "c41f7702aa9e6b58"}),
    ("13:40:00", {"agent": "maestro", "event": "session_start", "role": "release", "status": "in_progress",
                  "current_task": "release 2.4", "progress": 40}),
    ("13:44:00", {"agent": "sena", "event": "session_start", "role": "support", "status": "idle"}),
    ("14:01:50", {"agent": "maestro", "event": "status_update", "progress": 55, "next_action": "the changelog"}),
)  # fmt: skip


def lines() -> Iterator[bytes]:
    """The registry, line by line."""
    timed = sorted((*_OTHERS, *_review(), *_refine(), *_login()), key=lambda one: one[0])
    counts: Counter[str] = Counter()
    for number, (time, told) in enumerate(timed):
        fields = {name: value for name, value in told.items() if value is not None}
        event = {"id": f"4a5c{number:012x}", "timestamp": f"{_DAY}{time}.000Z"} | fields
        if (run := told.get("run")) is not None:
            counts[run] += 1
            event[NUMBER] = counts[run]
            event["proof"] = proof_of(event, _KEY)
        yield json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


if __name__ == "__main__":
    FILE.write_bytes(b"".join(lines()))
