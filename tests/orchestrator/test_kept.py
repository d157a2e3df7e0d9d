"""What is kept of runs: for the user alone, held by one process at a time, the latest of them."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from collab_tui.orchestrator import kept
from collab_tui.orchestrator.hosted import Hosted, HostedRuns
from collab_tui.orchestrator.kept import KeptRuns, RunError
from collab_tui.orchestrator.values import IN_LINE, ValueFiles, checked
from collab_tui.protocol.commands import CommandType
from collab_tui.registry.append import NotWrittenError
from collab_tui.registry.kept import own_key
from tests.orchestrator.ground import RUN, new_registry
from tests.program import eventually

DOCUMENT = {"tasks": [{"key": "a"}], "goal": "g"}


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, **__: str(tmp_path / "state"))


@pytest.fixture
def runs(tmp_path: Path) -> KeptRuns:
    return KeptRuns(new_registry(tmp_path))


def test_a_run_is_kept_whole_for_the_user_alone_and_found_again(runs: KeptRuns) -> None:
    new = runs.new("demo", "a goal", DOCUMENT, RUN)
    assert new.private.is_dir()
    new.end()
    again = runs.load(RUN)
    assert (again.id, again.document, again.known.name, again.known.goal) == (RUN, DOCUMENT, "demo", "a goal")
    assert again.known.is_here
    if sys.platform != "win32":
        assert {path.stat().st_mode & 0o077 for path in runs.folder.rglob("*")} == {0}
    assert len(runs.new("demo", "g", {}).id) == 8


def test_one_process_has_a_run_at_a_time_and_others_are_told_which(runs: KeptRuns) -> None:
    new = runs.new("demo", "g", DOCUMENT, RUN)
    assert runs.is_held(RUN)
    with pytest.raises(RunError, match="goes on already, in this very process"):
        runs.load(RUN)
    with pytest.raises(RunError, match="goes on already"):
        runs.new("demo", "g", DOCUMENT, RUN)
    new.end()
    assert not runs.is_held(RUN)
    with pytest.raises(RunError, match="there is a run 0a1b2c3d already"):
        runs.new("demo", "g", DOCUMENT, RUN)
    runs.load(RUN).end()


def test_a_process_that_is_killed_lets_go_of_its_run(runs: KeptRuns, tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; import platformdirs\n"
        "platformdirs.user_state_dir = lambda *_, **__: sys.argv[2]\n"
        "from collab_tui.orchestrator.kept import KeptRuns\n"
        "run = KeptRuns(Path(sys.argv[1])).new('demo', 'g', {}, sys.argv[3])\n"
        "print('ready', flush=True); sys.stdin.read()\n"
    )
    arguments = [sys.executable, "-c", program, str(runs.registry), str(tmp_path / "state"), RUN]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == b"ready"
            assert runs.is_held(RUN)
        finally:
            process.kill()
    eventually(lambda: not runs.is_held(RUN))
    runs.load(RUN).end()


@pytest.mark.parametrize("run_id", ["../../etc", "0A1B2C3D", "", "0a1b2c3", "0a1b2c3d/", "\x1b[2J", "0a1b2c3d\n"])
def test_an_id_is_never_a_path(runs: KeptRuns, run_id: str) -> None:
    runs.new("demo", "g", DOCUMENT, RUN).end()
    assert not runs.has(run_id)
    with pytest.raises(RunError, match="is kept here") as unknown:
        runs.load(run_id)
    assert "\x1b" not in str(unknown.value)
    with pytest.raises(RunError, match="8 hex digits"):
        runs.new("demo", "g", DOCUMENT, run_id)


def test_an_unknown_run_is_told_with_the_one_that_was_meant(runs: KeptRuns) -> None:
    with pytest.raises(RunError, match="nor any other"):
        runs.load(RUN)
    runs.new("demo", "g", DOCUMENT, RUN).end()
    with pytest.raises(RunError, match="did you mean 0a1b2c3d"):
        runs.load("0a1b2c3e")
    with pytest.raises(RunError, match="the latest is 0a1b2c3d"):
        runs.load("ffffffff")


def test_a_run_of_another_machine_is_not_taken(runs: KeptRuns) -> None:
    runs.new("demo", "g", DOCUMENT, RUN).end()
    file = runs.folder / RUN / "run.json"
    file.write_text(json.dumps(json.loads(file.read_bytes()) | {"machine": "x" * 16, "host": "nas"}), encoding="utf-8")
    with pytest.raises(RunError, match="is one of nas: resume it there"):
        runs.load(RUN)
    assert not runs.is_held(RUN)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"name": 1}', b"[" * 100_000])
def test_a_file_that_is_broken_is_told_and_hides_no_other(runs: KeptRuns, content: bytes) -> None:
    runs.new("demo", "g", DOCUMENT, RUN).end()
    runs.new("other", "g", DOCUMENT, "00000001").end()
    (runs.folder / RUN / "run.json").write_bytes(content)
    with pytest.raises(RunError, match="cannot be gone on with"):
        runs.load(RUN)
    assert [run.id for run in runs.all()] == ["00000001"]
    runs.new("third", "g", DOCUMENT).end()


def test_of_many_the_latest_are_kept_and_those_that_a_process_has_or_the_monitor_wants(
    runs: KeptRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MOST_RUNS", 3)
    held = runs.new("held", "g", DOCUMENT, "00000000")
    HostedRuns(runs.registry).keep(Hosted("0000000a", "c1", CommandType.START_RUN, "p.toml", "2026-01-31T08:00:00Z"))
    runs.new("wanted", "g", DOCUMENT, "0000000a").end()
    files = ValueFiles(runs.registry, "00000001")
    runs.new("old", "g", DOCUMENT, "00000001").end()
    files.save(checked("x" * 2 * IN_LINE))
    for number in range(2, 6):
        runs.new("later", "g", DOCUMENT, f"0000000{number}").end()
    assert [run.id for run in runs.all()] == ["00000005", "00000004", "00000003", "0000000a", "00000000"]
    assert not files.folder.exists()
    assert not (runs.folder / "00000001").exists()
    held.end()


def test_the_key_is_one_however_many_ask_for_it_first(runs: KeptRuns, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: runs.key(), range(16)))
    assert len(keys) == 1
    assert len(keys.pop()) == 32
    (file,) = tmp_path.glob("state/*/*/run-lines.json")
    assert sys.platform == "win32" or file.stat().st_mode & 0o077 == 0
    assert KeptRuns(new_registry(tmp_path / "other")).key() != runs.key()


@pytest.mark.parametrize("content", ['"00"', "{", "5", '"no hex"', ""])
def test_a_key_that_is_broken_is_never_replaced_silently(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(NotWrittenError, match="remove it"):
        own_key(path)
    assert path.read_text(encoding="utf-8") == content
