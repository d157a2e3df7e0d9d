"""`collab-tui guide`: the page for agents. Every command in it runs here, in the order in which it stands there."""

from __future__ import annotations

import json
import re
import shlex
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collab_tui.protocol.brief import brief_of
from collab_tui.registry.append import append
from tests.cli.conftest import Collab
from tests.program import PATIENCE, environment, run
from tests.signing import install_key_at, signed

PAGE = Path(__file__).parents[2] / "docs" / "for-agents.md"
COMMANDS = re.findall(r"^    (collab-tui .+)$", PAGE.read_text("utf-8"), re.MULTILINE)


def test_it_prints_the_page(collab: Collab) -> None:
    assert collab("guide") == (0, PAGE.read_text("utf-8"), "")


def test_it_puts_the_name_where_it_belongs(collab: Collab) -> None:
    code, out, err = collab("guide", "--agent", "sena")
    assert (code, err) == (0, "")
    assert "NAME" not in out
    assert "    collab-tui start --agent sena\n" in out
    assert '    collab-tui start --agent "sena kim"\n' in collab("guide", "--agent", " sena kim ")[1]
    assert "    collab-tui start --agent '$(id)'\n" in collab("guide", "--agent", "$(id)")[1]


def test_it_needs_no_registry_and_takes_none(collab: Collab) -> None:
    assert collab("guide", "--registry", "a.jsonl")[0] == 2
    assert collab("guide", "--agent", " ")[0] == 2


def test_it_is_one_page() -> None:
    lines = PAGE.read_text("utf-8").splitlines()
    assert len(lines) <= 90
    assert all(len(line) <= 140 for line in lines)


class Others:
    """The person and lubit: they answer whatever is asked of them."""

    def __init__(self, registry: Path) -> None:
        self.registry = registry
        self.failed: list[BaseException] = []
        self._over = threading.Event()
        self._answered: set[str] = set()
        self._thread = threading.Thread(target=self._answer)

    def __enter__(self) -> Others:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(PATIENCE)
        assert not self.failed

    def _answer(self) -> None:
        try:
            while not self._over.wait(0.05):
                for request in requests(self.registry):
                    if request["id"] not in self._answered:
                        self._answered.add(request["id"])
                        self._decide(request)
        except BaseException as error:  # told to the test, which runs elsewhere
            self.failed.append(error)

    def _decide(self, request: dict[str, Any]) -> None:
        decision = {"event": "decision", "request_id": request["id"]}
        if request.get("target") == "lubit":
            append(str(self.registry), {"agent": "lubit", **decision, "answer": "rules"})
            append(str(self.registry), {"agent": "lubit", "event": "status_update", "status": "completed"})
        elif request["agent"] == "sena":
            whole = {"id": "a" * 16, "timestamp": request["timestamp"], "agent": "human", **decision}
            append(str(self.registry), signed(whole | {"verdict": "approved"}, self.registry.read_bytes()))


def requests(registry: Path) -> Iterator[dict[str, Any]]:
    for line in registry.read_bytes().splitlines():
        event = json.loads(line)
        if event["event"] == "decision_request":
            yield event


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in which lubit asked sena two things."""
    install_key_at(tmp_path)
    folder = tmp_path / "shared"
    (folder / "docs").mkdir(parents=True)
    (folder / "docs" / "metrics.md").touch()
    registry = folder / "COLLABORATION_STATE.jsonl"
    asked: tuple[dict[str, Any], ...] = (
        {"id": "3f2a000000000000", "request": "do the numbers hold?"},
        {"id": "77aa000000000000", "request": "which first?", "options": ["rules", "model"]},
    )
    append(str(registry), {"agent": "system", "event": "registry_created", "registry": "abcdef"})
    append(str(registry), {"agent": "gitcode", "event": "status_update", "status": "in_progress"})
    for request in asked:
        append(str(registry), {"agent": "lubit", "event": "decision_request", "target": "sena", **request})
    return folder


SHOWN = {
    "collab-tui start": ("lubit", "sena: "),
    "collab-tui emit status_update --agent NAME --status": ("lubit", 'sena: working 40 % on "metrics v2"'),
    "collab-tui emit completion": ("lubit", 'sena: done 100 % on "metrics v2"'),
    'collab-tui emit blocker --agent NAME --blocker "no': (
        "lubit",
        'NEXT: answer first. sena is held up by its blocker "no credentials for staging", which is yours to resolve',
    ),
    "collab-tui emit blocker --agent NAME --blocker lubit": (
        "lubit",
        'sena is blocked, and it is yours to resolve: "lubit_review"',
    ),
    "collab-tui emit status_update --agent NAME --field": ("gitcode", 'sena: dependency "gitcode_ready"'),
    "collab-tui decide 3f2a": ("lubit", 'sena approved "do the numbers hold?": "the numbers hold"'),
    "collab-tui decide 77aa": ("lubit", 'sena answered "which first?" with "rules": "they are ready"'),
    "collab-tui send": ("lubit", '"the draft is in docs/draft.md"'),
    "collab-tui memory": ("sena", "Entropy is in nats, as lubit wants it."),
    "collab-tui end": ("lubit", "sena: gone"),
}
"""How a command starts -> whose brief tells what it does, and in which words."""


def test_every_command_of_the_page_works_and_the_others_are_told_what_it_promises(
    tmp_path: Path, project: Path
) -> None:
    registry = project / "COLLABORATION_STATE.jsonl"
    told: dict[str, bytes] = {}
    not_shown = dict(SHOWN)
    with Others(registry):
        for command in COMMANDS:
            words = shlex.split(command.replace("NAME", "sena"))[1:]
            done = run(*words, cwd=project, env=environment(tmp_path))
            assert done.returncode == 0, (command, done)
            told[words[0]] = told.get(words[0], b"") + done.stdout
            for start in [start for start in not_shown if command.startswith(start)]:
                name, text = not_shown.pop(start)
                assert text in brief_of(name, registry).text
            if "gitcode_ready" in command:
                append(str(registry), {"agent": "gitcode", "event": "status_update", "status": "completed"})
    assert not_shown == {}
    assert '"blocker:"' not in brief_of("lubit", registry).text  # it is told once, among the blockers
    assert "lubit_review" not in brief_of("lubit", registry).text  # it was unblocked
    assert b"do the numbers hold?" in told["start"]
    assert b"which first?" in told["listen"]
    assert [json.loads(part)["state"] for part in told["ask"].splitlines()] == ["answered", "answered"]
    events = [json.loads(line) for line in registry.read_bytes().splitlines()]
    mine = [event["event"] for event in events if event["agent"] == "sena"]
    assert mine[0] == "session_start"
    assert mine[-1] == "session_end"
    assert {"status_update", "completion", "decision_request", "blocker", "blocker_resolved", "message"} <= set(mine)
    assert sum(event == "decision" for event in mine) == 2


def test_the_page_speaks_of_every_command_that_an_agent_needs() -> None:
    assert {shlex.split(command)[1] for command in COMMANDS} == {
        "start",
        "emit",
        "ask",
        "unblock",
        "wait",
        "memory",
        "listen",
        "decide",
        "send",
        "status",
        "end",
    }
