"""Whether a process is there."""

from __future__ import annotations

import os
import sys


def is_alive(process: int) -> bool:
    """The process runs, as far as this machine tells; one that may not be asked about does."""
    if process <= 0:
        return False
    if sys.platform == "win32":  # there `os.kill` would end it
        import ctypes

        synchronize, timed_out, denied = 0x0010_0000, 0x102, 5
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        handle = kernel.OpenProcess(synchronize, False, process)
        if not handle:
            return ctypes.get_last_error() == denied
        try:
            return bool(kernel.WaitForSingleObject(handle, 0) == timed_out)
        finally:
            kernel.CloseHandle(handle)
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
