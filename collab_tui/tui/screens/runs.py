"""The runs screen: teams of agents at work, the graph of their tasks, the blackboard, and the keys that act on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from textual.binding import BindingType
from textual.widget import Widget

from collab_tui.model.board import Request
from collab_tui.model.runs import Run, RunState, RunTask, TaskState, Value
from collab_tui.model.sessions import CommandState
from collab_tui.protocol.commands import CommandType
from collab_tui.tui.actions import Action, Page, bindings
from collab_tui.tui.desk import Desk
from collab_tui.tui.keymap import Keymap
from collab_tui.tui.runs_seen import (
    RunsKnown,
    candidate_key,
    candidate_of,
    done_count,
    is_gone,
    requests_of,
    run_of_agent,
    seat_name,
    values_about,
    values_of,
)
from collab_tui.tui.safe import toast, words
from collab_tui.tui.screens import dialogs
from collab_tui.tui.screens.answering import Answering
from collab_tui.tui.screens.asking import once_signing
from collab_tui.tui.screens.beside import BesideScreen
from collab_tui.tui.view import View
from collab_tui.tui.widgets.blackboard import Blackboard
from collab_tui.tui.widgets.item_list import ItemList
from collab_tui.tui.widgets.run_pane import RunPane
from collab_tui.tui.widgets.runs import RunList

if TYPE_CHECKING:
    from collab_tui.tui.screens.confirm import ConfirmScreen

_NAMED: Final = 6
"""Tasks that are named in a question."""


_Told = Callable[[Run], Iterable[str]]
"""What a command would do to a run, in lines."""


class _Question(NamedTuple):
    """What the person is asked before a command is given."""

    dialog: ConfirmScreen
    run: str
    type: CommandType
    text: Callable[[Run], str]


class RunsScreen(BesideScreen, Answering):
    """What the registry tells of runs."""

    page = Page.RUNS
    BINDINGS: ClassVar[list[BindingType]] = bindings(page)
    OPENED = "open_run"
    NEXT = "next_asked"

    def __init__(self, desk: Desk, keymap: Keymap, view: View, chosen: str | None) -> None:
        """`chosen` is the agent that was selected before."""
        super().__init__(desk, keymap, view)
        self._chosen = chosen
        self._known = RunsKnown()
        self._listed: RunList | None = None
        self._question: _Question | None = None
        """What was asked last before a command was given."""
        self._awaited: str | None = None
        """The id of the run that was started last, to be selected when it is there."""

    def make_list(self) -> ItemList:
        """The runs and their tasks."""
        listed = RunList(self._known)
        run = run_of_agent(self.view.moment.board.runs, self._chosen) if self.view and self._chosen else None
        if run is not None:
            listed.selected = run.id
        self._listed = listed
        return listed

    def make_side(self) -> Iterable[Widget]:
        """The selected run, and its blackboard."""
        yield RunPane()
        yield Blackboard()

    def follow(self, view: View) -> None:
        """The board went on."""
        super().follow(view)
        self._ask_anew(view)

    def show_side(self, view: View) -> None:
        """The selected run or task, and the blackboard."""
        if self._awaited is not None and self._awaited in self.items.keys:
            self.items.select(self._awaited)
            self._awaited = None
        run, task, board = self.run_row, self.task_row, self.query_one(Blackboard)
        known = self._known.of(run) if run is not None else None
        pane = self.query_one(RunPane)
        pane.tell_of(view, known, task)
        board.styles.height = min(max(1, len(values_of(run)) if run else 0), max(3, self.size.height // 4)) + 2
        board.tell_of(view, run, values_about(run, task) if run is not None else {})

    # What is selected

    @property
    def run_row(self) -> Run | None:
        """The selected run, or that of the selected task."""
        return self._listed.run_row if self._listed is not None else None

    @property
    def task_row(self) -> RunTask | None:
        """The selected task."""
        return self._listed.task_row if self._listed is not None else None

    @property
    def value_row(self) -> Value | None:
        """The selected value, while the blackboard has the keys."""
        board = self.focused
        return board.value if isinstance(board, Blackboard) else None

    @property
    def chosen_name(self) -> str | None:
        """Who works on the selected task, else the agent that was selected before."""
        task = self.task_row
        return (task.seat if task is not None else None) or self._chosen

    @property
    def request(self) -> Request | None:
        """What the person is asked of the selected task, or the one thing that its run asks."""
        return self._listed.request if self._listed is not None else None

    @property
    def pane(self) -> Widget | None:
        """The list: it alone has what can be answered."""
        return self._listed

    def selected_request(self) -> Request | None:
        """What the person is asked of the selected row."""
        return self.request

    def on_descendant_focus(self) -> None:
        """What enter does depends on what has the keys."""
        self.refresh_keys()

    def _in_footer(self, action: Action) -> Action:
        """Enter is called by what it does with what is selected."""
        shown = super()._in_footer(action)
        if action.id == "values" and self.has_class("-values"):
            return replace(shown, label="run")
        if action.id != "open_run":
            return shown
        return replace(shown, label=self._opens())

    def _opens(self) -> str:
        if isinstance(self.focused, Blackboard):
            return "read"
        if self.request is not None:
            return "open"
        if self.task_row is not None:
            return "log"
        listed, run = self._listed, self.run_row
        return "unfold" if listed is not None and run is not None and listed.is_folded(run) else "fold"

    # Why not

    def why_not(self, action: str) -> str:
        """Why an action would do nothing with the selected row; empty where it would do something."""
        run, task = self.run_row, self.task_row
        match action:
            case "approve" | "reject" | "answer":
                return self._why_no_answer(action)
            case "open_run" if isinstance(self.focused, Blackboard):
                return "" if self.value_row is not None else "Nothing stands there yet"
            case "open_run" if self.request is not None:
                return ""
            case "open_run" | "task_log" if task is not None:
                return "" if task.log is not None else f"{words(task.key)} has no output yet"
            case "next_asked":
                is_one = self._listed is not None and self._listed.next_asked() is not None
                return "" if is_one else "Nothing waits for you"
            case "task_log":
                return "No task is selected: only they have output"
            case "open_run" | "cancel_run" | "resume_run" | "values" if run is None:
                return "No run is selected"
            case "cancel_run" | "resume_run" if run is not None:
                return self._why_not(action, run)
        return super().why_not(action)

    def _why_no_answer(self, action: str) -> str:
        run = self.run_row if self.task_row is None else None
        asked = requests_of(self.view, run) if self.view is not None and run is not None else ()
        if len(asked) > 1:
            return f"{len(asked)} things are asked of you there: {self.keymap.text('next_asked')} goes to the next"
        if self.request is None:
            return "Nothing is asked of you there"
        is_fit = action == "answer" or self.can_answer(action)
        return "" if is_fit else f"Yes or no is no answer to that: {self.keymap.text('answer')} reads it"

    def _why_not(self, action: str, run: Run) -> str:
        name, gone = words(run.name), self.view is not None and is_gone(self.view, run)
        if action == "cancel_run":
            if run.state.is_over:
                return f"{name} is over: there is nothing to cancel"
            resume = self.keymap.text("resume_run")
            how = f"{resume} goes on with it, `collab-tui run --cancel {words(run.id)}` gives it up"
            return f"The process of {name} is gone: {how}" if gone else ""
        if run.state is RunState.DONE:
            return f"{name} is done: {self.keymap.text('start_run')} starts another"
        return "" if run.state.is_over or gone else f"{name} runs"

    # Looking

    def action_open_run(self) -> None:
        """What is asked there; else the output of a task, the whole of a value, or the tasks of a run."""
        if self.refuses("open_run") or self.view is None:
            return
        if (value := self.value_row) is not None and self.run_row is not None:
            self._read_value(self.run_row, value)
        elif self.request is not None:
            self.app.push_screen(dialogs.request(self.desk, self.request, self.view))
        elif self.task_row is not None:
            self.action_task_log()
        elif self._listed is not None:
            self._listed.fold()
            self.show_selected()

    def _read_value(self, run: Run, value: Value) -> None:
        from collab_tui.tui.screens.reading import ReadingScreen

        read = partial(self.desk.machine.value_of, run, value)
        which = f"revision {value.revision}" if value.revision else "not yet accepted"
        title = f"{value.key}, {which}, by {seat_name(run, value.by)}"
        self.app.push_screen(ReadingScreen(title, read, lambda line: "text", "It is empty.", is_prose=True))

    def action_task_log(self) -> None:
        """The output of the selected task."""
        task = self.task_row
        if not self.refuses("task_log") and task is not None:
            from collab_tui.tui.screens.reading import ReadingScreen, log_role

            read = partial(self.desk.machine.log_of_task, task)
            title = f"Output of {task.key}"
            self.app.push_screen(ReadingScreen(title, read, log_role, "It put out nothing.", is_prose=True))

    def action_values(self) -> None:
        """Give the keys to the blackboard, shown in place of the run where there is no room for both; and back."""
        if self.refuses("values"):
            return
        is_there, board, task = isinstance(self.focused, Blackboard), self.query_one(Blackboard), self.task_row
        if not is_there and task is not None and candidate_of(task) is not None:
            board.select(candidate_key(task))
        self.set_class(not is_there, "-values")
        (self.items if is_there else board).focus()
        self.refresh_keys()

    def action_back(self) -> None:
        """From the blackboard to the list, from the list to the board."""
        if isinstance(self.focused, Blackboard):
            self.action_values()
        else:
            super().action_back()

    # Answering

    def action_approve(self) -> None:
        """Approve what is asked there."""
        if not self.refuses("approve"):
            super().action_approve()

    def action_reject(self) -> None:
        """Reject what is asked there."""
        if not self.refuses("reject"):
            super().action_reject()

    def action_next_asked(self) -> None:
        """Go to the next thing that the person is asked."""
        if not self.refuses("next_asked") and self._listed is not None:
            self._listed.focus()
            self._listed.select(self._listed.next_asked())

    # Commands

    def action_start_run(self) -> None:
        """Start a run."""
        if self.refuses("start_run") or self.view is None:
            return
        from collab_tui.tui.screens.start_run import StartRunScreen

        self.app.push_screen(StartRunScreen(self.desk, self.view.glyphs, self._await))

    def _await(self, run_id: str) -> None:
        self._awaited = run_id

    def action_cancel_run(self) -> None:
        """Cancel the selected run, once the person saw what ends."""
        run = self.run_row
        if not self.refuses("cancel_run") and run is not None:
            self._ask("Cancel", _ends, "End the run", "Keep it running", CommandType.CANCEL_RUN, run)

    def action_resume_run(self) -> None:
        """Go on with the selected run, once the person saw what begins anew."""
        run = self.run_row
        if not self.refuses("resume_run") and run is not None:
            self._ask("Go on with", _begins, "Go on", "Leave it", CommandType.RESUME_RUN, run)

    def _ask(self, question: str, told: _Told, go_on: str, stay: str, type_: CommandType, run: Run) -> None:
        from collab_tui.tui.screens.confirm import ConfirmScreen

        text = partial(_asked, question, told)
        dialog = ConfirmScreen(text(run), go_on, stay)
        self._question = _Question(dialog, run.id, type_, text)
        self.app.push_screen(dialog, lambda sure: self._give(type_, run) if sure else None)

    def _ask_anew(self, view: View) -> None:
        """What was asked about a run follows it, and is not asked any more where there is nothing to be done."""
        asked = self._question
        if asked is None or not asked.dialog.is_current:
            return
        run = next((run for run in view.moment.board.runs if run.id == asked.run), None)
        if run is not None and not (why := self._why_not(asked.type.value, run)):
            asked.dialog.tell(asked.text(run))
            return
        self._question = None
        asked.dialog.dismiss(False)
        toast(self.app, why if run is not None else "It is told of no more")

    def _give(self, type_: CommandType, run: Run) -> None:
        """Give a command, once: what it did is told by the registry, why it failed by a toast."""
        commander = self.desk.commander
        if commander.is_given(type_, run.id):
            toast(self.app, "It is on its way")
            return

        def heard(state: CommandState, reason: str | None) -> None:
            if state is CommandState.FAILED:
                what = type_.replace("_", " ")
                toast(self.app, f"{words(run.name)}: {what} failed: {words(reason) or 'nobody says why'}", "error")

        to = run if type_ is CommandType.CANCEL_RUN else None  # the other: whom the monitor here goes on with
        once_signing(self.app, self.desk, lambda: commander.give(type_, run.id, {}, None, heard, to))


def _asked(question: str, told: _Told, run: Run) -> str:
    return "\n".join([f"{question} {words(run.name)}?", "", *told(run)])


def _ends(run: Run) -> Iterable[str]:
    """What ends with a run that is cancelled, and what stays."""
    at_work = [f"{words(task.key)} ({seat_name(run, task.seat or '')})" for task in run.tasks if task.state.is_at_work]
    if at_work:
        yield f"Ends now: {_some(at_work)}"
    asked = [words(task.key) for task in run.tasks if task.state is TaskState.ASKED]
    if asked:
        yield f"You are not asked any more about: {_some(asked)}"
    if waiting := sum(task.state is TaskState.PENDING for task in run.tasks):
        yield f"Never starts: {waiting} {'task' if waiting == 1 else 'tasks'}"
    done = done_count(run)
    yield f"Stays: what {done} of {len(run.tasks)} tasks gave. It can be gone on with later."


def _begins(run: Run) -> Iterable[str]:
    """What begins anew in a run that is gone on with."""
    stays = (TaskState.DONE, TaskState.WORKED, TaskState.ASKED)
    if again := [words(task.key) for task in run.tasks if task.state not in stays]:
        yield f"Begins anew, or for the first time: {_some(again)}"
    if asked := [words(task.key) for task in run.tasks if task.state is TaskState.ASKED]:
        yield f"Waits for your answer as before: {_some(asked)}"
    if done := done_count(run):
        yield f"Stays as it is: what {done} of {len(run.tasks)} tasks gave."


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
