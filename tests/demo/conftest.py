import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from collab_tui.demo.performance import Performance, performance


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Demos of this test live in a folder of their own."""
    folder = tmp_path.resolve() / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def show(temporary_folder: Path) -> Iterator[Performance]:
    """The story at high speed, with all three present. Afterwards nothing of it is left and nobody complained."""
    with performance("human", speed=40) as playing:
        playing.wait_until_present()
        yield playing
        assert playing.complaints() == []
    assert not any(temporary_folder.iterdir())
