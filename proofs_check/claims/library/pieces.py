"""SIM: how many affine pieces the zero-loss set of a wide student with a smooth activation has."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from itertools import permutations
from math import factorial

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome, Shape
from proofs_check.exact.expansion import (
    Piece,
    Teacher,
    affine_pieces,
    connected_groups,
    piece_count,
    student_matches,
    surjection_count,
)

__all__ = ["CLAIM"]

SHAPES = ((1, 2, 1), (1, 2, 2), (1, 3, 1), (2, 3, 1), (2, 3, 2), (2, 4, 1))
"""Teacher width r, student width m, input dimension d."""

STUDENTS = 24
"""Students of small integer weights looked at in an instance."""

REACH = 3


def _teachers(shape: Shape, is_irreducible: bool = True) -> SearchStrategy[Instance]:
    """Return teachers of r neurons with small integer weights, and the seed of the students tried."""
    r, m, d = shape
    weight = st.integers(-REACH, REACH)
    hidden = st.lists(weight, min_size=d, max_size=d)
    output = weight.filter(bool) if is_irreducible else weight
    return st.fixed_dictionaries(
        {
            "W": st.lists(hidden, min_size=r, max_size=r, unique_by=tuple if is_irreducible else None),
            "a": st.lists(output, min_size=r, max_size=r),
            "m": st.just(m),
            "seed": st.integers(0, 2**32 - 1),
        }
    )


def _teacher(instance: Instance) -> Teacher:
    return list(zip(instance["W"], instance["a"], strict=True))


def _students(instance: Instance) -> list[list[int]]:
    """Return students with integer weights: half of them labelled after the teacher, half near such a student."""
    rng = random.Random(instance["seed"])
    W, a, m = instance["W"], instance["a"], instance["m"]
    d = len(W[0])
    found = []
    for k in range(STUDENTS):
        labels = [*range(len(W)), *(rng.randrange(m) for _ in range(m - len(W)))]
        rng.shuffle(labels)
        places = {label: W[label] if label < len(W) else _point(rng, d) for label in labels}
        outputs = [rng.randint(-REACH, REACH) for _ in labels]
        for label in set(labels):
            group = [i for i in range(m) if labels[i] == label]
            outputs[group[-1]] = (a[label] if label < len(W) else 0) - sum(outputs[i] for i in group[:-1])
        theta = [x for label in labels for x in places[label]] + outputs
        if k % 2:
            theta[rng.randrange(len(theta))] += rng.choice([-1, 1])
        found.append(theta)
    return found


def _point(rng: random.Random, d: int) -> list[int]:
    return [rng.randint(-REACH, REACH) for _ in range(d)]


def _mismatches(instance: Instance, pieces: set[Piece]) -> int:
    """Return how many students are in a piece without computing the teacher, or the other way round."""
    teacher, m = _teacher(instance), instance["m"]
    return sum(
        student_matches(teacher, theta, m) != any(piece.contains(theta) for piece in pieces)
        for theta in _students(instance)
    )


def _check(instance: Instance) -> Outcome:
    pieces = affine_pieces(_teacher(instance), instance["m"])
    r, m = len(instance["W"]), instance["m"]
    faults = {
        "count": abs(len(pieces) - piece_count(r, m)),
        "thin": sum(piece.dimension < m - r for piece in pieces),
        "nested": sum(one.is_inside(other) for one, other in permutations(pieces, 2)) if len(pieces) <= 12 else 0,
        "apart": len(list(connected_groups(list(pieces)))) - 1 if len(pieces) <= 12 else 0,
        "students": _mismatches(instance, pieces),
    }
    return Outcome(-Fraction(sum(faults.values())), detail={"pieces": len(pieces), **faults})


def _counted(count: Callable[[int, int], int]) -> Callable[[Instance], Outcome]:
    """Return the exact check of another formula for the number of pieces."""

    def check(instance: Instance) -> Outcome:
        r, m = len(instance["W"]), instance["m"]
        found, other = len(affine_pieces(_teacher(instance), m)), count(r, m)
        return Outcome(-Fraction(abs(found - other)), detail={"pieces": found, "formula": other})

    return check


def _connected(instance: Instance) -> Outcome:
    """Check: the union of the pieces is connected."""
    groups = len(list(connected_groups(list(affine_pieces(_teacher(instance), instance["m"])))))
    return Outcome(Fraction(1 - groups), detail={"components": groups})


def _is_irreducible(instance: Instance) -> bool:
    return len({tuple(w) for w in instance["W"]}) == len(instance["W"]) and all(instance["a"])


IRREDUCIBLE = Hypothesis("the teacher's hidden weights differ and its output weights are not 0", _is_irreducible)

CLAIM = Claim(
    id="SIM",
    statement=(
        "the students of width m > r that compute an irreducible teacher of r smooth neurons are a union of exactly "
        "T(r, m) = sum_u C(m, u) G(r, m - u) Bell(u) affine subspaces (G: surjections), each of dimension >= m - r, "
        "none inside another, and connected; a student with integer weights matches the teacher (sigma = 2^z, exactly) "
        "iff it lies in one of them (margin: minus the number of faults; nesting and connection at up to 12 pieces)"
    ),
    source="Simsek, Ged, Jacot, Spadaro, Hongler, Gerstner, Brea (2021), Theorem 4.2 and the count T(r, m)",
    instances=_teachers,
    shapes=SHAPES,
    check=_check,
    hypotheses=(IRREDUCIBLE,),
    controls=(
        Control(
            "no-spare-neurons", "there are G(r, m) pieces: all neurons copy the teacher's", _counted(surjection_count)
        ),
        Control(
            "named-spare-groups",
            "there are sum_j G(r + j, m) pieces: spare groups are told apart",
            _counted(lambda r, m: sum(surjection_count(r + j, m) for j in range(m - r + 1))),
            shapes=((1, 3, 1), (2, 4, 1)),
        ),
        Control(
            "up-to-order",
            "there are T(r, m) / r! pieces",
            _counted(lambda r, m: piece_count(r, m) // factorial(r)),
            shapes=((2, 3, 1), (2, 4, 1)),
        ),
        Control("connected-at-r", "they are connected at m = r as well", _connected, shapes=((2, 2, 1), (3, 3, 1))),
        Control(
            "reducible",
            "the same for every teacher",
            hypotheses=(),
            instances=lambda shape: _teachers(shape, is_irreducible=False),
            shapes=((2, 3, 1),),
        ),
    ),
    cost=6.0,
)
