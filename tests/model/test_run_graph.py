"""What comes before what in a run: needs, cycles, layers, the longest chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from collab_tui.model.run_graph import Graph, Node, Unmet

KEYS = ("a", "b", "c", "d", "a/x", "a/y", "a/x/z")
_needs = st.lists(st.sampled_from((*KEYS, "a/*", "a/x/*", "k", "goal", "never")), max_size=3).map(tuple)
_graphs = st.lists(
    st.builds(Node, st.sampled_from(KEYS), st.sampled_from(("k", "m", *KEYS)), _needs),
    max_size=7,
    unique_by=lambda node: node.key,
)


def graph(**tasks: Sequence[str]) -> Graph:
    return Graph(Node(key, key, tuple(needs)) for key, needs in tasks.items())


def is_met(need: str, done: set[str], nodes: Mapping[str, Node]) -> bool:
    """What the words of a need mean, said once more in the plainest way."""
    if need in nodes:
        return need in done
    if need.endswith("/*"):
        top = need[:-2]
        return top in nodes and all(key in done for key in nodes if key == top or key.startswith(f"{top}/"))
    return need == "goal" or any(node.gives == need for node in nodes.values() if node.key in done)


@given(_graphs)
def test_layers_are_the_rounds_in_which_a_run_with_seats_for_all_would_do_the_tasks(nodes):
    found, by_key = Graph(nodes), {node.key: node for node in nodes}
    done: set[str] = set()
    rounds: dict[str, int] = {}
    number = 0
    while True:
        ready = [key for key in by_key if key not in done and all(is_met(n, done, by_key) for n in by_key[key].needs)]
        if not ready:
            break
        rounds |= dict.fromkeys(ready, number)
        done.update(ready)
        number += 1
    assert found.layers == rounds
    assert set(found.order) == set(rounds)
    for key in found.order:
        assert all(found.order.index(before) < found.order.index(key) for before in found.before(key))


@given(_graphs)
def test_what_never_starts_is_in_a_cycle_or_needs_what_nobody_gives_or_comes_after_such_a_task(nodes):
    found = Graph(nodes)
    stuck = [node.key for node in nodes if node.key not in found.layers]
    cycles, orphans = found.cycles(), [task for task, _ in found.nobody_gives()]
    assert bool(stuck) == bool(cycles or orphans)
    members = [key for cycle in cycles for key in cycle]
    assert len(members) == len(set(members)), "each tangle is told once"
    for cycle in cycles:
        for key, needed in zip(cycle, (*cycle[1:], cycle[0]), strict=True):
            assert needed in found.before(key)
            assert key in stuck


@given(_graphs, st.data())
def test_what_is_missing_is_what_the_needs_say(nodes, data):
    found, by_key = Graph(nodes), {node.key: node for node in nodes}
    done = data.draw(st.sets(st.sampled_from(KEYS)).map(lambda keys: keys & by_key.keys()))
    values = {by_key[key].gives for key in done}
    unmet = found.unmet(done, values)
    for key, node in by_key.items():
        if key not in done:
            told = [missing.need for missing in unmet.get(key, ())]
            assert told == [need for need in dict.fromkeys(node.needs) if not is_met(need, done, by_key)]
    assert all(done.isdisjoint(missing.tasks) for each in unmet.values() for missing in each)


@given(_graphs, st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, st.integers(0, 9))))
def test_the_critical_path_is_a_chain_of_needs_and_no_chain_is_longer(nodes, seconds):
    found = Graph(nodes)
    path = found.critical_path(seconds)
    assert path.seconds == sum(seconds.get(key, 0) for key in path.keys)
    for before, key in zip(path.keys, path.keys[1:], strict=False):
        assert found.layers[before] < found.layers[key]

    def longest(key: str) -> int:
        return seconds.get(key, 0) + max(map(longest, found.before(key)), default=0)

    if all(node.gives == node.key for node in nodes):  # else who gave first is a matter of the durations
        assert path.seconds == max(map(longest, found.order), default=0)


def test_a_cycle_is_told_whole_and_what_only_comes_after_it_is_not_in_it():
    assert graph(a=["c"], b=["a"], c=["b"], d=["c"]).cycles() == [("a", "c", "b")]
    assert graph(a=["a"]).cycles() == [("a",)]
    assert graph(a=["b"], b=["a"], c=["d"], d=["c"]).cycles() == [("a", "b"), ("c", "d")]


def test_a_task_that_waits_for_all_below_the_one_it_belongs_to_waits_for_itself():
    below = Graph([Node("a", "a"), Node("a/x", "a/x", ("a/*",))])
    assert below.cycles() == [("a/x",)]


def test_of_several_that_give_a_key_the_first_meets_the_need_and_the_others_revise_it():
    loop = Graph([Node("draft", "text"), Node("look", "look", ("text",)), Node("improve", "text", ("look", "text"))])
    assert loop.cycles() == []
    assert loop.before("look") == ("draft",)
    assert loop.layers == {"draft": 0, "look": 1, "improve": 2}


def test_what_stands_there_from_the_beginning_needs_nobody():
    found = Graph([Node("a", "a", ("goal", "style"))], known=("goal", "style"))
    assert (list(found.nobody_gives()), found.before("a"), found.layers) == ([], (), {"a": 0})
    assert list(graph(a=["style", "b/*"]).nobody_gives()) == [("a", "style"), ("a", "b/*")]


def test_who_waits_for_all_below_a_task_waits_for_those_that_were_added_later_too():
    nodes = [Node("plan", "plan"), Node("docs", "docs", ("plan/*",)), Node("plan/a", "plan/a")]
    assert Graph(nodes).unmet({"plan"}, {"plan"}) == {"docs": (Unmet("plan/*", ("plan/a",)),)}
    more = [*nodes, Node("plan/a/x", "plan/a/x"), Node("planner", "planner")]
    assert Graph(more).unmet({"plan", "plan/a"}, set()) == {"docs": (Unmet("plan/*", ("plan/a/x",)),)}


def test_a_wide_graph_with_common_needs_costs_no_more_than_its_lines():
    """Two thousand that all wait for two thousand: pairs of them would be four million."""
    many = [Node("top", "top"), *(Node(f"top/{n}", f"top/{n}") for n in range(2000))]
    found = Graph([*many, *(Node(f"after{n}", f"after{n}", ("top/*",)) for n in range(2000))])
    assert found.layers["after7"] == 1
    assert len(found.unmet(set(), set())) == 2000
    assert found.critical_path({"top/5": 3.0, "after9": 2.0}) == (("top/5", "after9"), 5.0)
