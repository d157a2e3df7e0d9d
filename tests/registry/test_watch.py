"""Noticing new events: what wakes the reader, and what happens when nothing would."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from collab_tui.registry import filesystem, follow
from collab_tui.registry.follow import Watch
from tests.program import PATIENCE

SHORT = 0.05


@pytest.fixture(autouse=True)
def quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """The polls come at once, and the disk of the tests counts as local whatever it is."""
    monkeypatch.setattr(follow, "SLOW_POLL", SHORT)
    monkeypatch.setattr(follow, "NETWORK_POLL", SHORT)
    monkeypatch.setattr(follow, "silent_file_system", lambda path: None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.jsonl"


@asynccontextmanager
async def awake(watch: Watch) -> AsyncIterator[Callable[[], asyncio.Future[None]]]:
    """Gives what waits for the next wake-up."""
    async with asyncio.timeout(PATIENCE), aclosing(watch.wakeups()) as wakeups:
        yield lambda: anext(wakeups)


async def announced_after(watch: Watch, change: Callable[[], object]) -> None:
    """Change something at each wake-up until the watcher, not the poll, is what woke us."""
    async with awake(watch) as next_wakeup:
        await next_wakeup()
        await next_wakeup()  # now it watches
        while True:
            change()
            await next_wakeup()
            if watch._announced:
                return


def append_to(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"{}\n")


async def test_an_append_is_announced(path: Path) -> None:
    append_to(path)
    watch = Watch(path)
    assert watch.method == "watching"
    await announced_after(watch, lambda: append_to(path))
    assert watch.poll is None


async def test_a_file_that_does_not_exist_yet_is_announced(path: Path) -> None:
    def make() -> None:
        path.unlink(missing_ok=True)
        append_to(path)

    await announced_after(Watch(path), make)


async def test_a_rename_over_is_announced(path: Path) -> None:
    """A watch on the file would say nothing for ever from here on."""
    append_to(path)

    def replace() -> None:
        other = path.with_suffix(".new")
        other.write_bytes(b"{}\n")
        other.replace(path)

    watch = Watch(path)
    await announced_after(watch, replace)
    await announced_after(watch, lambda: append_to(path))


async def test_a_deletion_is_announced(path: Path) -> None:
    def delete() -> None:
        append_to(path)
        path.unlink()

    await announced_after(Watch(path), delete)


async def test_a_folder_that_does_not_exist_yet(tmp_path: Path) -> None:
    path = tmp_path / ".collab" / "registry.jsonl"
    watch = Watch(path)
    async with awake(watch) as next_wakeup:
        for _ in range(4):
            await next_wakeup()
            watch.found(False)
        path.parent.mkdir()
        path.touch()
        await next_wakeup()
        watch.found(True)  # nothing watched that could have missed it
        await next_wakeup()
        watch.found(False)
        while True:
            append_to(path)
            await next_wakeup()
            if watch._announced and watch.poll is None:
                break
    assert watch.method == "watching"


async def test_a_folder_that_went_away_and_came_back(tmp_path: Path) -> None:
    path = tmp_path / ".collab" / "registry.jsonl"
    path.parent.mkdir()
    append_to(path)
    watch = Watch(path)
    async with awake(watch) as next_wakeup:
        await next_wakeup()
        await next_wakeup()
        await next_wakeup()
        assert not watch._announced
        path.unlink()
        path.parent.rmdir()
        for _ in range(5):
            await next_wakeup()
        for _ in range(3):  # nothing watches, so nothing misses what is found
            watch.found(True)
        path.parent.mkdir()
        await next_wakeup()
        await next_wakeup()
        while True:
            append_to(path)
            await next_wakeup()
            if watch._announced:
                break
    assert watch.method == "watching"


async def test_a_path_through_a_link_and_dots_is_announced(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    path = tmp_path / "link" / ".." / "link" / "registry.jsonl"
    await announced_after(Watch(path), lambda: append_to(real / "registry.jsonl"))


async def test_a_busy_folder_keeps_the_poll_in_turn(path: Path) -> None:
    """Other files that change all the time are no news, and no reason not to look."""
    watch = Watch(path)
    stop = asyncio.Event()

    async def be_busy() -> None:
        while not stop.is_set():
            append_to(path.with_name("other"))
            await asyncio.sleep(0)

    busy = asyncio.create_task(be_busy())
    async with awake(watch) as next_wakeup:
        for number in range(6):
            await next_wakeup()
            assert number < 2 or not watch._announced
    stop.set()
    await busy


async def test_a_watcher_that_missed_changes_twice_is_dropped(path: Path) -> None:
    """Nothing changes here, so each wake-up but the first two is the poll's."""
    watch = Watch(path)
    async with awake(watch) as next_wakeup:
        for _ in range(2):
            await next_wakeup()
            watch.found(True)  # what was there before
        await next_wakeup()
        watch.found(True)
        assert watch.poll is None
        await next_wakeup()
        watch.found(False)
        assert watch.poll is None
        await next_wakeup()
        watch.found(True)
        assert watch.poll == follow.NETWORK_POLL
        assert watch.method == "looking every 0.05 s (the watcher missed changes)"
        for _ in range(3):  # goes on
            await next_wakeup()
            watch.found(True)
    assert watch.poll == follow.NETWORK_POLL


async def test_what_comes_between_the_first_look_and_the_watcher_is_looked_for_at_once(path: Path) -> None:
    watch = Watch(path, None)
    async with awake(watch) as next_wakeup:
        await next_wakeup()
        append_to(path)
        await next_wakeup()
        watch.found(True)
        assert watch._announced  # in place, and no miss


async def test_one_miss_is_forgiven_when_the_watcher_announces_again(path: Path) -> None:
    watch = Watch(path)
    for _ in range(3):
        watch._announced = False
        watch.found(True)
        watch._announced = True
        watch.found(True)
    assert watch.method == "watching"


async def test_a_watcher_that_cannot_start_is_dropped(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(*_: object, **__: object) -> None:
        raise OSError("OS file watch limit reached")

    monkeypatch.setattr("watchdog.observers.Observer", no_more)
    watch = Watch(path)
    async with awake(watch) as next_wakeup:
        for _ in range(3):
            await next_wakeup()
    assert watch.method == "looking every 0.05 s (OS file watch limit reached)"


async def test_polling_can_be_forced(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("watched")

    monkeypatch.setattr("watchdog.observers.Observer", never)
    watch = Watch(path, poll=0.01)
    assert watch.method == "looking every 0.01 s (--poll 0.01)"
    async with awake(watch) as next_wakeup:
        for _ in range(5):
            await next_wakeup()
            watch.found(True)
    assert watch.poll == 0.01


async def test_a_network_file_system_is_polled(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "silent_file_system", lambda folder: "nfs4" if folder == path.parent else None)
    watch = Watch(path)
    assert watch.network == "nfs4"
    assert watch.poll == follow.NETWORK_POLL
    assert watch.method == "looking every 0.05 s (nfs4 announces no changes)"
    assert Watch(path, poll=7).method == "looking every 7 s (--poll 7)"


# Mount tables

MOUNTS = r"""
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw
30 22 0:25 / /srv rw,nosuid - tmpfs tmpfs rw
31 30 0:44 / /srv/my\040team rw,relatime shared:7 master:2 - nfs4 nas:/team rw,vers=4.2
32 31 0:45 / /srv/my\040team/tab\011\134here rw - fuse.sshfs host:/ rw
33 22 0:46 / /twice rw - ext4 /dev/a rw
34 22 0:47 / /twice rw - cifs //nas/share rw
35 22 0:48 / /한글 rw - 9p host rw
36 22 0:49 / /odd%sname rw - virtiofs host rw
""".replace("%s", "\x85\u2028").lstrip()


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    table = tmp_path / "mountinfo"
    table.write_text(MOUNTS, encoding="utf-8")
    return table


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/home/sena/project", "ext4"),
        ("/srv", "tmpfs"),
        ("/srv/other", "tmpfs"),
        ("/srvother", "ext4"),
        ("/srv/my team", "nfs4"),
        ("/srv/my team/.collab", "nfs4"),
        ("/srv/my teams", "tmpfs"),
        ("/srv/my team/tab\t\\here/x", "fuse.sshfs"),
        ("/twice/x", "cifs"),
        ("/한글/프로젝트", "9p"),
        ("/odd\x85\u2028name/x", "virtiofs"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="POSIX paths")
def test_the_innermost_and_last_mount_counts(mounts: Path, path: str, kind: str) -> None:
    assert filesystem.mount_type(Path(path), mounts) == kind


def test_a_link_is_followed_to_its_mount(tmp_path: Path, mounts: Path) -> None:
    (tmp_path / "link").symlink_to("/srv/my team/project")
    assert filesystem.mount_type(tmp_path / "link", mounts) == "nfs4"


def test_no_mount_table_says_nothing(tmp_path: Path) -> None:
    assert filesystem.mount_type(tmp_path, tmp_path / "none") == ""


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "drvfs", "virtiofs", "fuse.sshfs", "fuseblk"])
def test_file_systems_that_announce_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str) -> None:
    monkeypatch.setattr(filesystem, "mount_type", lambda path: kind)
    assert filesystem.silent_file_system(tmp_path) == kind


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "tmpfs", "apfs", "zfs", "f2fs", "overlay", ""])
def test_local_file_systems(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str) -> None:
    monkeypatch.setattr(filesystem, "mount_type", lambda path: kind)
    assert filesystem.silent_file_system(tmp_path) is None


def test_a_watcher_that_is_stopped_between_two_looks_prints_nothing(tmp_path: Path) -> None:
    """It logs that as an error, which would stand on the screen of whoever runs a hook."""
    script = (
        "import pathlib, sys\n"
        "from collab_tui.registry.follow import _observe\n"
        "observer = _observe(pathlib.Path(sys.argv[1]), lambda: None)\n"
        "emitter = next(iter(observer.emitters))\n"
        "observer.stop(); observer.join()\n"
        "emitter.queue_events(0)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "r.jsonl")], capture_output=True, text=True, encoding="utf-8"
    )
    assert (ran.returncode, ran.stderr) == (0, "")
