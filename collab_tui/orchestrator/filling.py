"""Names in braces in the texts of a pipeline: `{goal}`, and what `[vars]` of its file names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from collab_tui.config.values import WrongError, instead_of

_PIECE: Final = re.compile(r"\{\{|\}\}|\{(\w*)\}|[{}]")
_SHOWN: Final = 60
"""Characters of a line."""


class InTextError(WrongError):
    """What is wrong in a text."""

    def __init__(self, text: str, line: str, *path: str) -> None:
        super().__init__(text, *path)
        self.line = line
        """The line of the text that has it."""


class Filling:
    """What the names stand for, and which of them were used."""

    def __init__(self, words: Mapping[str, str | None]) -> None:
        """Of a name without a word the braces stay as they are: it is not known yet."""
        self._words = words
        self.used: set[str] = set()

    def text(self, text: str, more: Mapping[str, str] | None = None) -> str:
        """The text with its names filled in; `more` are names for this one alone. Raises `InTextError`."""
        words = {**self._words, **(more or {})}
        return "".join(piece if line is None else self._word(piece, words, line=line) for piece, line in _pieces(text))

    def template(self, text: str, later: Collection[str]) -> str:
        """The same of a template whose names in `later` are filled in later; what is filled in now stays as it is."""
        words = {name: word for name, word in self._words.items() if name not in later}
        filled = []
        for piece, line in _pieces(text):
            if line is not None and piece in later:
                filled.append(f"{{{piece}}}")
            else:
                filled.append(_doubled(piece if line is None else self._word(piece, words, later, line=line)))
        return "".join(filled)

    def value(self, value: Any, path: tuple[str, ...] = ()) -> Any:
        """A JSON value with its texts filled in. Raises `InTextError` with the way to what is wrong in it."""
        if isinstance(value, dict):
            return {name: self.value(item, (*path, name)) for name, item in value.items()}
        if isinstance(value, list):
            return [self.value(item, (*path, str(number))) for number, item in enumerate(value, 1)]
        if isinstance(value, str):
            try:
                return self.text(value)
            except InTextError as wrong:
                raise InTextError(str(wrong), wrong.line, *path) from None
        return value

    def _word(self, name: str, words: Mapping[str, str | None], later: Collection[str] = (), *, line: str) -> str:
        if name not in words:
            raise InTextError(f"there is no {{{name}}}; {instead_of(name, [*words, *later])}", line)
        self.used.add(name)
        word = words[name]
        return word if word is not None else f"{{{name}}}"


def _pieces(text: str) -> Iterator[tuple[str, str | None]]:
    """What stands between the names as it is meant, with None; and each name, with the line that has it."""
    done = 0
    for found in _PIECE.finditer(text):
        yield text[done : found.start()], None
        done = found.end()
        name, line = found[1], _line_at(text, found.start())
        if name is not None and name.isidentifier():
            yield name, line
        elif found[0] in ("{{", "}}"):
            yield found[0][0], None
        else:
            raise InTextError(_wrong_braces(line), line)
    yield text[done:], None


def _wrong_braces(line: str) -> str:
    """How the line says what it means, if its braces are to stay."""
    meant = _doubled(line.strip())
    example = meant if len(meant) <= _SHOWN else '{{"verdict": "approved"}}'
    return f"braces hold a name, such as {{goal}}; a brace itself is written twice: {example}"


def _line_at(text: str, place: int) -> str:
    end = text.find("\n", place)
    return text[text.rfind("\n", 0, place) + 1 : end if end >= 0 else len(text)]


def _doubled(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
