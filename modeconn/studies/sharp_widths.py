"""Pairs of nets around the threshold of W1: which constructions join them at which width."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from modeconn.constructions import Connection, Functionals, Pair, checked_pair, connect_pair, problem_to_json
from modeconn.nets import Net
from modeconn.paths import barrier_exact
from modeconn.studies.sharp_cases import polygon_rows, triangle_vertices
from proofs_check.checker import check_certificate

__all__ = ["DRAWS", "METHODS", "WidthTrial", "draw_pair", "threshold", "try_width"]

METHODS = ("straight segment", "disjoint-slots", "edge-walk", "tau-climb", "balanced-climb")

LEVEL_ROOM = 1e-9
"""Relative rounding of level and radii up to which a path counts."""


class WidthTrial(NamedTuple):
    """What was tried on one pair.

    Attributes:
        joined: method -> whether it found a path.
        accepted: whether the checker accepted the path of the balanced climb; ``None`` without one.
        reason: why the balanced climb found none, or why the checker did not accept it.
    """

    joined: dict[str, bool]
    accepted: bool | None
    reason: str


def threshold(n: int, d: int) -> int:
    """Return N = n + d (d + 1) / 2 + 1 for Muon's ball and one output."""
    return Functionals("gram", "gram").count(n, d, 1)


def _nets(rng: np.random.Generator, d: int, m: int, whole: bool) -> list[Net]:
    def leaf(rows: int) -> np.ndarray:
        return rng.integers(-8, 9, (rows, m)) / 8 if whole else rng.standard_normal((rows, m))

    return [Net(leaf(d), leaf(1)) for _ in range(2)]  # type: ignore[arg-type]


def _gaussian(rng: np.random.Generator, n: int, d: int, m: int) -> tuple[list[Net], np.ndarray, np.ndarray, float]:
    """Normal data and weights."""
    return _nets(rng, d, m, False), rng.standard_normal((n, d)), rng.standard_normal(n), 1.0


def _whole(rng: np.random.Generator, n: int, d: int, m: int) -> tuple[list[Net], np.ndarray, np.ndarray, float]:
    """Small integers and eighths: parallel and zero rows, neurons on hyperplanes, dead neurons."""
    X, y = rng.integers(-2, 3, (n, d)).astype(float), rng.integers(-2, 3, n).astype(float)
    return _nets(rng, d, m, True), X, y, 1.0


def _taught(rng: np.random.Generator, n: int, d: int, m: int) -> tuple[list[Net], np.ndarray, np.ndarray, float]:
    """Zero loss at both ends: a net and its neurons in another order; nothing but permutations is asked for."""
    first, _ = _nets(rng, d, m, False)
    X, order = rng.standard_normal((n, d)), rng.permutation(m)
    y = (np.maximum(X @ np.asarray(first.W), 0.0) @ np.asarray(first.A).T)[:, 0]
    return [first, Net(first.W[:, order], first.A[:, order])], X, y, 1.0  # type: ignore[index]


def _triangle(rng: np.random.Generator, n: int, d: int, m: int) -> tuple[list[Net], np.ndarray, np.ndarray, float]:
    """Rigid nets of least radius over three rows at 120 degrees (n = 3, d = 2), in random slots, m >= 5."""
    X = polygon_rows(3)
    y = [Fraction(int(v), 10) for v in rng.integers(10, 14, 3)]
    ends = []
    for vertex in (triangle_vertices(y)[k] for k in (0, -1)):
        W, A = np.zeros((2, m)), np.zeros((1, m))
        for slot, k, amount in zip(rng.permutation(m), vertex.support, vertex.amounts, strict=False):
            square = float(amount) / np.sqrt(2.0)  # alpha^2
            W[:, slot], A[0, slot] = (X[k] if k < 3 else -X[k - 3]) * np.sqrt(2.0 * square), np.sqrt(square)
        ends.append(Net(W, A))  # type: ignore[arg-type]
    return ends, X, np.array([float(v) for v in y]), 1.0 + 1e-10


DRAWS: dict[str, Callable[..., tuple[list[Net], np.ndarray, np.ndarray, float]]] = {
    "gaussian": _gaussian,
    "whole numbers": _whole,
    "permuted": _taught,
    "triangle": _triangle,
}
"""Ways to draw a pair: (rng, n, d, width) -> nets, X, y, the radius over the larger norm."""


def draw_pair(kind: str, n: int, d: int, width: int, seed: int) -> tuple[Pair, dict[str, object]]:
    """Return a pair in the least Muon ball around it, and the same as the checker reads it."""
    nets, X, y, room = DRAWS[kind](np.random.default_rng([seed, n, d, width]), n, d, width)
    largest = max(float(np.linalg.norm(leaf, 2)) for net in nets for leaf in (net.W, net.A) if leaf is not None)
    region = f"spectral:{max(largest, 1e-3) * room * (1 + 1e-12):.15g}"
    first, last = nets
    return checked_pair(first, last, X, y, region), problem_to_json(first, last, X, y, region)


def try_width(kind: str, n: int, d: int, width: int, seed: int, methods: tuple[str, ...] = METHODS) -> WidthTrial:
    """Return which methods join a pair, the path of the balanced climb checked independently.

    Example:
        >>> try_width("triangle", 3, 2, 6, 0, ("tau-climb", "balanced-climb")).accepted
        True
    """
    pair, problem = draw_pair(kind, n, d, width, seed)
    joined: dict[str, bool] = {}
    accepted, reason = None, ""
    for method in methods:
        if method == "straight segment":
            nets = (pair.net(pair.W0, pair.A0), pair.net(pair.W1, pair.A1))
            found = barrier_exact(*nets, pair.X, pair.Y, baseline="endpoint_max")
            joined[method] = float(found.barrier) <= LEVEL_ROOM * (1.0 + float(found.loss_start + found.loss_end))
            continue
        connection = connect_pair(pair, method)
        joined[method] = connection.joined
        if method == "balanced-climb":
            accepted, reason = _checked(connection, problem) if connection.joined else (None, connection.reason)
    return WidthTrial(joined, accepted, reason)


def _checked(found: Connection, problem: dict[str, object]) -> tuple[bool, str]:
    """Return whether the checker accepts a path that moves level and radii by rounding only, or why not."""
    assert found.level is not None
    assert found.radius_slack is not None
    scale = 1.0 + max(found.knot_losses[0], found.knot_losses[-1])
    if found.level_slack > LEVEL_ROOM * scale or found.radius_slack > LEVEL_ROOM:
        return False, f"rounding: level {found.level_slack:.3g}, radii {float(found.radius_slack):.3g}"
    verdict = check_certificate(found.certificate(), problem)
    return verdict.accepted, verdict.reason
