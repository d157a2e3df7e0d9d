"""`ascii = true`: for terminals that draw some signs two cells wide."""

from __future__ import annotations

import pytest

from collab_tui.config import Config
from tests.tui import scenes
from tests.tui.seat import sitting


@pytest.mark.parametrize("size", [(160, 48), (80, 24), (60, 40)])
async def test_only_what_agents_wrote_is_not_ascii(size: tuple[int, int]) -> None:
    async with sitting(scenes.good_day(), size=size, config=Config(ascii=True)) as seat:
        await seat.looked()
        written = set(seat.path.read_text(encoding="utf-8"))
        drawn = {character for character in seat.text if ord(character) > 127}
        assert drawn <= written
