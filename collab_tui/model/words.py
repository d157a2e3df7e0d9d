"""The vocabulary found in real registries: status words, field aliases, names."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache
from typing import Final


class Status(StrEnum):
    """What an agent says it is doing, in our words. No status declared is `None`, not a member."""

    WAITING = "waiting"
    IN_PROGRESS = "in_progress"
    BLOCKED = "blocked"
    COMPLETED = "completed"
    IDLE = "idle"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """A word that we do not know; `Agent.raw_status` has it verbatim."""


_STATUS_BY_FIRST_WORD: Final = {
    word: status
    for status, words in {
        Status.WAITING: "waiting awaiting pending",
        Status.IN_PROGRESS: "in_progress active working running started validating monitoring",
        Status.BLOCKED: "blocked stuck",
        Status.COMPLETED: "completed complete done finished approved",
        Status.IDLE: "idle ready standby",
        Status.FAILED: "failed error",
    }.items()
    for word in words.split()
}
_IDENTIFIER_LIKE: Final = re.compile(r"(?=.{1,40}\Z)[a-z]+(?:[_ -]+[\w-]*)*", re.IGNORECASE)
"""A word of ours, and then perhaps more of any script: `waiting_for_codex-08`, `waiting_for_세나`."""
_WORD_BREAK: Final = re.compile(r"[_ -]+")

ALIASES: Final = {
    "current_task": ("current_task", "task", "working_on", "current_focus", "current_decision"),
    "comment": ("comment", "comments"),
    "resolved_blockers": ("resolved_blockers", "resolved_blocker", "blockers_resolved"),
    "details": ("details", "description"),
    "request": ("request", "request_type"),
    "evidence": ("evidence", "documents"),
    "timestamp": ("timestamp", "ts", "time"),
}
"""Field as we write it -> the spellings under which it is read, ours first."""

NOTHING_BLOCKS: Final = frozenset(
    {"", "-", "--", "–", "—", "{}", "[]", "n/a", "na", "n.a.", "nil", "no", "none", "nothing", "null", "undefined"}
    | {"resolved", "cleared", "unblocked", "not blocked", "no blocker", "no blockers", "not applicable", "empty"}
    | {"없음", "없다", "없어요", "없습니다", "해당 없음", "해당없음", "なし", "特になし", "无", "無", "没有"}
)
"""Values of `blocker` that say "no longer blocked" instead of naming a blocker."""

PERSON_WORDS: Final = frozenset({"human", "user", "person"})
"""Names under which agents address the person, beside the configured one."""

MONITOR: Final = "monitor"
"""In whose name rules write."""

_AWAITING_PREFIX: Final = re.compile(r"(?:waiting_for|awaiting|waiting_on)_(.+)", re.IGNORECASE | re.DOTALL)
_NAME_TOKEN: Final = re.compile(r"[\w.-]{1,80}")
READY_SUFFIXES: Final = frozenset({"ready", "done", "completed"})


@lru_cache(maxsize=4096)
def status_of(raw: str) -> Status:
    """The status that a raw word stands for; a sentence or an unlisted word is `UNKNOWN`.

    >>> status_of("waiting_for_lubit_decision"), status_of("Ready for Production!")
    (<Status.WAITING: 'waiting'>, <Status.UNKNOWN: 'unknown'>)
    """
    if not _IDENTIFIER_LIKE.fullmatch(raw) or (raw != raw.lower() and " " in raw):
        return Status.UNKNOWN
    words = _WORD_BREAK.split(raw.lower().strip("_ -"))
    if words[:2] == ["in", "progress"]:
        return Status.IN_PROGRESS
    return _STATUS_BY_FIRST_WORD.get(words[0], Status.UNKNOWN)


@lru_cache(maxsize=4096)
def name_key(name: str) -> str:
    """The form under which two spellings of a name are the same agent."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


def awaited_in_status(raw: str) -> str | None:
    """X of a status such as `waiting_for_X` or `awaiting_X`, else None."""
    match = _AWAITING_PREFIX.fullmatch(raw)
    return match[1] if match else None


def leading_names(token: str) -> list[str]:
    """Keys of the names that a token such as `lubit_metrics_decision` may start with, longest first.

    A token with spaces names nobody: a blocker written as a sentence is a sentence.
    """
    if not _NAME_TOKEN.fullmatch(token):
        return []
    parts = name_key(token).split("_")
    return ["_".join(parts[:count]) for count in range(len(parts), 0, -1)]
