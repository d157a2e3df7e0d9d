"""Which of our hooks Codex was told to trust, as its `config.toml` has it.

Codex runs a hook only once the person has trusted that very hook. It notes a digest of it under a name made of the
file, the event and where it stands there. Measured with 0.169.0.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from collab_tui.hooks.wiring.merging import Ours


class Trust(StrEnum):
    """Whether Codex runs our hooks, as far as its configuration tells."""

    TRUSTED = "trusted"
    CHANGED = "changed since it was trusted"
    UNTRUSTED = "not trusted yet"
    OFF = "switched off"
    UNKNOWN = "unknown"
    """Its configuration cannot be read."""


def trust(config: Path, hooks_file: Path, present: Sequence[Ours]) -> Trust:
    """The worst of what holds for any of our hooks."""
    try:
        settings = tomllib.loads(config.read_text(encoding="utf-8"))
    except FileNotFoundError:
        settings = {}
    except (OSError, ValueError):
        return Trust.UNKNOWN
    states = _table(_table(settings.get("hooks")).get("state"))
    found = {_judged(_table(states.get(key(hooks_file, each))), each) for each in present}
    return next((state for state in (Trust.OFF, Trust.UNTRUSTED, Trust.CHANGED) if state in found), Trust.TRUSTED)


def _judged(state: dict[str, Any], each: Ours) -> Trust:
    if state.get("enabled") is False:
        return Trust.OFF
    noted = state.get("trusted_hash")
    if noted is None:
        return Trust.UNTRUSTED
    return Trust.TRUSTED if noted == digest(each) else Trust.CHANGED


def key(hooks_file: Path, each: Ours) -> str:
    """Under which name Codex notes that."""
    return f"{hooks_file}:{_snake(each.event)}:{each.group}:{each.place}"


def digest(each: Ours) -> str:
    """By what Codex notes that it was trusted as it is."""
    handler = {
        "type": "command",
        "command": each.handler.get("command"),
        "timeout": each.handler.get("timeout", 600),
        "async": each.handler.get("async", False),
    }
    if "statusMessage" in each.handler:
        handler["statusMessage"] = each.handler["statusMessage"]
    identity = {"event_name": _snake(each.event), "hooks": [handler]}
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()}"


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _snake(event: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", event).lower()
