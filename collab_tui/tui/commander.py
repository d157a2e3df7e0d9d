"""The person's commands to sessions and runs: what is on its way, and what came of it.

A command is a signed line of the registry. A monitor carries it out and says so there; only that is shown as done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from collab_tui.model.board import Board
from collab_tui.model.runs import Run
from collab_tui.model.sessions import Command, CommandState, Session
from collab_tui.model.words import name_key
from collab_tui.protocol.commands import CommandType, send
from collab_tui.registry.append import RegistryError
from collab_tui.tui.desk import Desk
from collab_tui.tui.machine import HereError, Machine

Heard = Callable[[CommandState, str | None], None]
"""Gets each state that a command comes to, and why it failed. Nothing comes after a state that is over."""


@dataclass(eq=False, slots=True)
class Order:
    """One command of the person that is not over yet."""

    type: CommandType
    target: str
    heard: Heard
    state: CommandState | None = None
    """None: it does not stand in the registry yet."""
    id: str | None = None
    was_read: bool = False

    def is_to(self, target: str) -> bool:
        """It is for the session of that name, or the run of that id."""
        return name_key(self.target) == name_key(target)


class Commander:
    """Gives commands, and hears what becomes of them, also while no screen of sessions is open."""

    def __init__(self, desk: Desk, machine: Machine) -> None:
        self._desk = desk
        self._machine = machine
        self._orders: list[Order] = []
        self._board: Board | None = None
        self._interrupted: set[str] = set()
        """Keys of the sessions that were interrupted or stopped from here, until they are prompted again."""

    def sending(self, target: str) -> list[CommandType]:
        """The commands to a session that were not read back yet, in order."""
        return [order.type for order in self._orders if order.is_to(target) and not order.was_read]

    def was_interrupted(self, target: str) -> bool:
        """The person ended from here what the session did with its last prompt."""
        return name_key(target) in self._interrupted

    def is_given(self, type_: CommandType, target: str) -> bool:
        """Such a command to the session is not over yet."""
        return any(order.type is type_ and order.is_to(target) for order in self._orders)

    def give(
        self,
        type_: CommandType,
        target: str,
        payload: Mapping[str, Any],
        session: Session | None,
        heard: Heard,
        run: Run | None = None,
    ) -> None:
        """Send a command to whoever has that session or run, else to the monitor of this machine: that is started if
        need be.
        """
        order = Order(type_, target, heard)
        self._orders.append(order)
        if type_ in (CommandType.INTERRUPT, CommandType.STOP):
            self._interrupted.add(name_key(target))
        else:
            self._interrupted.discard(name_key(target))
        self._desk.changed()
        self._desk.start(self._given(order, payload, session or run))

    async def _given(self, order: Order, payload: Mapping[str, Any], to: Session | Run | None) -> None:
        try:
            order.id = await asyncio.to_thread(self._send, order, payload, to)
        except (RegistryError, OSError, HereError) as error:
            self._over(order, CommandState.FAILED, str(error))
            return
        order.state = CommandState.SENT
        if self._board is not None:
            self.read(self._board)
        self._desk.changed()

    def _send(self, order: Order, payload: Mapping[str, Any], to: Session | Run | None) -> str:
        self._desk.check_presence()
        carrier = self._machine.own if to is None else self._machine.carrier(to)
        if carrier.monitor == self._machine.own.monitor:
            self._machine.ensure_monitor()
        return str(send(self._desk.registry, self._desk.trust, order.type, order.target, payload, carrier)["id"])

    def read(self, board: Board) -> None:
        """The registry was read on."""
        self._board = board
        if not self._orders:
            return
        told = {command.id: command for command in board.commands}
        for order in self._orders.copy():
            if order.id is not None:
                self._hear(order, told.get(order.id))

    def _hear(self, order: Order, command: Command | None) -> None:
        if command is None:
            if order.was_read:
                self._over(order, CommandState.FAILED, "the registry was replaced meanwhile: nobody can tell")
            return
        order.was_read = True
        if command.state is order.state:
            return
        has_heard_of_run, order.state = order.state is CommandState.RUNNING, command.state
        if command.state.is_over:
            if command.has_run and not has_heard_of_run:  # both were read at once
                order.heard(CommandState.RUNNING, None)
            self._over(order, command.state, command.reason)
        else:
            order.heard(command.state, None)

    def _over(self, order: Order, state: CommandState, reason: str | None) -> None:
        self._orders.remove(order)
        self._desk.changed()
        order.heard(state, reason)
