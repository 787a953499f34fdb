"""The Hamiltonian of Lion (K = l1) and its one-step inequality (statement L2), exactly."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from proofs_check.exact.linear import inner, is_positive_semidefinite
from proofs_check.exact.lion_k import Quadratic
from proofs_check.exact.rational import ExactInputError, number_from, vector_from

__all__ = ["HamiltonianConstants", "HamiltonianStep", "hamiltonian_constants", "hamiltonian_step", "is_smooth"]


class HamiltonianConstants(NamedTuple):
    """The constants of statement L2: ``a = 1 + c lam`` weighs D1, ``b`` weighs D2, ``c`` the momentum in H."""

    a: Fraction
    b: Fraction
    c: Fraction


class HamiltonianStep(NamedTuple):
    """One implicit step and the two sides of the inequality ``after - before <= bound``.

    Attributes:
        before: H at time t.
        after: H at time t + 1.
        bound: ``-eps (a D1 + b D2) + (L_s eps**2 / 2) ||gradK(mt) - lam x'||**2``.
        descent_bound: the last term alone: what descent claims when D1, D2, a and b are at least 0.
        d1: D1.
        d2: D2.
        x: parameters at time t + 1.
        momentum: momentum (of minus the gradient) at time t + 1.
    """

    before: Fraction
    after: Fraction
    bound: Fraction
    descent_bound: Fraction
    d1: Fraction
    d2: Fraction
    x: list[Fraction]
    momentum: list[Fraction]

    @property
    def margin(self) -> Fraction:
        """Return ``bound - (after - before)``, negative when the inequality is violated."""
        return self.bound - (self.after - self.before)

    @property
    def descent_margin(self) -> Fraction:
        """Return ``descent_bound - (after - before)``, negative when descent is violated."""
        return self.descent_bound - (self.after - self.before)


def hamiltonian_constants(
    learning_rate: Fraction, weight_decay: Fraction, b1: Fraction, b2: Fraction
) -> HamiltonianConstants:
    """Return the constants of statement L2.

    ``s = eps lam (1 - b1) + 1 - b2``, ``c = eps b1 / s``, ``b = b1 (1 - b2) / ((b2 - b1) s)``, ``a = 1 + c lam``.

    Raises:
        ExactInputError: ``b1 = b2`` or ``s = 0``, where b or c is not defined.

    Example:
        >>> hamiltonian_constants(Fraction(1), Fraction(1), Fraction(1, 2), Fraction(3, 4))
        HamiltonianConstants(a=Fraction(5, 3), b=Fraction(2, 3), c=Fraction(2, 3))
    """
    s = learning_rate * weight_decay * (1 - b1) + 1 - b2
    if b1 == b2 or s == 0:
        raise ExactInputError("constants of L2: expected b1 != b2 and eps lam (1 - b1) + 1 - b2 != 0")
    c = learning_rate * b1 / s
    return HamiltonianConstants(1 + c * weight_decay, b1 * (1 - b2) / ((b2 - b1) * s), c)


def is_smooth(objective: Quadratic, smoothness: Any) -> bool:
    """Decide whether the gradient of the quadratic is Lipschitz with this constant: ``-L_s I <= Q <= L_s I``, exactly.

    Example:
        >>> F = Quadratic.of([[2, 1], [1, 2]], [0, 0])
        >>> is_smooth(F, 3), is_smooth(F, "2.999999999999999999999")
        (True, False)
    """
    bound = number_from(smoothness, "smoothness")

    def shifted(factor: int) -> list[list[Fraction]]:
        return [[bound * (i == j) + factor * q for j, q in enumerate(row)] for i, row in enumerate(objective.Q)]

    return is_positive_semidefinite(shifted(-1)) and is_positive_semidefinite(shifted(1))


def hamiltonian_step(
    x: Sequence[Any],
    momentum: Sequence[Any],
    objective: Quadratic,
    smoothness: Any,
    learning_rate: Any,
    weight_decay: Any,
    b1: Any,
    b2: Any,
    constants: HamiltonianConstants | None = None,
    with_domain: bool = True,
) -> HamiltonianStep:
    """Return one implicit Lion step with both sides of the inequality of L2, in exact arithmetic.

    With momentum of minus the gradient, ``mt = b1 m - (1 - b1) g``, ``m' = b2 m - (1 - b2) g``,
    ``x' = (x + eps sign(mt)) / (1 + eps lam)`` and ``H = F + c (||m||_1 - lam <m, x>)``: K* is the indicator of the
    box, hence 0 in it, and 0 is the subgradient of K* that is taken for gradK*.

    Args:
        x: parameters, a vector with ``lam |x_i| <= 1``.
        momentum: m.
        objective: F.
        smoothness: L_s; whether it is one for F is decided by :func:`is_smooth`, not here.
        learning_rate: eps > 0.
        weight_decay: lam > 0.
        b1: weight of m in mt.
        b2: weight of m in m'.
        constants: others than those of L2, for controls.
        with_domain: False leaves the indicator out of K*, so that x may lie outside the box: a control as well.

    Raises:
        ExactInputError: x outside the box (H is infinite there), a rate or decay not above 0.

    Example:
        >>> F = Quadratic.of([[1]], [0])
        >>> step = hamiltonian_step(["1/2"], [0], F, 1, "1/10", 1, "0.9", "0.99")
        >>> step.x, step.margin  # sharp: with Q = L_s I and m = 0 both estimates of the proof are equalities
        ([Fraction(4, 11)], Fraction(0, 1))

    Reference:
        Chen, Liu, Liang, Liu 2024, discrete phase II; statement L2.
    """
    point, m = vector_from(x, "x"), vector_from(momentum, "momentum")
    eps, lam, beta1, beta2, smooth = (
        number_from(value, name)
        for value, name in (
            (learning_rate, "learning_rate"),
            (weight_decay, "weight_decay"),
            (b1, "b1"),
            (b2, "b2"),
            (smoothness, "smoothness"),
        )
    )
    if eps <= 0 or lam <= 0:
        raise ExactInputError(f"step: expected learning_rate > 0 and weight_decay > 0, found {eps} and {lam}")
    if with_domain and any(lam * abs(entry) > 1 for entry in point):
        raise ExactInputError("x: expected weight_decay * |x_i| <= 1, where the Hamiltonian of l1 is finite")
    a, b, c = constants or hamiltonian_constants(eps, lam, beta1, beta2)

    def hamiltonian(at: list[Fraction], momentum_at: list[Fraction]) -> Fraction:
        return objective.value(at) + c * (sum(map(abs, momentum_at), Fraction(0)) - lam * inner(momentum_at, at))

    gradient = objective.gradient(point)
    mixed = [beta1 * v - (1 - beta1) * g for v, g in zip(m, gradient, strict=True)]
    m_next = [beta2 * v - (1 - beta2) * g for v, g in zip(m, gradient, strict=True)]
    direction = [_sign(v) for v in mixed]
    x_next = [(v + eps * s) / (1 + eps * lam) for v, s in zip(point, direction, strict=True)]
    gap = [s - lam * v for s, v in zip(direction, x_next, strict=True)]
    turn = [s - _sign(v) for s, v in zip(direction, m_next, strict=True)]
    d1 = inner(gap, mixed)
    d2 = inner(turn, [u - v for u, v in zip(mixed, m_next, strict=True)])
    square = smooth * eps * eps / 2 * inner(gap, gap)
    return HamiltonianStep(
        before=hamiltonian(point, m),
        after=hamiltonian(x_next, m_next),
        bound=-eps * (a * d1 + b * d2) + square,
        descent_bound=square,
        d1=d1,
        d2=d2,
        x=x_next,
        momentum=m_next,
    )


def _sign(x: Fraction) -> Fraction:
    return Fraction((x > 0) - (x < 0))
