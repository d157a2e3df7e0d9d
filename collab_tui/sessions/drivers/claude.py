"""Claude Code without its screen: prompts, replies and questions as lines of JSON, its `stream-json`.

A prompt has an id, and its program tells what becomes of it: queued, started, and a result that names it. The turn is
over when it then says that it is idle. Older programs tell less; there the result is the end.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from collab_tui.model.sessions import Observed
from collab_tui.model.text import clean, one_line
from collab_tui.sessions.driver import Delivery, DriverError, Launch, Listener, Reply, ReplyStatus
from collab_tui.sessions.drivers import claude_questions
from collab_tui.sessions.drivers.claude_arguments import claude_arguments
from collab_tui.sessions.drivers.json_lines import GoneError, JsonLines, object_of, objects_of, text_of
from collab_tui.sessions.drivers.turns import NOT_ASKED, TurnDriver

_SPEAKING: Final = (
    *("-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose"),
    *("--permission-prompt-tool", "stdio"),
)
_TELLING: Final = {"CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS": "1", "CLAUDE_CODE_ENABLE_TODO_TOOLS": "1"}
"""It says when it is idle, and keeps a list of its tasks: that is its progress."""
_STATES: Final = {"running": Observed.WORKING, "idle": Observed.IDLE}
_MOST_TODOS: Final = 200
_MOST_OUTPUT: Final = 2000
"""Characters of what a tool gave back that go to the log."""


@dataclass(frozen=True, slots=True)
class _Todo:
    """One of its tasks."""

    state: str
    what: str


class _Turn:
    """One prompt, from when it is written."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.id = str(uuid.uuid4())
        self.begun: asyncio.Future[None] = loop.create_future()
        """The program works on it; before that it cannot be interrupted."""
        self.is_told_of = False
        """The program tells what becomes of this very prompt, so nothing else says that it began."""
        self.ended: asyncio.Future[None] = loop.create_future()
        """Raises `GoneError`."""
        self.result: Mapping[str, Any] | None = None
        """Its own result."""
        self.text = ""
        """What the agent said last."""


class ClaudeDriver(TurnDriver):
    """One conversation in one process of its own."""

    def __init__(self, launch: Launch, listener: Listener) -> None:
        super().__init__(launch, listener)
        self._lines: JsonLines | None = None
        self._reading: asyncio.Task[None] | None = None
        self._answering: dict[str, asyncio.Task[None]] = {}
        """By the id of its request."""
        self._called: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        """What we asked of it, by id."""
        self._now: _Turn | None = None
        self._tells_states = False
        self._todos: dict[str, _Todo] = {}

    # How it is started

    def _arguments(self) -> Sequence[str]:
        resume_id = self._launch.resume_id
        return [*claude_arguments(self._launch, _SPEAKING), *(["--resume", resume_id] if resume_id is not None else [])]

    def _environment(self) -> Mapping[str, str]:
        return {**_TELLING, **self._launch.environment}

    async def _begin(self, lines: JsonLines) -> None:
        self._lines = lines
        self._reading = asyncio.create_task(lines.hand_on(self._told, self._closed))
        said = await self._call("initialize")
        if text_of(said, "subtype") != "success":
            why = one_line(clean(text_of(said, "error")))
            raise DriverError(f"{self._name} does not begin a conversation: {why or 'it does not say why'}")
        if self._launch.resume_id is not None:
            self._listener.resumable(self._launch.resume_id)

    async def _close(self) -> None:
        tasks = [*self._answering.values(), *filter(None, (self._reading,))]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    # Turns

    async def _carry_out(self, text: str) -> Reply:
        self._now = turn = _Turn()
        try:
            said = {"type": "user", "message": {"role": "user", "content": text}, "uuid": turn.id}
            await self._send({**said, "parent_tool_use_id": None, "session_id": ""})
            try:
                await turn.ended
            except GoneError:
                delivery = Delivery.SUBMITTED if turn.begun.done() else Delivery.UNVERIFIED
                return Reply(turn.text, ReplyStatus.LOST, 0.0, delivery, await self._lost())
        finally:
            self._now = None
        return _reply(turn)

    async def _interrupt(self) -> None:
        """Its program does not end a prompt that it has not begun, so that is waited for."""
        turn = self._now
        while turn is not None and not turn.ended.done():
            either: set[asyncio.Future[Any]] = {turn.begun, turn.ended}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if turn.ended.done():
                return
            said = object_of((await self._call("interrupt")).get("response"))
            queued = said.get("still_queued")
            if not isinstance(queued, list) or turn.id not in queued:
                return

    async def _call(self, what: str) -> Mapping[str, Any]:
        """Ask something of the program itself. Raises `GoneError`."""
        name = uuid.uuid4().hex
        answered: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._called[name] = answered
        try:
            await self._send({"type": "control_request", "request_id": name, "request": {"subtype": what}})
            return await answered
        finally:
            del self._called[name]

    async def _send(self, message: Mapping[str, Any]) -> None:
        if self._lines is None:
            raise GoneError("it was not started")
        await self._lines.send(message)

    # What it tells

    def _closed(self) -> None:
        """Nothing more comes of it."""
        self._withdraw()
        waiting: list[asyncio.Future[Any]] = [*self._called.values(), *([self._now.ended] if self._now else [])]
        for future in waiting:
            if not future.done():
                future.set_exception(GoneError("it is gone"))
                future.exception()  # it may be nobody's any more

    def _told(self, message: Mapping[str, Any]) -> None:
        match message.get("type"), message.get("subtype"):
            case "system", "session_state_changed":
                self._told_state(text_of(message, "state"))
            case "system", "init":
                if self._now and not self._now.is_told_of:
                    self._begun()
                if session := text_of(message, "session_id"):
                    self._listener.resumable(session)
            case "command_lifecycle", _:
                if self._now and message.get("command_uuid") == self._now.id:
                    self._now.is_told_of = True
                    if message.get("state") == "started":
                        self._begun()
            case "assistant", _:
                self._told_words(message)
            case "user", _:
                self._told_results(message)
            case "result", _:
                self._told_result(message)
            case "control_request", _:
                self._asked_for(text_of(message, "request_id"), object_of(message.get("request")))
            case "control_cancel_request", _:
                if task := self._answering.get(text_of(message, "request_id")):
                    task.cancel()
            case "control_response", _:
                said = object_of(message.get("response"))
                answered = self._called.get(text_of(said, "request_id"))
                if answered is not None and not answered.done():
                    answered.set_result(said)

    def _begun(self) -> None:
        if self._now is not None and not self._now.begun.done():
            self._now.begun.set_result(None)
            self._listener.submitted()

    def _told_state(self, state: str) -> None:
        self._tells_states = True
        if state in _STATES:
            self._observe(_STATES[state])
        if state == "idle" and self._now is not None and self._now.begun.done():
            self._end_turn(self._now)

    def _told_result(self, result: Mapping[str, Any]) -> None:
        turn = self._now
        if turn is None:
            return
        named = result.get("user_message_uuids")
        if not isinstance(named, list) or turn.id in named or (not named and turn.begun.done()):
            turn.result = result
        if turn.result is not None and (text := text_of(result, "result")):
            turn.text = text
        if turn.result is not None and not self._tells_states:
            self._end_turn(turn)

    def _end_turn(self, turn: _Turn) -> None:
        if not turn.ended.done():
            turn.ended.set_result(None)

    def _told_words(self, message: Mapping[str, Any]) -> None:
        is_own = message.get("parent_tool_use_id") is None
        for block in objects_of(object_of(message.get("message")).get("content")):
            match block.get("type"):
                case "text" if is_own and (text := text_of(block, "text")):
                    if self._now is not None:
                        self._now.text = text
                    self._say(f"{text}\n")
                case "tool_use" if tool := text_of(block, "name"):
                    given = block.get("input")
                    self._say_use(tool, given)
                    if is_own and tool == "TodoWrite":
                        self._declare_todos(objects_of(object_of(given).get("todos")))
                    elif is_own and tool == "TaskUpdate":
                        self._declare_task(object_of(given))

    def _told_results(self, message: Mapping[str, Any]) -> None:
        """What its tools gave back, for the log."""
        for block in objects_of(object_of(message.get("message")).get("content")):
            output = block.get("content")
            if isinstance(output, list):
                output = "\n".join(text_of(each, "text") for each in objects_of(output))
            if block.get("type") == "tool_result" and isinstance(output, str) and output.strip():
                self._log.append(f"{clean(output[:_MOST_OUTPUT]).rstrip()}\n".encode("utf-8", "replace"))
        created = object_of(object_of(message.get("tool_use_result")).get("task"))
        if name := text_of(created, "id"):
            self._declare_task({**created, "taskId": name, "status": "pending"})

    def _declare_todos(self, todos: Sequence[Mapping[str, Any]]) -> None:
        """Its whole list."""
        told = (_Todo(text_of(each, "status"), text_of(each, "content")) for each in todos[:_MOST_TODOS])
        self._todos = {str(number): todo for number, todo in enumerate(told)}
        self._declare()

    def _declare_task(self, task: Mapping[str, Any]) -> None:
        """One that is new, or changed."""
        name, before = text_of(task, "taskId"), self._todos.get(text_of(task, "taskId"), _Todo("", ""))
        now = _Todo(text_of(task, "status") or before.state, text_of(task, "subject") or before.what)
        if now.state == "deleted":
            self._todos.pop(name, None)
        elif name and (name in self._todos or len(self._todos) < _MOST_TODOS):
            self._todos[name] = now
        self._declare()

    def _declare(self) -> None:
        if not self._todos:
            return
        todos = self._todos.values()
        done = sum(todo.state == "completed" for todo in todos)
        fields: dict[str, Any] = {"progress": round(100 * done / len(todos))}
        doing = next((todo.what for todo in todos if todo.state == "in_progress"), "")
        if doing := one_line(clean(doing)):
            fields["current_task"] = doing
        self._listener.declared(fields)

    # What it asks

    def _asked_for(self, name: str, request: Mapping[str, Any]) -> None:
        if name in self._answering:
            return
        task = asyncio.create_task(self._answer(name, request))
        self._answering[name] = task
        task.add_done_callback(lambda _: self._answering.pop(name, None))

    async def _answer(self, name: str, request: Mapping[str, Any]) -> None:
        try:
            said = await self._response(request)
        except Exception as error:  # its program waits for an answer
            self._beside(f"[what it asks cannot be dealt with: {type(error).__name__}: {error}]")
            said = {"subtype": "error", "error": "collab-tui cannot deal with it"}
        with suppress(GoneError):  # then nobody waits for it
            await self._send({"type": "control_response", "response": {**said, "request_id": name}})

    async def _response(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        kind, given = text_of(request, "subtype"), request.get("input")
        if kind != "can_use_tool" or not isinstance(given, dict):
            return {"subtype": "error", "error": f"collab-tui does not do {one_line(clean(kind))[:60]}"}
        if not self._is_asking:
            return {"subtype": "success", "response": claude_questions.denied(NOT_ASKED)}
        answer = await claude_questions.answer(
            text_of(request, "tool_name"),
            given,
            str(self._launch.folder),
            self._ask,
            is_read_only=self._launch.is_read_only,
            is_part_shown=self._is_part_shown,
        )
        return {"subtype": "success", "response": answer}


def _reply(turn: _Turn) -> Reply:
    """How it ended, as its result tells."""
    result = turn.result
    if result is None:
        return Reply(turn.text, ReplyStatus.FAILED, 0.0, reason="it does not say how its turn ended")
    if text_of(result, "subtype") == "success" and result.get("is_error") is not True:
        return Reply(turn.text, ReplyStatus.DONE, 0.0)
    ended = text_of(result, "terminal_reason")
    if ended.startswith("aborted"):
        return Reply(turn.text, ReplyStatus.INTERRUPTED, 0.0, reason="it was interrupted")
    errors = result.get("errors")
    said = [each for each in errors if isinstance(each, str)] if isinstance(errors, list) else []
    why = text_of(result, "result") or "; ".join(said) or text_of(result, "subtype").replace("_", " ")
    return Reply(turn.text, ReplyStatus.FAILED, 0.0, reason=one_line(clean(why))[:_MOST_OUTPUT])
