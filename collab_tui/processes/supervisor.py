"""Runs one program of a rule, and ends it when the monitor is gone. Started as a file of its own, by `programs`.

On standard input comes what to run, and then nothing more: the monitor holds the other end of that pipe, and whichever
way it ends, the pipe does too. Then the whole group is asked to end, and made to a little later. How the program ended
goes to standard error; what it prints to standard output, for as long as it runs itself: a child that it leaves behind
holds nothing of ours.

Nothing but the standard library, and no module of this package: it starts in the time of a bare interpreter.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading

_GRACE = 3.0
"""Seconds from asking the group of a monitor that is gone until making it end."""
_DRAIN = 1.0
"""Seconds for which the rest of the output is waited for once the program ended: a child of it may hold the pipe."""
_CHUNK = 1 << 16
SIZE = 10
"""Digits of the size of what is said first."""


def main() -> None:
    """Run what standard input says to its end."""
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK"):  # it is in the program's group, and tells how that ended
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # that the program is to inherit
            signal.signal(number, lambda *_: None)
    try:
        process, output = _started()
    except EOFError:
        return  # the monitor was gone before it had said what to run
    except (OSError, ValueError) as error:  # a NUL in an argument is a ValueError
        _tell({"failed": (isinstance(error, OSError) and error.strerror) or str(error)})
        return
    ended, is_alone = threading.Event(), threading.Event()
    watching = threading.Thread(target=_watch_monitor, args=(process, ended, is_alone), daemon=True)
    watching.start()
    copying = threading.Thread(target=_copy, args=(output,), daemon=True)
    copying.start()
    code = process.wait()
    copying.join(_DRAIN)
    _tell({"code": code})
    ended.set()
    if is_alone.is_set():
        watching.join()


def _started() -> tuple["subprocess.Popen[bytes]", int]:
    about = json.loads(_read(int(_read(SIZE))))
    event = _read(about["size"])
    reading, writing = os.pipe()
    try:
        with (
            tempfile.TemporaryFile() as stdin
        ):  # a pipe would have to be fed while the program perhaps does not read it
            stdin.write(event)
            stdin.seek(0)
            process = subprocess.Popen(
                about["arguments"],
                stdin=stdin,
                stdout=writing,
                stderr=subprocess.STDOUT,
                env=about["environment"],
                cwd=about["folder"],
            )
    finally:
        os.close(writing)
    return process, reading


def _read(size: int) -> bytes:
    found = b""
    while len(found) < size:
        if not (piece := os.read(0, min(size - len(found), _CHUNK))):
            raise EOFError
        found += piece
    return found


def _copy(output: int) -> None:
    """Hand on what is printed; where nobody takes it, the program finds that out by itself."""
    try:
        while piece := os.read(output, _CHUNK):
            while piece:
                piece = piece[os.write(1, piece) :]
    except OSError:
        os.close(output)


def _watch_monitor(process: "subprocess.Popen[bytes]", ended: threading.Event, is_alone: threading.Event) -> None:
    if os.read(0, 1):
        return
    is_alone.set()
    _end_group(process, hard=False)
    ended.wait(_GRACE)
    _end_group(process, hard=True)
    os._exit(1)


def _end_group(process: "subprocess.Popen[bytes]", *, hard: bool) -> None:
    try:
        if sys.platform == "win32":
            process.kill() if hard else os.kill(os.getpid(), signal.CTRL_BREAK_EVENT)
        else:
            os.killpg(0, signal.SIGKILL if hard else signal.SIGTERM)
    except OSError:
        return  # it ended just now


def _tell(ended: dict[str, object]) -> None:
    try:
        os.write(2, json.dumps(ended).encode())
    except OSError:
        return  # the monitor is gone, and says itself that it does not know


if __name__ == "__main__":
    main()
    os._exit(0)  # threads may still read what nobody ends
