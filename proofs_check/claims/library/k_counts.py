"""Components of the set of global optima, counted twice: by an accepted certificate, and by the graph of cells.

The certificate rests on the optimal polytope. The graph of cells, with cone programs and intervals, knows nothing of
polytopes or duality: that the two agree is part of every margin.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

from modeconn.regularised import (
    OptimalSet,
    certify_optimal_set,
    certify_path,
    connect_optima,
    optimal_components,
)
from modeconn.topology import Point, enclosed_level_set, predict_cells, problem_from_json, problem_to_json
from proofs_check.claims.claim import Instance, Outcome
from proofs_check.claims.library.k_problems import optima_of
from proofs_check.claims.library.narrow_cases import accept, pad

__all__ = ["Counts", "accept_paths", "count_check", "counts_at", "divided"]

MAX_GRAPH = 130
"""Largest number of cells that the second count takes on inside a claim."""


class Counts(NamedTuple):
    """Numbers at one width.

    Attributes:
        components: of the set of global optima of this width.
        isolated: those that are a point.
        distance: how far the count by the graph of cells is from that; 0 where the graph is too large.
        is_counted_twice: the graph was not too large, and its intervals did not leave the count open.
    """

    components: int
    isolated: int
    distance: int
    is_counted_twice: bool


def counts_at(found: OptimalSet, width: int) -> Counts:
    """Return the components at a width, after the checker accepted them; widths below m* have none.

    Raises:
        Rejected: the checker did not accept the certificate.
    """
    if width < 1:
        return Counts(0, 0, 0, False)
    accept(certify_optimal_set(found, width), found.problem)
    count = optimal_components(found, width)
    if width < found.smallest_support or predict_cells(found.problem, width)[0] > MAX_GRAPH:
        return Counts(count.components, count.isolated, 0, False)
    fewest, most = _by_graph(json.dumps(problem_to_json(found.problem)), width)
    distance = max(fewest - count.components, count.components - most, 0)
    return Counts(count.components, count.isolated, distance, fewest == most)


@lru_cache(maxsize=512)
def _by_graph(problem: str, width: int) -> tuple[int, int]:
    return enclosed_level_set(problem_from_json(json.loads(problem)), width).count


def count_check(
    width_of: Callable[[OptimalSet], int], margin_of: Callable[[Counts], int], *, paths: bool = False
) -> Callable[[Instance], Outcome]:
    """Return the check of a statement about the counts at a width.

    Args:
        width_of: optimal set -> width, to which the instance's "extra" is added.
        margin_of: counts -> margin of the statement.
        paths: exhibit, too, explicit paths of global optima that the checker accepts (where some are to be expected).
    """

    def check(instance: Instance) -> Outcome:
        found = optima_of(instance)
        width = width_of(found) + instance["extra"]
        counts = counts_at(found, width)
        if paths:
            accept_paths(found, width)
        detail = {
            "width": width,
            "m_star": found.smallest_support,
            "M_star": found.largest_support,
            "components": counts.components,
            "isolated": counts.isolated,
            "counted_twice": counts.is_counted_twice,
        }
        return Outcome(Fraction(min(margin_of(counts), -counts.distance)), certified=True, detail=detail)

    return check


def divided(found: OptimalSet, net: Point, width: int) -> tuple[Point, Point]:
    """Return a net with a zero neuron added, and the same with its first neuron divided between the two slots."""
    start = pad(net, width)
    half = start[0]._replace(u=tuple(v / 2 for v in start[0].u))
    return start, (half, *start[1 : len(net)], half, *start[len(net) + 1 :])


def accept_paths(found: OptimalSet, width: int) -> None:
    """Raise unless paths of global optima, never above the optimum, are accepted from each vertex that has room."""
    nets = [found.vertex_net(vertex) for vertex in found.vertices if 0 < len(vertex.support) < width]
    pairs = [divided(found, net, width) for net in nets]
    if width >= min(found.smallest_support + found.largest_support, len(found.problem.y) + 1):
        pairs += [(pad(a, width), tuple(reversed(pad(b, width)))) for a, b in product(nets, repeat=2)]
    for start, end in pairs:
        if start[: len(end)] == end:
            continue
        path = connect_optima(found, start, end) if len(pairs) > len(nets) else None
        if path is not None and (path.points[0], path.points[-1]) != (start, end):
            raise AssertionError("a path between global optima misses an end")
        certificate = certify_path(path) if path is not None else _straight(found, start, end)
        statement = certificate["statement"]
        if statement["rise"] != "0" or statement["value"] != str(found.value):
            raise AssertionError("a path between global optima leaves them")
        accept(certificate, found.problem)


def _straight(found: OptimalSet, start: Point, end: Point) -> dict[str, Any]:
    """Return the certificate of the straight path between two optima whose neurons keep their directions."""
    from modeconn.regularised import RidgePath

    return certify_path(RidgePath((start, end), Fraction(0), Fraction(found.value)))
