"""Vertices of {c >= 0 : Phi c = y*}: exactly for rational features, to a stated precision for floats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from modeconn.cells import rank, solve_rational
from modeconn.errors import InputError

__all__ = ["MAX_SUPPORTS", "Vertex", "float_vertices", "vertices"]

MAX_SUPPORTS = 50_000
"""Largest number of candidate supports that is enumerated."""

Number = Fraction | float


class Vertex(NamedTuple):
    """A vertex: the tight features it uses (linearly independent), and their amounts, all positive."""

    support: tuple[int, ...]
    amounts: tuple[Number, ...]


def vertices(features: Sequence[Sequence[Fraction]], target: Sequence[Fraction]) -> tuple[Vertex, ...]:
    """Return all vertices of {c >= 0 : sum_k c_k phi_k = y*}, exactly; none if it is empty.

    c is a vertex iff the features of its support are linearly independent. Cost: one elimination for each set of at
    most rank(Phi) features.

    Args:
        features: phi_k, rational (K, n).
        target: y* (n,).

    Raises:
        InputError: there are too many sets.

    Example:
        >>> one, zero = Fraction(1), Fraction(0)
        >>> [v.support for v in vertices([(one, zero), (zero, one), (one, one)], (one, one))]
        [(2,), (0, 1)]
    """
    if not any(target):
        return (Vertex((), ()),)
    found = []
    for support in _supports(len(features), rank(features) if features else 0):
        columns = [features[k] for k in support]
        amounts = solve_rational(list(zip(*columns, strict=True)), target)
        if amounts is not None and min(amounts) > 0 and rank(columns) == len(columns):
            found.append(Vertex(support, tuple(amounts)))
    return tuple(found)


def float_vertices(
    features: Float[np.ndarray, "K n"], target: Float[np.ndarray, " n"], tolerance: float
) -> tuple[Vertex, ...]:
    """Return the vertices as floats show them: singular values, residuals and amounts below ``tolerance`` are zero.

    Features are compared by direction: rescaling one changes its amounts and nothing else.

    Args:
        features: phi_k (K, n), none of them 0.
        target: y* (n,); exactly 0 if the zero net is optimal.
        tolerance: relative to unit features (singular values) and to y* (residuals, amounts).

    Example:
        >>> features, target = np.array([[1e9, 0.0], [0.0, 1e-9]]), np.ones(2)
        >>> [v.support for v in float_vertices(features, target, 1e-7)], float_vertices(features[:0], target, 1e-7)
        ([(0, 1)], ())
    """
    size = float(np.linalg.norm(target))
    if size == 0:
        return (Vertex((), ()),)
    lengths = np.linalg.norm(features, axis=1)
    units = features / lengths[:, None]
    full = int((np.linalg.svd(units, compute_uv=False) > tolerance).sum()) if len(units) else 0
    found = []
    for support in _supports(len(units), full):
        columns = units[list(support)].T
        amounts, _, _, singular = np.linalg.lstsq(columns, target, rcond=None)
        is_independent = len(singular) == len(support) and singular.min() > tolerance
        residual = float(np.linalg.norm(columns @ amounts - target))
        if is_independent and residual <= tolerance * size and amounts.min() > tolerance * size:
            found.append(Vertex(support, tuple((amounts / lengths[list(support)]).tolist())))
    return tuple(found)


def _supports(number: int, size: int) -> list[tuple[int, ...]]:
    """Return all sets of 1 to ``size`` features, the smaller ones first."""
    if sum(math.comb(number, k) for k in range(1, size + 1)) > MAX_SUPPORTS:
        raise InputError(
            f"optimal polytope: {number} tight features of rank {size} have more than {MAX_SUPPORTS} sets to look at; "
            "take a problem with fewer tight directions"
        )
    return [support for k in range(1, size + 1) for support in combinations(range(number), k)]
