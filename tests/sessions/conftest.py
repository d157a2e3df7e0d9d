"""What the tests of sessions share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sessions.house import House, use_agents
from tests.sessions.repositories import Project


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A project whose agents do as the test says; `sena` and `lubit` are defined."""
    use_agents(monkeypatch)
    made = House(tmp_path, monkeypatch)
    made.define("sena", ["sena"])
    made.define("lubit", ["lubit"])
    return made


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "home").mkdir()
    return Project(tmp_path / "work", tmp_path / "home")
