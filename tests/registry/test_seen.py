"""What the board had read before, and how a change of it is told."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collab_tui.model.fold import Fold
from collab_tui.registry import seen
from collab_tui.registry.base import read_to_end
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.registry.seen import change_since, forget, memory_file, recall, remember
from tests.events import lines, updates


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, **__: str(tmp_path / "state"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.jsonl"


def look(path: Path) -> None:
    """Read all of it, and remember it, as the board does."""
    registry = JsonlRegistry(path)
    read_to_end(registry, Fold())
    registry.remember()


def some(count: int, first: int = 0) -> bytes:
    return lines(*(updates("sena", progress=number % 100, n=number) for number in range(first, first + count)))


def test_what_only_grew_was_not_changed(path: Path) -> None:
    path.write_bytes(some(10))
    look(path)
    with path.open("ab") as file:
        file.write(some(5, 10))
    assert change_since(path) is None
    look(path)
    assert change_since(path) is None
    known = recall(path)
    assert known is not None
    assert (known.size, known.lines) == (path.stat().st_size, 15)


def test_nothing_is_known_of_a_registry_that_was_not_read(path: Path) -> None:
    path.write_bytes(some(3))
    assert change_since(path) is None
    path.write_bytes(b"")
    look(path)
    assert recall(path) is None


@pytest.mark.parametrize("count", [3, 200, 30_000])
def test_a_changed_byte_is_told_with_its_lines(path: Path, count: int) -> None:
    """In small and large files, within the small blocks, the large ones and the rest behind them."""
    data = some(count)
    path.write_bytes(data)
    look(path)
    for place in {len(data) // 2, len(data) - 3, len(data) - len(data) // 8}:
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        change = change_since(path)
        assert change is not None
        assert not change.is_another
        assert change.first <= place < change.end
        ((first, last),) = change.lines.runs
        assert first <= data[:place].count(b"\n") + 1 <= last
        assert change.end - change.first <= (4096 if place < 1 << 20 else 1 << 16)


def test_a_removed_end_is_told(path: Path) -> None:
    data = some(2000)
    path.write_bytes(data)
    look(path)
    path.write_bytes(data[: len(data) // 2])
    change = change_since(path)
    assert change is not None
    assert (change.first, change.end, change.lines.count) == (len(data) // 2, len(data), 0)


def test_another_first_line_is_another_registry(path: Path) -> None:
    path.write_bytes(some(5))
    look(path)
    path.write_bytes(some(50, 7))
    change = change_since(path)
    assert change is not None
    assert change.is_another


def test_the_evidence_stays_until_it_is_deleted(path: Path) -> None:
    """A board that comes after the change must not take the changed file for what was always there."""
    data = some(2000)
    path.write_bytes(data)
    look(path)
    for changed in (data.replace(b'"n": 1000', b'"n": 9999'), data[:1000], some(10, 3)):
        path.write_bytes(changed)
        with path.open("ab") as file:
            file.write(some(3000, 5000))
        look(path)
        assert change_since(path) is not None
    forget(path)
    assert change_since(path) is None
    look(path)
    assert change_since(path) is None


def test_only_new_blocks_are_read_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(some(30_000))
    look(path)
    with path.open("ab") as file:
        file.write(some(10, 30_000))
    read: list[int] = []
    digest = seen._digest
    monkeypatch.setattr(seen, "_digest", lambda data: read.append(len(data)) or digest(data))
    look(path)
    assert sum(read) < 3 * (1 << 16)


@pytest.mark.parametrize("kept", [b"", b"[]", b"{}", b"\xff", b'{"size": 5, "blocks": 7}', b"[" * 100_000])
def test_a_broken_memory_is_none_and_made_anew(path: Path, kept: bytes) -> None:
    path.write_bytes(some(3))
    look(path)
    memory_file(path).write_bytes(kept)
    assert change_since(path) is None
    look(path)
    assert recall(path) is not None


@pytest.mark.parametrize("field", ["size", "lines", "first_line", "blocks", "rest", "at"])
@pytest.mark.parametrize("value", [None, -1, "zz", [], "", 1e400])
def test_a_memory_with_an_odd_value_never_fails(path: Path, field: str, value: object) -> None:
    path.write_bytes(some(300))
    look(path)
    place = memory_file(path)
    place.write_text(json.dumps(json.loads(place.read_bytes()) | {field: value}), encoding="utf-8")
    change_since(path)
    look(path)


def test_no_place_to_keep_it_is_no_error(path: Path, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file in place of the folder", encoding="utf-8")
    path.write_bytes(some(3))
    look(path)
    assert change_since(path) is None


def test_a_registry_that_went_away_is_no_error_of_remembering(path: Path) -> None:
    remember(path, 10, 1)
    assert recall(path) is None


@pytest.mark.skipif(sys.platform == "win32", reason="modes are of Unix")
def test_it_is_for_the_users_eyes_only(path: Path) -> None:
    path.write_bytes(some(3))
    look(path)
    place = memory_file(path)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    assert os.listdir(place.parent) == [place.name]


def test_the_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "_MAX_REGISTRIES", 5)
    for number in range(12):
        path = tmp_path / f"{number}.jsonl"
        path.write_bytes(some(2, number))
        look(path)
    assert len(os.listdir(memory_file(path).parent)) == 5
    assert recall(path) is not None


def test_beyond_the_bound_a_removed_end_is_still_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "_MAX_BLOCKS", 4)
    data = some(2000)
    path.write_bytes(data)
    look(path)
    assert change_since(path) is None
    path.write_bytes(data[:-100])
    change = change_since(path)
    assert change is not None
    assert (change.first, change.end) == (len(data) - 100, len(data))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(sizes=st.lists(st.integers(0, 400), min_size=1, max_size=5), place=st.integers(0, 200_000))
def test_however_it_grew_any_changed_byte_of_what_was_read_is_told(path: Path, sizes: list[int], place: int) -> None:
    forget(path)
    path.write_bytes(data := b"")
    for size in sizes:
        data += some(size, len(data))
        path.write_bytes(data)
        look(path)
        assert change_since(path) is None
    if data:
        place %= len(data)
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        change = change_since(path)
        assert change is not None
        assert change.is_another or change.first <= place < change.end
