"""What is signed of an event: its canonical form, with the registry it stands in and the request it answers."""

from __future__ import annotations

from enum import StrEnum


class Standing(StrEnum):
    """What can be said of who wrote a decision in a person's name."""

    SIGNED = "signed"
    """With a key that is trusted for that name, over exactly these words, this request and this registry."""
    CLAIMED = "claimed"
    """It carries no signature: any writer may have written it."""
    UNKNOWN_KEY = "unknown_key"
    """Signed with a key that nobody here trusts."""
    BAD = "bad"
    """The signature is not over what the line and the registry say."""
