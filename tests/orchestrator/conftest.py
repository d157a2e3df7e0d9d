"""What tests of runs begin with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.orchestrator.ground import PATIENCE
from tests.orchestrator.stage import Stage


@pytest.fixture
async def in_time() -> AsyncIterator[None]:
    """End a test that hangs: by a timer, as a timeout in a fixture ends nothing but that."""

    def cancel_all() -> None:
        for task in asyncio.all_tasks():
            task.cancel()

    hanging = asyncio.get_running_loop().call_later(2 * PATIENCE, cancel_all)
    yield
    hanging.cancel()


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(tmp_path / "config"))
    monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, **__: str(tmp_path / "state"))
    return Stage(tmp_path)
