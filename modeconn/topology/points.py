"""u-points: nets in the coordinates u_j = |alpha_j| w_j, in which every cell of a level set is convex.

A net of width m is m neurons (u_j, s_j) with f(x) = sum_j s_j relu(x . u_j). The nets over one u-point are
(w_j, alpha_j) with |alpha_j| w_j = u_j and sign s_j: a connected set, so nothing about connectivity is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from modeconn.cells.rational import as_fraction, fraction_text
from modeconn.errors import InputError
from modeconn.nets import Net, check_net
from modeconn.topology.problem import Problem, Vector

__all__ = ["Neuron", "Point", "is_same_cell", "lift", "point_from_json", "point_loss", "point_of_net", "point_to_json"]


class Neuron(NamedTuple):
    """One neuron: u (d,) and the sign of its output weight."""

    u: Vector
    s: int

    @property
    def is_zero(self) -> bool:
        """Whether the neuron contributes nothing anywhere."""
        return not any(self.u)


Point = tuple[Neuron, ...]


def dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    """Return the exact inner product, without work for zero entries."""
    return sum((x * y for x, y in zip(a, b, strict=True) if x and y), Fraction(0))


def predictions(problem: Problem, point: Point) -> list[Fraction]:
    """Return the n exact predictions of a u-point."""
    return [sum((n.s * max(dot(x, n.u), Fraction(0)) for n in point), Fraction(0)) for x in problem.X]


def point_loss(problem: Problem, point: Point) -> Fraction:
    """Return the exact half squared error of a u-point.

    Example:
        >>> from modeconn.topology import problem_from_json
        >>> problem = problem_from_json({"X": [[1], [-1]], "y": [1, 1]})
        >>> point_loss(problem, (Neuron((Fraction(1, 2),), 1),))
        Fraction(5, 8)
    """
    return sum(((f - y) ** 2 for f, y in zip(predictions(problem, point), problem.y, strict=True)), Fraction(0)) / 2


def is_same_cell(problem: Problem, first: Point, second: Point) -> bool:
    """Return whether one closed cell holds both points, neuron by neuron: the segment between them is then in it."""
    for a, b in zip(first, second, strict=True):
        if not a.is_zero and not b.is_zero and a.s != b.s:
            return False
        if any(dot(x, a.u) * dot(x, b.u) < 0 for x in problem.X):
            return False
    return True


def point_of_net(problem: Problem, net: Net) -> Point:
    """Return the exact u-point of a net: every float is a dyadic rational, and products of rationals are exact.

    Raises:
        InputError: the net has biases, more than one output, another input dimension, or output weights that the
            problem fixes.
    """
    check_net(net)
    if net.b is not None:
        raise InputError("net: expected no biases, found some; append a constant column to X (fold_bias does both)")
    W = np.asarray(net.W)
    A = np.ones((1, W.shape[1])) if net.A is None else np.asarray(net.A)
    if W.shape[0] != problem.dimension or A.shape[0] != 1:
        raise InputError(
            f"net: expected {problem.dimension} inputs and one output, found {W.shape[0]} and {A.shape[0]}; "
            "choose the net that belongs to the problem"
        )
    if problem.output_weights == "fixed" and (A != 1).any():
        raise InputError('net: expected output weights +1 (the problem fixes them), found others; use "free"')
    neurons = []
    for w, alpha in zip(W.T.tolist(), A[0].tolist(), strict=True):
        scale = abs(Fraction(alpha))
        neurons.append(Neuron(tuple(scale * Fraction(v) for v in w), -1 if alpha < 0 else 1))
    return tuple(neurons)


def lift(point: Point, *, fixed: bool = False) -> Net:
    """Return the net (W, A) = (u, s) over a u-point, in floats.

    Along a u-segment inside a cell these nets run along a straight segment of parameter space, so a list of u-points
    lifts to a polyline. (A neuron that changes sign passes through u = 0, where alpha moves from s to -s first; see
    :func:`modeconn.topology.lift_path`.)

    Args:
        point: the u-point.
        fixed: leave A out (output weights fixed at +1).
    """
    W: Any = np.array([[float(v) for v in neuron.u] for neuron in point]).T
    A: Any = None if fixed else np.array([[float(neuron.s) for neuron in point]])
    return Net(W, A)


def point_to_json(point: Point) -> list[dict[str, Any]]:
    """Return ``[{"u": ["p/q", ...], "s": 1}, ...]``."""
    return [{"u": [fraction_text(v) for v in neuron.u], "s": neuron.s} for neuron in point]


def point_from_json(data: Any) -> Point:
    """Return the u-point written by :func:`point_to_json`.

    Raises:
        InputError: it is no list of neurons.
    """
    try:
        neurons = [Neuron(tuple(as_fraction(v, "u") for v in item["u"]), item["s"]) for item in data]
    except (TypeError, KeyError) as error:
        raise InputError(f'point: expected a list of {{"u": [...], "s": 1 or -1}}, found {data!r}') from error
    if not all(neuron.s in (1, -1) for neuron in neurons):
        raise InputError("point: expected signs 1 or -1; write one a neuron")
    return tuple(neurons)
