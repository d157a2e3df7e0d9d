"""An error that is ours: the app ends in good order, and the error is raised when the terminal was given back.

Textual shows a traceback with the values of local variables on the terminal: text from events, and more than one screen
of it. Whoever runs the app decides what is told; `cli/crash.py` does.
"""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.worker import WorkerFailed


class InputError(RuntimeError):
    """What the terminal sends could not be read any more."""


class RaisingApp(App[None]):
    """An app that shows no traceback; `raise_error` gives whoever ran it the first error that nothing handled."""

    def panic(self, *renderables: Any) -> None:
        """End. Without an error it is the thread that reads the keys which died: its traceback is the text."""
        if self._exception is None:
            self._exception = InputError("; ".join(_last_errors(renderables)) or "the reading of keys ended")
        self._fatal_error()

    def _fatal_error(self) -> None:
        """End; in Textual this also renders the traceback."""
        self._close_messages_no_wait()

    def raise_error(self) -> None:
        """Raise the error by which the app ended, if it was one."""
        error = self._exception
        if error is not None:
            raise error.error if isinstance(error, WorkerFailed) else error


def _last_errors(renderables: tuple[Any, ...]) -> list[str]:
    """The types and messages of the errors in rich's tracebacks."""
    traces = [trace for shown in renderables if (trace := getattr(shown, "trace", None)) is not None]
    return [f"{stack.exc_type}: {stack.exc_value}" for trace in traces for stack in trace.stacks[:1]]
