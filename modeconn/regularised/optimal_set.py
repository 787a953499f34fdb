"""The set of global optima of a ridge problem: tight directions, features, and the optimal polytope.

A net attains the optimum iff f = y* = y - nu* and every neuron is 0 or on a *tight direction*: a unit u and a sign s
with s nu* . relu(X u) = beta. On each cell that is one direction at most, so there are finitely many, and the optima
are the points of P* = {c >= 0 : sum_k c_k phi_k = y*}, phi_k = s_k relu(X u_k), spread over the slots of the net.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from modeconn.errors import InputError
from modeconn.regularised.constraint import DualConstraint, Slope
from modeconn.regularised.dual import DualOptimum, dual_optimum
from modeconn.regularised.gap import slopes_to_json
from modeconn.regularised.polytope import Number, Vertex, float_vertices, vertices
from modeconn.topology import Neuron, Point, Problem
from modeconn.topology.points import dot

__all__ = ["OptimalSet", "TightDirection", "exact_optimal_set", "optimal_set"]

TIGHT = 1e-8
"""In floats a direction is tight when it reaches this near to beta, relatively; see :attr:`OptimalSet.margin`."""

DENOMINATOR = 10**6
"""A dual optimum with denominators up to this is recognised, and everything is exact."""


@dataclass(frozen=True)
class TightDirection:
    """A tight direction p (of length beta, not 1: so it is rational when nu* is), its sign and its feature.

    Attributes:
        p: beta u (d,).
        s: output sign.
        feature: s relu(X p) (n,).
    """

    p: tuple[Number, ...]
    s: int
    feature: tuple[Number, ...]


@dataclass(frozen=True)
class OptimalSet:
    """All global optima of a ridge problem.

    Attributes:
        problem: the problem.
        nu: dual optimum (n,).
        value: optimal value.
        directions: the tight directions.
        vertices: those of P*, amounts c_k with u = c_k p_k.
        is_exact: all numbers are rational and nothing was rounded.
        margin: in floats, how much shorter than beta the longest slope that is not tight is, relatively; what is
            called tight is within 1e-8. ``None`` if exact.
        slopes: the exact projections behind it, empty unless exact.
    """

    problem: Problem
    nu: tuple[Number, ...]
    value: Number
    directions: tuple[TightDirection, ...]
    vertices: tuple[Vertex, ...]
    is_exact: bool
    margin: float | None
    slopes: tuple[Slope, ...]

    @property
    def smallest_support(self) -> int:
        """m*: the fewest neurons of a global optimum."""
        return min(len(vertex.support) for vertex in self.vertices)

    @property
    def largest_support(self) -> int:
        """M*: the most neurons of an irreducible optimum, one whose features are linearly independent."""
        return max(len(vertex.support) for vertex in self.vertices)

    @property
    def fit(self) -> tuple[Number, ...]:
        """y* = y - nu*: the predictions that all optima share."""
        return tuple(y - v for y, v in zip(self.problem.y, self.nu, strict=True))

    def net(self, amounts: dict[int, Number]) -> Point:
        """Return the net with u = c_k p_k for the given directions, as a u-point; floats are taken as they are."""
        return tuple(
            Neuron(tuple(Fraction(amount) * Fraction(v) for v in self.directions[k].p), self.directions[k].s)
            for k, amount in amounts.items()
        )

    def vertex_net(self, vertex: Vertex) -> Point:
        """Return the irreducible net of a vertex, one neuron for each feature."""
        return self.net(dict(zip(vertex.support, vertex.amounts, strict=True)))


def optimal_set(problem: Problem, optimum: DualOptimum | None = None) -> OptimalSet:
    """Return the global optima of a ridge problem: exactly if the dual optimum is rational with short denominators.

    Otherwise in floats: ties are told apart at 1e-8, and ``margin`` says how clear-cut that was. A generic problem has
    one vertex, m* = M* of its neurons; polytopes with more come from ties, which data in floats cannot decide.

    Cost: that of :func:`dual_optimum`, and one elimination for every set of up to rank(Phi) tight features.

    Args:
        problem: with ridge > 0 and free output weights.
        optimum: its dual optimum, if there already.

    Raises:
        InputError: another problem, so many tight directions that their sets cannot be enumerated, or numbers so far
            apart that floats do not reach the dual optimum.

    Example:
        >>> from modeconn.topology import problem_from_json
        >>> problem = problem_from_json({"X": [[1, 1, 1, 1], [-1, -1, -1, 1]], "y": [1, 1], "ridge": "1/10"})
        >>> found = optimal_set(problem)   # the rows (+-sqrt 3, 1), turned into rational ones of four entries
        >>> found.is_exact, found.smallest_support, found.largest_support, found.value   # beta - beta^2 / 4
        (True, 1, 2, Fraction(39, 400))

    Reference: Kim, Mishkin and Pilanci 2025 (optimal polytope, Theorem 1); claims K1 to K5.
    """
    found = dual_optimum(problem) if optimum is None else optimum
    guess = tuple(Fraction(float(v)).limit_denominator(DENOMINATOR) for v in found.nu)
    if np.allclose([float(v) for v in guess], found.nu, rtol=0, atol=1e-9 * max(1.0, float(np.abs(found.nu).max()))):
        exact = _try_exact(problem, guess, found.constraint)
        if exact is not None:
            return exact
    return _float_optimal_set(problem, found)


def exact_optimal_set(problem: Problem, nu: Sequence[Fraction], constraint: DualConstraint | None = None) -> OptimalSet:
    """Return the global optima from the rational dual optimum, exactly.

    Raises:
        InputError: nu is not the dual optimum of the problem.
    """
    cells = DualConstraint(problem.X) if constraint is None else constraint
    found = _try_exact(problem, tuple(nu), cells)
    if found is None:
        raise InputError("nu: expected the dual optimum of the problem, found another point; leave it out to search")
    return found


def _try_exact(problem: Problem, nu: tuple[Fraction, ...], cells: DualConstraint) -> OptimalSet | None:
    """Return the optimal set if nu is exactly the dual optimum, else ``None``."""
    if cells.largest(np.array([float(v) for v in nu])) > float(problem.ridge) * (1 + 1e-9):
        return None
    slopes = cells.slopes(nu)
    if any(slope.square > problem.ridge**2 for slope in slopes):
        return None
    tight: dict[tuple[Any, int], TightDirection] = {}
    features: dict[tuple[Any, int], tuple[Fraction, ...]] = {}
    for slope in slopes:
        if slope.square == problem.ridge**2:
            s = slope.kind.s
            feature = tuple(s * max(dot(row, slope.p), Fraction(0)) for row in problem.X)
            tight[slope.p, s] = TightDirection(slope.p, s, feature)
            features[slope.p, s] = feature
    directions = tuple(tight.values())
    corners = vertices(list(features.values()), [y - v for y, v in zip(problem.y, nu, strict=True)])
    if not corners:
        return None
    value = dot(nu, problem.y) - dot(nu, nu) / 2
    return OptimalSet(problem, nu, value, directions, corners, True, None, tuple(slopes))


def _float_optimal_set(problem: Problem, found: DualOptimum) -> OptimalSet:
    """Return the optimal set as floats show it."""
    if found.violation > TIGHT:
        raise InputError(
            f"optimal set: the dual optimum in floats violates its constraint by {found.violation:.2g} of beta, too "
            f"much to tell tight directions (limit {TIGHT:g}); rescale X, y or ridge"
        )
    beta, cells = float(problem.ridge), found.constraint
    X = np.array([[float(v) for v in row] for row in problem.X])
    y = np.array([float(v) for v in problem.y])
    p = cells.projections(found.nu)
    short = 1 - np.linalg.norm(p, axis=1) / beta
    directions: list[TightDirection] = []
    for k in np.flatnonzero(short <= TIGHT).tolist():
        s = cells.kinds[k].s
        if any(t.s == s and np.linalg.norm(p[k] - t.p) <= 1e-6 * beta for t in directions):
            continue
        directions.append(TightDirection(tuple(p[k].tolist()), s, tuple((s * np.maximum(X @ p[k], 0)).tolist())))
    features = np.array([t.feature for t in directions]).reshape(-1, len(y))
    fit = y - found.nu
    corners = float_vertices(features, np.where(np.linalg.norm(fit) <= TIGHT * np.linalg.norm(y), 0.0, fit), 1e-7)
    if not corners:
        raise InputError(
            "optimal set: floats show no combination of tight features that fits; the problem is too ill-conditioned, "
            "rescale X, y or ridge"
        )
    loose = short[short > TIGHT]
    value = float(found.nu @ y - found.nu @ found.nu / 2)
    nu = tuple(found.nu.tolist())
    return OptimalSet(problem, nu, value, tuple(directions), corners, False, float(loose.min(initial=1.0)), ())


def certify_optimal_set(found: OptimalSet, width: int) -> dict[str, Any]:
    """Return a "ridge-optimal-set" certificate of the components at one width, for the checker.

    Raises:
        InputError: the optimal set is not exact.
    """
    from modeconn.regularised.components import optimal_components

    if not found.is_exact:
        raise InputError("certificate: expected an exact optimal set, found floats; give a problem with rational nu*")
    count = optimal_components(found, width)
    statement = {
        "width": width,
        "value": str(found.value),
        "smallest_support": found.smallest_support,
        "largest_support": found.largest_support,
        "components": count.components,
        "isolated": count.isolated,
    }
    evidence = {"nu": [str(v) for v in found.nu], "slopes": slopes_to_json(found.slopes)}
    return {
        "format": "modeconn.certificate/1",
        "kind": "ridge-optimal-set",
        "statement": statement,
        "evidence": evidence,
    }
