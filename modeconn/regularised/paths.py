"""Paths of nets under a ridge term: between two global optima, and downhill from any net to one.

All nodes are rational u-points; consecutive ones share directions, so that fit and norms are affine in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from modeconn.errors import InputError
from modeconn.regularised.dual import dual_optimum
from modeconn.regularised.gap import ridge_gap
from modeconn.regularised.optimal_set import OptimalSet
from modeconn.regularised.slots import Arrangement, arrange, rearrange
from modeconn.regularised.walk import follow, minimise, reduce_support
from modeconn.topology import Neuron, Point, Problem, point_to_json
from modeconn.topology.bounds import objective_bounds, sqrt_above, sqrt_below
from modeconn.topology.points import dot, predictions

__all__ = ["RidgePath", "certify_path", "connect_optima", "descent_path"]


@dataclass(frozen=True)
class RidgePath:
    """A path of nets, straight between consecutive u-points.

    Attributes:
        points: the nodes.
        rise: rational bound of max {objective(b) - objective(a) : a before b}; 0 means that it never rises.
        value: rational bound of the objective at the end, from above.
    """

    points: tuple[Point, ...]
    rise: Fraction
    value: Fraction


def _feature(problem: Problem, neuron: Neuron) -> tuple[Fraction, ...]:
    """Return s relu(X u)."""
    return tuple(neuron.s * max(dot(x, neuron.u), Fraction(0)) for x in problem.X)


def _points(path: Sequence[Arrangement], neurons: Sequence[Neuron]) -> list[Point]:
    """Return the u-points of arrangements whose columns are multiples of the given neurons."""
    zero = Neuron((Fraction(0),) * len(neurons[0].u), 1)
    return [
        tuple(Neuron(tuple(amount * v for v in neurons[k].u), neurons[k].s) if amount else zero for k, amount in slots)
        for slots in path
    ]


def _ridge_path(problem: Problem, points: Sequence[Point]) -> RidgePath:
    """Return a path without repeated nodes, with its rise."""
    nodes = [points[0], *(b for a, b in pairwise(points) if a != b)]
    rise = sum((max(_end_slope(problem, a, b), Fraction(0)) for a, b in pairwise(nodes)), Fraction(0))
    return RidgePath(tuple(nodes), rise, objective_bounds(problem, nodes[-1])[1])


def _end_slope(problem: Problem, before: Point, after: Point) -> Fraction:
    """Return a bound from above of the slope of the objective at the end of a piece, the largest as it is convex."""
    growth = Fraction(0)
    for p, q in zip(before, after, strict=True):
        if p == q:
            continue
        # one root for both norms: they are multiples of each other
        unit, old, new = (q.u, Fraction(0), Fraction(1)) if p.is_zero else (p.u, Fraction(1), _ratio(p.u, q.u))
        square = dot(unit, unit)
        growth += (new - old) * (sqrt_above(square) if new > old else sqrt_below(square))
    f0, f1 = predictions(problem, before), predictions(problem, after)
    return growth * problem.ridge + sum(
        ((b - y) * (b - a) for a, b, y in zip(f0, f1, problem.y, strict=True)), Fraction(0)
    )


def _ratio(p: Sequence[Fraction], q: Sequence[Fraction]) -> Fraction:
    """Return t with q = t p."""
    return next(b / a for a, b in zip(p, q, strict=True) if a)


def descent_path(problem: Problem, start: Point, end: Point | None = None) -> RidgePath:
    """Return a path from any net to a global optimum along which the objective does not rise: n + 1 neurons suffice.

    Neurons keep their directions. (1) Amounts move with constant fit and non-increasing norm until the features in use
    are independent, at most n. (2) Together with the directions of a global optimum, the cheapest amounts for the fit
    (1-t) f_start + t f_end are followed from t = 0 to 1: their objective is convex in t and least at the end.

    Rational throughout. Where norms are irrational, or the end is an optimum up to a gap only, the rise is not exactly
    0: it is bounded by ``rise``, a rational number of the size of that gap at most.

    Cost: some tens of eliminations of size n.

    Args:
        problem: with ridge > 0 and free output weights.
        start: a net of width m >= n + 1.
        end: a global optimum; by default the one that :func:`dual_optimum` finds.

    Raises:
        InputError: the width is too small.

    Example:
        >>> from modeconn.topology import problem_from_json
        >>> problem = problem_from_json({"X": [[1], [-1]], "y": [1, 1], "ridge": "1/10"})
        >>> wrong = Neuron((Fraction(2),), -1)
        >>> path = descent_path(problem, (wrong, wrong, wrong))
        >>> round(float(path.value), 9), float(path.rise) < 1e-12
        (0.19, True)

    Reference: Haeffele and Vidal 2017; Kim, Mishkin and Pilanci 2025, Theorem 3; theory.md section 4.
    """
    goal = ridge_gap(problem, dual_optimum(problem)).net if end is None else end
    neurons = [neuron for neuron in (*start, *goal) if not neuron.is_zero]
    if not neurons:
        return _ridge_path(problem, [start])
    columns = [_feature(problem, neuron) for neuron in neurons]
    costs = [sqrt_above(dot(neuron.u, neuron.u)) for neuron in neurons]
    live = [j for j, neuron in enumerate(start) if not neuron.is_zero]
    amounts = [Fraction(k < len(live)) for k in range(len(neurons))]
    wanted = [1 - amount for amount in amounts]
    walk = reduce_support(columns, costs, amounts)
    walk += follow(columns, costs, walk[-1], wanted)[1:]
    slots = tuple((live.index(j), Fraction(1)) if j in live else (-1, Fraction(0)) for j in range(len(start)))
    return _ridge_path(problem, [start, *_points(arrange(walk, slots), neurons)])


def connect_optima(found: OptimalSet, start: Point, end: Point) -> RidgePath:
    """Return a path of global optima between two of them, for widths m >= min(m* + M*, n + 1), exactly.

    Both ends walk to one vertex of least support: to independent features, then either straight, in slots of their
    own, or along edges of the optimal polytope; then the neurons are put in order through an empty slot.

    Args:
        found: the optimal set, exact.
        start: a global optimum.
        end: another one of the same width.

    Raises:
        InputError: the set is not exact, a net is no optimum, or the width is too small.

    Example:
        >>> from modeconn.regularised import optimal_set
        >>> from modeconn.topology import problem_from_json
        >>> problem = problem_from_json({"X": [[1, 1, 1, 1], [-1, -1, -1, 1]], "y": [1, 1], "ridge": "1/10"})
        >>> found = optimal_set(problem)
        >>> zero = (Neuron((Fraction(0),) * 4, 1),)
        >>> one, two = (found.vertex_net(vertex) for vertex in found.vertices)
        >>> path = connect_optima(found, one + zero + zero, zero + two)
        >>> path.rise, path.value == found.value
        (Fraction(0, 1), True)

    Reference: claim K5.
    """
    if not found.is_exact:
        raise InputError("optimal set: expected an exact one, found floats; give a problem with a rational nu*")
    if len(start) != len(end):
        raise InputError(f"end: expected the width {len(start)} of the start, found {len(end)}")
    first, last = _to_smallest_vertex(found, start), _to_smallest_vertex(found, end)
    neurons = [Neuron(tuple(Fraction(v) for v in t.p), t.s) for t in found.directions]
    between = rearrange(first[-1], last[-1])
    points = [start, *_points([*first, *between, *reversed(last)], neurons), end]
    return _ridge_path(found.problem, points)


def _to_smallest_vertex(found: OptimalSet, net: Point) -> list[Arrangement]:
    """Return a path from an optimal net to a vertex of least support, in terms of the tight directions."""
    slots = [_direction(found, neuron) for neuron in net]
    live = [j for j, slot in enumerate(slots) if slot[1]]
    vertex = min(found.vertices, key=lambda v: len(v.support))
    kinds = [slots[j][0] for j in live] + list(vertex.support)  # a column for each neuron, and for the vertex
    columns = [[Fraction(v) for v in found.directions[k].feature] for k in kinds]
    goal = [Fraction(0)] * len(live) + [Fraction(v) for v in vertex.amounts]
    amounts = [slots[j][1] for j in live] + [Fraction(0)] * len(vertex.support)
    if not kinds:
        return [tuple(slots)]
    walk = reduce_support(columns, [Fraction(1)] * len(kinds), amounts)
    if sum(map(bool, walk[-1])) + len(vertex.support) <= len(net):
        walk.append(tuple(goal))
    else:
        walk += minimise(columns, [Fraction(k < len(live)) for k in range(len(kinds))], walk[-1])[1:]
    numbered = tuple((live.index(j), slots[j][1]) if j in live else (-1, Fraction(0)) for j in range(len(net)))
    return [tuple((kinds[k] if v else -1, v) for k, v in slots) for slots in arrange(walk, numbered)]


def _direction(found: OptimalSet, neuron: Neuron) -> tuple[int, Fraction]:
    """Return the tight direction and the amount of a neuron of an optimal net."""
    if neuron.is_zero:
        return -1, Fraction(0)
    for k, tight in enumerate(found.directions):
        if tight.s == neuron.s:
            at = next(i for i, v in enumerate(neuron.u) if v)
            amount = neuron.u[at] / Fraction(tight.p[at]) if tight.p[at] else Fraction(0)
            if amount > 0 and all(u == amount * Fraction(v) for u, v in zip(neuron.u, tight.p, strict=True)):
                return k, amount
    raise InputError("net: expected neurons on tight directions, found another; give a global optimum")


def certify_path(path: RidgePath) -> dict[str, Any]:
    """Return a "ridge-descent" certificate of a path: it rises by at most ``rise`` and ends at most at ``value``."""
    statement = {
        "width": len(path.points[0]),
        "start": point_to_json(path.points[0]),
        "end": point_to_json(path.points[-1]),
        "value": str(path.value),
        "rise": str(path.rise),
    }
    evidence = {"points": [point_to_json(point) for point in path.points]}
    return {"format": "modeconn.certificate/1", "kind": "ridge-descent", "statement": statement, "evidence": evidence}
