"""Any graph, any outcomes, any person, killed, stopped and torn down anywhere: what holds of every run.

The registry, the lines and the way back from them are real. What is right is said by `any_judge`, which knows the story
and the rules, and nothing of the orchestrator; what no kill may change, by the same story without one. `ANY_RUN=20` in
the environment tries twenty times as many stories.
"""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, assume, given, settings

from collab_tui.model.runs import Work
from collab_tui.orchestrator.checking import problems
from collab_tui.orchestrator.plan import OnError, Policy, Task
from tests.orchestrator.any_judge import Judge
from tests.orchestrator.any_story import SHARED, End, How, Story, stories
from tests.orchestrator.any_world import World, came_of, happened, pipeline_of, told_of

TIMES = int(os.environ.get("ANY_RUN", "1"))
SYNCS = {"fsync": lambda descriptor: None, "fdatasync": lambda descriptor: None}
"""No machine loses its power here."""
quickly = settings(
    deadline=None,
    max_examples=250 * TIMES,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@pytest.fixture(autouse=True)
def is_nothing_left() -> Iterator[None]:
    """What a killed process was about to begin goes here, and not in whatever test comes next."""
    yield
    gc.collect()


SEATS = {"worker": 2, "judge": 1, "planner": 1}
GO_ON, STOP = (Policy(on_error=on_error, grace=1.0, most_depth=1) for on_error in (OnError.GO_ON, OnError.STOP))
ASKED_AT_THE_END = (Task("t0", "worker"), Task("t1", "worker"), Task("t2", needs=("t0",), needs_approval=True))
ONCE_WRONG = {
    "stopped just when a question is to be asked": [
        Story(ASKED_AT_THE_END, STOP, SEATS, False, {("t1", Work.WORK): ("fails",)}, {"t2": ("never",)}, 0, ()),
    ],
    "a yes to begin is none to a result": [
        Story(
            (Task("t0", "worker", review="judge", rounds=0, needs_approval=True),),
            GO_ON,
            SEATS,
            False,
            {("t0", Work.REVIEW): ("rejects",)},
            {"t0": ("yes", "no")},
            0,
            (End(How.KILL, lines, 0),),
        )
        for lines in range(6, 17)
    ],
    "what failed before a kill counts after it": [
        Story(
            (Task("t0", "worker", retries=1, backoff=0.2),),
            GO_ON,
            SEATS,
            False,
            {("t0", Work.WORK): ("fails", "fails")},
            {},
            0,
            (End(How.KILL, lines, 0),),
        )
        for lines in range(5, 9)
    ],
    "nothing begins after a pause when the run was stopped": [
        Story(
            (Task("t0", "worker", retries=1, backoff=0.2), Task("t1", "worker")),
            GO_ON,
            SEATS,
            False,
            {("t0", Work.WORK): ("fails",), ("t1", Work.WORK): ("stays",)},
            {},
            0,
            (End(How.STOP, lines, 9),),
        )
        for lines in range(6, 10)
    ],
    "who said yes is not asked once more": [
        Story((Task("t0", "worker", needs_approval=True),), GO_ON, SEATS, False, {}, {}, 0, (End(How.KILL, lines, 0),))
        for lines in range(5, 9)
    ],
    "of what two add at once only one can stand": [
        Story(
            (Task("t0", "planner"), Task("t1", "planner")),
            GO_ON,
            {**SEATS, "planner": 2},
            False,
            {(key, Work.WORK): ("clashes",) for key in ("t0", "t1")},
            {},
            disk,
            (),
        )
        for disk in range(4)
    ],
    "what a failed attempt wrote is there": [
        Story(
            (Task("t0", "worker", gives="value/0"), Task("t1", "worker", needs=("value/0",))),
            GO_ON,
            {**SEATS, "worker": workers},
            False,
            {("t0", Work.WORK): ("leaves",)},
            {},
            0,
            (),
        )
        for workers in (1, 2)
    ],
    "what waits for two things that are lost at once is skipped once": [
        Story(
            (
                Task("t0", "worker", gives="value/0"),
                Task("t1", "worker", needs=("t0", "value/0")),
                Task("t2", "worker"),
            ),
            GO_ON,
            SEATS,
            False,
            {("t0", Work.WORK): ("fails",), ("t2", Work.WORK): ("waits",)},
            {},
            0,
            (),
        ),
    ],
    "what was skipped is not skipped once more by who goes on": [
        Story(
            (
                Task("t0", gives=SHARED, on_error=OnError.GO_ON, needs_approval=True),
                Task("t1", "worker", needs=("t0",), gives=SHARED),
            ),
            STOP,
            SEATS,
            False,
            {},
            {"t0": ("no",)},
            0,
            (End(How.KILL, lines, 0),),
        )
        for lines in range(5, 11)
    ],
    "what a killed attempt added is no task": [
        Story((Task("t0", "planner"),), GO_ON, SEATS, False, {}, {}, 0, (End(How.KILL, one, 0), End(How.KILL, two, 0)))
        for one in range(5, 9)
        for two in range(5, 9)
    ],
}
"""Stories of mistakes that were made: each is broken off around where it mattered."""


def _judged(story: Story) -> None:
    with tempfile.TemporaryDirectory() as folder, mock.patch.multiple(os, create=True, **SYNCS):
        world = happened(Path(folder) / "project", story)
        assert Judge(world).verdict() == [], told_of(world)
        if story.is_steady and story.ends:
            calm = happened(Path(folder) / "calm", replace(story, ends=()))
            assert came_of(world) == came_of(calm), told_of(world)


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@quickly
@given(stories())
def test_whatever_happens_to_a_run_its_lines_are_those_that_its_story_allows(story: Story) -> None:
    assume(not problems(pipeline_of(World(story, Path()))))
    _judged(story)


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.parametrize("name", ONCE_WRONG)
def test_what_was_wrong_once_is_right(name: str) -> None:
    for story in ONCE_WRONG[name]:
        _judged(story)


SENT_BACK = Story(
    (
        Task("plan", "planner", review="judge", retries=1, backoff=0),
        Task("build", "worker", needs=("plan/*",), gives=SHARED, review="judge", rounds=1, retries=1, backoff=0.2),
        Task("docs", "worker", needs=("plan",), needs_approval=True),
        Task("last", "worker", needs=("build", SHARED, "docs"), gives=SHARED),
    ),
    GO_ON,
    {**SEATS, "judge": 2},
    True,
    {
        ("plan", Work.WORK): ("refused",),
        ("plan/b", Work.REVIEW): ("rejects",),
        ("build", Work.WORK): ("leaves", "gives much", "hangs"),
        ("build", Work.REVIEW): ("rejects", "fails", "rejects"),
        ("docs", Work.WORK): ("puts",),
    },
    {"docs": ("late",)},
    1,
    (),
    is_steady=True,
)
"""The person takes what was sent back once too often, and all is done."""
FAILED = Story(
    (
        Task("plan", "planner", needs_approval=True),
        Task("below", "worker", needs=("plan/*",)),
        Task("tried", "worker", needs=("plan",), retries=1, backoff=0.2),
        Task("judged", "worker", review="judge", rounds=0),
        Task("other", "worker", needs=("tried",)),
    ),
    GO_ON,
    SEATS,
    False,
    {
        ("plan/b", Work.WORK): ("cannot",),
        ("tried", Work.WORK): ("leaves", "stays"),
        ("judged", Work.REVIEW): ("rejects",),
    },
    {"judged": ("no",)},
    0,
    (),
    is_steady=True,
)
"""What cannot be, what failed as often as it may, what the person refuses, and what needs those."""


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.parametrize("story", [SENT_BACK, FAILED], ids=["done", "failed"])
def test_wherever_a_run_is_killed_the_same_comes_of_it(story: Story, tmp_path: Path) -> None:
    with mock.patch.multiple(os, create=True, **SYNCS):
        calm = happened(tmp_path / "calm", story)
        wanted = came_of(calm)
        for lines in range(1, len(calm.lines)):
            killed = happened(tmp_path / f"{lines}", replace(story, ends=(End(How.KILL, lines, lines % 8),)))
            assert Judge(killed).verdict() == [], told_of(killed)
            assert came_of(killed) == wanted, told_of(killed)
