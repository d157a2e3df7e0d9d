"""Who releases an agent from a blocker, for one who acts on it: a signed word, where it waits for one who signs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collab_tui.model.event import decode
from collab_tui.model.fold import Fold
from collab_tui.protocol import Participant, participant
from collab_tui.protocol.brief import brief_of
from collab_tui.protocol.keys import Keyring
from collab_tui.protocol.released import Releases
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from tests.events import lines, says
from tests.signing import KEY, OTHER_KEY, install_key, signed

TIMEOUT = 30.0
CREATED = says("system", "registry_created", registry="abc")
BLOCKED = says("sena", "blocker", blocker="human_approval")


def resolves(by: str = "human", text: str = "human_approval", **fields: Any) -> dict[str, Any]:
    """Without a signature."""
    stamp = datetime.now(UTC).isoformat()
    return {"id": "x1", "timestamp": stamp, "agent": by, "event": "blocker_resolved", "blocker": text, **fields}


def decides(by: str = "human", text: str = "human_approval", **fields: Any) -> dict[str, Any]:
    """The same by a decision."""
    named = {"event": "decision", "resolved_blockers": [text], "target": "sena", "verdict": "approved", **fields}
    return {name: value for name, value in resolves(by).items() if name != "blocker"} | named


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    return Trust("human", {"lena": OTHER_KEY.public.text}, install_key(tmp_path / "config"))


def held(trust: Trust, *events: object, by: str = "sena") -> Sequence[str]:
    """The blockers that are left to an agent."""
    fold, releases = Fold(), Releases(trust)
    fold.extend(map(releases.see, decode(lines(CREATED, *events), 0)))
    agent = fold.board().agent(by)
    assert agent is not None
    return [blocker.text for blocker in agent.blockers]


def sign(event: dict[str, Any], *before: object, key: Any = KEY) -> dict[str, Any]:
    return signed(event, lines(CREATED, *before), key)


@pytest.mark.parametrize("resolving", [resolves, decides])
@pytest.mark.parametrize("by", ["human", "HUMAN", "lena", "lubit"])
def test_what_waits_for_the_person_is_not_released_without_their_signature(
    trust: Trust, resolving: Any, by: str
) -> None:
    assert held(trust, BLOCKED, resolving(by)) == ["human_approval"]
    assert held(trust, BLOCKED, sign(resolving(by), key=OTHER_KEY)) == (["human_approval"] if by != "lena" else [])


@pytest.mark.parametrize("resolving", [resolves, decides])
def test_what_they_signed_releases_once(trust: Trust, resolving: Any) -> None:
    word = sign(resolving())
    assert held(trust, BLOCKED, word) == []
    again = lines(BLOCKED, word).splitlines()[1].decode()
    assert held(trust, BLOCKED, word, BLOCKED, again, {**word, "id": "x2"}) == ["human_approval"]
    fold, releases = Fold(), Releases(trust)
    for line in (CREATED, BLOCKED, word, BLOCKED, word):
        (item,) = decode(lines(line), fold.position)
        fold.extend([releases.see(item)._replace(position=fold.position)])
    agent = fold.board().agent("sena")
    assert agent is not None
    assert [blocker.text for blocker in agent.blockers] == ["human_approval"]


def test_a_signed_word_from_another_registry_releases_nobody(trust: Trust) -> None:
    other = signed(resolves(), lines(says("system", "registry_created", registry="def")), KEY)
    assert held(trust, BLOCKED, other) == ["human_approval"]


def test_who_is_blocked_may_say_that_it_is_over(trust: Trust) -> None:
    assert held(trust, BLOCKED, resolves("sena")) == []
    assert held(trust, BLOCKED, resolves("Sena", target="sena")) == []
    assert held(trust, BLOCKED, says("sena", "status_update", blockers=[])) == []
    theirs = says("lubit", "blocker", blocker="human_approval")
    assert held(trust, BLOCKED, theirs, resolves("lubit")) == ["human_approval"]
    assert held(trust, BLOCKED, theirs, resolves("lubit"), by="lubit") == []


def test_what_waits_for_nobody_who_signs_is_resolved_by_anybody(trust: Trust) -> None:
    for text in ("no disk", "lubit_review", "human review of the numbers"):
        blocked = says("sena", "blocker", blocker=text)
        assert held(trust, blocked, resolves("gitcode", text)) == []
        assert held(trust, blocked, resolves("human", text)) == []
    both = says("sena", "status_update", blockers=["no disk", "human_approval"])
    assert held(trust, both, resolves(blocker=["no disk", "human_approval"])) == ["human_approval"]
    assert held(trust, both, decides(resolved_blockers=["no disk", "human_approval"])) == ["human_approval"]


def test_an_agent_whose_name_only_starts_as_the_persons_is_another(trust: Trust) -> None:
    bot, text = says("human_bot", "session_start"), "human_bot_ready"
    assert held(trust, bot, says("sena", "blocker", blocker=text), resolves("gitcode", text)) == []
    assert held(trust, says("sena", "blocker", blocker="lena_ok"), resolves("lena", "lena_ok")) == ["lena_ok"]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(tmp_path / "config"))
    monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, **__: str(tmp_path / "state"))
    path = tmp_path / "registry.jsonl"
    path.write_bytes(lines(CREATED, BLOCKED))
    return path


def write(path: Path, *events: object) -> None:
    with path.open("ab") as file:
        file.write(lines(*events))


@pytest.mark.parametrize("resolving", [resolves, decides])
def test_the_brief_does_not_tell_it_to_go_on_on_a_forged_word(path: Path, trust: Trust, resolving: Any) -> None:
    write(path, resolving())
    brief = brief_of("sena", path, trust=trust)
    assert (brief.next_action.kind, brief.next_action.why) == ("wait", "blocked")
    assert [one for one in brief.document["blockers"] if one["change"] == "resolved"] == []
    write(path, sign(resolving(id="x2"), BLOCKED))
    assert brief_of("sena", path, trust=trust).next_action.kind == "go_on"


def here(path: Path, trust: Trust) -> Participant:
    return participant("sena", path, announces=False, trust=trust, used=UsedDecisions(path.parent / "state"))


async def test_an_inbox_tells_of_what_was_signed(path: Path, trust: Trust) -> None:
    async with asyncio.timeout(TIMEOUT), here(path, trust) as me:
        write(path, resolves(), sign(resolves(id="x2"), BLOCKED))
        hearing = me.inbox()
        assert (await anext(hearing)).id == "x2"
        await hearing.aclose()


async def test_who_follows_since_before_there_was_a_key_knows_what_is_signed_with_it(
    path: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "later"
    async with asyncio.timeout(TIMEOUT), here(path, Trust("human", keyring=Keyring(folder))) as me:
        await me.until(lambda board: board.position == 2)
        install_key(folder)
        write(path, sign(resolves(), BLOCKED))
        board = await me.until(lambda board: board.position == 3)
        assert [agent.blockers for agent in board.agents if agent.key == "sena"] == [()]
