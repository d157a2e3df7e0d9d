"""What is signed: one form for one meaning, and none for a line that two readers may understand differently."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.model.event import Event
from collab_tui.model.signature import (
    AmbiguousError,
    canonical,
    digest_of,
    identity_of,
    parse,
    registry_id,
    signed_bytes,
)
from tests.events import items, line, says

_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_objects = st.dictionaries(st.text(max_size=8), _values, max_size=6)


def event_of(text: bytes) -> Event:
    return Event(0, {}, text)


def shuffled(value: Any, order: Any) -> Any:
    """The same value with the names of every object in another order."""
    match value:
        case dict():
            names = list(value)
            order.shuffle(names)
            return {name: shuffled(value[name], order) for name in names}
        case list():
            return [shuffled(item, order) for item in value]
    return value


@given(_objects, st.randoms(use_true_random=False), st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_the_canonical_form_depends_on_nothing_but_the_meaning(
    value: dict[str, Any], order: Any, ascii_only: bool, indent: Any
) -> None:
    if not ascii_only and any("\ud800" <= char <= "\udfff" for char in json.dumps(value, ensure_ascii=False)):
        ascii_only = True  # half an emoji has no other writing
    told = json.dumps(shuffled(value, order), ensure_ascii=ascii_only, indent=indent).encode()
    meant = parse(json.dumps(value).encode())  # two halves of an emoji side by side are one
    assert canonical(parse(told)) == canonical(meant)
    assert json.loads(canonical(meant).decode("utf-8", "surrogatepass")) == meant


@given(_objects, _objects)
def test_two_meanings_have_two_forms(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert (canonical(one) == canonical(other)) == (
        json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b'{"verdict":"approved","verdict":"rejected"}', "'verdict' stands in it twice"),
        (b'{"a":{"b":1,"b":1}}', "'b' stands in it twice"),
        (b'{"verdict":"approved","\\u0076erdict":"rejected"}', "'verdict' stands in it twice"),
        (b'{"a":NaN}', "NaN is no JSON number"),
        (b'{"a":-Infinity}', "-Infinity is no JSON number"),
        (b'\xef\xbb\xbf{"a":1}', "it is no strict JSON"),
        (b'{"a":"\xff"}', "it is no strict JSON"),
        (b'{"a":1} {"b":2}', "it is no strict JSON"),
        (b'{"a":' + b"[" * 100_000, "it is no strict JSON"),
        (b'{"a":' + b"9" * 5000 + b"}", "it is no strict JSON"),
        (b'["agent"]', "it is no JSON object"),
        (b'{"a":1e999}', "it has no canonical form"),
    ],
    ids=lambda value: value[:30] if isinstance(value, bytes) else None,
)
def test_what_readers_disagree_about_has_no_form(text: bytes, why: str) -> None:
    for use in (lambda: canonical(parse(text)), lambda: digest_of(event_of(text)), lambda: identity_of(event_of(text))):
        with pytest.raises(AmbiguousError, match=why.replace("'", ".")):
            use()


def test_the_digest_of_a_request_is_of_its_line_not_of_its_cleaned_text() -> None:
    """A bidi override is cleaned away for the screen; what is signed still has it."""
    plain, tricky = items(says("a", "decision_request", request="x"), says("a", "decision_request", request="x\u202e"))
    assert isinstance(plain, Event)
    assert isinstance(tricky, Event)
    assert digest_of(plain) != digest_of(tricky)


def test_the_signature_covers_every_field_but_itself_and_the_registry() -> None:
    decision = {"id": "1", "verdict": "approved", "key_id": "k"}
    told = signed_bytes(decision, "abc")
    assert signed_bytes(decision | {"signature": "anything"}, "abc") == told
    assert signed_bytes(decision, "abd") != told
    assert signed_bytes(decision | {"comment": ""}, "abc") != told
    assert told.startswith(b"collab-tui decision 1\n")


@given(st.text(max_size=8), st.text(max_size=8), _objects, _objects)
def test_nothing_of_the_registry_can_be_taken_for_the_decision(
    here: str, there: str, one: dict[str, Any], other: dict[str, Any]
) -> None:
    one.pop("signature", None)
    other.pop("signature", None)
    forms = signed_bytes(one, here), signed_bytes(other, there)
    same = here == there and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (forms[0] == forms[1]) == same


def test_the_identity_of_a_decision_is_that_of_its_words() -> None:
    decision = says("human", "decision", id="d", verdict="approved", signature="x")
    spelled = json.dumps(dict(reversed(decision.items())), indent=1).replace("human", "\\u0068uman")
    assert identity_of(event_of(line(decision))) == identity_of(event_of(spelled.encode()))
    another = decision | {"signature": "y"}
    assert identity_of(event_of(line(decision))) == identity_of(event_of(line(another)))
    assert identity_of(event_of(line(decision))) != identity_of(event_of(line(decision | {"id": "e"})))


def test_a_registry_is_what_its_first_line_says_it_is_or_that_line_itself() -> None:
    named, unnamed, other = items(
        says("system", "registry_created", registry=" abc "), says("system", "registry_created"), says("a", "x")
    )
    assert registry_id(named) == "abc"
    assert len({registry_id(unnamed), registry_id(other), "abc"}) == 3
    assert len(registry_id(unnamed)) == 64
