"""Where the jobs of one registry are kept: a file for each, for the user's eyes only, until it is done with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from collab_tui.registry.append import NotWrittenError
from collab_tui.registry.kept import keep, kept_for
from collab_tui.workers.job import Job, job_of

_FOLDER: Final = "workers"


class Jobs:
    """The jobs that are open, or of which something is still to be told."""

    def __init__(self, registry: Path) -> None:
        self.folder = kept_for(registry) / _FOLDER

    def all(self) -> list[Job]:
        """Every job, in the order in which they are to be done."""
        found = (self._load(file) for file in self.folder.glob("*.json"))
        return sorted((job for job in found if job is not None), key=lambda job: job.rank)

    def has(self, job_id: str) -> bool:
        """There is one of that id."""
        return self._file(job_id).exists()

    def save(self, job: Job) -> None:
        """Keep it, whole or not at all. Raises `NotWrittenError`."""
        path = self._file(job.id)
        try:
            keep(path, job.document())
        except OSError as error:
            raise NotWrittenError(f"cannot keep what is to be done, in {path}: {error.strerror}") from error

    def remove(self, job_id: str) -> None:
        """Nothing more comes of it. Raises `NotWrittenError`."""
        try:
            self._file(job_id).unlink(missing_ok=True)
        except OSError as error:
            raise NotWrittenError(f"cannot remove {self._file(job_id)}: {error.strerror}") from error

    def _file(self, job_id: str) -> Path:
        return self.folder / f"{job_id}.json"

    def _load(self, file: Path) -> Job | None:
        try:
            job = job_of(json.loads(file.read_bytes()))
        except (OSError, ValueError, RecursionError):
            return None
        return job if job is not None and job.id == file.stem else None
