"""The person's commands to the sessions of this machine, carried out: each once, and answered.

Only what they signed for this monitor and this registry, minutes ago at most, is acted on: see `protocol.commands`.
What is not theirs is answered too, but seldom: anybody can write lines, and a forged one must not make us fill the
registry.

Commands to different sessions are carried out side by side, those to one in order. A prompt is in order once it waits
for its turn, so an interrupt or a stop overtakes it.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, Final, Protocol
from weakref import WeakValueDictionary

from collab_tui.model.event import Event, Item
from collab_tui.model.session_book import is_monitors, word_of
from collab_tui.model.sessions import CommandState
from collab_tui.model.signature import registry_id
from collab_tui.model.words import name_key
from collab_tui.protocol.commands import (
    RESULT,
    CommandType,
    NotTakenError,
    NotThePersonsError,
    Taken,
    TakenBeforeError,
    is_for,
    is_to,
    result,
    subject_of,
    taken,
)
from collab_tui.protocol.kept_results import KeptResults
from collab_tui.protocol.tail import tail
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import RegistryError
from collab_tui.registry.base import News
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.sessions.driver import Reply, ReplyStatus
from collab_tui.sessions.observing import write_surely
from collab_tui.sessions.prompts import Prompt
from collab_tui.sessions.session import LiveSession

MOST_REFUSALS: Final = 20
"""Refusals of what is not the person's that are answered within `WITHIN`."""
WITHIN: Final = 600.0
"""Seconds."""
_LONGEST_REPLY: Final = 8192
"""Characters of a reply, the last ones, that stand in the registry; all of it is kept on this machine."""
_LONGEST_REASON: Final = 1000
_REMEMBERED: Final = 10_000
"""Commands whose lines are known again."""
_MOST_AT_ONCE: Final = 200
_PATIENCE: Final = 5.0
"""Seconds for what is left to be told when this stops."""
_AGAIN: Final = 1.0
"""Seconds until what went wrong is begun anew."""


class Sessions(Protocol):
    """What commands are carried out with: see `SessionManager`."""

    def is_starting(self, name: str) -> bool:
        """See `SessionManager`."""
        ...

    async def create_session(
        self,
        agent: str,
        *,
        task: str | None = None,
        base: str | None = None,
        name: str | None = None,
        prompt: str | None = None,
        in_worktree: bool | None = None,
    ) -> LiveSession:
        """See `SessionManager`."""
        ...

    async def queue_prompt(self, name: str, text: str, *, is_persons: bool = False) -> Prompt:
        """See `SessionManager`."""
        ...

    async def interrupt(self, name: str) -> bool:
        """See `SessionManager`."""
        ...

    async def destroy_session(self, name: str, *, remove_worktree: bool = False) -> str:
        """See `SessionManager`."""
        ...

    async def restore(self, name: str) -> LiveSession:
        """See `SessionManager`."""
        ...

    def log_of(self, name: str) -> str | None:
        """See `SessionManager`."""
        ...


class CarryingOut:
    """Follows one registry for commands to the sessions of one monitor."""

    def __init__(
        self,
        sessions: Sessions,
        registry: JsonlRegistry,
        trust: Trust,
        used: UsedDecisions,
        monitor_id: str,
        notice: Callable[[str], None],
        poll: float | None = None,
    ) -> None:
        self._sessions = sessions
        self._registry = JsonlRegistry(registry.path)
        self.trust = trust
        """Who signs; it may be replaced."""
        self._used = used
        self._monitor = monitor_id
        self._kept = KeptResults(registry.path)
        self._notice = notice
        self._poll = poll
        self._following: asyncio.Task[None] | None = None
        self._work: set[asyncio.Task[None]] = set()
        self._lanes: dict[str, asyncio.Future[None]] = {}
        """By key of the target: done when the next command to it may begin."""
        self._queueing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """By key of a target that is prompted: prompts keep their order also while it starts and all else may begin."""
        self._refused_at: deque[float] = deque(maxlen=MOST_REFUSALS)
        self._forget()

    def _forget(self) -> None:
        self._registry_id: str | None = None
        self._past: dict[str, Event] | None = {}
        """Commands that were there when this began, until all of what was there is read."""
        self._known: OrderedDict[str, CommandState | None] = OrderedDict()
        """Commands by id -> how far they are as was said of them."""

    def start(self) -> None:
        """Begin, if it was not begun."""
        if self._following is None:
            self._following = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Begin nothing any more; what was begun is given up, and that is told."""
        following, self._following = self._following, None
        if following is not None:
            following.cancel()
            await asyncio.wait({following})
        for work in list(self._work):
            work.cancel()
        if self._work:
            await asyncio.wait(self._work, timeout=_PATIENCE)

    async def _follow(self) -> None:
        while True:
            try:
                async with aclosing(tail(self._registry, self._poll)) as looks:
                    async for news in looks:
                        await self._take(news)
            except Exception as error:  # nothing that a line says may end this for good
                self._notice(f"commands could not be read: {type(error).__name__}: {error}")
            await asyncio.sleep(_AGAIN)

    # Reading

    async def _take(self, news: News) -> None:
        if news.restarted is not None:
            self._forget()
        for item in news.items:
            if item.position == 0:
                self._registry_id = registry_id(item)
            if isinstance(item, Event):
                await self._see(item)
        if self._past is not None and not news.remaining and self._registry_id is not None:
            past, self._past = self._past, None
            for event in past.values():
                await self._judge(event)

    async def _see(self, event: Event) -> None:
        if event.kind == RESULT and is_monitors(event) and event.text("monitor") == self._monitor:
            command_id, state = event.text("command_id"), word_of(CommandState, event.data.get("state"))
            if command_id is not None and command_id in self._known and state is not None:
                self._known[command_id] = state
            return
        if not is_to(event, self._monitor) or event.id in self._known:
            return
        self._known[event.id] = None
        if len(self._known) > _REMEMBERED:
            forgotten, _ = self._known.popitem(last=False)
            if self._past is not None:
                self._past.pop(forgotten, None)
        if self._past is None:
            await self._judge(event)
        else:
            self._past[event.id] = event

    async def _judge(self, event: Event) -> None:
        """Anybody may have written what was said of it: that decides what is answered, and never what is done."""
        told = self._known.get(event.id)
        is_answered = told is not None and told.is_over
        if is_answered and not is_for(event, self._monitor, datetime.now(UTC)):
            return
        try:
            command = await asyncio.to_thread(self._taken, event)
        except NotTakenError as error:
            why = str(error)
            if isinstance(error, TakenBeforeError):
                begun = "the monitor that had begun it ended before it was done"
                why = begun if told is not None else f"{error}; what became of it is not known"
            if not is_answered:
                self._refuse(event, why, is_persons=not isinstance(error, NotThePersonsError))
        except RegistryError as error:
            self._refuse(event, f"it cannot be told whether it was taken before: {error}", is_persons=True)
        else:
            if command is not None:
                self._accept(command)

    def _taken(self, item: Item) -> Taken | None:
        self.trust.keyring.refresh()
        return taken(
            item,
            registry_id=self._registry_id,
            trust=self.trust,
            used=self._used,
            monitor=self._monitor,
            now=datetime.now(UTC),
        )

    def _refuse(self, event: Event, why: str, *, is_persons: bool) -> None:
        if not is_persons and not self._may_answer():
            return
        self._spawn(self._tell(event, CommandState.FAILED, why))

    def _may_answer(self) -> bool:
        """What is not the person's may be answered now."""
        now = time.monotonic()
        if len(self._refused_at) == MOST_REFUSALS and now - self._refused_at[0] < WITHIN:
            return False
        self._refused_at.append(now)
        if len(self._refused_at) == MOST_REFUSALS and now - self._refused_at[0] < WITHIN:
            self._notice(
                f"{MOST_REFUSALS} commands that are not {self.trust.person}'s came within {WITHIN / 60:g} min: more "
                "are not answered"
            )
        return True

    # Carrying out

    def _accept(self, command: Taken) -> None:
        if len(self._work) >= _MOST_AT_ONCE:
            self._spawn(self._tell(command, CommandState.FAILED, "too many commands are under way: try again later"))
            return
        key = name_key(command.target)
        before = self._lanes.get(key)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lanes[key] = done
        self._spawn(self._carry_out(command, key, before, done))

    async def _carry_out(
        self, command: Taken, key: str, before: asyncio.Future[None] | None, done: asyncio.Future[None]
    ) -> None:
        """Carry it out once the one before is in order; `done` lets the next begin."""

        def let_next() -> None:
            if not done.done():
                done.set_result(None)
            if self._lanes.get(key) is done:
                del self._lanes[key]

        state, reason, told = CommandState.FAILED, "", dict[str, Any]()
        try:
            await self._tell(command, CommandState.ACCEPTED)
            if before is not None:
                await asyncio.wait({before})
            state, reason, told = await self._do(command, let_next)
        except asyncio.CancelledError:
            reason = "the monitor ended before it was done"
            raise
        except Exception as error:  # each command fails alone
            reason = str(error) or type(error).__name__
        finally:
            let_next()
            telling = asyncio.ensure_future(self._tell(command, state, reason[:_LONGEST_REASON], told))
            await asyncio.shield(telling)

    async def _do(self, command: Taken, let_next: Callable[[], None]) -> tuple[CommandState, str, dict[str, Any]]:
        """Gives what is told of it. Raises whatever keeps it from being done."""
        payload, target = command.payload, command.target
        match command.type:
            case CommandType.START:
                fields = {name: payload.get(name) for name in ("task", "base", "prompt", "in_worktree")}
                creating = self._sessions.create_session(payload["agent"], name=target, **fields)
                return await self._started(command, creating, let_next)
            case CommandType.RESTORE:
                return await self._started(command, self._sessions.restore(target), let_next)
            case CommandType.SEND_PROMPT:
                return await self._prompted(command, let_next)
            case CommandType.INTERRUPT:
                let_next()
                await self._tell(command, CommandState.RUNNING)
                is_ended = await self._sessions.interrupt(target)
                return CommandState.DONE, "" if is_ended else "no prompt of ours was with it", {}
            case _:
                await self._tell(command, CommandState.RUNNING)
                is_removed = payload.get("remove_worktree") is True
                how = await self._sessions.destroy_session(target, remove_worktree=is_removed)
                return CommandState.DONE, "its worktree is removed" if is_removed else "", {"ended": how}

    async def _started(
        self, command: Taken, starting: Awaitable[LiveSession], let_next: Callable[[], None]
    ) -> tuple[CommandState, str, dict[str, Any]]:
        task = asyncio.ensure_future(starting)
        await asyncio.sleep(0)  # it has taken its name: a stop ends it, and a prompt waits for it
        let_next()
        try:
            await self._tell(command, CommandState.RUNNING)
            session = await task
        finally:
            task.cancel()
        record = session.record
        told = {"run": session.run, "cwd": record.folder, "branch": record.branch, "log": session.log}
        return CommandState.DONE, "", {name: value for name, value in told.items() if value is not None}

    async def _prompted(self, command: Taken, let_next: Callable[[], None]) -> tuple[CommandState, str, dict[str, Any]]:
        queueing = self._queueing.setdefault(name_key(command.target), asyncio.Lock())
        if queueing.locked() or self._sessions.is_starting(command.target):
            asyncio.get_running_loop().call_soon(let_next)  # once this one stands in the line
        async with queueing:  # which lets in who came first
            prompt = await self._sessions.queue_prompt(command.target, command.payload["prompt"], is_persons=True)
        let_next()
        if await prompt.given():
            await self._tell(command, CommandState.RUNNING)
        reply = await asyncio.shield(prompt.reply)
        state = CommandState.DONE if reply.status is ReplyStatus.DONE else CommandState.FAILED
        return (
            state,
            reply.reason or ("" if state is CommandState.DONE else reply.status.value),
            self._told(command.target, reply),
        )

    def _told(self, name: str, reply: Reply) -> dict[str, Any]:
        told: dict[str, Any] = {
            "status": reply.status.value,
            "delivery": reply.delivery.value,
            "duration": round(reply.duration, 3),
            "reply": reply.text,
        }
        log = self._sessions.log_of(name)
        return told | ({"log": log} if log is not None else {})

    async def _tell(
        self, command: Event | Taken, state: CommandState, reason: str = "", told: Mapping[str, Any] | None = None
    ) -> None:
        event = result(command.id, self._monitor, state, reason or None, told) | subject_of(command)
        try:
            await asyncio.to_thread(self._kept.keep, event)
        except OSError as error:
            self._notice(f"what became of a command cannot be kept: {error}")
        await write_surely(self._registry, _shortened(event), self._notice)

    def _spawn(self, work: Awaitable[None]) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._work.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._notice(f"a command could not be answered: {type(error).__name__}: {error}")


def _shortened(event: dict[str, Any]) -> dict[str, Any]:
    """As it stands in the registry: of a long reply the end, and how much is left out."""
    told = event.get("result", {})
    reply = told.get("reply", "")
    if len(reply) <= _LONGEST_REPLY:
        return event
    return event | {"result": told | {"reply": reply[-_LONGEST_REPLY:], "cut": len(reply) - _LONGEST_REPLY}}
