"""Every test of the board sees the same time, zone, terminal and folder, and none of the user's settings."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from textual.widgets import Input, TextArea

from collab_tui.config import user_config_file
from collab_tui.protocol.presence import AGENT_MARKS
from collab_tui.registry import append, follow
from tests.signing import install_key
from tests.tui.scenes import NOW


@pytest.fixture(autouse=True)
def _same_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("TZ", "UTC")
    for name in ("NO_COLOR", "TEXTUAL_THEME", "COLLAB_REGISTRY", *AGENT_MARKS):
        monkeypatch.delenv(name, raising=False)
    install_key(user_config_file().parent)
    monkeypatch.chdir(tmp_path)
    # Events that the board appends are of the scene's time.
    clock = {name: getattr(time, name) for name in ("monotonic", "sleep", "strftime", "gmtime")}
    monkeypatch.setattr(append, "time", SimpleNamespace(**clock, time=NOW.timestamp))
    # A container's file system may be one that announces nothing; the tests' folder is a plain one.
    monkeypatch.setattr(follow, "silent_file_system", lambda path: None)
    for widget in (Input, TextArea):
        monkeypatch.setattr(widget.cursor_blink, "_default", False)
    _set_zone()
    yield
    monkeypatch.undo()
    _set_zone()


@pytest.fixture
def atlas(monkeypatch: pytest.MonkeyPatch) -> None:
    """The board runs on the machine of the samples."""
    from tests.tui.atlas import Atlas

    monkeypatch.setattr("collab_tui.tui.machine.Machine", Atlas)


def _set_zone() -> None:
    if sys.platform != "win32":
        time.tzset()
