"""The pictures of the README, drawn from sample_state: `make screenshots`.

The clock is frozen at the end of the samples, so a picture changes only when the program does. Each is written as SVG,
with every character at its own place (browsers squeeze wide characters otherwise), and as PNG where `rsvg-convert` is.
"""

from __future__ import annotations

import asyncio
import html
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.cells import cell_len
from textual.pilot import Pilot

from collab_tui.config import Config
from collab_tui.tui.app import BoardApp

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "sample_state"
PICTURES = ROOT / "screenshots"
NOW = datetime(2026, 11, 20, 14, 3, 10, tzinfo=UTC)
CELL = 12.2
"""Width of a character in the SVG that rich writes."""


@dataclass(frozen=True)
class Picture:
    """One screen: which sample, how large, after which keys."""

    name: str
    sample: str
    size: tuple[int, int]
    keys: tuple[str, ...] = ()
    theme: str = "collab-dark"


PICTURES_TO_DRAW = (
    Picture("board", "good_day", (132, 40)),
    Picture("board-light", "good_day", (132, 40), theme="collab-light"),
    Picture("side", "good_day", (60, 40)),
    Picture("tabs", "good_day", (80, 24)),
    Picture("request", "good_day", (100, 34), ("enter",)),
    Picture("deadlock", "deadlock", (132, 40)),
    Picture("explain", "deadlock", (100, 34), ("tab", "e")),
    Picture("event", "deadlock", (100, 34), ("tab", "tab", "tab", "up", "up", "enter")),
    Picture("many-agents", "many_agents", (160, 48)),
)


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Let the app run until the condition holds."""
    for _ in range(2000):
        if condition():
            return
        await pilot.pause(0.005)
    raise TimeoutError("the screen did not come to rest")


async def draw(picture: Picture) -> str:
    """The SVG of a picture."""
    app = BoardApp(Path(f"{picture.sample}.jsonl"), Config(theme=picture.theme), clock=lambda: NOW)
    async with app.run_test(size=picture.size) as pilot:
        await until(pilot, lambda: app.live is not None and not app.live.source.remaining)
        for key in picture.keys:
            await pilot.press(key)
            await pilot.pause()
        await until(pilot, lambda: all(worker.is_finished or worker.group == "follow" for worker in app.workers))
        await pilot.pause()
        return app.export_screenshot(title="collab-tui", simplify=True)


def place_characters(svg: str) -> str:
    """Give every character its own x, so that columns hold in every viewer and font; drop what is fetched from afar."""

    def place(match: re.Match[str]) -> str:
        attributes, text = match[1], html.unescape(match[2])
        start = re.search(r'\bx="([\d.]+)"', attributes)
        if start is None or "textLength" not in attributes:
            return match[0]
        at, places = float(start[1]), []
        for character in text:
            places.append(f"{at:.1f}")
            at += CELL * cell_len(character)
        attributes = re.sub(r'\bx="[\d.]+"', f'x="{" ".join(places)}"', attributes)
        attributes = re.sub(r'\s*textLength="[^"]*"', "", attributes)
        return f"<text{attributes}>{html.escape(text)}</text>"

    svg = re.sub(r"@font-face\s*{[^}]*}", "", svg)
    svg = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)
    return re.sub(r"<text([^>]*)>([^<]*)</text>", place, svg)


def main() -> None:
    """Draw every picture."""
    os.environ.update(TZ="UTC", TEXTUAL_ANIMATIONS="none", XDG_CONFIG_HOME=tempfile.mkdtemp())
    os.environ.pop("NO_COLOR", None)
    os.chdir(SAMPLES)
    PICTURES.mkdir(exist_ok=True)
    converter = shutil.which("rsvg-convert")
    for picture in PICTURES_TO_DRAW:
        target = PICTURES / f"{picture.name}.svg"
        target.write_text(place_characters(asyncio.run(draw(picture))), encoding="utf-8")
        print(target.relative_to(ROOT))
        if converter:
            subprocess.run([converter, "-z", "1.5", target, "-o", target.with_suffix(".png")], check=True)


if __name__ == "__main__":
    main()
