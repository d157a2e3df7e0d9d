"""The tools with which an agent says how it stands: status, blockers."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from collab_tui.mcp.arguments import Name, Short, Status, Text
from collab_tui.mcp.mail import Mail
from collab_tui.mcp.seat import Seat, known_agents, only_match
from collab_tui.model.words import NOTHING_BLOCKS, name_key
from collab_tui.protocol.wording import named, quoted
from collab_tui.registry.append import UnusableError


class StatusTools:
    """For one agent. The docstrings are what the model reads."""

    def __init__(self, seat: Seat, mail: Mail) -> None:
        self._seat = seat
        self._mail = mail

    async def update_status(
        self,
        status: Annotated[Status | None, Field(description="what you are doing")] = None,
        current_task: Annotated[Short | None, Field(description="what you work on, in a few words")] = None,
        progress: Annotated[float | None, Field(ge=0, le=100, description="of this task, in per cent")] = None,
        next_action: Annotated[Short | None, Field(description="what you will do next")] = None,
        message: Annotated[Text | None, Field(description="a remark that everybody may read")] = None,
        waiting_for: Annotated[
            Name | None, Field(description="the agent you wait for; this is your status, so give no other")
        ] = None,
        dependencies: Annotated[
            list[Short] | None, Field(max_length=20, description='what must be true first, such as "gitcode_ready"')
        ] = None,
    ) -> str:
        """Tell the person and the other agents how you stand. Call it when you start or finish a step, when the task
        changes, and about every quarter of a longer one. Give only what changed; the rest stays as you last said it.
        """
        if waiting_for is not None and status not in (None, "waiting"):
            raise UnusableError("give either status or waiting_for: who waits for an agent does nothing else")
        told = {
            "status": f"waiting_for_{waiting_for}" if waiting_for is not None else status,
            "current_task": current_task,
            "progress": int(progress) if progress is not None and progress.is_integer() else progress,
            "next_action": next_action,
            "message": message,
            "dependencies": dependencies,
        }
        fields: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
        if not fields:
            raise UnusableError("nothing was given: give at least one of status, current_task, progress, next_action")
        me = await self._seat.me()
        await me.update(**fields)
        waiting = await self._mail.count()
        hint = f" {waiting} new for you: call read_inbox." if waiting else ""
        return f"Written: {', '.join(fields)}.{hint}"

    async def report_blocker(
        self,
        blocker: Annotated[Short, Field(description="what keeps you from going on, in a few words")],
        reason: Annotated[Text | None, Field(description="why, and what would help")] = None,
        agent: Annotated[Name | None, Field(description="the agent who can remove it, if you know")] = None,
    ) -> str:
        """Tell what keeps you from going on, so that the person or another agent removes it. Call it as soon as you are
        stuck; for something that somebody has to decide, call request_decision instead.
        """
        if name_key(blocker) in NOTHING_BLOCKS:
            raise UnusableError("that names no blocker; to say that one is gone, call resolve_blocker")
        me = await self._seat.me()
        more = {"reason": reason, "target": agent}
        await me.emit("blocker", blocker=blocker, **{name: value for name, value in more.items() if value is not None})
        return (
            f"Written: you are blocked by {quoted(blocker)}. Do other work meanwhile; read_inbox tells when somebody "
            "resolved it. If you get past it yourself, call resolve_blocker."
        )

    async def resolve_blocker(
        self,
        blocker: Annotated[Short, Field(description="its text, or a unique beginning of it; read_board shows them")],
        agent: Annotated[Name | None, Field(description="whose blocker it is; without it, your own")] = None,
        comment: Annotated[Text | None, Field(description="what you did about it")] = None,
    ) -> str:
        """Say that a blocker is gone: your own, or one of another agent that you removed."""
        me, board = await self._seat.me(), await self._seat.board()
        holder = board.agent(agent if agent is not None else me.name)
        if holder is None and agent is not None:
            raise UnusableError(f"there is no agent {quoted(agent)}. There are: {known_agents(board)}")
        held = {blocker.text: blocker for blocker in holder.blockers} if holder is not None else {}
        found = only_match(blocker, held, "blocker", lambda one: one.reason or "no reason given")
        whose = holder.name if holder is not None else me.name
        more = {"comment": comment} if comment is not None else {}
        await me.emit("blocker_resolved", blocker=found.text, target=whose, **more)
        return f"Written: {quoted(found.text)} of {named(whose)} is resolved."
