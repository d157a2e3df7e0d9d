"""What is signed of a decision or a command: its canonical form, with the registry it stands in; of a decision also the
request that it answers.

Everything here is a pure function of lines as they were written. An `Event` holds cleaned text; two lines that read
the same on the screen may differ in what was cleaned away, so its line is parsed again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from collab_tui.model.event import Event, Item


class Signed(StrEnum):
    """What is signed. It stands before it: a signature made with the same key for anything else is none of it."""

    DECISION = "decision"
    COMMAND = "command"


class Standing(StrEnum):
    """What can be said of who wrote a decision or a command in a person's name."""

    SIGNED = "signed"
    """With a key that is trusted for that name, over exactly these words, this request and this registry."""
    CLAIMED = "claimed"
    """It carries no signature: any writer may have written it."""
    UNKNOWN_KEY = "unknown_key"
    """Signed with a key that nobody here trusts."""
    BAD = "bad"
    """The signature is not over what the line and the registry say."""


class Judgement(NamedTuple):
    """What is known of who wrote one decision or command, and why."""

    standing: Standing
    reason: str
    """In words for the person: by which key, or which check failed."""


class AmbiguousError(ValueError):
    """A line that two readers may understand differently, or that has no canonical form; the text says why."""


def parse(line: bytes) -> dict[str, Any]:
    """The object of a line exactly as written. Raises `AmbiguousError` where readers of JSON disagree about it.

    Of a name that stands in an object twice some take the first value, others the last; NaN, numbers beyond a double
    and a byte order mark are read by some only.
    """
    try:
        value = json.loads(line.decode("utf-8"), object_pairs_hook=without_repetition, parse_constant=_no_number)
    except AmbiguousError:
        raise
    except (ValueError, RecursionError) as error:
        raise AmbiguousError("it is no strict JSON") from error
    if not isinstance(value, dict):
        raise AmbiguousError("it is no JSON object")
    return value


def without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, for `json.loads`. Raises `AmbiguousError` for a name that stands in it twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise AmbiguousError(f"{twice[:40]!a} stands in it twice")
    return found


def _no_number(text: str) -> Any:
    raise AmbiguousError(f"{text} is no JSON number")


def canonical(value: Mapping[str, Any]) -> bytes:
    """The one form of a JSON object that does not depend on the order of names, spaces and escapes.

    Half an emoji, as programs write that cut texts, keeps its place. Raises `AmbiguousError` for what has no form: an
    infinite number, too deep a nesting.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
        return text.encode("utf-8", "surrogatepass")
    except (TypeError, ValueError, RecursionError) as error:
        raise AmbiguousError("it has no canonical form") from error


def digest_of(request: Event) -> str:
    """The SHA-256 of the canonical form of a request's line, in hex. Raises `AmbiguousError`."""
    return hashlib.sha256(canonical(parse(request.line))).hexdigest()


def signed_bytes(event: Mapping[str, Any], registry_id: str, what: Signed = Signed.DECISION) -> bytes:
    """What a signature is over: every field but the signature itself, and the registry. Raises `AmbiguousError`."""
    return f"collab-tui {what} 1\n".encode() + canonical({"registry": registry_id, what.value: _unsigned(event)})


def identity_of(signed: Event) -> str:
    """The SHA-256, in hex, of all that a decision or a command says but its signature: the same however it is spelled
    and wherever it stands. Raises `AmbiguousError`.
    """
    return hashlib.sha256(canonical(_unsigned(parse(signed.line)))).hexdigest()


def _unsigned(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != "signature"}


def registry_id(first: Item) -> str:
    """The id of the registry whose first line this is: the one that a `registry_created` gives it, else its digest."""
    if isinstance(first, Event) and first.kind == "registry_created" and (given := first.text("registry")):
        return given
    return hashlib.sha256(first.line).hexdigest()
