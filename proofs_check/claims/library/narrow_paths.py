"""Paths between two nets, found by trial: what a path finder would report, evaluated exactly.

A path is a list of nodes in u-coordinates (u_j = |alpha_j| w_j); between two nodes the u_j move straight. A neuron
whose sign differs at the ends is zero at the middle node. The largest loss of such a path is exact: along a straight
piece every prediction is affine between the points where some x_i . u_j changes sign, so the loss is convex there, and
so is the ridge term of a problem that has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np

from modeconn.topology import Neuron, Point, Problem
from modeconn.topology.bounds import objective_bounds
from proofs_check.exact.piecewise import segment_loss

__all__ = ["find_path", "parameter_segment_loss", "path_loss"]

GRID = 2**12
"""Nodes found in floats are rounded to multiples of 1/GRID."""


def _inner(x: Sequence[Fraction], u: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(x, u, strict=True)), Fraction(0))


def _segment_losses(problem: Problem, start: Point, end: Point) -> list[Fraction]:
    """Return the losses at all sign changes of a straight piece: the largest is the largest of the piece."""
    knots = {Fraction(0), Fraction(1)}
    for p, q in zip(start, end, strict=True):
        for x in problem.X:
            a, b = _inner(x, p.u), _inner(x, q.u)
            if a * b < 0:
                knots.add(a / (a - b))
    losses = []
    for t in knots:
        neurons = []
        for p, q in zip(start, end, strict=True):
            u = tuple((1 - t) * a + t * b for a, b in zip(p.u, q.u, strict=True))
            neurons.append(Neuron(u, q.s if p.is_zero else p.s))
        losses.append(objective_bounds(problem, tuple(neurons))[1])
    return losses


def path_loss(problem: Problem, nodes: Sequence[Point]) -> Fraction:
    """Return the largest loss along a path, exactly (with a ridge term: from above, by a relative 2^-79 at most).

    Raises:
        ValueError: a neuron changes its sign without being zero at a node.

    Example:
        >>> from modeconn.topology import problem_from_json
        >>> problem = problem_from_json({"X": [[1], [-1]], "y": [1, 1]})
        >>> left, right = Neuron((Fraction(-1),), 1), Neuron((Fraction(1),), 1)
        >>> path_loss(problem, [(left, right), (right, left)])
        Fraction(1, 1)
        >>> path_loss(problem, [(left, right), (right, right), (right, left)])
        Fraction(5, 2)
    """
    for before, after in pairwise(nodes):
        if any(p.s != q.s and not (p.is_zero or q.is_zero) for p, q in zip(before, after, strict=True)):
            raise ValueError("path: a neuron changes its sign away from zero; put a node at zero between")
    return max(loss for pair in pairwise(nodes) for loss in _segment_losses(problem, *pair))


def parameter_segment_loss(problem: Problem, start: Point, end: Point, parts: int = 16) -> Fraction:
    """Return the largest loss at t = 0, 1/parts, ..., 1 on the segment between the nets (w, alpha) = (u, s)."""
    is_fixed = problem.output_weights == "fixed"

    def net(point: Point) -> tuple[list[list[Fraction]], list[list[int]] | None, None]:
        W = [list(column) for column in zip(*(neuron.u for neuron in point), strict=True)]
        return W, None if is_fixed else [[neuron.s for neuron in point]], None

    loss = segment_loss(net(start), net(end), problem.X, [[v] for v in problem.y])
    return max(loss(Fraction(k, parts)) for k in range(parts + 1))


class _Floats:
    """The largest loss of many paths at once, in floats: nodes (B, k, m, d), signs (k - 1, m) for each piece."""

    def __init__(self, problem: Problem, signs: np.ndarray) -> None:
        self.X = np.array([[float(v) for v in row] for row in problem.X])
        self.y = np.array([float(v) for v in problem.y])
        self.signs = signs
        self.ridge, self.is_fixed = float(problem.ridge), problem.output_weights == "fixed"

    def __call__(self, nodes: np.ndarray) -> np.ndarray:
        Z = nodes @ self.X.T  # (B, k, m, n)
        a, b = Z[:, :-1], Z[:, 1:]
        crosses = a * b < 0
        t = np.where(crosses, a / np.where(crosses, a - b, 1.0), 0.0)
        t = np.concatenate([t.reshape(*t.shape[:2], -1), np.ones((*t.shape[:2], 1))], axis=2)  # (B, k - 1, knots)
        mixed = a[:, :, None] + t[..., None, None] * (b - a)[:, :, None]
        f = np.einsum("km,bkqmn->bkqn", self.signs, np.maximum(mixed, 0.0))
        objective = np.square(f - self.y).sum(-1) / 2 + self._penalty(nodes, t)
        largest: np.ndarray = objective.max(axis=(1, 2))
        return largest

    def _penalty(self, nodes: np.ndarray, t: np.ndarray) -> np.ndarray | float:
        """Return the ridge term at the knots t (B, k - 1, knots)."""
        if not self.ridge:
            return 0.0
        start, step = nodes[:, :-1, None], (nodes[:, 1:] - nodes[:, :-1])[:, :, None]
        squares = np.square(start + t[..., None, None] * step).sum(-1)
        return self.ridge * (squares.sum(-1) / 2 if self.is_fixed else np.sqrt(squares).sum(-1))


def find_path(
    problem: Problem, start: Point, end: Point, seed: int, rounds: int = 60, nodes: int = 5, batch: int = 24
) -> list[Point]:
    """Return the best path that random trials found: nodes are moved, and moves that lower the largest loss are kept.

    It gives an upper bound on the communication barrier, and nothing tells how far off it is. Cost: ``rounds * batch``
    paths in floats.

    Args:
        problem: without a region.
        start: first node.
        end: last node.
        seed: of the trials.
        rounds: batches of trials; the moves become shorter.
        nodes: inner nodes, an odd number.
        batch: trials a round.
    """
    rng = np.random.default_rng(seed)
    first, last = (np.array([[float(v) for v in neuron.u] for neuron in point]) for point in (start, end))
    flips = np.array([p.s != q.s for p, q in zip(start, end, strict=True)])
    middle, count = (nodes + 1) // 2, nodes + 2
    signs = np.array([[p.s if k < middle else q.s for p, q in zip(start, end, strict=True)] for k in range(count - 1)])
    line = np.linspace(0.0, 1.0, count)[:, None, None]
    best = (1 - line) * first + line * last
    best[middle, flips] = 0.0
    evaluate = _Floats(problem, signs)
    value, size = float(evaluate(best[None])[0]), 1.0 + np.abs(best).max()
    for k in range(rounds):
        reach = size * 0.5 * 0.01 ** (k / rounds)
        moves = rng.normal(size=(batch, *best.shape)) * reach * (rng.random((batch, *best.shape[:2], 1)) < 0.4)
        moves[:, [0, -1]] = 0.0
        moves[:, middle, flips] = 0.0
        trials = best + moves
        trials[: batch // 4, 1:-1] *= rng.random((batch // 4, 1, best.shape[1], 1)) < 0.7  # switch neurons off
        values = evaluate(trials)
        if values.min() < value:
            best, value = trials[values.argmin()], float(values.min())
    inner = [
        tuple(
            Neuron(tuple(Fraction(round(float(v) * GRID), GRID) for v in u), int(s))
            for u, s in zip(node, signs[k], strict=True)
        )
        for k, node in enumerate(best[1:-1], start=1)
    ]
    return [start, *inner, end]
