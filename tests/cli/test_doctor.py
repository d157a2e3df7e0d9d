"""`collab-tui doctor`."""

from __future__ import annotations

import json
import os
import re
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from collab_tui.cli import doctor as command
from collab_tui.config import load_config
from collab_tui.config.reading import allow_project
from collab_tui.model.findings import Severity, Subject
from collab_tui.monitor.watching import own_carrier
from collab_tui.protocol import checkup
from collab_tui.protocol.keys import Keyring
from collab_tui.registry import doctor, seen
from tests.cli.conftest import Collab
from tests.events import START, at, decides, lines, says, updates
from tests.program import environment, run
from tests.signing import OTHER_KEY, signed
from tests.test_samples import FOLDER, NOW

HEALTHY = lines(
    says("system", "registry_created", registry="abcdef", timestamp=at(0)),
    updates("sena", status="in_progress", progress=40, timestamp=at(1)),
    updates("lubit", status="idle", timestamp=at(2)),
)


@pytest.fixture(autouse=True)
def _plain_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A local disk, no programs, nothing remembered; the clock stands still soon after the story's beginning."""
    monkeypatch.setattr("platformdirs.user_state_dir", lambda *_, **__: str(tmp_path / "user-state"))
    monkeypatch.setattr(checkup, "installed", lambda environment: [])
    monkeypatch.setattr(doctor, "silent_file_system", lambda folder: None)
    monkeypatch.setattr(doctor, "mount_of", lambda folder: None)
    at_time(monkeypatch, START.replace(minute=1))


def at_time(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr(command, "now", lambda: now)


def write(data: bytes, name: str = "COLLABORATION_STATE.jsonl") -> Path:
    path = Path(name).absolute()
    path.write_bytes(data)
    path.chmod(0o600)
    return path


def kinds(collab: Collab, *arguments: str) -> list[str]:
    code, out, _ = collab("doctor", "--json", *arguments)
    found = [finding["kind"] for finding in json.loads(out)["findings"]]
    assert code == (1 if found else 0)
    return found


def test_a_healthy_registry_on_a_healthy_machine(collab: Collab) -> None:
    path = write(HEALTHY)
    assert collab("doctor") == (0, f"{path}\n\nNothing is wrong.\n", "")


def test_a_good_day_is_healthy(collab: Collab, monkeypatch: pytest.MonkeyPatch) -> None:
    at_time(monkeypatch, NOW)
    write((FOLDER / "good_day.jsonl").read_bytes())
    code, out, _ = collab("doctor")
    assert code == 0, out
    assert "Nothing is wrong." in out


def test_what_is_wrong_comes_grouped_the_most_serious_first_with_lines_and_mends(collab: Collab) -> None:
    more = lines(
        updates("sena", status="waiting_for_lubit", timestamp=at(3)),
        updates("lubit", status="waiting_for_sena", timestamp=at(4)),
        decides("human", "nobody", verdict="approved", timestamp=at(5)),
    )
    path = write(HEALTHY + b'{"agent": "lub\n' + more)
    code, out, err = collab("doctor")
    assert (code, err) == (1, "")
    assert out.splitlines()[0] == str(path)
    work, line = out.index("Agents and requests"), out.index("\nLines\n")
    assert 0 < work < line
    assert "deadlock: lubit waits for sena, sena for lubit  lines 5-6\n" in out
    assert "! 1 line is only a part of a record  line 4\n    A writer died" in out
    assert out.endswith("\n1 error, 2 warnings.\n")


def test_what_waits_for_a_monitor_that_does_not_act_is_told(collab: Collab, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(HEALTHY)
    asked = says("monitor", "worker", worker="w1", kind="decision", state="asked", task="T", timestamp=at(3))
    path.write_bytes(HEALTHY + lines(asked | {"monitor": own_carrier(path).monitor}))
    assert kinds(collab) == ["no_monitor"]
    assert "no monitor acts on this machine, and there are for it: 1 worker\n" in collab("doctor")[1]
    monkeypatch.setattr("collab_tui.monitor.watching.who_acts", lambda folder: object())
    assert kinds(collab) == []


def test_json_is_as_documented(collab: Collab) -> None:
    path = write(HEALTHY + b"[]\n" * 2000)
    code, out, err = collab("doctor", "--json")
    found: dict[str, Any] = json.loads(out)
    assert (code, err) == (1, "")
    assert found["registry"] == {"name": str(path), "id": "abcdef"}
    assert found["counts"] == {"error": 0, "warning": 1, "note": 0}
    (finding,) = found["findings"]
    assert finding.pop("mend").startswith("A record is one object")
    assert finding == {
        "severity": "warning",
        "kind": "no_object",
        "subject": "lines",
        "text": "2000 lines are JSON, but not objects",
        "lines": list(range(4, 1004)),
        "line_count": 2000,
    }


def test_the_help_documents_every_word_of_the_json(collab: Collab) -> None:
    code, out, _ = collab("doctor", "--help")
    assert code == 0
    for word in (*Severity, *Subject, "registry", "findings", "kind", "text", "mend", "lines", "line_count", "counts"):
        assert re.search(rf"\b{word}\b", out), word


def test_notes_alone_are_exit_0(collab: Collab) -> None:
    write(HEALTHY + b"\n")
    code, out, _ = collab("doctor")
    assert code == 0
    assert "1 line is empty  line 4" in out
    assert out.endswith("Nothing is wrong.\n")


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir()])
def test_it_cannot_look(collab: Collab, tmp_path: Path, make: Any) -> None:
    path = tmp_path / "gone.jsonl"
    make(path)
    code, out, err = collab("doctor", str(path))
    assert (code, out) == (2, "")
    assert str(path) in err


def test_it_looks_although_the_settings_are_wrong_and_tells_that(collab: Collab, tmp_path: Path) -> None:
    write(HEALTHY)
    folder = tmp_path / "user-config"
    folder.mkdir()
    (folder / "config.toml").write_text("nonsense = 1\n", encoding="utf-8")
    assert kinds(collab) == ["settings"]


def test_keys_in_the_settings_are_checked_too(collab: Collab, tmp_path: Path) -> None:
    write(HEALTHY)
    folder = tmp_path / "user-config"
    folder.mkdir()
    (folder / "config.toml").write_text('[keys]\napprove = "nosuchkey"\n', encoding="utf-8")
    assert kinds(collab) == ["settings"]


def test_a_changed_history_is_an_error_that_names_the_file_to_forget(collab: Collab) -> None:
    path = write(HEALTHY)
    seen.remember(path, len(HEALTHY), 3)
    write(HEALTHY.replace(b"40", b"90"))
    code, out, _ = collab("doctor")
    assert code == 1
    assert "was changed, first in bytes 0 to" in out
    assert "lines 1-3" in out
    assert str(seen.memory_file(path)) in out
    seen.forget(path)
    assert kinds(collab) == []


def test_a_removed_end_and_another_registry_are_told(collab: Collab) -> None:
    path = write(HEALTHY)
    seen.remember(path, len(HEALTHY), 3)
    write(HEALTHY[:-10].rpartition(b"\n")[0] + b"\n")
    assert kinds(collab) == ["changed"]
    write(HEALTHY.replace(b"abcdef", b"fedcba"))
    assert kinds(collab) == ["another_registry"]


def test_the_person_is_the_one_who_looks(collab: Collab) -> None:
    """A request to mina is the person's, and nobody else's, only for mina."""
    write(HEALTHY + lines(says("sena", "decision_request", target="mina", request="Go?", timestamp=at(3))))
    assert kinds(collab) == ["unanswerable"]
    assert kinds(collab, "--as", "mina") == []


def test_decisions_are_judged_by_the_keys_that_the_board_goes_by(collab: Collab) -> None:
    """Lena's key is in the project's settings, and the person allowed those."""
    Path(".collab").mkdir()
    settings = Path(".collab/config.toml")
    settings.write_text(f'[approvers]\nlena = "{OTHER_KEY.public.text}"\n', encoding="utf-8")
    path = write(HEALTHY, ".collab/registry.jsonl")
    good = signed(decides("lena", id="d1", verdict="approved", target="sena", timestamp=at(3)), HEALTHY, OTHER_KEY)
    wrong = {**good, "id": "d2", "verdict": "rejected"}
    plain = decides("lena", id="d3", verdict="approved", target="sena", timestamp=at(5))
    write(HEALTHY + lines(good, wrong, plain), ".collab/registry.jsonl")
    waiting = load_config(path).waiting
    assert waiting is not None
    allow_project(waiting)
    code, out, _ = collab("doctor", "--json")
    found = {finding["kind"]: finding["lines"] for finding in json.loads(out)["findings"]}
    assert (code, found) == (1, {"bad_signature": [5], "claimed_before_key": [6]})


def test_an_asker_behind_an_answer_that_anybody_may_have_written_waits_for_you(
    collab: Collab, key: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person signs, and this answer in their name is not signed: the board goes on asking them."""
    asked = says("sena", "decision_request", id="r1", request="which colour?", timestamp=at(3))
    write(HEALTHY + lines(asked, decides("human", "r1", verdict="approved", timestamp=at(4))))
    os.utime(key.path, (START.timestamp(), START.timestamp()))
    at_time(monkeypatch, START.replace(hour=11))
    code, out, _ = collab("doctor")
    assert code == 1
    assert "sena has been silent for" in out
    assert "It waits for your answer, on the board or with `collab-tui decide r1`." in out
    assert "start it again" not in out


def test_who_looks_under_another_name_has_no_other_key(collab: Collab, key: Keyring) -> None:
    """The key is the configured person's: what stands in another's name was never to be signed with it."""
    os.utime(key.path, (START.timestamp(), START.timestamp()))
    write(HEALTHY + lines(decides("mina", verdict="approved", target="sena", timestamp=at(4))))
    assert kinds(collab, "--as", "mina") == []


def test_it_changes_nothing(tmp_path: Path) -> None:
    """The real program, in folders of its own: no lock, no memory, no settings are made."""
    home, project = tmp_path / "home", tmp_path / "project"
    home.mkdir()
    shutil.copy(FOLDER / "wild.jsonl", project / "registry.jsonl")

    def everything() -> list[tuple[str, int, bytes]]:
        found = sorted(path for folder in (home, project) for path in folder.rglob("*"))
        return [(str(path), os.stat(path).st_mtime_ns, path.read_bytes()) for path in found]

    before = everything()
    done = run("doctor", "registry.jsonl", cwd=project, env=environment(home))
    assert (done.returncode, done.stderr) == (1, b"")
    assert everything() == before
    assert [path for path, _, _ in before] == [str(project / "registry.jsonl")]


@pytest.mark.parametrize("name", ["wild.jsonl", "hostile.jsonl", "deadlock.jsonl", "many_agents.jsonl"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp949", "ascii"])
def test_every_sample_is_told_on_any_console_in_clean_lines(tmp_path: Path, name: str, encoding: str) -> None:
    env = environment(tmp_path, PYTHONIOENCODING=encoding)
    done = run("doctor", str(FOLDER / name), cwd=tmp_path, env=env)
    assert (done.returncode, done.stderr) == (1, b"")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", done.stdout.decode(encoding))
