"""Human output of the commands: rich, colour only on a terminal, every piece of text from events taken literally."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from collab_tui.cli.arguments import show_anything
from collab_tui.model.glyphs import ASCII, UNICODE, Glyphs
from collab_tui.model.summary import Span

_STYLES = {
    "text": "",
    "strong": "bold",
    "muted": "dim",
    "accent": "cyan",
    "success": "green",
    "warning": "yellow",
    "error": "red",
}


class _PipedConsole(Console):
    def on_broken_pipe(self) -> None:
        """To rich a broken pipe is a failure; to us it is the end: see `main`."""
        raise BrokenPipeError


def make_console() -> Console:
    """A console on standard output that never fails on what it cannot encode."""
    show_anything()
    return _PipedConsole(highlight=False, markup=False, emoji=False, soft_wrap=not sys.stdout.isatty())


def console_glyphs() -> Glyphs:
    """The signs that standard output can encode."""
    try:
        "".join(
            [*UNICODE.statuses.values(), UNICODE.needs_you, UNICODE.deadlock, UNICODE.bar_full, UNICODE.signed]
        ).encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE


def styled(spans: Iterable[Span]) -> Text:
    """One line of rich text."""
    return Text.assemble(*((span.text, _STYLES[span.role]) for span in spans))
