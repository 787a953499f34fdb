"""Samplers of the minima of linear nets, {A_L ... A_1 = Q}: rectangular, of any depth, Q of any rank."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral

import numpy as np
from jaxtyping import Shaped

from modeconn.errors import InputError
from modeconn.star.linear_algebra import annihilator, matrix_rank, solve_left
from modeconn.star.linear_nets import LinearNet, check_linear_net

__all__ = ["random_layer", "sample_linear_minimum"]

LARGEST = 3
"""Integers of exact random layers lie in [-LARGEST, LARGEST]."""


def random_layer(rng: np.random.Generator, rows: int, columns: int, exact: bool) -> Shaped[np.ndarray, "r k"]:
    """Return a generic matrix: small integers as an object array, or normal floats of variance 1 / columns."""
    if not exact:
        return rng.normal(size=(rows, columns)) / np.sqrt(max(columns, 1))
    return rng.integers(-LARGEST, LARGEST, size=(rows, columns), endpoint=True).astype(object)


def sample_linear_minimum(
    rng: np.random.Generator, Q: Shaped[np.ndarray, "c d"], widths: Sequence[int], attempts: int = 50
) -> LinearNet:
    r"""Return a generic net of these hidden widths with A_L ... A_1 = Q, exact when Q is.

    All layers but the last are drawn at random, subject to one thing: the rows of A_l ... A_1 have to span those of
    Q, or no last layer fits. Where m_l is too small to keep the whole row space, rows T with T A_{l-1} ... A_1 = V
    (V a basis of the rows of Q) are put in and mixed with random ones. The last layer solves A_L (A_{L-1} ... A_1) = Q
    plus a random matrix that vanishes on the range of A_{L-1} ... A_1.

    With every m_l >= d this reaches an open dense part of {A_L ... A_1 = Q, A_{L-1} ... A_1 injective}: what holds
    almost surely for a law with a density there holds almost surely for these. It is not the Hausdorff measure.
    Cost: L products and one solution with matrices of the layers' sizes.

    Args:
        rng: NumPy generator; the draw is a function of its state.
        Q: what to compute, (c, d): float64, or an object array of exact rationals.
        widths: hidden widths (m_1, ..., m_{L-1}); none for L = 1.
        attempts: draws of the layers, should small integers happen to be singular.

    Raises:
        InputError: no generator, a Q that is no matrix of finite numbers, or a hidden width below its rank or 1.

    Example:
        >>> from modeconn.star.linear_nets import end_to_end
        >>> Q = np.array([[1, 2], [2, 4]], object)
        >>> net = sample_linear_minimum(np.random.default_rng(0), Q, (3, 1))
        >>> [layer.shape for layer in net], bool((end_to_end(net) == Q).all())
        ([(3, 2), (1, 3), (2, 1)], True)
    """
    if not isinstance(rng, np.random.Generator):
        raise InputError(f"rng: expected a NumPy generator, found {rng!r}; pass np.random.default_rng(seed)")
    check_linear_net((Q,), name="Q")
    if any(not isinstance(m, Integral) or m < 1 for m in widths):
        raise InputError(f"widths: expected integers >= 1, found {tuple(widths)}")
    V = _row_basis(Q)
    if widths and min(widths) < len(V):
        raise InputError(f"expected hidden widths >= {len(V)}, the rank of Q, found {tuple(widths)}; widen the net")
    if not widths:
        return (Q,)
    for _ in range(attempts):
        layers = _earlier_layers(rng, Q, V, widths)
        reach = _product(layers)
        if matrix_rank(np.concatenate([reach, V])) > matrix_rank(reach):
            continue
        last = solve_left(reach, Q)
        if last is None:
            continue
        free = annihilator(reach)
        last = last + random_layer(rng, Q.shape[0], len(free), Q.dtype == object) @ free if len(free) else last
        return (*layers, last)
    raise InputError(f"found no net of widths {tuple(widths)} in {attempts} draws; draw more or widen the net")


def _row_basis(Q: np.ndarray) -> np.ndarray:
    """Return rows that span the row space of Q."""
    return annihilator(annihilator(Q.T).T) if Q.size else Q


def _product(layers: Sequence[np.ndarray]) -> np.ndarray:
    product = layers[0]
    for layer in layers[1:]:
        product = layer @ product
    return product


def _earlier_layers(rng: np.random.Generator, Q: np.ndarray, V: np.ndarray, widths: Sequence[int]) -> list[np.ndarray]:
    """Return A_1, ..., A_{L-1}, drawn so that the rows of their product can span those of Q."""
    exact = Q.dtype == object
    layers: list[np.ndarray] = []
    before, reach = Q.shape[1], None
    for m in widths:
        whole = before if reach is None else matrix_rank(reach)
        layer = random_layer(rng, m, before, exact)
        if m < whole:
            kept = V if reach is None else solve_left(reach, V)
            if kept is not None:
                layer = random_layer(rng, m, m, exact) @ np.concatenate([kept, layer[len(kept) :]])
        layers.append(layer)
        reach = layer if reach is None else layer @ reach
        before = m
    return layers
