"""Problems whose global optima are known exactly: planted from a rational dual point, so that ties are true ties.

A problem with data (X, y) depends on X only through the inner products of its rows. So rows with sqrt 3 in them are
turned into rational ones of more entries: (a sqrt 3, b) becomes (a, a, a, b), of the same length and angles.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from modeconn.cells.rational import as_fraction
from modeconn.errors import InputError
from modeconn.regularised.constraint import DualConstraint
from modeconn.regularised.optimal_set import OptimalSet, exact_optimal_set
from modeconn.topology import Problem
from modeconn.topology.bounds import sqrt_above
from modeconn.topology.points import dot

__all__ = ["orthant_dual", "partial_sum_dual", "partial_sum_points", "planted_optimal_set", "three_component_problem"]

Vector = tuple[Fraction, ...]


def three_component_problem(ridge: Fraction | str) -> Problem:
    """Return X = [[-sqrt 3, 1], [sqrt 3, 1]], y = (1, 1) as a rational problem (four inputs, the same angles).

    For 0 < beta < 2: m* = 1, M* = 2, optimal value beta - beta^2 / 4, and 1, 3, 1 components at m = 1, 2, 3; the
    barrier at m = 2 is 1/2 [(2/sqrt 3 - 1) beta - beta^2 / 12] above the optimum.

    Reference: Kim, Mishkin and Pilanci 2025, Example 1; theory.md section 4.
    """
    one = Fraction(1)
    return Problem(((-one, -one, -one, one), (one, one, one, one)), (one, one), ridge=as_fraction(ridge, "ridge"))


def partial_sum_points(n: int, bits: int = 3) -> list[tuple[Fraction, Fraction]]:
    """Return n rational (a, b) with 3 a^2 + b^2 = 1, from (1/2, 1/2) to (0, 1): points (a sqrt 3, b) of the unit
    circle, at angles of about 60, ..., 0 degrees in equal steps from the vertical (first and last exactly).

    Example:
        >>> [(str(a), str(b)) for a, b in partial_sum_points(3)]
        [('1/2', '1/2'), ('4/13', '11/13'), ('0', '1')]
    """
    if n < 2:
        raise InputError(f"partial sums: expected at least two points, found {n}")
    # 3 a^2 + b^2 = 1 from (0, 1): a = 2 t / (3 + t^2), b = (3 - t^2) / (3 + t^2); t = 1 is (1/2, 1/2)
    points = []
    for k in range(n):
        t = Fraction(round((n - 1 - k) * 2**bits / (n - 1)), 2**bits)
        points.append((2 * t / (3 + t * t), (3 - t * t) / (3 + t * t)))
    if any(p == q for p, q in pairwise(points)):
        raise InputError(f"partial sums: {n} points with {bits} bits coincide; raise bits")
    return points


def partial_sum_dual(n: int, bits: int = 3) -> tuple[tuple[Vector, ...], Vector]:
    """Return (X, nu) of the partial-sum family: n rows, n + 1 tight directions, beta = 1.

    With s_k the points, s_0 = 0: v_{n-k+1} = s_k - s_{k-1}, rows v_i / v_i2, nu_i = v_i2. A direction u active on a run
    of rows has slope a difference of two points; of length 1 are s_1, ..., s_n and s_n - s_1, 60 degrees apart.

    Reference: theory.md section 4.
    """
    points = [(Fraction(0), Fraction(0)), *partial_sum_points(n, bits)]
    steps = [(q[0] - p[0], q[1] - p[1]) for p, q in pairwise(points)][::-1]
    rows = tuple((a / b, a / b, a / b, Fraction(1)) for a, b in steps)
    return rows, tuple(b for _, b in steps)


def orthant_dual(lengths: Sequence[int | Fraction]) -> tuple[tuple[Vector, ...], Vector]:
    """Return (X, nu) with rows +-e_i and nu = g_i on both: the 2^d corners (+-g_1, ..., +-g_d) are the tight slopes.

    The features satisfy phi(corner) + phi(opposite corner) = const: vertices of disjoint supports.

    Args:
        lengths: g (d,), positive, with |g|_2 rational.
    """
    d = len(lengths)
    rows = []
    for i in range(d):
        rows += [tuple(Fraction(sign * (k == i)) for k in range(d)) for sign in (1, -1)]
    return tuple(rows), tuple(Fraction(g) for g in lengths for _ in range(2))


def planted_optimal_set(
    X: Sequence[Vector], nu: Sequence[Fraction], amounts: Sequence[Fraction | int], scale: Fraction | None = None
) -> OptimalSet:
    """Return the exact optimal set of y = nu + sum_k c_k phi_k over the tight features phi_k of nu, in their order.

    nu is scaled so that beta = max_{|u| <= 1} |nu . relu(X u)| = ``scale``, which then is the problem's ridge.

    Args:
        X: rational rows (n, d).
        nu: dual point (n,), not 0.
        amounts: c_k >= 0; those left out are 0.
        scale: beta; by default the value that nu has.

    Raises:
        InputError: beta is irrational, or there are more amounts than tight features.

    Example:
        >>> found = planted_optimal_set(*orthant_dual([3, 4]), [1, 0, 0, 1])
        >>> found.problem.ridge, [v.support for v in found.vertices]
        (Fraction(5, 1), [(0, 3), (1, 2)])
    """
    cells = DualConstraint(X)
    square = max((slope.square for slope in cells.slopes(nu)), default=Fraction(0))
    beta = sqrt_above(square)
    if beta == 0 or beta**2 != square:
        raise InputError(f"nu: expected a rational length of the longest slope, found the square root of {square}")
    factor = Fraction(1) if scale is None else scale / beta
    dual = tuple(factor * v for v in nu)
    slopes = [slope for slope in cells.slopes(dual) if slope.square == (factor * beta) ** 2]
    tight = list(dict.fromkeys((slope.p, slope.kind.s) for slope in slopes))
    if len(amounts) > len(tight):
        raise InputError(f"amounts: expected at most {len(tight)} (tight features), found {len(amounts)}")
    y = list(dual)
    for (p, s), amount in zip(tight, amounts, strict=False):
        y = [v + Fraction(amount) * s * max(dot(row, p), Fraction(0)) for v, row in zip(y, X, strict=True)]
    return exact_optimal_set(Problem(tuple(X), tuple(y), ridge=factor * beta), dual, cells)
