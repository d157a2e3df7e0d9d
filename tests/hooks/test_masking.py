"""What is told of a tool: short, and without the secrets that are plain to see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.model import masking
from collab_tui.model.masking import MASK, mask
from collab_tui.model.tool_lines import LONGEST, short, told


@pytest.mark.parametrize(
    "text",
    [
        "curl -H 'Authorization: Bearer S3CRETvalue123' https://x",
        'curl -H "authorization: token S3CRETvalue123" https://x',
        "curl -H 'X-Api-Key: S3CRETvalue123' https://x",
        "curl -u me:S3CRETvalue123 https://x",
        "curl --user=me:S3CRETvalue123 https://x",
        "git clone https://me:S3CRETvalue123@host/x.git",
        "git clone https://S3CRETvalue123@host/x.git",
        "curl 'https://x/y?api_key=S3CRETvalue123&z=1'",
        "curl 'https://x/y?z=1&sig=S3CRETvalue123'",
        "export GITHUB_TOKEN=S3CRETvalue123",
        "TOKEN='S3CRETvalue123 and more' npm publish",
        'echo {"password": "S3CRETvalue123"}',
        "deploy --password S3CRETvalue123 --now",
        "deploy --api-key=S3CRETvalue123",
        "deploy --auth-token 'S3CRETvalue123'",
        "mysql -u root -pS3CRETvalue123 db",
        "sshpass -p S3CRETvalue123 ssh host",
        "use sk-S3CRETvalue123abc please",
        "use ghp_S3CRETvalue123abc",
        "use xoxb-S3CRETvalue123-abc",
        "use AKIAS3CRETVALUE123",
        "echo -----BEGIN RSA PRIVATE KEY-----S3CRETvalue123",
        "my secret: S3CRETvalue123",
        "my password is: S3CRETvalue123",
        "DB_PASS=S3CRETvalue123 ./run",
        "psql --pass S3CRETvalue123",
        "docker login -u me -p S3CRETvalue123 host",
        "redis-cli -h host -a S3CRETvalue123 ping",
        "openssl enc -aes256 -k S3CRETvalue123",
        "ENCRYPTION_KEY=S3CRETvalue123 OPENAI_KEY=S3CRETvalue456",
        "aws configure set aws_secret_access_key S3CRETvalue123",
        "npm config set //registry.example/:_authToken S3CRETvalue123",
        "set https://me:S3CRETvalue123@host x",
        "curl -d x https://hooks.slack.com/services/T0/B0/S3CRETvalue123",
        "STRIPE=whsec_S3CRETvalue123",
        'curl -H "Authorization: ApiKey S3CRETvalue123" http://x',
        'curl -H "Authorization: Digest a, b=S3CRETvalue123" http://x',
        "curl -H 'Cookie: a=b; session=S3CRETvalue123' http://x",
        "Cookie: a=b; session=S3CRETvalue123",
        "Authorization: ApiKey S3CRETvalue123",
        'export SECRET="ab\\"S3CRETvalue123 rest"',
        'curl -d "{\\"password\\": \\"a S3CRETvalue123\\"}" x',
        "export TOKEN='a'\"S3CRETvalue123\"",
        'docker run -e "TOKEN=a S3CRETvalue123" image',
        "mysqldump --password=S3CRETvalue123 -pS3CRETvalue456 db",
        "TOKEN=a\\ S3CRETvalue123",
        "x" * 300 + "_token=S3CRETvalue123",
    ],
)
def test_an_obvious_secret_is_not_told(text: str) -> None:
    masked = mask(text)
    assert "S3CRET" not in masked
    assert "***" in masked


@pytest.mark.parametrize(
    "text",
    [
        "npm test",
        "mkdir -p src/tokens",
        "docker run -p 8080:80 image",
        "git commit -m 'count the tokens'",
        "grep -rn password src",
        "https://example.com/path?page=2",
        "scp a me@host:/x",
        "pytest -k token",
        "pytest tests/auth/test_token_refresh.py::test_access_token",
        "psql -p 5432 db",
        "gcloud run deploy --region asia-northeast1-b",
        "max_tokens=4096",
        "sort_key=name",
        "gpg --passphrase-fd 0",
        "docker login --password-stdin host",
        "mysql -p db",
        "basic functionality is there",
        "compass=north bypass=1",
    ],
)
def test_what_is_none_stays(text: str) -> None:
    assert mask(text) == text


_PIECES = ["token", "secret_", "--pass ", "-p", "mysql ", "://", "@", "=", ":", '"', "'", "\\", " ", "bearer ", "a"]


@given(st.lists(st.sampled_from(_PIECES) | st.text(max_size=3), max_size=40).map("".join))
def test_of_any_text_what_is_left_stands_in_it_in_order(text: str) -> None:
    at = 0
    for part in mask(text).split(MASK):
        assert (at := text.find(part, at) + len(part)) >= len(part)


@pytest.mark.parametrize("text", ["x 'TOKEN={}' y", '{{"password": "{}"}}', "Authorization: {}", "--pass '{}' y"])
@given(value=st.text(alphabet="QZ74-_ .:/&;,$(", min_size=1, max_size=30).filter(str.strip))
def test_nothing_of_a_value_is_left_where_it_is_plain_how_far_it_goes(text: str, value: str) -> None:
    assert not set("QZ74$(,").intersection(mask(text.format(value)))


def repeats(pattern: Any) -> Iterator[tuple[str, int]]:
    """How a pattern repeats something, and how often at most."""
    for kind, about in pattern:
        if kind in (parser.MAX_REPEAT, parser.MIN_REPEAT, parser.POSSESSIVE_REPEAT):
            yield str(kind), int(about[1])
        parts = about if isinstance(about, list | tuple) else [about]
        for part in parts:
            if isinstance(part, parser.SubPattern):
                yield from repeats(part)
            elif isinstance(part, list):
                yield from (found for each in part if isinstance(each, parser.SubPattern) for found in repeats(each))


def test_no_pattern_looks_far_or_goes_back_far() -> None:
    """Whoever writes a command must not be able to keep a hook busy: one that repeats without limit never goes back."""
    patterns = [value for value in vars(masking).values() if isinstance(value, re.Pattern)]
    patterns += [*masking._QUOTED.values(), *masking._OF_COMMANDS.values()]
    assert len(patterns) > 8
    for pattern in patterns:
        for kind, most in repeats(parser.parse(pattern.pattern, pattern.flags)):
            assert most <= 400 or kind == "POSSESSIVE_REPEAT", (pattern.pattern, kind, most)


def test_a_long_command_is_looked_at_where_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(masking, "mask", lambda text: seen.append(text) or text)
    assert short("token" * 100_000).endswith("...")
    assert len(seen[0]) <= 400


@given(st.text())
def test_any_text_becomes_one_short_line(text: str) -> None:
    line = short(text)
    assert len(line) <= LONGEST
    assert line == " ".join(line.split())


def test_a_secret_at_the_cut_is_not_told_in_part() -> None:
    assert "S3C" not in short("x" * (LONGEST - 12) + " token=S3CRETvalue" + "y" * 500)


@pytest.mark.parametrize(
    ("tool", "given", "line"),
    [
        ("Bash", {"command": "npm test\nrm x"}, "Bash: npm test"),
        ("shell", {"command": ["bash", "-lc", "ls"]}, "shell: bash -lc ls"),
        ("Read", {"file_path": "/w/demo/src/a.py"}, "Read: src/a.py"),
        ("Read", {"file_path": "/w/demonstration/a.py"}, "Read: /w/demonstration/a.py"),
        ("Write", {"file_path": "/etc/x", "content": "never told"}, "Write: /etc/x"),
        ("Grep", {"pattern": "def main", "path": "src"}, "Grep: def main"),
        ("WebFetch", {"url": "https://a:b@x/y", "prompt": "never told"}, "WebFetch: https://***@x/y"),
        ("Task", {"description": "look", "prompt": "never told"}, "Task: look"),
        ("mcp__github__create_issue", {"body": "never told", "path": "never"}, "github: create_issue"),
        ("Unknown", {"content": "never told"}, "Unknown"),
        ("Unknown", ["never told"], "Unknown"),
        ("Unknown", None, "Unknown"),
        ("apply_patch", {"input": "*** Begin Patch\n*** Delete File: x\n"}, "apply_patch: x"),
    ],
)
def test_what_is_told_of_a_tool(tool: str, given: object, line: str) -> None:
    assert told(tool, given, "/w/demo", "summary") == line
    assert told(tool, given, "/w/demo", "name") == line.partition(": ")[0] or tool.startswith("mcp__")
    assert told(tool, given, "/w/demo", "off") == ""
