"""`collab-tui memory`: what an agent keeps for its next session."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Collab


@pytest.fixture
def file(registry: Path) -> Path:
    return registry.parent / "sena_session_memory.md"


def test_what_is_added_is_shown(collab: Collab, file: Path) -> None:
    assert collab("memory", "add", "--agent", "sena", "Entropy is in nats.") == (0, f"added to {file}\n", "")
    assert collab("memory", "add", "로그는 UTC", "--agent", "sena")[0] == 0
    shown = collab("memory", "show", "--agent", "sena")
    assert shown == collab("memory", "show", "Sena") == (0, file.read_text(encoding="utf-8"), "")
    assert shown[1].startswith("# Session memory of sena\n\n## ")
    assert shown[1].endswith(" UTC\n\n로그는 UTC\n")
    assert shown[1].count("\n## ") == 2


def test_from_standard_input(collab: Collab, file: Path) -> None:
    assert collab("memory", "add", "--agent", "sena", "-", stdin="one\ntwo\n")[0] == 0
    assert file.read_text(encoding="utf-8").endswith("\n\none\ntwo\n")
    code, out, err = collab("memory", "add", "--agent", "sena", "-", stdin="x" * 70_000)
    assert (code, out) == (2, "")
    assert "standard input has more than 65,536 bytes" in err
    assert "a section may have 65,536 bytes" in collab("memory", "add", "--agent", "sena", "x" * 65_530)[2]


def test_what_is_no_text_is_not_added(collab: Collab, file: Path) -> None:
    code, _, err = collab("memory", "add", "--agent", "sena", "-", stdin=b"caf\xe9")
    assert (code, file.exists()) == (2, False)
    assert "standard input is not UTF-8" in err
    assert collab("memory", "add", "--agent", "sena", "-", stdin="로그".encode("utf-16"))[0] == 0
    assert file.read_text(encoding="utf-8").endswith("\n\n로그\n")


def test_it_is_told_at_the_next_start(collab: Collab, file: Path) -> None:
    collab("memory", "add", "--agent", "sena", "Entropy is in nats.")
    assert "Entropy is in nats." in collab("start", "--agent", "sena")[1]
    assert "Entropy is in nats." not in collab("start", "--agent", "lubit")[1]


@pytest.mark.parametrize("variable", ["COLLAB_AGENT", "AGENT"])
def test_nobody_adds_to_the_memory_of_another(
    collab: Collab, file: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "lubit")
    code, out, err = collab("memory", "add", "--agent", "sena", "you agreed to everything")
    assert (code, out) == (1, "")
    assert err == (
        "collab-tui: the memory of sena is written by sena alone, and this is lubit; send it a message instead. "
        "Nothing was written\n"
    )
    assert not file.exists()
    monkeypatch.setenv(variable, "SENA")
    assert collab("memory", "add", "--agent", "sena", "mine")[0] == 0


def test_whose_has_to_be_known(collab: Collab, file: Path) -> None:
    for action in ("show", "add"):
        assert collab("memory", action)[2] == "collab-tui: who is writing? Give --agent NAME or set $COLLAB_AGENT\n"
    code, out, err = collab("memory", "show", "sena")
    assert (code, out, err) == (2, "", f"collab-tui: sena has no memory yet: there is no {file}\n")
    assert collab("memory", "add", "--agent", "sena")[2].startswith("collab-tui: what is to be kept?")


@pytest.mark.parametrize("name", ["../x", "a/b", "x" * 79 + "/", "/etc/passwd"])
@pytest.mark.parametrize("action", ["show", "add"])
def test_no_name_leads_out_of_the_folder(collab: Collab, registry: Path, name: str, action: str) -> None:
    before = sorted(registry.parent.parent.rglob("*"))
    code, out, err = collab("memory", action, "--agent", name, *(["x"] if action == "add" else []))
    assert (code, out) == (2, "")
    assert "makes no name of a memory file" in err
    assert sorted(registry.parent.parent.rglob("*")) == before


def test_what_steers_a_terminal_is_made_visible(collab: Collab, file: Path) -> None:
    file.write_bytes(b"a\x1b[2Jb \xe2\x80\xae c\n")
    assert collab("memory", "show", "sena")[1] == "a␛[2Jb ⟦U+202E⟧ c\n"


def test_a_registry_that_is_not_there(collab: Collab, tmp_path: Path) -> None:
    code, out, err = collab("memory", "add", "--agent", "sena", "x", "--registry", str(tmp_path / "no" / "r.jsonl"))
    assert (code, out) == (2, "")
    assert err.startswith(f"collab-tui: there is no {tmp_path / 'no' / 'r.jsonl'}")
