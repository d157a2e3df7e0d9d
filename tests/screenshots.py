"""The pictures of the README, drawn from sample_state: `make screenshots`.

The clock is frozen at the end of the samples, so a picture changes only when the program does. Each is written as SVG,
with every character at its own place (browsers squeeze wide characters otherwise), and as PNG where `rsvg-convert` is.
"""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

from rich.console import Console
from rich.text import Text
from textual.pilot import Pilot

from collab_tui.config import Config, user_config_file
from collab_tui.model.places import Number
from collab_tui.tui.app import BoardApp
from collab_tui.tui.picture import place_characters, svg_of
from collab_tui.tui.visiting import Beginning
from tests.signing import install_key
from tests.tui.atlas import Atlas

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "sample_state"
PICTURES = ROOT / "screenshots"
NOW = datetime(2026, 11, 20, 14, 3, 10, tzinfo=UTC)


@dataclass(frozen=True)
class Picture:
    """One screen: which sample, how large, after which keys."""

    name: str
    sample: str
    size: tuple[int, int]
    keys: tuple[str, ...] = ()
    theme: str = "collab-dark"
    event: int | None = None
    """The event of a replay; None: the live board."""


PICTURES_TO_DRAW = (
    Picture("board", "good_day", (132, 40)),
    Picture("board-light", "good_day", (132, 40), theme="collab-light"),
    Picture("side", "good_day", (60, 40)),
    Picture("tabs", "good_day", (80, 24)),
    Picture("request", "good_day", (100, 34), ("enter",)),
    Picture("claimed", "claimed", (132, 32)),
    Picture("connected", "connected", (132, 34)),
    Picture("deadlock", "deadlock", (132, 40)),
    Picture("explain", "deadlock", (100, 34), ("tab", "e")),
    Picture("event", "deadlock", (100, 34), ("tab", "tab", "tab", "up", "up", "enter")),
    Picture("problems", "wild", (100, 40), ("p",)),
    Picture("replay", "deadlock", (132, 40), event=16),
    Picture("many-agents", "many_agents", (160, 48)),
    Picture("sessions", "sessions", (132, 36), ("s", "down", "down")),
    Picture("workers", "sessions", (132, 36), ("w",)),
    Picture("runs", "runs", (160, 44), ("r",)),
)


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Let the app run until the condition holds."""
    for _ in range(2000):
        if condition():
            return
        await pilot.pause(0.005)
    raise TimeoutError("the screen did not come to rest")


def _is_read(app: BoardApp) -> bool:
    """All of it was read, and, for a replay, searched for deadlocks."""
    if app.replay is not None:
        timeline, board = app.replay.timeline, app.replay.board
        is_there = board is not None and board.position == app.replay.player.position
        return is_there and 0 < len(timeline) == timeline.searched
    return app.live is not None and not app.live.source.remaining


async def draw(picture: Picture) -> str:
    """The SVG of a picture."""
    beginning = Beginning(Number(picture.event)) if picture.event is not None else None
    app = BoardApp(Path(f"{picture.sample}.jsonl"), Config(theme=picture.theme), clock=lambda: NOW, beginning=beginning)
    async with app.run_test(size=picture.size) as pilot:
        await until(pilot, lambda: _is_read(app))
        for key in picture.keys:
            await pilot.press(key)
            await pilot.pause()
        await until(
            pilot, lambda: all(worker.is_finished or worker.group in ("follow", "visit") for worker in app.workers)
        )
        await pilot.pause()
        return svg_of(app)


def draw_settings(home: Path) -> str:
    """The SVG of what `collab-tui config` prints of a person's and a project's settings."""
    mine, project = user_config_file(), home / "project" / ".collab"
    project.mkdir(parents=True)
    (project / "registry.jsonl").touch()
    mine.write_text('person = "mina"\ntheme = "collab-light"\n\n[keys]\napprove = "f9"\n', encoding="utf-8")
    (project / "config.toml").write_text('stale_after = 45\norder = "name"\n', encoding="utf-8")
    command = Path(sys.executable).with_name("collab-tui")
    printed = subprocess.run([command, "config"], cwd=project, capture_output=True, encoding="utf-8", check=True).stdout
    console = Console(width=112, record=True, file=io.StringIO())
    console.print(Text("".join(printed.replace(str(home), "~").splitlines(keepends=True)[:26])), end="")
    mine.unlink()
    return place_characters(console.export_svg(title="collab-tui config"))


def write(name: str, svg: str) -> None:
    """Keep a picture, as PNG too where that can be made."""
    target = PICTURES / f"{name}.svg"
    target.write_text(svg, encoding="utf-8")
    print(target.relative_to(ROOT))
    if converter := shutil.which("rsvg-convert"):
        subprocess.run([converter, "-z", "1.5", target, "-o", target.with_suffix(".png")], check=True)


def main() -> None:
    """Draw every picture."""
    home = tempfile.mkdtemp()
    os.environ.update(TZ="UTC", TEXTUAL_ANIMATIONS="none", XDG_CONFIG_HOME=f"{home}/.config", XDG_STATE_HOME=home)
    os.environ.pop("NO_COLOR", None)
    install_key(user_config_file().parent)
    os.chdir(SAMPLES)
    PICTURES.mkdir(exist_ok=True)
    write("config", draw_settings(Path(home)))
    with patch("collab_tui.tui.machine.Machine", Atlas):  # the machine on which the sample's sessions run
        for picture in PICTURES_TO_DRAW:
            write(picture.name, asyncio.run(draw(picture)))


if __name__ == "__main__":
    main()
