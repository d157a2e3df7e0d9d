"""Which machine this is, whatever it is called today: a laptop takes another name in another network."""

from __future__ import annotations

import hashlib
import socket
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path


@cache
def this_machine() -> str:
    """The same until the system is set up anew, and another on each machine that has the same home folder.

    It is made of the system's own id and does not tell that. Where a system has none, its name has to do.
    """
    known = _system_id() or socket.gethostname()
    return hashlib.sha256(f"collab-tui {known}".encode("utf-8", "replace")).hexdigest()[:16]


if sys.platform == "darwin":

    def _system_id() -> str | None:
        import ctypes

        found, size = ctypes.create_string_buffer(64), ctypes.c_size_t(64)
        with suppress(OSError, AttributeError):
            failed = ctypes.CDLL(None).sysctlbyname(b"kern.uuid", found, ctypes.byref(size), None, 0)
            return None if failed else found.value.decode("ascii", "replace") or None
        return None

elif sys.platform == "win32":

    def _system_id() -> str | None:
        import winreg

        with suppress(OSError), winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SOFTWARE\Microsoft\Cryptography") as key:
            return str(winreg.QueryValueEx(key, "MachineGuid")[0]) or None
        return None

else:

    def _system_id() -> str | None:
        with suppress(OSError, ValueError):
            found = Path("/etc/machine-id").read_text(encoding="ascii").strip()
            return found if len(found) == 32 else None
        return None
