"""`u` removes the selected blocker, wherever it is seen."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from collab_tui.config import Config
from collab_tui.protocol.presence import refusal
from collab_tui.tui.app import BoardApp
from tests.program import PATIENCE
from tests.signing import KEY
from tests.tui import scenes
from tests.tui.scenes import asks, line, told, updates
from tests.tui.seat import NAME, WIDE, Seat, sitting, write

CREDENTIALS, QUOTA = "no credentials for staging", "quota of the build cache"


def resolved(name: str, text: str) -> dict[str, Any]:
    return {"agent": "human", "event": "blocker_resolved", "blocker": text, "target": name}


async def test_from_the_blockers() -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.go_and_look("waits", f"blocker:{QUOTA}")
        await seat.sees(f"■ {QUOTA}  holds up 2: gitcode, maestro", "u unblock")
        await seat.press("u")
        await seat.wrote(resolved("gitcode", QUOTA))
        await seat.sees_no(f"■ {QUOTA}  holds up")
        await seat.sees(f"✔ {QUOTA} of gitcode")


async def test_what_waits_for_the_persons_word_is_signed() -> None:
    async with sitting([told("sena", "blocker", 3, blocker="human_approval")]) as seat:
        await seat.go_and_look("agents", "sena")
        await seat.press("u")
        await seat.until(lambda: len(seat.appended) == 1, "the word")
        (word,) = seat.appended
        assert word.pop("signature")
        assert word == resolved("sena", "human_approval") | {"key_id": KEY.public.id}
        await seat.sees("unblocked, not yet moving")


async def test_a_blocker_of_several_agents_is_removed_from_each() -> None:
    scene = [
        told("sena", "blocker", 3, blocker="the NAS is down"),
        told("lubit", "blocker", 2, blocker="the NAS is down"),
    ]
    async with sitting(scene) as seat:
        await seat.go_and_look("waits")
        await seat.press("u")
        await seat.until(lambda: len(seat.appended) == 2, "a line for each")
        assert sorted(seat.appended, key=str) == [resolved(name, "the NAS is down") for name in ("lubit", "sena")]
        await seat.sees("unblocked, not yet moving", "Nobody waits for anybody.")


async def test_from_an_agent_with_one_blocker() -> None:
    async with sitting([told("sena", "blocker", 3, blocker="tests are red")]) as seat:
        await seat.go_and_look("agents", "sena")
        await seat.press("u")
        await seat.wrote(resolved("sena", "tests are red"))
        await seat.sees("unblocked, not yet moving")


async def test_from_an_agent_with_several_it_asks_which() -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.go_and_look("agents", "gitcode")
        await seat.press("u")
        await seat.dialog("ChooseScreen")
        await seat.sees("Which blocker?", f"gitcode: {CREDENTIALS}", f"gitcode: {QUOTA}")
        await seat.press("down", "enter")
        await seat.wrote(resolved("gitcode", QUOTA))
        await seat.closed()


async def test_choosing_can_be_cancelled() -> None:
    async with sitting(scenes.good_day()) as seat:
        await seat.go_and_look("agents", "gitcode")
        await seat.press("u")
        await seat.dialog("ChooseScreen")
        await seat.press("escape")
        await seat.closed()
        await seat.wrote_nothing()


async def test_from_the_request_of_a_blocked_agent() -> None:
    scene = [told("sena", "blocker", 3, blocker="tests are red"), asks("sena", "skip", "Skip the tests?")]
    async with sitting(scene) as seat:
        await seat.go_and_look("needs", "skip")
        await seat.press("u")
        await seat.wrote(resolved("sena", "tests are red"))


async def test_without_a_blocker_there_is_nothing_to_press() -> None:
    async with sitting([updates("sena", status="in_progress")]) as seat:
        await seat.go_and_look("agents", "sena")
        assert "unblock" not in seat.lines[-1]
        await seat.press("u")
        await seat.wrote_nothing()
        assert seat.screen == "BoardScreen"


@pytest.mark.parametrize(
    ("meanwhile", "why"),
    [
        (told("lubit", "blocker_resolved", blocker=QUOTA, target="gitcode"), "does not have this blocker any more"),
        (updates("gitcode", blockers=[CREDENTIALS]), "does not have this blocker any more"),
        (None, "the registry was replaced meanwhile"),
    ],
    ids=["resolved", "moved on", "replaced"],
)
async def test_a_blocker_that_went_meanwhile_is_not_resolved_again(
    meanwhile: scenes.Event | None, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else is faster, after our reading and before our lock."""
    async with sitting(scenes.good_day()) as seat:
        append = seat.app.desk.registry.append

        def late(event: scenes.Event, **how: Any) -> object:
            if meanwhile is None:
                seat.path.write_text(line(updates("sena")), encoding="utf-8")
                seat.write()
            else:
                seat.write(meanwhile)
            return append(event, **how)

        monkeypatch.setattr(seat.app.desk.registry, "append", late)
        await seat.go_and_look("waits", f"blocker:{QUOTA}")
        await seat.press("u")
        await seat.until(lambda: why in seat.toasts, "a toast")
        await seat.wrote_nothing()


async def test_other_lines_meanwhile_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    async with sitting(scenes.good_day()) as seat:
        append = seat.app.desk.registry.append

        def late(event: scenes.Event, **how: Any) -> object:
            seat.write(updates("gitcode", progress=80), told("lubit", "blocker_resolved", blocker=CREDENTIALS))
            return append(event, **how)

        monkeypatch.setattr(seat.app.desk.registry, "append", late)
        await seat.go_and_look("waits", f"blocker:{QUOTA}")
        await seat.press("u")
        await seat.wrote(resolved("gitcode", QUOTA))


async def test_inside_an_agents_process_nothing_is_unblocked_in_the_persons_name() -> None:
    write(scenes.good_day())
    app = BoardApp(NAME, Config(), clock=lambda: scenes.NOW, not_the_person=refusal("CLAUDECODE"))
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        seat = Seat(app, pilot, NAME)
        await seat.until(lambda: app.live is not None, "a first look at the registry")
        await seat.go_and_look("waits", f"blocker:{QUOTA}")
        await seat.press("u")
        await seat.until(lambda: "gitcode was not unblocked" in seat.toasts, "a toast")
        assert "$CLAUDECODE is set" in seat.toasts
        await seat.wrote_nothing()


async def test_sending_ends_though_the_blocker_is_there_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was read back before the disk acknowledged it, and its agent raised the same blocker at once."""
    blocked = told("gitcode", "blocker", blocker="no disk")
    async with sitting([blocked]) as seat:
        go_on = threading.Event()

        def slow_disk(event: dict[str, Any], **how: Any) -> object:
            written = {"id": "f00dfeed00000001"} | event
            seat.write(written, blocked)
            assert go_on.wait(PATIENCE)
            return written

        monkeypatch.setattr(seat.app.desk.registry, "append", slow_disk)
        await seat.go_and_look("waits")
        await seat.press("u")
        await seat.read(3)
        await seat.sees("sending...")
        go_on.set()
        await seat.sees_no("sending...")
        await seat.sees("no disk")
