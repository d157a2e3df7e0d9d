"""Runs one program for us, and ends it when we are gone. Started as a file of its own, by `supervised`.

Its standard input, output and error are those of the program, and it lets go of them: what goes through them is between
the program and us. Two more descriptors are its own. On the first comes what to run, and then nothing: we hold the
other end of that pipe, and whichever way we end, the pipe does too. Then the whole group is asked to end, and made to a
little later. On the second it tells which process the program is, and how it ended.

Nothing but the standard library, and no module of this package: it starts in the time of a bare interpreter.
"""

import json
import os
import signal
import subprocess
import sys
import threading

_GRACE = 3.0
"""Seconds from asking the group of somebody who is gone until making it end."""
_CHUNK = 1 << 16


def main() -> None:
    """Run what the first descriptor says to its end."""
    said, told = _descriptor(sys.argv[1], os.O_RDONLY), _descriptor(sys.argv[2], os.O_WRONLY)
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK"):  # it is in the program's group, and tells how that ended
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # that the program is to inherit
            signal.signal(number, lambda *_: None)
    try:
        about = json.loads(_line(said))
        process = subprocess.Popen(about["arguments"], env=about["environment"], cwd=about["folder"])
    except EOFError:
        return  # they were gone before they had said what to run
    except (OSError, ValueError) as error:  # a NUL in an argument is a ValueError
        _tell(told, {"failed": (isinstance(error, OSError) and error.strerror) or str(error), "of": _file(error)})
        return
    _let_go()
    _tell(told, {"pid": process.pid})
    ended, is_alone = threading.Event(), threading.Event()
    watching = threading.Thread(target=_watch_owner, args=(said, process, ended, is_alone), daemon=True)
    watching.start()
    code = process.wait()
    _tell(told, {"code": code})
    ended.set()
    if is_alone.is_set():
        watching.join()
    elif about["ends_group"]:
        _end_group(process, hard=True)


def _descriptor(number: str, flags: int) -> int:
    descriptor = int(number)
    if sys.platform == "win32":
        import msvcrt

        descriptor = msvcrt.open_osfhandle(descriptor, flags)
    return descriptor


def _line(descriptor: int) -> bytes:
    found = b""
    while not found.endswith(b"\n"):
        if not (piece := os.read(descriptor, _CHUNK)):
            raise EOFError
        found += piece
    return found


def _file(error: Exception) -> "str | None":
    return os.fsdecode(error.filename) if isinstance(error, OSError) and error.filename is not None else None


def _let_go() -> None:
    """Hold none of the program's pipes: where it closes one, we see that."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)


def _watch_owner(
    said: int, process: "subprocess.Popen[bytes]", ended: threading.Event, is_alone: threading.Event
) -> None:
    if os.read(said, 1):
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


def _tell(told: int, what: dict[str, object]) -> None:
    try:
        os.write(told, json.dumps(what).encode() + b"\n")
    except OSError:
        return  # they are gone, and say themselves that they do not know


if __name__ == "__main__":
    main()
    os._exit(0)  # a thread still waits for its owner to go
