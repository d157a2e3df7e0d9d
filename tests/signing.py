"""A person's key for tests, always the same, and decisions signed with it as the board signs them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from collab_tui.model.event import Event, decode
from collab_tui.model.signature import Standing, registry_id
from collab_tui.protocol.keys import NAME, Keyring, SigningKey
from collab_tui.protocol.trust import Onlooker, Trust, seal_with

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = SigningKey(PRIVATE)
OTHER_KEY = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
THIRD_KEY = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34))))


def pem(private: Any = PRIVATE) -> bytes:
    """A private key as its file holds it."""
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def install_key(folder: Path) -> Keyring:
    """Put the person's key where it is looked for."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / NAME
    path.write_bytes(pem())
    os.chmod(path, 0o600)
    return Keyring(folder)


def signed(decision: dict[str, Any], registry: bytes, key: SigningKey = KEY) -> dict[str, Any]:
    """A decision signed over the request that it names in a registry of these lines."""
    events = list(decode(registry, 0))
    asked = [item for item in events if isinstance(item, Event) and item.id == decision.get("request_id")]
    return decision | seal_with(key, registry_id(events[0]), asked[0] if asked else None)(decision)


def install_key_at(home: Path) -> Keyring:
    """The same for the processes of `tests.program.environment`."""
    settings = home / "Library" / "Application Support" if sys.platform == "darwin" else home / "config"
    return install_key(settings / "collab-tui")


def state_at(home: Path) -> Path:
    """What the same processes keep for the user."""
    state = home / "Library" / "Application Support" if sys.platform == "darwin" else home / ".local" / "state"
    return state / "collab-tui"


def standing_of_last(registry: bytes, person: str = "human") -> Standing | None:
    """Who wrote the last line, to somebody who trusts the person's key."""
    onlooker = Onlooker(Trust("somebody else", {person: KEY.public.text}, Keyring(Path("no such folder"))))
    return [judgement.standing if judgement else None for judgement in map(onlooker.see, decode(registry, 0))][-1]
