"""Ridge problems with exactly known optima, for the claims K1 to K5: ties on purpose, nothing rounded.

Each family gives X and a rational dual point with several tight directions; amounts of their features plant y. What
the claims then speak of is found again from (X, y, beta) and nu by the checker.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.regularised import OptimalSet, orthant_dual, partial_sum_dual, planted_optimal_set
from proofs_check.claims.claim import Hypothesis, Instance, Shape

__all__ = ["NONZERO", "PLANTED", "SHAPES", "nonzero_problems", "optima_of", "planted_problems", "zero_problems"]

SHAPES = ((2, 1), (2, 2), (4, 2), (3, 2))
"""(n, d): two rows on a line, the two rows (+-sqrt 3, 1), the rows +-e_i, three partial sums."""

TIGHT: dict[tuple[int, ...], int] = {(2, 1): 2, (2, 2): 3, (4, 2): 4, (3, 2): 4}
"""Shape -> number of tight directions."""

TRIPLES = ((3, 4), (5, 12), (8, 15), (20, 21))
RIDGES = ("1/10", "1/2", "1", "3")


def _line(numbers: Sequence[Fraction]) -> tuple[Any, Any]:
    """Return rows of both signs with nu_i x_i of length 1 on each side: two tight directions, independent features."""
    a, b = numbers
    return ((a,), (-b,)), (1 / a, 1 / b)


_FAMILIES: dict[tuple[int, ...], Callable[[Sequence[Fraction]], tuple[Any, Any]]] = {
    (2, 1): _line,
    (2, 2): lambda numbers: partial_sum_dual(2),
    (4, 2): orthant_dual,
    (3, 2): lambda numbers: partial_sum_dual(3),
}


def _doubled(X: Sequence[Any], nu: Sequence[Fraction]) -> tuple[Any, Any]:
    """Return the rows with the first one twice and a zero row: nu . relu(X u), hence what is tight, stays the same."""
    zero = tuple(Fraction(0) for _ in X[0])
    return (X[0], *X, zero), (nu[0] / 3, nu[0] * 2 / 3, *nu[1:], Fraction(1, 7))


def planted_problems(shape: Shape, weights: Sequence[int] = (0, 0, 1, 1, 2)) -> SearchStrategy[Instance]:
    """Return instances ``{"shape", "numbers", "sign", "weights", "ridge", "doubled", "extra"}``.

    Args:
        shape: one of :data:`SHAPES`.
        weights: amounts of the tight features are drawn from these.
    """
    if shape == (4, 2):
        numbers = st.sampled_from(TRIPLES).map(list)
    else:
        numbers = st.tuples(st.integers(1, 4), st.integers(1, 4)).map(list)
    return st.fixed_dictionaries(
        {
            "shape": st.just(list(shape)),
            "numbers": numbers,
            "sign": st.sampled_from([1, -1]),
            "weights": st.lists(st.sampled_from(list(weights)), min_size=TIGHT[shape], max_size=TIGHT[shape]),
            "ridge": st.sampled_from(RIDGES),
            "doubled": st.sampled_from([False, False, True]),
            "extra": st.integers(0, 1),
        }
    )


def nonzero_problems(shape: Shape) -> SearchStrategy[Instance]:
    """Return planted problems whose fit is not zero."""
    return planted_problems(shape).filter(lambda instance: any(instance["weights"]))


def zero_problems(shape: Shape) -> SearchStrategy[Instance]:
    """Return planted problems whose fit may be zero, and often is."""
    return planted_problems(shape, weights=(0, 0, 0, 0, 1))


def optima_of(instance: Instance) -> OptimalSet:
    """Return the exact optimal set of an instance."""
    return _optima(json.dumps({key: instance[key] for key in sorted(instance) if key != "extra"}))


@lru_cache(maxsize=256)
def _optima(text: str) -> OptimalSet:
    instance = json.loads(text)
    X, nu = _FAMILIES[tuple(instance["shape"])]([Fraction(v) for v in instance["numbers"]])
    if instance.get("doubled"):
        X, nu = _doubled(X, nu)
    sign = instance["sign"]
    weights = [Fraction(v) for v in instance["weights"]]
    return planted_optimal_set(X, [sign * Fraction(v) for v in nu], weights, Fraction(instance["ridge"]))


def _is_planted(instance: Mapping[str, Any]) -> bool:
    shape = tuple(instance["shape"])
    return (
        shape in _FAMILIES
        and len(instance["weights"]) == TIGHT[shape]
        and min(instance["weights"]) >= 0
        and instance["sign"] in (1, -1)
        and min(instance["numbers"]) > 0
        and (shape != (4, 2) or tuple(instance["numbers"]) in TRIPLES)
        and Fraction(instance["ridge"]) > 0
        and instance["extra"] in (0, 1)
    )


PLANTED = Hypothesis("y = nu + sum_k c_k phi_k, c >= 0, over the tight features of nu", _is_planted)
NONZERO = Hypothesis("the optimal fit y* is not zero (beta is below its critical value)", lambda i: any(i["weights"]))
