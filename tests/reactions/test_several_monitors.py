"""Several monitors on one registry: who watches, whose lines count, and what is each user's own."""

from __future__ import annotations

import asyncio
import os
from collections import Counter

import pytest

from collab_tui.config.rules import Then
from tests.program import eventually
from tests.reactions.desk import Desk, rule


async def test_one_that_only_watches_writes_nothing(desk: Desk) -> None:
    reactor = await desk.started(acts=False)
    before = desk.path.read_bytes()
    desk.say("sena", "ready")
    after = desk.path.read_bytes()
    await desk.look(reactor)
    await reactor.end()
    assert before != after == desk.path.read_bytes()
    assert desk.told == []
    assert not (desk.folder / "state").exists()


async def test_one_that_only_watches_tells_what_the_one_that_acts_did(desk: Desk) -> None:
    desk.rules = (rule(), rule("tell", then=Then(notify="{from}"), cool_down=60.0))
    acting, watching = await desk.started(), await desk.started(acts=False)
    for _ in range(2):
        cause = desk.say("sena", "ready")
        await desk.look(watching)
        desk.told.clear()
        await desk.look(acting)
        did, held = [(told.rule, told.outcome, told.target, told.cause) for told in desk.told], []
        desk.told.clear()
        await desk.look(watching)
        saw = [(told.rule, told.outcome, told.target, told.cause) for told in desk.told]
        held = [one for one in did if one[1].startswith("held back")]
        assert saw == [one for one in did if one not in held], "what is not written is not known"
        assert ("wake", "sent", "lubit", cause) in saw
        assert {told.by for told in desk.told} == {"the other monitor here"}


async def test_what_another_monitor_says_that_it_did_is_told(desk: Desk) -> None:
    """So nobody who writes in the monitor's name makes a rule silent unseen."""
    reactor = await desk.started()
    desk.say("sena", "ready")
    await desk.look(reactor)
    own = desk.lines("activation")[0]["monitor"]
    desk.told.clear()
    for monitor in ("0ther", own):
        cause = desk.say("sena", "ready")
        desk.say("monitor", "activation", rule="wake", key=f"wake: {cause}", monitor=monitor, outcome="sent", chain={})
        desk.say("monitor", "activation", rule="wake", key=cause, monitor="0ther", outcome="exit 0", chain={}, own=True)
    await desk.look(reactor)
    assert len(desk.lines("message")) == 1
    assert [(told.rule, told.outcome, told.by) for told in desk.told] == [
        ("wake", "sent", "monitor 0ther"),
        ("wake", "sent", "a line in this monitor's name"),
    ]


async def test_the_limit_that_another_monitor_s_lines_used_up_says_whose_they_are(desk: Desk) -> None:
    desk.rules = (rule(per_hour=3),)
    reactor = await desk.started()
    for number in range(3):
        desk.say("monitor", "activation", rule="wake", key=str(number), monitor="0ther", outcome="sent", chain={})
    desk.say("sena", "ready")
    await desk.look(reactor)
    assert desk.told[-1].outcome == "held back: limit per hour, also by lines of monitor 0ther"


@pytest.mark.parametrize(
    "muting",
    [
        {"agent": "evil", "rule": "wake", "key": "k", "monitor": "m", "outcome": "sent", "chain": {}},
        {"rule": "wake", "key": "k", "chain": {}},
        {"rule": "wake", "key": "k", "monitor": "m", "outcome": "1 event too old", "old_until": 10**9},
        {"rule": "wake", "key": "k", "monitor": "m", "outcome": "sent", "chain": {}, "timestamp": "2099-01-01T00:00Z"},
    ],
)
async def test_a_line_that_no_monitor_would_write_makes_no_rule_silent(desk: Desk, muting: dict[str, object]) -> None:
    desk.rules = (rule(per_hour=1),)
    reactor = await desk.started()
    desk.say(**{"agent": "monitor", "event": "activation", **muting})  # type: ignore[arg-type]
    await desk.look(reactor)
    desk.pass_time(hours=2)
    await desk.look(reactor)
    cause = desk.say("sena", "ready")
    await desk.look(reactor)
    assert desk.messages() == {cause: 1}


async def test_a_notification_that_another_monitor_made_is_not_made_again(desk: Desk) -> None:
    desk.rules = (rule(then=Then(notify="{from}"), is_users=False),)
    desk.notify_command = ("sh", "-c", 'echo told >> "$HOME/told"')
    desk.environment = {"PATH": os.environ["PATH"], "HOME": str(desk.folder)}
    reactors = [await desk.started() for _ in range(3)]
    desk.say("sena", "ready")
    looks = [reactor._looker.look(desk.now) for reactor in reactors]  # all see it before any acts
    for reactor, look in zip(reactors, looks, strict=True):
        await reactor._act(look)
    await asyncio.to_thread(eventually, (desk.folder / "told").exists)
    for reactor in reactors:
        await reactor._notifying.end()
    assert (desk.folder / "told").read_text(encoding="utf-8") == "told\n"
    assert desk.outcomes() == ["notified"]


async def test_what_a_rule_does_for_its_own_user_each_user_s_monitor_does(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both call one rule the same; what tells an agent is done once for all."""
    told = rule("tell", then=Then(notify="{from}"), per_hour=1)
    desk.rules = (rule(), told, rule("project's", then=Then(notify="{from}"), is_users=False))
    reactors = []
    for user in ("one", "other"):
        monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, user=user, **__: str(desk.folder / user))
        reactors.append(await desk.started())
    for _ in range(2):
        desk.say("sena", "ready")
        for reactor in reactors:
            await desk.look(reactor)
    assert desk.outcomes() == ["sent", "sent"]
    assert desk.outcomes("project's") == ["notified", "notified"]
    assert Counter(desk.outcomes("tell")) == {"notified": 2, "held back: limit per hour": 2}
    monitors = [event["monitor"] for event in desk.lines("activation") if event["outcome"] == "notified"]
    assert len(set(monitors)) == 2
