"""Paths of optima, paths downhill, several outputs."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from ridge_oracles import corners, objective, predictions_of, random_problem, sums

from modeconn.errors import InputError
from modeconn.regularised import (
    VectorNeuron,
    certify_path,
    connect_optima,
    connect_vector_nets,
    descent_path,
    optimal_set,
    ridge_gap,
    three_component_problem,
    vector_fit,
)
from modeconn.regularised.walk import follow, minimise, reduce_support
from modeconn.topology import Neuron, Point, problem_to_json
from proofs_check.checker import check_certificate

ZERO = Fraction(0)


def padded(net: Point, width: int) -> Point:
    return net + (Neuron((ZERO,) * len(net[0].u), 1),) * (width - len(net))


def largest_rise(problem, points: tuple[Point, ...], count: int = 40) -> float:
    """The largest rise of the objective over samples of a path, from weights."""
    values = []
    for a, b in pairwise(points):
        for t in np.linspace(0, 1, count):
            step = Fraction(float(t))
            net = tuple(
                Neuron(
                    tuple((1 - step) * v + step * w for v, w in zip(p.u, q.u, strict=True)), q.s if p.is_zero else p.s
                )
                for p, q in zip(a, b, strict=True)
            )
            values.append(objective(problem, net))
    return float(np.max(np.array(values) - np.minimum.accumulate(values)))


@pytest.mark.parametrize("case", [(2, 1, 0), (3, 2, 1), (4, 2, 2), (5, 2, 3), (5, 3, 4)])
def test_descent_ends_at_the_optimum_and_never_rises(case: tuple[int, int, int]) -> None:
    """Certificate: the checker accepts; a sampled path in floats agrees; the end is within the certified gap."""
    n, d, seed = case
    problem, rng = random_problem(*case), random.Random(seed)
    start = tuple(
        Neuron(tuple(Fraction(rng.randint(-5, 5), rng.randint(1, 3)) for _ in range(d)), rng.choice((1, -1)))
        for _ in range(n + 1)
    )
    path = descent_path(problem, start)
    assert path.points[0] == start
    assert path.value - ridge_gap(problem).lower <= Fraction(1, 10**9) * path.value
    assert path.rise <= Fraction(1, 10**11) * path.value
    assert check_certificate(certify_path(path), problem_to_json(problem)).accepted
    assert largest_rise(problem, path.points) <= 1e-9 * (1 + objective(problem, start))


def test_descent_needs_room() -> None:
    """By construction: n = 4, and three neurons cannot carry the walk."""
    problem = random_problem(4, 2, 2)
    start = tuple(Neuron((Fraction(k), Fraction(1)), -1) for k in (1, 2, -3))
    with pytest.raises(InputError, match="add neurons"):
        descent_path(problem, start)


@pytest.mark.parametrize(
    ("make", "width"),
    [
        (lambda: optimal_set(three_component_problem("1/2")), 3),
        (lambda: corners([1, 0, 0, 1]), 4),
        (lambda: corners([1] * 8, (2, 3, 6)), 6),
        (lambda: corners([1] * 8, (2, 3, 6)), 5),
        (lambda: sums(3, [0, 1, 1, 0]), 4),
    ],
)
def test_optima_are_joined_exactly(make, width: int) -> None:
    """Certificate: rise 0 and value the optimum, accepted, between all vertices in all kinds of orders; width 5 of the
    cube is rank + 1, below min(m* + M*, n + 1)."""
    found = make()
    nets = [padded(found.vertex_net(v), width) for v in found.vertices]
    for a, b in itertools.product(nets, repeat=2):
        end = tuple(reversed(b))
        path = connect_optima(found, a, end)
        assert (path.points[0], path.points[-1]) == (a, end)
        assert (path.rise, path.value) == (0, found.value)
        assert all(predictions_of(found.problem, p) == list(found.fit) for p in path.points)
        assert check_certificate(certify_path(path), problem_to_json(found.problem)).accepted


def test_too_narrow_and_foreign_nets_are_refused() -> None:
    """By construction: one neuron below the threshold there is no such path; a net off the tight directions."""
    found = corners([1, 0, 0, 1])
    one, two = (found.vertex_net(v) for v in found.vertices)
    with pytest.raises(InputError, match="add neurons"):
        connect_optima(found, padded(one, 3), padded(two, 3))
    with pytest.raises(InputError, match="tight directions"):
        connect_optima(found, padded(one, 4), padded((Neuron((Fraction(1), Fraction(1)), 1),), 4))


def test_walks_keep_the_fit_and_the_counts() -> None:
    """Conserved quantities, drawn columns: fit constant (or straight), amounts >= 0, cost never up, few alive."""
    rng = random.Random(3)
    for _ in range(30):
        n, K = rng.randint(1, 3), rng.randint(3, 7)
        columns = [tuple(Fraction(rng.randint(-3, 3)) for _ in range(n)) for _ in range(K)]
        costs = [Fraction(rng.randint(1, 5)) for _ in range(K)]
        start, end = ([Fraction(rng.randint(0, 3)) for _ in range(K)] for _ in range(2))

        def fit(c, columns=columns, n=n):
            return [sum(a * col[i] for a, col in zip(c, columns, strict=True)) for i in range(n)]

        def cost(c, costs=costs):
            return sum(a * b for a, b in zip(c, costs, strict=True))

        down = reduce_support(columns, costs, start)
        best = minimise(columns, costs, down[-1])
        moved = follow(columns, costs, down[-1], end)
        for walk in (down, best):
            assert all(fit(c) == fit(start) for c in walk)
            assert all(cost(a) >= cost(b) for a, b in pairwise(walk))
        for walk in (down, best, moved):
            assert all(min(c) >= 0 for c in walk)
        assert all(sum(map(bool, c)) <= n for c in (down[-1], *best, *moved))
        assert fit(moved[-1]) == fit(end)
        assert cost(moved[-1]) <= cost(end)


def test_several_outputs() -> None:
    """Conserved quantity: the fit of every node, in rationals; n c = 4, five neurons, other directions at the end."""
    one = Fraction(1)
    X = ((one, ZERO), (ZERO, one))
    start = tuple(
        VectorNeuron((Fraction(a), Fraction(b)), (Fraction(a), Fraction(b)), one) for a, b in ((1, 2), (2, 1))
    )
    start += (start[0]._replace(t=ZERO),) * 3
    corner = (one, Fraction(4, 5))
    end = (VectorNeuron(corner, corner, Fraction(5)), VectorNeuron((ZERO, one), (ZERO, one), Fraction(9, 5)))
    end += (end[0]._replace(t=ZERO),) * 3
    assert vector_fit(X, start) == vector_fit(X, end)
    path = connect_vector_nets(X, start, end)
    assert all(vector_fit(X, net) == vector_fit(X, start) for net in path.nets)
    assert [n.t for n in path.nets[-1]] == [n.t for n in end]
    with pytest.raises(InputError, match="same fit"):
        connect_vector_nets(X, start, start[:1] * 5)
