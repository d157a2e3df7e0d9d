"""A number alone is soon another's: what is signalled is the process that was meant, or nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from collab_tui.processes.identity import Identity, identity_of, is_alive, signal_group
from tests.program import PATIENCE

pytestmark = pytest.mark.skipif(os.name == "nt", reason="process groups of Unix")

_SLEEPS = [sys.executable, "-c", "import time; time.sleep(1000)"]


def test_a_process_is_the_same_for_as_long_as_it_runs() -> None:
    with subprocess.Popen(_SLEEPS) as process:
        identity = identity_of(process.pid)
        assert identity is not None
        assert is_alive(identity)
        assert identity_of(process.pid) == identity
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert identity_of(process.pid) is None, "it is not reaped yet, and does not run"
    assert not is_alive(identity)


@pytest.mark.parametrize("pid", [0, -1, 2**22 + 1])
def test_there_is_no_process_of_such_a_number(pid: int) -> None:
    assert identity_of(pid) is None


@pytest.mark.parametrize("hard", [True, False])
def test_a_process_that_got_the_number_later_is_never_signalled(hard: bool) -> None:
    with subprocess.Popen(_SLEEPS, start_new_session=True) as process:
        identity = identity_of(process.pid)
        assert identity is not None
        signal_group(replace(identity, started=f"{identity.started}0"), hard=hard)
        signal_group(Identity(process.pid, ""), hard=hard)
        assert process.poll() is None
        signal_group(identity, hard=hard)
        assert process.wait(PATIENCE) == -(signal.SIGKILL if hard else signal.SIGTERM)
        signal_group(identity, hard=hard)


def test_of_our_own_group_only_that_process_is_signalled() -> None:
    with subprocess.Popen(_SLEEPS) as one, subprocess.Popen(_SLEEPS) as other:
        identity = identity_of(one.pid)
        assert identity is not None
        signal_group(identity, hard=True)
        assert one.wait(PATIENCE) == -signal.SIGKILL
        assert other.poll() is None
        other.kill()
