"""Our entries among those of others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.hooks.wiring.agents import AGENTS
from collab_tui.hooks.wiring.json_text import JsonError
from collab_tui.hooks.wiring.merging import EMPTY, connected, differences, disconnected, ours
from collab_tui.protocol.hook_entries import Call
from tests.hooks.wiring.texts import STRINGS, VALUES, written

CALL = Call("/opt/a b/bin/collab-tui", "세나")
OLDER = Call("/old/collab-tui")
SOME = ("SessionStart", "PreToolUse", "Stop")
"""What is true of some events is true of all."""
WANTED = {name: {event: agent.entries(CALL)[event] for event in SOME} for name, agent in AGENTS.items()}
OLD = {name: {event: agent.entries(OLDER)[event] for event in SOME} for name, agent in AGENTS.items()}

HANDLERS = st.fixed_dictionaries(
    {"type": st.just("command"), "command": st.sampled_from(["say done", "collab-tui emit x", "'", ""]) | STRINGS},
    optional={"timeout": st.integers(1, 600), "args": st.lists(STRINGS, max_size=2)},
)
GROUPS = st.fixed_dictionaries({"hooks": st.lists(HANDLERS, max_size=2)}, optional={"matcher": STRINGS}) | VALUES
EVENTS = st.sampled_from(["Stop", "PreToolUse", "PermissionRequest", "SessionStart", "Mine"])
SETTINGS = st.builds(
    lambda others, hooks, is_first: {"hooks": hooks, **others} if is_first else {**others, "hooks": hooks},
    st.dictionaries(STRINGS.filter(lambda name: name != "hooks"), VALUES, max_size=2),
    st.dictionaries(EVENTS, st.lists(GROUPS, max_size=2), max_size=3),
    st.booleans(),
) | st.dictionaries(STRINGS.filter(lambda name: name != "hooks"), VALUES, max_size=2)
AGENT = st.sampled_from(list(AGENTS))


@given(written(SETTINGS), AGENT)
def test_connect_and_disconnect_give_the_file_back_byte_for_byte(text: str, agent: str) -> None:
    with_ours = connected(text, agent, WANTED[agent])
    assert len(ours(with_ours, agent)) == sum(map(len, WANTED[agent].values()))
    assert disconnected(with_ours, agent, before=text) == text


@given(written(SETTINGS), AGENT)
def test_also_where_nobody_remembers_the_file_as_it_was_unless_a_container_was_empty(text: str, agent: str) -> None:
    hooks = json.loads(text.removeprefix("\ufeff")).get("hooks")
    if hooks is None or all([hooks, *hooks.values()]):
        assert disconnected(connected(text, agent, WANTED[agent]), agent) == text


@given(written(SETTINGS), AGENT)
def test_again_it_changes_nothing(text: str, agent: str) -> None:
    with_ours = connected(text, agent, WANTED[agent])
    assert connected(with_ours, agent, WANTED[agent]) == with_ours
    assert differences(with_ours, agent, WANTED[agent]) == []


@given(written(SETTINGS), AGENT)
def test_older_entries_are_brought_up_to_date_and_nothing_else(text: str, agent: str) -> None:
    old = connected(text, agent, OLD[agent])
    assert differences(old, agent, WANTED[agent])
    new = connected(old, agent, WANTED[agent])
    assert differences(new, agent, WANTED[agent]) == []
    assert [each.event for each in ours(new, agent)] == [each.event for each in ours(old, agent)]
    assert disconnected(new, agent, before=text) == text


@given(written(SETTINGS))
def test_each_agent_has_its_own_entries(text: str) -> None:
    both = connected(connected(text, "claude", WANTED["claude"]), "codex", WANTED["codex"])
    assert differences(both, "claude", WANTED["claude"]) == []
    assert disconnected(disconnected(both, "codex", text), "claude", text) == text


@given(written(SETTINGS), AGENT)
def test_no_entry_of_others_is_lost_or_moved(text: str, agent: str) -> None:
    before = json.loads(text.removeprefix("\ufeff"))
    after = json.loads(connected(text, agent, WANTED[agent]).removeprefix("\ufeff"))
    assert {name: value for name, value in after.items() if name != "hooks"} == {
        name: value for name, value in before.items() if name != "hooks"
    }
    for event, groups in before.get("hooks", {}).items():
        assert after["hooks"][event][: len(groups)] == groups


def test_entries_that_a_person_moved_are_still_ours() -> None:
    handler = WANTED["claude"]["Stop"][0]
    text = json.dumps({"hooks": {"Stop": [{"hooks": [{"command": "mine"}, handler, {"command": "mine too"}]}]}})
    left = json.loads(disconnected(text, "claude"))
    assert left == {"hooks": {"Stop": [{"hooks": [{"command": "mine"}, {"command": "mine too"}]}]}}


def test_an_entry_that_a_matcher_narrows_is_put_where_it_runs_always() -> None:
    """An older version of ours may have been for some tools alone."""
    handler = WANTED["claude"]["PreToolUse"][0]
    mine = {"matcher": "Bash", "hooks": [{"command": "mine"}]}
    narrowed = {"matcher": "Bash", "hooks": [{"command": "mine"}, handler]}
    text = json.dumps({"hooks": {"PreToolUse": [narrowed]}})
    wanted = {"PreToolUse": [handler]}
    assert differences(text, "claude", wanted) == ["PreToolUse: not there", "PreToolUse: narrowed by a matcher"]
    new = connected(text, "claude", wanted)
    assert json.loads(new) == {"hooks": {"PreToolUse": [mine, {"hooks": [handler]}]}}
    assert differences(new, "claude", wanted) == []


def test_of_two_for_one_purpose_one_stays() -> None:
    text = connected(EMPTY, "claude", WANTED["claude"])
    twice = json.loads(text)
    twice["hooks"]["Stop"] *= 2
    assert differences(json.dumps(twice), "claude", WANTED["claude"]) == ["Stop: one too many", "Stop: one too many"]
    assert json.loads(connected(json.dumps(twice), "claude", WANTED["claude"])) == json.loads(text)


def test_entries_for_events_of_an_older_version_go() -> None:
    handler: Any = WANTED["codex"]["Stop"][0]
    text = connected(EMPTY, "codex", {"Gone": [handler], "Stop": [handler]})
    assert "Gone: one too many" in differences(text, "codex", WANTED["codex"])
    assert "Gone" not in connected(text, "codex", WANTED["codex"])


def test_a_new_file_looks_as_people_write_them() -> None:
    text = connected(EMPTY, "codex", {"Stop": WANTED["codex"]["Stop"][:1]})
    assert text.startswith('{\n  "hooks": {\n    "Stop": [\n      {\n        "hooks": [\n          {\n')
    assert text.endswith("\n}\n")
    assert disconnected(text, "codex", EMPTY) == EMPTY


def test_what_differs_is_told_by_its_name() -> None:
    text = connected(EMPTY, "claude", WANTED["claude"])
    changed = text.replace('"asyncRewake": true', '"asyncRewake": false', 1)
    assert differences(changed, "claude", WANTED["claude"]) == ["SessionStart: another asyncRewake"]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("[]", 1, "it holds a list, and an object is needed"),
        ('"x"', 1, "it holds a text, and an object is needed"),
        ('{\n"hooks": []}', 2, '"hooks" is a list, and an object is needed'),
        ('{"hooks": null}', 1, '"hooks" is null, and an object is needed'),
        ('{"hooks":\n\n{"Stop": {}}}', 3, '"Stop" is an object, and a list is needed'),
        ('{"hooks": {"Stop": 3}}', 1, '"Stop" is a number, and a list is needed'),
        ('{"hooks": {"Stop": true}}', 1, '"Stop" is true or false, and a list is needed'),
        ('{"hooks": {},\n"hooks": {}}', 2, '"hooks" is there twice in one object'),
        ('{"hooks": {"Mine": [],\n"Mine": []}}', 2, '"Mine" is there twice in one object'),
        ('{"hooks": {"Stop": [{"hooks": [],\n"hooks": []}]}}', 2, '"hooks" is there twice in one object'),
        ('{\n  "a": 1,\n}', 2, "a comma before }: JSON has none behind the last one"),
    ],
)
def test_what_no_agent_could_read_is_refused(text: str, line: int, what: str) -> None:
    with pytest.raises(JsonError) as raised:
        connected(text, "claude", WANTED["claude"])
    assert (raised.value.line, raised.value.what) == (line, what)
