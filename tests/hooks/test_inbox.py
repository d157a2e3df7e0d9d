"""What others write to an agent wakes it, or keeps it going at the end of its turn. Real processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hooks.running import Session, ended, session
from tests.program import eventually


@pytest.fixture
def claude(tmp_path: Path) -> Iterator[Session]:
    with session(tmp_path) as opened:
        yield opened


def message(opened: Session, text: str, writer: str = "lubit") -> None:
    opened.project.say("message", agent=writer, target=opened.agent, message=text)


def is_listening(opened: Session) -> bool:
    return any(opened.home.rglob("*.listener.lock"))


def test_a_message_wakes_it_with_quoted_words_and_their_writer(claude: Session) -> None:
    inbox = claude.start("session_start", "--inbox")
    eventually(lambda: is_listening(claude))
    message(claude, 'the draft\nis "ready"')
    code, out, told = ended(inbox)
    assert (code, out) == (2, "")
    head, line = told.splitlines()
    assert head.startswith("collab-tui: something came for you, claude.")
    assert line == "- lubit writes: \"the draft is 'ready'\""


def test_it_is_told_once(claude: Session) -> None:
    first = claude.start("stop", "--inbox")
    message(claude, "one")
    assert "one" in ended(first)[2]
    second = claude.start("stop", "--inbox")
    message(claude, "two")
    told = ended(second)[2]
    assert '"two"' in told
    assert '"one"' not in told


def test_what_came_meanwhile_is_one_text(claude: Session) -> None:
    for number in range(30):
        message(claude, f"note {number}")
    claude.project.say("decision_request", agent="gitcode", target="claude", request="Ready?")
    code, _, told = ended(claude.start("stop", "--inbox"))
    assert code == 2
    assert "31 things came" in told
    assert told.count(" writes: ") == 30
    assert 'gitcode asks you: "Ready?"' in told


def test_what_is_too_much_for_one_text_comes_with_the_next(claude: Session) -> None:
    for number in range(12):
        message(claude, f"<{number}> " + "long " * 250)
    told = [ended(claude.start("stop", "--inbox"))[2] for _ in range(2)]
    assert all(len(text) < 10_000 for text in told)
    assert [sum(f"<{number}>" in text for text in told) for number in range(12)] == [1] * 12


def test_what_waited_before_the_session_began_wakes_nobody_until_it_works(claude: Session) -> None:
    message(claude, "from yesterday")
    claude.run("session_start")
    inbox = claude.start("session_start", "--inbox")
    eventually(lambda: is_listening(claude))
    assert inbox.poll() is None
    claude.run("user_prompt_submit")
    assert "from yesterday" in ended(inbox)[2]


def test_one_process_of_a_session_waits(claude: Session) -> None:
    first = claude.start("session_start", "--inbox")
    eventually(lambda: is_listening(claude))
    assert ended(claude.start("stop", "--inbox")) == (0, "", "")
    message(claude, "to the first")
    assert "to the first" in ended(first)[2]


def test_what_it_said_itself_and_what_is_for_others_wakes_nobody(claude: Session) -> None:
    inbox = claude.start("stop", "--inbox")
    claude.project.say("message", agent="claude", target="all", message="my own")
    claude.project.say("message", agent="sena", target="lubit", message="for lubit")
    message(claude, "for claude")
    told = ended(inbox)[2]
    assert told.count(" writes: ") == 1
    assert "for claude" in told


def test_a_request_that_is_closed_is_not_brought(claude: Session) -> None:
    asked = claude.project.say("decision_request", agent="gitcode", target="claude", request="Still?")
    claude.project.say("request_withdrawn", agent="gitcode", request_id=asked["id"])
    inbox = claude.start("stop", "--inbox")
    message(claude, "something else")
    assert "gitcode asks you" not in ended(inbox)[2]


def test_a_decision_of_the_person_says_so_and_one_of_another_does_not(claude: Session) -> None:
    inbox = claude.start("stop", "--inbox")
    asked = claude.project.say("decision_request", agent="claude", target="human", request="Deploy?")
    claude.project.decide(asked, verdict="approved", comment="go")
    told = ended(inbox)[2].splitlines()[1]
    assert told == '- human, signed by the person decided your request "Deploy?": "approved", with the words "go"'


def test_the_answer_to_a_permission_wakes_nobody(claude: Session) -> None:
    inbox = claude.start("stop", "--inbox")
    hook = claude.start("permission_request_bash")
    claude.project.decide(claude.project.wait_for("decision_request"), verdict="approved")
    assert ended(hook)[0] == 0
    message(claude, "later")
    told = ended(inbox)[2]
    assert "decided" not in told
    assert "later" in told


def test_the_words_beside_an_approval_wake_it(claude: Session) -> None:
    inbox = claude.start("stop", "--inbox")
    hook = claude.start("permission_request_bash")
    request = claude.project.wait_for("decision_request")
    claude.project.decide(request, verdict="approved", comment="but only to staging")
    assert '"behavior": "allow"' in ended(hook)[1]
    code, _, told = ended(inbox)
    assert code == 2
    assert told.splitlines()[1].startswith("- human, signed by the person decided your request")
    assert told.endswith('"approved", with the words "but only to staging"\n')
    again = claude.start("stop", "--inbox")
    message(claude, "later")
    assert "staging" not in ended(again)[2], "it is told once"


def test_its_words_arrive_whatever_the_locale_is(claude: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    import tests.hooks.running as running

    plain = running.environment
    monkeypatch.setattr(running, "environment", lambda home, **more: plain(home, **more, PYTHONIOENCODING="cp949"))
    message(claude, "안녕하세요 — 준비됐어요 ✅")
    assert "안녕하세요 — 준비됐어요 ✅" in ended(claude.start("stop", "--inbox"))[2]


def test_it_ends_with_the_session(claude: Session) -> None:
    inbox = claude.start("stop", "--inbox")
    eventually(lambda: is_listening(claude))
    claude.run("session_end")
    assert ended(inbox) == (0, "", "")


def test_a_program_that_is_gone_without_a_word_is_told_to_be_gone(claude: Session) -> None:
    inbox = claude.start("stop", "--inbox")
    eventually(lambda: is_listening(claude))
    claude.kill()
    assert ended(inbox) == (0, "", "")
    assert claude.project.events()[-1]["event"] == "session_end"
    assert claude.project.events()[-1]["reason"] == "its program is gone"


def test_an_interrupt_that_runs_no_hook_is_noticed(claude: Session) -> None:
    folder = claude.home / ".claude" / "sessions"
    folder.mkdir(parents=True)
    state = folder / f"{claude.program.pid}.json"
    state.write_text('{"status":"busy"}', "utf-8")
    claude.run("user_prompt_submit")
    inbox = claude.start("session_start", "--inbox")
    eventually(lambda: is_listening(claude))
    state.write_text('{"status":"idle"}', "utf-8")
    claude.project.wait_for("status_update", lambda event: event.get("message") == "interrupted at its terminal")
    claude.kill()
    assert ended(inbox)[0] == 0


def test_a_session_where_nobody_sits_is_not_held_up(claude: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """`claude -p` waits for every hook."""
    import tests.hooks.running as running

    plain = running.environment
    monkeypatch.setattr(
        running, "environment", lambda home, **more: plain(home, **more, CLAUDE_CODE_SESSION_ATTENDED="0")
    )
    assert ended(claude.start("stop", "--inbox")) == (0, "", "")


# Codex at the end of its turn


@pytest.fixture
def codex(tmp_path: Path) -> Iterator[Session]:
    with session(tmp_path, "codex") as opened:
        yield opened


def said(process: Any) -> dict[str, Any]:
    code, out, errors = ended(process)
    assert (code, errors) == (0, "")
    return dict(json.loads(out)) if out else {}


def test_what_waits_at_the_end_of_a_turn_keeps_it_going_once(codex: Session) -> None:
    codex.run("user_prompt_submit")
    message(codex, "read this first")
    told = said(codex.start("stop"))
    assert told["decision"] == "block"
    assert '- lubit writes: "read this first"' in told["reason"]
    assert codex.project.events()[-1]["event"] == "message", "it goes on, and is not told to be idle"
    assert said(codex.start("stop", stop_hook_active=True)) == {}
    assert codex.project.events()[-1]["status"] == "idle"
    assert said(codex.start("stop")) == {}


def test_a_turn_that_was_kept_going_is_not_kept_again(codex: Session) -> None:
    message(codex, "one")
    assert said(codex.start("stop"))["decision"] == "block"
    message(codex, "two")
    assert said(codex.start("stop", stop_hook_active=True)) == {}
    assert '"two"' in said(codex.start("stop"))["reason"]
