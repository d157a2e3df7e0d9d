"""Agents that count prime numbers in parts: planner, executor, validator, merger. Scripts, no models.

What is to be done comes as JSON on standard input; what comes of it goes to standard output.
"""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from math import isqrt
from typing import Any


def plan(told: dict[str, Any]) -> object:
    """Ranges of about the same size, each a task with a reviewer."""
    below, parts = int(told["data"]["below"]), int(told["data"]["parts"])
    ends = [below * number // parts for number in range(parts + 1)]
    tasks = [
        {
            "key": f"part-{number}",
            "role": "executor",
            "title": f"primes from {first:,} to {last - 1:,}",
            "review": "validator",
            "data": {"first": first, "last": last},
        }
        for number, (first, last) in enumerate(pairwise(ends), 1)
    ]
    return {"plan": {"below": below, "parts": parts}, "tasks": tasks}


def execute(told: dict[str, Any]) -> object:
    """Count by a sieve."""
    first, last = told["data"]["first"], told["data"]["last"]
    start = max(first, 2)
    sieve = bytearray([1]) * max(0, last - start)
    for factor in range(2, isqrt(max(last, 4)) + 1):
        for multiple in range(max(factor * factor, -(-start // factor) * factor), last, factor):
            sieve[multiple - start] = 0
    return {"first": first, "last": last, "primes": sum(sieve)}


def validate(told: dict[str, Any]) -> object:
    """Count again in another way: by a test of each number."""
    first, last = told["data"]["first"], told["data"]["last"]
    counted, right = told["candidate"]["primes"], sum(map(is_prime, range(first, last)))
    if counted != right:
        return {"verdict": "rejected", "reasons": [f"{counted} were counted, and a test of each number finds {right}"]}
    return {"verdict": "approved", "reasons": [f"a test of each number finds {right}, too"]}


def is_prime(number: int) -> bool:
    """Miller's test; these four bases tell all numbers below 3,215,031,751."""
    if number < 2:
        return False
    if any(number % small == 0 for small in (2, 3, 5, 7)):
        return number in (2, 3, 5, 7)
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(passes(number, base, odd, twos) for base in (2, 3, 5, 7))


def passes(number: int, base: int, odd: int, twos: int) -> bool:
    """Whether one base finds nothing against a number."""
    power = pow(base, odd, number)
    if power in (1, number - 1):
        return True
    return any((power := power * power % number) == number - 1 for _ in range(twos - 1))


def merge(told: dict[str, Any]) -> object:
    """All parts together."""
    parts = sorted(told["inputs"]["plan/*"].values(), key=lambda part: part["first"])
    if any(one["last"] != other["first"] for one, other in pairwise(parts)):
        sys.exit("the parts do not join")
    return {"below": parts[-1]["last"], "primes": sum(part["primes"] for part in parts), "parts": len(parts)}


if __name__ == "__main__":
    agents = {"planner": plan, "executor": execute, "validator": validate, "merger": merge}
    json.dump(agents[sys.argv[1]](json.load(sys.stdin.buffer)), sys.stdout)
