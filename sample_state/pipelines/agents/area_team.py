"""Agents that find the area below a curve and refine it where it is not good enough: refiner, validator. No models.

What is to be done comes as JSON on standard input; what comes of it goes to standard output.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from typing import Any

CURVES: dict[str, Callable[[float], float]] = {"sqrt": math.sqrt, "sin": math.sin, "exp": math.exp}


def refine(told: dict[str, Any]) -> object:
    """The area of one piece; where that is not sure enough, and it may go deeper, both halves become tasks."""
    data = told["data"]
    curve, first, last = CURVES[data["curve"]], float(data["from"]), float(data["to"])
    middle = (first + last) / 2
    area = simpson(curve, first, middle) + simpson(curve, middle, last)
    error = abs(area - simpson(curve, first, last)) / 15
    is_split = error > float(data["error"]) and told["depth"] < told["most_depth"]
    halves = {"left": (first, middle), "right": (middle, last)} if is_split else {}
    tasks = [
        {"key": key, "role": "refiner", "title": f"{low:g} to {high:g}", "data": {**data, "from": low, "to": high}}
        for key, (low, high) in halves.items()
    ]
    return {"plan": {"area": area, "error": error, "is_split": is_split, "curve": data["curve"]}, "tasks": tasks}


def simpson(curve: Callable[[float], float], first: float, last: float) -> float:
    """The area below the parabola through three points."""
    return (last - first) / 6 * (curve(first) + 4 * curve((first + last) / 2) + curve(last))


def total(told: dict[str, Any]) -> object:
    """The sum of the pieces that were not split further."""
    pieces = [piece for piece in [told["inputs"]["area"], *told["inputs"]["area/*"].values()] if not piece["is_split"]]
    return {
        "area": math.fsum(piece["area"] for piece in pieces),
        "error": math.fsum(piece["error"] for piece in pieces),
        "pieces": len(pieces),
    }


def validate(told: dict[str, Any]) -> object:
    """Whether another way comes to the same: a hundred thousand narrow rectangles."""
    data, count = told["data"], 100_000
    curve, first, last = CURVES[data["curve"]], float(data["from"]), float(data["to"])
    width = (last - first) / count
    other = math.fsum(curve(first + (number + 0.5) * width) for number in range(count)) * width
    found = told["candidate"]["area"]
    apart = abs(found - other)
    verdict = "approved" if apart < 1e-3 * max(1.0, abs(other)) else "rejected"
    return {"verdict": verdict, "reasons": [f"{found:.8f}, and {count:,} rectangles come to {other:.8f}"]}


if __name__ == "__main__":
    agents = {"refiner": refine, "adder": total, "validator": validate}
    json.dump(agents[sys.argv[1]](json.load(sys.stdin.buffer)), sys.stdout)
