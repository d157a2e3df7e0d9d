"""A text from standard input, as shells pipe it."""

from __future__ import annotations

import codecs
import sys
from typing import Final

from collab_tui.registry.append import UnusableError

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""What a text begins with -> its encoding; PowerShell writes these."""


def read_text(longest: int) -> str:
    """All of it, of at most so many bytes, without the line end after the last line.

    Raises `UnusableError` for more, and for what is not UTF-8, nor marked as UTF-16.
    """
    data = sys.stdin.buffer.read(longest + 1)
    if len(data) > longest:
        raise UnusableError(f"standard input has more than {longest:,} bytes: put the long part in a file and name it")
    mark, encoding = next(((mark, encoding) for mark, encoding in _MARKS if data.startswith(mark)), (b"", "utf-8"))
    try:
        return data[len(mark) :].decode(encoding).rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise UnusableError(f"standard input is not {encoding.upper()} ({error})") from error
