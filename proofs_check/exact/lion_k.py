"""Lion-K steps in exact arithmetic, or rigorously enclosed: what confirms a violation found in floats."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from proofs_check.exact.interval import BITS, Interval, Scalar, absolute, enclosure, maximum, square_root
from proofs_check.exact.linear import inner, matrix_vector
from proofs_check.exact.potentials import ExactPotential, Matrix, norm, total
from proofs_check.exact.rational import ExactInputError, matrix_from, number_from, vector_from

__all__ = [
    "DECAYS",
    "LionKState",
    "Quadratic",
    "distance_to_ball",
    "exact_matrix",
    "lion_k_step",
    "lion_k_trajectory",
    "squared_distance_to_ball",
]

DECAYS = ("explicit", "implicit", "coupled")
"""``explicit``: x' = (1 - eps lam) x - eps gradK(c); ``implicit``: x' = (x - eps gradK(c)) / (1 + eps lam);
``coupled``: no decay of x, but g + lam x in place of the gradient g (an L2 penalty, not a constraint)."""


class LionKState(NamedTuple):
    """Parameters and momentum; the momentum tracks the gradient (not its negative) and starts at 0."""

    x: Matrix
    momentum: Matrix


class Quadratic(NamedTuple):
    """The convex quadratic ``1/2 <x, Q x> - <b, x>`` of a vector x, with exact numbers.

    Example:
        >>> F = Quadratic.of([[2, 0], [0, 1]], [1, 0])
        >>> F.value([Fraction(1), Fraction(1)]), F.gradient([Fraction(1), Fraction(1)])
        (Fraction(1, 2), [Fraction(1, 1), Fraction(1, 1)])
    """

    Q: list[list[Fraction]]
    b: list[Fraction]

    @staticmethod
    def of(Q: Any, b: Any) -> Quadratic:
        """Return the quadratic of a symmetric k x k matrix and a vector of any accepted numbers."""
        rows, linear = matrix_from(Q, "Q"), vector_from(b, "b")
        size = len(linear)
        if [len(row) for row in rows] != [size] * size or any(
            rows[i][j] != rows[j][i] for i in range(size) for j in range(i)
        ):
            raise ExactInputError(f"Q: expected a symmetric {size} x {size} matrix")
        return Quadratic(rows, linear)

    def value(self, x: Sequence[Fraction]) -> Fraction:
        """Return ``1/2 <x, Q x> - <b, x>``."""
        return inner(x, matrix_vector(self.Q, x)) / 2 - inner(self.b, x)

    def gradient(self, x: Sequence[Any]) -> list[Any]:
        """Return ``Q x - b``, for numbers or intervals."""
        return [
            sum((q * t for q, t in zip(row, x, strict=True)), Fraction(0)) - c
            for row, c in zip(self.Q, self.b, strict=True)
        ]


def exact_matrix(values: Any, name: str = "matrix", bits: int | None = None) -> Matrix:
    """Return numbers as a :data:`Matrix`; a vector becomes one row.

    Args:
        values: a vector or a matrix.
        name: what it is called in the error.
        bits: None for fractions, else intervals of so many bits.

    Example:
        >>> exact_matrix([1, "1/2"])
        ((Fraction(1, 1), Fraction(1, 2)),)
    """
    values = values.tolist() if hasattr(values, "tolist") else values
    nested = isinstance(values, list | tuple) and bool(values) and isinstance(values[0], list | tuple)
    rows = matrix_from(values, name) if nested else [vector_from(values, name)]
    return tuple(tuple(entry if bits is None else enclosure(entry, bits) for entry in row) for row in rows)


def lion_k_step(
    state: LionKState,
    gradient: Matrix,
    potential: ExactPotential,
    learning_rate: Fraction,
    weight_decay: Fraction,
    b1: Fraction,
    b2: Fraction,
    decay: str = "explicit",
) -> LionKState:
    """Return the state after one step.

    ``c = b1 m + (1 - b1) g``, ``m' = b2 m + (1 - b2) g``; x moves along ``-gradK(c)`` as :data:`DECAYS` says. Exact if
    the state, the gradient and gradK are; otherwise every number is an interval that contains the true one.

    Raises:
        ExactInputError: an unknown form of decay, shapes that do not fit.

    Example:
        >>> from proofs_check.exact.potentials import exact_potential
        >>> zero = exact_matrix([0])
        >>> rates = [Fraction(1), Fraction(0), Fraction(0), Fraction(0)]
        >>> step = lion_k_step(LionKState(zero, zero), exact_matrix([5]), exact_potential("l1"), *rates)
        >>> step.x, step.momentum
        (((Fraction(-1, 1),),), ((Fraction(5, 1),),))
    """
    if decay not in DECAYS:
        raise ExactInputError(f"decay: expected one of {', '.join(DECAYS)}, found {decay!r}")
    x, momentum = state
    if _shape(x) != _shape(gradient):
        raise ExactInputError(f"gradient: expected shape {_shape(x)}, found {_shape(gradient)}")
    if decay == "coupled":
        gradient = _combine(gradient, Fraction(1), x, weight_decay)
    direction = potential.gradient(_combine(momentum, b1, gradient, 1 - b1))
    if decay == "explicit":
        x = _combine(x, 1 - learning_rate * weight_decay, direction, -learning_rate)
    elif decay == "implicit":
        shrink = 1 / (1 + learning_rate * weight_decay)
        x = _combine(x, shrink, direction, -learning_rate * shrink)
    else:
        x = _combine(x, Fraction(1), direction, -learning_rate)
    return LionKState(x, _combine(momentum, b2, gradient, 1 - b2))


def lion_k_trajectory(
    x0: Any,
    gradients: Sequence[Any] | Quadratic,
    potential: ExactPotential,
    learning_rate: Any,
    weight_decay: Any = 0,
    b1: Any = "0.9",
    b2: Any = "0.99",
    decay: str = "explicit",
    steps: int | None = None,
    momentum: Any = None,
    bits: int | None = None,
) -> list[LionKState]:
    """Return the states at times 0, 1, ..., T.

    Args:
        x0: vector or matrix of the parameters.
        gradients: the gradients of steps 1..T, each shaped like ``x0``; or a quadratic of the vector x.
        potential: K, from :func:`~proofs_check.exact.potentials.exact_potential`.
        learning_rate: one number, or one for each step.
        weight_decay: lam >= 0.
        b1: weight of the momentum in the step.
        b2: weight of the momentum in its own update. Strings are decimals, floats the dyadic numbers they store.
        decay: a name in :data:`DECAYS`.
        steps: T; needed for a quadratic.
        momentum: momentum at time 0 (default 0).
        bits: None computes in fractions, which grow with every step; a number gives intervals of so many bits.

    Raises:
        ExactInputError: numbers, shapes or counts that do not fit.

    Example:
        >>> from proofs_check.exact.potentials import exact_potential
        >>> path = lion_k_trajectory([4], [[1]] * 3, exact_potential("l1"), learning_rate="1/2", weight_decay=1)
        >>> [state.x[0][0] for state in path]  # x' = x/2 - 1/2 tends to -1, the edge of the ball of radius 1/lam
        [Fraction(4, 1), Fraction(3, 2), Fraction(1, 4), Fraction(-3, 8)]
    """
    start = exact_matrix(x0, "x0", bits)
    count = len(gradients) if steps is None and not isinstance(gradients, Quadratic) else steps
    if count is None or count < 0 or (not isinstance(gradients, Quadratic) and count > len(gradients)):
        raise ExactInputError(f"steps: expected a number of steps for which there are gradients, found {steps}")
    if isinstance(learning_rate, list | tuple):
        rates = vector_from(learning_rate, "learning_rate")
    else:
        rates = [number_from(learning_rate, "learning_rate")] * count
    if len(rates) < count:
        raise ExactInputError(f"learning_rate: expected {count} numbers, one for each step, found {len(rates)}")
    lam, weight1, weight2 = (
        number_from(v, name) for v, name in ((weight_decay, "weight_decay"), (b1, "b1"), (b2, "b2"))
    )
    zero = tuple(tuple(0 * entry for entry in row) for row in start)
    state = LionKState(start, zero if momentum is None else exact_matrix(momentum, "momentum", bits))
    states = [state]
    for t in range(count):
        if isinstance(gradients, Quadratic):
            gradient: Matrix = (tuple(gradients.gradient(state.x[0])),)
        else:
            gradient = exact_matrix(gradients[t], f"gradients[{t}]", bits)
        state = lion_k_step(state, gradient, potential, rates[t], lam, weight1, weight2, decay)
        states.append(state)
    return states


def squared_distance_to_ball(x: Matrix, radius: Fraction, ball: str, bits: int = BITS) -> Scalar:
    """Return the squared Euclidean distance to ``{||x|| <= radius}``, exact unless ``l2`` meets an irrational norm.

    Args:
        x: vector (one row) or matrix.
        radius: at least 0.
        ball: ``"linf"`` (entrywise) or ``"l2"`` (all entries together).
        bits: significant bits of an irrational norm.

    Raises:
        ExactInputError: another ball.

    Example:
        >>> squared_distance_to_ball(exact_matrix([3, 4]), Fraction(1), "linf")
        Fraction(13, 1)
        >>> squared_distance_to_ball(exact_matrix([3, 4]), Fraction(1), "l2")
        Fraction(16, 1)
    """
    if ball == "linf":
        return total(x, lambda entry: _squared(maximum(absolute(entry) - radius, 0)))
    if ball == "l2":
        return _squared(maximum(norm(x, bits) - radius, 0))
    raise ExactInputError(f"ball: expected 'linf' or 'l2', found {ball!r}")


def distance_to_ball(x: Matrix, radius: Fraction, ball: str, bits: int = BITS) -> Scalar:
    """Return the Euclidean distance itself: the root of :func:`squared_distance_to_ball`, often an interval.

    Example:
        >>> distance_to_ball(exact_matrix([3, 4]), Fraction(1), "l2")
        Fraction(4, 1)
    """
    if ball == "l2":
        return maximum(norm(x, bits) - radius, 0)
    return square_root(squared_distance_to_ball(x, radius, ball, bits), bits)


def _squared(x: Scalar) -> Scalar:
    return x.square() if isinstance(x, Interval) else x * x


def _shape(x: Matrix) -> tuple[int, int]:
    return len(x), len(x[0])


def _combine(x: Matrix, p: Fraction, y: Matrix, q: Fraction) -> Matrix:
    """Return ``p x + q y``."""
    return tuple(tuple(a * p + b * q for a, b in zip(*rows, strict=True)) for rows in zip(x, y, strict=True))
