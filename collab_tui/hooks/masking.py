"""Obvious secrets in what an agent runs or is asked: they become `***` before a line is written.

It cannot know every secret; what nobody may read is kept out of the registry by `[hooks] tool_input = "name"`.
"""

from __future__ import annotations

import re

MASK = "***"

_NAMES = (
    r"(?:token|secret|passw(?:or)?d|passphrase|api[_-]?key|access[_-]?key|private[_-]?key|credentials?|auth[_-]?key)"
)
_VALUE = r"""(?:"[^"]*"?|'[^']*'?|[^\s"'&;|]+)"""
_RULES = (
    (r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*", MASK),
    (r"(://)[^/\s@\"']+@", rf"\1{MASK}@"),
    (rf"((?:authorization|x-api-key|cookie)[\"']?\s*[:=]\s*)(?:(?:bearer|basic|token)\s+)?{_VALUE}", rf"\1{MASK}"),
    (r"\b(bearer|basic)\s+[\w.~+/=-]{6,}", rf"\1 {MASK}"),
    (rf"([\w.-]*{_NAMES}[\w.-]*[\"']?\s*[=:]\s*){_VALUE}", rf"\1{MASK}"),
    (rf"(\s--?[\w-]*{_NAMES}[\w-]*\s+){_VALUE}", rf"\1{MASK}"),
    (rf"(\s(?:-u|--user|--proxy-user)[\s=]+)[^\s:\"']+:{_VALUE}", rf"\1{MASK}"),
    (rf"(\b(?:sshpass|mysql|mysqldump|mariadb|mysqladmin)\b[^|;&]*?\s-p\s?){_VALUE}", rf"\1{MASK}"),
    (r"([?&][\w.-]*(?:key|token|sig|signature|secret|passw(?:or)?d|auth|code)=)[^&\s\"']+", rf"\1{MASK}"),
    (
        r"\b(?:sk-|sk_live_|rk_live_|gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|AKIA|ASIA|AIza|hf_|npm_|eyJ)[\w./+=-]{8,}",
        MASK,
    ),
)


def mask(text: str) -> str:
    """The text without the secrets that are plain to see."""
    for pattern, instead in _RULES:
        text = re.sub(pattern, instead, text, flags=re.IGNORECASE | re.DOTALL)
    return text
