"""A text file that somebody wrote by hand, read within bounds: never a pipe, which would not end."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path


class TextError(Exception):
    """The file cannot be read; the text names it and says why."""


@dataclass(frozen=True, slots=True)
class TextFile:
    """What a file says."""

    text: str
    is_writable_by_others: bool
    """It is another's, or others may write it; False where the system does not tell."""


def read_text(path: Path, most: int) -> TextFile | None:
    """Read a file of at most so many bytes; None where there is none. Raises `TextError`."""
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode) or about.st_size > most:
            raise TextError(f"{path}: it is no file of at most {most:,} bytes")
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise TextError(f"{path}: it cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TextError(f"{path}: it is not UTF-8 ({error}); save it as UTF-8") from error
    is_writable = os.name == "posix" and (
        about.st_uid != os.geteuid() or bool(about.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
    )
    return TextFile(text, is_writable)
