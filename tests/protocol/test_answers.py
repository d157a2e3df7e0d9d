"""Answering what waits, while others change the registry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collab_tui.model.board import Request
from collab_tui.model.event import Item
from collab_tui.model.fold import Fold
from collab_tui.protocol.answers import answer
from collab_tui.protocol.trust import Trust
from collab_tui.registry.append import RefusedError
from collab_tui.registry.base import read_to_end
from collab_tui.registry.jsonl import JsonlRegistry
from tests.events import asks, decides, lines, says
from tests.signing import install_key

JUNK = decides("human", "r1", verdict="rejected", signature="x", key_id="0" * 16)


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    """The person has a key."""
    return Trust("human", keyring=install_key(tmp_path / "config"))


class LosesItsFirstLine(JsonlRegistry):
    """The file goes after the request was looked at again, and before its first line is."""

    is_gone = False

    def since(self, position: int) -> Sequence[Item]:
        self.is_gone = True
        return super().since(position)

    def items(self, first: int, last: int) -> Sequence[Item]:
        return [] if first == 0 and self.is_gone else super().items(first, last)


def asked_in(
    path: Path, *then: dict[str, object], kind: type[JsonlRegistry] = JsonlRegistry
) -> tuple[JsonlRegistry, Fold, Request]:
    """A registry with a request in it, read to its end."""
    registered = says("system", "registry_created", registry="abcdef")
    path.write_bytes(lines(registered, asks("sena", "r1", request="Go?"), *then))
    registry, fold = kind(path), Fold("human")
    read_to_end(registry, fold, final=True)
    (request,) = fold.board().requests
    return registry, fold, request


def approve(registry: JsonlRegistry, fold: Fold, request: Request, trust: Trust) -> None:
    answer(
        registry,
        request,
        "human",
        "approved",
        known=fold.position,
        person="human",
        clock=lambda: datetime.now(UTC),
        trust=trust,
    )


def test_what_was_answered_with_a_junk_signature_can_be_answered_and_then_no_more(tmp_path: Path, trust: Trust) -> None:
    path = tmp_path / "registry.jsonl"
    registry, fold, request = asked_in(path, *[JUNK] * 9)
    approve(registry, fold, request, trust)
    path.write_bytes(path.read_bytes() + lines(JUNK))
    read_to_end(registry, fold, final=True)
    with pytest.raises(RefusedError, match="human answered it meanwhile: approved"):
        approve(registry, fold, fold.board().requests[0], trust)


def test_a_registry_that_goes_while_it_is_looked_at_refuses_the_answer(tmp_path: Path, trust: Trust) -> None:
    registry, fold, request = asked_in(tmp_path / "registry.jsonl", kind=LosesItsFirstLine)
    with pytest.raises(RefusedError, match="replaced meanwhile"):
        approve(registry, fold, request, trust)
