"""What may be a value, and the files of large ones: whole or not there, for the user alone, never through a link."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
from datetime import UTC, datetime
from enum import StrEnum
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from collab_tui.model.signature import parse
from collab_tui.orchestrator import values
from collab_tui.orchestrator.values import (
    IN_LINE,
    LARGEST,
    Json,
    ValueFiles,
    ValueLostError,
    ValueRefusedError,
    checked,
)
from collab_tui.registry.append import NotWrittenError, encode
from tests.orchestrator.ground import RUN, new_registry

LARGE = {"words": "정보 " * IN_LINE}


class Word(StrEnum):
    ONE = "one"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return new_registry(tmp_path)


whole = st.integers(-(1 << 63), (1 << 64) - 1)
words = st.text(st.characters(codec="utf-8"))
plain = st.none() | st.booleans() | whole | st.floats(allow_nan=False, allow_infinity=False) | words
trees = st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(words, inner))
odd_trees = st.recursive(
    plain | st.text(),
    lambda inner: st.lists(inner).map(tuple) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(trees)
def test_json_stays_what_it_is_in_the_value_in_a_line_and_read_back(value: Any) -> None:
    assert checked(value).value == value
    assert parse(encode({"value": checked(value).value}))["value"] == value


@given(odd_trees)
def test_whatever_is_taken_has_one_form_that_every_reader_has_too(value: Any) -> None:
    try:
        taken = checked(value)
    except ValueRefusedError:
        reject()
    assert json.loads(taken.text) == taken.value
    assert checked(taken.value) == taken


def test_tuples_become_lists_words_of_an_enumeration_texts_and_half_an_emoji_what_cannot_be_read() -> None:
    assert checked({"a": (1, (2,)), "b": Word.ONE, "c": "x\ud83d", "d\udfff": 1}).value == {
        "a": [1, [2]],
        "b": "one",
        "c": "x\ufffd",
        "d\ufffd": 1,
    }


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"a": [1, nan]}, ".a[1]: nan is no number of JSON"),
        (inf, "inf is no number of JSON"),
        ({"n": 1 << 64}, ".n: a whole number beyond 64 bits: give it as a text"),
        (-(1 << 63) - 1, "a whole number beyond 64 bits: give it as a text"),
        ({1: "a"}, "the names of an object are texts, not 1"),
        ({"a": {None: 1}}, ".a: the names of an object are texts, not None"),
        ([datetime(2026, 1, 1, tzinfo=UTC)], "[0]: a value is JSON, and datetime is none of it"),
        ({"p": Path("x")}, "is none of it"),
        ({"s": {1, 2}}, ".s: a value is JSON, and set is none of it"),
        (b"x", "a value is JSON, and bytes is none of it"),
        (dict.fromkeys(["a\ud800", "a\udc00"]), "two names in it are the same but for half an emoji"),
        ({"k" * 500: nan}, "..."),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(value: Any, told: str) -> None:
    with pytest.raises(ValueRefusedError) as refused:
        checked(value)
    assert told in str(refused.value)
    assert len(str(refused.value)) < 200


def test_what_is_nested_too_deeply_or_in_itself_is_refused() -> None:
    itself: list[Any] = []
    itself.append(itself)
    for value in (itself, eval("[" * 90 + "]" * 90)):
        if value is itself:
            with pytest.raises(ValueRefusedError, match="nested deeper than 200"):
                checked(value)
        else:
            assert checked(value).value == value


def test_what_is_too_large_is_refused() -> None:
    with pytest.raises(ValueRefusedError, match="keep it in a file"):
        checked("x" * LARGEST)


def test_who_changes_a_value_changes_nobody_elses() -> None:
    mine = {"list": [1]}
    taken = checked(mine)
    mine["list"].append(2)
    taken.value["list"].append(3)
    assert taken.value == {"list": [1]}


def test_a_small_value_stands_in_its_line(path: Path) -> None:
    files = ValueFiles(path, RUN)
    fields = files.fields_of(checked([1, None]))
    assert fields == {"value": [1, None]}
    assert files.value_of(fields).value == [1, None]
    assert not files.folder.exists()


def test_a_large_one_stands_in_a_file_of_its_own_that_only_the_user_reads(path: Path) -> None:
    files = ValueFiles(path, RUN)
    taken = checked(LARGE)
    fields = files.fields_of(taken)
    digest = hashlib.sha256(taken.text).hexdigest()
    assert fields == {
        "file": f"runs/{RUN}/{digest}.json",
        "digest": digest,
        "size": len(taken.text),
        "begins": taken.text.decode()[:400],
    }
    files.save(taken)
    files.save(taken)
    file = path.parent / fields["file"]
    assert json.loads(file.read_bytes()) == LARGE
    assert files.value_of(fields) == taken
    assert [one.name for one in files.folder.iterdir()] == [file.name]
    assert (path.parent / "runs" / ".gitignore").read_bytes() == b"*\n"
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(files.folder.stat().st_mode) == 0o700
    assert files.fields_of(checked("가" * IN_LINE))["begins"] == "가" * 400


@pytest.mark.parametrize("content", [b"", b"{", None], ids=["empty", "torn", "another"])
def test_a_file_that_is_not_what_its_line_says_is_lost_and_mended_by_who_has_the_value(
    path: Path, content: bytes | None
) -> None:
    files = ValueFiles(path, RUN)
    taken = checked(LARGE)
    fields = files.fields_of(taken)
    with pytest.raises(ValueLostError, match="is gone, or was changed"):
        files.value_of(fields)
    files.folder.mkdir(parents=True)
    file = path.parent / fields["file"]
    file.write_bytes(taken.text[:-1] + b" " if content is None else content)
    with pytest.raises(ValueLostError, match="is gone, or was changed"):
        files.value_of(fields)
    files.save(taken)
    assert files.value_of(fields) == taken


@pytest.mark.parametrize(
    "changed",
    [{"digest": "../../x"}, {"digest": None}, {"size": "5"}, {"size": LARGEST * 4}, {"digest": "0" * 64}],
    ids=str,
)
def test_a_line_names_no_other_file_than_one_of_its_run(path: Path, changed: dict[str, Any]) -> None:
    files = ValueFiles(path, RUN)
    taken = checked(LARGE)
    files.save(taken)
    with pytest.raises(ValueLostError):
        files.value_of(files.fields_of(taken) | changed)
    assert files.value_of(files.fields_of(taken) | {"file": "/etc/passwd"}) == taken


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_nothing_is_written_or_removed_through_a_link_and_none_is_read(path: Path, tmp_path: Path) -> None:
    taken, elsewhere = checked(LARGE), tmp_path / "elsewhere"
    (elsewhere / RUN).mkdir(parents=True)
    (elsewhere / RUN / f"{taken.digest}.json").write_bytes(b"precious")
    (path.parent / "runs").symlink_to(elsewhere)
    files = ValueFiles(path, RUN)
    with pytest.raises(NotWrittenError, match="symbolic link"):
        files.save(taken)
    files.forget()
    assert (elsewhere / RUN / f"{taken.digest}.json").read_bytes() == b"precious"
    (path.parent / "runs").unlink()
    files.folder.mkdir(parents=True)
    secret = tmp_path / "secret"
    secret.write_bytes(taken.text)
    (files.folder / f"{taken.digest}.json").symlink_to(secret)
    with pytest.raises(ValueLostError):
        files.value_of(files.fields_of(taken))
    files.save(taken)
    assert files.value_of(files.fields_of(taken)) == taken
    assert not (files.folder / f"{taken.digest}.json").is_symlink()


def test_a_process_that_was_killed_while_it_wrote_leaves_nothing_that_counts(path: Path) -> None:
    files = ValueFiles(path, RUN)
    taken = checked(LARGE)
    files.save(taken)
    file = files.folder / f"{taken.digest}.json"
    file.rename(file.with_name(f"{file.name}.4711"))
    os.truncate(f"{file}.4711", 100)
    with pytest.raises(ValueLostError):
        files.value_of(files.fields_of(taken))
    files.save(taken)
    assert files.value_of(files.fields_of(taken)) == taken
    files.forget()
    assert not files.folder.exists()


def test_while_the_registry_is_away_nothing_is_made_in_its_place(path: Path) -> None:
    files = ValueFiles(path, RUN)
    large = checked("x" * 2 * IN_LINE)
    away = path.parent.rename(path.parent.with_name("away"))
    with pytest.raises(NotWrittenError, match="is gone"):
        files.save(large)
    assert not path.parent.exists()
    away.rename(path.parent)
    files.save(large)


def test_what_others_put_there_stays(path: Path) -> None:
    files = ValueFiles(path, RUN)
    files.save(checked(LARGE))
    (files.folder / "notes.txt").write_text("mine", encoding="utf-8")
    files.forget()
    assert [one.name for one in files.folder.iterdir()] == ["notes.txt"]


def test_a_run_has_only_so_much_room_for_large_values(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "MOST_BYTES", 5 * IN_LINE)
    files = ValueFiles(path, RUN)
    first = Json(b'"' + b"a" * 2 * IN_LINE + b'"')
    files.fields_of(first)
    files.save(first)
    assert files.fields_of(Json(b'"' + b"b" * 2 * IN_LINE + b'"'))
    for again in (files, ValueFiles(path, RUN)):
        with pytest.raises(ValueRefusedError, match="the large values of the run"):
            again.fields_of(Json(b'"' + b"c" * 4 * IN_LINE + b'"'))


@pytest.mark.parametrize("text", [b"{", b"[" * 2000 + b"]" * 2000, b"[" * 300 + b"]" * 300, b"\xff"])
def test_a_file_that_is_no_value_is_lost_also_where_its_line_names_it_rightly(path: Path, text: bytes) -> None:
    files = ValueFiles(path, RUN)
    files.save(checked(LARGE))
    forged = Json(text)
    (files.folder / f"{forged.digest}.json").write_bytes(text)
    with pytest.raises(ValueLostError, match="is no value of a run"):
        files.value_of({"file": "f", "digest": forged.digest, "size": forged.size})
