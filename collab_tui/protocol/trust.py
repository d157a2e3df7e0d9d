"""Who decided: whether a decision in a person's name was really signed by that person.

    trust = Trust.of_user("human")
    found = trust.judge(decision, request, registry_id)
    found.standing is Standing.SIGNED, found.reason

`decision` and `request` are the events as read from their lines, `request` the one that the decision names by its
`request_id` (None where it names none, or where that request is not there), `registry_id` is `Board.registry_id`.
Only `SIGNED` may be acted on, and only once: see `collab_tui.protocol.used`.

Trusted for the person's name is the key in the user's own configuration folder; for other people's names those under
`[approvers]` in the user's own settings. Agents sign nothing: `concerns` tells whose decisions have a standing at all.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from collab_tui.config import load_config
from collab_tui.model.board import Board, Request, RequestState
from collab_tui.model.event import Event, Item, as_id, parse_time
from collab_tui.model.requests import is_person, is_person_writing, is_to_person
from collab_tui.model.signature import (
    AmbiguousError,
    Judgement,
    Signed,
    Standing,
    digest_of,
    parse,
    registry_id,
    signed_bytes,
)
from collab_tui.model.words import Status, leading_names, name_key, status_of
from collab_tui.protocol.keys import Keyring, PublicKey, SigningKey, public_key
from collab_tui.registry.append import UnusableError

_REMEMBERED: Final = 20_000
"""Judgements that are kept: a decision is looked at again with every frame that shows it."""

CLAIMED: Final = Judgement(Standing.CLAIMED, "it carries no signature: any writer may have written it")


class Trust:
    """Whose keys are trusted for which names, as the user's own settings say."""

    def __init__(self, person: str, approvers: Mapping[str, str] | None = None, keyring: Keyring | None = None) -> None:
        self.keyring = keyring or Keyring()
        self.use(person, approvers or {})

    def use(self, person: str, approvers: Mapping[str, str]) -> None:
        """Go by other settings, with all who share this. Raises `UnusableError` for a key that is none, and stays."""
        keys: dict[str, PublicKey] = {}
        for name, text in approvers.items():
            try:
                keys[name_key(name)] = public_key(text)
            except ValueError as error:
                raise UnusableError(f"the key of the approver {name}: {error}") from error
        self.person = person
        self._approvers = keys
        self._found: dict[tuple[object, ...], Judgement] = {}
        self._prepared: tuple[int, str | None] = (0, None)
        """Up to which position a board was prepared, and of which registry."""

    @classmethod
    def of_user(cls, person: str, registry: Path | None = None) -> Trust:
        """As the user's own settings say, with what they allowed beside a registry. Raises `ConfigError`."""
        return cls(person, load_config(registry).approvers)

    @property
    def has_key(self) -> bool:
        """The person has a key here, so that what is not signed with it is not theirs."""
        return self.keyring.has_key

    def judge_shown(self, decision: Event, request: Event | None, registry_id: str | None) -> Judgement | None:
        """For `Moment.judge`: see `judge`; None for what `concerns` nobody who signs."""
        return self.judge(decision, request, registry_id) if self.concerns(decision) else None

    def concerns(self, decision: Event) -> bool:
        """The event is a decision in the name of somebody who signs: the person, or an approver."""
        return decision.kind == "decision" and decision.agent is not None and self.signs(decision.agent)

    def signs(self, name: str) -> bool:
        """Decisions in this name count only with a signature."""
        return is_person_writing(name, self.person) or name_key(name) in self._approvers

    def is_awaited(self, token: str, is_agent: Callable[[str], bool]) -> bool:
        """Whoever the token names by how it starts signs, as with `human_approval`; `is_agent` knows agents by key."""
        for key in leading_names(token):
            if self.signs(key) or (is_person(key, self.person) and status_of(key) is Status.UNKNOWN):
                return True
            if is_agent(key):
                return False
        return False

    def standing(self, decision: Event, request: Event | None, registry_id: str | None) -> Standing:
        """See `judge`."""
        return self.judge(decision, request, registry_id).standing

    def may_be_acted_on(self, decision: Event, request: Request, registry_id: str | None) -> bool:
        """The decision answers the request: whoever signs did sign it, and what is asked of them nobody else answers.

        Agents take each other's word.
        """
        if self.concerns(decision) and self.standing(decision, request.event, registry_id) is not Standing.SIGNED:
            return False
        asked, writer = {name_key(name) for name in request.targets} & self._approvers.keys(), decision.agent or ""
        is_for_agents = not asked and not is_to_person(request.targets, self.person)
        return is_for_agents or name_key(writer) in asked or is_person_writing(writer, self.person)

    def settling(self, request: Request, registry_id: str | None) -> Event | None:
        """The first decision on a request that may be acted on; none on what was not answered, or was withdrawn."""
        if request.state is not RequestState.ANSWERED:
            return None
        return next((d for d in request.decisions if self.may_be_acted_on(d, request, registry_id)), None)

    def judge(self, decision: Event, request: Event | None, registry_id: str | None) -> Judgement:
        """Check one decision; touches no disk but for the first look at a key, and remembers what it found."""
        if decision.data.get("signature") is None:
            return CLAIMED
        answers = None if request is None else (request.position, request.line)
        key = (decision.position, decision.line, answers, registry_id, self.keyring.public())
        known = self._found  # what is checked by settings of before is not remembered for those of now
        found = known.get(key)
        if found is None:
            found = self._check(decision, request, registry_id)
            if len(known) >= _REMEMBERED:
                known.clear()
            known[key] = found
        return found

    def prepare(self, board: Board) -> None:
        """Look at the key and check what came since the last board, in a thread: then no screen has to wait for it."""
        position, registry = self._prepared
        if self.keyring.refresh() or board.position < position or board.registry_id != registry:
            position = 0
        for request in board.requests:
            if request.decisions and request.decisions[-1].position >= position:
                for decision in request.decisions:
                    self.judge(decision, request.event, board.registry_id)
        self._prepared = board.position, board.registry_id

    def _check(self, decision: Event, request: Event | None, registry_id: str | None) -> Judgement:
        try:
            written = parse(decision.line)
            found = self._check_signature(written, decision, registry_id, Signed.DECISION)
            if found.standing is Standing.SIGNED and (why := _why_not_of(written, decision, request)) is not None:
                return _bad(why)
        except AmbiguousError as error:
            return _bad(f"its line, or the request's, can be read in two ways: {error}")
        return found

    def judge_command(self, command: Event, registry_id: str | None) -> Judgement:
        """The same for the signature of a command, whatever it says. Nothing of it is remembered."""
        if command.data.get("signature") is None:
            return CLAIMED
        try:
            return self._check_signature(parse(command.line), command, registry_id, Signed.COMMAND)
        except AmbiguousError as error:
            return _bad(f"its line can be read in two ways: {error}")

    def _check_signature(
        self, written: Mapping[str, Any], event: Event, registry_id: str | None, what: Signed
    ) -> Judgement:
        """Whether a key that is trusted for its writer signed what is written. Raises `AmbiguousError`."""
        signature, key_id = written.get("signature"), written.get("key_id")
        if not isinstance(signature, str) or not isinstance(key_id, str):
            return _bad("it does not say with which key it was signed")
        mine = [key for key in self._keys_of(event.agent or "") if key.id == key_id]
        if not mine:
            if owner := next((name for name, key in self._keys() if key.id == key_id), None):
                return _bad(f"it is signed with the key of {owner}, not of {event.agent}")
            trouble = f"; your own cannot be used: {self.keyring.trouble}" if self.keyring.trouble else ""
            return Judgement(
                Standing.UNKNOWN_KEY, f"it is signed with the key {key_id[:16]}, which you do not trust{trouble}"
            )
        if not mine[0].verifies(signature, signed_bytes(written, registry_id or "", what)):
            return _bad("it was changed after it was signed, or signed in another registry")
        return Judgement(Standing.SIGNED, f"by {event.agent}, with the key {key_id}")

    def _keys(self) -> list[tuple[str, PublicKey]]:
        own = self.keyring.public()
        return [*([(self.person, own)] if own is not None else []), *self._approvers.items()]

    def _keys_of(self, name: str) -> list[PublicKey]:
        """The keys trusted for a name; `human` is the person, whatever the settings call them."""
        if not is_person_writing(name, self.person):
            return [self._approvers[name_key(name)]] if name_key(name) in self._approvers else []
        return [key for owner, key in self._keys() if is_person_writing(owner, self.person)]


class Onlooker:
    """Judges decisions while the lines go by, for whoever makes no board of them."""

    def __init__(self, trust: Trust, remembered: int = 5000) -> None:
        """`remembered` is how many requests, the newest."""
        self._trust = trust
        self._remembered = remembered
        self._registry_id: str | None = None
        self._requests: OrderedDict[str, Event] = OrderedDict()

    def see(self, item: Item) -> Judgement | None:
        """Take the next line, in file order; gives who wrote it, or None for what is no decision of one who signs.

        A decision on a request from long before, of which too many came since, is not judged either.
        """
        if item.position == 0:
            self._registry_id = registry_id(item)
            self._requests.clear()
        if not isinstance(item, Event):
            return None
        if item.data.get("event") == "decision_request":
            self._requests.setdefault(item.id, item)
            if len(self._requests) > self._remembered:
                self._requests.popitem(last=False)
        if not self._trust.concerns(item):
            return None
        request = self.request_of(item)
        if request is None and len(self._requests) >= self._remembered and as_id(item.data.get("request_id")):
            return None
        return self.judge(item)

    def judge(self, event: Event) -> Judgement:
        """Who wrote an event in the name of somebody who signs, as far as the lines until now tell."""
        return self._trust.judge(event, self.request_of(event), self._registry_id)

    def request_of(self, event: Event) -> Event | None:
        """The request that an event names by its id; None where it names none or that is not remembered."""
        return self._requests.get(as_id(event.data.get("request_id")))


def _why_not_of(written: Mapping[str, Any], decision: Event, request: Event | None) -> str | None:
    """Why a decision whose signature is right does not answer this request; None when it does."""
    named, digest = as_id(written.get("request_id")), written.get("request_digest")
    if not named:
        return None if digest is None else "it was made for a request, and names none"
    if request is None:
        return f"there is no request {named} here"
    if named != request.id:
        return f"it answers another request, {named}"
    if digest is None:
        return "it does not say what the request said"
    if digest != digest_of(request):
        return "the request was changed after it was signed"
    if decision.position < request.position:
        return "it stands before the request"
    expires = parse_time(request.field("expires"))
    if expires is not None and (decision.time is None or decision.time > expires):
        return "the request had expired when it was signed"
    return None


def _bad(reason: str) -> Judgement:
    return Judgement(Standing.BAD, reason)


Seal = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""What `append` calls under its lock, with the whole event, for the fields to add to it."""


def seal_with(key: SigningKey, registry_id: str, request: Event | None = None, what: Signed = Signed.DECISION) -> Seal:
    """Signs what is appended: a decision on a request or, without one, one that nobody asked for; or a command."""

    def seal(event: Mapping[str, Any]) -> dict[str, Any]:
        bound = {"key_id": key.public.id}
        try:
            if request is not None:
                bound["request_digest"] = digest_of(request)
            return bound | {"signature": key.sign(signed_bytes({**event, **bound}, registry_id, what))}
        except AmbiguousError as error:
            raise UnusableError(f"this {what} cannot be signed: {error}") from error

    return seal
