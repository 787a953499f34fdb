"""The convex programs of a wide net: one vector u and one beta = alpha^2 a type, no width in sight.

A net whose neurons of type t have sums u_t and beta_t is in the spectral ball ||W|| <= r, |alpha| <= r iff (after a
merge, which only helps: (u, beta) -> u u^T / beta is jointly convex and homogeneous) sum_t u_t u_t^T / beta_t <= r^2 I
and sum_t beta_t <= r^2. With Q_t >= u_t u_t^T / beta_t as variables this is a semidefinite program with a small block
a type. In the box of radius r the k_t copies of type t need |u_t|_inf <= k_t r^2.

Answers are floats; :mod:`modeconn.capacity.dual` and :mod:`modeconn.capacity.net` make them exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from modeconn.capacity.neuron_types import TypeSystem
from modeconn.cells.conic import ConicProgram, symmetric_matrix, unit_row

__all__ = ["BallAnswer", "ball_program"]

TOLERANCES = (1e-11, 1e-9)
"""Tried in turn."""


@dataclass(frozen=True)
class BallAnswer:
    """Answer of a program over the spectral ball, in floats, in the units of the data.

    Attributes:
        value: the least radius squared, the least loss, or the least copies times box radius squared.
        active: the types that took part.
        u: (k, d), a row a type that took part.
        beta: (k,).
        copies: (k,) copies times box radius squared, where a box was asked for.
        nu: multiplier of the prediction (n,), scaled so that it bounds the radius squared; a residual for a loss.
        shape: multiplier Lambda of the Gram matrix (d, d), trace 1.
    """

    value: float
    active: tuple[int, ...]
    u: Float[np.ndarray, "k d"]
    beta: Float[np.ndarray, " k"]
    copies: Float[np.ndarray, " k"] | None
    nu: Float[np.ndarray, " n"]
    shape: Float[np.ndarray, "d d"]


class _Layout:
    """Where the variables are: a block (u, Q, beta, kappa) a type, then one scalar p."""

    def __init__(self, k: int, d: int, boxed: bool) -> None:
        self.k, self.d, self.q = k, d, d * (d + 1) // 2
        self.block = d + self.q + 1 + boxed
        self.size = k * self.block + 1

    def u(self, j: int, a: int = 0) -> int:
        return j * self.block + a

    def gram(self, j: int, a: int, b: int) -> int:
        """Q_j[a, b] for a <= b, as the entry of a matrix (not times sqrt 2)."""
        return j * self.block + self.d + b * (b + 1) // 2 + a

    def beta(self, j: int) -> int:
        return j * self.block + self.d + self.q

    def copies(self, j: int) -> int:
        return self.beta(j) + 1


def ball_program(
    system: TypeSystem,
    active: Sequence[int],
    *,
    target: Float[np.ndarray, " n"] | None = None,
    level: float = 0.0,
    radius_square: float | None = None,
    least: str = "radius",
    weights: Sequence[int] | None = None,
    gated: bool = False,
) -> BallAnswer | None:
    """Return the answer of a program over nets with neurons of some types, ``None`` if the solver gives up.

    * ``least="radius"``: the least p = r^2 with a net of loss <= level in the spectral ball of radius r;
    * ``least="loss"``: the least loss in the ball of the given radius squared;
    * ``least="copies"``: in the ball of the given radius squared with loss <= level, the least sum of kappa_t >= k_t q,
      k_t the (real) number of copies of type t needed in the box of radius sqrt q: u_t^2 <= kappa_t beta_t entrywise
      and beta_t <= kappa_t. With ``weights`` k_t given, the least q with kappa_t <= k_t q.

    Args:
        system: the data.
        active: types that may be used.
        target: what to predict instead of y (at level 0).
        level: loss <= level.
        radius_square: r^2, for "loss" and "copies".
        least: what is minimised.
        weights: copies of each active type.
        gated: drop the cones: gates that do not obey their weights, the relaxation behind mu = 0.
    """
    if not active:
        return None
    goal = system.targets if target is None else target
    if not np.any(goal):
        return None
    x_unit, y_unit = float(np.abs(system.inputs).max()), float(np.abs(goal).max())
    unit = y_unit / x_unit  # u, beta and r^2 in these units
    d, n, boxed = system.d, system.n, least == "copies"
    at = _Layout(len(active), d, boxed)
    program = ConicProgram(at.size)
    maps = system.maps[list(active)] / x_unit
    M = np.zeros((n, at.size))
    for j in range(at.k):
        M[:, at.u(j) : at.u(j) + d] = maps[j]
    y = goal / y_unit
    level_ = level / y_unit**2
    if least != "loss":
        if level_ > 0:
            program.add(
                "soc", np.concatenate([np.zeros((1, at.size)), -M]), np.concatenate([[math.sqrt(2 * level_)], -y])
            )
        else:
            program.add("zero", M, y)
    _cones(program, at, system, active, gated)
    fixed = None if radius_square is None else radius_square / unit
    _ball(program, at, fixed)
    P, c = np.zeros((at.size, at.size)), np.zeros(at.size)
    if least == "loss":
        P, c = M.T @ M, -M.T @ y
    elif boxed:
        _box(program, at, weights)
        if weights is None:
            c[[at.copies(j) for j in range(at.k)]] = 1.0
        else:
            c[-1] = 1.0
    else:
        c[-1] = 1.0
    if least == "loss" or (boxed and weights is None):
        program.add("zero", unit_row(at.size, at.size - 1))  # p plays no part
    found = _solve(program, P, c)
    if found is None:
        return None
    x, duals = found
    rows = x[:-1].reshape(at.k, at.block)
    shape = symmetric_matrix(duals["psd"][0], d)
    shape = shape / np.trace(shape) if np.trace(shape) > 0 else np.eye(d) / d
    residual = y - M @ x
    if least == "loss":
        value, nu = float(residual @ residual) / 2 * y_unit**2, residual * y_unit
    else:
        raw = duals["soc"][0][1:] if level_ > 0 else -duals["zero"][0]
        value, nu = float(c @ x) * unit, raw / x_unit
    copies = rows[:, at.copies(0)] * unit if boxed else None
    return BallAnswer(value, tuple(active), rows[:, :d] * unit, rows[:, at.beta(0)] * unit, copies, nu, shape)


def _solve(
    program: ConicProgram, P: np.ndarray, c: np.ndarray
) -> tuple[np.ndarray, dict[str, list[np.ndarray]]] | None:
    for tolerance in TOLERANCES:
        found = program.solve(P, c, tolerance)
        if found is not None:
            return found
    return None


def _cones(program: ConicProgram, at: _Layout, system: TypeSystem, active: Sequence[int], gated: bool) -> None:
    """Add: u_t in its cone, and Q_t >= u_t u_t^T / beta_t."""
    d = at.d
    for j, t in enumerate(active):
        normals = system.walls(t)
        if len(normals) and not gated:
            sides = np.zeros((len(normals), at.size))
            sides[:, at.u(j) : at.u(j) + d] = -normals / np.abs(normals).max(1, keepdims=True)
            program.add("nonneg", sides)
    root = math.sqrt(2)
    for j in range(at.k):

        def place(a: int, b: int, j: int = j) -> int:
            return at.beta(j) if a == d else at.u(j, a) if b == d else at.gram(j, a, b)

        program.add("psd", _triangle(d + 1, at.size, lambda a, b: [(place(a, b), 1.0 if a == b else root)]))


def _ball(program: ConicProgram, at: _Layout, fixed: float | None) -> None:
    """Add sum Q_t <= p I and sum beta_t <= p, p the last variable or a number. The first goes in front: its multiplier
    is asked for."""

    def entry(a: int, b: int) -> list[tuple[int, float]]:
        terms = [(at.gram(j, a, b), -1.0 if a == b else -math.sqrt(2)) for j in range(at.k)]
        return [*terms, (at.size - 1, 1.0)] if a == b and fixed is None else terms

    rows = _triangle(at.d, at.size, entry)
    room = np.array([0.0 if fixed is None or a != b else fixed for b in range(at.d) for a in range(b + 1)])
    program.blocks["psd"].insert(0, (rows, room))
    total = np.zeros(at.size)
    total[[at.beta(j) for j in range(at.k)]] = 1.0
    if fixed is None:
        total[-1] = -1.0
    program.add("nonneg", total, fixed or 0.0)


def _box(program: ConicProgram, at: _Layout, weights: Sequence[int] | None) -> None:
    """Add u_t^2 <= kappa_t beta_t and beta_t <= kappa_t, with kappa_t = k_t p where copies are given."""
    for j in range(at.k):
        rows = np.zeros((1 if weights is None else 2, at.size))
        rows[0, at.beta(j)], rows[0, at.copies(j)] = 1.0, -1.0
        if weights is not None:
            rows[1, at.copies(j)], rows[1, -1] = 1.0, -float(weights[j])
        program.add("nonneg", rows)
        for a in range(at.d):
            cone = np.zeros((3, at.size))
            cone[0, [at.beta(j), at.copies(j)]] = -1.0, -1.0
            cone[1, at.u(j, a)] = -2.0
            cone[2, [at.beta(j), at.copies(j)]] = 1.0, -1.0
            program.add("soc", cone)


def _triangle(size: int, width: int, entry: Callable[[int, int], list[tuple[int, float]]]) -> Float[np.ndarray, "r w"]:
    """Return rows A with -A x the triangle of a matrix, given by its entries (variable, coefficient)."""
    rows = np.zeros((size * (size + 1) // 2, width))
    places = [(a, b) for b in range(size) for a in range(b + 1)]
    for row, place in zip(rows, places, strict=True):
        for variable, coefficient in entry(*place):
            row[variable] -= coefficient
    return rows
