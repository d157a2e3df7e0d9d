"""The whole request: who, what exactly, evidence, who is held up, since when, deadline; a box for words; the keys.

What we computed and what its asker wrote stand visibly apart: what is asked is quoted and indented, all else that the
asker wrote is in a frame that it cannot leave, and at the left edge stand the names of our facts alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from time import monotonic
from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Static, TextArea

from collab_tui.model.ages import age, seconds_between
from collab_tui.model.asked import asker_gone
from collab_tui.model.board import Request, RequestKind
from collab_tui.model.signature import AmbiguousError, digest_of
from collab_tui.model.summary import standing_words
from collab_tui.tui.actions import BY_ID, SEEN_FOR
from collab_tui.tui.desk import Desk
from collab_tui.tui.safe import MOST_ENTRIES, cut, cut_middle, excerpt, some, toast, words
from collab_tui.tui.screens.asking import once_signing, once_sure
from collab_tui.tui.screens.dialog import Dialog, Facts, hints
from collab_tui.tui.screens.lone_keys import LoneKeys
from collab_tui.tui.view import View, why_not_in_past

_URGENCIES = frozenset({"low", "normal", "high", "critical"})
_NAME = 32
"""Cells of a name or an id."""
_ANSWER = 60
"""Cells of an answer, which its line in the log has in full."""
_JUST_OPENED = "It only just opened: read it, then press again."


class RequestScreen(Dialog[None]):
    """Answers one request. It stays open, with its words, when the answer could not be written."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(BY_ID["approve"].keys, "give('approved')", "Approve", show=False, id="approve"),
        Binding(BY_ID["reject"].keys, "give('rejected')", "Reject", show=False, id="reject"),
        *(Binding(str(number), f"option({number})", f"Option {number}", show=False) for number in range(1, 10)),
        Binding("ctrl+s", "send_words", "Send", show=False),
    ]

    FOOT_HEIGHT = 6

    def __init__(self, desk: Desk, request: Request, view: View) -> None:
        super().__init__()
        self._desk = desk
        self._request = request
        self._view = view
        self._known = view.moment.board.position
        self._is_another = False
        """Under its id stands another request by now: what is shown answers nothing any more."""
        self._shown_at = 0.0
        self._is_sending = False
        self._lone_keys = LoneKeys(self.set_timer)

    @property
    def _is_answerable(self) -> bool:
        is_present = self._view.past is None and not self._is_another
        return is_present and self._view.moment.is_answerable(self._request)

    @property
    def _why_not(self) -> str:
        if self._view.past is not None:
            return f"{why_not_in_past(self._view)}."
        return "It is closed: there is nothing to answer."

    def title_text(self) -> str:
        """Which kind of request."""
        return {"approval": "Approval", "choice": "Choice", "question": "Question"}[self._request.kind]

    def hints(self) -> Sequence[tuple[str, str]]:
        """The keys of this kind of request."""
        if not self._is_answerable:
            return (("esc", "close"),)
        is_writing = self.focused is not None and self.focused.id == "box"
        approve, reject = map(self._view.keymap.text, ("approve", "reject"))
        lead = "shift+tab, then " if is_writing else ""
        keys: list[tuple[str, str]] = []
        match self._request.kind:
            case RequestKind.APPROVAL:
                keys = [(lead + approve, "approve"), (reject, "reject")]
            case RequestKind.CHOICE:
                keys = [(f"{lead}1-9", "choose")]
        if not is_writing:
            keys.append(("tab/type", "your words"))
        elif self._request.kind is not RequestKind.APPROVAL:
            keys.insert(0, ("ctrl+s", "send"))
        return (*keys, ("esc", "close"))

    def on_descendant_focus(self) -> None:
        """Tell the keys that work from here; who goes elsewhere answers nothing."""
        self._take_back()
        self.put("#hints", hints(self.hints()))

    def body(self) -> Iterable[Widget]:
        """What is asked and its options, our facts, then the asker's words in their frame."""
        request = self._request
        yield Static(Content.styled(f"“{words(request.request)}”", "bold"), id="asked")
        for number, option in enumerate(request.options[:MOST_ENTRIES], 1):
            yield Static(
                Content.assemble((f"{number} ", "bold $accent"), words(option)),
                classes="option",
                id=f"option-{number}",
            )
        if (others := len(request.options) - MOST_ENTRIES) > 0:
            yield Static(Content(f"... {others:,} more are not shown: choose one in words"))
        yield Facts(self._facts(), id="facts")
        said = [f"urgency: {words(request.urgency)}"] if request.urgency and not _known_urgency(request) else []
        said += [f"default: {words(request.default)}"] if request.default else []
        said += [excerpt(request.details)] if request.details else []
        said += ["\n".join(("evidence", *some(request.evidence)))] if request.evidence else []
        if said:
            box = Static(Content("\n\n".join(said)), id="words")
            box.border_title = "in its own words"
            yield box
        yield Facts(self._origin(), id="origin")

    def _facts(self) -> Iterable[tuple[str, str]]:
        """What we know of the request ourselves. Names and ids are their writers' choice: they are kept short."""
        request, moment = self._request, self._view.moment
        waited = seconds_between(request.asked_at, moment.now)
        held_up = [name for name in moment.held_up(request) if name != request.asker]
        answer = moment.answer(request)
        told = f"answered by {_name(answer.by)}: {cut(words(answer.text), _ANSWER)}" if answer else ""
        judgement = moment.judgement(answer.event) if answer else None
        who = f"{standing_words(judgement.standing)}: {judgement.reason}" if judgement else ""
        name = "perhaps" if request.is_open else "claimed" if moment.is_only_claimed(request) else "closed"
        return (
            ("asked by", _name(request.asker) + (f" ({gone})" if (gone := asker_gone(request, moment)) else "")),
            ("asked of", "you" if request.to_person else ", ".join(map(_name, request.targets))),
            ("waits", age(waited) if waited is not None else ""),
            ("holds up", ", ".join(map(_name, held_up))),
            ("urgency", _known_urgency(request)),
            ("deadline", _at(request.deadline, moment.now)),
            ("expires", _at(request.expires, moment.now)),
            (name, told),
            ("who says so", who),
        )

    def _origin(self) -> Iterable[tuple[str, str]]:
        """Where it stands, and what a signature is over."""
        request = self._request
        yield "line", f"{request.position + 1}   id {_name(request.id)}"
        yield "digest", _digest(request)

    def follow(self, view: View) -> None:
        """The board went on: tell what became of the request while the dialog is open."""
        request = view.moment.board.request(self._request.id)
        if request is None or not self.is_mounted or not self._is_answerable:
            return
        if request.event.line != self._request.event.line:
            self._is_another = True
            self.complain("It is another request by now: close this and open it again.")
            return
        self._view = replace(self._view, moment=view.moment)
        self._known = view.moment.board.position
        if request != self._request:
            self._request = request
            if not view.moment.is_answerable(request) and not self._is_sending:
                by = f" by {words(request.answer.by)}" if request.answer else ""
                self.complain(f"It was closed meanwhile: {request.state.replace('_', ' ')}{by}.")
        self.query_one("#facts", Facts).tell(self._facts())

    def foot(self) -> Iterable[Widget]:
        """The box for words, the buttons, and what went wrong."""
        if not self._is_answerable:
            self.call_after_refresh(self.complain, self._why_not)
            return
        box = TextArea(self._desk.drafts.get(self._request.id, ""), id="box", tab_behavior="focus")
        box.border_title = "answer" if self._request.kind is RequestKind.QUESTION else "comment (optional)"
        yield box
        buttons = [Button("Cancel", id="cancel", compact=True)]
        if self._request.kind is RequestKind.APPROVAL:
            buttons += [
                Button("Reject", id="rejected", variant="error", compact=True),
                Button("Approve", id="approved", variant="success", compact=True),
            ]
        elif self._request.kind is RequestKind.QUESTION:
            buttons.append(Button("Send", id="send", variant="success", compact=True))
        yield Horizontal(*buttons, id="buttons")

    def on_mount(self) -> None:
        """A question is answered in words: the keys go to the box."""
        self._shown_at = monotonic()
        target = "#box" if self._request.kind is RequestKind.QUESTION and self._is_answerable else "#body"
        self.query_one(target).focus()
        for box in self.query(TextArea):
            box.move_cursor(box.document.end)  # a draft is written on

    # Typing

    def takes(self, event: events.Key | events.Paste) -> bool:
        """Whether a key or a paste is no further one's: what was typed outside of the box is written into it.

        A key that answers does so only if it stands alone: "approve only staging" is a comment.
        """
        box = next(iter(self.query("#box").results(TextArea)), None)
        if box is None or self.focused is box or not self._is_answerable:
            return False
        if isinstance(event, events.Key) and not event.is_printable:
            return self._take_back() and event.key == "escape"
        if self._is_sending:
            return True
        if isinstance(event, events.Key) and event.character is not None:
            answer = self._answer_of(event.key)
            if answer is not None and not self._lone_keys.would_go_on(event.character):
                self._lone_keys.hold(event.character, answer)
                self.complain("answering: type on to write words instead")
                return True
        typed = self._lone_keys.take_back() + (event.text if isinstance(event, events.Paste) else event.character or "")
        self.complain("")
        self.set_focus(box)  # at once: the keys that come with this one are words too
        box.replace(typed, *box.selection, maintain_selection_offset=False)
        return True

    def _answer_of(self, key: str) -> Callable[[], None] | None:
        """What a key answers with; None: it is a letter of words."""
        answer: Callable[[], None] | None = None
        if self._request.kind is RequestKind.APPROVAL:
            for command, verdict in (("approve", "approved"), ("reject", "rejected")):
                if key in self._view.keymap.of(BY_ID[command]).keys.split(","):
                    answer = partial(self.action_give, verdict)
        if key.isdecimal() and 0 < int(key) <= len(self._request.options):
            answer = partial(self.action_option, int(key))
        return partial(self.complain, _JUST_OPENED) if answer is not None and self._only_just_opened else answer

    def _take_back(self) -> bool:
        """A key that would have answered did not stand alone."""
        if not self._lone_keys.take_back():
            return False
        self.complain("Nothing was sent: another key came at once.")
        return True

    @property
    def _only_just_opened(self) -> bool:
        return monotonic() - self._shown_at < SEEN_FOR

    # Answering

    @property
    def _words(self) -> str:
        return "".join(box.text.strip() for box in self.query("#box").results(TextArea))

    def _refuse_in_past(self) -> bool:
        if self._view.past is None:
            return False
        toast(self.app, why_not_in_past(self._view), "warning")
        return True

    def action_give(self, verdict: str) -> None:
        """Approve or reject."""
        if self._refuse_in_past():
            return
        if self._is_answerable and self._request.kind is RequestKind.APPROVAL:
            self._confirm_and_send(verdict, self._words)

    def action_option(self, number: int) -> None:
        """Choose an option."""
        if self._refuse_in_past():
            return
        if self._is_answerable and number <= len(self._request.options):
            self._confirm_and_send(self._request.options[number - 1], self._words)

    def action_send_words(self) -> None:
        """Answer with what is in the box."""
        if not self._is_answerable:
            return
        if self._request.kind is RequestKind.APPROVAL:
            approve, reject = map(self._view.keymap.text, ("approve", "reject"))
            self.complain(f"Words alone are no answer: shift+tab, then {approve} or {reject}.")
        elif self._words:
            self._confirm_and_send(self._words, "")
        else:
            self.complain("Write an answer first.")

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        match event.button.id:
            case "approved" | "rejected" as verdict:
                self.action_give(verdict)
            case "send":
                self.action_send_words()
            case _:
                self.action_close()

    def on_click(self, event: object) -> None:
        """An option that is clicked is chosen."""
        widget = getattr(event, "widget", None)
        if isinstance(widget, Static) and (widget.id or "").startswith("option-"):
            self.action_option(int((widget.id or "").removeprefix("option-")))

    def _confirm_and_send(self, given: str, comment: str) -> None:
        if self._is_sending:
            return
        if self._only_just_opened:
            self.complain(_JUST_OPENED)
            return
        self._lone_keys.take_back()
        once_sure(self.app, self._request, given, lambda: self._send(given, comment))

    def _send(self, given: str, comment: str) -> None:
        once_signing(self.app, self._desk, lambda: self._send_signed(given, comment))

    def _send_signed(self, given: str, comment: str) -> None:
        if self._is_another:
            return
        self._hold(True)
        self.complain("sending...")
        self._desk.answer(self._request, given, comment or None, self._known, self._sent)

    def _hold(self, sending: bool) -> None:
        """While an answer is on its way nothing is typed that would not be part of it, and nothing is sent twice."""
        self._is_sending = sending
        for box in self.query(TextArea):
            box.read_only = sending

    def _sent(self, error: str | None) -> None:
        self._hold(False)
        if error is not None:
            if self.is_attached:
                self.complain(error)
            else:  # it was closed meanwhile, its words are kept as a draft
                toast(self.app, f"“{words(self._request.request)}” was not answered: {error}", "error")
            return
        self._desk.drafts.pop(self._request.id, None)
        if self.is_current:
            self.dismiss(None)

    def action_close(self) -> None:
        """Close; words that were typed are there again when the request is opened again."""
        if self._words:
            self._desk.drafts[self._request.id] = self._words
        else:
            self._desk.drafts.pop(self._request.id, None)
        self.dismiss(None)


def _at(time: datetime | None, now: datetime) -> str:
    """A time, and how far it is from now; nothing where there is none."""
    if time is None:
        return ""
    over, ahead = seconds_between(time, now) or 0, seconds_between(now, time) or 0
    return f"{time.astimezone():%Y-%m-%d %H:%M}  {f'over since {age(over)}' if over else f'in {age(ahead)}'}"


def _name(text: str) -> str:
    """A name or an id for a line with other things."""
    return cut_middle(words(text), _NAME)


def _known_urgency(request: Request) -> str:
    """The urgency if it is one of the usual words; any other is a text of its asker."""
    word = words(request.urgency).casefold()
    return word if word in _URGENCIES else ""


def _digest(request: Request) -> str:
    """The beginning of what an answer is bound to: the request as its line has it, to the last character."""
    try:
        return digest_of(request.event)[:16]
    except AmbiguousError as error:
        return f"none, so it cannot be answered: {error}"
