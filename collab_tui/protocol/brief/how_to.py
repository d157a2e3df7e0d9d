"""The commands by which an agent does what its brief tells it. What it has to fill in is in CAPITALS."""

from __future__ import annotations

from collections.abc import Iterable

from collab_tui.model.board import Request, RequestKind
from collab_tui.model.words import READY_SUFFIXES, name_key
from collab_tui.protocol.wording import own, tame, tame_beginning

_SHORT_ID = 8
_PATIENCE = "--timeout 90s"
"""Programs of agents give a command two minutes; a wait that ends unanswered can be run again."""


class HowTo:
    """The commands of one agent on one registry. None where no command can be given that every shell reads alike."""

    def __init__(self, name: str, registry: str | None, request_ids: Iterable[str]) -> None:
        """`registry` is what to give as `--registry`; None where it is found without."""
        self._as_me = f"--agent {own(name)}"
        self._registry = f" --registry {own(registry)}" if registry is not None else ""
        self._ids = list(request_ids)

    def _command(self, *words: str) -> str:
        return f"collab-tui {' '.join(words)}{self._registry}"

    def _beginning(self, request: Request) -> str | None:
        """As much of a request's id as tells it from all others."""
        return tame_beginning(request.id, (other for other in self._ids if other != request.id), _SHORT_ID)

    def answer(self, request: Request) -> str | None:
        """Answer another's request."""
        request_id = self._beginning(request)
        if request_id is None:
            if (whole := tame(request.id)) is None:
                return None
            request_id = f"{whole} --exact"
        given = {
            RequestKind.APPROVAL: "VERDICT",
            RequestKind.CHOICE: "--answer NUMBER",
            RequestKind.QUESTION: '--answer "TEXT"',
        }[request.kind]
        return self._command("decide", request_id, given, self._as_me, '-m "WHY"')

    def unblock(self, holder: str, blocker: str, others: Iterable[str]) -> str | None:
        """Remove a blocker; `others` are the other blockers of its holder."""
        whom, what = tame(holder), tame(blocker) or tame_beginning(blocker, others)
        if whom is None or what is None:
            return None
        return self._command("unblock", whom, what, self._as_me, '-m "WHY"')

    def decide_unasked(self, target: str) -> str | None:
        """Tell an agent what was decided, that waits and asked nothing by a request."""
        if (whom := tame(target)) is None:
            return None
        return self._command(
            "emit decision", self._as_me, "--target", whom, "--field verdict=VERDICT", '--field comment="WHY"'
        )

    def renew(self, *options: str) -> str:
        """Declare the state anew."""
        return self._command("emit status_update", self._as_me, *options)

    def ask(self, target: str | None = None) -> str:
        """Ask an agent; without one, the person."""
        to = f" --target {word}" if target is not None and (word := tame(target)) is not None else ""
        return self._command(f'ask "QUESTION"{to}', self._as_me)

    def wait_for_blocker(self, blocker: str) -> str | None:
        """Wait until nobody has a blocker any more."""
        word = tame(blocker)
        return self._command("wait blocker", word, "resolved", _PATIENCE) if word is not None else None

    def wait_for_dependency(self, dependency: str) -> str | None:
        """Wait until a dependency holds; one that says so by none of the endings never does by itself."""
        word = tame(dependency)
        can_hold = name_key(dependency).rpartition("_")[2] in READY_SUFFIXES
        return self._command("wait dependency", word, _PATIENCE) if word is not None and can_hold else None

    def wait_for(self, request: Request) -> str | None:
        """Wait until a request is decided."""
        request_id = self._beginning(request)
        return self._command("wait decision", request_id, self._as_me, _PATIENCE) if request_id is not None else None
