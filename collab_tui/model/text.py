"""Cleaning of untrusted text: what agents write may steer a terminal, so it is made visible or dropped.

Everything that reaches the model has passed `clean`. A clean chunk of the registry costs a few `memchr`
(`looks_clean`); only lines that hold something suspicious are walked. Source of the character classes:
Unicode UAX #9 (bidi controls), UTS #39 (invisible characters), ECMA-48 (C0 and C1).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

_ESCAPE: Final = re.compile(rb"\\[^\"\\/nt]").search
"""An escape that may stand for a control character."""

_SUSPICIOUS_BYTES: Final = tuple(
    (first, re.compile(re.escape(first) + rest).search)
    for first, rest in (
        # A search for one byte is a memchr; most of these never occur, and their pattern is then not tried.
        (b"\\", rb"[^\"\\/nt]"),  # an escape that may stand for a control character
        (b"\x7f", rb""),
        (b"\xc2", rb"[\x80-\x9f\xad]"),  # C1, soft hyphen
        (b"\xcc", rb""),  # combining marks: may be stacked
        (b"\xcd", rb"[\x80-\xaf]"),
        (b"\xd8", rb"\x9c"),  # Arabic letter mark
        (b"\xe1", rb"(?:\x85[\x9f\xa0]|\x9e[\xb4\xb5]|\xa0\x8e|\xaa[\xb0-\xbf]|\xab|\xb7)"),  # fillers, marks
        (b"\xe2", rb"(?:\x80[\x8b\x8e\x8f\xa8-\xae]|\x81[\xa0-\xaf]|\x83)"),  # zero width, bidi, U+20D0 marks
        (b"\xe3", rb"\x85\xa4"),
        (b"\xef", rb"(?:\xb8[\xa0-\xaf]|\xbb\xbf|\xbe\xa0|\xbf[\xb0-\xbf])"),  # marks, BOM, filler, specials
        (b"\xf3", rb"\xa0"),  # tags and variation selectors supplement
    )
)

_INVISIBLE: Final = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2064\u3164\ufeff\uffa0\U000e0000-\U000e0fff"
)
_BIDI: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_MARKS: Final = "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_MAX_STACKED_MARKS: Final = 4

_CONTROL: Final = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
_SEPARATOR: Final = "\u2028\u2029"
_NOT_SHOWN: Final = rf"{_INVISIBLE}\u206a-\u206f"
_NONE: Final = r"\ud800-\udfff\ufff0-\uffff"
_BAD: Final = re.compile(
    rf"(?P<newline>\r\n)"
    rf"|(?P<control>[{_CONTROL}])"
    rf"|(?P<separator>[{_SEPARATOR}])"
    rf"|(?P<bidi>[{_BIDI}])"
    rf"|(?P<invisible>[{_NOT_SHOWN}]+)"
    rf"|(?P<none>[{_NONE}])"
)
_has_bad: Final = re.compile(f"[{_CONTROL}{_SEPARATOR}{_BIDI}{_NOT_SHOWN}{_NONE}]").search
"""Most text has nothing bad, and one class is looked for ten times as fast as all of them."""
_STACKED: Final = re.compile(rf"(?<=[{_MARKS}]{{{_MAX_STACKED_MARKS}}})[{_MARKS}]+")
"""Looked for when nothing invisible stands between the marks any more."""

_NO_LETTERS: Final = re.compile(rf"[^\w\x00-\x7f]{{{_MAX_STACKED_MARKS + 1},}}")
"""What a stack of marks lies in."""


def _replacement(match: re.Match[str]) -> str:
    char = match[0]
    match match.lastgroup:
        case "newline":
            return "\n"
        case "control" if char == "\x85":
            return " "
        case "control" if char == "\x7f":
            return "\u2421"
        case "control" if char < "\x20":
            return chr(0x2400 + ord(char))
        case "control":
            return f"\u27e6{ord(char):02X}\u27e7"
        case "separator":
            return " "
        case "bidi":
            return f"\u27e6U+{ord(char):04X}\u27e7"
        case "none":
            return "\ufffd"
        case _:
            return ""


def looks_clean(chunk: bytes) -> bool:
    """True when no JSON text in `chunk` can hold a character that `clean` would change."""
    if chunk.isascii():
        return b"\x7f" not in chunk and not (b"\\" in chunk and _ESCAPE(chunk))
    return not any(first in chunk and search(chunk) for first, search in _SUSPICIOUS_BYTES)


def clean(text: str) -> str:
    r"""`text` with everything removed or made visible that could steer a terminal or deceive a reader.

    Newlines and tabs stay. Idempotent.

    >>> clean("\\x1b[2Jok")
    '␛[2Jok'
    """
    if _has_bad(text):
        text = _BAD.sub(_replacement, text)
    return _STACKED.sub("", text)


def clean_json(value: Any) -> Any:
    """A decoded JSON value with every string in it, keys too, cleaned. Iterative: depth is the writer's choice.

    Of two keys that are then the same, the one that needed no cleaning stays.
    """
    if isinstance(value, str):
        return clean(value)
    root: list[Any] = [value]
    pending: list[list[Any] | dict[str, Any]] = [root]
    while pending:
        container = pending.pop()
        if isinstance(container, list):
            for index, item in enumerate(container):
                if isinstance(item, str):
                    container[index] = clean(item)
                elif isinstance(item, list | dict):
                    pending.append(item)
        else:
            original = container.copy()
            container.clear()
            for key, item in original.items():
                name = clean(key)
                if name != key and name in original:
                    continue
                container[name] = clean(item) if isinstance(item, str) else item
                if isinstance(item, list | dict):
                    pending.append(item)
    return root[0]


def one_line(text: str) -> str:
    """Cleaned text for a place that has one line: runs of white space become one space, stacks of marks low.

    The blank pattern of Braille (U+2800) is white space here: it looks like it, and lays out columns.
    Marks of any script: those that `clean` leaves are letters' own in some languages, a few at a time.
    """
    if not text.isascii():
        text = _NO_LETTERS.sub(_unstacked, text.replace("\u2800", " "))
    return " ".join(text.split())


def _unstacked(match: re.Match[str]) -> str:
    kept, marks = [], 0
    for char in match[0]:
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        if marks <= _MAX_STACKED_MARKS:
            kept.append(char)
    return "".join(kept)
