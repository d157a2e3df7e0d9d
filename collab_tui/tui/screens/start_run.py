"""Starting a run: which pipeline, for which goal, with which variables; and what that would do, before it does it."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from rich.text import Text
from textual import on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Label, Select, Static, TextArea

from collab_tui.model.glyphs import Glyphs
from collab_tui.protocol.commands import CommandType, start_payload
from collab_tui.tui.desk import Desk
from collab_tui.tui.machine import HereError
from collab_tui.tui.safe import MUTED, content, cut, words
from collab_tui.tui.screens.commanding import CommandScreen, Wanted
from collab_tui.tui.screens.reading import lines_of

if TYPE_CHECKING:
    from collab_tui.orchestrator.pipelines import Found

_RESTS_FOR: Final = 0.3
"""Seconds without a key after which it is looked what would be started."""
_WRONG: Final = "It cannot start like that: what is wrong stands above."
_LOW: Final = 30
"""Lines of a terminal in which the goal has one."""


class _Given(NamedTuple):
    """What the fields say."""

    path: str
    goal: str
    variables: tuple[tuple[str, str], ...]


class _Seen(NamedTuple):
    """What the person saw."""

    given: _Given
    digest: str
    """Of that pipeline."""
    has_goal: bool
    problems: Sequence[str]
    """Why it could not start."""


class StartRunScreen(CommandScreen):
    """The `start_run` command."""

    TITLE_TEXT = "Start a run"
    GO = "Start"
    FOOT_HEIGHT = 2
    FIELDS = ("path", "text", "variables")
    BINDINGS: ClassVar[list[BindingType]] = [  # before the field that has the focus, which may have them too
        Binding("pageup", "page(-1)", "Page up", show=False, priority=True),
        Binding("pagedown", "page(1)", "Page down", show=False, priority=True),
    ]
    HINTS = (("ctrl+s", "start"), ("tab", "next field"), ("page up/down", "scroll"), ("esc", "cancel"))

    def __init__(self, desk: Desk, glyphs: Glyphs, started: Callable[[str], None]) -> None:
        """`started` gets the id of the run that a monitor is about to start."""
        super().__init__(desk, (), None)
        self._glyphs = glyphs
        self._started = started
        self._run = os.urandom(4).hex()
        self._seen: _Seen | None = None
        self._wrong: _Given | None = None
        """What the mistakes are about that are shown."""
        self._looks_at: _Given | None = None
        """What is looked at now: what is found out of anything else comes too late."""
        self._was_early = False
        """It was to be started before it was shown."""

    def body(self) -> Iterable[Widget]:
        """The fields, and what they would start."""
        yield Label("Pipeline")
        yield Select[str]([], id="pipeline", prompt="reading which there are...", compact=True)
        yield Input(self.draft("path"), id="path", placeholder="or the path of its file", compact=True)
        yield Label("Goal")
        yield TextArea(self.draft("text"), id="text", tab_behavior="focus")
        yield Label("Variables")
        yield Input(self.draft("variables"), id="variables", placeholder='name=value other="two words"', compact=True)
        yield Static(id="preview")

    def on_mount(self) -> None:
        """Read which pipelines there are."""
        self.query_one("#pipeline").focus()
        self._resting = self.set_timer(_RESTS_FOR, self._look)
        self._read()

    def on_resize(self) -> None:
        """In a low terminal the goal has less room, and what would be started more."""
        self.query("#text").set_styles(height=3 if self.size.height < _LOW else 5)
        super().on_resize()

    @work(group="pipelines", exclusive=True)
    async def _read(self) -> None:
        found = await asyncio.to_thread(self.desk.machine.pipelines)
        for select in self.query("#pipeline").results(Select):
            self._offer(select, found)
        self._look()

    def _offer(self, select: Select[str], found: Sequence[Found]) -> None:
        told = [(one, _whose(one)) for one in found]
        typed = self.text_of("#path")
        select.set_options([(Text(cut(f"{words(one.name)}{whose}", 70)), str(one.path)) for one, whose in told])
        select.prompt = "which pipeline" if found else "there is none in .collab/pipelines: give the path of one"
        last = self.draft("pipeline")
        if not typed and any(last == str(one.path) for one in found):
            select.value = last

    # What would be started

    @on(Select.Changed)
    def _chosen_one(self, event: Select.Changed) -> None:
        """Of a pipeline that is chosen and one that is typed the latter one counts, and is the only one shown."""
        if event.select.selection is not None:
            self.query_one("#path", Input).value = ""

    @on(Input.Changed, "#path")
    def _typed_path(self, event: Input.Changed) -> None:
        if event.value:
            self.query_one(Select).clear()

    @on(Select.Changed)
    @on(Input.Changed)
    @on(TextArea.Changed)
    def _changed(self) -> None:
        """Look anew once nothing is typed any more."""
        self._was_early = False
        if not self._is_sending:
            self.complain("")
        self._resting.stop()
        self._resting = self.set_timer(_RESTS_FOR, self._look)

    def _look(self) -> None:
        self._resting.stop()
        try:
            given = self._given()
        except ValueError as error:
            self._seen = self._wrong = self._looks_at = None
            self._preview(Content.styled(str(error), MUTED))
            return
        if given == self._looks_at or (self._seen is not None and self._seen.given == given):
            return
        self._seen, self._wrong, self._looks_at = None, None, given
        self._preview(Content.styled("looking what that would start...", MUTED))
        self._look_at(given)

    @work(group="preview", exclusive=True)
    async def _look_at(self, given: _Given) -> None:
        variables, width = dict(given.variables), max(40, self.query_one("#body").size.width - 2)
        try:
            look = partial(self.desk.machine.preview, width=width, glyphs=self._glyphs)
            seen = await asyncio.to_thread(look, Path(given.path), given.goal or None, variables)
        except HereError as error:
            if self._looks_at == given:
                self._looks_at, self._wrong = None, given
                self._shown(_told(str(error), "warning"), _WRONG)
            return
        if self._looks_at == given:
            self._looks_at, self._seen = None, _Seen(given, seen.digest, seen.has_goal, seen.problems)
            self._shown(_told(seen.text, "text"), _cannot(seen.problems) or "It is shown: ctrl+s again starts it.")

    def _shown(self, told: Content, how: str) -> None:
        """Show what was found out; `how` answers who wanted to start it before."""
        self._preview(told)
        if self._was_early:
            self._was_early = False
            self.complain(how)

    def _preview(self, told: Content) -> None:
        self.put("#preview", told)

    def _given(self) -> _Given:
        """What the fields say; raises `ValueError` with what is missing."""
        path = self.text_of("#path") or self.text_of("#pipeline")
        if not path:
            raise ValueError("Choose a pipeline: what it would start is shown here.")
        return _Given(
            str(Path(path).expanduser().absolute()),
            self.text_of("#text"),
            tuple(_variables(self.text_of("#variables")).items()),
        )

    def action_page(self, by: int) -> None:
        """Scroll what would be started, whichever field has the focus."""
        body = self.query_one("#body")
        body.scroll_page_down() if by > 0 else body.scroll_page_up()

    # Starting it

    def wanted(self) -> Wanted:
        """The command: what the person saw, and nothing else."""
        given, seen = self._given(), self._seen
        if seen is None or seen.given != given:
            is_wrong = self._wrong == given
            self._look()
            self._was_early = True
            raise ValueError(_WRONG if is_wrong else "Look first at what that would start: it comes above.")
        if seen.problems:
            self._seen = None
            self._look()  # what is missing may be there by now
            raise ValueError(_cannot(seen.problems))
        if not seen.has_goal:
            raise ValueError("Give it a goal first: the pipeline has none of its own.")
        self.desk.drafts[self._draft_key("pipeline")] = self.text_of("#pipeline")
        payload = start_payload(seen.digest, given.goal or None, dict(given.variables), self._run)
        return Wanted(CommandType.START_RUN, given.path, payload, None)

    def taken(self, wanted: Wanted) -> None:
        """A monitor is about to start it."""
        self._started(self._run)

    def _sent(self, error: str | None) -> None:
        """What was refused may have changed since it was seen."""
        super()._sent(error)
        if error is not None and self.is_attached:
            self._seen = None
            self._look()


def _cannot(problems: Sequence[str]) -> str:
    return f"It cannot start like that: {words('; '.join(problems))}" if problems else ""


def _told(text: str, role: str) -> Content:
    return Content("\n").join(content(line) for line in lines_of(text, lambda line: role))


def _whose(found: Found) -> str:
    if found.is_built_in:
        return "  comes with collab-tui"
    return "" if found.is_project else "  your own"


def _variables(text: str) -> Mapping[str, str]:
    """What is written as on the command line; raises `ValueError`."""
    try:
        given = [part.partition("=") for part in shlex.split(text)]
    except ValueError as error:
        raise ValueError(f"Variables: {error}") from error
    for name, sign, _ in given:
        if not sign or not name:
            raise ValueError(f"Variables: {cut(words(name), 40)} is no name=value")
    return {name: value for name, _, value in given}
