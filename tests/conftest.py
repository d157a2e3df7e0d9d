"""What every test needs."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Let programs be interrupted that tests start: in the background a shell has them ignore that, as `nohup` does."""
    for name in ("SIGINT", "SIGQUIT", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)
