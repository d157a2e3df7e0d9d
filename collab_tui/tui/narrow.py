r"""Terminals of another encoding than UTF-8: what they have no sign for is replaced by something as wide.

Textual writes in the encoding of the stream; Python would write `\u25b2` for one cell, and the lines would burst.
"""

from __future__ import annotations

import codecs
import sys

from rich.cells import split_graphemes
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter


def narrow_encoding() -> str | None:
    """The encoding of the terminal, where there are signs that it cannot show; None for UTF-8."""
    stream = sys.__stdout__ if sys.platform == "win32" else sys.__stderr__  # where Textual paints
    encoding = stream.encoding if stream is not None else "utf-8"
    return None if codecs.lookup(encoding).name == "utf-8" else encoding


class Encodable(LineFilter):
    """Replaces by question marks what an encoding has no sign for."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments, each as wide as before."""
        return [
            segment
            if segment.control or self._fits(segment.text)
            else Segment(self._replaced(segment.text), segment.style)
            for segment in segments
        ]

    def _fits(self, text: str) -> bool:
        try:
            text.encode(self._encoding)
        except UnicodeEncodeError:
            return False
        return True

    def _replaced(self, text: str) -> str:
        signs = ((text[first:end], width) for first, end, width in split_graphemes(text)[0])
        return "".join(sign if self._fits(sign) else "?" * width for sign, width in signs)
