"""Two agents that answer each other do not wake each other for ever."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.hooks import places
from collab_tui.hooks.inbox import WAKE
from collab_tui.hooks.session import Session as Kept
from collab_tui.hooks.wakes import MOST, SAID, WITHIN, Wakes, recent
from tests.hooks.real import Project
from tests.hooks.running import Session, ended, session
from tests.hooks.test_inbox import message
from tests.program import PATIENCE, eventually


@given(st.lists(st.floats(0, WITHIN / 2), max_size=80))
def test_no_stretch_of_time_has_more_wakes_than_are_allowed(pauses: list[float]) -> None:
    now, kept = 1e9, list[float]()
    for pause in pauses:
        now += pause
        if len(recent(kept, now)) < MOST:
            kept.append(now)
    assert all(len(recent(kept, at)) <= MOST for at in kept)
    assert len(recent(kept, now + WITHIN)) == 0, "and then it may be woken again"


def test_the_persons_prompt_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "folder", lambda: str(tmp_path))
    one = Kept("claude", "one")
    one.make()
    wakes = Wakes(one)
    for number in range(MOST):
        assert wakes.is_one_more_allowed(number)
        wakes.note(number)
    assert not wakes.is_one_more_allowed(MOST)
    assert [wakes.say_once(), wakes.say_once()] == [True, False]
    one.prompted()
    assert wakes.is_one_more_allowed(MOST)
    assert wakes.say_once()


class Answering:
    """An agent that answers whatever wakes it."""

    def __init__(self, project: Project, home: Path, name: str, other: str) -> None:
        home.mkdir()
        self.name, self._other = name, other
        self.session = Session(project, home)
        self.session.run("session_start", "--as", name)
        self.answers = 0
        self._thread = Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while ended(self.session.start("stop", "--inbox"))[0] == WAKE:
            self.answers += 1
            self.write(f"thanks {self.answers}")

    def write(self, text: str) -> None:
        self.session.project.say("message", agent=self.name, target=self._other, message=text)

    def end(self) -> None:
        """End its program, with which its last hook ends."""
        self.session.kill()
        assert self.session.program.stdin is not None
        self.session.program.stdin.close()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


def test_two_that_always_answer_each_other_come_to_rest_and_the_board_says_why_once(tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    with ExitStack() as stack:
        agents = []
        for name, other in (("sena", "lubit"), ("lubit", "sena")):
            agents.append(Answering(project, tmp_path / name, name, other))
            stack.callback(agents[-1].end)
        sena, lubit = agents
        sena.write("hello")
        told = project.wait_for("status_update", lambda event: event.get("message") == SAID)
        held, free = (sena, lubit) if told["agent"] == "sena" else (lubit, sena)
        assert held.answers == MOST
        free.write("and one more thing")  # it waits, and is not said again
        held.session.run("user_prompt_submit")
        eventually(lambda: held.answers > MOST)
    assert [event["agent"] for event in project.events("status_update") if event.get("message") == SAID][:1] == [
        held.name
    ]
    answers = [event for event in project.events("message") if event["message"].startswith("thanks")]
    assert len(answers) <= 4 * MOST


def test_what_the_person_signed_comes_whatever_was(tmp_path: Path) -> None:
    with session(tmp_path) as opened:
        for number in range(MOST):
            message(opened, f"note {number}")
            assert ended(opened.start("stop", "--inbox"))[0] == WAKE
        message(opened, "one too many")
        inbox = opened.start("stop", "--inbox")
        opened.project.wait_for("status_update", lambda event: event.get("message") == SAID)
        asked = opened.project.say("decision_request", agent="claude", target="human", request="Deploy?")
        opened.project.decide(asked, verdict="approved")
        code, _, told = ended(inbox)
    assert code == WAKE
    assert "signed by the person decided" in told
    assert "one too many" in told
