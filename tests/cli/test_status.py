"""`collab-tui status`: for people, and as the JSON that `cli/document.py` promises."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collab_tui.cli import document
from collab_tui.protocol.keys import Keyring
from tests.cli.conftest import Collab
from tests.events import at, decides, lines, says, updates

REAL = Path(__file__).parents[3] / "shared" / "data" / "real-registry.jsonl"

Check = Callable[[Any], bool]


def a(*kinds: type) -> Check:
    return lambda value: type(value) in kinds


def maybe(check: Check) -> Check:
    return lambda value: value is None or check(value)


def listed(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


def keyed(**fields: Check) -> Check:
    """Exactly these keys, in this order."""

    def check(value: Any) -> bool:
        assert list(value) == list(fields)
        for name, holds in fields.items():
            assert holds(value[name]), (name, value[name])
        return True

    return check


def one_of(*values: object) -> Check:
    return lambda value: value in values


def time(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value))


text, number, flag = a(str), a(int, float), a(bool)


def line(value: Any) -> bool:
    return type(value) is int and value >= 1


AGENT = keyed(
    name=text,
    status=maybe(one_of("waiting", "in_progress", "blocked", "completed", "idle", "failed", "unknown")),
    raw_status=maybe(text),
    progress=maybe(number),
    current_task=maybe(text),
    next_action=maybe(text),
    message=maybe(text),
    role=maybe(text),
    blockers=listed(keyed(text=text, reason=maybe(text), line=line)),
    dependencies=listed(text),
    waits_for=listed(text),
    gone=flag,
    unblocked=flag,
    answered=maybe(text),
    silent_seconds=maybe(number),
    last_event=text,
    last_event_at=maybe(time),
    last_line=line,
    set_at=lambda value: all(map(text, value)) and all(map(line, value.values())),
)
REQUEST = keyed(
    id=text,
    state=one_of("open", "answered", "withdrawn", "moved_on", "expired"),
    kind=one_of("approval", "choice", "question"),
    request=text,
    details=maybe(text),
    asker=text,
    target=maybe(text),
    to_person=flag,
    options=listed(text),
    default=maybe(text),
    evidence=listed(text),
    urgency=maybe(text),
    asked_at=maybe(time),
    deadline=maybe(time),
    overdue=flag,
    expires=maybe(time),
    holds_up=listed(text),
    line=line,
    perhaps_answered=flag,
    claimed=flag,
    answer=maybe(
        keyed(
            by=text,
            verdict=maybe(text),
            text=maybe(text),
            comment=maybe(text),
            at=maybe(time),
            line=line,
            standing=maybe(one_of("signed", "claimed", "unknown_key", "bad")),
        )
    ),
)
REASON = keyed(
    because=one_of("request", "status", "blocker", "dependency"),
    text=text,
    line=line,
    request_id=maybe(text),
    answered=flag,
)
DOCUMENT = keyed(
    position=a(int),
    events=a(int),
    registry=keyed(name=text, id=maybe(text)),
    now=time,
    agents=listed(AGENT),
    requests=listed(REQUEST),
    blockers=listed(keyed(text=text, holders=listed(text), holds_up=listed(text), line=line)),
    waits=listed(keyed(waiter=text, awaited=text, line=line, reasons=listed(REASON))),
    deadlocks=listed(keyed(agents=listed(text), line=line, request_id=maybe(text))),
    problems=listed(keyed(kind=text, line=line, text=text)),
    problem_count=a(int),
)


def told(collab: Collab, *arguments: str) -> dict[str, Any]:
    """The document, as it has to be."""
    code, out, err = collab("status", "--json", *arguments)
    assert (code, err) == (0, "")
    found: dict[str, Any] = json.loads(out)
    assert DOCUMENT(found)
    return found


@pytest.fixture
def busy(registry: Path) -> Path:
    """The registry with an answer, a deadlock and problems besides."""
    more = lines(
        decides("human", "aaaa0002", answer="rules", comment="first", timestamp=at(5)),
        says("maestro", "status_update", status="waiting_for_otto", message="hi", role="conducts", dependencies=["x"]),
        says("otto", "status_update", status="waiting_for_maestro", progress=0.5),
        says("zed", "blocker", blocker="no power", reason="storm"),
    )
    with registry.open("ab") as file:
        file.write(more + b"{torn\n")
    return registry


def test_every_key_is_documented_and_every_documented_key_is_there(collab: Collab, busy: Path) -> None:
    found = told(collab)
    documented = re.findall(r"^    ([a-z_]+) {2,}", document.__doc__ or "", re.MULTILINE)
    assert documented == list(found)
    words = set(re.findall(r"[a-z_]+", document.__doc__ or ""))
    for part in ("agents", "requests", "blockers", "waits", "deadlocks", "problems"):
        assert found[part], part
        assert set(found[part][0]) <= words
    assert set(found["requests"][1]["answer"]) <= words
    assert set(found["waits"][0]["reasons"][0]) <= words


def test_what_it_says(collab: Collab, busy: Path) -> None:
    found = told(collab)
    agents = {agent["name"]: agent for agent in found["agents"]}
    assert (found["position"], found["events"], found["problem_count"]) == (12, 11, 1)
    assert found["registry"] == {"name": str(busy), "id": "abcdef"}
    assert found["problems"][0]["kind"] == "unreadable"
    assert found["problems"][0]["line"] == 12
    assert agents["sena"]["progress"] == 40
    assert agents["sena"]["set_at"]["progress"] == 2
    assert agents["gitcode"]["blockers"][1] == {"text": "no disk", "reason": None, "line": 3}
    assert agents["otto"]["waits_for"] == ["maestro"]
    states = {request["id"]: request["state"] for request in found["requests"]}
    assert states == {"aaaa0001": "open", "aaaa0002": "answered", "bbbb0001": "open", "cccc0001": "expired"}
    assert found["requests"][1]["answer"] == {
        "by": "human",
        "verdict": None,
        "text": "rules",
        "comment": "first",
        "at": at(5),
        "line": 8,
        "standing": "claimed",
    }
    assert sorted(found["deadlocks"][0]["agents"]) == ["maestro", "otto"]


def test_for_people(collab: Collab, busy: Path) -> None:
    code, out, err = collab("status")
    assert (code, err) == (0, "")
    assert "deadlock  " in out
    assert "maestro" in out
    assert re.search(r"^▲ aaaa0001  Approve metrics v2\?  sena asks ", out, re.MULTILINE)
    assert re.search(r"^▲ bbbb0001  Ready to deploy\?  gitcode asks lubit", out, re.MULTILINE)
    assert "Too late?" not in out
    assert re.search(r"sena +waiting +40 %.*metrics v2", out)
    assert "■ no disk  holds up gitcode" in out
    assert "line 12: " in out
    assert out.index("Needs you") < out.index("To others") < out.index("Agents") < out.index("Blockers")
    assert "\x1b" not in out


def test_a_choice_lists_its_options(collab: Collab, registry: Path) -> None:
    out = collab("status")[1]
    assert "overdue" in out
    assert "      1 rules\n      2 model\n" in out


def test_how_soon_it_expires(collab: Collab, registry: Path) -> None:
    expires = (datetime.now(UTC) + timedelta(minutes=30, seconds=50)).isoformat()
    registry.write_bytes(lines(says("sena", "decision_request", id="r1", request="Go?", expires=expires)))
    assert "expires in 30 min" in collab("status")[1]


def test_text_from_events_is_literal_and_keeps_to_its_line(collab: Collab, registry: Path) -> None:
    hostile = "[red]a[/red] :smile:\nb\x1b[2J"
    registry.write_bytes(
        lines(
            says("x\ny", "decision_request", id="r\n1", request=hostile, options=[hostile], urgency=hostile),
            updates("x\ny", status=hostile, current_task=hostile, blockers=[hostile]),
        )
    )
    out = collab("status")[1]
    assert "[red]a[/red] :smile: b␛[2J" in out
    assert "x y" in out
    assert "\x1b" not in out
    assert not any(row.startswith(("b", "y", "1")) for row in out.splitlines())


def test_who_looks(collab: Collab, registry: Path) -> None:
    registry.write_bytes(lines(says("sena", "decision_request", id="r1", request="Mina?", target="mina")))
    assert told(collab, "--as", "mina")["requests"][0]["to_person"] is True
    assert told(collab, "--as", "otto")["requests"][0]["to_person"] is False


def test_nothing_yet(collab: Collab, registry: Path) -> None:
    registry.write_bytes(b"")
    assert collab("status") == (0, "No agent has written yet.\n", "")
    assert told(collab)["agents"] == []


def test_a_registry_as_an_argument(collab: Collab, registry: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_bytes(lines(updates("elsewhere")))
    assert [agent["name"] for agent in told(collab, str(other))["agents"]] == ["elsewhere"]
    assert [agent["name"] for agent in told(collab, "--registry", str(other))["agents"]] == ["elsewhere"]


@pytest.mark.skipif(not REAL.exists(), reason="the real registry is not here")
def test_the_real_registry(collab: Collab) -> None:
    found = told(collab, str(REAL))
    agents = {agent["name"]: agent for agent in found["agents"]}
    assert sorted(agents) == ["gitcode", "lubit", "maestro", "orchestrator", "sena", "system"]
    sena, gitcode, maestro = agents["sena"], agents["gitcode"], agents["maestro"]
    assert (sena["status"], sena["progress"], sena["blockers"]) == ("completed", 75, [])
    assert sena["next_action"] == "Create integrated AGI dataset pipeline"
    assert (gitcode["status"], gitcode["current_task"]) == ("in_progress", "종합")
    assert maestro["waits_for"] == ["lubit"]
    (request,) = [request for request in found["requests"] if request["state"] == "open"]
    assert (request["asker"], request["urgency"], request["overdue"]) == ("maestro", "critical", True)
    assert {problem["kind"] for problem in found["problems"]} == {"out_of_order"}
    code, out, _ = collab("status", str(REAL))
    assert code == 0
    assert "phase4_deployment_go_approval" in out


def test_a_claim_is_one_to_the_person_here_and_to_nobody_else(collab: Collab, registry: Path, key: Keyring) -> None:
    """It is one with a key and without; of whoever has another key nothing can be said here."""
    with registry.open("ab") as file:
        file.write(lines(decides("human", "aaaa0001", verdict="approved")))

    def claimed(*who: str) -> dict[str, bool]:
        return {request["id"]: request["claimed"] for request in told(collab, *who)["requests"]}

    assert claimed()["aaaa0001"]
    assert not any(claimed("--as", "mina").values())
    key.path.unlink()
    assert claimed()["aaaa0001"]
