"""Paired runs: ours and the reference in turn, so that both meet the same weather of the machine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple


class Paired(NamedTuple):
    """Medians of runs made in turn."""

    ours: float
    reference: float
    ratio: float
    """Ours per reference, of each pair; not the ratio of the medians."""


def paired(ours: Callable[[], float], reference: Callable[[], float], runs: int) -> Paired:
    """Measure in turn after one unmeasured run of each; which goes first alternates too."""
    reference(), ours()
    pairs = []
    for number in range(runs):
        if number % 2:
            mine = ours()
            pairs.append((mine, reference()))
        else:
            other = reference()
            pairs.append((ours(), other))
    return of_pairs(pairs)


def of_pairs(pairs: Sequence[tuple[float, float]]) -> Paired:
    """The medians of pairs of ours and reference."""
    return Paired(
        statistics.median(mine for mine, _ in pairs),
        statistics.median(other for _, other in pairs),
        statistics.median(mine / other for mine, other in pairs),
    )


def seconds(action: Callable[[], object]) -> float:
    """How long the action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def processor_seconds(action: Callable[[], object]) -> float:
    """What the action takes of a processor in this process: other programs do not count, waiting neither."""
    start = time.process_time()
    action()
    return time.process_time() - start


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * (len(ordered) - 1))))]
