"""Looking ahead: the end of a registry at its right positions, before the rest was read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collab_tui.registry import jsonl
from collab_tui.registry.jsonl import JsonlRegistry


@settings(max_examples=60)
@given(sizes=st.lists(st.integers(0, 400), max_size=60), tail=st.binary(max_size=30), chunk=st.integers(64, 2000))
def test_it_is_the_end_of_what_reading_gives(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], tail: bytes, chunk: int
) -> None:
    path = tmp_path_factory.mktemp("ahead") / "registry.jsonl"
    path.write_bytes(b"".join(b'{"m":"%s"}\n' % (b"x" * size) for size in sizes) + tail.replace(b"\n", b""))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonl, "_CHUNK", chunk)
        patch.setattr(jsonl, "_BLOCK", 500)
        ahead = JsonlRegistry(path).last_items()
    registry, read = JsonlRegistry(path), []
    while True:
        news = registry.read_next()
        read += news.items
        if not news.remaining:
            break
    assert list(ahead) == read[len(read) - len(ahead) :]
    assert ahead or not sizes or sizes[-1] + 9 + len(tail) >= chunk


def test_nothing_there_is_nothing_ahead(tmp_path: Path) -> None:
    assert list(JsonlRegistry(tmp_path / "none.jsonl").last_items()) == []
