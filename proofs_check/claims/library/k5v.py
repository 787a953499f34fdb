"""K5V: with c outputs and n c + 1 neurons, any two global optima are joined by a path of global optima.

The trial: X = I and Y = F + beta I with F completely positive, in exact numbers. With X = I and c = n outputs,
nu = beta I is dual feasible, |nu^T relu(u)| = beta |relu(u)| <= beta |u|, and tight for u >= 0 with output direction
u / |u|. So Y - nu = F = sum_j t_j v_j v_j^T with v_j >= 0 makes the neurons (v_j, v_j) of amount t_j optimal: the
optima of width m are the completely positive factorisations of F of length m. Of length 2 and F of full rank,
B B^T = F, the determinant of B never vanishes: a swap of the columns is out of reach, which refutes lower thresholds.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.regularised import VectorNeuron, connect_vector_nets, vector_cost, vector_fit
from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome, Shape

__all__ = ["CLAIM"]

IDENTITY = ((Fraction(1), Fraction(0)), (Fraction(0), Fraction(1)))
WIDTH = 5
"""n c + 1 with n = c = 2."""

DIRECTIONS = ((1, 0), (0, 1), (1, 1), (1, 2), (2, 1), (1, 3), (3, 1), (2, 3), (3, 2))


def _factorisations(shape: Shape) -> SearchStrategy[Instance]:
    """Return vectors v_j >= 0 with F = sum_j v_j v_j^T, and the order of the neurons of the other factorisation."""
    four = st.lists(st.sampled_from(DIRECTIONS).map(list), min_size=4, max_size=4, unique_by=tuple)
    return st.fixed_dictionaries({"directions": four, "order": st.permutations(list(range(5)))})


def _check(instance: Instance) -> Outcome:
    """Check that two factorisations of length n c + 1 are joined by an exactly optimal path; exact on every node."""
    v = [tuple(Fraction(entry) for entry in direction) for direction in instance["directions"]]
    F = [[sum((a[i] * a[j] for a in v), Fraction(0)) for j in range(2)] for i in range(2)]
    zero, start, other = Fraction(0), [VectorNeuron(a, a, Fraction(1)) for a in v], _triangular(F)
    start += [start[0]._replace(t=zero)] * (WIDTH - len(start))
    other += [other[0]._replace(t=zero)] * (WIDTH - len(other))
    end = [other[k] for k in instance["order"]]
    path = connect_vector_nets(IDENTITY, tuple(start), tuple(end)).nets
    gaps = [abs(a - b) for net in path for a, b in zip(vector_fit(IDENTITY, net), itertools.chain(*F), strict=True)]
    gaps += [abs(vector_cost(net) - (F[0][0] + F[1][1])) for net in path]
    if _live(path[0]) != _live(start) or _live(path[-1]) != _live(end) or any(map(_turns, path, path[1:])):
        raise AssertionError("path: it misses an end, or a neuron changes its direction")
    return Outcome(-max(gaps), detail={"width": WIDTH, "nodes": len(path), "norm": str(F[0][0] + F[1][1])})


def _triangular(F: Sequence[Sequence[Fraction]]) -> list[VectorNeuron]:
    """Return the factorisation of F into two neurons of which one is on an axis."""
    corner, up = (Fraction(1), F[0][1] / F[0][0]), (Fraction(0), Fraction(1))
    return [VectorNeuron(corner, corner, F[0][0]), VectorNeuron(up, up, F[1][1] - F[0][1] ** 2 / F[0][0])]


def _two_connect(instance: Instance) -> Outcome:
    """Check: two neurons connect. The product of the determinants of (v, w) and (w, v): a path keeps its sign."""
    (a, b), (c, d) = ([Fraction(entry) for entry in direction] for direction in instance["directions"][:2])
    det = a * d - b * c
    return Outcome(det * -det, detail={"determinant": str(det)})


def _live(net: Sequence[VectorNeuron]) -> list[VectorNeuron | None]:
    return [neuron if neuron.t else None for neuron in net]


def _turns(here: Sequence[VectorNeuron], there: Sequence[VectorNeuron]) -> bool:
    """Return whether a neuron with a positive amount at both ends of a piece is not the same up to its amount."""
    return any(p.t and q.t and p[:2] != q[:2] for p, q in zip(here, there, strict=True))


CLAIM = Claim(
    id="K5V",
    statement=(
        "with c outputs and m >= n c + 1 neurons any two global optima are joined by a path of global optima: built "
        "and evaluated in rationals, fit and norm constant on every node, directions kept in between (margin: minus "
        "the largest deviation)"
    ),
    source=(
        "Kim, Mishkin and Pilanci 2025, vector outputs; our formulation. Tried on completely positive factorisations, "
        "n = d = c = 2"
    ),
    rests_on=("W1",),
    instances=_factorisations,
    shapes=((2, 2, 2),),
    check=_check,
    hypotheses=(
        Hypothesis(
            "v_j >= 0, no two parallel; a permutation",
            lambda i: (
                sorted(i["order"]) == list(range(WIDTH))
                and all(tuple(direction) in DIRECTIONS for direction in i["directions"])
                and len({tuple(direction) for direction in i["directions"]}) == len(i["directions"]) == WIDTH - 1
            ),
        ),
    ),
    controls=(
        Control(
            "two-neurons",
            "two neurons connect: (v, w) and (w, v), the optima of Y = v v^T + w w^T + beta I",
            check=_two_connect,
        ),
    ),
    cost=2.0,
)
