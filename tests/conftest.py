"""What every test needs."""

from __future__ import annotations

import gc
import signal


def pytest_configure() -> None:
    """Let programs be interrupted that tests start: in the background a shell has them ignore that, as `nohup` does.

    And look for garbage more seldom: a third of the time of the tests of the screen went into that.
    """
    gc.set_threshold(10_000)
    for name in ("SIGINT", "SIGQUIT", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)
