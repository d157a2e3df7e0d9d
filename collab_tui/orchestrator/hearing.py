"""How a run in a process of its own hears that the person cancels it: by their signed command, as a monitor does."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from collab_tui.model.sessions import CommandState
from collab_tui.protocol.commands import CommandType, Concern, Taken
from collab_tui.protocol.obeying import Obeying
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions

Cancel = Callable[[str, str], bool]
"""Gets the id of a run and why it is cancelled; False where it does not run here."""

BY_HAND: Final = "cancelled by hand"
NOT_HERE: Final = "no such run runs here"


def new_carrier() -> str:
    """An id for a process that hears commands to its runs itself, as `Carrier.monitor` has it."""
    return secrets.token_hex(6)


async def hear_cancel(
    registry: Path,
    carrier: str,
    trust: Trust,
    used: UsedDecisions,
    cancel: Cancel,
    notice: Callable[[str], None],
    poll: float | None = None,
) -> None:
    """Hear the person's commands to the runs of this process, for as long as it is awaited."""
    obeying = Obeying(registry, carrier, Concern.RUNS, trust, used, notice)

    async def heed(command: Taken) -> None:
        if command.type is not CommandType.CANCEL_RUN:
            why = "this process only has runs of its own: give the command to the monitor of its machine"
            await obeying.tell(command, CommandState.FAILED, why)
            return
        state, why_not = heed_cancel(command, cancel)
        await obeying.tell(command, state, why_not)

    await obeying.listen(heed, poll)


def heed_cancel(command: Taken, cancel: Cancel) -> tuple[CommandState, str | None]:
    """Cancel the run that a command names; gives what is told of the command."""
    is_here = cancel(command.target, command.payload.get("reason") or BY_HAND)
    return (CommandState.DONE, None) if is_here else (CommandState.FAILED, NOT_HERE)
