"""Any agent that speaks the Agent Client Protocol, by the library of that protocol. Its version 1.

We offer neither files nor terminals: the agent uses its own, and asks leave for that. The library is an extra, and is
loaded when such an agent starts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, cast

from collab_tui import __version__
from collab_tui.model.text import clean, one_line
from collab_tui.model.tool_lines import short
from collab_tui.sessions.driver import Delivery, DriverError, Launch, Listener, Reply, ReplyStatus
from collab_tui.sessions.drivers.acp_permissions import Leave
from collab_tui.sessions.drivers.json_lines import GoneError, JsonLines, object_of, text_of, whole
from collab_tui.sessions.drivers.turns import NOT_ASKED, TurnDriver

if TYPE_CHECKING:
    from acp import Client, ClientSideConnection, RequestPermissionResponse
    from acp.schema import (
        AgentCapabilities,
        HttpMcpServer,
        McpServerStdio,
        PermissionOption,
        SessionConfigOptionSelect,
        ToolCallStart,
        ToolCallUpdate,
    )

_AUTHENTICATION: Final = -32000
_LOOKING: Final = ("read-only", "readonly", "read_only", "plan")
"""What agents call the mode in which they change nothing, the strictest first."""
_ENDS: Final = {
    "end_turn": (ReplyStatus.DONE, ""),
    "cancelled": (ReplyStatus.INTERRUPTED, "its turn is interrupted"),
    "max_tokens": (ReplyStatus.FAILED, "it came to its limit of tokens"),
    "max_turn_requests": (ReplyStatus.FAILED, "it came to its limit of requests in one turn"),
    "refusal": (ReplyStatus.FAILED, "its model refused"),
}
_HEARD: Final = frozenset({"agent_message_chunk", "tool_call", "plan", "current_mode_update", "config_option_update"})
"""The updates that say something to us."""
_MOST_CALLS: Final = 64
_LONGEST_TEXT: Final = 1 << 20
"""Characters of one turn's words that are held, the last ones."""


class AcpDriver(TurnDriver):
    """One session of one agent."""

    def __init__(self, launch: Launch, listener: Listener) -> None:
        super().__init__(launch, listener)
        self._agent: ClientSideConnection | None = None
        self._session = ""
        self._mode: str | None = None
        """The mode in which it changes nothing, where it was put into one."""
        self._is_told = launch.resume_id is not None or not launch.definition.instructions
        """It heard its instructions: the protocol has no other place for them than the first prompt."""
        self._words: _Words | None = None
        """Of the turn that runs."""
        self._broke_out = ""
        """Why what it does in this turn does not count."""

    # How it is started

    async def start(self) -> None:
        """Start it, once the library is loaded, which takes a while."""
        try:
            await asyncio.to_thread(import_module, "acp")
        except ImportError:
            raise DriverError("agents that speak ACP need a library: pip install 'collab-tui[acp]'") from None
        await super().start()

    def _arguments(self) -> Sequence[str]:
        definition = self._launch.definition
        read_only = (definition.read_only or ()) if self._launch.is_read_only else ()
        return [*definition.command, *definition.model, *read_only]

    async def _begin(self, lines: JsonLines) -> None:
        from acp import PROTOCOL_VERSION, RequestError, connect_to_agent
        from acp.schema import ClientCapabilities, FileSystemCapabilities, Implementation

        us = Implementation(name="collab-tui", title="collab-tui", version=__version__)
        nothing = ClientCapabilities(fs=FileSystemCapabilities(read_text_file=False, write_text_file=False))
        self._agent = agent = connect_to_agent(cast("Client", _Client(self)), _Understood(lines, self._on_end))
        try:
            begun = await agent.initialize(PROTOCOL_VERSION, nothing, us)
            if begun.protocol_version != PROTOCOL_VERSION:
                theirs = f"version {begun.protocol_version} of ACP, and collab-tui {PROTOCOL_VERSION}"
                raise DriverError(f"{self._name} speaks {theirs}")
            await self._open(agent, begun.agent_capabilities)
        except RequestError as error:
            raise DriverError(self._why(error)) from None
        except ConnectionError:
            raise GoneError("it is gone") from None
        except ValueError as error:  # what it answers is not what was asked for
            raise DriverError(f"{self._name} does not keep to ACP: {one_line(clean(str(error)))[:300]}") from None

    async def _open(self, agent: ClientSideConnection, able: AgentCapabilities | None) -> None:
        folder, known = str(self._launch.folder), self._launch.resume_id
        servers: list[Any] = self._servers(is_http=bool(able and able.mcp_capabilities and able.mcp_capabilities.http))
        if known is None:
            opened: Any = await agent.new_session(folder, mcp_servers=servers)
            self._session = opened.session_id
        else:
            if able and able.session_capabilities and able.session_capabilities.resume is not None:
                opened = await agent.resume_session(known, folder, mcp_servers=servers)
            elif able and able.load_session:
                opened = await agent.load_session(folder, known, mcp_servers=servers)
            else:
                raise DriverError(f"{self._name} cannot go on with a conversation that ended")
            self._session = known
        if self._launch.is_read_only:
            await self._forbid_changes(agent, opened)
        if able and (able.load_session or (able.session_capabilities and able.session_capabilities.resume)):
            self._listener.resumable(self._session)

    async def _forbid_changes(self, agent: ClientSideConnection, opened: Any) -> None:
        """Put it into its mode that changes nothing; what it is started with may do the same."""
        modes = [mode.id for mode in opened.modes.available_modes] if opened.modes is not None else []
        if (mode := _looking(modes)) is not None:
            await agent.set_session_mode(mode_id=mode, session_id=self._session)
            self._mode = mode
            return
        for option in opened.config_options or ():
            is_mode = option.type == "select" and option.category == "mode"
            if is_mode and (mode := _looking(_values(option))) is not None:
                await agent.set_config_option(config_id=option.id, session_id=self._session, value=mode)
                self._mode = mode
                return
        if not self._launch.definition.read_only:
            raise DriverError(
                f"{self._name} offers no mode in which it changes nothing; where its program has one, "
                "its definition names the arguments as read_only"
            )

    def _servers(self, *, is_http: bool) -> list[HttpMcpServer | McpServerStdio]:
        from acp.schema import EnvVariable, HttpMcpServer, McpServerStdio

        servers: list[HttpMcpServer | McpServerStdio] = []
        for name, given in self._launch.definition.mcp.items():
            if "url" not in given:
                wanted = [one for one in given.get("env", ()) if one in self._launch.environment]
                env = [EnvVariable(name=one, value=self._launch.environment[one]) for one in wanted]
                command, args = given["command"], list(given.get("args", ()))
                servers.append(McpServerStdio(name=name, command=command, args=args, env=env))
            elif is_http:
                servers.append(HttpMcpServer(type="http", name=name, url=given["url"], headers=[]))
            else:
                raise DriverError(f"{self._name} takes no server of tools by its address, as {name} is")
        return servers

    async def _close(self) -> None:
        if self._agent is not None:
            await self._agent.close()

    def _on_end(self) -> None:
        self._is_over = True
        self._withdraw()

    def _why(self, error: Any) -> str:
        """What it answered instead of doing it; its words for that it is not logged in differ, the number does not."""
        told = one_line(clean(str(error)))
        details = one_line(
            clean(text_of(object_of(error.data), "details") or text_of(object_of(error.data), "message"))
        )
        told = f"{told}: {details}" if details and details not in told else told
        if error.code == _AUTHENTICATION:
            return f"{self._name} is not logged in, which its own program does at a terminal ({told})"
        return f"{self._name}: {told}"

    # Turns

    async def _carry_out(self, text: str) -> Reply:
        from acp import RequestError, text_block

        if self._agent is None:
            raise GoneError("it was not started")
        blocks = [text_block(text)]
        if not self._is_told:
            blocks.insert(0, text_block(self._launch.definition.instructions or ""))
        self._words = words = _Words()
        try:
            response = await self._agent.prompt(session_id=self._session, prompt=blocks)
        except ConnectionError:
            how = Delivery.SUBMITTED if words.is_heard else Delivery.UNVERIFIED
            why = await self._lost()
            if self._broke_out:
                return Reply(words.text, ReplyStatus.FAILED, 0.0, how, self._broke_out)
            return Reply(words.text, ReplyStatus.LOST, 0.0, how, why)
        except RequestError as error:
            return Reply(words.text, ReplyStatus.FAILED, 0.0, reason=self._why(error))
        except ValueError:
            return Reply(words.text, ReplyStatus.FAILED, 0.0, reason=f"{self._name} does not say how its turn ended")
        finally:
            self._words = None
        self._is_told = True
        self._say("\n")
        status, why = _ENDS[response.stop_reason]
        return Reply(words.text, status, 0.0, reason=why)

    async def _interrupt(self) -> None:
        if self._agent is None:
            return
        try:
            await self._agent.cancel(session_id=self._session)
        except ConnectionError:
            raise GoneError("it is gone") from None
        self._withdraw()  # the protocol has them answered as cancelled

    # What it tells and asks, as `_Client` hands it on

    def told(self, session: str, update: Any) -> None:
        """Something of the turn that runs. What comes beside one, of an old conversation that is loaded say, is not."""
        if session != self._session:
            return
        if update.session_update == "current_mode_update":
            self.changed_mode(update.current_mode_id)
        elif update.session_update == "config_option_update":
            for option in update.config_options:
                if option.type == "select" and option.category == "mode":
                    self.changed_mode(option.current_value)
        elif self._words is not None:
            self._told_of_turn(self._words, update)

    def _told_of_turn(self, words: _Words, update: Any) -> None:
        if not words.is_heard:
            words.is_heard = True
            self._listener.submitted()
        match update.session_update:
            case "agent_message_chunk" if update.content.type == "text":
                words.add(update.content.text)
                self._say(update.content.text)
            case "tool_call":
                words.used(update)
                what = update.title if self._is_part_shown else update.kind or "a tool"
                self._say(f"\n[{one_line(clean(short(what)))}]\n" if self._is_asking else "\n")
            case "plan" if update.entries:
                done = sum(entry.status == "completed" for entry in update.entries)
                fields: dict[str, Any] = {"progress": round(100 * done / len(update.entries))}
                doing = next((entry.content for entry in update.entries if entry.status == "in_progress"), "")
                self._listener.declared({**fields, **({"current_task": short(doing)} if doing else {})})

    def changed_mode(self, mode: str) -> None:
        """It is in another mode now: where it may change nothing it has to stay in the one that we chose."""
        if self._mode is not None and mode != self._mode and not self._broke_out:
            self._broke_out = f"it left its mode {self._mode}, in which it changes nothing, and was ended"
            self._stuck = self._broke_out
            self._end_soon()

    async def leave(
        self, session: str, call: ToolCallUpdate, options: Sequence[PermissionOption]
    ) -> RequestPermissionResponse:
        """It wants to use a tool."""
        wanted = Leave(call, options, self._words.calls.get(call.tool_call_id) if self._words is not None else None)
        if session != self._session:
            return wanted.refused()
        if self._launch.is_read_only:  # nobody is asked for more
            return wanted.allowed() if wanted.only_looks else self._refused(wanted, "it may change nothing")
        if wanted.kind in self._launch.definition.tools:
            return wanted.allowed()
        if not self._is_asking:
            return self._refused(wanted, NOT_ASKED)
        question = wanted.question(str(self._launch.folder), is_part_shown=self._is_part_shown)
        if question is None:
            return self._refused(wanted, "too long to be judged on the board")
        return wanted.answer(await self._ask(question))

    def _refused(self, wanted: Leave, why: str) -> RequestPermissionResponse:
        self._say(f"[refused: {why}]\n")
        return wanted.refused()


class _Words:
    """What an agent says in one turn: its reply is what it said after the last tool that it used."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._size = 0
        self._is_paused = False
        self.calls: dict[str, ToolCallStart] = {}
        """The latest of the tools that it uses, by their ids."""
        self.is_heard = False
        """Something was told of the turn, so its prompt arrived."""

    @property
    def text(self) -> str:
        return "".join(self._pieces).strip()

    def add(self, piece: str) -> None:
        if self._is_paused and piece.strip():
            self._pieces, self._size, self._is_paused = [], 0, False
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > 2 * _LONGEST_TEXT:
            self._pieces = ["".join(self._pieces)[-_LONGEST_TEXT:]]
            self._size = _LONGEST_TEXT

    def used(self, call: ToolCallStart) -> None:
        self._is_paused = True
        if len(self.calls) >= _MOST_CALLS:
            del self.calls[next(iter(self.calls))]
        self.calls[call.tool_call_id] = call


class _Client:
    """Our side as the library wants it; its methods are named by the protocol."""

    def __init__(self, driver: AcpDriver) -> None:
        self._driver = driver

    async def session_update(self, session_id: str, update: Any, **_: Any) -> None:
        self._driver.told(session_id, update)

    async def request_permission(
        self, session_id: str, tool_call: ToolCallUpdate, options: list[PermissionOption], **_: Any
    ) -> RequestPermissionResponse:
        return await self._driver.leave(session_id, tool_call, options)


class _Understood:
    """Hands the library the messages that it understands: of others it writes to standard error, or it stops."""

    def __init__(self, lines: JsonLines, on_end: Callable[[], None]) -> None:
        self._lines = lines
        self._on_end = on_end
        self._half = ""
        """Of a character that was cut in two: what it says comes in pieces."""

    async def send(self, message: dict[str, Any]) -> None:
        """Raises `ConnectionError` where we ask something; an answer that nobody reads is nobody's concern."""
        try:
            await self._lines.send(message)
        except GoneError as error:
            if "method" in message:
                raise ConnectionError(str(error)) from None

    async def receive(self) -> dict[str, Any] | None:
        """The next that is understood; None when there will be no more."""
        while (message := await self._lines.receive(self._joined)) is not None:
            if _is_understood(message):
                return message
        self._on_end()
        return None

    def _joined(self, message: Any) -> Any:
        """Without halves of characters: the first of two waits for the second."""
        update = object_of(object_of(object_of(message).get("params")).get("update"))
        content = update.get("content")
        if isinstance(content, dict) and (text := text_of(content, "text")):
            if "\udc00" <= text[0] <= "\udfff":
                text = self._half + text
            self._half = text[-1] if "\ud800" <= text[-1] <= "\udbff" else ""
            content["text"] = text.removesuffix(self._half)
        return whole(message)

    async def close(self) -> None:
        """Nothing: whoever started the program ends it."""


def _is_understood(message: Mapping[str, Any]) -> bool:
    method, number = message.get("method"), message.get("id")
    if "method" not in message:
        return isinstance(number, int) and isinstance(message.get("error", {}), dict)
    if "id" in message:
        return isinstance(method, str) and isinstance(number, int | str)
    update = object_of(object_of(message.get("params")).get("update"))
    return method == "session/update" and update.get("sessionUpdate") in _HEARD and _is_valid(message["params"])


def _is_valid(params: Mapping[str, Any]) -> bool:
    from acp import SessionNotification

    try:
        SessionNotification.model_validate(params)
    except ValueError:
        return False
    return True


def _looking(modes: Sequence[str]) -> str | None:
    """The mode in which an agent changes nothing, by what it is called: a name, or the end of an address."""
    known = {mode.rpartition("#")[2].lower(): mode for mode in modes}
    return next((known[name] for name in _LOOKING if name in known), None)


def _values(option: SessionConfigOptionSelect) -> list[str]:
    groups = [getattr(each, "options", [each]) for each in option.options]
    return [value.value for group in groups for value in group]
