"""Which values a setting takes. Each reader gives the value, or says what is wanted instead."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any, Final

from collab_tui.model.text import clean, one_line

POLL_LIMITS: Final = (0.05, 3600.0)
"""Seconds between which `poll` and `--poll` lie."""
_SHOWN: Final = 60
_MOST_NAMED: Final = 30
_MOST: Final = 200
"""Items of a list."""
_LONGEST_ITEM: Final = 4000
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)
_OURS: Final = "COLLAB_"
_HUGE: Final = 10**18
_DURATION: Final = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?")
_KEY_BYTES: Final = 32
_FILE_NAME: Final = 200
"""Bytes of a file's name; systems take 255, and ours get endings."""
_IN_NO_FILE_NAME: Final = re.compile(
    r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]'
)
_RESERVED: Final = frozenset(
    {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10))}
)
"""What Windows takes for a device."""


class WrongError(Exception):
    """A value that a setting does not take; the text says what it takes.

    `path` are the keys that lead from the setting to what is wrong in it.
    """

    def __init__(self, text: str, *path: str) -> None:
        super().__init__(text)
        self.path = path


def shown(value: object, longest: int | None = _SHOWN) -> str:
    """A value as the file would have it, cut if it is longer, on one line, with nothing that steers a terminal."""
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, int) and abs(value) > _HUGE:
        text = "a huge number"  # of which Python perhaps refuses to write the digits
    elif isinstance(value, dict):
        inner = ", ".join(f"{key(name)} = {shown(item, None)}" for name, item in value.items())
        text = "a table" if longest is not None else f"{{ {inner} }}" if inner else "{}"
    elif isinstance(value, list | tuple):
        text = f"[{', '.join(shown(item, longest) for item in value)}]"
    else:
        text = repr(value) if isinstance(value, str | int | float) else str(value)
    return text if longest is None or len(text) <= longest else f"{text[: longest - 3]}..."


def key(name: str) -> str:
    """A key as the file would have it."""
    return name if name.isidentifier() else shown(name)


def listed(names: Iterable[str]) -> str:
    """Names in a row: a, b or c."""
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last


def instead_of(name: str, known: Iterable[str]) -> str:
    """What was perhaps meant; else what there is."""
    from difflib import get_close_matches  # a start without mistakes need not pay for it

    known = list(known)
    near = get_close_matches(name, known, 1)
    if near:
        return f"did you mean {near[0]}?"
    more = f" and {len(known) - _MOST_NAMED:,} more" if len(known) > _MOST_NAMED else ""
    return f"there are {', '.join(known[:_MOST_NAMED])}{more}"


def name(value: Any) -> str:
    """A text that is not empty."""
    if not isinstance(value, str):
        raise WrongError("it takes a text in quotes")
    if not value.strip():
        raise WrongError("it must not be empty")
    return value.strip()


def text(longest: int) -> Callable[[Any], str]:
    """A text that can be seen as it is."""

    def read(value: Any) -> str:
        found = name(value)
        if len(found) > longest:
            raise WrongError(f"it takes at most {longest:,} characters")
        if clean(found) != found:
            raise WrongError("it has characters that cannot be seen, or that steer a terminal: take them out")
        return found

    return read


def line(longest: int) -> Callable[[Any], str]:
    """A text of one line."""

    def read(value: Any) -> str:
        found = text(longest)(value)
        if one_line(found) != found:
            raise WrongError("it takes one line")
        return found

    return read


def texts(example: str) -> Callable[[Any], tuple[str, ...]]:
    """A list of texts, none of them empty."""

    def read(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise WrongError(f"it takes a list of texts: {example}")
        if len(value) > _MOST or any(len(item) > _LONGEST_ITEM for item in value):
            raise WrongError(f"it takes at most {_MOST} texts of at most {_LONGEST_ITEM:,} characters")
        if any(not item or "\0" in item for item in value):
            raise WrongError("none of its texts may be empty")
        return tuple(value)

    return read


def variables(value: Any) -> tuple[str, ...]:
    """Names of variables of the environment that a program gets."""
    names = texts('["GH_TOKEN"]')(value)
    for each in names:
        if not _VARIABLE.fullmatch(each):
            raise WrongError(f"it takes names of variables, not what they hold: {shown(each)} is none")
        if each.upper().startswith(_OURS):
            raise WrongError(f"{each} is ours to give: leave it out")
    return names


def folder(value: Any) -> str:
    """An absolute path, or one below the user's own folder."""
    text = name(value)
    if "\0" in text or not (os.path.isabs(text) or text == "~" or text.startswith(("~/", "~\\"))):
        raise WrongError('it takes an absolute path, or one that begins with "~/"')
    return text


def branch(value: Any) -> str:
    """What names a commit: a branch, a tag. Whether it is there is the repository's to know."""
    text = name(value)
    if text.startswith("-") or not text.isprintable() or any(character.isspace() for character in text):
        raise WrongError('it takes the name of a branch: "main"')
    return text


def memory_name(value: Any) -> str:
    """The name of a memory file: one that every system takes, and that leads out of no folder."""
    text = name(value)
    stem = text.partition(".")[0].rstrip().upper()
    if len(text.encode("utf-8", "replace")) > _FILE_NAME:
        raise WrongError(f"the name of a file has at most {_FILE_NAME} bytes")
    if _IN_NO_FILE_NAME.search(text) or text.startswith((".", "-")) or stem in _RESERVED:
        raise WrongError('it takes the name of a file, without its folder: "lubit_architectural_decisions.md"')
    if not text.lower().endswith(".md"):
        raise WrongError('it ends with ".md"')
    return text


def flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise WrongError("it takes true or false")
    return value


def number(*, over: float, most: float, unit: str) -> Callable[[Any], float]:
    """A number above one limit and up to the other."""

    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise WrongError(f"it takes a number of {unit}")
        if not over < value <= most:
            raise WrongError(f"it takes more than {over:g} and at most {most:.0f} {unit}")
        return value

    return read


def duration(*, least: float, most: float) -> Callable[[Any], float]:
    """Seconds, from a text such as "30s", "5m" or "1h30m"."""

    def read(value: Any) -> float:
        match = _DURATION.fullmatch(value.strip().lower()) if isinstance(value, str) else None
        if match is None or not any(match.groups()):
            raise WrongError('it takes a time such as "30s", "5m" or "1h30m"')
        seconds = sum(int(count) * unit for count, unit in zip(match.groups(), (3600, 60, 1), strict=True) if count)
        if not least <= seconds <= most:
            raise WrongError(f"it takes {least:g} to {most:g} seconds")
        return float(seconds)

    return read


def program(value: Any) -> tuple[str, ...]:
    """A program and its arguments, which no shell reads."""
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise WrongError('it takes a list of texts, the program and its arguments: ["notify-send", "collab"]')
    if not value or not value[0].strip() or any("\0" in part for part in value):
        raise WrongError("it takes the name of a program, then its arguments")
    return tuple(value)


def poll(value: Any) -> float:
    """Seconds between looks."""
    least, most = POLL_LIMITS
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise WrongError(f"it takes {least:g} to {most:g} seconds")
    return value


def one_of(choices: type[StrEnum]) -> Callable[[Any], str]:
    """One word of a few."""

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise WrongError(f"it takes {listed(choices)}, in quotes")
        if value not in set(choices):
            raise WrongError(f"it takes {listed(choices)}")
        return value

    return read


def some_of(choices: type[StrEnum]) -> Callable[[Any], tuple[str, ...]]:
    """A list of a few words, each once."""

    def read(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise WrongError(f'it takes a list of texts, such as ["{next(iter(choices))}"]')
        for place, item in enumerate(value):
            if item not in set(choices):
                raise WrongError(f"there is no {item!r}; {instead_of(item, choices)}")
            if item in value[:place]:
                raise WrongError(f"{item!r} is there twice")
        return tuple(value)

    return read


def keys(value: Any) -> tuple[str, ...]:
    """A key or a list of keys; which keys there are is the screen's to know."""
    found = value if isinstance(value, list) else [value]
    if not found or not all(isinstance(key, str) and key for key in found):
        raise WrongError('it takes a key such as "f8", or a list of keys')
    return tuple(found)


def record(required: Iterable[str] = (), /, **fields: Callable[[Any], Any]) -> Callable[[Any], dict[str, Any]]:
    """A table of fixed keys, each with its own reader; the keys in `required` must be there."""

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise WrongError(f"it takes a table with {listed(fields)}")
        found = {}
        for name, item in value.items():
            if name not in fields:
                raise WrongError(f"unknown key {shown(name)}; {instead_of(name, fields)}", name)
            try:
                found[name] = fields[name](item)
            except WrongError as wrong:
                if wrong.path:
                    raise WrongError(str(wrong), name, *wrong.path) from None
                raise WrongError(f"{name} = {shown(item)}: {wrong}", name) from None
        for name in required:
            if name not in found:
                raise WrongError(f"it needs {name}")
        return found

    return read


def public_key(value: Any) -> str:
    """An Ed25519 public key."""
    import base64
    import binascii

    kind, _, encoded = value.partition(":") if isinstance(value, str) else ("", "", "")
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if kind != "ed25519" or len(key) != _KEY_BYTES:
        raise WrongError('it takes a public key, "ed25519:" and 44 characters of base64')
    return str(value)
