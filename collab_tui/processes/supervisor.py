"""Runs one program for us, and ends it when we are gone. Started as a file of its own, by `supervised`.

Its standard input, output and error are those of the program, and it lets go of them: what goes through them is between
the program and us. Two more descriptors are its own. On the first comes what to run, and later that it is to be asked
to end or made to; we hold the other end of that pipe, and whichever way we end, the pipe does too. Then it is asked to
end, and made to a little later. On the second it tells which process the program is, and how it ended.

Asked is its group. Made to end is all that it started: on Linux also what went into a session of its own or lost its
parent, on Windows whatever is in its job, elsewhere what still hangs together by its parents and what is in its group.
Out of reach is what runs as another user, and what a service started for it: of systemd, cron, docker.

Nothing but the standard library, and no module of this package: it starts in the time of a bare interpreter.
"""

import json
import os
import signal
import subprocess
import sys
import threading

_GRACE = 3.0
"""Seconds from asking the program of somebody who is gone to end until making it."""
_MOST_ENDING = 2
"""Seconds for which what is killed is waited for: it may be stuck in the system, or another user's."""
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
        family = _Family()
        process = subprocess.Popen(about["arguments"], env=about["environment"], cwd=about["folder"])
    except EOFError:
        return  # they were gone before they had said what to run
    except (OSError, ValueError) as error:  # a NUL in an argument is a ValueError
        _tell(told, {"failed": (isinstance(error, OSError) and error.strerror) or str(error), "of": _file(error)})
        return
    _let_go()
    _tell(told, {"pid": process.pid})
    ended, is_to_end = threading.Event(), threading.Event()
    threading.Thread(target=_obey, args=(said, process, family, ended, is_to_end), daemon=True).start()
    _tell(told, {"code": family.wait(process)})
    ended.set()
    if is_to_end.is_set() or about["ends_all"]:
        family.end()
    else:
        family.let_go()


def _descriptor(number: str, flags: int) -> int:
    descriptor = int(number)
    if sys.platform == "win32":
        import msvcrt

        descriptor = msvcrt.open_osfhandle(descriptor, flags)
    return descriptor


def _line(descriptor: int) -> bytes:
    found = b""
    while not found.endswith(b"\n"):  # nothing else is said before they know that it runs
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


def _obey(
    said: int,
    process: "subprocess.Popen[bytes]",
    family: "_Family",
    ended: threading.Event,
    is_to_end: threading.Event,
) -> None:
    while (asked := os.read(said, 1)) == b"?":
        is_to_end.set()
        _ask()
    is_to_end.set()
    if not asked:  # they are gone
        _ask()
        ended.wait(_GRACE)
    family.kill(process)


def _ask() -> None:
    try:
        if sys.platform == "win32":
            os.kill(os.getpid(), signal.CTRL_BREAK_EVENT)
        else:
            os.killpg(0, signal.SIGTERM)
    except OSError:
        return  # it ended just now


def _tell(told: int, what: dict[str, object]) -> None:
    try:
        os.write(told, json.dumps(what).encode() + b"\n")
    except OSError:
        return  # they are gone, and say themselves that they do not know


if sys.platform != "win32":

    def _kill(process: int) -> None:
        """It was found just now: its number cannot be another's already."""
        try:
            os.kill(process, signal.SIGKILL)
        except OSError:
            return  # it ended just now, or is another user's


if sys.platform == "linux":

    class _Family:
        """The program and all that comes of it: whoever loses its parent becomes a child of this process."""

        def __init__(self) -> None:
            self._reaping = threading.Lock()
            """A number is only signalled while nobody is reaped: so it is nobody else's."""
            try:
                import ctypes
            except ImportError:  # a Python without it reaches only the group
                return
            set_child_subreaper = 36
            ctypes.CDLL(None).prctl(set_child_subreaper, ctypes.c_ulong(1), 0, 0, 0)

        def wait(self, process: "subprocess.Popen[bytes]") -> int:
            while process.returncode is None:
                os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
                with self._reaping:
                    ended, status = os.waitpid(-1, 0)
                    if ended == process.pid:
                        process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode

        def kill(self, process: "subprocess.Popen[bytes]") -> None:
            with self._reaping:
                if process.returncode is None:
                    os.kill(process.pid, signal.SIGKILL)

        def end(self) -> None:
            """Kill our children until there is none: those of whom we kill are ours then."""
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(_MOST_ENDING)  # which ends us
            try:
                while True:
                    while os.waitpid(-1, os.WNOHANG)[0]:
                        pass
                    for child in _children():
                        _kill(child)
                    os.waitpid(-1, 0)
            except ChildProcessError:
                os.killpg(0, signal.SIGKILL)

        def let_go(self) -> None:
            """What is left goes on without us."""

    def _children() -> "list[int]":
        found = []
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    with open(f"/proc/{name}/stat", "rb") as file:
                        parent = int(file.read().rpartition(b") ")[2].split()[1])
                except OSError:  # it ended just now
                    continue
                if parent == os.getpid():
                    found.append(int(name))
        return found

elif sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    class _Limits(ctypes.Structure):
        """JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

        _fields_ = (
            ("PerProcessUserTimeLimit", ctypes.c_int64),
            ("PerJobUserTimeLimit", ctypes.c_int64),
            ("LimitFlags", wintypes.DWORD),
            ("MinimumWorkingSetSize", ctypes.c_size_t),
            ("MaximumWorkingSetSize", ctypes.c_size_t),
            ("ActiveProcessLimit", wintypes.DWORD),
            ("Affinity", ctypes.c_size_t),
            ("PriorityClass", wintypes.DWORD),
            ("SchedulingClass", wintypes.DWORD),
            ("IoInfo", ctypes.c_uint64 * 6),
            ("ProcessMemoryLimit", ctypes.c_size_t),
            ("JobMemoryLimit", ctypes.c_size_t),
            ("PeakProcessMemoryUsed", ctypes.c_size_t),
            ("PeakJobMemoryUsed", ctypes.c_size_t),
        )

    class _Family:
        """The program and all that comes of it are in a job that ends with the last handle to it: with this process."""

        def __init__(self) -> None:
            self._kernel = kernel = ctypes.WinDLL("kernel32", use_last_error=True)
            kernel.CreateJobObjectW.restype = kernel.GetCurrentProcess.restype = wintypes.HANDLE
            kernel.CreateJobObjectW.argtypes = (wintypes.LPVOID, wintypes.LPCWSTR)
            kernel.AssignProcessToJobObject.argtypes = (wintypes.HANDLE, wintypes.HANDLE)
            kernel.SetInformationJobObject.argtypes = (wintypes.HANDLE, ctypes.c_int, wintypes.LPVOID, wintypes.DWORD)
            self._job = kernel.CreateJobObjectW(None, None)
            kill_on_job_close = 0x2000
            self._limit(kill_on_job_close)
            kernel.AssignProcessToJobObject(self._job, kernel.GetCurrentProcess())

        def _limit(self, flags: int) -> None:
            limits, extended_limit_information = _Limits(LimitFlags=flags), 9
            self._kernel.SetInformationJobObject(
                self._job, extended_limit_information, ctypes.byref(limits), ctypes.sizeof(limits)
            )

        def wait(self, process: "subprocess.Popen[bytes]") -> int:
            return process.wait()

        def kill(self, process: "subprocess.Popen[bytes]") -> None:
            process.kill()

        def end(self) -> None:
            """With us it does."""

        def let_go(self) -> None:
            """What is left goes on without us."""
            self._limit(0)

else:

    class _Family:
        """The program and all that comes of it, as far as each still has its parent, or is in the group."""

        def wait(self, process: "subprocess.Popen[bytes]") -> int:
            return process.wait()

        def kill(self, process: "subprocess.Popen[bytes]") -> None:
            for each in descendants(os.getpid()):
                _kill(each)
            process.kill()

        def end(self) -> None:
            """Kill the group, in which we are."""
            os.killpg(0, signal.SIGKILL)

        def let_go(self) -> None:
            """What is left goes on without us."""


def descendants(root: int) -> "list[int]":
    """All that came of a process and still has its parent, as `ps` tells; nothing where it tells nothing."""
    try:
        told = subprocess.run(
            ["ps", "-axo", "pid=,ppid="],  # noqa: S607  # where it is differs
            env={"PATH": "/bin:/usr/bin"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_MOST_ENDING,
            check=False,
        ).stdout.split()
    except (OSError, subprocess.TimeoutExpired):
        return []
    pairs = list(zip(map(int, told[::2]), map(int, told[1::2]), strict=False))
    found = [root]
    for known in found:
        found += [process for process, parent in pairs if parent == known]
    return found[1:]


if __name__ == "__main__":
    main()
    os._exit(0)  # a thread still waits for its owner to go
