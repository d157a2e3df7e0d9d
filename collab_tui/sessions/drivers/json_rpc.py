"""JSON-RPC over the lines of a program: each side asks the other, and tells it things that want no answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final, Protocol

from collab_tui.sessions.drivers.json_lines import GoneError, JsonLines

NO_METHOD: Final = -32601
_FAILED: Final = -32603
_MOST_OPEN: Final = 64
"""Requests of the program that are being answered at one time; one more is refused."""

RequestId = int | str


class RpcError(Exception):
    """One side says that it does not do what it was asked."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Handler(Protocol):
    """What our side does with what comes. Told of in order; nothing here may take long but `requested`."""

    def notified(self, method: str, params: Mapping[str, Any]) -> None:
        """The program tells something."""
        ...

    async def requested(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """The program asks something; gives the answer or raises `RpcError`. Cancelled: it wants none any more."""
        ...

    def closed(self) -> None:
        """Nothing comes any more."""
        ...


class Peer:
    """The program at the other end."""

    def __init__(self, lines: JsonLines, handler: Handler) -> None:
        self._lines = lines
        self._handler = handler
        self._next = 1
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._answering: dict[RequestId, asyncio.Task[None]] = {}
        self._is_closed = False
        self._reading = asyncio.create_task(lines.hand_on(self._take, self._closed))

    async def call(self, method: str, params: Mapping[str, Any], limit: float) -> Any:
        """Ask, and give what it answers within so many seconds. Raises `RpcError`, `GoneError`, `TimeoutError`."""
        if self._is_closed:
            raise GoneError("it is gone")
        number, self._next = self._next, self._next + 1
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._calls[number] = answer
        try:
            async with asyncio.timeout(limit):
                await self._lines.send({"id": number, "method": method, "params": params})
                return await answer
        finally:
            self._calls.pop(number, None)

    async def notify(self, method: str) -> None:
        """Tell it something that has no more to it. Raises `GoneError`."""
        await self._lines.send({"method": method})

    def withdraw(self, request: object) -> None:
        """Stop answering what it asked: it has its answer already."""
        if isinstance(request, int | str) and (task := self._answering.get(request)) is not None:
            task.cancel()

    async def close(self) -> None:
        """Stop reading and answering."""
        self._reading.cancel()
        await asyncio.wait({self._reading, *self._answering.values()})

    def _closed(self) -> None:
        self._is_closed = True
        for answer in self._calls.values():
            if not answer.done():
                answer.set_exception(GoneError("it is gone"))
                answer.exception()  # whoever waited may be gone as well
        for task in self._answering.values():
            task.cancel()
        self._handler.closed()

    def _take(self, message: Mapping[str, Any]) -> None:
        method, number = message.get("method"), message.get("id")
        params = message.get("params")
        params = params if isinstance(params, dict) else {}
        if not isinstance(method, str):
            self._answered(number, message)
        elif number is None:
            self._handler.notified(method, params)
        elif isinstance(number, int | str) and number not in self._answering:
            task = asyncio.create_task(self._answer(number, method, params))
            self._answering[number] = task
            task.add_done_callback(lambda _: self._answering.pop(number, None))

    def _answered(self, number: object, message: Mapping[str, Any]) -> None:
        answer = self._calls.get(number) if isinstance(number, int) else None
        if answer is None or answer.done():
            return
        if "error" not in message:
            answer.set_result(message.get("result"))
            return
        error = message["error"] if isinstance(message["error"], dict) else {}
        code, text = error.get("code"), error.get("message")
        answer.set_exception(
            RpcError(code if isinstance(code, int) else _FAILED, text if isinstance(text, str) else "no reason given")
        )

    async def _answer(self, number: RequestId, method: str, params: Mapping[str, Any]) -> None:
        answer: dict[str, Any] = {"id": number}
        try:
            if len(self._answering) > _MOST_OPEN:
                raise RpcError(_FAILED, "too many questions at one time")
            answer["result"] = await self._handler.requested(method, params)
        except RpcError as error:
            answer["error"] = {"code": error.code, "message": str(error)}
        except Exception as error:  # the program waits for an answer
            self._lines.noise(f"[{method} cannot be dealt with: {type(error).__name__}: {error}]")
            answer["error"] = {"code": _FAILED, "message": "collab-tui cannot deal with it"}
        try:
            await self._lines.send(answer)
        except GoneError:
            return  # that it is gone shows where it is read
