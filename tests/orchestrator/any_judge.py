"""What may stand in the registry of a run, by its story alone: the rules once more, in the simplest words.

It walks the lines in their order and says what is wrong. Nothing of the orchestrator's is in it but the tasks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from collab_tui.model.runs import Work
from collab_tui.orchestrator.plan import OnError, Task
from tests.orchestrator.any_story import CLASH, FAILING, HANGING
from tests.orchestrator.any_world import COMMENT, World

OVER = frozenset(("done", "failed", "timed_out", "cancelled", "skipped"))
LOST = OVER - {"done"}
FAILED = frozenset(("failed", "timed_out"))


@dataclass
class Life:
    """One task, as its lines tell of it."""

    task: Task
    depth: int = 0
    is_told: bool = False
    """The registry tells of it."""
    end: str | None = None
    seat: str | None = None
    kept: str | None = None
    work: Work = Work.WORK
    """What is done with it now, or comes next."""
    attempt: int = 0
    given: int = 0
    """The attempt whose result is the last one."""
    completed: dict[Work, int] = field(default_factory=lambda: dict.fromkeys(Work, 0))
    failures: int = 0
    round: int = 1
    comments: list[str] = field(default_factory=list)
    is_approved: bool = False
    """The person said that it may begin."""
    is_taken: bool = False
    """The person said yes to the result that was sent back once too often."""
    is_for_the_person: bool = False
    """It was sent back once too often."""
    question: str | None = None
    """What the person is being asked."""
    value: Any = None
    """Its result."""
    last: str | None = None
    """To what the last attempt came that was not broken off."""


class Judge:
    """What is known of the run so far."""

    def __init__(self, world: World) -> None:
        self.world, self.story = world, world.story
        self.lives: dict[str, Life] = {}
        self.tentative: dict[str, list[Task]] = {}
        """Adder -> what it adds, until it is done."""
        self.values: dict[str, list[Any]] = {}
        self.lost: set[str] = set()
        """Needs that could not be met, at some time in this process."""
        self.process = -1
        self.is_stopping = False
        """Something may have stopped the run."""
        self.is_stopped = False
        """It was resumed for nothing but to end."""
        self.run_ended: str | None = None
        self.begun: set[tuple[str, int]] = set()
        self.orphans: set[str] = set()
        """Added by attempts that came to no end, and not again."""
        self.known_values = [line["value"] for line in world.lines if "key" in line and "value" in line]

    # The rules

    def retries(self, life: Life) -> int:
        return self.story.policy.retries if life.task.retries is None else life.task.retries

    def rounds(self, life: Life) -> int:
        return self.story.policy.rounds if life.task.rounds is None else life.task.rounds

    def stops(self, life: Life) -> bool:
        """It failed, and all else is to end."""
        return life.end in FAILED and (life.task.on_error or self.story.policy.on_error) is OnError.STOP

    def is_met(self, need: str) -> bool:
        if need.endswith("/*"):
            return all(life.end == "done" for key, life in self.lives.items() if is_below(key, need[:-2]))
        return self.lives[need].end == "done" if need in self.lives else need == "goal" or need in self.values

    def is_lost(self, need: str) -> bool:
        """Never will it be met, unless an agent still puts it there."""
        if need.endswith("/*"):
            return any(life.end in LOST for key, life in self.lives.items() if is_below(key, need[:-2]))
        if need in self.lives:
            return self.lives[need].end in LOST
        givers = [life for life in self.lives.values() if life.task.gives == need]
        return need not in self.values and all(life.end in LOST for life in givers)

    def may_come_to(self, life: Life) -> set[str]:
        """How the present attempt may end, if nobody ends it."""
        kind = self.story.script(life.task.key, life.work, life.completed[life.work])
        is_review = life.work is Work.REVIEW
        if kind == "cannot":
            return {"failed"}
        well = {"done"} if is_review or life.task.review is None else {"worked"}
        if kind == "rejects" and is_review:
            return {"rejected"}
        failing = {"timed_out" if kind in HANGING else "failed"}
        if life.failures < self.retries(life):
            failing = {"retrying"} | (failing if self.is_stopping else set())
        if kind in FAILING or kind in HANGING:
            return failing
        if life.task.role != "planner":
            return well
        planned = self.story.script(life.task.key, Work.WORK, life.completed[Work.WORK] - 1) if is_review else kind
        if planned == "refused":
            return failing
        if planned == "clashes" and self.has_clash(life.task.key):  # also where that came about just now
            return failing | (well - {"done"})
        return well

    def has_clash(self, besides: str) -> bool:
        return any(life.task.gives == CLASH and life.task.key != f"{besides}/clash" for life in self.lives.values())

    # The lines

    def verdict(self) -> list[str]:
        """All that is wrong."""
        found = list(self.world.wrong)
        for number, line in enumerate(self.world.lines):
            if self.process in self.world.stops and number >= self.world.stops[self.process]:
                self.is_stopping = True
            found += [f"line {number}: {why}" for why in self.look(line)]
        missing = self.world.calls.keys() - self.begun
        found += [f"an agent works on {key} ({attempt}), and no line says so" for key, attempt in missing]
        found += [f"{key} never ended" for key, life in self.lives.items() if life.end is None]
        found += [f"{key} was never told to be over" for key in self.orphans]
        found += [f"a request still waits: {about}" for about, _ in self.world.requests]
        return found

    def look(self, line: dict[str, Any]) -> Iterator[str]:
        """Take the next line; gives what is wrong with it."""
        match line["event"]:
            case "run_started" | "run_resumed":
                yield from self.goes_on(line)
            case "run_tasks":
                yield from self.tasks(line)
            case "run_value":
                self.values.setdefault(line["key"], []).append(line["value"])
            case "run_ended":
                yield from self.ends(line)
            case "run_task" if line["task"] in self.orphans and line["task"] not in self.lives:
                self.orphans.remove(line["task"])
                if line["state"] != "cancelled":
                    yield f"{line['task']} is {line['state']}, and who added it never came to an end"
            case "run_task" if line["task"] not in self.lives:
                yield f"{line['task']} is no task"
            case "run_task":
                yield from self.task(self.lives[line["task"]], line["state"], line)
        self.lost |= {need for life in self.lives.values() for need in life.task.needs if self.is_lost(need)}

    def goes_on(self, line: dict[str, Any]) -> Iterator[str]:
        self.process += 1
        self.is_stopping = self.story.policy.timeout is not None
        is_anew, self.run_ended = self.run_ended is not None, None
        self.is_stopped = False
        if self.process == 0:
            self.lives = {task.key: Life(task) for task in self.story.tasks}
            return
        for key in self.untold():
            self.lives[key] = Life(self.lives[key].task)
        over = {key: life for key, life in self.lives.items() if life.end in LOST}
        is_failing = any(self.stops(life) for life in over.values())
        self.is_stopped = is_failing and not is_anew
        self.is_stopping |= self.is_stopped
        again = {key for key, life in over.items() if is_anew or (life.end == "cancelled" and not is_failing)}
        if set(line["again"]) != again:
            yield f"{sorted(line['again'])} begin anew, and not {sorted(again)}"
        for key in again:
            self.begins_anew(self.lives[key])
        for life in self.lives.values():
            life.seat = life.kept = None
        self.lost = set()
        self.orphans |= {task.key for tasks in self.tentative.values() for task in tasks} - self.lives.keys()
        self.tentative = {}

    def begins_anew(self, life: Life) -> None:
        """What failed for good begins from its beginning; all else where it was."""
        life.end = None
        if life.last in FAILED:
            life.round, life.failures, life.work, life.comments = 1, 0, Work.WORK, []
            life.is_for_the_person = life.is_taken = False

    def tasks(self, line: dict[str, Any]) -> Iterator[str]:
        keys = [task["key"] for task in line["tasks"]]
        if (by := line.get("by")) is None:
            if keys != self.untold():
                yield f"{keys} are told, and not {self.untold()}"
            for key in keys:
                self.lives[key].is_told = True
            return
        life = self.lives[by]
        attempt = life.attempt if life.work is Work.WORK else life.given
        planned = [f"{by}/{task['key']}" for task in self.world.gave[by, attempt]["tasks"]]
        if keys != planned:
            yield f"{by} adds {keys}, and not {planned}"
        self.tentative[by] = [
            Task(
                each["key"],
                each.get("role"),
                needs=tuple(each.get("needs", ())),
                gives=each.get("gives"),
                review=each.get("review"),
            )
            for each in line["tasks"]
        ]
        self.orphans -= set(keys)

    def untold(self) -> list[str]:
        return [key for key, life in self.lives.items() if not life.is_told]

    def task(self, life: Life, state: str, line: dict[str, Any]) -> Iterator[str]:
        key = life.task.key
        if life.end is not None:
            yield f"{key} is {life.end}, and {state} after that"
            life.end = None
        if state in ("running", "reviewing"):
            yield from self.begins(life, state, line)
        elif "attempt" in line:
            yield from self.attempt_ends(life, state, line)
        else:
            yield from self.comes_about(life, state, line)
        if state in OVER:
            life.end, life.seat, life.kept, life.question = state, None, None, None
            self.is_stopping |= self.stops(life)
        if state == "done":
            life.value = line.get("value")
            if line.get("key") != life.task.result_key:
                yield f"{key} gives {line.get('key')}"
            self.values.setdefault(life.task.result_key, []).append(life.value)
            for task in self.tentative.pop(key, ()):
                self.lives[task.key] = Life(task, life.depth + 1, is_told=True)

    def begins(self, life: Life, state: str, line: dict[str, Any]) -> Iterator[str]:
        key, seat, work = life.task.key, line["agent"], Work(line["work"])
        role, number = seat.rsplit("-", 2)[:2]
        self.begun.add((key, line["attempt"]))
        if self.is_stopped:
            yield f"{key} begins, and the run has failed"
        if life.seat is not None:
            yield f"{key} begins at {seat}, and {life.seat} is at it"
        for other in self.lives.values():
            if other is not life and seat in (other.seat, other.kept):
                yield f"{key} begins at {seat}, where {other.task.key} sits"
        wanted = life.task.review if life.work is Work.REVIEW else life.task.role
        if (role, work, line["round"], line["attempt"]) != (wanted, life.work, life.round, life.attempt + 1):
            yield f"{key} begins otherwise than in round {life.round} with {life.work} {life.attempt + 1} by {wanted}"
        if (state == "reviewing") != (work is Work.REVIEW) or int(number) > self.story.sizes[role]:
            yield f"{key} is {state} at {seat} with {work}"
        if work is Work.WORK and life.kept not in (None, seat):
            yield f"{key} begins at {seat}, and {life.kept} is kept for it"
        if missing := [need for need in life.task.needs if not self.is_met(need)]:
            yield f"{key} begins without {missing}"
        if (life.task.needs_approval and not life.is_approved) or life.is_for_the_person:
            yield f"{key} begins, and the person did not say so"
        life.seat, life.attempt = seat, line["attempt"]
        if work is Work.WORK and self.story.keeps_seat and role == "worker":
            life.kept = seat
        yield from self.got(life)

    def got(self, life: Life) -> Iterator[str]:
        """What its agent was told, if it came to that."""
        key, call = life.task.key, self.world.calls.get((life.task.key, life.attempt))
        if call is None:
            return
        before = self.given(life) if life.given else None
        is_review = life.work is Work.REVIEW
        told = (call.seat, call.work, call.round, list(call.comments), call.candidate, call.previous)
        wanted = (life.seat, life.work, life.round, life.comments)
        wanted += (before if is_review else None, before if not is_review and life.round > 1 else None)
        if plain(told) != plain(wanted):
            yield f"the agent of {key} is told {told}, and not {wanted}"
        for need in life.task.needs:
            if not self.is_value(need, call.inputs[need]):
                yield f"{key} gets {call.inputs[need]!r} for {need}"

    def is_value(self, need: str, value: Any) -> bool:
        if need.endswith("/*"):
            below = {key: life for key, life in self.lives.items() if is_below(key, need[:-2]) and key != need[:-2]}
            return bool(value == {key: life.value for key, life in below.items()})
        if need in self.lives:
            return bool(value == self.lives[need].value)
        return value in self.known_values  # it may have been written once more meanwhile

    def given(self, life: Life) -> Any:
        return self.world.gave[life.task.key, life.given]

    def attempt_ends(self, life: Life, state: str, line: dict[str, Any]) -> Iterator[str]:
        key, seat, work = life.task.key, line["agent"], Work(line["work"])
        if (life.seat, life.attempt, life.work) != (seat, line["attempt"], work):
            yield f"{key} is {state} by {seat}, and it is {life.seat} with {life.work} {life.attempt}"
        if state == "cancelled":
            if not self.is_stopping:
                yield f"{key} is cancelled, and nobody wants that"
            life.seat = None
            return
        if state not in (wanted := self.may_come_to(life)):
            yield f"{key} is {state}, and not {sorted(wanted)}"
        life.seat, life.last = None, state
        life.completed[work] += 1
        life.failures = life.failures + 1 if state == "retrying" else 0
        if work is Work.WORK and state in ("worked", "done"):
            life.given = life.attempt
        if state == "worked":
            life.work, life.is_taken = Work.REVIEW, False
        elif state == "rejected":
            life.comments = [*life.comments, line["comment"]]
            life.is_taken = False
            life.is_for_the_person = life.round > self.rounds(life)
            if life.is_for_the_person:
                life.kept = None
            else:
                life.round, life.work = life.round + 1, Work.WORK
        elif state == "done":
            yield from self.stands(life, line)

    def stands(self, life: Life, line: dict[str, Any]) -> Iterator[str]:
        given = self.given(life) if life.task.role is not None else COMMENT
        given = given["plan"] if isinstance(given, dict) else given
        if line.get("value") != given:
            yield f"the result of {life.task.key} is {line.get('value')!r}, and not {given!r}"

    def comes_about(self, life: Life, state: str, line: dict[str, Any]) -> Iterator[str]:
        """What the run itself tells, and the person."""
        key, answers = life.task.key, self.world.said
        if life.seat is not None:
            yield f"{key} is {state}, and {life.seat} is at it"
        if state == "asked":
            if not life.is_for_the_person and not (life.task.needs_approval and self.needs_met(life)):
                yield f"the person is asked about {key} for nothing"
            is_answered = life.is_approved and not life.is_for_the_person and life.task.role is not None
            if is_answered and not any(map(self.may_change, life.task.needs)):
                yield f"the person is asked about {key} once more"
            life.question = "result" if life.is_for_the_person else "start"
            life.is_taken = False
            life.is_approved = life.is_approved and life.is_for_the_person
        elif state == "pending":
            if life.question is None or (key, line["request"], True) not in answers:
                yield f"the person did not say yes to {key}"
            life.is_taken = life.question == "result" or life.task.role is None
            life.is_approved, life.question = True, None
        elif state == "failed":
            is_refused = life.is_taken and life.task.role == "planner"
            if not is_refused and (life.question is None or (key, line["request"], False) not in answers):
                yield f"the person did not say no to {key}"
        elif state == "done":
            if not life.is_taken:
                yield f"{key} is done, and nobody took it"
            yield from self.stands(life, line)
        elif state == "skipped":
            if not self.lost.intersection(life.task.needs):
                yield f"{key} is skipped, and may have all that it needs"
        elif state != "cancelled" or not self.is_stopping:
            yield f"{key} is {state} by {line['agent']}"

    def may_change(self, need: str) -> bool:
        """What stands there may be another value since, and a yes was to what stood there."""
        return need not in self.lives and not need.endswith("/*")

    def needs_met(self, life: Life) -> bool:
        return all(map(self.is_met, life.task.needs))

    def ends(self, line: dict[str, Any]) -> Iterator[str]:
        self.run_ended = line["state"]
        done = sum(life.end == "done" for life in self.lives.values())
        may = {"done"} if done == len(self.lives) else {"failed"}
        if self.process in self.world.stops and may == {"failed"}:
            has_failed = any(life.end in FAILED for life in self.lives.values())
            may = {"cancelled", "failed"} if has_failed or self.story.policy.timeout is not None else {"cancelled"}
        if line["state"] not in may:
            yield f"the run is {line['state']}, and not {sorted(may)}"
        if line["progress"] != 100 * done // len(self.lives):
            yield f"the run is done to {line['progress']} per cent"
        yield from (f"the run is over, and {key} is not" for key, life in self.lives.items() if life.end is None)
        yield from (f"the run is over, and nobody says so of {key}" for key in self.orphans)


def is_below(key: str, other: str) -> bool:
    """It is that one, or below it."""
    return key == other or key.startswith(f"{other}/")


def plain(value: Any) -> Any:
    """Lists and tuples alike."""
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value
