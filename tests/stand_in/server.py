"""The stand-in itself: a server on loopback that speaks both APIs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from tests.stand_in import anthropic, openai
from tests.stand_in.script import Conversation, Say, Script

_APIS = {"/v1/messages": anthropic, "/v1/responses": openai}


class StandIn(Conversation):
    """A model that says what a script says, to one agent. What else the CLI asks of it, it is denied and noted."""

    def __init__(self, script: Script) -> None:
        super().__init__(script)
        self.others: list[str] = []
        """Method and path of whatever was asked beside the session."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("_Of", (_Handler,), {"model": self}))
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def serving(self) -> Iterator[StandIn]:
        """It answers inside, and nobody listens afterwards."""
        thread = Thread(target=self._server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    model: StandIn
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        api = _APIS.get(self.path.partition("?")[0])
        if api is None:
            self._deny()
            return
        asked: dict[str, Any] = json.loads(body)
        if api.is_the_agents(asked):
            move = self.model.next(asked, api.results(asked))
        else:
            self.model.others.append(f"POST {self.path}")
            move = Say("A title")
        self._stream(api.answer(move, asked))

    def do_GET(self) -> None:
        self._deny()

    def do_HEAD(self) -> None:
        self._deny()

    def do_CONNECT(self) -> None:
        """What a CLI asks of its proxy when it wants to reach anybody else."""
        self._deny()

    def _deny(self) -> None:
        self.model.others.append(f"{self.command} {self.path}")
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _stream(self, events: Iterator[tuple[str, dict[str, Any]]]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for kind, event in events:
            self.wfile.write(f"event: {kind}\ndata: {json.dumps({'type': kind, **event})}\n\n".encode())
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the library's
        """Tests read what came, not a log."""
