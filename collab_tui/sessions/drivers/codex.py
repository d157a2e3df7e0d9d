"""Codex, by its app-server: JSON-RPC over pipes. Measured with 0.169.0.

What it asks while it works, it asks us; the answer goes back the same way, unless it was given elsewhere meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

from collab_tui import __version__
from collab_tui.model.board import RequestKind
from collab_tui.model.sessions import Observed
from collab_tui.model.shown import LONGEST, size_of
from collab_tui.model.text import clean, one_line
from collab_tui.model.tool_lines import short
from collab_tui.sessions.driver import (
    Delivery,
    DriverError,
    Launch,
    Listener,
    Question,
    QuestionAnswer,
    Reply,
    ReplyStatus,
)
from collab_tui.sessions.drivers import codex_questions
from collab_tui.sessions.drivers.codex_arguments import codex_servers
from collab_tui.sessions.drivers.json_lines import GoneError, JsonLines, object_of, objects_of, text_of
from collab_tui.sessions.drivers.json_rpc import NO_METHOD, Peer, RpcError
from collab_tui.sessions.drivers.trusted import codex_settings, is_known_to_codex
from collab_tui.sessions.drivers.turns import NOT_ASKED, TurnDriver

_SERVER: Final = "app-server"
_MODEL_FLAGS: Final = ("-m", "--model")
_MOST_KEPT: Final = 64
"""Turns beside our own, and changes of files, that are remembered at one time."""
_BOUNDS: Final = ("sandbox_", "permissions", "default_permissions")
"""Settings that say what it may write begin like this."""
_PROFILE: Final = "collab_tui"
_STATUS: Final = {
    "completed": ReplyStatus.DONE,
    "interrupted": ReplyStatus.INTERRUPTED,
    "failed": ReplyStatus.FAILED,
}


class _Turn:
    """One turn, from when it is first heard of."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.begun: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[Mapping[str, Any]] = loop.create_future()
        """What is told at its end. Raises `GoneError`."""
        self.text = ""
        """The last thing that the agent said in it."""


class CodexDriver(TurnDriver):
    """One thread of one app-server of its own."""

    def __init__(self, launch: Launch, listener: Listener) -> None:
        super().__init__(launch, listener)
        self._peer: Peer | None = None
        self._thread = ""
        self._turns: dict[str, _Turn] = {}
        """By id, as they are first heard of: the answer that names a turn may come after what is told of it."""
        self._current: asyncio.Future[str | None] | None = None
        """The id of the turn that we began; None where it was not begun."""
        self._changes: dict[tuple[str, str], Any] = {}
        """What is to become of files, by the turn, of a helper too, and the id of the item that says so."""
        self._is_retrying = False
        """Its model cannot be reached, for all that was heard last."""

    # How it is started

    def _arguments(self) -> Sequence[str]:
        definition = self._launch.definition
        command = [*definition.command, *([] if _SERVER in definition.command else [_SERVER])]
        read_only = definition.read_only or () if self._launch.is_read_only else ()
        arguments = [*command, *_as_settings(definition.model), *read_only]
        if not any(part.startswith("projects") for part in arguments) and not self._is_known():
            # else it notes in the person's own settings that they trust the folder, and obeys what is in it
            untrusted = f'{{{json.dumps(os.path.realpath(self._launch.folder))} = {{trust_level = "untrusted"}}}}'
            arguments += ["-c", f"projects={untrusted}"]
        return arguments

    def _is_known(self) -> bool:
        return is_known_to_codex(self._launch.folder, codex_settings(self._launch.environment))

    async def _begin(self, lines: JsonLines) -> None:
        limit = self._launch.definition.start_limit
        self._peer = peer = Peer(lines, self)
        client = {"name": "collab_tui", "title": "collab-tui", "version": __version__}
        try:
            await peer.call("initialize", {"clientInfo": client}, limit)
            await peer.notify("initialized")
            if self._launch.resume_id is None:
                begun = await peer.call("thread/start", self._how(), limit)
            else:
                known = {"threadId": self._launch.resume_id, "excludeTurns": True}
                begun = await peer.call("thread/resume", {**self._how(), **known}, limit)
        except RpcError as error:
            what = "go on with that conversation" if self._launch.resume_id else "begin a conversation"
            raise DriverError(f"{self._name} does not {what}: {one_line(clean(str(error)))}") from None
        self._thread = text_of(object_of(object_of(begun).get("thread")), "id")
        if not self._thread:
            raise DriverError(f"{self._name} gave its conversation no name")
        if self._launch.resume_id is not None:
            self._listener.resumable(self._thread)

    def _how(self) -> dict[str, Any]:
        """What a thread may do. What the definition's own arguments say of that stands."""
        definition = self._launch.definition
        said = [*definition.command, *definition.model]
        how: dict[str, Any] = {"cwd": str(self._launch.folder)}
        config: dict[str, Any] = {f"mcp_servers.{name}": server for name, server in codex_servers(definition).items()}
        if self._launch.is_read_only:  # nobody is asked for more either
            how |= {"sandbox": "read-only", "approvalPolicy": "never"}
        else:
            if not any(part.startswith("sandbox_mode=") for part in said):
                how["sandbox"] = "workspace-write"
            if self._launch.writable and not any(part.startswith(_BOUNDS) for part in said):
                del how["sandbox"]
                config |= self._permissions()
            if not any(part.startswith("approval_policy=") for part in said):
                how["approvalPolicy"] = "on-request"
        if definition.instructions:
            how["developerInstructions"] = definition.instructions
        return {**how, "config": config} if config else how

    def _permissions(self) -> dict[str, Any]:
        """The bounds of `workspace-write`, as the person set them, and what it may write beside its folder."""
        known = object_of(codex_settings(self._launch.environment).get("sandbox_workspace_write"))
        roots = known.get("writable_roots")
        files = {root: "write" for root in roots if isinstance(root, str)} if isinstance(roots, list) else {}
        for place, setting in ((":slash_tmp", "exclude_slash_tmp"), (":tmpdir", "exclude_tmpdir_env_var")):
            files |= {place: "read"} if known.get(setting) is True else {}
        files |= {str(place): "write" if is_written else "read" for place, is_written in self._launch.writable.items()}
        network = {"network": {"enabled": True}} if known.get("network_access") is True else {}
        profile = {"extends": ":workspace", "filesystem": files, **network}
        return {"default_permissions": _PROFILE, f"permissions.{_PROFILE}": profile}

    async def _close(self) -> None:
        if self._peer is not None:
            await self._peer.close()

    # Turns

    async def _carry_out(self, text: str) -> Reply:
        limit = self._launch.definition.start_limit
        peer, self._current = self._conversation(), asyncio.get_running_loop().create_future()
        self._turns.clear()
        self._changes.clear()
        asked = {"threadId": self._thread, "input": _said(text)}
        name: str | None = None
        try:
            begun = await peer.call("turn/start", asked, limit)
            name = text_of(object_of(object_of(begun).get("turn")), "id")
        except RpcError as error:
            why = one_line(clean(str(error)))
            return Reply("", ReplyStatus.NOT_SUBMITTED, 0.0, Delivery.NOT_SUBMITTED, why)
        except TimeoutError:
            self._stuck = f"it did not answer to the prompt before within {limit:g} s"
            return Reply("", ReplyStatus.TIMED_OUT, 0.0, Delivery.UNVERIFIED, self._stuck)
        finally:
            if not self._current.done():
                self._current.set_result(name)
        turn = self._turn_of(name)
        self._listener.submitted()
        try:
            ended = await turn.ended
        except GoneError:
            return Reply(turn.text, ReplyStatus.LOST, 0.0, reason=await self._lost())
        status = _STATUS.get(text_of(ended, "status"), ReplyStatus.FAILED)
        return Reply(
            turn.text or _last_words(ended), status, 0.0, reason=_why(ended) if status is not ReplyStatus.DONE else ""
        )

    async def _interrupt(self) -> None:
        if self._current is None:
            return
        name = await asyncio.shield(self._current)
        if name is None:
            return
        turn, peer = self._turn_of(name), self._conversation()
        either: set[asyncio.Future[Any]] = {turn.begun, turn.ended}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if turn.ended.done():
            return
        try:
            asked = {"threadId": self._thread, "turnId": name}
            await peer.call("turn/interrupt", asked, self._launch.definition.start_limit)
        except RpcError as error:
            if not turn.ended.done():
                why = one_line(clean(str(error)))
                raise DriverError(f"{self._name} does not interrupt its turn: {why}") from None

    def _conversation(self) -> Peer:
        if self._peer is None:
            raise GoneError("it was not started")
        return self._peer

    def _turn_of(self, name: str) -> _Turn:
        if name not in self._turns and len(self._turns) >= _MOST_KEPT:
            own = self._current.result() if self._current is not None and self._current.done() else None
            del self._turns[next(known for known in self._turns if known != own)]
        return self._turns.setdefault(name, _Turn())

    # What it tells

    def notified(self, method: str, params: Mapping[str, Any]) -> None:
        """It tells of our thread; what it tells of others, of helpers say, is not looked at."""
        if method == "serverRequest/resolved" and self._peer is not None:
            self._peer.withdraw(params.get("requestId"))
        if method == "item/started":
            self._keep_changes(params)
        if params.get("threadId") != self._thread:
            return
        match method:
            case "thread/status/changed":
                self._told_status(object_of(params.get("status")))
            case "turn/started":
                begun = self._turn_of(text_of(object_of(params.get("turn")), "id")).begun
                if not begun.done():
                    begun.set_result(None)
                self._listener.resumable(self._thread)
            case "turn/completed":
                ended = object_of(params.get("turn"))
                turn = self._turn_of(text_of(ended, "id"))
                if not turn.ended.done():
                    turn.ended.set_result(ended)
            case "item/started":
                self._told_of_item(params, is_done=False)
            case "item/completed":
                self._told_of_item(params, is_done=True)
            case "turn/plan/updated":
                self._told_plan(params.get("plan"))
            case "error" if params.get("willRetry") is True:
                why = one_line(clean(text_of(object_of(params.get("error")), "message")))
                self._is_retrying = True
                self._observe(Observed.WORKING, f"tries again: {why}" if why else "tries again")

    def _told_status(self, status: Mapping[str, Any]) -> None:
        flags = status.get("activeFlags")
        flags = flags if isinstance(flags, list) else []
        match status.get("type"):
            case "active" if "waitingOnApproval" in flags:
                self._observe(Observed.APPROVAL)
            case "active" if "waitingOnUserInput" in flags:
                self._observe(Observed.INPUT)
            case "active":
                self._observe(Observed.WORKING)
            case "idle":
                self._observe(Observed.IDLE)
            case "systemError":
                self._observe(Observed.IDLE, "its last turn failed")

    def _told_of_item(self, params: Mapping[str, Any], *, is_done: bool) -> None:
        item, turn = object_of(params.get("item")), self._turn_of(text_of(params, "turnId"))
        if self._is_retrying:
            self._is_retrying = False
            self._observe(Observed.WORKING)
        match item.get("type"):
            case "agentMessage" if is_done and (text := text_of(item, "text")):
                turn.text = text
                self._say(f"{text}\n")
            case "commandExecution" if not is_done:
                self._say_use(*codex_questions.command(text_of(item, "command")))
            case "commandExecution" if output := text_of(item, "aggregatedOutput"):
                self._log.append(f"{clean(output).rstrip()}\n".encode("utf-8", "replace"))
            case "fileChange" if not is_done:
                for path in codex_questions.paths(item.get("changes")):
                    self._say_use("changes", {"path": path})
            case "mcpToolCall" if not is_done:
                self._say_use(f"mcp__{text_of(item, 'server')}__{text_of(item, 'tool')}", {})

    def _keep_changes(self, params: Mapping[str, Any]) -> None:
        """What is to become of files, which may be asked about: by a helper in a thread of its own too."""
        item = object_of(params.get("item"))
        if item.get("type") == "fileChange":
            if len(self._changes) >= _MOST_KEPT:
                del self._changes[next(iter(self._changes))]
            self._changes[text_of(params, "turnId"), text_of(item, "id")] = item.get("changes")

    def _told_plan(self, plan: object) -> None:
        if not (steps := objects_of(plan)):
            return
        done = sum(step.get("status") == "completed" for step in steps)
        fields: dict[str, Any] = {"progress": round(100 * done / len(steps))}
        doing = next((text_of(step, "step") for step in steps if step.get("status") == "inProgress"), "")
        if doing:
            fields["current_task"] = short(doing)
        self._listener.declared(fields)

    def closed(self) -> None:
        """It is gone, and so are its turns."""
        self._is_over = True
        for turn in self._turns.values():
            if not turn.ended.done():
                turn.ended.set_exception(GoneError("it is gone"))
                turn.ended.exception()  # it may be nobody's

    # What it asks

    async def requested(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """It asks the person. What we do not know, and what changes something where nothing may be, is refused."""
        asking = codex_questions.ASKED.get(method)
        if asking is None:
            raise RpcError(NO_METHOD, f"collab-tui does not do {method}")
        if self._launch.is_read_only and method in codex_questions.CHANGES:
            return codex_questions.refusal(method)
        if not self._is_asking:
            self._say(f"[refused: {NOT_ASKED}]\n")
            return codex_questions.refusal(method)
        changes = self._changes.get((text_of(params, "turnId"), text_of(params, "itemId")))
        if size_of([params, changes], LONGEST) > LONGEST:
            self._say("[refused: too long to be judged on the board]\n")
            return codex_questions.refusal(method)
        asked = asking(params, changes, self._is_part_shown)

        async def ask(question: Question) -> QuestionAnswer | None:
            answer = await self._ask(question)
            if answer is not None and answer.comment and question.kind is RequestKind.APPROVAL:
                await self._tell(text_of(params, "turnId"), f"About your question {question.text!r}: {answer.comment}")
            return answer

        return await asked.answer(ask)

    async def _tell(self, turn: str, text: str) -> None:
        """Words of the person beside their answer, for which its protocol has no place there."""
        said = {"threadId": self._thread, "expectedTurnId": turn, "input": _said(text)}
        try:
            await self._conversation().call("turn/steer", said, self._launch.definition.start_limit)
        except (RpcError, GoneError, TimeoutError) as error:
            self._say(f"[the comment could not be handed to it: {error}]\n")


def _said(text: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text, "text_elements": []}]


def _as_settings(arguments: Sequence[str]) -> list[str]:
    """The app-server knows no flag for the model, only the setting."""
    given, settings = iter(arguments), []
    for argument in given:
        flag, is_joined, model = argument.partition("=")
        if flag not in _MODEL_FLAGS:
            settings.append(argument)
            continue
        settings += ["-c", f"model={json.dumps(model if is_joined else next(given, ''))}"]
    return settings


def _why(ended: Mapping[str, Any]) -> str:
    error = object_of(ended.get("error"))
    told = one_line(clean(text_of(error, "message")))
    return told or f"its turn is {one_line(clean(text_of(ended, 'status'))) or 'over'}"


def _last_words(ended: Mapping[str, Any]) -> str:
    said = [text_of(item, "text") for item in objects_of(ended.get("items")) if item.get("type") == "agentMessage"]
    return said[-1] if said else ""
