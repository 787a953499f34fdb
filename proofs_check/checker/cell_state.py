"""One state of a net with one output in the coordinates (u, beta, s), and the exact test that it lies in a region.

Neuron j has alpha_j = s_j sqrt(beta_j), s_j = 1 or -1, and w_j = u_j / sqrt(beta_j); at beta_j = 0 both are 0, and u_j
must be. It contributes s_j relu(X u_j) to the prediction. Each ball is a condition on (u, beta) that is jointly convex:

    W linf    u_jk^2 <= r^2 beta_j for every entry
    A linf    beta_j <= r^2
    others    the tests of :mod:`proofs_check.checker.wide_region` of W W^T = sum_j u_j u_j^T / beta_j and
              |alpha|^2 = sum_j beta_j: u u^T / beta is operator convex, each test convex and monotone in them.

The quotients are first rounded up, to u_j u_j^T q_j with q_j >= 1 / beta_j, a matrix above the true one; what this does
not settle is decided exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import Any, NamedTuple

from proofs_check.checker.frame import CertificateError
from proofs_check.checker.narrow_read import items, rational, vector
from proofs_check.checker.wide_region import Constraint, Gram, holds
from proofs_check.exact.psd import gram

__all__ = ["ZERO_SIGN", "CellNeuron", "State", "find_violation", "read_neuron"]

ZERO_SIGN = 1
"""Sign of a neuron at beta = 0, where it has no meaning."""

_QUOTIENT_BITS = 256  # 1 / beta is rounded up to a multiple of 2**-256
_LCM_BITS = 100_000  # of the exact test: a sum of fractions with longer denominators takes too long


class CellNeuron(NamedTuple):
    """One neuron: u (d), beta >= 0 and the sign."""

    u: tuple[Fraction, ...]
    beta: Fraction
    s: int


class State(NamedTuple):
    """The neurons of a net in integers, ``u / scale_u`` and ``beta / scale_beta``."""

    u: Sequence[Sequence[int]]
    beta: Sequence[int]
    scale_u: int
    scale_beta: int


def read_neuron(value: Any, what: str, inputs: int) -> CellNeuron:
    """Return a neuron from its JSON values ``[["u", ...], "beta", s]``.

    Raises:
        CertificateError: malformed; beta < 0; beta = 0 with u != 0, which no weights have.

    Example:
        >>> read_neuron([["1/2", "0"], "2", -1], "a neuron", 2).s
        -1
    """
    u, beta, s = items(value, what, 3)
    found = CellNeuron(vector(u, f"{what}, u", inputs), rational(beta, f"{what}, beta"), s)
    if type(s) is not int or s not in (1, -1):
        raise CertificateError(f"{what}: expected the sign 1 or -1")
    if found.beta < 0 or (found.beta == 0 and any(found.u)):
        raise CertificateError(f"{what}: expected beta > 0, or beta = 0 and u = 0")
    return found


def find_violation(state: State, region: Sequence[Constraint], growth: Fraction = Fraction(1)) -> str | None:
    """Return the name of a ball that the net is not in, its radius times ``growth``; None if it is in all of them.

    Cost: O(m d^2) integer operations; the exact test is longer by a factor of up to m.

    Raises:
        CertificateError: the exact test is needed and would take too long.

    Example:
        >>> from proofs_check.checker.wide_region import read_region
        >>> state = State(u=[[1, 0], [0, 2]], beta=[1, 1], scale_u=1, scale_beta=1)
        >>> find_violation(state, read_region({"norm": "spectral", "radius": 2}))
        >>> find_violation(state, read_region({"W": {"norm": "linf", "radius": 2}, "A": {"norm": "linf", "radius": 1}}))
        >>> find_violation(state, read_region({"W": {"norm": "frobenius", "radius": 2}}))
        'the frobenius ball of W'
    """
    A = Gram([[sum(state.beta)]], state.scale_beta)
    above: Gram | None = None
    exact: Gram | None = None
    for ball in region:
        if ball.norm == "linf":
            inside = _in_box(state, ball, growth)
        elif ball.leaf == "A":
            inside = holds(ball, A, A, growth)
        else:
            above = above or _gram_above(state)
            inside = holds(ball, above, A, growth)
            if not inside:
                exact = exact or _gram_exactly(state)
                inside = holds(ball, exact, A, growth)
        if not inside:
            return ball.name
    return None


def _in_box(state: State, ball: Constraint, growth: Fraction) -> bool:
    """Decide the entrywise ball: u_k^2 <= r^2 beta, or beta <= r^2."""
    square = (growth * ball.radius) ** 2
    if ball.leaf == "A":
        return all(beta * square.denominator <= square.numerator * state.scale_beta for beta in state.beta)
    left = state.scale_beta * square.denominator
    right = square.numerator * state.scale_u * state.scale_u
    return all(
        max(map(abs, u), default=0) ** 2 * left <= right * beta for u, beta in zip(state.u, state.beta, strict=True)
    )


def _gram_above(state: State) -> Gram:
    """Return a matrix that exceeds W W^T by a positive semidefinite one: every 1 / beta is rounded up."""
    top = state.scale_beta << _QUOTIENT_BITS
    live = [(u, -(-top // beta)) for u, beta in zip(state.u, state.beta, strict=True) if beta]
    entries = gram([u for u, _ in live], [quotient for _, quotient in live], len(state.u[0]))
    return Gram(entries, state.scale_u**2 << _QUOTIENT_BITS)


def _gram_exactly(state: State) -> Gram:
    """Return W W^T."""
    size = len(state.u[0])
    terms: list[list[Fraction]] = []  # the upper triangle of u u^T / beta, row by row
    scale = 1
    for u, beta in zip(state.u, state.beta, strict=True):
        if not any(u):
            continue
        terms.append([Fraction(u[i] * u[j] * state.scale_beta, beta) for i in range(size) for j in range(i, size)])
        scale = lcm(scale, *(term.denominator for term in terms[-1]))
        if scale.bit_length() > _LCM_BITS:
            raise CertificateError(
                "W lies outside its ball or very near the boundary, and the exact test is too long: widen radius_slack"
            )
    flat = [sum(term.numerator * (scale // term.denominator) for term in column) for column in zip(*terms, strict=True)]
    values = iter(flat or [0] * (size * size))
    entries = [[0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i, size):
            entries[i][j] = entries[j][i] = next(values)
    return Gram(entries, scale * state.scale_u**2)
