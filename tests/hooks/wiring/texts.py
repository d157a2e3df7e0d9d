"""JSON texts in all the styles in which people and programs write them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

SPACE = st.text(" \t\n\r", max_size=3)
STRINGS = st.text(max_size=6) | st.sampled_from(['"', "\\", "é", "한글", "\u2028", "💡", "hooks", "a,b", "}", "\x00"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | STRINGS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(STRINGS, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def wild(draw: st.DrawFn, value: Any) -> str:
    """A value with any space where JSON allows it."""

    def space() -> str:
        return draw(SPACE)

    def text(part: Any) -> str:
        if isinstance(part, dict):
            items = [f"{scalar(key)}{space()}:{space()}{text(each)}" for key, each in part.items()]
            return "{" + space() + f"{space()},{space()}".join(items) + space() + "}"
        if isinstance(part, list):
            return "[" + space() + f"{space()},{space()}".join(map(text, part)) + space() + "]"
        return scalar(part)

    def scalar(part: Any) -> str:
        return json.dumps(part, ensure_ascii=draw(st.booleans()))

    return draw(st.sampled_from(["", "\ufeff"])) + space() + text(value) + space()


@st.composite
def tidy(draw: st.DrawFn, value: Any) -> str:
    """A value as one program or another writes it."""
    indent = draw(st.sampled_from([None, 2, 4, "\t", 0]))
    separators = draw(st.sampled_from([None, (",", ":")])) if indent is None else None
    text = json.dumps(value, indent=indent, separators=separators, ensure_ascii=draw(st.booleans()))
    end = draw(st.sampled_from(["", "\n", "\n\n"]))
    return draw(st.sampled_from(["", "\ufeff"])) + (text + end).replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


def written(values: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    """Texts of such values."""
    return values.flatmap(lambda value: wild(value) | tidy(value))
