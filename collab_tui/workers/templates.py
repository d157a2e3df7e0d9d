"""What workers are told: templates with checked names, in which others' words stand in quotes that they cannot close.

A template is a text file, `NAME.md`: the user's own in `templates/` beside their settings, else the project's in
`.collab/templates/` once the person allowed that very text, else ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from collab_tui.config.allowed import is_allowed
from collab_tui.config.reading import allowed_file, project_config_file, user_config_file
from collab_tui.config.rules import placeholders
from collab_tui.config.settings import Restricted
from collab_tui.config.text_file import TextError, read_text
from collab_tui.config.values import instead_of
from collab_tui.protocol.wording import quoted
from collab_tui.workers.job import Job
from collab_tui.workers.verdict import MAX_NEXT

NAMES: Final = ("task", "title", "status", "priority", "project", "stream", "why")
"""What a template may name."""
_OURS: Final = Path(__file__).with_name("templates")
_ANSWER: Final = Path(__file__).with_name("answer.md")
_FOLDER: Final = "templates"
_LONGEST: Final = 1 << 16
"""Bytes of a template."""
_LONGEST_WORDS: Final = 300
_NOT_SAID: Final = "not said"


class TemplateError(Exception):
    """There is no such template, or it cannot be used; the text says why, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Template:
    """One template as it stands in a file."""

    name: str
    path: Path
    text: str

    def fill(self, values: Mapping[str, str | None]) -> str:
        """The text with its names filled in, each in quotes; what is not known is said not to be."""
        words = {name: quoted(said, _LONGEST_WORDS) if (said := values.get(name)) else _NOT_SAID for name in NAMES}
        return self.text.format_map(words)


class Templates:
    """The templates for one registry."""

    def __init__(self, registry: Path) -> None:
        self.users = user_config_file().parent / _FOLDER
        self.projects = project_config_file(registry).parent / _FOLDER

    def of(self, name: str) -> Template:
        """The template of a name. Raises `TemplateError`, and `ConfigError` where it cannot be told what is allowed."""
        for folder in (self.users, self.projects, _OURS):
            found = _read(folder / f"{name}.md", name, is_users=folder == self.users)
            if found is None:
                continue
            if folder == self.projects and not is_allowed(leave_for(found), allowed_file()):
                told = f"see it and allow it: `collab-tui worker allow {name}`"
                raise TemplateError(f"{found.path}: a project's template is used once you allowed it; {told}")
            return found
        raise TemplateError(f"there is no template {name!r}; {instead_of(name, self.names())}")

    def of_project(self, name: str) -> Template | None:
        """The project's own, whether or not it is allowed. Raises `TemplateError`."""
        return _read(self.projects / f"{name}.md", name)

    def names(self) -> list[str]:
        """All that there are."""
        files = (file for folder in (self.users, self.projects, _OURS) for file in folder.glob("*.md"))
        return sorted({file.stem for file in files})


def leave_for(template: Template) -> Restricted:
    """What the person allows when they allow a project's template."""
    return Restricted(template.path, {"template": template.text})


def prompt_of(template: Template, job: Job) -> str:
    """What a worker is told of its task."""
    return template.fill({name: getattr(job, name) for name in NAMES})


def how_to_answer() -> str:
    """How a decision worker gives its verdict; no template changes that."""
    return _ANSWER.read_text(encoding="utf-8").format(most=MAX_NEXT)


def _read(path: Path, name: str, *, is_users: bool = False) -> Template | None:
    try:
        file = read_text(path, _LONGEST)
    except TextError as error:
        raise TemplateError(str(error)) from error
    if file is None:
        return None
    if is_users and file.is_writable_by_others:
        raise TemplateError(f"{path}: others can write it, so it does not count: `chmod go-w` it, if it is yours")
    text = file.text
    try:
        named = placeholders(text)
    except ValueError:
        told = 'braces hold a name, such as {task}; a brace itself is written twice, "{{"'
        raise TemplateError(f"{path}: {told}") from None
    if unknown := [one for one in named if one not in NAMES]:
        raise TemplateError(f"{path}: there is no {{{unknown[0]}}}; {instead_of(unknown[0], NAMES)}")
    return Template(name, path, text)
