"""Keeping what a model reads short, whatever others wrote."""

from __future__ import annotations

import json
from typing import Any, Final

_SIZES: Final = (2000, 400, 80)
"""Characters of each text, the richest first."""
_ITEMS: Final = 20


def shortened(value: Any, longest: int = _SIZES[0]) -> Any:
    """A JSON value whose texts are cut, and whose lists of texts end after some."""
    if isinstance(value, str):
        return value if len(value) <= longest else f"{value[: longest - 3]}..."
    if isinstance(value, list):
        is_texts = all(isinstance(item, str) for item in value)
        return [shortened(item, longest) for item in (value[:_ITEMS] if is_texts else value)]
    if isinstance(value, dict):
        return {name: shortened(item, longest) for name, item in value.items()}
    return value


def short_json(value: Any, wanted: int) -> str:
    """The richest JSON that has at most so many characters, else the shortest."""
    text = ""
    for longest in _SIZES:
        text = json.dumps(shortened(value, longest), ensure_ascii=False)
        if len(text) <= wanted:
            break
    return text
