"""Text from events never steers the terminal: what the program paints is Textual's own grammar and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from collab_tui.cli.emit import KNOWN_EVENTS
from collab_tui.model.query import _FIELDS
from tests.e2e.terminal import Terminal, strange_tokens, terminal
from tests.program import PROGRAM, environment, run
from tests.signing import install_key_at

CLOSE = re.compile(r"esc (close|cancel)|ctrl\+s (send|answer)")
"""What every dialog says at its end, and nothing else does; a narrow one has no room for the whole of it."""
TITLES = r"(?:\([0-9]+\) )?collab-tui"
SAMPLE = Path(__file__).parents[2] / "sample_state" / "hostile.jsonl"
PAYLOADS = (
    "\x1b]52;c;cm0gLXJmIH4=\x07pasted",
    "\x1b]0;stolen title\x07\x1b]2;stolen too\x1b\\",
    "\x1b]8;;https://example.com/steal\x1b\\click\x1b]8;;\x1b\\",
    "\x1b[2J\x1b[H\x1b[3J\x1bccleared",
    "\x1b[?1049lleft\x1b[?25h\x1b[?1000l",
    "\x1bP1$r0m\x1b\\\x1b_apc\x1b\\\x1b^pm\x1b\\\x1b[6n\x1b[c",
    "\x9b31mred\x9d0;stolen\x9cend\x90dcs\x9c\x85\x84",
    "".join(map(chr, range(1, 32))) + "\x7f\x00all",
    "invoice_\u202egpj.exe\u202c \u2067right\u2069 \u200f\u061c\u200eend",
    "one\u2028two\u2029three\rfour\x0bfive\x0csix",
    "[@click=app.quit]press[/] [bold red]loud[/] [link=https://example.com]x[/link] [/] [[ \\[",
    "half \ud83d of \udc00 it",
)


LISTS = ("blockers", "dependencies", "evidence", "options", "resolved_blockers")
LONG = ("긴 \x1b]52;c;bG9uZw==\x07" * 30_000, "\n" * 490_000 + "\x1b[2Jend")
"""900 KB, and as many lines as one line of the registry can hold."""


def everything(kind: str, text: str, name: str) -> dict[str, object]:
    """An event whose every field that means anything, and one that means nothing, holds a text."""
    fields: dict[str, object] = dict.fromkeys(sorted(_FIELDS - {"line", "kind"}), text)
    fields |= {field: [text, f"{text} too"] for field in LISTS}
    return {**fields, text: {text: [text]}, "id": f"{name}{text}", "agent": f"{name}{text}", "event": kind}


def hostile_lines() -> bytes:
    """Every payload in every field of every event, escaped in one copy and as raw bytes in another."""
    events: list[dict[str, object]] = []
    for number, text in enumerate(PAYLOADS):
        agent = f"mallory{number:02}"
        events += (everything(kind, text, f"{agent} {kind}") for kind in (*sorted(KNOWN_EVENTS), text))
        shown = dict.fromkeys(("current_task", "next_action", "status", "role", "message"), text)
        events += [
            {"agent": agent, "event": "status_update", "progress": number, "blockers": [text], **shown},
            {"agent": agent, "event": "decision_request", "request": text, "details": text, "evidence": [text]},
            {"agent": agent, "event": "decision_request", "request": text, "options": [text, "no"], "urgency": text},
        ]
    escaped = [json.dumps(event) for event in events]
    raw = [json.dumps(event, ensure_ascii=False) for event in events]
    torn = [f'{{"agent": "torn", "message": "{text}' for text in PAYLOADS]
    return "\n".join([*escaped, *raw, *torn, ""]).encode("utf-8", "surrogatepass")


def long_lines() -> bytes:
    """Texts as long as they can be, one in each field that is shown."""
    fields = ("agent", "event", "current_task", "message", "request", "details")
    events = [
        {"agent": "mallory", "event": "decision_request", "request": "?", field: text}
        for text in LONG
        for field in fields
    ]
    events += [
        {"agent": "mallory", "event": "decision_request", "request": "?", field: [text]}
        for text in LONG
        for field in LISTS[:4]
    ]
    return "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events).encode()


@pytest.mark.parametrize("payload", PAYLOADS[:10])
def test_what_would_do_harm_is_told_apart(payload: str) -> None:
    painted = "\x1b]0;(3) collab-tui\x07\x1b[1;1H\x1b[1;38;2;1;2;3mtext 한글\x1b[0m\r\n"
    assert strange_tokens(painted.encode(), TITLES) == []
    assert strange_tokens(f"{painted}{payload}{painted}".encode(), TITLES)


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    path = tmp_path / "hostile.jsonl"
    path.write_bytes(hostile_lines())
    return path


def look_everywhere(shown: Terminal) -> None:
    """Through every pane, into the dialogs, back in time, and into what Textual itself offers."""
    for _ in range(4):
        shown.send("\t\x1b[F")
        for dialog in ("e", "\r"):
            shown.wait_for(lambda: CLOSE.search(shown.text), press=dialog)
            shown.wait_for(lambda: not CLOSE.search(shown.text), press="\x1b")
    for dialog in ("p", "d", "m", "?"):
        shown.wait_for(lambda: CLOSE.search(shown.text), press=dialog)
        shown.send("\x1b[F\x1b[5~")
        shown.wait_for(lambda: not CLOSE.search(shown.text), press="\x1b")
    shown.wait_for("Search for commands", press="\x10")
    shown.wait_for(lambda: "Search for commands" not in shown.text, press="\x1b")
    shown.wait_for("◷", press="t")
    for key in ("\x1b[D", "[", "{", "("):
        shown.send(key)
    shown.wait_for(lambda: "◷" not in shown.text, press="\x1b")


@pytest.mark.parametrize(("columns", "rows"), [(160, 48), (60, 40)])
def test_the_board_paints_only_what_textual_paints(hostile: Path, columns: int, rows: int) -> None:
    home = hostile.parent
    with terminal(PROGRAM, str(hostile), cwd=home, env=environment(home), columns=columns, rows=rows) as shown:
        shown.wait_for("mallory")
        shown.wait_for("␛")
        look_everywhere(shown)
        shown.resize(120, 50)
        shown.wait_for("␛")
        assert shown.quit() == 0
        assert strange_tokens(shown.raw, TITLES) == []
        assert all("stolen" not in title for title in shown.titles)


def test_the_name_of_a_folder_steers_nothing_either(tmp_path: Path) -> None:
    """A cloned repository may bring one; the board tells its registry's path, while it waits for it and ever after."""
    path = tmp_path / "x\x1b]0;stolen\x07\x1b[2J\x9b31m\u202ex" / "registry.jsonl"
    path.parent.mkdir()
    with terminal(PROGRAM, str(path), cwd=tmp_path, env=environment(tmp_path), columns=300) as shown:
        shown.wait_for("There is no registry here yet")
        shown.wait_for("]0;stolen")
        path.write_bytes(b'{"agent":"sena","event":"status_update","status":"idle"}\n')
        shown.wait_for("1 agent ")
        shown.wait_for("]0;stolen")
        shown.send("q")
        assert shown.wait() == 0
        assert strange_tokens(shown.raw, TITLES) == []
        assert all("stolen" not in title for title in shown.titles)


@pytest.mark.skipif(not SAMPLE.exists(), reason="the sample is not there")
def test_so_does_the_sample(tmp_path: Path) -> None:
    path = tmp_path / "hostile.jsonl"
    path.write_bytes(SAMPLE.read_bytes())
    with terminal(PROGRAM, str(path), cwd=tmp_path, env=environment(tmp_path), columns=80, rows=24) as shown:
        shown.wait_for(lambda: "mallory" in shown.text or "trudy" in shown.text)
        look_everywhere(shown)
        assert shown.quit() == 0
        assert strange_tokens(shown.raw, TITLES) == []


def test_as_long_as_they_can_be(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(long_lines())
    with terminal(PROGRAM, str(path), cwd=tmp_path, env=environment(tmp_path)) as shown:
        shown.wait_for("mallory")
        shown.wait_for("␛]52;c;bG9uZw")
        look_everywhere(shown)
        assert shown.quit() == 0
        assert strange_tokens(shown.raw, TITLES) == []


COMMANDS = {"status": 0, "log": 0, "doctor": 1, "config": 0}
"""Command that prints what events hold, or might -> its exit code."""


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_print_only_colours(hostile: Path, command: str) -> None:
    with terminal(
        PROGRAM, command, "--registry", str(hostile), cwd=hostile.parent, env=environment(hostile.parent)
    ) as shown:
        assert shown.wait() == COMMANDS[command]
        assert strange_tokens(shown.raw, "none") == []
        if command != "config":
            assert "␛]52" in shown.raw.decode()
            assert b"\x1b[" in shown.raw  # in colour


@pytest.mark.parametrize("command", COMMANDS)
def test_as_long_as_they_can_be_and_in_a_pipe(hostile: Path, command: str) -> None:
    with hostile.open("ab") as file:
        file.write(long_lines())
    done = run(command, "--registry", str(hostile), cwd=hostile.parent)
    assert (done.returncode, done.stderr) == (COMMANDS[command], b"")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", done.stdout.decode())


@pytest.mark.parametrize(
    "arguments",
    [
        ("decide", "nothing", "approve"),
        ("unblock", "nobody", "nothing"),
        ("unblock", "mallory00", "nothing"),
    ],
    ids=["request", "agent", "blocker"],
)
def test_errors_that_name_what_there_is_are_one_clean_line(hostile: Path, arguments: tuple[str, ...]) -> None:
    with terminal(
        PROGRAM, *arguments, "--registry", str(hostile), cwd=hostile.parent, env=environment(hostile.parent)
    ) as shown:
        assert shown.wait() == 2
        assert strange_tokens(shown.raw, "none") == []
        assert shown.raw.count(b"\n") == 1


def test_answers_that_repeat_what_was_asked_are_one_clean_line(tmp_path: Path) -> None:
    install_key_at(tmp_path)
    path = tmp_path / "registry.jsonl"
    text = "first\nsecond\x1b[2Jthird"
    asked = {"agent": "mal\nlory", "event": "decision_request", "id": "r1", "request": text, "options": [text, "no"]}
    blocked = {"agent": "mal\nlory", "event": "blocker", "blocker": text}
    path.write_text(json.dumps(asked) + "\n" + json.dumps(blocked) + "\n", encoding="utf-8")
    for arguments in (
        ("decide", "r1", "--answer", "1"),
        ("decide", "r1", "--answer", "1"),
        ("unblock", "mal\nlory", "f"),
    ):
        with terminal(PROGRAM, *arguments, "--registry", str(path), cwd=tmp_path, env=environment(tmp_path)) as shown:
            assert shown.wait() in (0, 1)
            assert strange_tokens(shown.raw, "none") == []
            assert shown.raw.count(b"\n") == 1
