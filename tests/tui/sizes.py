"""What the pictures of the board and of the past have in common: their sizes, and the types of their fixtures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.tui.seat import WIDE, Seat

SIZES = pytest.mark.parametrize("size", [WIDE, (80, 24), (60, 40)], ids=lambda size: f"{size[0]}x{size[1]}")

Size = tuple[int, int]
Steps = Callable[[Seat], Awaitable[object]]
Looks = Callable[..., bool]
