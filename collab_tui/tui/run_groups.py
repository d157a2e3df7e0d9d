"""The agents of runs, in the list of all: those of one run stand together, below the one that leads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from collab_tui.model.board import Agent
from collab_tui.model.runs import Run
from collab_tui.model.words import name_key


class Grouped(NamedTuple):
    """The agents as they are listed."""

    agents: Sequence[Agent]
    """Those of a run where the first of them would stand, the one that leads it before the others."""
    names: Mapping[str, str]
    """Key -> name, of those that need not say of which run they are."""
    below: frozenset[str]
    """Keys of those that stand below another."""


def grouped(agents: Sequence[Agent], runs: Sequence[Run]) -> Grouped:
    """Group the agents of each run whose leading agent is among them."""
    leads = {name_key(run.agent): run for run in runs}
    of_run = {name_key(name): run for run in runs for name in run.agents()} | leads
    there = {agent.key for agent in agents}
    groups: dict[str, list[Agent]] = {}
    for agent in agents:
        run = of_run.get(agent.key)
        is_led = run is not None and name_key(run.agent) in there
        groups.setdefault(run.id if run is not None and is_led else f"\n{agent.key}", []).append(agent)
    placed: list[Agent] = []
    names: dict[str, str] = {}
    below: set[str] = set()
    for run_id, mine in groups.items():
        placed += sorted(mine, key=lambda agent: agent.key not in leads)
        if len(mine) > 1:
            names |= {agent.key: agent.name.removesuffix(f"-{run_id[:4]}") for agent in mine}
            below |= {agent.key for agent in mine if agent.key not in leads}
    counts = Counter(name for key, name in names.items() if key not in below)
    return Grouped(placed, {k: n for k, n in names.items() if k in below or counts[n] == 1}, frozenset(below))
