"""What is told of a tool: short, and without the secrets that are plain to see."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.hooks.masking import mask
from collab_tui.hooks.tools import LONGEST, short, told


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
    ],
)
def test_what_is_none_stays(text: str) -> None:
    assert mask(text) == text


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
