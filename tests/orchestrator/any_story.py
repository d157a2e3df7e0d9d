"""Stories of runs: what is to be done, how every attempt at it turns out, what the person says, where it is broken off.

Nothing here knows the orchestrator's rules: those are in `any_judge`, once more and otherwise than in the orchestrator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hypothesis import strategies as st

from collab_tui.model.runs import Work
from collab_tui.orchestrator.plan import OnError, Policy, Task

FAILING = ("fails", "raises", "odd", "leaves")
"""Ways in which an attempt comes to nothing, and may be tried again; what `leaves` wrote onto the blackboard stays."""
HANGING = ("hangs", "stays")
"""Ways to be at work for ever; who `stays` takes a while to end."""
CLASH = "value/clash"
"""The key that each plan of the kind `clashes` has a task of its own give."""
SHARED = "value/shared"


class How(StrEnum):
    """How a process comes to its end."""

    KILL = "kill"
    """Nothing of it is written any more, and what was in its memory is gone."""
    STOP = "stop"
    """The person ends the run."""


@dataclass(frozen=True)
class End:
    """The end of a process: after so many lines of its own, and so many turns of its loop more."""

    how: How
    lines: int
    turns: int


@dataclass(frozen=True)
class Story:
    """What a run is to do, and how it turns out."""

    tasks: tuple[Task, ...]
    policy: Policy
    sizes: Mapping[str, int]
    keeps_seat: bool
    scripts: Mapping[tuple[str, Work], tuple[str, ...]]
    """What becomes of each attempt at a task that is not broken off, in order; afterwards all goes well."""
    says: Mapping[str, tuple[str, ...]]
    """About a task -> what the person says to its questions in each process; afterwards yes.

    `late` is yes after a while; who says `never` has enough of the run.
    """
    disk: int
    """Turns of the loop that a write takes."""
    ends: tuple[End, ...]
    """Of the first processes; one more goes on until the run is over."""
    is_steady: bool = False
    """What comes of it depends on nothing but the story: no task ends another, or reads what several write, and an
    attempt that is made once more gives the same. So wherever it is killed, the same has to come of it.
    """

    def script(self, key: str, work: Work, place: int) -> str:
        """What becomes of an attempt, `place` counts from 0 those that came to an end."""
        script = self.scripts.get((key, work), ())
        return script[place] if place < len(script) else "well"

    def answer(self, key: str, process: int) -> str:
        """What the person says about a task."""
        said = self.says.get(key, ())
        place = 0 if self.is_steady else process
        return said[place] if place < len(said) else "yes"


def plan_of(kind: str, number: int, *, may_add: bool) -> list[dict[str, object]]:
    """What a planner adds. What gives another number adds other tasks."""
    if kind == "refused":
        return [{"key": "a", "role": "worker", "needs": ["b"]}, {"key": "b", "role": "worker", "needs": ["a"]}]
    if kind == "clashes":
        return [{"key": "clash", "role": "worker", "gives": CLASH}]
    more: list[dict[str, object]] = [{"key": f"a{number}", "role": "worker"}]
    more += [{"key": "b", "role": "worker", "needs": [f"a{number}"], "review": "judge"}]
    return [*more, {"key": "c", "role": "planner"}] if may_add else more


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Any small run."""
    tasks: list[Task] = []
    sharer: str | None = None
    is_shared_needed = False
    is_steady = draw(st.booleans())
    on_error = st.none() if is_steady else st.sampled_from((None, None, None, *OnError))
    for number in range(draw(st.integers(1, 5))):
        role = draw(st.sampled_from(("worker", "worker", "worker", "planner", None)))
        needs = []
        for task in tasks:
            if not draw(st.booleans()):
                continue
            value = task.gives if task.gives not in (None, SHARED) and draw(st.booleans()) else None
            below = f"{task.key}/*" if task.role == "planner" and draw(st.booleans()) else None
            needs.append(value or below or task.key)
        gives = draw(st.sampled_from((None, None, f"value/{number}", SHARED)))
        if gives == SHARED and is_shared_needed:
            gives = None  # it would need what needs it
        if gives == SHARED:
            needs = list(dict.fromkeys((*needs, sharer))) if sharer is not None else needs
            sharer = f"t{number}"
        elif sharer is not None and draw(st.booleans()):
            needs += (sharer, SHARED) if is_steady else (SHARED,)  # who came last is to have written it
            needs = list(dict.fromkeys(needs))
            is_shared_needed = True
        if needs and draw(st.booleans()):  # one thing by two names
            twin = next((task.gives for task in tasks if task.key == needs[0]), None)
            needs = list(dict.fromkeys((*needs, twin))) if twin not in (None, SHARED) else needs
        tasks.append(
            Task(
                f"t{number}",
                role,
                needs=tuple(needs),
                gives=gives,
                priority=draw(st.integers(-1, 1)),
                retries=draw(st.sampled_from((None, 0, 1, 2))),
                backoff=draw(st.sampled_from((0, 0, 0.2))),
                on_error=draw(on_error),
                review=draw(st.sampled_from((None, "judge"))) if role is not None else None,
                rounds=draw(st.integers(0, 2)),
                needs_approval=role is None or draw(st.integers(0, 3)) == 0,
            )
        )
    keys = [task.key for task in tasks]
    below = ("a1", "a2", "b", "c", "c/a1", "c/b")
    working = [*keys, *(f"{task.key}/{more}" for task in tasks if task.role == "planner" for more in below)]
    well = ("well", "well", "waits", "puts", "rejects", "rejects", "rejects")
    clashes = () if is_steady else ("clashes", "clashes")
    outcome = st.sampled_from((*well, *FAILING, "cannot", *HANGING, "refused", *clashes))
    reviewed = [task.key for task in tasks if task.review is not None] or working
    whose = st.one_of(
        st.tuples(st.sampled_from(keys), st.sampled_from(Work)),
        st.tuples(st.sampled_from(working), st.sampled_from(Work)),
        st.tuples(st.sampled_from(reviewed), st.just(Work.REVIEW)),
    )
    answer = st.sampled_from(("yes", "late", "no") if is_steady else ("yes", "late", "no", "never"))
    timeout = st.none() if is_steady else st.sampled_from((None, None, None, None, 3.0))
    return Story(
        tuple(tasks),
        Policy(
            on_error=OnError.GO_ON if is_steady else draw(st.sampled_from(OnError)),
            retries=draw(st.integers(0, 1)),
            grace=1.0,
            timeout=draw(timeout),
            most_depth=draw(st.integers(1, 2)),
        ),
        {"worker": draw(st.integers(1, 3)), "judge": draw(st.integers(1, 2)), "planner": draw(st.integers(1, 2))},
        draw(st.booleans()),
        draw(st.dictionaries(whose, st.lists(outcome, min_size=1, max_size=4).map(tuple), max_size=6)),
        draw(
            st.dictionaries(st.sampled_from(working), st.lists(answer, min_size=1, max_size=3).map(tuple), max_size=4)
        ),
        draw(st.integers(0, 3)),
        tuple(draw(st.lists(_ends((How.KILL,) if is_steady else tuple(How)), min_size=int(is_steady), max_size=3))),
        is_steady,
    )


def _ends(how: tuple[How, ...]) -> st.SearchStrategy[End]:
    return st.builds(End, st.sampled_from(how), st.integers(1, 25), st.integers(0, 12))
