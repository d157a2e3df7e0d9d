"""Which events concern an agent."""

from __future__ import annotations

from typing import Any

import pytest

from collab_tui.protocol.addressed import Addressing, Concern
from tests.events import asks, decides, items, says, updates


def concerns(*objects: dict[str, Any], name: str = "Sena", person: str = "human") -> list[tuple[int, Concern]]:
    """Position and concern of those that concern the agent."""
    found = Addressing(name, person).extend(items(*objects))
    return [(one.event.position, one.concern) for one in found]


@pytest.mark.parametrize(
    ("event", "concern"),
    [
        (says("lubit", "message", target="sena", message="hi"), Concern.MESSAGE),
        (says("lubit", "message", target="all", message="hi"), Concern.MESSAGE),
        (says("lubit", "message", target=["gitcode", "ＳＥＮＡ"], message="hi"), Concern.MESSAGE),
        (says("lubit", "message", target="gitcode", message="sena: hi"), None),
        (says("lubit", "message", message="hi"), None),
        (says("sena", "message", target="all", message="hi"), None),
        (asks("lubit", "r1", request="go?", target="sena"), Concern.REQUEST),
        (asks("lubit", "r1", request="go?"), None),
        (decides("lubit", target="sena", verdict="approved"), Concern.DECISION),
        (decides("lubit", decision_for="sena_metrics", verdict="approved"), Concern.DECISION),
        (decides("lubit", target="gitcode", decision_for="sena_metrics", verdict="approved"), None),
        (decides("lubit", "of-another", target="sena", verdict="approved"), None),
        (says("lubit", "blocker_resolved", target="sena", blocker="x"), Concern.UNBLOCKED),
        (says("lubit", "blocker_resolved", blocker="x"), None),
        (says("lubit", "feedback", target="sena", comments="nice"), Concern.OTHER),
        (says("monitor", "activation", target="sena", rule="r"), None),
        (says("monitor", "command", target="sena"), None),
        (updates("lubit", message="sena is late"), None),
        ({"event": "message", "target": "sena"}, None),
    ],
    ids=str,
)
def test_an_event_by_itself(event: dict[str, Any], concern: Concern | None) -> None:
    assert concerns(event) == ([(0, concern)] if concern else [])


def test_decisions_on_its_own_requests_by_those_who_may() -> None:
    found = concerns(
        asks("sena", "r1", request="go?", target="lubit"),
        asks("sena", "r2", request="delete?"),
        asks("gitcode", "r3", request="go?", target="lubit"),
        decides("lubit", "r1", verdict="approved"),
        decides("lubit", "r2", verdict="approved"),
        decides("human", "r2", verdict="rejected"),
        decides("lubit", "r3", verdict="approved"),
        decides("sena", "r1", verdict="approved"),
    )
    assert found == [(3, Concern.DECISION), (5, Concern.DECISION)]


def test_what_was_asked_and_is_not_asked_any_more() -> None:
    found = concerns(
        asks("lubit", "r1", request="go?", target="sena"),
        says("gitcode", "request_withdrawn", request_id="r1"),
        says("Lubit", "request_withdrawn", request_id="r1"),
        says("lubit", "request_withdrawn", request_id="r2"),
    )
    assert found == [(0, Concern.REQUEST), (2, Concern.WITHDRAWN)]


@pytest.mark.parametrize(
    "raised",
    [
        [says("sena", "blocker", blocker="no disk")],
        [updates("sena", blockers=["no key", "no disk"])],
        [updates("sena", status="blocked", blocker="no disk")],
    ],
    ids=["blocker", "blockers", "in an update"],
)
@pytest.mark.parametrize(
    "resolved",
    [says("lubit", "blocker_resolved", blocker="no disk"), decides("lubit", resolved_blockers=["x", "no disk"])],
    ids=["by itself", "by a decision"],
)
def test_a_blocker_that_it_has_is_resolved_once(raised: list[dict[str, Any]], resolved: dict[str, Any]) -> None:
    assert concerns(*raised, resolved, resolved) == [(1, Concern.UNBLOCKED)]


@pytest.mark.parametrize(
    "gone", [updates("sena", blockers=[]), says("sena", "blocker", blocker="resolved")], ids=["none", "resolved"]
)
def test_a_blocker_that_it_has_no_more_is_nobodys(gone: dict[str, Any]) -> None:
    raised = says("sena", "blocker", blocker="no disk")
    assert concerns(raised, gone, says("lubit", "blocker_resolved", blocker="no disk")) == []
    assert concerns(says("gitcode", "blocker", blocker="x"), says("lubit", "blocker_resolved", blocker="x")) == []


def test_a_repeated_id_does_not_count() -> None:
    said = says("lubit", "message", target="sena", message="hi", id="m1")
    assert concerns(said, said | {"message": "other"}) == [(0, Concern.MESSAGE)]


@pytest.mark.parametrize("person", ["human", "mina"])
def test_the_person_is_asked_by_any_of_their_names_and_by_none(person: str) -> None:
    found = concerns(
        asks("lubit", "r1", request="go?"),
        asks("lubit", "r2", request="go?", target="user"),
        asks("lubit", "r3", request="go?", target=person),
        asks("lubit", "r4", request="go?", target="sena"),
        says("lubit", "message", target="human", message="hi"),
        name=person,
        person=person,
    )
    assert [position for position, _ in found] == [0, 1, 2, 4]
