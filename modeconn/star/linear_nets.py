"""Linear nets of any depth: what they compute, and what a straight segment between two of them computes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Shaped

from modeconn.cells.rational import as_fraction
from modeconn.errors import InputError

__all__ = [
    "LinearNet",
    "check_linear_net",
    "end_to_end",
    "exact_matrix",
    "exact_net",
    "is_exact",
    "largest_entry",
    "mixed_sums",
    "segment_defects",
]

LinearNet = tuple[np.ndarray, ...]
"""Layers (A_1, ..., A_L) of f(x) = A_L ... A_1 x, A_l of shape (m_l, m_{l-1}), m_0 = d inputs and m_L = c outputs.

All layers are float64, or all are object arrays of exact rationals (integers and fractions): every function of this
family takes both and computes in the numbers it is given."""


def exact_matrix(rows: Any, where: str = "matrix") -> Shaped[np.ndarray, "c d"]:
    """Return an object array of fractions from rows of integers, fractions, floats or strings such as "3/7".

    Example:
        >>> exact_matrix([[1, "1/2"]]).tolist()
        [[Fraction(1, 1), Fraction(1, 2)]]
    """
    found = [[as_fraction(x, where) for x in row] for row in rows]
    if not found or len({len(row) for row in found}) != 1:
        raise InputError(f"{where}: expected rows of one length, found {[len(row) for row in found]}; complete them")
    matrix = np.empty((len(found), len(found[0])), object)
    matrix[:] = found
    return matrix


def exact_net(layers: Sequence[Any]) -> LinearNet:
    """Return the net of these layers, first layer first, in exact rationals."""
    net = tuple(exact_matrix(rows, f"layer {l}") for l, rows in enumerate(layers, 1))
    check_linear_net(net)
    return net


def is_exact(net: Sequence[np.ndarray]) -> bool:
    """Return whether the layers hold exact rationals rather than floats."""
    return net[0].dtype == object


def check_linear_net(net: Sequence[np.ndarray], Q: np.ndarray | None = None, name: str = "linear net") -> None:
    """Raise :class:`InputError` unless the layers fit together, and Q (c, d) if given, in one kind of number."""
    shapes = [np.shape(layer) for layer in net]
    if not net or any(len(shape) != 2 or 0 in shape for shape in shapes):
        raise InputError(f"{name}: expected layers (m_l, m_(l-1)), none of them empty, found shapes {shapes}")
    if any(after[1] != before[0] for before, after in itertools.pairwise(shapes)):
        raise InputError(f"{name}: expected A_l of shape (m_l, m_(l-1)), first layer first, found shapes {shapes}")
    arrays = [*net, *([] if Q is None else [Q])]
    kinds = {str(layer.dtype) for layer in arrays}
    if kinds not in ({"float64"}, {"object"}):
        raise InputError(f"{name}: expected float64 or exact numbers throughout, found {sorted(kinds)}; use exact_net")
    if Q is not None and Q.shape != (shapes[-1][0], shapes[0][1]):
        raise InputError(f"{name}: expected Q of shape {(shapes[-1][0], shapes[0][1])}, found {Q.shape}")
    if kinds == {"float64"} and not all(np.isfinite(layer).all() for layer in arrays):
        raise InputError(f"{name}: found NaN or infinite entries; expected finite weights")


def end_to_end(net: LinearNet) -> Shaped[np.ndarray, "c d"]:
    """Return A_L ... A_1, the matrix that the net computes.

    Example:
        >>> end_to_end(exact_net([[[1], [2]], [[3, 4]]])).tolist()
        [[Fraction(11, 1)]]
    """
    product = net[0]
    for layer in net[1:]:
        product = layer @ product
    return product


def mixed_sums(net: Sequence[np.ndarray], other: Sequence[np.ndarray]) -> list[np.ndarray]:
    r"""Return S_0, ..., S_L: S_k sums the products of L layers, k of them of ``net`` and the rest of ``other``.

    They are the coefficients of the segment from ``other`` (t = 0) to ``net`` (t = 1):

    $$\prod_{l=L}^{1} \bigl(t A_l + (1-t) B_l\bigr) = \sum_k t^k (1-t)^{L-k} S_k.$$

    By S_k^{(l)} = A_l S_{k-1}^{(l-1)} + B_l S_k^{(l-1)}: 2 L^2 matrix products in all, not 2^L.

    Example:
        >>> one, other = exact_net([[[1]], [[2]]]), exact_net([[[3]], [[5]]])
        >>> [int(s[0, 0]) for s in mixed_sums(one, other)]    # 3*5, 1*5 + 3*2, 1*2
        [15, 11, 2]
    """
    sums = [other[0], net[0]]
    for A, B in zip(net[1:], other[1:], strict=True):
        rest = [B @ s for s in sums]
        taken = [A @ s for s in sums]
        sums = [rest[0], *(a + b for a, b in zip(taken, rest[1:], strict=False)), taken[-1]]
    return sums


def segment_defects(net: LinearNet, other: LinearNet, Q: Shaped[np.ndarray, "c d"]) -> list[np.ndarray]:
    r"""Return D_k = S_k / C(L, k) - Q for k = 0, ..., L: the Bernstein coefficients of f - Q along the segment.

    $$f_t - Q = \sum_k \binom{L}{k} t^k (1-t)^{L-k} D_k,$$

    so the segment computes Q all along if and only if every D_k is zero, and a loss that is convex in f - Q is nowhere
    on it above its largest value among the D_k.
    """
    L = len(net)
    sums = mixed_sums(net, other)
    if is_exact(net):
        return [s * Fraction(1, math.comb(L, k)) - Q for k, s in enumerate(sums)]
    return [s / math.comb(L, k) - Q for k, s in enumerate(sums)]


def largest_entry(matrices: Sequence[np.ndarray]) -> Any:
    """Return the largest absolute value of an entry, a fraction where the matrices are exact."""
    return max(abs(matrix).max() for matrix in matrices)
