"""Sums of ReLU neurons as functions: equality with a teacher decided exactly, from the neurons alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction

__all__ = ["canonical_form", "is_on_axes", "is_same_ray", "is_segment_minimal", "is_teacher"]

Neurons = Sequence[Sequence[Fraction]]
"""One neuron a row, (m, d)."""


def canonical_form(W: Neurons) -> tuple[tuple[Fraction, ...], dict[tuple[Fraction, ...], Fraction]]:
    r"""Return what determines the function x -> sum_i relu(w_i . x): its linear part and its weight on every line.

    $$\sum_i \mathrm{relu}(w_i \cdot x)
      = \tfrac12 \Bigl(\sum_i w_i\Bigr) \cdot x + \tfrac12 \sum_\ell c_\ell\, |\ell \cdot x|,$$

    over the lines that carry neurons, ell the point of a line whose first nonzero coordinate is 1, c_ell the total
    length of the neurons on it in units of ell. Only |ell . x| has a kink across the hyperplane of ell, so two sums
    are the same function, on all of R^d and just as well on its unit sphere, iff the two forms are equal.

    Example:
        >>> one = Fraction(1)
        >>> canonical_form([[2 * one, one], [-one, -one / 2]])
        ((Fraction(1, 1), Fraction(1, 2)), {(Fraction(1, 1), Fraction(1, 2)): Fraction(3, 1)})

    Reference: claim G1.
    """
    weights: dict[tuple[Fraction, ...], Fraction] = defaultdict(Fraction)
    for w in W:
        lead = next((entry for entry in w if entry), None)
        if lead is not None:
            weights[tuple(Fraction(entry) / lead for entry in w)] += abs(lead)
    return tuple(sum(column, Fraction(0)) for column in zip(*W, strict=True)), dict(weights)


def is_teacher(W: Neurons, M: int) -> bool:
    """Return whether sum_i relu(w_i . x) is the teacher sum_{j <= M} relu(x_j), for all x.

    Equivalently, whether the population loss is 0: the inputs have full support and both functions are continuous.

    Example:
        >>> half = Fraction(1, 2)
        >>> is_teacher([[half, 0], [0, 1], [half, 0]], 2), is_teacher([[half, half], [half, half]], 2)
        (True, False)
    """
    d = len(W[0])
    return canonical_form(W) == canonical_form([[Fraction(int(i == j)) for i in range(d)] for j in range(M)])


def is_on_axes(W: Neurons, M: int) -> bool:
    """Return whether every neuron is 0 or alpha e_j with alpha > 0 and j <= M, and every column j <= M sums to 1.

    Example:
        >>> is_on_axes([[2, 0], [-1, 0], [0, 1]], 2)
        False
    """
    for w in W:
        support = [j for j, entry in enumerate(w) if entry]
        if len(support) > 1 or any(j >= M or w[j] < 0 for j in support):
            return False
    return all(sum(w[j] for w in W) == 1 for j in range(M))


def is_same_ray(u: Sequence[Fraction], v: Sequence[Fraction]) -> bool:
    """Return whether one of two vectors is a nonnegative multiple of the other; 0 lies on every ray."""
    if not any(u) or not any(v):
        return True
    k = next(i for i, entry in enumerate(u) if entry)
    return u[k] * v[k] > 0 and all(a * v[k] == b * u[k] for a, b in zip(u, v, strict=True))


def is_segment_minimal(W0: Neurons, W1: Neurons, M: int) -> bool:
    """Return whether the straight segment is shown to consist of minima, by an argument that needs no theorem.

    Both ends are the teacher, and every neuron stays on one ray: then relu((1 - t) u + t v) is affine in t, so the
    network at t is the same mixture of the teacher with itself. (By Lemma 7 there are no other segments of minima.)
    """
    return is_teacher(W0, M) and is_teacher(W1, M) and all(map(is_same_ray, W0, W1))
