"""Memory files: only ever added to, by their owner, inside their folder, whole."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collab_tui.config import Config, ConfigError, load_config
from collab_tui.model.text import clean
from collab_tui.protocol.memory import MAX_SECTION, add, last_section, memory_file, whole
from collab_tui.registry.append import NotWrittenError, RefusedError, UnusableError
from tests.events import hostile_text

NOW = datetime(2025, 10, 20, 14, 3, tzinfo=UTC)
HEAD = "## 2025-10-20 14:03 UTC"


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(tmp_path / "user-config"))


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """In the folder of a project that `collab-tui init` made."""
    folder = tmp_path / "project" / ".collab"
    folder.mkdir(parents=True)
    path = folder / "registry.jsonl"
    path.write_bytes(b"{}\n")
    return path


def configured(registry: Path, text: str, *, users: bool = False) -> Config:
    """The settings in force with these."""
    file = registry.parents[2] / "user-config" / "config.toml" if users else registry.parent / "config.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return load_config(registry)


def keep(registry: Path, text: str, name: str = "sena", config: Config | None = None) -> Path:
    return add(name, name, text, registry, config or Config(), NOW)


# Adding and showing


def test_sections_with_dates_in_a_file_beside_the_registry(registry: Path) -> None:
    file = keep(registry, "Entropy is in nats.")
    assert file == registry.parent / "sena_session_memory.md"
    keep(registry, "  두 번째 \n\nwith two paragraphs\n\n")
    assert file.read_text(encoding="utf-8") == (
        f"# Session memory of sena\n\n{HEAD}\n\nEntropy is in nats.\n\n{HEAD}\n\n두 번째\n\nwith two paragraphs\n"
    )
    section = last_section(file)
    assert section is not None
    assert (section.text, section.is_cut) == (f"{HEAD}\n\n두 번째\n\nwith two paragraphs", False)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"mine\n", b"mine\n\n## "),
        (b"mine", b"mine\n\n## "),
        (b"mine\r\n", b"mine\r\n\r\n## "),
        (b"one\r\ntwo", b"one\r\ntwo\n\r\n## "),
        (b"\xef\xbb\xbfmine\n", b"\xef\xbb\xbfmine\n\n## "),
        (b"\xff\xfe not UTF-8\n", b"\xff\xfe not UTF-8\n\n## "),
    ],
)
def test_what_is_there_stays_as_it_is(registry: Path, before: bytes, after: bytes) -> None:
    file = registry.parent / "sena_session_memory.md"
    file.write_bytes(before)
    keep(registry, "more\nlines")
    data = file.read_bytes()
    assert data.startswith(after)
    assert data.endswith(b"more\r\nlines\r\n" if b"\r" in before else b"more\nlines\n")


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b"])
def test_nothing_is_not_kept(registry: Path, text: str) -> None:
    with pytest.raises(UnusableError, match="what is to be kept"):
        keep(registry, text)
    assert not (registry.parent / "sena_session_memory.md").exists()


def test_a_section_has_a_limit(registry: Path) -> None:
    keep(registry, "x" * (MAX_SECTION - len(HEAD) - 3))
    with pytest.raises(UnusableError, match="may have 65,536 bytes"):
        keep(registry, "x" * MAX_SECTION)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(hostile_text.filter(lambda text: bool(clean(text).strip())), min_size=1, max_size=4))
def test_whatever_is_added_nothing_before_it_changes(registry: Path, texts: list[str]) -> None:
    file = registry.parent / "sena_session_memory.md"
    file.unlink(missing_ok=True)
    before = b""
    for text in texts:
        keep(registry, text)
        data = file.read_bytes()
        assert data.startswith(before)
        assert data.decode("utf-8").count(HEAD) >= before.decode("utf-8").count(HEAD) + 1
        before = data
    shown = whole(file)
    assert shown is not None
    assert shown.text == clean(shown.text)


def test_there_is_nothing_where_nothing_was_kept(registry: Path) -> None:
    file = memory_file("sena", registry, Config())
    assert (last_section(file), whole(file)) == (None, None)
    file.write_bytes(b"")
    assert last_section(file) is None


def test_a_file_without_headings_is_one_section_and_its_end_is_read(registry: Path) -> None:
    file = memory_file("sena", registry, Config())
    file.write_text("one\ntwo\n", encoding="utf-8")
    section = last_section(file)
    assert section is not None
    assert (section.text, section.is_cut) == ("one\ntwo", False)
    file.write_text("".join(f"line {n}\n" for n in range(10_000)), encoding="utf-8")
    section = last_section(file)
    assert section is not None
    assert section.is_cut
    assert section.text.startswith("line ")
    assert section.text.endswith("line 9999")
    assert len(section.text) < 20_000


def test_many_writers_lose_nothing(registry: Path) -> None:
    texts = [f"{n}: " + "x" * 3000 for n in range(40)]
    threads = [threading.Thread(target=keep, args=(registry, text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sections = (registry.parent / "sena_session_memory.md").read_text(encoding="utf-8").split(f"{HEAD}\n\n")
    assert sections[0] == "# Session memory of sena\n\n"
    assert sorted(section.strip() for section in sections[1:]) == sorted(texts)


# Whose


def test_only_its_owner_adds_to_it(registry: Path) -> None:
    file = keep(registry, "mine")
    before = file.read_bytes()
    with pytest.raises(RefusedError, match="the memory of sena is written by sena alone, and this is lubit"):
        add("sena", "lubit", "no", registry, Config(), NOW)
    assert file.read_bytes() == before
    add("Sena ", "SENA", "yes", registry, Config(), NOW)  # the same name
    assert b"yes" in file.read_bytes()


@pytest.mark.parametrize("other", ['[agents.sena]\nmemory = "x.md"', '[agents.Sena]\nmemory = "X.md"'])
def test_two_agents_with_one_file_are_refused(registry: Path, other: str) -> None:
    config = configured(registry, f'[agents.lubit]\nmemory = "x.md"\n{other}\n')
    for name in ("sena", "lubit"):
        with pytest.raises(UnusableError, match=r"[xX]\.md would be the memory of .*config\.toml:"):
            keep(registry, "mine?", name, config)
    assert not list(registry.parent.glob("[xX].md"))


def test_nobody_is_given_the_file_that_is_anothers_by_its_name(registry: Path) -> None:
    config = configured(registry, '[agents.sena]\nmemory = "Lubit_session_memory.md"\n')
    with pytest.raises(UnusableError, match="would be the memory of sena and of lubit"):
        keep(registry, "mine?", "sena", config)


# Where


def test_a_name_and_a_folder_of_its_own(registry: Path) -> None:
    (registry.parents[1] / "docs").mkdir()
    config = configured(registry, '[agents.lubit]\nmemory = "lubit_architectural_decisions.md"\nfolder = "../docs"\n')
    file = keep(registry, "decided", "Lubit", config)
    assert file.resolve() == (registry.parents[1] / "docs" / "lubit_architectural_decisions.md").resolve()
    assert "decided" in file.read_text(encoding="utf-8")


def test_a_project_names_no_folder_outside_of_it(registry: Path) -> None:
    outside = registry.parents[2] / "outside"
    outside.mkdir()
    for folder in ("../../outside", str(outside)):
        config = configured(registry, f"[agents.sena]\nfolder = '{folder}'\n")
        with pytest.raises(UnusableError, match=r"outside the project, .*config\.toml:1"):
            keep(registry, "out", config=config)
    (registry.parent / "config.toml").unlink()
    config = configured(registry, f"[agents.sena]\nfolder = '{outside}'\n", users=True)  # the user may
    assert keep(registry, "out", config=config).parent == outside


def test_a_folder_that_is_not_there_is_told(registry: Path) -> None:
    config = configured(registry, '[agents.sena]\nfolder = "notes"\n')
    with pytest.raises(UnusableError, match=r"there is no folder .*notes: make it, or set another .*config\.toml:1"):
        keep(registry, "x", config=config)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_no_link_leads_out(registry: Path) -> None:
    outside = registry.parents[2] / "outside"
    outside.mkdir()
    secret = outside / "secret.md"
    secret.write_text("secret\n", encoding="utf-8")
    file = registry.parent / "sena_session_memory.md"
    for link in (os.symlink, os.link):
        link(secret, file)
        with pytest.raises(UnusableError, match=r"is a (symbolic|hard) link"):
            keep(registry, "x")
        with pytest.raises(UnusableError, match=r"is a (symbolic|hard) link"):
            last_section(file)
        with pytest.raises(UnusableError, match=r"is a (symbolic|hard) link"):
            whole(file)
        file.unlink()
    (registry.parent / "notes").symlink_to(outside)
    config = configured(registry, '[agents.sena]\nfolder = "notes"\nmemory = "secret.md"\n')
    with pytest.raises(UnusableError, match="outside the project"):
        keep(registry, "x", config=config)
    assert secret.read_text(encoding="utf-8") == "secret\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="only Unix has such pipes")
def test_a_pipe_in_its_place_is_not_waited_for(registry: Path) -> None:
    os.mkfifo(registry.parent / "sena_session_memory.md")
    with pytest.raises(UnusableError, match="is not a regular file"):
        last_section(registry.parent / "sena_session_memory.md")


@pytest.mark.parametrize(
    "name", ["../x", "/etc/x", "a/b", "a\\b", "a\0b", "C:x", "x" * 300, ".hidden", "-rf", "a\nb", "a\u202eb", "*", "a?"]
)
def test_names_that_make_no_file_name(registry: Path, name: str) -> None:
    with pytest.raises(UnusableError, match=r"makes no name of a memory file: .*\[agents\.NAME\]"):
        keep(registry, "x", name)
    assert sorted(path.name for path in registry.parent.iterdir()) == ["registry.jsonl"]


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("세나", "세나_session_memory.md"),
        ("\u1109\u1166\u1102\u1161", "세나_session_memory.md"),
        ("ＳＥＮＡ", "sena_session_memory.md"),
        ("GitCode", "gitcode_session_memory.md"),
        ("CON", "con_session_memory.md"),
        ("copilot 2.0", "copilot 2.0_session_memory.md"),
    ],
)
def test_names_of_the_same_agent_make_one_name_that_every_system_takes(registry: Path, name: str, file: str) -> None:
    assert keep(registry, "x", name).name == file


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("../x.md", "without its folder"),
        ("/x.md", "without its folder"),
        ("a/b.md", "without its folder"),
        ("CON.md", "without its folder"),
        ("nul.txt.md", "without its folder"),
        ("registry.jsonl", 'it ends with ".md"'),
        ("config.toml", 'it ends with ".md"'),
        ("x" * 300 + ".md", "at most 200 bytes"),
    ],
)
def test_a_setting_that_names_no_memory_file_is_told_with_its_place(registry: Path, value: str, told: str) -> None:
    with pytest.raises(ConfigError) as error:
        configured(registry, f"\n[agents.sena]\nmemory = '{value}'\n")
    (problem,) = error.value.problems
    assert problem.startswith(f"{registry.parent / 'config.toml'}:3: ")
    assert "memory" in problem
    assert told in problem


# Faults


@pytest.mark.skipif(sys.platform != "linux", reason="a limit on the size of files")
def test_a_full_disk_is_an_error_and_loses_nothing(registry: Path) -> None:
    file = keep(registry, "kept " * 100)
    before = file.read_bytes()
    code = (
        "import resource, signal, sys; from datetime import *; from pathlib import Path\n"
        "from collab_tui.config import Config; from collab_tui.protocol.memory import add\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) + 100},) * 2)\n"
        "add('sena', 'sena', 'y' * 3000, Path(sys.argv[1]), Config(), datetime.now(timezone.utc))\n"
    )
    # -B: the limit would cut off the bytecode of a fresh checkout as well, for everybody after it.
    command = [sys.executable, "-B", "-c", code, str(registry)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    assert NotWrittenError.__name__ in done.stderr
    assert "is the disk full?" in done.stderr
    assert file.read_bytes().startswith(before)
    keep(registry, "after")
    assert file.read_text(encoding="utf-8").endswith(f"\n\n{HEAD}\n\nafter\n")
