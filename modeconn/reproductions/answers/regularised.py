"""Known answers about ridge-regularised optima: the three-component problem and the partial-sum families."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

import numpy as np

from modeconn.regularised import (
    OptimalSet,
    RidgeStair,
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

AMOUNTS = {3: (0, 1, 0, 1), 5: (1, 1, 0, 2, 0, 1)}
"""n -> amounts in a y with these supports of the tight features at s_1, ..., s_n and s_n - s_1."""


def regularised_answers(seed: int) -> Iterator[Answer]:
    """Yield the answers of section 4."""
    for beta in BETAS:
        yield from _three_components(beta)
    yield from _rational_partial_sums()
    for n in ANGLES:
        yield from _partial_sums(n)


def _three_components(beta: Fraction) -> Iterator[Answer]:
    """Yield value and barrier of the problem with rows (+-sqrt 3, 1), y = (1, 1); at the first beta its counts too."""
    problem, b, at = three_component_problem(beta), float(beta), f"β = {beta}"
    stated, found = problem_to_json(problem), optimal_set(problem)
    value = beta - beta**2 / 4
    ours = certified(Fraction(found.value), "value", certify_optimal_set(found, 2), stated)
    yield Answer(f"K √3 value, {at}", "K1", f"optimal value, rows (±√3, 1), {at}", value, "β - β²/4", ours)
    gap = ridge_gap(problem)
    bounds = _certified_gap(certified(gap.lower, "lower", certify_gap(gap), stated), gap.upper)
    yield Answer(f"N4 √3 gap, {at}", "N4", f"its interval, duality gap, {at}", value, "β - β²/4", bounds)
    stairs = {stair.width: stair for stair in ridge_staircase(problem, COMPONENTS, found)}
    height = ((2 / math.sqrt(3) - 1) * b - b * b / 12) / 2
    ours = interval(*stairs[2].barrier, tolerance=BARRIER_AGREEMENT)
    yield Answer(f"K √3 barrier, {at}", "K1", f"barrier, rows (±√3, 1), m = 2, {at}", height, f"B({beta})", ours)
    if beta == BETAS[0]:
        yield from _counts(found, stairs)


def _counts(found: OptimalSet, stairs: Mapping[int, RidgeStair]) -> Iterator[Answer]:
    """Yield m*, M*, the components of each width, counted twice, and the width of connection."""
    stated, rows = problem_to_json(found.problem), "rows (±√3, 1)"
    for name, key, known in (("m*", "smallest_support", 1), ("M*", "largest_support", 2)):
        ours = certified(getattr(found, key), key, certify_optimal_set(found, 2), stated)
        yield Answer(f"K √3 {name}", "K1", f"{name}, {rows}", known, str(known), ours)
    for m, known in COMPONENTS.items():
        certificate = certify_optimal_set(found, m)
        polytope = certified(stairs[m].predicted.components, "components", certificate, stated)
        what = f"components, {rows}, m = {m}"
        yield Answer(f"K √3 polytope, m = {m}", "K1", f"{what}, by polytope", known, str(known), polytope)
        graph = interval(*stairs[m].count, tolerance=0.0)
        yield Answer(f"N4 √3 cells, m = {m}", "N4", f"{what}, by graph of cells", known, str(known), graph)
        if m == 2:
            isolated = certified(stairs[m].predicted.isolated, "isolated", certificate, stated)
            yield Answer("K √3 isolated, m = 2", "K3", f"isolated points, {rows}, m = 2", 2, "2", isolated)
    width = exact(connection_width(found))
    yield Answer("K √3 width", "K5", f"{rows}: connected from width", 3, "min(m* + M*, n + 1) = 3", width)


def _certified_gap(lower: Found, upper: Fraction) -> Found:
    """Return the interval of an accepted "ridge-gap" certificate."""
    return Found(lower.lower, upper, "interval" if lower.how == "certified" else "refused", GAP_AGREEMENT)


def _rational_partial_sums() -> Iterator[Answer]:
    """Yield m* and M* for three rational points near the angles, exactly; s_3 - s_1 comes third among its features."""
    found = planted_optimal_set(*partial_sum_dual(3), [AMOUNTS[3][k] for k in (0, 1, 3, 2)])
    certificate, stated = certify_optimal_set(found, 3), problem_to_json(found.problem)
    for name, key, known in zip(("m*", "M*"), ("smallest_support", "largest_support"), SUPPORTS[3], strict=True):
        ours = certified(getattr(found, key), key, certificate, stated)
        what = f"{name}, n = 3, rational, near 60, 30, 0°, y = ν + φ₂ + φ₄"
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
    said = "the theory gives m* and M* and leaves y open"
    targets = (
        ("planted", f"y = ν + {mixture}", found, said),
        ("ones", "y = (1, ..., 1)", _optima(X, np.ones(n), ridge), said),
    )
    for kind, target, optima, note in targets:
        supports = optima.smallest_support, optima.largest_support
        for name, known, support in zip(("m*", "M*"), SUPPORTS[n], supports, strict=True):
            ours, what = numerical(support, 0.0), f"{name}, {angles}, {target}"
            yield Answer(f"K sums {n}, {kind}, {name}", "K1", what, known, str(known), ours, note=note)


def _optima(X: np.ndarray, y: Sequence[float] | np.ndarray, ridge: Fraction) -> OptimalSet:
    rows = tuple(tuple(Fraction(float(entry)) for entry in row) for row in X)
    return optimal_set(Problem(rows, tuple(Fraction(float(v)) for v in y), ridge=ridge))
