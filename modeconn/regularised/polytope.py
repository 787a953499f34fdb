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

    Args:
        features: phi_k (K, n).
        target: y* (n,).
        tolerance: relative to the longest feature (singular values) and to y* (residuals, amounts).
    """
    scale = float(np.linalg.norm(features, axis=1).max(initial=0.0))
    size = float(np.linalg.norm(target))
    if size <= tolerance * scale or not len(features):
        return (Vertex((), ()),)
    full = int((np.linalg.svd(features, compute_uv=False) > tolerance * scale).sum())
    found = []
    for support in _supports(len(features), full):
        columns = features[list(support)].T
        amounts, _, _, singular = np.linalg.lstsq(columns, target, rcond=None)
        is_independent = len(singular) == len(support) and singular.min() > tolerance * scale
        residual = float(np.linalg.norm(columns @ amounts - target))
        if is_independent and residual <= tolerance * size and amounts.min() > tolerance * size / scale:
            found.append(Vertex(support, tuple(amounts.tolist())))
    return tuple(found)


def _supports(number: int, size: int) -> list[tuple[int, ...]]:
    """Return all sets of 1 to ``size`` features, the smaller ones first."""
    if sum(math.comb(number, k) for k in range(1, size + 1)) > MAX_SUPPORTS:
        raise InputError(
            f"optimal polytope: {number} tight features of rank {size} have more than {MAX_SUPPORTS} sets to look at; "
            "take a problem with fewer tight directions"
        )
    return [support for k in range(1, size + 1) for support in combinations(range(number), k)]
