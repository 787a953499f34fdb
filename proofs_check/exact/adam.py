"""Adam, AdamW and AMSGrad on scalar gradient sequences with rigorous intervals, and the regret of linear losses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from proofs_check.exact.interval import BITS, Interval, Scalar, enclosure, maximum, minimum, square_root
from proofs_check.exact.rational import ExactInputError, number_from, vector_from

__all__ = ["adam_trajectory", "inverse_sqrt_rate", "linear_regret"]


def inverse_sqrt_rate(alpha: Any, bits: int = BITS) -> Callable[[int], Scalar]:
    """Return the schedule ``t -> alpha / sqrt(t)``, t = 1, 2, ...

    Example:
        >>> inverse_sqrt_rate("1/2")(4)
        Fraction(1, 4)
    """
    exact = number_from(alpha, "alpha")
    return lambda t: exact / square_root(Fraction(t), bits)


def adam_trajectory(
    x0: Any,
    gradients: Sequence[Any],
    learning_rate: Any | Callable[[int], Scalar],
    b1: Any = "0.9",
    b2: Any = "0.999",
    epsilon: Any = 0,
    weight_decay: Any = 0,
    bias_correction: bool = True,
    amsgrad: bool = False,
    bounds: tuple[Any, Any] | None = None,
    bits: int = BITS,
) -> list[Interval]:
    """Return intervals around x at times 0, 1, ..., T.

    ``m = b1 m + (1-b1) g``, ``v = b2 v + (1-b2) g**2``, under bias correction over ``1 - b1**t`` and ``1 - b2**t``;
    ``x' = x - eta (m / (sqrt(v) + epsilon) + lam x)``, then projected on ``bounds``. AMSGrad puts the largest v so far
    (after bias correction, if any) in place of v. While every m and v has been 0 the quotient counts as 0.

    Args:
        x0: start.
        gradients: the gradient of every step.
        learning_rate: eta: a number, or a function of t = 1, 2, ...
        b1: decay of the first moment.
        b2: decay of the second moment.
        epsilon: added to the root; 0 is the algorithm of the convergence theorems.
        weight_decay: lam, decoupled.
        bias_correction: whether to divide by ``1 - b**t``.
        amsgrad: whether v never decreases.
        bounds: (low, high) to project on, or None.
        bits: significant bits kept.

    Raises:
        ExactInputError: numbers that do not fit; bounds in the wrong order.

    Example:
        >>> path = adam_trajectory(0, [1, 1], learning_rate="1/8", b1=0, b2=0)  # then a step is eta sign(g)
        >>> [(x.lower, x.upper) for x in path[1:]]
        [(Fraction(-1, 8), Fraction(-1, 8)), (Fraction(-1, 4), Fraction(-1, 4))]

    Reference:
        Reddi, Kale, Kumar 2018, Algorithms 1 and 2, Theorem 1 (no bias correction, epsilon = 0, projection).
    """
    beta1, beta2, eps, lam = (
        number_from(value, name)
        for value, name in ((b1, "b1"), (b2, "b2"), (epsilon, "epsilon"), (weight_decay, "weight_decay"))
    )
    if not (0 <= beta1 < 1 and 0 <= beta2 < 1 and eps >= 0):
        raise ExactInputError(f"adam: expected 0 <= b1, b2 < 1 and epsilon >= 0, found {beta1}, {beta2} and {eps}")
    box = None if bounds is None else (number_from(bounds[0], "bounds[0]"), number_from(bounds[1], "bounds[1]"))
    if box and box[0] > box[1]:
        raise ExactInputError(f"bounds: expected (low, high) with low <= high, found {box[0]} > {box[1]}")
    if callable(learning_rate):
        rate = learning_rate
    else:
        constant = number_from(learning_rate, "learning_rate")
        rate = lambda t: constant  # noqa: E731
    x, m, v, largest = (Interval.point(value, bits) for value in (number_from(x0, "x0"), 0, 0, 0))
    path = [x]
    for t, g in enumerate(vector_from(gradients, "gradients") if len(gradients) else [], start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        first, second = (m / (1 - beta1**t), v / (1 - beta2**t)) if bias_correction else (m, v)
        if amsgrad:
            second = largest = enclosure(maximum(largest, second))
        root = enclosure(square_root(second)) + eps
        step = first if first.is_point and first.lower == 0 else first / root
        x = x - (step + lam * x) * rate(t)
        if box:
            x = enclosure(minimum(maximum(x, box[0]), box[1]))
        path.append(x)
    return path


def linear_regret(points: Sequence[Scalar], slopes: Sequence[Any], low: Any, high: Any) -> Interval:
    """Return an interval around the regret ``sum_t g_t x_t - min_{low <= x <= high} sum_t g_t x`` of linear losses.

    Args:
        points: x_1, ..., x_T: the point played *before* the gradient of step t is used.
        slopes: g_1, ..., g_T.
        low: left end of the decision set.
        high: right end.

    Example:
        >>> linear_regret([Fraction(1), Fraction(1)], [1, -3], -1, 1)
        Interval(lower=Fraction(0, 1), upper=Fraction(0, 1), bits=128)
    """
    gradients = vector_from(slopes, "slopes")
    if len(gradients) != len(points):
        raise ExactInputError(f"points: expected {len(gradients)}, one for each slope, found {len(points)}")
    whole = sum(gradients)
    best = min(whole * number_from(low, "low"), whole * number_from(high, "high"))
    played = sum((enclosure(x) * g for x, g in zip(points, gradients, strict=True)), Interval.point(0))
    return played - best
