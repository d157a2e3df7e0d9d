"""What the tests of rules at work share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reactions.desk import Desk


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, **__: str(tmp_path / "state"))
    monkeypatch.delenv("COLLAB_CAUSE", raising=False)
    return Desk(tmp_path)
