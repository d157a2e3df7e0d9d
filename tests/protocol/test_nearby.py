"""Participants in one process hear each other without the watcher; the rest of the world through the registry."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from collab_tui.protocol import Participant, following, participant
from collab_tui.protocol.nearby import announce, woken
from collab_tui.registry.append import append
from tests.signing import install_key

TIMEOUT = 30.0


@pytest.fixture(autouse=True)
def users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(tmp_path / "config"))
    monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, **__: str(tmp_path / "state"))
    install_key(tmp_path / "config")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.jsonl"


class Deaf:
    """A watch that notices nothing after its first look."""

    def __init__(self, path: Path, poll: float | None) -> None:
        self.poll = poll

    async def wakeups(self) -> AsyncGenerator[None, None]:
        yield
        await asyncio.Event().wait()

    def found(self, something: bool) -> None:
        """Tells nobody."""


@pytest.fixture
def _deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "Watch", Deaf)


@pytest.mark.usefixtures("_deaf")
async def test_what_one_writes_reaches_the_others_of_the_process_directly(path, tmp_path) -> None:
    link = tmp_path / "folder"
    link.symlink_to(tmp_path)  # the same registry by another name
    async with (
        asyncio.timeout(TIMEOUT),
        Participant("sena", path) as sena,
        Participant("lubit", link / path.name) as lubit,
    ):
        asking = asyncio.create_task(sena.ask("go?", target="lubit"))
        board = await lubit.until(lambda board: bool(board.open_requests))
        await lubit.decide(board.open_requests[0], "approved")
        assert (await asking).answer is not None
        hearing = sena.inbox()
        heard = asyncio.ensure_future(anext(hearing))
        await lubit.message("sena", "hi")
        assert (await heard).text("message") == "hi"
        await hearing.aclose()


@pytest.mark.usefixtures("_deaf")
async def test_the_poll_of_the_settings_is_that_of_the_watch(path, tmp_path) -> None:
    (tmp_path / "config" / "config.toml").write_text("poll = 0.25\n", encoding="utf-8")
    assert participant("sena", path)._following._poll == 0.25
    assert participant("sena", path, poll=3)._following._poll == 3


async def test_polling_hears_of_other_processes(path) -> None:
    async with asyncio.timeout(TIMEOUT), participant("sena", path, poll=0.05) as me:
        append(str(path), {"agent": "lubit", "event": "session_start"})
        await me.until(lambda board: board.agent("lubit") is not None)


def test_nobody_is_woken_after_leaving_or_for_another_registry(path: Path, tmp_path: Path) -> None:
    woke: list[str] = []
    with woken(path, lambda: woke.append("a")), woken(path, lambda: woke.append("b")):
        announce(path)
        announce(tmp_path / "other.jsonl")
    announce(path)
    assert woke == ["a", "b"]


async def test_taking_part_without_announcing_writes_nothing(path) -> None:
    append(str(path), {"agent": "lubit", "event": "session_start"})
    before = path.read_bytes()
    async with participant("sena", path, announces=False) as me:
        assert (await me.until(lambda board: True)).agent("sena") is None
    assert path.read_bytes() == before


async def test_the_registry_is_found_as_the_commands_find_it(tmp_path, path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".collab").mkdir()
    found = tmp_path / ".collab" / "registry.jsonl"
    found.touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLLAB_REGISTRY", raising=False)
    async with participant("sena", role="implement"):
        pass
    assert b'"role":"implement"' in found.read_bytes()
    monkeypatch.setenv("COLLAB_REGISTRY", str(path))
    async with participant("sena"):
        pass
    assert path.exists()
