"""Paths between two nets, found by trial: what a path finder would report, evaluated exactly.

A path is a list of nodes in u-coordinates (u_j = |alpha_j| w_j); between two nodes the u_j move straight. A neuron
that changes its sign is zero at a node. The largest loss of such a path is exact: along a straight
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

__all__ = ["find_path", "parameter_segment_loss", "path_loss", "straight_path"]

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
        >>> zero = Neuron((Fraction(0),), 1)
        >>> path_loss(problem, [(left, right), (zero, right), (right, zero), (right, left)])
        Fraction(1, 2)
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


def straight_path(start: Point, end: Point) -> list[Point]:
    """Return the straight path in u-coordinates; neurons that change their sign are zero midway."""
    middle = tuple(
        Neuron(tuple((a + b) / 2 if p.s == q.s else Fraction(0) for a, b in zip(p.u, q.u, strict=True)), p.s)
        for p, q in zip(start, end, strict=True)
    )
    return [start, middle, end]


def find_path(
    problem: Problem,
    start: Point,
    end: Point,
    seed: int,
    rounds: int = 24,
    restarts: int = 3,
    nodes: int = 5,
    batch: int = 24,
) -> list[Point]:
    """Return the best path that random trials found: nodes are moved, and moves that lower the largest loss are kept.

    Each restart lets the neurons that change their sign do so at other nodes. The result is an upper bound on the
    communication barrier, and nothing tells how far off it is. Cost: ``restarts * rounds * batch`` paths in floats.

    Args:
        problem: without a region.
        start: first node.
        end: last node.
        seed: of the trials.
        rounds: batches of trials in a restart; the moves become shorter.
        restarts: how often.
        nodes: inner nodes.
        batch: trials a round.
    """
    rng = np.random.default_rng(seed)
    found = [_search_from(problem, start, end, rng, rounds, nodes, batch) for _ in range(restarts)]
    _, best, signs = min(found, key=lambda result: result[0])
    inner = [
        tuple(
            Neuron(tuple(Fraction(round(float(v) * GRID), GRID) for v in u), int(s))
            for u, s in zip(node, signs[k], strict=True)
        )
        for k, node in enumerate(best[1:-1], start=1)
    ]
    return [start, *inner, end]


def _search_from(
    problem: Problem, start: Point, end: Point, rng: np.random.Generator, rounds: int, nodes: int, batch: int
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the largest loss, the nodes (nodes + 2, m, d) and the signs (nodes + 1, m) of one restart."""
    first, last = (np.array([[float(v) for v in neuron.u] for neuron in point]) for point in (start, end))
    m = len(start)
    flips = np.array([p.s != q.s for p, q in zip(start, end, strict=True)])
    turns = np.where(flips, rng.permutation(max(nodes, m))[:m] % nodes + 1, 0)  # node where each of them is zero
    fixed = np.zeros((nodes + 2, m), bool)
    fixed[[0, -1]] = True
    fixed[turns[flips], np.flatnonzero(flips)] = True
    piece = np.arange(nodes + 1)[:, None]
    signs = np.where(piece < turns, [p.s for p in start], [q.s for q in end])
    line = np.linspace(0.0, 1.0, nodes + 2)[:, None, None]
    best = (1 - line) * first + line * last
    best[turns[flips], np.flatnonzero(flips)] = 0.0
    evaluate = _Floats(problem, signs)
    value, size = float(evaluate(best[None])[0]), 1.0 + np.abs(best).max()
    for k in range(rounds):
        reach = size * 0.5 * 0.01 ** (k / rounds)
        moves = rng.normal(size=(batch, *best.shape)) * reach * (rng.random((batch, *best.shape[:2], 1)) < 0.4)
        trials = best + moves
        trials[: batch // 4] *= rng.random((batch // 4, *best.shape[:2], 1)) < 0.8  # switch neurons off
        trials = np.where(fixed[..., None], best, trials)
        values = evaluate(trials)
        if values.min() < value:
            best, value = trials[values.argmin()], float(values.min())
    return value, best, signs
