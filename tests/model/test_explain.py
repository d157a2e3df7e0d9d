from dataclasses import astuple

from hypothesis import given

from collab_tui.model.explain import changes, explain_agent, explain_obstacle, explain_request, explain_wait
from tests.events import agent_of, asks, board_of, decides, items, request_of, says, stories, updates


def explained(story, name="sena"):
    setters = {item.position: item for item in items(*story)}
    found = explain_agent(agent_of(board_of(*story), name), setters)
    return {told.name: (told.value, told.position, told.rule) for told in found}


def changed(story, *more):
    return [astuple(change) for change in changes(board_of(*story), board_of(*story, *more))]


# Where a value comes from.


def test_a_value_is_explained_by_its_line_and_the_field_that_set_it():
    told = explained([updates("sena", working_on="one", progress="80%"), updates("sena", status="stuck")])
    assert told["current_task"] == ("one", 0, "its field `working_on`")
    assert told["progress"] == ("80 %", 0, "its field `progress`")
    assert told["status"] == ("blocked (says 'stuck')", 1, "its field `status`, mapped by its first word")
    assert told["sign of life"][:2] == ("status_update", 1)


def test_what_an_event_means_without_saying_it_is_called_implied():
    assert explained([asks("sena", "r1")])["status"][2] == "implied by `decision_request`"
    told = explained([says("sena", "completion")])
    assert told["progress"] == ("100 %", 0, "implied by `completion`")


def test_blockers_gone_and_unblocked_are_explained():
    story = [says("sena", "blocker", blocker="db"), says("sena", "session_end")]
    told = explained(story)
    assert told["blocker"][:2] == ("db", 0)
    assert told["gone"][:2] == ("session ended", 1)
    assert "unblocked" in explained([*story, says("human", "blocker_resolved", blocker="db")])


def test_without_its_lines_a_value_still_names_its_position():
    agent = agent_of(board_of(updates("sena", progress=3)), "sena")
    assert next((told.name, told.position) for told in explain_agent(agent, {})) == ("progress", 0)


@given(stories)
def test_everything_that_is_shown_of_an_agent_is_explained_by_a_line_of_the_registry(story):
    setters = {item.position: item for item in items(*story)}
    for agent in board_of(*story).agents:
        told = explain_agent(agent, setters)
        names = [one.name for one in told]
        assert names.count("blocker") == len(agent.blockers)
        assert all(name in names for name in agent.set_at if not name.startswith("blocker:"))
        assert all(one.position in setters for one in told)


def test_a_request_is_explained_with_who_answers_it_and_why():
    story = [asks("sena", "r1", request="go?"), decides("human", "r1", verdict="approved")]
    told = {one.name: one for one in explain_request(request_of(board_of(*story), "r1"), items(*story)[0])}
    assert told["asks"].value == "the person"
    assert told["id"].rule == "its field `id`"
    assert (told["answered"].value, told["answered"].position) == ("approved by human", 1)


def test_a_guess_is_explained_as_a_guess():
    story = [asks("sena", target="lubit"), decides("lubit", verdict="approved")]
    (request,) = board_of(*story).requests
    told = {one.name: one for one in explain_request(request, items(*story)[0])}
    assert "perhaps answered" in told
    assert "answered" not in told
    assert told["id"].rule.startswith("derived")


def test_a_decision_of_one_who_may_not_answer_is_explained_as_that():
    story = [asks("sena", "r1"), decides("lubit", "r1", verdict="approved")]
    told = {one.name: one for one in explain_request(request_of(board_of(*story), "r1"), items(*story)[0])}
    assert told["perhaps answered"].rule == "a decision that names it, by one who may not answer it"


def test_a_request_whose_asker_moved_on_is_explained_by_the_guess_and_by_what_closed_it():
    story = [asks("sena", "r1", target="lubit"), decides("lubit", verdict="ok"), updates("sena", status="active")]
    told = {one.name: one for one in explain_request(request_of(board_of(*story), "r1"), items(*story)[0])}
    assert "answered" not in told
    assert told["perhaps answered"].rule == "a decision without `request_id` may mean it"
    assert (told["moved on"].value, told["moved on"].position) == ("sena went on", 2)


def test_a_wait_is_explained_by_every_reason_with_its_line():
    asked = asks("sena", "r1", request="go?", target="lubit", status="waiting_for_lubit")
    (wait,) = board_of(updates("lubit"), asked, updates("sena", blockers=["lubit_ok"], dependencies=["lubit_x"])).waits
    told = explain_wait(wait)
    assert {one.name for one in told} == {"sena waits for lubit"}
    assert [(one.value, one.position) for one in told] == [
        ("go?", 1),
        ("waiting_for_lubit", 1),
        ("lubit_ok", 2),
        ("lubit_x", 2),
    ]
    assert len({one.rule for one in told}) == 4


def test_a_blocker_is_explained_with_who_has_it_and_whom_it_holds_up():
    board = board_of(updates("sena", blockers=["db"]), updates("lubit", status="waiting_for_sena"))
    has, holds_up = explain_obstacle(board.blockers[0])
    assert (has.value, has.position, has.rule) == ("db", 0, "named by sena, not resolved since")
    assert holds_up.value == "holds up sena, lubit"


# What a line changed.


def test_a_line_that_changes_nothing_tells_nothing():
    assert changed([updates("sena", progress=3)], updates("sena", progress=3), {"event": "x"}) == []


def test_changed_values_are_told_before_and_after():
    story = [updates("sena", progress=3, status="active", blockers=["db"])]
    assert changed(story, updates("sena", progress=50, blockers=[])) == [
        ("sena", "progress", "3", "50"),
        ("sena", "blockers", "db", ""),
    ]


def test_a_new_agent_appears_with_its_values():
    assert changed([], updates("sena", task="one")) == [
        ("sena", "agent", "", "appeared"),
        ("sena", "current_task", "", "one"),
    ]


def test_requests_opened_answered_and_perhaps_answered_are_told():
    story = [updates("sena", status="waiting"), updates("lubit"), asks("sena", "r1", request="go?", target="lubit")]
    assert ("sena", "request", "", "asks: go?") in changed(story[:2], story[2])
    assert ("sena", "request 'go?'", "open", "answered") in changed(story, decides("lubit", "r1", verdict="approved"))
    assert ("sena", "request 'go?'", "open", "perhaps answered by lubit") in changed(story, decides("lubit"))


def test_waits_and_deadlocks_that_come_and_go_are_told():
    story = [updates("lubit", status="waiting_for_sena")]
    closing = updates("sena", status="waiting_for_lubit")
    told = changed(story, closing)
    assert ("sena", "waits for", "", "lubit") in told
    assert [change[3] for change in told if change[1] == "deadlock"] == ["lubit, sena"]
    told = changed([*story, closing], updates("sena", status="active"))
    assert ("sena", "waits for", "lubit", "") in told
    assert ("board", "deadlock", "lubit, sena", "resolved") in told


def test_a_new_problem_is_told():
    assert changed([], ["no object"]) == [("board", "problem", "", "a JSON array, not an object")]


@given(stories)
def test_a_board_does_not_differ_from_itself(story):
    assert changes(board_of(*story), board_of(*story)) == []
