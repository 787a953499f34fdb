"""Problems and independent answers for the tests of ridge-regularised optima."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np

from modeconn.cells import RegionCell, least_ridge_objective
from modeconn.regularised import OptimalSet, orthant_dual, partial_sum_dual, planted_optimal_set
from modeconn.topology import Point, Problem
from modeconn.topology.points import dot


def random_problem(n: int, d: int, seed: int, ridge: str = "1/2", entry: int = 5) -> Problem:
    """Small integers, nothing planted."""
    rng = random.Random(seed)
    X = tuple(tuple(Fraction(rng.randint(-entry, entry)) for _ in range(d)) for _ in range(n))
    return Problem(X, tuple(Fraction(rng.randint(-entry, entry)) for _ in range(n)), ridge=Fraction(ridge))


def corners(weights: list[int], lengths: tuple[int, ...] = (3, 4)) -> OptimalSet:
    """Rows +-e_i."""
    return planted_optimal_set(*orthant_dual(lengths), weights)


def sums(n: int, weights: list[int]) -> OptimalSet:
    """Partial sums, beta = 1/10."""
    return planted_optimal_set(*partial_sum_dual(n), weights, Fraction(1, 10))


def arrays(problem: Problem) -> tuple[np.ndarray, np.ndarray, float]:
    """X, y and beta as floats."""
    return np.array(problem.X, float), np.array(problem.y, float), float(problem.ridge)


def sampled_slope(problem: Problem, nu: np.ndarray, count: int = 20_000, seed: int = 0) -> float:
    """The largest |nu . relu(X u)| over random unit vectors."""
    X, _, _ = arrays(problem)
    u = np.random.default_rng(seed).normal(size=(X.shape[1], count))
    u /= np.linalg.norm(u, axis=0)
    return float(np.abs(nu @ np.maximum(X @ u, 0)).max())


def whole_program(problem: Problem) -> float:
    """Value of the convex program over all activation patterns that random weights show, one solver call."""
    X, y, beta = arrays(problem)
    u = np.random.default_rng(1).normal(size=(20_000, X.shape[1]))
    patterns = np.unique(np.sign(u @ X.T).astype(int), axis=0)
    signs = np.concatenate([patterns, patterns])
    outputs = np.repeat([1, -1], len(patterns))
    cell = RegionCell(X, y, signs, signs == 0, outputs)
    v = least_ridge_objective(cell, beta)
    assert v is not None
    return float(((cell.map() @ v.ravel() - y) ** 2).sum() / 2 + beta * np.linalg.norm(v, axis=1).sum())


def objective(problem: Problem, net: Point) -> float:
    """The ridge objective of a balanced net in floats, from weights W and alpha."""
    X, y, beta = arrays(problem)
    total, penalty = np.zeros(len(y)), 0.0
    for neuron in net:
        u = np.array(neuron.u, float)
        size = np.linalg.norm(u)
        w, alpha = (u / np.sqrt(size), neuron.s * np.sqrt(size)) if size else (u, 0.0)
        total += alpha * np.maximum(X @ w, 0)
        penalty += w @ w + alpha**2
    return float(((total - y) ** 2).sum() / 2 + beta / 2 * penalty)


def predictions_of(problem: Problem, net: Point) -> list[Fraction]:
    """Predictions, in rationals."""
    return [sum((n.s * max(dot(x, n.u), Fraction(0)) for n in net), Fraction(0)) for x in problem.X]
