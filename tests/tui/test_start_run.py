"""Starting a run: what it would do is shown before, and just that is started."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.widgets import Input, Select, Static

from collab_tui.config import Config
from collab_tui.orchestrator.pipeline_file import read_pipeline
from collab_tui.orchestrator.pipelines import BUILT_IN
from tests.tui.atlas import beside
from tests.tui.giving import result
from tests.tui.run_scenes import keep, on_runs, screen, team
from tests.tui.seat import Seat

pytestmark = pytest.mark.usefixtures("atlas")


PIPELINE = """
name = "two"
{extra}
[policy]
on_error = "stop"

[agent.echo]
command = ["{{python}}", "-c", "print(1)"]

[role.worker]
agent = "echo"

[[task]]
key = "first"
role = "worker"

[[task]]
key = "second"
role = "worker"
needs = ["first"]
"""


async def start_dialog(seat: Seat, path: str, goal: str = "", variables: str = "") -> None:
    await seat.press("n")
    await seat.dialog("StartRunScreen")
    for selector, text in (("#path", path), ("#text", goal), ("#variables", variables)):
        await type_in(seat, selector, text)


async def type_in(seat: Seat, selector: str, text: str) -> None:
    seat.widget(selector).focus()
    await seat.pilot.press(*map(name_of, text))


def name_of(char: str) -> str:
    return {" ": "space", ".": "full_stop", "/": "slash", "=": "equals_sign", "-": "minus", "_": "underscore"}.get(
        char, char
    )


async def test_starting_shows_what_would_be_started_and_gives_just_that() -> None:
    keep("two.toml", PIPELINE.format(extra=""))
    async with beside("r", size=(120, 50)) as (seat, _):
        await start_dialog(seat, "two.toml", "a page")
        await seat.sees("two: a page", "step 1", "first", "step 2", "second")
        await seat.press("ctrl+s")
        await seat.until(lambda: len(seat.appended) == 1, "a command")
        (given,) = seat.appended
        assert (given["command_type"], given["target"]) == (
            "start_run",
            str(seat.path.absolute().with_name("two.toml")),
        )
        payload = given["payload"]
        assert payload["goal"] == "a page"
        assert payload["digest"] == read_pipeline(Path("two.toml"), {}, "a page").digest
        command_id = json.loads(seat.path.read_text(encoding="utf-8").splitlines()[-1])["id"]
        seat.write(result(command_id, "running"))
        await on_runs(seat)
        seat.write(*team(2, payload["run"]))
        await seat.until(lambda: screen(seat).items.selected == payload["run"], "the new run, selected")


async def test_what_would_be_started_has_the_signs_that_the_terminal_can_draw() -> None:
    keep("two.toml", PIPELINE.format(extra=""))
    async with beside("r", size=(120, 50), config=Config(ascii=True)) as (seat, _):
        await start_dialog(seat, "two.toml", "a page")
        await seat.sees("critical path", "first -> second")


async def test_a_pipeline_that_changed_or_was_not_looked_at_is_not_started() -> None:
    keep("two.toml", PIPELINE.format(extra=""))
    async with beside("r", size=(120, 50)) as (seat, _):
        await start_dialog(seat, "two.toml")
        await seat.sees("step 1")
        seat.widget("#text").focus()
        await seat.press("x", "ctrl+s")
        await seat.sees("It is shown: ctrl+s again starts it.")
        await seat.wrote_nothing()


async def test_what_cannot_start_here_is_not_started_and_what_was_typed_stays() -> None:
    second = '[role.other]\nagent = "echo"\n[[task]]\nkey = "third"\nrole = "other"\n'
    text = PIPELINE.format(extra="").replace("{python}", "no-such-program")
    keep("two.toml", f"{text}{second}")
    async with beside("r", size=(120, 50)) as (seat, _):
        await start_dialog(seat, "two.toml", "a page")
        await seat.sees("cannot start", "step 1")
        said = " ".join(str(seat.widget("#preview").render()).split())
        assert said.index("cannot start") < said.index("step 1") < said.index("who works")
        assert said.count("there is no program no-such-program") == 1
        assert "dry run" not in said
        await seat.press("ctrl+s")
        await seat.sees("It cannot start like that: worker, other: no-such-program", "a page")
        await seat.wrote_nothing()


async def test_what_would_be_started_scrolls_from_every_field() -> None:
    keep("two.toml", PIPELINE.format(extra=""))
    async with beside("r", size=(80, 24)) as (seat, _):
        await start_dialog(seat, "two.toml", "a page")
        await seat.sees("step 1")
        body = seat.widget("#body")
        for field in ("#path", "#text", "#variables", "#pipeline"):
            seat.widget(field).focus()
            body.scroll_home(animate=False)
            await seat.until(lambda: body.scroll_y == 0, "its beginning")
            await seat.press("pagedown")
            await seat.until(lambda: body.scroll_y > 0, f"more of it, from {field}")
            await seat.press("pageup")
            await seat.until(lambda: body.scroll_y == 0, f"its beginning, from {field}")


async def test_a_pipeline_that_is_chosen_takes_the_place_of_a_path_that_was_typed() -> None:
    keep("two.toml", PIPELINE.format(extra=""))
    async with beside("r", size=(120, 50)) as (seat, _):
        await start_dialog(seat, "nowhere.toml")
        await seat.sees("there is no such file")
        select = seat.app.screen.query_one(Select)
        select.value = str(BUILT_IN / "team.toml")
        await seat.until(lambda: not seat.app.screen.query_one("#path", Input).value, "no path")
        await seat.sees("step 1")
        await type_in(seat, "#path", "two.toml")
        await seat.until(lambda: select.selection is None, "no choice")
        await seat.sees("two: no goal yet")


async def test_what_is_wrong_with_a_pipeline_is_told_with_its_lines() -> None:
    keep("two.toml", PIPELINE.format(extra="colour = 1"))
    async with beside("r", size=(120, 50)) as (seat, _):
        await start_dialog(seat, "two.toml")
        await seat.sees("colour")
        await seat.press("ctrl+s")
        await seat.sees("It cannot start like that")
        await seat.press("escape")
        await on_runs(seat)
        await seat.press("n")
        await seat.sees("two.toml")  # what was typed is there again


async def test_variables_are_written_as_on_the_command_line() -> None:
    async with beside("r", size=(120, 50)) as (seat, _):
        await start_dialog(seat, "two.toml", "", "depth")
        await seat.sees("Variables: depth is no name=value")


async def test_what_is_typed_after_the_first_look_is_looked_at_and_started(monkeypatch: pytest.MonkeyPatch) -> None:
    keep("two.toml", PIPELINE.format(extra='[vars]\nname = "w"').replace("print(1)", "print('{name}')"))
    async with beside("r", size=(80, 24)) as (seat, _):
        await start_dialog(seat, "two.toml", "", "other=1 third=2 ")
        preview = seat.widget("#preview")
        assert isinstance(preview, Static)
        await seat.until(lambda: len(str(preview.content).splitlines()) == 2, "a line for each mistake")
        await seat.press("ctrl+s")
        await seat.sees("It cannot start like that")
        await seat.press("ctrl+u")
        await type_in(seat, "#variables", "name=x")
        await seat.sees("no goal yet")
        await seat.press("ctrl+s")
        await seat.sees("Give it a goal first")
        monkeypatch.setattr("collab_tui.tui.screens.start_run._RESTS_FOR", 600)
        await type_in(seat, "#text", "a page")
        await seat.press("ctrl+s")
        await seat.sees("two: a page", "ctrl+s again starts it")
        assert seat.widget("#body").region.bottom - preview.region.y >= 5
        await seat.press("ctrl+s")
        await seat.until(lambda: len(seat.appended) == 1, "a command")
        payload = seat.appended[0]["payload"]
        assert (payload["goal"], payload["variables"]) == ("a page", '{"name": "x"}')
