"""The polar factor by an odd function of the singular values: 1 above a cut-off, 0 below, in products of matrices."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.scipy.linalg import cho_solve
from jaxtyping import Array, Float

from modeconn.optim.newton_schulz import cubic_step, quintic_step
from modeconn.optim.schedules import Coefficients, Schedule
from modeconn.regions.gauge import gauge_value
from modeconn.regions.singular import product

__all__ = ["lifted_isometry"]

_MARGIN = 1.001
_CUBIC_STEPS = 6
_PURE_STEPS = 30
_PASSES = {"float32": 1, "float64": 2}

State = tuple[Array, Array, Array]


def _largest_bound(A2: Float[Array, "r r"]) -> Float[Array, ""]:
    """Return a bound on the largest singular value of X from (X X^T)^2, at most r^(1/8) times it; 1 for X = 0."""
    bound = jnp.sqrt(jnp.sqrt(gauge_value(A2.ravel(), 2.0))) * _MARGIN
    return jnp.where(bound == 0, 1, bound)


def _first_step(X: Float[Array, "r c"], coefficients: Coefficients) -> Float[Array, "r c"]:
    """Return the quintic step of X over a bound on its singular values, from the same three products."""
    a, b, c = coefficients
    A = product(X, X.T)
    A2 = product(A, A)
    s = _largest_bound(A2)
    return (a / s) * X + product((b / s**3) * A + (c / s**5) * A2, X)


def _halley_step(X: Float[Array, "r c"], weights: Coefficients) -> Float[Array, "r c"]:
    """Return (a X + b A X) (I + c A)^-1 with A = X X^T, by Cholesky."""
    a, b, c = weights
    factor = jnp.linalg.cholesky(jnp.eye(X.shape[0], dtype=X.dtype) + c * product(X, X.T))
    return (b / c) * X + (a - b / c) * cho_solve((factor, True), X)


def _scheduled(X: Float[Array, "r c"], steps: Schedule) -> Float[Array, "r c"]:
    """Return X, of any length up to 1, after all steps of the schedule."""
    X = _first_step(X, steps.lifts[0])
    for coefficients in steps.lifts[1:]:
        X = quintic_step(X, coefficients)
    for weights in steps.halley:
        X = _halley_step(X, weights)
    for coefficients in steps.last:
        X = quintic_step(X, coefficients)
    return X


def _pure_step(X: Float[Array, "r c"]) -> tuple[Float[Array, "r c"], Float[Array, ""]]:
    """Return the step x -> (5 x^3 - 3 x^5) / 2, which takes x < 0.816 to 0 and x > 0.816 to 1, and |A - A^2|_F."""
    A = product(X, X.T)
    A2 = product(A, A)
    return product(2.5 * A - 1.5 * A2, X), gauge_value((A - A2).ravel(), 2.0)


def lifted_isometry(G: Float[Array, "r c"], steps: Schedule) -> Float[Array, "r c"]:
    """Return sum u_i v_i^T over the singular values of G, r <= c, above a cut-off near 1e-6 of the largest.

    1. The schedule brings singular values above 1e-5 of a bound on the largest to 1.
    2. Newton-Schulz steps X + (I - X X^T) X / 2 follow until one starts from |I - X X^T|_F <= t = 4 sqrt(eps) + r eps:
       then all singular values are proved within t^2 / 2 of 1, up to rounding. At most 6, which lift another decade.
    3. Singular values that are not at 1 by then count as zero, those of a rank-deficient G, which rounding makes 1e-7,
       among them: steps with the fixed points 0 and 1 remove them. Where G has full rank there are none of these.

    In float64 the first two may run twice, and the cut-off is near 1e-12. The number of steps adapts to each matrix;
    under ``vmap`` all wait for the last one, and a result does not depend on its neighbours. NaN stays NaN, 0 stays 0.

    Cost: the schedule's, one Newton-Schulz step (2 products) at full rank; some 20 to 30 more products below it.

    Args:
        G: matrix (r, c), r <= c.
        steps: the schedule.

    Example:
        >>> import jax.numpy as jnp
        >>> from modeconn.optim.schedules import PRODUCTS
        >>> lifted_isometry(jnp.array([[0.0, 2.0, 0.0], [0.0, 0.0, 0.0]]), PRODUCTS).round(6).tolist()
        [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]

    Reference: Nakatsukasa, Higham (2013), Stable and efficient spectral divide and conquer algorithms; for the third
    part McWeeny (1960), Some recent advances in density matrix theory.
    """
    X = G.astype(jnp.promote_types(G.dtype, jnp.float32))
    length = gauge_value(X.ravel(), 2.0)
    X = X / jnp.where(length == 0, 1, length)
    eps = float(jnp.finfo(X.dtype).eps)
    rounding = X.shape[0] * eps
    orthogonal, idempotent = 4 * eps ** (1 / 2) + rounding, eps ** (2 / 3) + rounding
    zero, far = jnp.zeros((), jnp.int32), jnp.full((), jnp.inf, X.dtype)

    def cubic(state: State) -> State:
        return state[0] + 1, *cubic_step(state[1])

    def once(state: State) -> State:
        X = _scheduled(state[1], steps)
        _, X, gap = jax.lax.while_loop(_unless(orthogonal, _CUBIC_STEPS), cubic, (zero, X, far))
        return state[0] + 1, X, gap

    def pure(state: State) -> State:
        return state[0] + 1, *_pure_step(state[1])

    _, X, gap = jax.lax.while_loop(_unless(orthogonal, _PASSES[X.dtype.name]), once, (zero, X, far))
    impure = jnp.where(gap > orthogonal, far, 0)
    _, X, _ = jax.lax.while_loop(_unless(idempotent, _PURE_STEPS), pure, (zero, X, impure))
    return X.astype(G.dtype)


def _unless(gap: float, steps: int) -> Callable[[State], Array]:
    """Return whether to go on: the gap is above this one, and fewer steps were made."""
    return lambda state: (state[2] > gap) & (state[0] < steps)
