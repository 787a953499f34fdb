"""Lower bounds of radii: no net that is sampled beats them, and explicit nets come near."""

from fractions import Fraction
from itertools import product
from math import floor, isqrt

import numpy as np
import pytest
from scipy.optimize import linprog
from wide_certificates import TINY, certificate
from wide_radius_certificates import least_radius

from proofs_check.checker import check_certificate
from proofs_check.exact.cell_arrangement import arrangement
from proofs_check.exact.roots import compare_with_sum_of_roots

NORMS = list(product(("spectral", "linf"), repeat=2))
EQUILATERAL = [["1", "0"], ["-1/2", "0.866025403784438"], ["-1/2", "-0.866025403784438"]]
"""Three rows at 120 degrees, of length 1 and a tiny bit less."""


def patterns_of(X):
    return arrangement([[Fraction(v) for v in row] for row in X]).patterns


def stated(X, inner, outer, width, level, bound, nu, mus, matrix):
    """A certificate; mus[k] belongs to type k in the order of patterns and signs 1, -1."""
    kinds = [(pattern, s) for pattern in patterns_of(X) for s in (1, -1)]
    types = [
        {"pattern": list(pattern), "sign": s, "mu": [str(v) for v in mu]}
        for (pattern, s), mu in zip(kinds, mus, strict=True)
    ]
    evidence = {"nu": [str(v) for v in nu], "types": types}
    if inner == "spectral":
        evidence["lambda"] = [[str(v) for v in row] for row in matrix]
    statement = {"W": inner, "A": outer, "width": width, "level": str(level), "radius_product_lower": str(bound)}
    return certificate("least-radius", statement, evidence)


@pytest.mark.parametrize(("y", "root"), [(["1", "1.1", "1.3"], "2.4041630"), (["1", "1", "1"], "2.1213203")])
def test_three_rows_at_120_degrees(y, root):
    """Oracle: theory.md W1, the least squared spectral radius is sum(y) / sqrt(2); with equal targets a net is near."""
    nu = ["0.70710678"] * 3
    zeros = [["0"] * 3] * 12
    half = [["1/2", "0"], ["0", "1/2"]]
    problem = {"X": EQUILATERAL, "y": y}
    found = stated(EQUILATERAL, "spectral", "spectral", None, 0, root, nu, zeros, half)
    answer = check_certificate(found, problem)
    assert answer.accepted, answer.reason
    above = str(Fraction(root) + Fraction(1, 10**6))
    assert not check_certificate(
        {**found, "statement": {**found["statement"], "radius_product_lower": above}}, problem
    ).accepted
    if len(set(y)) == 1:
        rows = [[Fraction(v) for v in row] for row in EQUILATERAL]
        parts = [[v / sum(v * v for v in row) for v in row] for row in rows]
        neurons = [[[str(v) for v in u], "0.70710678", 1] for u in parts]
        for radius, accepted in (("1.456476", True), ("1.456475", False)):  # 2.1213203 = 1.45647528^2
            region = {"norm": "spectral", "radius": radius}
            net = certificate("attained", {"width": 3, "level": "0"}, {"neurons": neurons})
            assert check_certificate(net, {**problem, "region": region}).accepted == accepted


def random_data(rng):
    """Data with small integers: zero rows, parallel rows, and X of less than full column rank occur."""
    n, d = int(rng.integers(1, 6)), int(rng.integers(1, 4))
    X = rng.integers(-2, 3, size=(n, d))
    if d > 1 and rng.random() < 0.4:
        X[:, -1] = X[:, 0]
    if n > 1 and rng.random() < 0.3:
        X[0] = -2 * X[-1]
    return X


def bound_of(nu, y, level, share):
    """A rational at most (nu.y - |nu| sqrt(2 level)) / share, nearly equal, by floats."""
    value = float(sum(a * b for a, b in zip(nu, y, strict=True))) - float(2 * level * sum(v * v for v in nu)) ** 0.5
    return Fraction(floor(value / share * 10**9 - 1), 10**9)


@pytest.mark.parametrize(("inner", "outer"), NORMS)
def test_no_net_beats_a_bound_that_is_accepted(inner, outer):
    """Oracle: nets drawn at random, the targets their own outputs plus an error: loss at most the level by design.

    Multipliers are drawn too and scaled to size 1, so that many bounds are loose and some are not; X of less than full
    rank, with weights outside its row space, included.
    """
    rng = np.random.default_rng([NORMS.index((inner, outer)), 7])
    accepted, close = 0, 0.0
    for _ in range(150):
        X = random_data(rng)
        (n, d), m = X.shape, int(rng.integers(1, 5))
        W = rng.integers(-8, 9, size=(d, m))
        if rng.random() < 0.5:
            W = np.repeat(W[:, :1], m, axis=1)
        alpha = rng.integers(-4, 5, size=m) if rng.random() < 0.5 else np.full(m, int(rng.integers(1, 4)))
        f = np.maximum(X @ W, 0) @ alpha
        error = rng.integers(-1, 2, size=n) * int(rng.random() < 0.5)
        y, level = [int(v) for v in f + error], Fraction(int(error @ error), 2)
        patterns = patterns_of(X.tolist())
        nu = [Fraction(int(v)) for v in (f if rng.random() < 0.7 else rng.integers(-3, 4, size=n))]
        mus = [[Fraction(int(v), 8) for v in rng.integers(0, 3, size=n)] for _ in range(2 * len(patterns))]
        if rng.random() < 0.5:
            mus = [[Fraction(0)] * n for _ in mus]
        root = np.tril(rng.integers(-2, 3, size=(d, d)), -1) + np.diag(rng.integers(1, 4, size=d))
        matrix = root @ root.T
        sizes = []
        for (pattern, s), mu in zip(product(patterns, (1, -1)), mus, strict=True):
            sign = np.array(pattern)
            g = X.T @ (s * (sign > 0) * np.array(nu, float) + sign * np.array(mu, float))
            sizes.append(
                float(g @ np.linalg.solve(matrix / np.trace(matrix), g)) ** 0.5
                if inner == "spectral"
                else np.abs(g).sum()
            )
        scale = Fraction(max(sizes) * (1 + 1e-9) + 1e-9)
        nu = [v / scale for v in nu]
        mus = [[v / scale for v in mu] for mu in mus]
        trace = int(np.trace(matrix))
        entries = [[Fraction(int(v), trace) for v in row] for row in matrix]
        boxes = (inner, outer).count("linf")
        bound = bound_of(nu, y, level, m ** (boxes / 2))
        if bound <= 0:
            continue
        problem = {"X": X.tolist(), "y": y}
        found = stated(X.tolist(), inner, outer, m, level, bound, nu, mus, entries)
        answer = check_certificate(found, problem)
        assert answer.accepted, answer.reason
        accepted += 1
        r_w = np.linalg.norm(W, 2) if inner == "spectral" else np.abs(W).max()
        r_a = np.linalg.norm(alpha) if outer == "spectral" else np.abs(alpha).max()
        assert r_w * r_a >= float(bound) * (1 - 1e-12)
        close = max(close, float(bound) / float(r_w * r_a))
        too_much = {**found["statement"], "radius_product_lower": str(bound + Fraction(1, 10**6))}
        assert not check_certificate({**found, "statement": too_much}, problem).accepted
    assert accepted >= 30
    assert close > 0.95  # otherwise a bound too large by a few per cent would pass unseen


def least_gauge(X, y, with_mu=True):
    """The dual program of boxes, largest nu.y with |g|_1 <= 1 for every type: value, nu and the multipliers."""
    X, y = np.array(X, float), np.array(y, float)
    n, d = X.shape
    kinds = list(product(patterns_of(X.astype(int).tolist()), (1, -1)))
    size = n + len(kinds) * (n + d)
    rows, right = [], []
    for k, (pattern, s) in enumerate(kinds):
        at = n + k * (n + d)
        sign = np.array(pattern)
        for j in range(d):
            for way in (1, -1):
                row = np.zeros(size)
                row[:n] = way * s * X[:, j] * (sign > 0)
                row[at : at + n] = way * X[:, j] * sign
                row[at + n + j] = -1
                rows.append(row)
                right.append(0.0)
        row = np.zeros(size)
        row[at + n : at + n + d] = 1
        rows.append(row)
        right.append(1.0)
    limits = [(None, None)] * n + ([(0, None if with_mu else 0)] * n + [(None, None)] * d) * len(kinds)
    found = linprog(-np.concatenate([y, np.zeros(size - n)]), np.array(rows), right, bounds=limits)
    mus = [found.x[n + k * (n + d) :][:n] for k in range(len(kinds))]
    return -found.fun, found.x[:n], mus


def test_box_bound_is_met_by_a_net_and_needs_the_multipliers_mu():
    """Oracle: duality of linear programs, primal net by another program; the bound with mu = 0 is well below."""
    X, y = [[2, 1], [-1, 2], [1, -2], [1, 1]], [3, 1, -1, 2]
    value, nu, mus = least_gauge(X, y)
    loose, *_ = least_gauge(X, y, with_mu=False)
    assert (value, loose) == (pytest.approx(7 / 5), pytest.approx(4 / 3))
    shrink = Fraction(1, 10**6)

    def short(v):
        return Fraction(float(v)).limit_denominator(10**9)

    nu, mus = ([short(v) * (1 - shrink) for v in nu], [[max(short(v), 0) * (1 - shrink) for v in mu] for mu in mus])
    width = 400
    low = Fraction(value * (1 - 1e-5)) / width
    problem = {"X": X, "y": y}
    found = stated(X, "linf", "linf", width, 0, low, nu, mus, None)
    assert check_certificate(found, problem).accepted
    without = stated(X, "linf", "linf", width, 0, low, nu, [[0] * 4 for _ in mus], None)
    assert not check_certificate(without, problem).accepted

    matrix, n, d = np.array(X, float), 4, 2
    kinds = list(product(patterns_of(X), (1, -1)))
    size = len(kinds) * (d + 1)
    equal = np.zeros((n, size))
    rows = []
    for k, (pattern, s) in enumerate(kinds):
        sign = np.array(pattern)
        at = k * (d + 1)
        equal[:, at : at + d] = s * (sign > 0)[:, None] * matrix
        for i in range(n):
            rows.append(np.zeros(size))
            rows[-1][at : at + d] = -sign[i] * matrix[i]
        for j, way in product(range(d), (1, -1)):
            rows.append(np.zeros(size))
            rows[-1][at + j], rows[-1][at + d] = way, -1
    cost = np.tile([0.0] * d + [1.0], len(kinds))
    primal = linprog(cost, np.array(rows), np.zeros(len(rows)), equal, y, bounds=[(None, None)] * size)
    assert primal.fun == pytest.approx(value, rel=1e-7)
    product_of_radii = Fraction(primal.fun * 1.02) / width
    neurons = []
    for k, (_, s) in enumerate(kinds):
        u, gauge = primal.x[k * (d + 1) :][:d], primal.x[k * (d + 1) + d]
        count = int(np.ceil(gauge * (1 + 1e-9) / float(product_of_radii))) if gauge > 1e-9 else 0
        if count:
            neurons += [[[str(short(v / count)) for v in u], str(product_of_radii), s]] * count
    assert len(neurons) <= width
    radius = Fraction(isqrt(floor(product_of_radii * 10**24)) + 1, 10**12)
    region = {"norm": "linf", "radius": str(radius)}
    net = certificate("attained", {"width": width, "level": "1e-9"}, {"neurons": neurons})
    answer = check_certificate(net, {**problem, "region": region})
    assert answer.accepted, answer.reason
    assert low < radius**2 < low * Fraction(103, 100)


def test_irrational_comparison_at_equality():
    """Oracle: closed form; a >= sqrt(p) + sqrt(q) at squares, at irrational sums, at zeros and signs."""
    for a, p, q, expected in (
        (5, 4, 9, True),
        (5 - TINY, 4, 9, False),
        (3, 2, 2, True),
        (Fraction("2.8284271247461900"), 2, 2, False),
        (Fraction("2.8284271247461901"), 2, 2, True),
        (0, 0, 0, True),
        (-1, 0, 0, False),
        (-5, 4, 9, False),
        (0, 0, TINY, False),
        (2, 4, 0, True),
        (1, 4, 0, False),
    ):
        assert (compare_with_sum_of_roots(Fraction(a), Fraction(p), Fraction(q)) >= 0) == expected


def test_the_width_counts_as_the_norms_say():
    """Oracle: closed form, k = 1, sqrt(m), m; a larger bound by a tiny bit is rejected (bound 9/5 in all)."""
    for (inner, outer), width, k in (
        (("spectral", "spectral"), 7, 1),
        (("spectral", "linf"), 4, 2),
        (("linf", "spectral"), 9, 3),
        (("linf", "linf"), 5, 5),
    ):
        found, problem, _ = least_radius(inner, outer, width)
        for more, accepted in ((0, True), (TINY, False)):
            bound = str(Fraction(9, 5) / k + more)
            changed = {**found, "statement": {**found["statement"], "radius_product_lower": bound}}
            assert check_certificate(changed, problem).accepted == accepted


def test_too_many_cones_are_not_taken_on():
    """Oracle: the limit; five lines in the plane have 10 cones, 20 types."""
    X = [[1, k] for k in range(5)]
    found = stated(X, "linf", "linf", 1, 0, "1/100", ["1/100"] * 5, [["0"] * 5] * 20, None)
    problem = {"X": X, "y": [1] * 5}
    assert check_certificate(found, problem, max_cells=20).accepted
    assert not check_certificate(found, problem, max_cells=19).accepted
