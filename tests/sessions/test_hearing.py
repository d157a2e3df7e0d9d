"""What is kept of what a driver tells."""

from __future__ import annotations

from typing import cast

import pytest

from collab_tui.sessions.hearing import Hearing
from collab_tui.sessions.questions import Questions


@pytest.fixture
def hearing() -> Hearing:
    asked = cast("Questions", None)  # nothing is asked
    return Hearing(
        asked,
        submitted=lambda: None,
        changed=lambda: None,
        declare=lambda fields: None,
        resume_by=lambda resume_id: None,
        is_seen=False,
    )


def test_no_secret_that_is_plain_to_see_is_in_its_last_line(hearing: Hearing) -> None:
    for piece in ("$ curl -H 'Authoriz", "ation: Bearer abcdefghijkl' x.org\n", "\n"):
        hearing.said(piece)
    assert hearing.last_line == "$ curl -H 'Authorization: ***' x.org"
    hearing.said_lines(["the key is sk-abcdefghijklmnop"])
    assert hearing.last_line == "the key is ***"
