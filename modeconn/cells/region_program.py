"""Convex programs over cells inside a region: least loss in it, and the least multiple of it that reaches a level.

In u-coordinates a product of balls over W and alpha is a convex set K that absorbs scaling (claim N3):

* |W|_inf <= R_W, |alpha|_inf <= R_A:  |u_j|_inf <= R_W R_A                                      (linear),
* |W|_inf <= R_W, |alpha|_2 <= R_A:    |u_j|_inf <= R_W a_j, |a|_2 <= R_A                        (second order),
* ||W||_op <= R_W:                     [[R_W^2 I, U], [U^T, diag(beta)]] >= 0 (Schur complement), with
  sum beta <= R_A^2 (|alpha|_2) or beta_j <= R_A^2 (|alpha|_inf)                                 (semidefinite),
* output weights fixed at +1:          |U|_inf <= R_W or ||U||_op <= R_W.

Answers are floats: :mod:`modeconn.topology.region` rounds the dual ones and decides exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from modeconn.cells.conic import ConicProgram, symmetric_matrix, unit_row

__all__ = ["RegionBall", "RegionCell", "RegionFit", "least_gauge", "least_loss_in_region", "least_split"]


@dataclass(frozen=True)
class RegionBall:
    """A product of balls over W and alpha; ``output`` is ``None`` when output weights are fixed at +1."""

    hidden: Literal["linf", "spectral"]
    hidden_radius: float
    output: Literal["linf", "spectral"] | None
    output_radius: float = 1.0


@dataclass(frozen=True)
class RegionCell:
    """A cell, or the intersection of two: data, and where each of k neurons is.

    Attributes:
        X: (n, d).
        y: (n,).
        signs: side of every hyperplane for each neuron (k, n), entries +1, -1 or 0 (zero rows of X).
        tight: rows where the neuron is on the hyperplane itself (k, n).
        outputs: output signs (k,).
    """

    X: Float[np.ndarray, "n d"]
    y: Float[np.ndarray, " n"]
    signs: Int[np.ndarray, "k n"]
    tight: Bool[np.ndarray, "k n"]
    outputs: Int[np.ndarray, " k"]

    def map(self) -> Float[np.ndarray, "n kd"]:
        """Return the matrix of u -> prediction on this cell."""
        blocks = [s * (signs > 0)[:, None] * self.X for s, signs in zip(self.outputs, self.signs, strict=True)]
        return np.concatenate(blocks, axis=1) if blocks else np.zeros((len(self.y), 0))

    def part(self, rows: Sequence[int]) -> RegionCell:
        """Return the cell of some of the neurons."""
        chosen = list(rows)
        return RegionCell(self.X, self.y, self.signs[chosen], self.tight[chosen], self.outputs[chosen])


@dataclass(frozen=True)
class RegionFit:
    """Answer of a program, in floats.

    Attributes:
        value: the least loss, or the least gauge.
        u: minimiser (k, d).
        mu: multipliers of the hyperplane sides (k, n), non-negative except where a neuron is on the hyperplane.
        shape: d x d multiplier of the Schur complement, trace 1 (spectral hidden ball only).
        split: alpha_j^2 of a net over u that is inside t times the region (free output weights, spectral hidden ball).
    """

    value: float
    u: Float[np.ndarray, "k d"]
    mu: Float[np.ndarray, "k n"]
    shape: Float[np.ndarray, "d d"] | None
    split: Float[np.ndarray, " k"] | None


def least_loss_in_region(cell: RegionCell, ball: RegionBall) -> RegionFit | None:
    """Return the least half squared error over a cell inside the region, ``None`` if the solver gives up."""
    k, d = len(cell.outputs), cell.X.shape[1]
    program = _program(cell, ball)
    t = k * d
    program.add("zero", unit_row(program.variables, t), 1.0)
    M = cell.map()
    P = np.zeros((program.variables, program.variables))
    q = np.zeros(program.variables)
    P[: k * d, : k * d] = M.T @ M
    q[: k * d] = -M.T @ cell.y
    return _answer(cell, ball, program, P, q, lambda x: float(((M @ x[: k * d] - cell.y) ** 2).sum() / 2))


def least_gauge(
    cell: RegionCell, ball: RegionBall, level: float, prediction: Float[np.ndarray, " n"] | None = None
) -> RegionFit | None:
    """Return the least t such that t times the region (in u) meets the level set on a cell.

    The region itself meets it iff t <= 1. With both radii r it scales as r^2 (as r when output weights are fixed).

    Args:
        cell: the cell, which must reach the level.
        ball: the region.
        level: loss <= level.
        prediction: the one prediction that reaches the level, when the least loss of the cell equals it.
    """
    k, d = len(cell.outputs), cell.X.shape[1]
    program = _program(cell, ball)
    M = np.zeros((len(cell.y), program.variables))
    M[:, : k * d] = cell.map()
    if prediction is None:
        top = np.zeros((1, program.variables))
        program.add("soc", np.concatenate([top, -M]), np.concatenate([[math.sqrt(2 * level)], -cell.y]))
    else:
        program.add("zero", M, prediction)
    q = unit_row(program.variables, k * d)
    P = np.zeros((program.variables, program.variables))
    return _answer(cell, ball, program, P, q, lambda x: float(x[k * d]))


def least_split(u: Float[np.ndarray, "k d"], ball: RegionBall) -> Float[np.ndarray, " k"] | None:
    """Return alpha_j^2 of a net over u that is in the least multiple of a doubly spectral region."""
    k, d = u.shape
    cell = RegionCell(np.zeros((0, d)), np.zeros(0), np.zeros((k, 0), int), np.zeros((k, 0), bool), np.ones(k, int))
    program = _program(cell, ball)
    program.add("zero", np.eye(program.variables)[: k * d], u.ravel())
    found = program.solve(np.zeros((program.variables,) * 2), unit_row(program.variables, k * d))
    return None if found is None else found[0][k * d + 1 :]


def _program(cell: RegionCell, ball: RegionBall) -> ConicProgram:
    """Return the constraints u in the cell and u in t K; variables are u (k d), t, and beta or a (k)."""
    (k, n), d = cell.signs.shape, cell.X.shape[1]
    extra = k if ball.output == "spectral" or (ball.hidden == "spectral" and ball.output) else 0
    program = ConicProgram(k * d + 1 + extra)
    size, t = program.variables, k * d
    sides = np.zeros((k * n, size))
    for j in range(k):
        sides[j * n : (j + 1) * n, j * d : (j + 1) * d] = -cell.signs[j][:, None] * cell.X
    program.add("nonneg", sides[~cell.tight.ravel()])
    program.add("zero", sides[cell.tight.ravel()])
    e = np.eye(size)
    if ball.hidden == "linf":
        bound = np.zeros((k * d, size))
        if ball.output == "spectral":
            for j in range(k):
                bound[j * d : (j + 1) * d, t + 1 + j] = ball.hidden_radius
            cone = np.concatenate([-ball.output_radius * e[[t]], -e[t + 1 :]])
            program.add("soc", cone)
        else:
            bound[:, t] = ball.hidden_radius * (ball.output_radius if ball.output else 1.0)
        program.add("nonneg", np.concatenate([e[: k * d] - bound, -e[: k * d] - bound]))
        return program
    if ball.output == "spectral":
        program.add("nonneg", e[t + 1 :].sum(0) - ball.output_radius**2 * e[t])
    elif ball.output == "linf":
        program.add("nonneg", e[t + 1 :] - ball.output_radius**2 * e[t])
    rows = []
    for column in range(d + k):
        for row in range(column + 1):
            entry = np.zeros(size)
            if column < d and row == column:
                entry[t] = ball.hidden_radius**2 if ball.output else ball.hidden_radius
            elif column >= d and row == column:
                if ball.output:
                    entry[t + 1 + column - d] = 1.0
                else:
                    entry[t] = ball.hidden_radius
            elif column >= d and row < d:
                entry[(column - d) * d + row] = math.sqrt(2)
            rows.append(-entry)
    program.add("psd", np.array(rows))
    return program


def _answer(
    cell: RegionCell,
    ball: RegionBall,
    program: ConicProgram,
    P: np.ndarray,
    q: np.ndarray,
    value: Callable[[np.ndarray], float],
) -> RegionFit | None:
    found = program.solve(P, q)
    if found is None:
        return None
    x, duals = found
    (k, n), d = cell.signs.shape, cell.X.shape[1]
    shape = split = None
    if ball.hidden == "spectral":
        shape = symmetric_matrix(duals["psd"][0], d)
        shape = shape / np.trace(shape) if np.trace(shape) > 0 else np.eye(d) / d
        split = x[k * d + 1 :] if ball.output else None
    mu = np.zeros((k, n))
    mu[~cell.tight] = np.maximum(duals["nonneg"][0], 0.0)
    mu[cell.tight] = duals["zero"][0]
    return RegionFit(value(x), x[: k * d].reshape(k, d), mu, shape, split)
