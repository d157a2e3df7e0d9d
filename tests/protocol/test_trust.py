"""Who decided (A01, A02): what is signed by the person, and everything that only looks so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collab_tui.model.event import Event, decode
from collab_tui.model.signature import Judgement, Standing, parse, registry_id
from collab_tui.protocol.answers import seal_of, unasked_decision
from collab_tui.protocol.keys import Keyring, SigningKey
from collab_tui.protocol.trust import Onlooker, Trust
from collab_tui.registry.append import UnusableError
from collab_tui.registry.jsonl import JsonlRegistry
from tests.events import asks, at, board_of, decides, line, lines, says, updates
from tests.signing import KEY, OTHER_KEY, install_key, signed

CREATED = says("system", "registry_created", registry="here")
ASKED = asks("sena", "r1", request="GO?", target="human", options=[], expires=at(60))
YES = decides("human", "r1", id="d1", verdict="approved", timestamp=at(10))
UNASKED = {"id": "d2", "timestamp": at(10), **unasked_decision("human", "sena", "fonts", "approved")}


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Trust:
    return Trust("human", {"lena": OTHER_KEY.public.text}, install_key(tmp_path_factory.mktemp("config")))


def judge(trust: Trust, *objects: Any) -> Judgement | None:
    """Of the last of these lines, by whoever sees them all."""
    return judge_lines(trust, b"".join(each if isinstance(each, bytes) else line(each) for each in objects))


def judge_lines(trust: Trust, registry: bytes) -> Judgement | None:
    onlooker = Onlooker(trust)
    return [onlooker.see(item) for item in decode(registry, 0)][-1]


def yes(key: SigningKey = KEY, created: Any = CREATED, asked: Any = ASKED, **fields: Any) -> dict[str, Any]:
    return signed(YES | fields, lines(created, asked), key)


def test_what_the_person_signed_is_theirs(trust: Trust) -> None:
    assert judge(trust, CREATED, ASKED, yes()) == (Standing.SIGNED, f"by human, with the key {KEY.public.id}")
    assert judge(trust, updates("a"), ASKED, yes(created=updates("a"))) == judge(trust, CREATED, ASKED, yes())
    assert judge(trust, CREATED, signed(UNASKED, lines(CREATED))).standing is Standing.SIGNED


def test_a_line_in_the_name_of_the_person_is_a_claim(trust: Trust) -> None:
    """A01: a model writes "agent":"human","verdict":"approved"."""
    assert judge(trust, CREATED, ASKED, YES).standing is Standing.CLAIMED
    assert judge(trust, CREATED, ASKED, YES | {"signature": None}).standing is Standing.CLAIMED
    assert judge(trust, CREATED, UNASKED).standing is Standing.CLAIMED


def test_agents_sign_nothing(trust: Trust) -> None:
    assert judge(trust, CREATED, ASKED, decides("lubit", "r1", verdict="approved")) is None
    assert judge(trust, CREATED, says("human", "message", message="approved", signature="x")) is None
    assert judge(trust, CREATED, {"event": "decision", "verdict": "approved"}) is None


BAD = [
    ("another request", decides("human", "r2", id="d1", verdict="approved", timestamp=at(10)), "changed after"),
    ("another verdict", {"verdict": "rejected"}, "changed after it was signed, or signed in another registry"),
    ("one more field", {"comment": "x"}, "changed after"),
    ("another digest", {"request_digest": "0" * 64}, "changed after"),
    ("another writer", {"agent": "Human"}, "changed after"),
    ("another time", {"timestamp": at(11)}, "changed after"),
    ("no signature at all", {"signature": "AAAA"}, "changed after"),
    ("a number for a signature", {"signature": 7}, "does not say with which key"),
    ("no key", {"key_id": None}, "does not say with which key"),
]


@pytest.mark.parametrize(("change", "why"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_what_was_changed_is_bad(trust: Trust, change: dict[str, Any], why: str) -> None:
    other = asks("sena", "r2", request="GO?", target="human", options=[], expires=at(60))
    found = judge(trust, CREATED, ASKED, other, yes() | change)
    assert found.standing is Standing.BAD
    assert why in found.reason


def test_a_decision_is_worth_nothing_on_another_request(trust: Trust) -> None:
    """A02: replayed as it is to a request of the same words, which another id makes another one."""
    other = asks("sena", "r2", request="GO?", target="human", options=[], expires=at(60))
    decision, request = (item for item in decode(lines(yes(), other), 0))
    assert trust.judge(decision, request, "here") == (Standing.BAD, "it answers another request, r1")
    assert trust.judge(decision, None, "here") == (Standing.BAD, "there is no request r1 here")


def test_a_decision_is_worth_nothing_in_another_registry(trust: Trust) -> None:
    """A02: the same request, word for word, elsewhere."""
    for first in (says("system", "registry_created", registry="there"), updates("a"), CREATED | {"registry": None}):
        assert judge(trust, first, ASKED, yes()).standing is Standing.BAD
        assert judge(trust, first, signed(UNASKED, lines(CREATED))).standing is Standing.BAD


def test_a_later_line_cannot_make_it_another_registry(trust: Trust) -> None:
    posing = says("mallory", "registry_created", registry="here")
    assert judge(trust, updates("a"), posing, ASKED, yes()).standing is Standing.BAD
    assert judge(trust, CREATED, says("x", "registry_created", registry="there"), ASKED, yes()).standing is (
        Standing.SIGNED
    )


@pytest.mark.parametrize(
    "changed",
    [
        ASKED | {"request": "GO to production?"},
        ASKED | {"details": "and delete the backups"},
        ASKED | {"options": ["a"]},
        {name: value for name, value in ASKED.items() if name != "expires"},
        ASKED | {"request": "GO\u200b?"},
    ],
    ids=["text", "details", "options", "no expiry", "invisible"],
)
def test_a_request_that_was_changed_was_not_answered(trust: Trust, changed: dict[str, Any]) -> None:
    found = judge(trust, CREATED, changed, yes())
    assert found == (Standing.BAD, "the request was changed after it was signed")


def test_a_decision_after_the_expiry_is_bad(trust: Trust) -> None:
    late = judge(trust, CREATED, ASKED, yes(timestamp=at(61)))
    assert late == (Standing.BAD, "the request had expired when it was signed")
    assert judge(trust, CREATED, ASKED, yes(timestamp=at(60))).standing is Standing.SIGNED
    assert judge(trust, CREATED, ASKED, yes(timestamp="soon")).standing is Standing.BAD


def test_a_decision_before_its_request_is_bad(trust: Trust) -> None:
    decision, request = (item for item in decode(lines(CREATED, yes(), ASKED), 0) if item.position)
    assert trust.judge(decision, request, "here") == (Standing.BAD, "it stands before the request")


def test_an_unasked_decision_cannot_be_made_out_of_an_answer(trust: Trust) -> None:
    decision = {name: value for name, value in YES.items() if name != "request_id"} | {"request_digest": "0" * 64}
    found = judge(trust, CREATED, signed(decision, lines(CREATED)))
    assert found == (Standing.BAD, "it was made for a request, and names none")
    answer = signed(YES, lines(CREATED))  # no request there when it was signed: no digest
    assert judge(trust, CREATED, ASKED, answer) == (Standing.BAD, "it does not say what the request said")


def test_another_key_is_unknown_and_somebody_elses_is_bad(trust: Trust, tmp_path: Path) -> None:
    stranger = Keyring(tmp_path / "stranger").make()
    unknown = judge(trust, CREATED, ASKED, yes(stranger))
    assert unknown.standing is Standing.UNKNOWN_KEY
    assert stranger.public.id in unknown.reason
    assert judge(trust, CREATED, ASKED, yes(OTHER_KEY)) == (
        Standing.BAD,
        "it is signed with the key of lena, not of human",
    )
    lenas = YES | {"agent": "Lena"}
    assert judge(trust, CREATED, ASKED, signed(lenas, lines(CREATED, ASKED), OTHER_KEY)).standing is Standing.SIGNED
    assert judge(trust, CREATED, ASKED, signed(lenas, lines(CREATED, ASKED))).standing is Standing.BAD
    assert judge(trust, CREATED, ASKED, lenas).standing is Standing.CLAIMED


def test_without_a_key_a_signature_is_of_an_unknown_one(tmp_path: Path) -> None:
    found = judge(Trust("human", keyring=Keyring(tmp_path)), CREATED, ASKED, yes())
    assert found == (Standing.UNKNOWN_KEY, f"it is signed with the key {KEY.public.id}, which you do not trust")


def test_a_key_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    keyring = install_key(tmp_path / "config")
    keyring.path.write_bytes(b"nonsense")
    keyring.refresh()
    found = judge(Trust("human", keyring=keyring), CREATED, ASKED, yes())
    assert found.standing is Standing.UNKNOWN_KEY
    assert "your own cannot be used" in found.reason


def test_the_person_is_known_by_the_configured_name_and_as_human(tmp_path: Path) -> None:
    trust = Trust("Mina", keyring=install_key(tmp_path / "config"))
    for name in ("mina", "MINA", "human"):
        assert judge(trust, CREATED, ASKED, yes(agent=name)).standing is Standing.SIGNED
    assert judge(trust, CREATED, ASKED, yes(agent="lena")) is None


def test_another_machine_trusts_the_person_as_an_approver(tmp_path: Path) -> None:
    elsewhere = Trust("mina", {"mina": KEY.public.text}, Keyring(tmp_path))
    assert not elsewhere.has_key
    assert judge(elsewhere, CREATED, ASKED, yes(agent="mina")).standing is Standing.SIGNED


def test_an_approvers_key_has_to_be_one() -> None:
    with pytest.raises(UnusableError, match="the key of the approver lena: a public key is written"):
        Trust("human", {"lena": "ssh-ed25519 AAAA"}, Keyring(Path("nowhere")))


def test_who_signs_can_change_and_what_was_found_before_does_not_count_then(tmp_path: Path) -> None:
    trust = Trust("mina", {"lena": OTHER_KEY.public.text}, Keyring(tmp_path))
    registry = line(CREATED) + line(asks("sena", "r1", request="GO?", target="lena", options=[]))
    lenas = signed(decides("lena", "r1", id="d1", verdict="approved", timestamp=at(10)), registry, OTHER_KEY)
    assert judge_lines(trust, registry + line(lenas)).standing is Standing.SIGNED
    with pytest.raises(UnusableError):
        trust.use("mina", {"lena": "ssh-ed25519 AAAA"})
    assert judge_lines(trust, registry + line(lenas)).standing is Standing.SIGNED
    trust.use("mina", {"lena": KEY.public.text})
    assert judge_lines(trust, registry + line(lenas)).standing is Standing.UNKNOWN_KEY


@pytest.mark.parametrize(
    "twice",
    [
        line(ASKED)[:-2] + b',"request":"GO to production?"}\n',
        line(ASKED)[:-2] + b',"x":{"a":1,"a":2}}\n',
        b"\xef\xbb\xbf" + line(ASKED),
        line(ASKED | {"loss": float("inf")}),
    ],
    ids=["field", "inner field", "byte order mark", "no number"],
)
def test_a_request_that_can_be_read_in_two_ways_is_never_answered(trust: Trust, twice: bytes) -> None:
    """Others may have read the first value where we read the last."""
    with pytest.raises(UnusableError, match="this decision cannot be signed"):
        signed(YES, line(CREATED) + twice)
    for asked in (ASKED, ASKED | {"request": "GO to production?"}):
        decision = signed(YES, lines(CREATED, asked))
        assert judge_lines(trust, line(CREATED) + twice + line(decision)).standing is Standing.BAD


@pytest.mark.parametrize("name", ["verdict", "request_id", "agent", "signature", "id"])
def test_a_decision_that_can_be_read_in_two_ways_is_bad(trust: Trust, name: str) -> None:
    decision = line(yes())
    again = json.dumps({name: yes()[name]}).encode()[1:-1]
    found = judge_lines(trust, lines(CREATED, ASKED) + decision[:-2] + b"," + again + b"}\n")
    assert found.standing is Standing.BAD
    assert f"'{name}' stands in it twice" in found.reason


REGISTRIES = {"named": [CREATED, ASKED], "by its first line": [updates("sena", status="idle"), ASKED]}


@pytest.mark.parametrize("objects", REGISTRIES.values(), ids=REGISTRIES)
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_byte_of_it_can_be_changed(trust: Trust, objects: list[Any], data: st.DataObject) -> None:
    """Whichever byte of the first line, the request or the decision is another: what is signed is what was meant."""
    decision = signed(YES | {"comment": "좋아요 \u202e 1e2", "n": [1.5, {"a": -0.0}]}, lines(*objects))
    whole = lines(*objects, decision)
    place = data.draw(st.integers(0, len(whole) - 2), label="place")  # the end of the last line is no part of it
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != whole[place]), label="byte")
    changed = whole[:place] + bytes([byte]) + whole[place + 1 :]
    found = judge_lines(trust, changed)
    if found is None or found.standing is not Standing.SIGNED:
        return
    before, after = whole.split(b"\n")[:-1], changed.split(b"\n")[:-1]
    assert parse(before[-1]) == parse(after[-1])
    assert parse(before[1]) == parse(after[1])
    assert registry_id(next(iter(decode(before[0], 0)))) == registry_id(next(iter(decode(after[0], 0))))


@given(
    st.dictionaries(st.text(max_size=6), st.integers() | st.text(max_size=6), max_size=3),
    st.randoms(use_true_random=False),
    st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_another_writing_of_the_same_is_the_same(
    trust: Trust, more: dict[str, Any], order: Any, ascii_only: bool
) -> None:
    decision = signed(more | YES, lines(CREATED, ASKED))
    names = list(decision)
    order.shuffle(names)
    spelled = json.dumps({name: decision[name] for name in names}, ensure_ascii=ascii_only)
    if any("\ud800" <= char <= "\udfff" for char in spelled):
        spelled = json.dumps(decision)  # half an emoji has no other writing
    assert judge_lines(trust, lines(CREATED, ASKED) + spelled.encode()).standing is Standing.SIGNED


@given(st.binary(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_line_makes_it_fail(trust: Trust, noise: bytes) -> None:
    onlooker = Onlooker(trust)
    for item in decode(lines(CREATED) + b'{"agent":"human","event":"decision","signature":' + noise + b"}\n", 0):
        found = onlooker.see(item)
        assert found is None or found.standing is not Standing.SIGNED
        if isinstance(item, Event):
            trust.judge(item, item, None)


def test_what_is_found_once_is_not_checked_again(trust: Trust, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision is looked at with every frame that shows it."""
    decision, request = (next(iter(decode(line(each), 0))) for each in (yes(comment="once"), ASKED))
    found = trust.judge(decision, request, "here")
    monkeypatch.setattr("collab_tui.protocol.trust.signed_bytes", lambda *_: pytest.fail("checked again"))
    assert trust.judge(decision, request, "here") == found


def test_the_key_that_is_made_later_makes_it_known(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "config")
    trust = Trust("human", keyring=keyring)
    assert judge(trust, CREATED, ASKED, yes()).standing is Standing.UNKNOWN_KEY
    install_key(keyring.path.parent)
    keyring.refresh()
    assert judge(trust, CREATED, ASKED, yes()).standing is Standing.SIGNED


def test_what_is_appended_signed_reads_back_as_signed(trust: Trust, tmp_path: Path) -> None:
    """The time and the id, which only the append knows, are part of it; so is text that is written with escapes."""
    path = tmp_path / "registry.jsonl"
    path.write_bytes(lines(CREATED, ASKED))
    registry = JsonlRegistry(path)
    registry.read_next()
    event = unasked_decision("human", "sena", "fonts\u2028\u202e", "좋아요 😀 \x9b \x00")
    written = registry.append(event, seal=seal_of(registry, trust, None))
    assert {"id", "timestamp", "key_id", "signature"} <= set(written)
    assert judge_lines(trust, path.read_bytes()).standing is Standing.SIGNED
    assert parse(path.read_bytes().splitlines()[-1]) == written


def test_half_an_emoji_does_not_keep_the_person_from_answering(trust: Trust, tmp_path: Path) -> None:
    """Programs that cut texts write such; it is bound as it stands."""
    path = tmp_path / "registry.jsonl"
    halved = line(ASKED).replace(b"GO?", b"GO \\ud83d?")
    path.write_bytes(line(CREATED) + halved)
    registry = JsonlRegistry(path)
    _, request = registry.read_next().items
    registry.append(YES | {"comment": "\udcff"}, seal=seal_of(registry, trust, request))
    assert judge_lines(trust, path.read_bytes()).standing is Standing.SIGNED
    path.write_bytes(path.read_bytes().replace(b"GO \\ud83d?", b"GO \\ud83e?"))
    assert judge_lines(trust, path.read_bytes()).reason == "the request was changed after it was signed"


def test_a_number_that_is_none_cannot_be_signed(trust: Trust) -> None:
    with pytest.raises(UnusableError, match="this decision cannot be signed: NaN is no JSON number"):
        signed(YES, line(CREATED) + line(ASKED | {"loss": float("nan")}))


def test_a_board_is_prepared_once_and_again_for_another_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = []
    trust = Trust("human", keyring=Keyring(tmp_path / "config"))
    check = trust._check
    monkeypatch.setattr(trust, "_check", lambda *given: checked.append(given[0].id) or check(*given))
    board = board_of(CREATED, ASKED, yes())
    for _ in range(2):
        trust.prepare(board)
    assert checked == ["d1"]
    install_key(tmp_path / "config")
    trust.prepare(board)
    assert checked == ["d1", "d1"]
    assert trust.standing(board.requests[0].decisions[0], board.requests[0].event, "here") is Standing.SIGNED
    assert checked == ["d1", "d1"]


def test_a_board_without_signatures_costs_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The start of the board pays for `cryptography` only where there is something to check."""
    keyring = install_key(tmp_path / "config")
    monkeypatch.setattr(Keyring, "signing_key", lambda _: pytest.fail("the key was read"))
    Trust("human", keyring=keyring).prepare(board_of(CREATED, ASKED, YES))
