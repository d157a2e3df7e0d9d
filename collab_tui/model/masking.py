"""Obvious secrets in one line of what an agent runs or is asked: they become `***` before it is written.

It cannot know every secret. What must not be in the registry at all is kept out by `[hooks] tool_input`: with `"name"`
only commands that the person is to allow are recorded, and with `"off"` not even those.

One pass from left to right: what may come before a secret is found, then how far the secret goes. No pattern looks
further back or ahead than so many characters, so a line of any kind costs what its length does.
"""

from __future__ import annotations

import re

MASK = "***"

_HEAD = re.compile(
    r"""
    (?P<pem>-----BEGIN\ [A-Z\ ]{0,40}PRIVATE\ KEY-----)
    | (?P<url>://)[^/\s@"']{1,200}@
    | (?P<hook>hooks\.slack\.com/\w{1,20}/ | discord(?:app)?\.com/api/webhooks/ | api\.telegram\.org/bot)
    | \b(?P<known>
        (?:sk-|[srp]k_(?:live|test)_|gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|whsec_|pypi-)(?=[\w./+=-]{8})
        | (?:hf_|npm_|dop_v1_)(?=[a-z0-9]{16})
        | (?-i:AKIA|ASIA)(?=[A-Z0-9]{8}) | (?-i:AIza|eyJ)(?=[\w./+=-]{8})
      )
    | \b(?:bearer\s{1,3}(?=[\w.~+/=-]{6}) | basic\s{1,3}(?=[\w.~+/=-]{16}))(?P<scheme>)
    | (?<!\S)(?:-u|--user|--proxy-user)[\s=]{1,9}["']?[^\s:"']{1,100}:(?P<user>)
    | (?<!\S)-(?P<letter>[pak])(?P<gap>[\s=]{0,3})(?=\S)
    | \bset\s{1,9}(?P<set>[\w./:@-]{1,400}+)\s{1,9}
    | (?<!\S)-(?P<option>-?[\w-]{1,400}+)\s{1,9}(?=\S)
    | (?<![\w.-])(?P<name>[\w.-]{1,400}+)
      (?P<closed>\\{0,3}["'])?(?:\s{1,3}is)?\s{0,9}(?P<sign>:=|=(?!=)|:(?!:|//))\s{0,9}
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SECRET = re.compile(
    r"""
    token(?!s$) | secret | passw | passphrase | credential
    | (?:api|access|auth|private|encryption|signing|master|account|storage)[_.-]?key | (?-i:[A-Z0-9]_KEY$)
    | (?:^|[_.-])(?:pass|pwd|requirepass|authorization|cookie)$
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NO_SECRET = re.compile(r"(?:file|path|fd|stdin)$", re.IGNORECASE)
_PARAMETER = re.compile(r"(?:key|sig|signature|auth|code)$", re.IGNORECASE)
"""What is secret only in the address of a page."""
_OF_COMMANDS = {
    "p": re.compile(r"\b(?:sshpass|login|(?P<attached>mysql\w{0,20}|mariadb\w{0,20}))\b"),
    "a": re.compile(r"\bredis-cli\b"),
    "k": re.compile(r"\bopenssl\b"),
}
"""Option -> the commands to which it gives a password."""
_BEFORE = 200
"""Characters before such an option in which its command is looked for."""
_ENDS = re.compile(r"[|;&\n]")
_BARE = re.compile(r"""(?:\\.|[^\s"'&;|\\])*+""", re.DOTALL)
_QUOTED = {"'": re.compile(r"'[^']*+'?"), '"': re.compile(r'"(?:\\.|[^"\\])*+"?', re.DOTALL)}
_REST_OF_ADDRESS = re.compile(r"""[^\s"']*+""")
_REST_OF_TOKEN = re.compile(r"[\w.~/+=-]*+")
_REST_OF_LINE = re.compile(r"[^\n]*+")


def mask(text: str) -> str:
    """The text without the secrets that are plain to see."""
    kept: list[str] = []
    at = 0
    while (head := _HEAD.search(text, at)) is not None:
        start, end = _secret(text, head)
        kept.append(text[at:start])
        if end > start:
            kept.append(MASK)
        at = max(end, start)
    return "".join(kept) + text[at:]


def _secret(text: str, head: re.Match[str]) -> tuple[int, int]:
    """Where the secret is that the head announces; nothing, at the end of the head, where it announces none."""
    start = head.end()
    found = head.lastgroup
    if found == "pem":
        return head.start(), len(text)
    if found == "url":
        return head.end("url"), start - 1
    if found == "known":
        return head.start(), _end(_REST_OF_TOKEN, text, start)
    if found == "hook":
        return start, _end(_REST_OF_ADDRESS, text, start)
    if found == "scheme":
        return start, _end(_REST_OF_TOKEN, text, start)
    if found == "gap":
        return start, _value(text, start) if _gives_password(text, head) else start
    if found == "sign":
        return start, _named(text, head)
    if found != "user" and not _is_secret(head[found or ""]):  # a value that would stand behind a space
        return (head.start(found or ""),) * 2
    return start, _value(text, start)


def _named(text: str, head: re.Match[str]) -> int:
    """Where the value ends that a name stands before, if it is secret."""
    start, before = head.end(), text[head.start() - 1 : head.start()]
    name = head["name"]
    if not _is_secret(name) and not (before in ("?", "&") and _PARAMETER.search(name)):
        return start
    if before in ('"', "'") and not head["closed"]:  # all of it in quotes: a header, or an assignment
        quoted = _QUOTED[before].match(text, head.start() - 1)
        end = len(text) if quoted is None else quoted.end()
        return end - 1 if text[end - 1 : end] == before and end - 1 >= start else end
    is_header = head["sign"] == ":" and not head["closed"]
    if is_header and (name.casefold().endswith(("authorization", "cookie")) or name[:2] in ("x-", "X-")):
        return _end(_REST_OF_LINE, text, start) if text[start : start + 1] not in ("'", '"') else _value(text, start)
    return _value(text, start, is_word=head["sign"] == "=" and not before.strip())


def _value(text: str, start: int, *, is_word: bool = True) -> int:
    """Where a value ends: with its quotes, or before a space. A word of a shell goes on behind quotes."""
    escape = len(text[start : start + 3]) - len(text[start : start + 3].lstrip("\\"))
    quote = text[start + escape : start + escape + 1]
    if escape and quote in ("'", '"'):
        end = text.find(text[start : start + escape + 1], start + escape + 1)
        return len(text) if end < 0 else end + escape + 1
    at = start
    while True:
        pattern = _QUOTED.get(text[at : at + 1], _BARE)
        end = _end(pattern, text, at)
        if end == at or not is_word:
            return end
        at = end


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.match(text, start)
    return start if found is None else found.end()


def _is_secret(name: str) -> bool:
    return _SECRET.search(name) is not None and _NO_SECRET.search(name) is None


def _gives_password(text: str, head: re.Match[str]) -> bool:
    """The command before a short option is one that takes a password there."""
    command = _ENDS.split(text[max(0, head.start() - _BEFORE) : head.start()])[-1]
    found = _OF_COMMANDS[head["letter"].lower()].search(command)
    if found is None:
        return False
    return not (head["gap"] and head["letter"] in "pP" and found["attached"])
