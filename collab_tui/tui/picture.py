"""Saving what the screen shows: as a picture (SVG) or as text."""

from __future__ import annotations

import html
import re
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, Final

from rich.cells import cell_len
from textual.app import App

_CELL: Final = 12.2
"""Width of a character in the SVG that rich writes."""
_TEXT: Final = re.compile(r"<text([^>]*)>([^<]*)</text>")
_X: Final = re.compile(r'\bx="([\d.]+)"')
_LENGTH: Final = re.compile(r'\s*textLength="[^"]*"')
_FONT: Final = re.compile(r"@font-face\s*{[^}]*}")


def svg_of(app: App[Any]) -> str:
    """The screen as a picture in which columns hold, whatever viewer and font."""
    return place_characters(app.export_screenshot(title="collab-tui", simplify=True))


def text_of(app: App[Any]) -> str:
    """The lines of the screen, without trailing spaces."""
    strips = app.screen._compositor.render_strips()  # Textual has no public way to the text of a screen
    return "".join(f"{strip.text.rstrip()}\n" for strip in strips)


def place_characters(svg: str) -> str:
    """Give every character its own x: viewers squeeze wide ones otherwise. Drops what would be fetched from afar."""
    svg = _FONT.sub("", svg).replace("<svg ", '<svg xml:space="preserve" ', 1)
    return _TEXT.sub(_placed, svg)


def _placed(match: re.Match[str]) -> str:
    attributes, text = match[1], html.unescape(match[2])
    start = _X.search(attributes)
    if start is None or "textLength" not in attributes:
        return match[0]
    at, places = float(start[1]), []
    for character in text:
        places.append(f"{at:.1f}")
        at += _CELL * cell_len(character)
    attributes = _LENGTH.sub("", _X.sub(f'x="{" ".join(places)}"', attributes))
    return f"<text{attributes}>{html.escape(text)}</text>"


def stem_of(time: datetime | None, position: int) -> str:
    """What to call a picture of an event; sorts by time."""
    when = f"{time.astimezone():%Y-%m-%dT%H-%M-%S}-" if time is not None else ""
    return f"collab-tui-{when}event-{position}"


def save(text: str, folder: Path, stem: str, suffix: str) -> Path:
    """Write a file of that name, or, where there is one, of that name with a number. Raises `OSError`."""
    for number in count(1):
        path = folder / f"{stem}{f'-{number}' if number > 1 else ''}{suffix}"
        try:
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except FileExistsError:
            continue
        return path
    raise AssertionError("numbers do not end")
