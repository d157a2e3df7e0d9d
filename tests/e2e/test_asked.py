"""An agent's process asks and waits, a person answers with one key at the board, and the process goes on by itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.terminal import terminal
from tests.program import PROGRAM, environment, run, started
from tests.signing import install_key_at


@pytest.mark.parametrize(("key", "code", "verdict"), [("a", 0, "approved"), ("x", 1, "rejected")])
def test_one_key_at_the_board_ends_the_wait(tmp_path: Path, key: str, code: int, verdict: str) -> None:
    install_key_at(tmp_path)
    assert run("init", cwd=tmp_path).returncode == 0
    (tmp_path / "metrics.md").touch()
    question = ("ask", "GO for the canary?", "--evidence", "metrics.md", "--key", "canary", "--wait")
    env = environment(tmp_path, COLLAB_AGENT="sena")
    with (
        terminal(PROGRAM, cwd=tmp_path, env=environment(tmp_path)) as board,
        started(*question, cwd=tmp_path, env=env) as asker,
    ):
        board.wait_for("GO for the canary?")
        board.wait_for("evidence metrics.md")
        board.wait_for(f"{verdict} by human", press=key)
        assert asker.wait() == code
        answer = json.loads(asker.output)
        board.send("q")
        assert board.wait() == 0
    assert (answer["verdict"], answer["by"], answer["standing"], answer["key"]) == (
        verdict,
        "human",
        "signed",
        "canary",
    )
