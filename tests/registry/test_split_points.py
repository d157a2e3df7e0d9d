"""A file that grows gives the same items wherever it is cut, and none early."""

from __future__ import annotations

from pathlib import Path

from collab_tui.model.event import Item, Unreadable
from collab_tui.registry.base import State
from collab_tui.registry.jsonl import JsonlRegistry

CONTENT = (
    b"\xef\xbb\xbf"
    + '{"agent":"sena","message":"검증 🚀 a\u2028b"}\r\n'.encode()
    + b'{"agent":"lubit"}\n'
    + b"\n"
    + '{"agent":"s\xe9na"}\n'.encode("latin-1")
    + b'{"torn{"agent":"x"}\n'
    + b'{"a":1}{"b":2}\n'
    + b'{"agent":"gitcode","progress":NaN}\n'
)
LINES = CONTENT.split(b"\n")[:-1]


def whole(path: Path) -> list[Item]:
    path.write_bytes(CONTENT)
    return list(JsonlRegistry(path).read_next().items)


def test_one_read(tmp_path: Path) -> None:
    items = whole(tmp_path / "whole.jsonl")
    assert [item.line for item in items] == LINES
    assert sum(isinstance(item, Unreadable) for item in items) == 4


def test_byte_by_byte(tmp_path: Path) -> None:
    expected = whole(tmp_path / "whole.jsonl")
    path = tmp_path / "growing.jsonl"
    path.touch()
    registry = JsonlRegistry(path)
    items: list[Item] = []
    with path.open("ab", buffering=0) as file:
        for end in range(1, len(CONTENT) + 1):
            file.write(CONTENT[end - 1 : end])
            news = registry.read_next()
            items += news.items
            assert news.state is State.READY
            assert news.restarted is None
            assert len(items) == CONTENT[:end].count(b"\n")
    assert items == expected


def test_every_split_point(tmp_path: Path) -> None:
    expected = whole(tmp_path / "whole.jsonl")
    for split in range(len(CONTENT) + 1):
        path = tmp_path / f"{split}.jsonl"
        path.write_bytes(CONTENT[:split])
        registry = JsonlRegistry(path)
        first = list(registry.read_next().items)
        assert len(first) == CONTENT[:split].count(b"\n")
        with path.open("ab") as file:
            file.write(CONTENT[split:])
        assert first + list(registry.read_next().items) == expected
        assert list(registry.items(0, len(expected))) == expected


def test_long_lines_around_the_size_of_a_piece(tmp_path: Path) -> None:
    """Cuts near the borders of what is read at once, a too long line included."""
    lines = [b'{"m":"%s"}' % (b"m" * size) for size in (10, 65_520, 65_530, 1 << 20, 200_000, 5)]
    content = b"\n".join([*lines, b""])
    whole_path = tmp_path / "whole.jsonl"
    whole_path.write_bytes(content)
    expected = read_all(JsonlRegistry(whole_path))
    borders = {1 << 16, 1 << 17, 1 << 20, (1 << 20) + (1 << 16), (1 << 20) + (1 << 17)}
    borders |= {sum(len(line) + 1 for line in lines[:number]) for number in range(1, len(lines))}
    for border in borders:
        for split in (border - 1, border, border + 1):
            path = tmp_path / f"{split}.jsonl"
            path.write_bytes(content[:split])
            registry = JsonlRegistry(path)
            items = read_all(registry)
            assert len(items) == content[:split].count(b"\n")
            with path.open("ab") as file:
                file.write(content[split:])
            assert items + read_all(registry) == expected
            assert list(registry.items(0, len(lines))) == expected
            path.unlink()


def read_all(registry: JsonlRegistry) -> list[Item]:
    items: list[Item] = []
    while True:
        news = registry.read_next()
        items += news.items
        if not news.remaining:
            return items
