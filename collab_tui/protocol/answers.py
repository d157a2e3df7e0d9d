"""Answering what waits: deciding, unblocking, sending words. Each writes one line, and the board follows from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any

from collab_tui.model.board import Blocker, Request, RequestKind
from collab_tui.model.event import Event
from collab_tui.model.fold import Fold
from collab_tui.model.requests import closes, is_person_writing, verdict_of
from collab_tui.model.signature import Signed, Standing, registry_id
from collab_tui.model.words import name_key
from collab_tui.protocol.trust import Seal, Trust, seal_with
from collab_tui.registry.append import RefusedError
from collab_tui.registry.base import Registry


class Verdict(StrEnum):
    """An answer that is meant as a verdict: the same words in a plain text may be the answer to a question."""

    APPROVED = "approved"
    REJECTED = "rejected"


def decision(request: Request, by: str, given: str, comment: str | None = None) -> dict[str, Any]:
    """The event that answers a request.

    `given` is `approved` or `rejected`, or the answer in words (for a choice: one of its options).
    """
    is_verdict = given in set(Verdict) and request.kind is RequestKind.APPROVAL
    event = {"agent": by, "event": "decision", "request_id": request.id, "verdict" if is_verdict else "answer": given}
    return event | ({"comment": comment} if comment else {})


def unasked_decision(by: str, target: str, about: str, given: str, comment: str | None = None) -> dict[str, Any]:
    """The event of a decision that nobody asked for."""
    event = {"agent": by, "event": "decision", "target": target, "decision_for": about}
    event["verdict" if given in set(Verdict) else "answer"] = given
    return event | ({"comment": comment} if comment else {})


def resolution(by: str, target: str | None, blocker: str, comment: str | None = None) -> dict[str, Any]:
    """The event that removes a blocker: from one agent, or from all that have exactly it."""
    event = {"agent": by, "event": "blocker_resolved", "blocker": blocker}
    return event | ({"target": target} if target else {}) | ({"comment": comment} if comment else {})


def message(by: str, target: str, text: str) -> dict[str, Any]:
    """The event that says something to an agent, or to `all`."""
    return {"agent": by, "event": "message", "target": target, "message": text}


def answer(
    registry: Registry,
    request: Request,
    by: str,
    given: str,
    comment: str | None = None,
    *,
    known: int,
    person: str,
    clock: Callable[[], datetime],
    trust: Trust | None = None,
) -> dict[str, Any]:
    """Append the decision on a request, once: nothing is written if it was closed or has expired meanwhile.

    `known` is the position of the board on which the request was open. With `trust`, a decision in the person's name is
    signed, and what was answered in their name without a signature can still be answered. Raises `RefusedError` with
    what happened to it or why `by` cannot answer it, `KeyFileError`, or what else the append raises.
    """
    if reason := why_not_by(request, by, person):
        raise RefusedError(reason)
    given = fitting(request, given)
    return registry.append(
        decision(request, by, given, comment),
        unless=lambda: why_closed(registry, request, known=known, person=person, now=clock(), trust=trust),
        seal=seal_of(registry, trust, request.event) if trust is not None and is_person_writing(by, person) else None,
    )


def seal_of_release(registry: Registry, trust: Trust, by: str, blocker: Blocker) -> Seal | None:
    """Signs what resolves a blocker that waits for the person's word: see `released`. Raises `KeyFileError`.

    None for what nobody has to sign: another's word, or about what anybody may resolve.
    """
    is_theirs = is_person_writing(by, trust.person) and is_awaited(trust, blocker)
    return seal_of(registry, trust, None) if is_theirs else None


def is_awaited(trust: Trust, blocker: Blocker) -> bool:
    """The blocker may wait for the word of somebody who signs."""
    return trust.is_awaited(blocker.text, lambda key: False)


def seal_of(registry: Registry, trust: Trust, request: Event | None, what: Signed = Signed.DECISION) -> Seal:
    """Signs a decision, or a command, of the person in this registry. Raises `KeyFileError`."""
    key, first = trust.keyring.signing_key(), registry.items(0, 1)
    if not first:
        raise RefusedError("the registry has no first line that says which one it is")
    return seal_with(key, registry_id(first[0]), request, what)


def why_not_by(request: Request, by: str, person: str) -> str | None:
    """Why a decision of this writer would not close the request; None if it would. See `closes`."""
    if name_key(by) == name_key(request.asker):
        return "nobody answers their own request"
    if request.to_person and not is_person_writing(by, person):
        return f"it waits for {person}, and {by} is another"
    return None


def fitting(request: Request, given: str) -> str:
    """The answer as it is written to a request of this kind; raises `RefusedError` for one that would answer nothing.

    Any word for yes or no is a verdict on an approval. A choice may be answered in other words than its options.
    """
    if request.kind is RequestKind.APPROVAL:
        if (verdict := verdict_of(given)) is not None:
            return verdict
        if given not in request.options:
            raise RefusedError("it is an approval: approve or reject it, with words as the comment")
    elif given not in request.options:
        if request.kind is RequestKind.CHOICE and given in set(Verdict):
            raise RefusedError("it is a choice: answer with one of its options")
        if isinstance(given, Verdict):
            raise RefusedError("it is a question: answer it in words")
        if not given.strip():
            raise RefusedError("an empty answer says nothing")
    return str(given)


def why_closed(
    registry: Registry, request: Request, *, known: int, person: str, now: datetime, trust: Trust | None = None
) -> str | None:
    """Why a request can no longer be answered, read afresh from the registry; None while it can.

    With `trust`, what is not signed by the person does not close what waits for them.
    """
    if request.expires is not None and request.expires <= now:
        return "it has expired"
    newer = registry.since(known)
    first, still = registry.items(0, 1), registry.items(request.position, request.position + 1)
    if not (first and still) or not isinstance(still[0], Event) or still[0].line != request.event.line:
        return "the registry was replaced meanwhile"
    asked_of = trust if request.to_person else None
    here = registry_id(first[0]) if asked_of is not None else None
    for item in (*(request.decisions if asked_of is not None else ()), *newer):
        if isinstance(item, Event) and closes(item, request.id, request.asker, request.to_person, person):
            if item.kind == "request_withdrawn":
                return f"{item.agent} withdrew it meanwhile"
            if asked_of is not None and asked_of.standing(item, request.event, here) is not Standing.SIGNED:
                continue
            return f"{item.agent} answered it meanwhile: {item.text('verdict') or item.text('answer') or ''}".rstrip(
                ": "
            )
    return None


def why_not_blocked(registry: Registry, agent: str, blocker: Blocker, *, known: int) -> str | None:
    """Why an agent has no such blocker any more, read afresh from the registry; None while it has it.

    It had it at position `known`. What ends it depends on the line that raised it and on the lines since, so no others
    are folded.
    """
    newer = registry.since(known)
    is_another = bool(newer) and newer[0].position < known
    fold = Fold()
    fold.extend(registry.items(blocker.position, blocker.position + 1))
    if is_another or not _has(fold, agent, blocker):
        return "the registry was replaced meanwhile"
    fold.extend(newer)
    return None if _has(fold, agent, blocker) else f"{agent} does not have this blocker any more: {blocker.text}"


def _has(fold: Fold, agent: str, blocker: Blocker) -> bool:
    found = fold.board().agent(agent)
    return found is not None and any(held.text == blocker.text for held in found.blockers)
