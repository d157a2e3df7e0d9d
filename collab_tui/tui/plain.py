"""Only ASCII: what stands for each of our signs, and for Textual's frames, bars and arrows, as a line is painted."""

from __future__ import annotations

from typing import Final

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_SIGNS: Final = {
    "-": "─━═╌╍┄┅┈┉▔▀░▒·–—‐‑",
    "|": "│┃║▏▎▍▋▊▉▐▕",
    "+": "╭╮╰╯┌┐└┘├┤┬┴┼╔╗╚╝┏┓┗┛▖▗▘▝▙▛▜▟✓✔",
    "=": "▃▄▅▆▇",
    "_": "▁▂",
    "#": "█▓",
    ">": "▌→▶❯",
    "<": "←◀",
    "^": "▲△▴↑",
    "v": "▼▽▾↓",
    "*": "●•",
    "o": "○⭘◯",
    "x": "✖✗×",
    "~": "…",
    "'": "‘’",
    '"': "“”",
    "? ": "🔎",
}
"""ASCII of the same width -> the signs that it stands for."""
_TABLE: Final = str.maketrans({sign: plain for plain, signs in _SIGNS.items() for sign in signs})


class PlainSigns(LineFilter):
    """Replaces signs that a terminal may lack, or draw two cells wide. Letters of any script stay."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments with ASCII signs."""
        return [
            segment
            if segment.control or segment.text.isascii()
            else Segment(segment.text.translate(_TABLE), segment.style)
            for segment in segments
        ]
