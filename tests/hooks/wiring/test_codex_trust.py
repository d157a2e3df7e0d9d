"""Whether Codex was told to trust our hooks. The digests are those that Codex 0.169.0 told of these very entries."""

from __future__ import annotations

from pathlib import Path

import pytest

from collab_tui.hooks.wiring.codex_trust import Trust, trust
from collab_tui.hooks.wiring.merging import EMPTY, Ours, connected, ours

COMMAND = "/opt/collab-tui hook codex --as sena"
ENTRIES = {
    "PreToolUse": [{"type": "command", "command": COMMAND, "async": True, "timeout": 30}],
    "PermissionRequest": [
        {
            "type": "command",
            "command": COMMAND,
            "timeout": 60,
            "statusMessage": "asked on the board of collab-tui",
        }
    ],
}
DIGESTS = {
    "pre_tool_use": "cb590edf435b13e8e434e6f2aa2600e4e8235cb2e783fba77bab798398570d30",
    "permission_request": "04b9dfc36c3001c1e68063bda6635dbd352a234763fd9d4f92a4280df789ef2e",
}
FILE = Path("/w/demo/.codex/hooks.json")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def present() -> list[Ours]:
    return ours(connected(EMPTY, "codex", ENTRIES), "codex")


def states(**changed: str) -> str:
    digests = {event: f'trusted_hash = "sha256:{digest}"' for event, digest in DIGESTS.items()} | changed
    return "\n".join(f'[hooks.state."{FILE}:{event}:0:0"]\n{line}' for event, line in digests.items())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, Trust.UNTRUSTED),
        ("", Trust.UNTRUSTED),
        (states(), Trust.TRUSTED),
        (states(pre_tool_use='trusted_hash = "sha256:00"'), Trust.CHANGED),
        (states(pre_tool_use=""), Trust.UNTRUSTED),
        (states(pre_tool_use="enabled = false"), Trust.OFF),
        (states().replace(".codex", ".other"), Trust.UNTRUSTED),
        ("hooks = 3", Trust.UNTRUSTED),
        ("[hooks]\nstate = []", Trust.UNTRUSTED),
        ("not toml", Trust.UNKNOWN),
    ],
)
def test_the_worst_of_all_our_hooks_counts(config: Path, text: str | None, expected: Trust) -> None:
    if text is not None:
        config.write_text(text, encoding="utf-8")
    assert trust(config, FILE, present()) is expected
