import pytest
from hypothesis import given

from collab_tui.model.event import Unreadable, decode
from collab_tui.model.glyphs import ASCII
from collab_tui.model.summary import Span, separated, summarize
from tests.events import asks, decides, event, items, says, stories, updates


def told(obj, glyphs=ASCII):
    return [tuple(span) for span in summarize(event(**obj), glyphs)]


def test_a_status_is_told_in_our_word_with_its_progress_and_meaning():
    assert told(updates("sena", status="stuck", progress=0.5)) == [("blocked 50 %", "warning")]
    assert told(updates("sena", progress="80%")) == [("80 %", "text")]
    assert told(updates("sena", progress="much")) == [("progress: much", "muted")]


def test_an_unknown_status_is_told_verbatim():
    assert told(updates("system", status="Ready for Production")) == [("Ready for Production", "text")]


def test_a_declaration_tells_task_blockers_and_what_comes_next():
    obj = updates("sena", status="active", task="메트릭", blockers=["db", "net"], next_action="go")
    assert told(obj) == [("working", "accent"), ("메트릭", "text"), ("# db, net", "warning"), ("next: go", "muted")]


def test_an_unknown_event_tells_its_own_fields():
    obj = says("x", "node_done", id="1", timestamp="t", node_id="U1", took=3, extra={"a": 1})
    assert [text for text, _ in told(obj)] == ["node_id: U1", "took: 3", 'extra: {"a": 1}']
    assert told(says("x", "node_error", node_id="U1", error="cp949")) == [("cp949", "error")]


def test_a_request_tells_what_is_asked_of_whom_with_its_options():
    obj = asks("sena", request="Which?", options=["a", "b"], target="lubit", details="soon")
    assert [text for text, _ in told(obj)] == ["^ Which?", "1 a  2 b", "asks lubit", "soon"]


@pytest.mark.parametrize(
    ("fields", "first"),
    [
        ({"verdict": "OK"}, ("+ approved", "success")),
        ({"verdict": "denied"}, ("x rejected", "error")),
        ({"verdict": "later"}, ("later", "success")),
        ({"answer": "tomorrow"}, ("tomorrow", "success")),
    ],
)
def test_a_decision_tells_its_verdict_or_answer_first(fields, first):
    assert told(decides("human", "r1", **fields))[0] == first


def test_a_decision_tells_its_comment_and_what_it_resolves():
    obj = decides("lubit", verdict="approved", decision_for="metrics", comments="fine", resolved_blocker="db")
    assert [text for text, _ in told(obj)][1:] == ["metrics", "fine", "resolves db"]


def test_blockers_messages_and_completions_tell_their_point():
    assert told(says("sena", "blocker", blocker="db", reason="migration"))[0] == ("# db", "warning")
    assert told(says("h", "blocker_resolved", blocker="db", target="sena")) == [("+ db of sena", "success")]
    assert told(says("h", "message", target="sena", message="hi")) == [("-> sena", "accent"), ("hi", "text")]
    assert told(says("h", "message", message="hi"))[0] == ("-> all", "accent")
    assert [text for text, _ in told(says("sena", "completion", task="ship", result="ok"))] == ["+ done", "ship", "ok"]


def test_what_a_rule_did_tells_the_rule_whom_it_told_and_what_became_of_it():
    sent = {"rule": "at 80", "target": "lubit", "outcome": "sent", "took_ms": 3, "chain": {"at 80": 1}, "key": "k"}
    assert told(says("monitor", "activation", **sent)) == [
        ("rule “at 80”", "text"),
        ("-> lubit", "accent"),
        ("sent", "muted"),
        ("in 3 ms", "muted"),
    ]
    failed = told(says("monitor", "activation", rule="r", outcome="exit 1", took_ms=-1, log="/tmp/a.log"))
    assert failed == [("rule “r”", "text"), ("exit 1", "warning"), ("/tmp/a.log", "muted")]


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        (
            "session_observed",
            {"target": "sena", "run": "a1", "observed": "lost", "why": "no such pane", "unpushed": 2, "queued": 0},
            ["-> sena", "lost", "no such pane", "2 unpushed"],
        ),
        (
            "command",
            {"command_type": "send_prompt", "target": "sena", "payload": {"prompt": "go\non"}, "host": "nas"},
            ["send prompt", "-> sena", "go on", "on nas"],
        ),
        ("command", {"command_type": "stop", "payload": "nonsense"}, ["stop"]),
        (
            "command_result",
            {"command_id": "c1", "state": "failed", "reason": "no such session"},
            ["failed", "no such session"],
        ),
        (
            "command_result",
            {"command_id": "c1", "command_type": "send_prompt", "target": "sena", "state": "done"},
            ["send prompt", "-> sena", "done"],
        ),
        (
            "stream_state",
            {"stream": "hub", "state": "retrying", "why": "cut off"},
            ["stream “hub”", "retrying", "cut off"],
        ),
        (
            "stream_event",
            {
                "stream": "hub",
                "event_id": "9",
                "task": "T-1",
                "status": "done",
                "priority": "high",
                "outcome": "queued",
            },
            ["stream “hub”", "T-1", "done high", "queued"],
        ),
        (
            "worker",
            {"worker": "w1", "kind": "decision", "state": "failed", "task": "T-1", "why": "no verdict"},
            ["decision w1", "failed", "T-1", "no verdict"],
        ),
    ],
)
def test_what_is_told_of_sessions_and_workers_is_told_in_its_words_without_ids(kind, fields, said):
    assert [text for text, _ in told(says("monitor", kind, **fields))] == said


def test_an_unreadable_line_tells_why_and_shows_its_beginning_without_its_control_characters():
    (item,) = decode(b'{"torn\x1b\xff' + b"y" * 10**6, 0)
    assert isinstance(item, Unreadable)
    reason, beginning = summarize(item, ASCII)
    assert reason == Span("! not UTF-8 at byte 7", "warning")
    assert beginning.text.startswith('{"torn\\x1b\\xffyyy')
    assert len(beginning.text) < 1000


def test_the_beginning_of_a_session_is_told_in_words_and_without_ids():
    ids = {"pid": 4711, "host": "vm", "session": "0f3a"}
    obj = says("sena", "session_start", driver="Claude Code", role="implement", cwd="/home/mina/shop/", branch="main")
    assert told(obj | ids) == [("Claude Code in shop on branch main", "text")]
    assert told(obj | ids | {"status": "idle"})[1:] == [("idle", "muted")]
    assert told(says("sena", "session_start", cwd="C:\\Users\\mina\\shop")) == [("in shop", "text")]
    assert told(says("sena", "session_start", cwd="/", role="implement", **ids)) == [("as implement", "muted")]
    assert told(says("sena", "session_start", **ids)) == [("begins", "muted")]


def test_text_of_any_length_and_many_lines_is_one_short_line():
    (text, _), *_ = told(updates("sena", task="a\n\tb " + "c" * 10**6))
    assert text.startswith("a b ccc")
    assert len(text) < 1000


@given(stories)
def test_every_event_with_something_to_say_is_told_in_spans_that_are_not_empty(story):
    for item, obj in zip(items(*story), story, strict=True):
        spans = summarize(item)
        assert all(span.text for span in spans)
        if obj.get("next_action") or obj.get("verdict") or obj.get("message"):
            assert spans


def test_spans_are_separated_by_a_gap_between_each_two():
    assert "".join(span.text for span in separated([Span("a"), Span("b"), Span("c")], " | ")) == "a | b | c"
    assert list(separated([])) == []


def test_the_same_line_is_told_in_ascii_for_consoles_that_have_no_more():
    read = items(asks("a", request="?"), decides("b", verdict="no"), says("c", "blocker", blocker="x"), [1])
    assert all(span.text.isascii() for item in read for span in summarize(item, ASCII))
    assert not all(span.text.isascii() for item in read for span in summarize(item))
