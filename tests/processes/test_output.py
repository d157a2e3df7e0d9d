"""Output in a file: the latest, never more than its bounds, for the user's eyes only."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.processes.output import OutputLog


@given(st.lists(st.binary(max_size=40), max_size=40))
def test_what_is_kept_is_the_end_of_what_was_written_within_bounds(pieces: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        logs = [OutputLog(Path(folder) / "new" / "1.log", 30) for _ in range(2)]
        for number, piece in enumerate(pieces):
            assert logs[number % 2].append(piece)
        parts = [path.read_bytes() for path in (logs[0].before, logs[0].path) if path.exists()]
    assert all(len(part) <= 30 for part in parts)
    kept = b"".join(parts)
    written = b"".join(piece[-30:] for piece in pieces)
    assert written.endswith(kept)
    assert len(kept) == len(written) or kept


@pytest.mark.skipif(os.name == "nt", reason="modes of Unix")
def test_it_is_for_the_user_alone_and_no_link_is_followed(tmp_path: Path) -> None:
    log = OutputLog(tmp_path / "logs" / "1.log")
    assert log.append(b"hello")
    assert log.path.stat().st_mode & 0o777 == 0o600
    assert log.path.parent.stat().st_mode & 0o777 == 0o700
    (tmp_path / "target").touch()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    assert not OutputLog(tmp_path / "link").append(b"hello")
    assert (tmp_path / "target").read_bytes() == b""


def test_what_cannot_be_kept_is_said_and_raises_nothing(tmp_path: Path) -> None:
    (tmp_path / "in the way").touch()
    assert not OutputLog(tmp_path / "in the way" / "1.log").append(b"hello")
