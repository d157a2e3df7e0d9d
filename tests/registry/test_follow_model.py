"""The reader against a simple model: whatever happens to the file, its items are the file's complete lines."""

from __future__ import annotations

import json
import os
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from collab_tui.model.event import Event, Item, Unreadable
from collab_tui.registry.append import append
from collab_tui.registry.base import State
from collab_tui.registry.jsonl import _CHUNK, SETTLED_AFTER, JsonlRegistry

LINE = st.one_of(
    st.integers(0, 99).map(lambda number: json.dumps({"agent": "x", "number": number}).encode()),
    st.sampled_from([b"", b"{}", b"[]", b"\xff", b'{"torn', b"\0\0"]),
    st.sampled_from([4_000, 30_000, 70_000]).map(lambda size: b'{"m":"%s"}' % (b"m" * size)),
)
PIECE = st.one_of(LINE, LINE.map(lambda line: line + b"\n"), st.just(b"\n"))
CONTENT = st.lists(PIECE, max_size=4).map(b"".join)


class FileAndReader(RuleBasedStateMachine):
    """A file that everybody does to what they like, and a reader that looks now and then.

    Recognising the file again rests on its first 4 KiB and the 64 bytes before the place read to. So every file begins
    with a stamp: files of different stamps differ there, as those of different events do.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.stamps = count()
        self.now = 0.0
        self.registry = JsonlRegistry(path, monotonic=lambda: self.now)
        self.items: list[Item] = []
        self.read = b""
        """The bytes that the reader took since it last restarted."""
        self.identity: tuple[int, int] | None = None
        self.grew_only = True
        """Nothing but appending happened since the last look."""

    # What happens to the file

    def stamped(self, content: bytes) -> bytes:
        return b'{"stamp":%d}\n%s' % (next(self.stamps), content)

    @rule(number=st.integers())
    def append_ours(self, number: int) -> None:
        if not self.path.exists():
            self.grew_only = False
        before = self.content()
        written = append(str(self.path), {"agent": "sena", "number": number % 1000}, durable=False)
        after = self.content()
        assert after.startswith(before)
        assert json.loads(after.split(b"\n")[-2]) == written

    @precondition(lambda self: self.path.exists())
    @rule(piece=PIECE)
    def append_foreign(self, piece: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(piece)

    @precondition(lambda self: self.path.exists())
    @rule(cut=st.integers(1, 20))
    def tear(self, cut: int) -> None:
        """A writer that died in its line."""
        with self.path.open("ab") as file:
            file.write(b'{"agent":"lubit","status":"working"}'[:cut])

    @precondition(lambda self: self.path.exists())
    @rule(size=st.sampled_from([1, 40, 5000]), line=LINE, follows=st.booleans())
    def nul_fill(self, size: int, line: bytes, follows: bool) -> None:
        """Bytes that are not there yet, or are lost; perhaps with the whole line of another behind them."""
        with self.path.open("ab") as file:
            file.write(b"\0" * size + (b"\n" + line + b"\n" if follows else b""))

    @precondition(lambda self: b"\0" in self.content()[len(self.read) :])
    @rule(line=LINE)
    def nul_becomes_data(self, line: bytes) -> None:
        """What was not there yet comes, where no reader took it for damage before."""
        content = self.content()
        start = content.index(b"\0", len(self.read))
        size = len(content) - start - len(content[start:].lstrip(b"\0"))
        with self.path.open("r+b") as file:
            file.seek(start)
            file.write((line + b"\n" + b" " * size)[:size])

    @rule()
    def time_passes(self) -> None:
        self.now += SETTLED_AFTER

    @precondition(lambda self: self.path.exists())
    @rule(share=st.floats(0, 1))
    def truncate(self, share: float) -> None:
        os.truncate(self.path, int(self.path.stat().st_size * share))
        self.grew_only = False

    @rule(content=CONTENT)
    def replace_by_rename(self, content: bytes) -> None:
        other = self.path.with_suffix(".new")
        other.write_bytes(self.stamped(content))
        other.replace(self.path)
        self.grew_only = False

    @precondition(lambda self: self.path.exists())
    @rule(content=CONTENT)
    def rewrite_in_place(self, content: bytes) -> None:
        self.path.write_bytes(self.stamped(content))
        self.grew_only = False

    @precondition(lambda self: self.path.exists())
    @rule()
    def rewrite_in_the_same_size(self) -> None:
        content = self.content()
        if content.count(b"\n") and content.strip(b"\n"):
            self.path.write_bytes(bytes(byte ^ 1 if byte != 10 and byte ^ 1 != 10 else byte for byte in content))
            self.grew_only = False

    @precondition(lambda self: self.path.exists())
    @rule()
    def delete(self) -> None:
        self.path.unlink()
        self.grew_only = False

    @precondition(lambda self: not self.path.exists())
    @rule(content=CONTENT)
    def recreate(self, content: bytes) -> None:
        self.path.write_bytes(self.stamped(content))
        self.grew_only = False

    # The reader

    @rule()
    def look(self) -> None:
        content = self.content()
        ahead = self.registry.since(0)
        restarts = []
        while True:
            news = self.registry.read_next()
            if news.restarted is not None:
                restarts.append(news.restarted)
                self.items.clear()
                self.read = b""
            self.items += news.items
            if not news.remaining:
                break
        if not self.path.exists():
            assert news.state is State.MISSING
            assert restarts == []
            return
        assert news.state is State.READY
        complete = content[: content.rfind(b"\n") + 1]
        if not content.startswith(self.read):
            raise AssertionError("the part that was read changed, and nobody said so")
        lines = complete.split(b"\n")[:-1]
        taken = [item.line for item in self.items]
        assert taken == lines[: len(taken)]
        if taken != lines:
            assert b"\0" in lines[len(taken)], "only NUL bytes are waited at"
            assert len(complete) - sum(map(len, taken)) - len(taken) < 2 * _CHUNK, "only near the end"
        assert [item.position for item in self.items] == list(range(len(self.items)))
        assert [item.line for item in ahead] == lines
        complete = b"".join(line + b"\n" for line in taken)
        assert all(isinstance(item, Event | Unreadable) for item in self.items)
        status = self.path.stat()
        identity = (status.st_dev, status.st_ino)
        if self.grew_only:
            assert restarts == []
        assert len(restarts) <= 1
        if restarts == ["replaced"]:
            assert identity != self.identity
        self.identity = identity
        self.read = complete
        self.grew_only = True

    @precondition(lambda self: self.path.exists())
    @rule()
    def look_once(self) -> None:
        """One look may leave some for the next; what it gave stays right."""
        news = self.registry.read_next()
        if news.restarted is not None:
            assert not self.grew_only
            self.items.clear()
        self.items += news.items
        status = self.path.stat()
        self.identity = (status.st_dev, status.st_ino)
        content = self.content()
        lines = content.split(b"\n")[:-1]
        assert [item.line for item in self.items] == lines[: len(self.items)]
        self.read = b"".join(item.line + b"\n" for item in self.items)
        self.grew_only = True

    @invariant()
    def looking_up_ends(self) -> None:
        """Whatever happened since the last look: a lookup ends, and is right if nothing did."""
        found = self.registry.items(0, len(self.items))
        if self.grew_only:
            assert list(found) == self.items

    def content(self) -> bytes:
        return self.path.read_bytes() if self.path.exists() else b""


@pytest.mark.skipif(os.name == "nt", reason="inodes")
def test_the_reader_against_the_model(tmp_path: Path) -> None:
    numbers = count()

    def machine() -> FileAndReader:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        return FileAndReader(folder / "registry.jsonl")

    run_state_machine_as_test(machine, settings=settings(deadline=None, max_examples=150, stateful_step_count=30))


STEPS = {
    "truncated": lambda path: os.truncate(path, 5),
    "replaced": lambda path: (
        path.with_suffix(".n").write_bytes(path.read_bytes()),
        path.with_suffix(".n").replace(path),
    ),
    "rewritten": lambda path: path.write_bytes(b"{}\n" * 10),
}


@pytest.mark.parametrize("what", STEPS)
def test_what_happened_is_said_once(tmp_path: Path, what: str) -> None:
    path = tmp_path / "registry.jsonl"
    path.write_bytes(b'{"agent":"x"}\n')
    registry = JsonlRegistry(path)
    assert len(list(registry.read_next().items)) == 1
    assert registry.read_next().restarted is None
    STEPS[what](path)
    assert registry.read_next().restarted == what
    assert registry.read_next().restarted is None


def test_a_file_that_kept_its_beginning_and_size_is_recognised_by_what_stands_before_the_place(tmp_path: Path) -> None:
    path = tmp_path / "registry.jsonl"
    content = b'{"agent":"x"}\n' * 1000
    path.write_bytes(content)
    registry = JsonlRegistry(path)
    list(registry.read_next().items)
    path.write_bytes(content[:-14] + b'{"agent":"y"}\n')
    assert registry.read_next().restarted == "rewritten"


def test_truncated_in_the_middle_of_a_too_long_line(tmp_path: Path) -> None:
    path = tmp_path / "registry.jsonl"
    path.write_bytes(b"{}\n" + b"m" * (3 << 20))
    registry = JsonlRegistry(path)
    items = []
    while (news := registry.read_next()).remaining:
        items += news.items
    path.write_bytes(b"{}\n[]\n")
    news = registry.read_next()
    assert news.restarted == "truncated"
    assert [item.line for item in news.items] == [b"{}", b"[]"]
