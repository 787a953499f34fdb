"""Known answers about ridge-regularised optima: the three-component problem and the partial-sum families."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from modeconn.regularised import (
    OptimalSet,
    certify_gap,
    certify_optimal_set,
    connection_width,
    optimal_set,
    partial_sum_dual,
    planted_optimal_set,
    ridge_gap,
    ridge_staircase,
    three_component_problem,
)
from modeconn.reproductions.answers.answer import Answer, Found, certified, exact, interval, numerical
from modeconn.topology import Problem, problem_to_json

__all__ = ["regularised_answers"]

BETAS = (Fraction(1, 10), Fraction(1, 2), Fraction(1))
COMPONENTS = {1: 1, 2: 3, 3: 1}

BARRIER_AGREEMENT = 1e-10
"""Asked for in the theory."""

GAP_AGREEMENT = 1e-9
"""Both ends of a certified interval for the optimal value, by floats, lie within this of it."""

ANGLES = {3: (60, 30, 0), 5: (60, 45, 30, 15, 0)}
SUPPORTS = {3: (2, 3), 5: (4, 5)}
"""n -> (m*, M*) of the family with these angles; the theory leaves y open."""

AMOUNTS = {3: (0, 1, 1, 0), 5: (1, 1, 0, 2, 0, 1)}
"""n -> amounts of the tight features in a y with these supports."""


def regularised_answers(seed: int) -> Iterator[Answer]:
    """Yield the answers of section 4."""
    for beta in BETAS:
        yield from _three_components(beta)
    yield from _rational_partial_sums()
    for n in ANGLES:
        yield from _partial_sums(n)


def _three_components(beta: Fraction) -> Iterator[Answer]:
    """Yield the answers about rows (+-sqrt 3, 1), y = (1, 1)."""
    problem, b = three_component_problem(beta), float(beta)
    stated, found = problem_to_json(problem), optimal_set(problem)
    certificates = {m: certify_optimal_set(found, m) for m in COMPONENTS}
    at = f"beta = {beta}"
    value = beta - beta**2 / 4
    ours = certified(Fraction(found.value), "value", certificates[2], stated)
    yield Answer(f"K √3 value, {at}", "K1", f"optimal value, {at}", value, "β - β²/4", ours)
    gap = ridge_gap(problem)
    bounds = _certified_gap(certified(gap.lower, "lower", certify_gap(gap), stated), gap.upper)
    yield Answer(f"K √3 gap, {at}", "N4", f"certified interval of the value, {at}", value, "β - β²/4", bounds)
    if beta == BETAS[0]:
        supports = (("m*", "smallest_support", 1), ("M*", "largest_support", 2))
        for name, key, known in supports:
            ours = certified(getattr(found, key), key, certificates[2], stated)
            yield Answer(f"K √3 {name}", "K1", f"{name}, {at}", known, str(known), ours)
        width = exact(connection_width(found))
        yield Answer("K √3 width", "K5", f"width from which the optima are connected, {at}", 3, "3", width)
    for stair in ridge_staircase(problem, COMPONENTS, found):
        m, known = stair.width, COMPONENTS[stair.width]
        polytope = certified(stair.predicted.components, "components", certificates[m], stated)
        what = f"components at m = {m}, {at}"
        yield Answer(f"K √3 polytope, m = {m}, {at}", "K1", f"{what}, polytope", known, str(known), polytope)
        graph = interval(*stair.count, tolerance=0.0)
        yield Answer(f"K √3 cells, m = {m}, {at}", "N4", f"{what}, graph of cells", known, str(known), graph)
        if m == 2:
            height = ((2 / math.sqrt(3) - 1) * b - b * b / 12) / 2
            ours = interval(*stair.barrier, tolerance=BARRIER_AGREEMENT)
            yield Answer(f"K √3 barrier, {at}", "K1", f"barrier at m = 2, {at}", height, f"B({beta})", ours)


def _certified_gap(lower: Found, upper: Fraction) -> Found:
    """Return the interval of an accepted "ridge-gap" certificate."""
    return Found(lower.lower, upper, "interval" if lower.how == "certified" else "refused", GAP_AGREEMENT)


def _rational_partial_sums() -> Iterator[Answer]:
    """Yield m* and M* for three rational points near the angles, exactly."""
    found = planted_optimal_set(*partial_sum_dual(3), list(AMOUNTS[3]))
    certificate, stated = certify_optimal_set(found, 3), problem_to_json(found.problem)
    for name, key, known in zip(("m*", "M*"), ("smallest_support", "largest_support"), SUPPORTS[3], strict=True):
        ours = certified(getattr(found, key), key, certificate, stated)
        what = f"{name}, n = 3, rational angles near 60, 30, 0, y = ν + φ₂ + φ₃"
        yield Answer(f"K sums 3, rational, {name}", "K1", what, known, str(known), ours)


def _partial_sums(n: int) -> Iterator[Answer]:
    """Yield m* and M* of the family at its own angles, in floats, for two y."""
    circle = [(0.0, 0.0), *((math.sin(math.radians(a)), math.cos(math.radians(a))) for a in ANGLES[n])]
    v = np.diff(np.array(circle), axis=0)[::-1]
    X = v / v[:, 1:]
    tight = np.array([*circle[1:], np.subtract(circle[-1], circle[1])])
    ridge = Fraction(1, 10)
    planted = np.maximum(X @ tight.T, 0) @ AMOUNTS[n] + float(ridge) * v[:, 1]
    mixture = " + ".join(f"{c if c > 1 else ''}φ{'₁₂₃₄₅₆'[k]}" for k, c in enumerate(AMOUNTS[n]) if c)
    angles = f"n = {n}, {', '.join(map(str, ANGLES[n]))}°"
    found = _optima(X, planted, ridge)
    directions = numerical(len(found.directions), 0.0)
    yield Answer(f"K sums {n}, directions", "K1", f"tight directions, {angles}", n + 1, f"n + 1 = {n + 1}", directions)
    said = "the theory leaves y open"
    targets = (("planted", f"y = ν + {mixture}", found, said), ("ones", "y = 1", _optima(X, np.ones(n), ridge), said))
    for kind, target, optima, note in targets:
        for name, known, ours in zip(
            ("m*", "M*"), SUPPORTS[n], (optima.smallest_support, optima.largest_support), strict=True
        ):
            what = f"{name}, {angles}, {target}"
            yield Answer(
                f"K sums {n}, {kind}, {name}", "K1", what, known, str(known), numerical(ours, 0.0), note=note
            )


def _optima(X: np.ndarray, y: Sequence[float] | np.ndarray, ridge: Fraction) -> OptimalSet:
    rows = tuple(tuple(Fraction(float(entry)) for entry in row) for row in X)
    return optimal_set(Problem(rows, tuple(Fraction(float(v)) for v in y), ridge=ridge))
