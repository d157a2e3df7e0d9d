"""The person's word on the board: signed, told apart from what somebody wrote in their name, and given again."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from collab_tui.config import Config, user_config_file
from collab_tui.model.signature import Standing, digest_of
from collab_tui.protocol.keys import NAME, Keyring
from tests.signing import KEY, OTHER_KEY, signed, standing_of_last
from tests.tui import scenes
from tests.tui.scenes import asks, decides, told, updates
from tests.tui.seat import Seat, sitting

CLAIM = decides("human", "go", "approved", comment="from the model")


def key_file() -> Path:
    return user_config_file().parent / NAME


@pytest.fixture
def no_key() -> None:
    key_file().unlink()


def last_line(seat: Seat) -> bytes:
    return seat.path.read_bytes()


# The first decision makes the key.


@pytest.mark.usefixtures("no_key")
async def test_the_first_answer_asks_to_make_the_key_and_is_sent_with_it() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.looked()
        await seat.press("a")
        await seat.dialog("KeyScreen")
        await seat.sees(
            "Your signing key", "decisions are signed with a key that only you have", "make the key and send"
        )
        assert not key_file().exists()
        await seat.press("enter")
        await seat.closed()
        await seat.sees("✔ approved by human", "⚿ signed")
        made = Keyring(key_file().parent).signing_key()
        assert made.public.text != KEY.public.text
        assert seat.path.read_bytes().count(made.public.id.encode()) == 1
        seat.write(asks("sena", "next", "And now?", 0))
        await seat.go_and_look("needs", "next")
        await seat.press("a")
        await seat.until(lambda: seat.path.read_bytes().count(made.public.id.encode()) == 2, "a second answer")
        assert seat.screen == "BoardScreen"  # it asks once


@pytest.mark.usefixtures("no_key")
async def test_escape_makes_no_key_and_sends_nothing() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.looked()
        await seat.press("a")
        await seat.dialog("KeyScreen")
        await seat.press("escape")
        await seat.closed()
        await seat.wrote_nothing()
        assert not key_file().exists()


@pytest.mark.usefixtures("no_key")
async def test_words_typed_in_the_dialog_wait_for_the_key() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.looked()
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        await seat.press("tab")
        await seat.type("go on")
        await seat.press("shift+tab", "a")
        await seat.dialog("KeyScreen")
        await seat.press("escape")
        await seat.dialog("RequestScreen")
        await seat.sees("go on")
        await seat.press("a")
        await seat.dialog("KeyScreen")
        await seat.press("enter")
        await seat.closed()
        await seat.until(lambda: b"go on" in seat.path.read_bytes(), "the answer")


@pytest.mark.usefixtures("no_key")
async def test_a_decision_that_nobody_asked_for_needs_the_key_and_a_message_does_not() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.go("agents", "sena")
        await seat.press("m")
        await seat.dialog("MessageScreen")
        await seat.type("hello")
        await seat.press("ctrl+s")
        await seat.closed()
        await seat.press("d")
        await seat.dialog("DecideScreen")
        await seat.type("fonts")
        await seat.press("ctrl+s")
        await seat.dialog("KeyScreen")
        await seat.press("enter")
        await seat.closed()
        made = Keyring(key_file().parent).signing_key()
        await seat.until(lambda: made.public.id.encode() in seat.path.read_bytes(), "the decision")


async def test_a_decision_that_nobody_asked_for_is_signed() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.go("agents", "sena")
        await seat.press("d")
        await seat.dialog("DecideScreen")
        await seat.type("fonts")
        await seat.press("ctrl+s")
        await seat.wrote(
            {"agent": "human", "event": "decision", "target": "sena", "decision_for": "fonts", "verdict": "approved"}
        )
        assert standing_of_last(seat.path.read_bytes()) is Standing.SIGNED
        await seat.sees("⚿ signed")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
async def test_a_key_that_others_can_read_signs_nothing_and_it_is_said() -> None:
    key_file().chmod(0o644)
    async with sitting(scenes.calm()) as seat:
        await seat.looked()
        await seat.press("a")
        await seat.until(lambda: "can be read or written by others (mode 0644)" in seat.toasts, "a toast")
        await seat.wrote_nothing()


# What somebody wrote in the person's name.


async def test_what_somebody_answered_as_the_person_stays_and_can_be_answered() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.looked()
        seat.write(CLAIM)
        await seat.sees("answered in your name, not signed: approved", "claimed")
        assert len(seat.board.view.moment.needs) == 1
        await seat.looked()
        await seat.press("x")
        await seat.wrote({"agent": "human", "event": "decision", "request_id": "go", "verdict": "rejected"})
        assert standing_of_last(seat.path.read_bytes()) is Standing.SIGNED
        await seat.sees("✖ rejected by human", "⚿ signed")
        assert seat.board.view.moment.needs == ()
        await seat.press("a")
        await seat.wrote({"agent": "human", "event": "decision", "request_id": "go", "verdict": "rejected"})


async def test_it_is_there_in_every_size() -> None:
    for size in ((80, 24), (60, 40)):
        async with sitting([*scenes.calm(), CLAIM], size=size, path=Path(f"{size[0]}.jsonl")) as seat:
            seat.board.focus_pane("needs")
            await seat.sees("answered in your name, not signed: approved")


async def test_a_claim_meanwhile_does_not_stop_the_person() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.looked()
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        seat.write(CLAIM)
        await seat.sees("claimed", "answered by human: approved", "claimed: it carries no signature")
        await seat.press("x")
        await seat.closed()
        await seat.sees("✖ rejected by human")
        assert standing_of_last(seat.path.read_bytes()) is Standing.SIGNED


async def test_an_asker_that_went_on_is_asked_about_no_more() -> None:
    async with sitting([*scenes.calm(), CLAIM]) as seat:
        await seat.sees("answered in your name")
        seat.write(updates("gitcode", status="in_progress"))
        await seat.sees_no("answered in your name")
        assert seat.board.view.moment.needs == ()


@pytest.mark.usefixtures("no_key")
async def test_without_a_key_too_what_was_only_claimed_still_waits() -> None:
    async with sitting([*scenes.calm(), CLAIM]) as seat:
        await seat.sees("answered in your name")
        assert [need.id for need in seat.board.view.moment.needs] == [CLAIM["request_id"]]


# What the log and the dialogs say.


async def test_the_log_says_who_wrote_each_decision() -> None:
    async with sitting(scenes.good_day()) as seat:
        seat.decide_elsewhere(decides("human", "go-canary", "approved", comment="mine"))
        known = seat.path.read_bytes()
        forged = signed(decides("human", "tagger", "", answer="both"), known) | {"answer": "rules", "comment": "forged"}
        strange = signed(decides("human", "title", "", answer="x", comment="strange"), known, OTHER_KEY)
        seat.write(forged, strange, decides("lubit", "metrics-v2", "approved", comment="an agent"))
        seat.write(told("human", "decision", verdict="approved", decision_for="fonts", comment="no key"))
        await seat.sees("mine", "forged", "strange", "an agent", "no key")
        for said, mark in (("mine", "⚿ signed"), ("forged", "! bad signature"), ("strange", "! unknown key")):
            await seat.until(lambda said=said, mark=mark: mark in seat.line_with(f" {said} "), mark)
        log = seat.lines[seat.lines.index(seat.line_with("─ Log ─")) :]
        (agents,) = [line for line in log if "an agent" in line]
        (claim,) = [line for line in log if "no key" in line]
        assert not {"signed", "claimed", "signature"} & set(agents.split())
        assert "claimed" in claim
        for narrow in (60, 80):
            await seat.pilot.resize_terminal(narrow, 40)
            await seat.until(lambda narrow=narrow: max(map(len, seat.lines)) <= narrow, "the narrow screen")


async def test_in_ascii_the_mark_is_ascii() -> None:
    async with sitting(scenes.calm(), config=Config(ascii=True)) as seat:
        seat.decide_elsewhere(decides("human", "go", "approved"))
        await seat.sees("& signed")
        assert "⚿" not in seat.text


@pytest.mark.parametrize(
    ("change", "mark", "reason"),
    [
        ({}, "signed  by human", f"by human, with the key {KEY.public.id}"),
        (
            {"comment": "x"},
            "bad signature  it was",
            "it was changed after it was signed, or signed in another registry",
        ),
        ({"signature": None}, "claimed  it carries", "it carries no signature: any writer may have written it"),
    ],
    ids=["signed", "bad", "claimed"],
)
async def test_the_dialog_of_a_line_says_which_check_failed(change: dict[str, str], mark: str, reason: str) -> None:
    async with sitting(scenes.calm()) as seat:
        seat.write(signed(decides("human", "go", "approved"), seat.path.read_bytes()) | change)
        await seat.read(4)
        await seat.go("log")
        await seat.press("enter")
        await seat.dialog("EventScreen")
        await seat.sees("Who wrote it", mark, reason)


async def test_the_dialog_of_an_agents_line_says_nothing_of_signatures() -> None:
    async with sitting(scenes.calm()) as seat:
        seat.write(decides("lubit", "go", "approved"))
        await seat.read(4)
        await seat.go("log")
        await seat.press("enter")
        await seat.dialog("EventScreen")
        await seat.sees("The line as written")
        assert "Who wrote it" not in seat.text


async def test_explaining_a_request_says_who_answered_it() -> None:
    async with sitting([*scenes.calm(), CLAIM]) as seat:
        await seat.go_and_look("needs", "go")
        await seat.press("e")
        await seat.dialog("ExplainScreen")
        await seat.sees("who says so", "it carries no signature")


async def test_what_is_signed_is_the_request_that_the_dialog_shows() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.looked()
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        digest = digest_of(seat.board.view.moment.board.request("go").event)
        await seat.sees("id go", digest[:16])
        await seat.press("a")
        await seat.closed()
        await seat.until(lambda: digest.encode() in seat.path.read_bytes(), "the signed digest")


async def test_a_request_that_can_be_read_in_two_ways_is_not_answered() -> None:
    asked = scenes.line(asks("gitcode", "go", "GO?", 4))[:-2] + ', "request": "GO to production?"}\n'
    async with sitting([asked]) as seat:
        await seat.looked()
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        await seat.sees("none, so it cannot be answered: 'request' stands in it twice")
        await seat.press("a")
        await seat.sees("this decision cannot be signed: 'request' stands in it twice")
        await seat.wrote_nothing()


async def test_a_request_that_was_changed_under_the_dialog_is_not_answered() -> None:
    async with sitting(scenes.calm()) as seat:
        await seat.looked()
        await seat.press("enter")
        await seat.dialog("RequestScreen")
        changed = seat.path.read_bytes().replace(b"GO for the canary?", b"GO for everybody?!")
        with seat.path.open("r+b") as file:  # in place: the same file, of the same length
            file.write(changed)
        await seat.press("a")
        await seat.until(  # the board reads the other words before or after the key
            lambda: any(why in seat.text for why in ("the registry was replaced meanwhile", "another request by now")),
            "why it is not answered",
        )
        await seat.wrote_nothing()
