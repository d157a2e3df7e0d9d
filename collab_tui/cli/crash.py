"""An error that is ours: one line on standard error, and a report in a file of the user's.

The report has the traceback without the values of variables: these hold text from events, names and answers. Of such
text only what the error's own message repeats gets there, cleaned and cut.
"""

from __future__ import annotations

import os
import platform
import time
import traceback
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from collab_tui import __version__
from collab_tui.model.text import clean, one_line

EXIT_CODE = 70
"""An internal error, as sysexits.h numbers them."""
_KEPT = 5
"""Reports; older ones are deleted."""
_LONGEST = 2000
"""Characters of one line of a report."""
_MOST = 400
"""Lines of a report: of more the middle is left out."""


def tell(error: BaseException, command: str) -> str:
    """Write the report of an error; gives the line for standard error."""
    kind = type(error).__name__
    try:
        path = _write(_report(error, command))
    except OSError as trouble:
        where = _place(error)
        return one_line(f"an error that is ours: {kind}{where}; no report could be written: {trouble.strerror}")
    return f"an error that is ours: {kind}; the report is in {path}"


def _report(error: BaseException, command: str) -> str:
    told = "".join(traceback.TracebackException.from_exception(error, capture_locals=False).format())
    lines = [
        f"collab-tui {__version__}, command {command}",
        f"Python {platform.python_version()}, Textual {_version('textual')}, {platform.platform()}",
        f"TERM {os.environ.get('TERM', '')}",
        "",
        *clean(told).split("\n"),
    ]
    if len(lines) > _MOST:
        left_out = f"... {len(lines) - _MOST} lines left out ..."
        lines = [*lines[: _MOST // 2], left_out, *lines[-_MOST // 2 :]]
    return "\n".join(line[:_LONGEST] for line in lines)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _write(report: str) -> Path:
    """Keep the report, and only a few; nobody else may read it."""
    import platformdirs

    folder = Path(platformdirs.user_log_dir("collab-tui", appauthor=False))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"crash-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}.txt"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(report)
    for old in sorted(folder.glob("crash-*.txt"))[:-_KEPT]:
        old.unlink(missing_ok=True)
    return path


def _place(error: BaseException) -> str:
    """Where it happened, for want of a report."""
    steps = traceback.extract_tb(error.__traceback__)
    return f" at {os.path.basename(steps[-1].filename)}:{steps[-1].lineno}" if steps else ""
