"""What the arguments of the tools may be, with what a model reads of each."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

Status = Literal["in_progress", "waiting", "blocked", "completed", "idle", "failed"]
Kind = Literal["approval", "choice", "question"]
Urgency = Literal["low", "normal", "high", "critical"]

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Long = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
Id = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    Field(description="the request's id, or a unique beginning of it"),
]
