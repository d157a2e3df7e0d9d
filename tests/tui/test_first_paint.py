"""What there is to see first, and what it need not wait for."""

from __future__ import annotations

from typing import Any

import pytest
from textual.css import stylesheet

from collab_tui.tui.app import BoardApp
from tests.tui import scenes
from tests.tui.seat import sitting


@pytest.mark.parametrize("size", [(160, 48), (60, 40), (80, 24)])
async def test_the_first_picture_is_arranged_and_stands_before_anything_is_read(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    first: list[str] = []
    follow = BoardApp.follow

    def note(app: BoardApp) -> object:
        first.extend(strip.text for strip in app.screen._compositor.render_strips())
        return follow(app)

    def top(lines: list[str]) -> tuple[int, str]:
        framed = [(y, line) for y, line in enumerate(lines) if "─" in line]
        return next((y, title) for y, line in framed for title in ("Needs", "Agents") if title in line[:20])

    monkeypatch.setattr(BoardApp, "follow", note)
    async with sitting(scenes.good_day(), size=size) as seat:
        assert top(first) == top(seat.lines)


async def test_no_style_is_parsed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    parse, parsed = stylesheet.parse, list[str]()

    def note(scope: str, css: str, *rest: Any, **how: Any) -> Any:
        parsed.append(css)
        return parse(scope, css, *rest, **how)

    monkeypatch.setattr(stylesheet, "parse", note)
    async with sitting(scenes.good_day()):
        assert 0 < len(parsed) == len(set(parsed))
