"""How a team spent its time: by examples, and what holds of every registry."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.model.board import Board
from collab_tui.model.event import decode
from collab_tui.model.moment import Limits
from collab_tui.model.teamwork import AgentTime, Doing, Teamwork, TeamworkRecorder
from tests.events import Object, at, items, lines, says, stories, updates, wild_objects

SAMPLES = Path(__file__).parents[2] / "sample_state"
REAL = Path(__file__).parents[3] / "shared" / "data" / "real-registry.jsonl"


def recorded(data: bytes, limits: Limits | None = None) -> Teamwork:
    recorder = TeamworkRecorder(limits=limits)
    recorder.extend(decode(data, 0))
    return recorder.account()


def account_of(*objects: object, limits: Limits | None = None) -> Teamwork:
    return recorded(lines(*objects), limits)


def spent(account: Teamwork, name: str) -> dict[str, float]:
    """What an agent did, in seconds, without what it never did."""
    found = agent(account, name)
    return {doing.value: pytest.approx(seconds) for doing, seconds in found.seconds.items() if seconds}


def agent(account: Teamwork, name: str) -> AgentTime:
    return next(agent for agent in account.agents if agent.name == name)


def works(name: str, second: float, /, **fields: object) -> Object:
    return updates(name, timestamp=at(second), **{"status": "in_progress", **fields})


def ends(name: str, second: float) -> Object:
    return says(name, "session_end", timestamp=at(second))


# What an agent did


def test_every_status_is_its_own_time_and_lasts_until_the_next():
    account = account_of(
        works("sena", 0),
        works("sena", 10, status="waiting_for_lubit"),
        works("sena", 30, status="blocked"),
        works("sena", 60, status="failed"),
        works("sena", 100, status="completed"),
        works("sena", 150, status="ready"),
        works("sena", 210, status="Ready for Production!"),
        ends("sena", 280),
        works("lubit", 400),
    )
    assert spent(account, "sena") == {
        "busy": 10,
        "waiting": 20,
        "blocked": 70,
        "idle": 110,
        "untold": 70,
        "absent": 120,
    }
    assert account.total == 400


def test_it_is_absent_before_its_first_line_and_between_its_sessions():
    account = account_of(
        works("lubit", 0),
        works("sena", 10),
        ends("sena", 30),
        says("sena", "hello", timestamp=at(50)),
        ends("sena", 60),
    )
    assert spent(account, "sena") == {"absent": 30, "busy": 30}
    assert agent(account, "sena").present == 30
    assert agent(account, "sena").share(Doing.BUSY) == 1
    assert agent(account, "sena").share(Doing.ABSENT) is None


def test_who_gives_no_sign_of_life_is_not_busy_any_more_and_one_that_rests_owes_none():
    limits = Limits(stale_after=timedelta(seconds=100), stale_after_working=timedelta(seconds=10))
    account = account_of(
        works("sena", 0),
        says("sena", "progress", progress=5, timestamp=at(9)),
        works("lubit", 9, status="waiting"),
        works("gitcode", 9, status="idle"),
        works("sena", 209, status="completed"),
        limits=limits,
    )
    assert spent(account, "sena") == {"busy": 19, "silent": 190}
    assert spent(account, "lubit") == {"absent": 9, "waiting": 100, "silent": 100}
    assert spent(account, "gitcode") == {"absent": 9, "idle": 200}


def test_a_session_that_never_ends_goes_on_in_silence():
    account = account_of(
        works("sena", 0), works("lubit", 0), *(works("lubit", second) for second in range(0, 3601, 60))
    )
    assert spent(account, "sena") == {"busy": 300, "silent": 3300}
    assert spent(account, "lubit") == {"busy": 3600}


def test_who_declares_nothing_is_not_measured():
    account = account_of(
        works("sena", 0),
        says("human", "decision", verdict="approved", timestamp=at(5)),
        says("monitor", "activation", rule="r", timestamp=at(6)),
        updates("lubit", current_task="read", timestamp=at(10)),
        works("sena", 20),
    )
    assert [agent.name for agent in account.agents] == ["sena", "lubit"]
    assert account.others == ("human", "monitor")
    assert spent(account, "lubit") == {"absent": 10, "untold": 10}


def test_a_line_that_stands_there_twice_counts_once():
    account = account_of(works("sena", 0, id="a"), works("sena", 10, status="idle"), works("sena", 0, id="a"))
    assert (spent(account, "sena"), account.lines) == ({"busy": 10}, 3)


# All together


def test_two_that_work_at_once_are_faster_than_one_after_the_other():
    account = account_of(
        works("sena", 0), works("lubit", 60), works("sena", 200), works("lubit", 240, status="idle"), ends("sena", 300)
    )
    assert (account.total, account.at_work, account.at_once) == (300, 300, 180)
    assert account.one_after_the_other == 480
    assert account.gain == pytest.approx(1.6)


def test_two_that_take_turns_gain_nothing():
    account = account_of(
        works("sena", 0),
        works("sena", 50, status="waiting_for_lubit"),
        works("lubit", 50),
        works("lubit", 90, status="idle"),
    )
    assert (account.at_work, account.at_once, account.one_after_the_other, account.gain) == (90, 0, 90, 1)


# Times that are odd


def test_nothing_and_lines_without_a_time_tell_nothing():
    assert account_of().doubt == "no time passes in it"
    assert account_of().gain is None
    account = account_of(*(updates("sena", status="in_progress") for _ in range(3)))
    assert account.doubt == "3 of 3 lines have no time that can be read"
    assert (account.first_time, account.total) == (None, 0)
    assert agent(account, "sena").share(Doing.BUSY) is None


def test_lines_without_a_time_stand_where_the_line_before_them_stands():
    account = account_of(
        updates("lubit", status="in_progress"), works("sena", 0), updates("sena", status="idle"), works("sena", 30)
    )
    assert account.untimed == 2
    assert account.doubt is None
    assert spent(account, "sena") == {"idle": 30}
    assert spent(account, "lubit") == {"busy": 30}


def test_one_line_from_the_future_does_not_spoil_the_rest():
    steady = [works("sena", second) for second in range(0, 600, 20)]
    account = account_of(*steady[:10], works("lubit", 86_400), *steady[10:])
    assert (account.out_of_place, account.doubt, account.total) == (1, None, 580)


def test_clocks_that_do_not_fit_are_said_plainly():
    account = account_of(*(works(name, second) for n in range(10) for name, second in (("a", n), ("b", 9000 + n))))
    assert account.doubt is not None
    assert account.doubt.endswith("of 20 times do not fit to the order of the lines")


@pytest.mark.skipif(not REAL.exists(), reason="the real registry is not here")
def test_nothing_can_be_told_of_the_real_registry():
    assert recorded(REAL.read_bytes()).doubt == "29 of 42 times do not fit to the order of the lines"


def test_the_good_day():
    account = recorded((SAMPLES / "good_day.jsonl").read_bytes())
    assert account.doubt is None
    assert [agent.name for agent in account.agents] == ["maestro", "sena", "lubit", "gitcode"]
    assert account.others == ("human",)
    assert account.one_after_the_other > account.total > account.at_work > account.at_once > 0


# What holds of every registry

_WITH_TIMES = stories.map(lambda story: [{"timestamp": at(second), **event} for second, event in enumerate(story)])


@given(_WITH_TIMES | st.lists(wild_objects, max_size=20))
def test_the_times_of_an_agent_add_up(registry: list[Object]):
    account = account_of(*registry)
    seconds = [sum(agent.seconds.values()) for agent in account.agents]
    assert seconds == [pytest.approx(account.total)] * len(seconds)
    for agent in account.agents:
        assert all(spent >= 0 for spent in agent.seconds.values())
        shares = [agent.share(doing) for doing in Doing if doing is not Doing.ABSENT]
        known = [share for share in shares if share is not None]
        assert not known or sum(known) == pytest.approx(1)


@given(_WITH_TIMES | st.lists(wild_objects, max_size=20))
def test_what_goes_on_at_once_lies_between_the_longest_and_the_sum(registry: list[Object]):
    account = account_of(*registry)
    busy = [agent.seconds[Doing.BUSY] for agent in account.agents]
    tolerance = 1e-3
    assert account.one_after_the_other == pytest.approx(sum(busy))
    assert max(busy, default=0) <= account.at_work + tolerance
    assert account.at_work <= min(account.total, account.one_after_the_other) + tolerance
    assert account.at_once <= account.at_work + tolerance
    assert account.at_work + account.at_once <= account.one_after_the_other + tolerance


@given(_WITH_TIMES, st.integers(1, 400_000_000))
def test_when_it_happened_changes_nothing(registry: list[Object], seconds: int):
    def later(event: Object) -> Object:
        moved = datetime.fromisoformat(event["timestamp"]) + timedelta(seconds=seconds)
        return {**event, "timestamp": moved.isoformat()}

    now, then = account_of(*registry), account_of(*map(later, registry))
    assert [agent.seconds for agent in then.agents] == [
        {doing: pytest.approx(spent, abs=1e-3) for doing, spent in agent.seconds.items()} for agent in now.agents
    ]
    assert (then.total, then.at_work) == (pytest.approx(now.total), pytest.approx(now.at_work))
    assert (then.out_of_place, then.doubt) == (now.out_of_place, now.doubt)
    assert {kind: timing.count for kind, timing in then.reactions.items()} == {
        kind: timing.count for kind, timing in now.reactions.items()
    }


@given(_WITH_TIMES, st.integers(0, 25))
def test_it_is_the_same_in_pieces(registry: list[Object], cut: int):
    pieces = TeamworkRecorder()
    pieces.extend(items(*registry[:cut]))
    pieces.account()
    pieces.extend(items(*registry[cut:], first=min(cut, len(registry))))
    assert pieces.account() == account_of(*registry)


@given(stories)
def test_the_status_that_counts_is_the_boards(registry: list[Object]):
    recorder = TeamworkRecorder()
    recorder.extend(items(*registry))
    board: Board = recorder._fold.board()
    for state in board.agents:
        if state.last_position == recorder._fold.position - 1 and not state.gone:
            assert recorder._fold._by_key[state.key].status == state.status
