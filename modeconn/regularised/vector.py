"""Several outputs: optima are joined by paths of optima once the width is n c + 1 (c outputs).

A neuron (w, a), scaled as sqrt(t) (w, a), adds t relu(X w) a^T to the fit and t |w| |a| to half of its squared norms
when balanced. With the directions of two optima as columns, both are amounts t >= 0 of one fit F* and one cost; the
cost is constant over all amounts that fit (it is <nu*, F*> / beta), so every walk among them stays optimal.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from modeconn.errors import InputError
from modeconn.regularised.slots import Arrangement, arrange, rearrange
from modeconn.regularised.walk import minimise, reduce_support
from modeconn.topology.bounds import sqrt_above
from modeconn.topology.points import dot

__all__ = ["VectorNeuron", "VectorPath", "connect_vector_nets", "vector_cost", "vector_fit"]

Vector = tuple[Fraction, ...]


class VectorNeuron(NamedTuple):
    """A neuron with several outputs: t relu(x . w) a."""

    w: Vector
    a: Vector
    t: Fraction


VectorNet = tuple[VectorNeuron, ...]


class VectorPath(NamedTuple):
    """Nodes of a path; between consecutive ones every neuron keeps (w, a), or has t = 0 at one end."""

    nets: tuple[VectorNet, ...]


def _feature(X: Sequence[Vector], neuron: VectorNeuron) -> Vector:
    """Return relu(X w) a^T, row by row (n c,)."""
    hidden = [max(dot(x, neuron.w), Fraction(0)) for x in X]
    return tuple(h * a for h in hidden for a in neuron.a)


def vector_fit(X: Sequence[Vector], net: VectorNet) -> Vector:
    """Return sum_j t_j relu(X w_j) a_j^T, row by row (n c,)."""
    parts = [[neuron.t * v for v in _feature(X, neuron)] for neuron in net]
    return tuple(sum(column, Fraction(0)) for column in zip(*parts, strict=True))


def vector_cost(net: VectorNet) -> Fraction:
    """Return sum_j t_j |w_j| |a_j|, from above where a root is irrational."""
    return sum((n.t * sqrt_above(dot(n.w, n.w) * dot(n.a, n.a)) for n in net), Fraction(0))


def connect_vector_nets(X: Sequence[Vector], start: VectorNet, end: VectorNet) -> VectorPath:
    """Return a path between two optimal nets of one width m >= n c + 1 along which the fit is constant, exactly.

    Both ends reduce to independent features, at most n c; a simplex walk along edges, at most n c + 1 at a time, takes
    one to the other; an empty neuron puts them in order. If both ends are optimal, so is the path.

    Args:
        X: rows (n, d).
        start: neurons (m).
        end: neurons (m) of the same fit.

    Raises:
        InputError: fits or widths differ, or the width is too small for these two nets.

    Example:
        >>> one, zero = Fraction(1), Fraction(0)
        >>> X = ((one, zero), (zero, one))
        >>> off = VectorNeuron((one, one), (one, one), zero)
        >>> start = (VectorNeuron((one, zero), (one, zero), one), VectorNeuron((zero, one), (zero, one), one), off)
        >>> path = connect_vector_nets(X, start, (start[1], start[0], off))
        >>> {vector_fit(X, net) for net in path.nets} == {vector_fit(X, start)}
        True

    Reference: Kim, Mishkin and Pilanci 2025, Theorem on vector outputs; claim K5.
    """
    if len(start) != len(end) or vector_fit(X, start) != vector_fit(X, end):
        raise InputError(
            "end: expected a net of the same width and the same fit as the start, found another; see vector_fit"
        )
    neurons = (*start, *end)
    columns = [_feature(X, neuron) for neuron in neurons]
    m, ones = len(start), [Fraction(1)] * len(neurons)
    first = reduce_support(columns, ones, [n.t for n in start] + [Fraction(0)] * m)
    last = reduce_support(columns, ones, [Fraction(0)] * m + [n.t for n in end])
    kept = [k for k, amount in enumerate(last[-1]) if amount]
    first += minimise(columns, [Fraction(k not in kept) for k in range(2 * m)], first[-1])[1:]
    from_start = arrange(first, tuple(enumerate(n.t for n in start)))
    from_end = arrange(last, tuple((m + j, n.t) for j, n in enumerate(end)))
    path = [*from_start, *rearrange(from_start[-1], from_end[-1]), *reversed(from_end)]
    return VectorPath(tuple(_net(slots, neurons) for slots in path))


def _net(slots: Arrangement, neurons: Sequence[VectorNeuron]) -> VectorNet:
    return tuple(neurons[k]._replace(t=amount) if amount else neurons[0]._replace(t=Fraction(0)) for k, amount in slots)
