"""Which decisions in the person's name can be trusted: what is wrong with their signatures, over a whole registry."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from collab_tui.model.event import Event, Item
from collab_tui.model.findings import Finding, Severity, Subject, at_most, said
from collab_tui.model.lines import LineTally, lines_at
from collab_tui.model.signature import Judgement, Standing
from collab_tui.model.text import clean, one_line
from collab_tui.protocol.trust import Onlooker, Trust

_MAX_REQUESTS: Final = 50_000
"""Requests that are remembered until somebody decides on them, the newest."""
_MAX_BAD: Final = 1000


class Decided:
    """Takes every line in file order; judges the decisions of those who sign."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._onlooker = Onlooker(trust, _MAX_REQUESTS)
        self._bad: list[tuple[Event, str]] = []
        self._unknown = LineTally()
        self._unsigned = LineTally()
        self._unsigned_before = LineTally()
        """Without a signature, but from before the person had a key."""
        self._has_signed = False
        self._key_since = _made_at(trust)

    def extend(self, items: Iterable[Item]) -> None:
        """Take the next lines."""
        for item in items:
            judgement = self._onlooker.see(item)
            if judgement is not None and isinstance(item, Event):
                self._note(item, judgement)

    def _note(self, decision: Event, judgement: Judgement) -> None:
        match judgement.standing:
            case Standing.SIGNED:
                self._has_signed = True
            case Standing.BAD if len(self._bad) < _MAX_BAD:
                self._bad.append((decision, judgement.reason))
            case Standing.UNKNOWN_KEY:
                self._unknown.add(decision.position)
            case Standing.CLAIMED:
                tally = self._unsigned_before if self._is_from_before(decision) else self._unsigned
                tally.add(decision.position)

    def _is_from_before(self, decision: Event) -> bool:
        """The person had no key then, as far as the order of lines and the decision's own time tell."""
        if self._key_since is None:
            return True
        return not self._has_signed and decision.time is not None and decision.time < self._key_since

    def findings(self) -> list[Finding]:
        """What is wrong with the person's key and with signatures."""
        return [
            *self._key_trouble(),
            *at_most((_bad(*found) for found in self._bad), "decisions with signatures that are wrong"),
            *self._signed_by_others(),
            *self._without_signature(),
        ]

    def _key_trouble(self) -> list[Finding]:
        self._trust.keyring.public()
        if (trouble := self._trust.keyring.trouble) is None:
            return []
        text = f"your signing key cannot be used: {one_line(clean(trouble))}"
        mend = "Until then nothing can be signed in your name, and your signatures cannot be checked."
        return [Finding(Severity.WARNING, Subject.SIGNATURES, "signing_key", text, mend)]

    def _signed_by_others(self) -> list[Finding]:
        if not (count := self._unknown.count):
            return []
        told = "decision is signed with a key" if count == 1 else "decisions are signed with keys"
        text = f"{count} {told} that you do not trust"
        mend = "If somebody you know decided, put their public key under [approvers] in your own settings."
        return [Finding(Severity.WARNING, Subject.SIGNATURES, "unknown_key", text, mend, self._unknown.lines)]

    def _without_signature(self) -> list[Finding]:
        found = []
        if count := self._unsigned.count:
            told = "decision in a person's name carries" if count == 1 else "decisions in a person's name carry"
            text = f"{count} {told} no signature: any writer may have written that"
            mend = "If it was not you, somebody writes in your name; decide again, which is signed now."
            found.append(Finding(Severity.WARNING, Subject.SIGNATURES, "claimed", text, mend, self._unsigned.lines))
        if count := self._unsigned_before.count:
            told = "decision in a person's name carries" if count == 1 else "decisions in a person's name carry"
            since = " from before you had a key" if self._key_since is not None else ""
            text = f"{count} {told} no signature{since}"
            mend = "" if self._key_since is not None else "Make a key, `collab-tui key make`, and yours will."
            lines = self._unsigned_before.lines
            found.append(Finding(Severity.NOTE, Subject.SIGNATURES, "claimed_before_key", text, mend, lines))
        return found


def _bad(decision: Event, reason: str) -> Finding:
    text = f"the signature of a decision of {said(decision.agent)} is wrong: {said(reason)}"
    mend = "Take it for nobody's decision: look at the line in the log, and decide again."
    return Finding(Severity.ERROR, Subject.SIGNATURES, "bad_signature", text, mend, lines_at((decision.position,)))


def _made_at(trust: Trust) -> datetime | None:
    """When the person's key was made; None when there is none."""
    try:
        return datetime.fromtimestamp(os.lstat(trust.keyring.path).st_mtime, UTC)
    except (OSError, OverflowError, ValueError):
        return None
